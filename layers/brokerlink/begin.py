"""How a login begins: directly, through a session that a platform prepared, or again after one that failed."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from brokerlink.attempts import Attempt, Attempts, Standing, Status, digest
from brokerlink.brokers.base import AuthorizationRequest, Broker, Form, Link
from brokerlink.secret import Secret
from brokerlink.sessions import SESSION_SECONDS, Session, Sessions, session_key

# A late repeat of a callback still gets a true answer.
KEPT_AFTER_EXPIRY: Final = 3600


@dataclass(frozen=True, slots=True)
class Begun:
    """A login has begun: where the browser goes now, and until when it may come back (epoch seconds)."""

    authorization: Link | Form
    attempt_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A session is open: the secret of its start URL, and until when it works (epoch seconds)."""

    secret: Secret
    expires_at: int


@dataclass(frozen=True, slots=True)
class NotStartable:
    """The session is unknown, used, run out, or of another broker."""


@dataclass(frozen=True, slots=True)
class DirectLoginsClosed:
    """No account may log in without a session."""


@dataclass(frozen=True, slots=True)
class MustNameAccount:
    """The broker's grants are not bound to an attempt, so its sessions have to name the account."""


@dataclass(frozen=True, slots=True)
class NotRetryable:
    """The attempt is unknown here, or of another browser or broker."""


@dataclass(frozen=True, slots=True)
class NothingToRetry:
    """The attempt is at the broker, waits for confirmation, or has ended well: its result page tells."""

    attempt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Begins logins. `clock` gives epoch seconds, `random_bytes` that many random bytes.

    `direct_accounts` are those that may log in without a session; None is any. `attempt_seconds` is the time that a
    customer has at the broker.
    """

    attempts: Attempts
    sessions: Sessions
    clock: Callable[[], float]
    random_bytes: Callable[[int], bytes]
    direct_accounts: frozenset[str] | None
    attempt_seconds: int

    def new_secret(self) -> Secret:
        """Give 256 random bits as 43 base64url characters: a state, a browser key, a session, a code verifier."""
        return Secret(base64.urlsafe_b64encode(self.random_bytes(32)).removesuffix(b"=").decode())

    def prepare(
        self, broker: Broker, *, user_id: str, account: str | None, return_to: str | None
    ) -> Prepared | MustNameAccount:
        """Open a session for one of the platform's users. Raises `StorageError`."""
        if account is None and _must_name_account(broker):
            return MustNameAccount()
        secret = self.new_secret()
        session = Session(
            key=session_key(secret),
            broker=broker.id,
            user_id=user_id,
            expires_at=int(self.clock()) + SESSION_SECONDS,
            expected_account=account,
            return_to=return_to,
        )
        self.sessions.open(session)
        return Prepared(secret, session.expires_at)

    def directly(
        self, broker: Broker, *, browser_key: Secret, redirect_uri: str, return_to: str | None
    ) -> Begun | DirectLoginsClosed:
        """Begin a login of somebody for their own account. Raises `StorageError`."""
        if self.direct_accounts is not None and not self.direct_accounts:
            return DirectLoginsClosed()
        return self._begin(broker, browser_key, redirect_uri, return_to=return_to)

    def through_session(
        self, broker: Broker, secret: Secret, *, browser_key: Secret, redirect_uri: str
    ) -> Begun | NotStartable | MustNameAccount:
        """Begin the login that a platform prepared; opening the link twice begins two. Raises `StorageError`."""
        session = self.sessions.read(secret)
        if session is None or not session.startable(broker.id, int(self.clock())):
            return NotStartable()
        if session.expected_account is None and _must_name_account(broker):
            return MustNameAccount()
        return self._begin(
            broker,
            browser_key,
            redirect_uri,
            user_id=session.user_id,
            expected_account=session.expected_account,
            return_to=session.return_to,
            session=session.key,
        )

    def again(
        self, broker: Broker, attempt_id: str, *, browser_key: Secret, redirect_uri: str
    ) -> Begun | NotRetryable | NothingToRetry | DirectLoginsClosed | MustNameAccount:
        """Begin anew what this browser began before, for the same user, account, end and session.

        Raises `StorageError`.
        """
        earlier = self.attempts.read(attempt_id)
        if (
            earlier is None
            or earlier.broker != broker.id
            or not hmac.compare_digest(earlier.browser_hash, digest(browser_key.reveal()))
        ):
            return NotRetryable()
        standing, _ = earlier.standing(int(self.clock()))
        if standing not in {Standing.FAILED, Standing.PENDING}:
            return NothingToRetry(attempt_id)
        if earlier.user_id is None:
            return self.directly(
                broker, browser_key=browser_key, redirect_uri=redirect_uri, return_to=earlier.return_to
            )
        if earlier.expected_account is None and _must_name_account(broker):
            return MustNameAccount()
        return self._begin(
            broker,
            browser_key,
            redirect_uri,
            user_id=earlier.user_id,
            expected_account=earlier.expected_account,
            return_to=earlier.return_to,
            session=earlier.session,
        )

    def _begin(
        self,
        broker: Broker,
        browser_key: Secret,
        redirect_uri: str,
        *,
        user_id: str | None = None,
        expected_account: str | None = None,
        return_to: str | None = None,
        session: str | None = None,
    ) -> Begun:
        state, code_verifier = self.new_secret(), self.new_secret()
        expires_at = int(self.clock()) + self.attempt_seconds
        attempt = Attempt(
            attempt_id=digest(state.reveal()),
            status=Status.PENDING,
            broker=broker.id,
            browser_hash=digest(browser_key.reveal()),
            redirect_uri=redirect_uri,
            expires_at=expires_at,
            ttl=expires_at + KEPT_AFTER_EXPIRY,
            user_id=user_id,
            expected_account=expected_account,
            return_to=return_to,
            session=session,
            code_verifier=code_verifier,
        )
        self.attempts.begin(attempt)
        request = AuthorizationRequest(state=state, redirect_uri=redirect_uri, code_verifier=code_verifier)
        return Begun(broker.authorization(request), attempt.attempt_id, expires_at)


def _must_name_account(broker: Broker) -> bool:
    return not broker.binds_grant and not broker.allow_unpinned

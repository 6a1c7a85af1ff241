"""Steps 2 to 5 of a login: what happens to an attempt once it is claimed, until it has ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from brokerlink.attempts import Attempt, Attempts
from brokerlink.brokers.base import AppSecret, Broker, ClientRejected, Grant, IssuedToken, TokenRequest
from brokerlink.brokers.door import Door
from brokerlink.claim import Claim
from brokerlink.commit import Commits
from brokerlink.connections import direct_user_id
from brokerlink.errors import Code, LoginError, Step
from brokerlink.expiry import token_expiry
from brokerlink.outbound import AnswerTooLarge, NoAnswer, NotSent, OutboundError
from brokerlink.outcomes import Budget, Ended, Finished
from brokerlink.tokens import Sealer, TokenRecord

# Kept back for encrypt and commit; the rest of the time the broker may have.
KEPT_BACK: Final = 5.0
# Less than this is not worth sending a grant for.
LEAST_FOR_BROKER: Final = 1.0
HELD_SECONDS: Final = 600
# Before each try to learn the account, in seconds.
_IDENTIFY_PAUSES: Final = (0.0, 0.2, 0.8)
_IDENTIFY_SECONDS: Final = 4.0


class AppSecrets(Protocol):
    """Where a broker's secrets come from."""

    def get(self, broker: Broker) -> AppSecret:
        """Give them, or raise `LoginError` (`app_misconfigured`, `busy`)."""

    def get_changed(self, broker: Broker, used: AppSecret) -> AppSecret | None:
        """Give what has replaced `used`, if anything has."""


class LoginDoor(Door, Protocol):
    """A broker's door, at which a login knocks before it has something to hand in."""

    def opening(self, url: str) -> AbstractContextManager[None]:
        """Open the exchange's connection, to the server of `url`, meanwhile. Raises nothing."""


class Doors(Protocol):
    """Opens the HTTP door to a broker."""

    def __call__(self, deadline: float) -> LoginDoor:
        """Give a door that nothing passes after `deadline`, on the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the steps work with. `clock` gives epoch seconds, `monotonic` seconds, `new_claim` a random text (≤ 34).

    `direct_accounts` are those that may log in without a session; None is any.
    """

    attempts: Attempts
    commits: Commits
    sealer: Sealer
    secrets: AppSecrets
    doors: Doors
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    new_claim: Callable[[], str]
    direct_accounts: frozenset[str] | None

    def now(self) -> int:
        """Give the epoch second."""
        return int(self.clock())


@dataclass(slots=True)
class Exchange:
    """Steps 2 to 5 of one claimed attempt."""

    services: Services
    broker: Broker
    attempt: Attempt
    claimed_by: str
    budget: Budget
    issued_at: float = 0.0
    sent: bool = False
    step: Step = Step.EXCHANGE

    @property
    def claim(self) -> Claim:
        """The writes that end the attempt."""
        return Claim(
            attempts=self.services.attempts,
            commits=self.services.commits,
            attempt=self.attempt,
            claimed_by=self.claimed_by,
            answer_by=self.budget.answer_by,
            sleep=self.services.sleep,
            monotonic=self.services.monotonic,
        )

    def run(self, grant: Grant, secret: AppSecret) -> Finished:
        """Carry the login to its end, whatever happens on the way."""
        try:
            token = self._exchange(grant, secret)
            finished = self._end(self._seal(token, self._identify(token)))
        except NotSent as error:
            return self._give_back(LoginError(Code.BROKER_UNAVAILABLE, Step.EXCHANGE, error.reason))
        except LoginError as failure:
            if failure.code is Code.BUSY:
                return self._give_back(failure)
            ended = self.claim.fail(failure)
            if failure.code is Code.APP_MISCONFIGURED and not isinstance(failure, ClientRejected):
                # For the next login: the secret may have been rotated.
                self.services.secrets.get_changed(self.broker, secret)
            return ended
        except Exception as error:  # noqa: BLE001 - the grant is spent: whatever broke, the attempt must end, not hang
            crash = LoginError(Code.INTERNAL, self.step, type(error).__name__)
            crash.__cause__ = error
            return self.claim.fail(crash)
        if isinstance(finished, Ended):
            return replace(finished, scope_reduced=bool(set(self.broker.scope.split()) - set(token.scope.split())))
        return finished

    def _give_back(self, failure: LoginError) -> Finished:
        if self.sent:
            return self.claim.fail(LoginError(Code.BROKER_UNAVAILABLE, failure.step, failure.message))
        return self.claim.give_back(failure)

    # 2 exchange

    def _exchange(self, grant: Grant, secret: AppSecret) -> IssuedToken:
        """Send the grant: a second time only where the first sent nothing, or where the broker refused our credentials
        before it looked at the grant and they have changed since. Never a third time.
        """
        try:
            return self._send(grant, secret)
        except NotSent:
            return self._send(grant, secret)
        except ClientRejected:
            changed = self.services.secrets.get_changed(self.broker, secret)
            if changed is None:
                raise
            self.sent = True
            return self._send(grant, changed)

    def _send(self, grant: Grant, secret: AppSecret) -> IssuedToken:
        if self.attempt.code_verifier is None:
            raise LoginError(Code.INTERNAL, Step.EXCHANGE, "the attempt's row has no code_verifier")
        self.issued_at = self.services.clock()
        if grant.send_before is not None and self.issued_at > grant.send_before:
            raise LoginError(Code.EXPIRED, Step.EXCHANGE, "the grant ran out before it could be sent")
        deadline = self.budget.answer_by - KEPT_BACK
        if deadline - self.services.monotonic() < LEAST_FOR_BROKER:
            raise LoginError(Code.BUSY, Step.EXCHANGE, "too little time is left to ask the broker")
        request = TokenRequest(
            grant=grant, redirect_uri=self.attempt.redirect_uri, code_verifier=self.attempt.code_verifier
        )
        try:
            return self.broker.exchange(request, secret, self.services.doors(deadline), int(self.issued_at))
        except NotSent:
            raise
        except AnswerTooLarge as error:
            raise LoginError(Code.BROKER_ERROR, Step.EXCHANGE, error.reason) from None
        except NoAnswer as error:
            raise LoginError(Code.OUTCOME_UNKNOWN, Step.EXCHANGE, error.reason) from None

    # 3 identify

    def _identify(self, token: IssuedToken) -> str:
        self.step = Step.IDENTIFY
        account = self._ask_account(token)
        expected, direct = self.attempt.expected_account, self.services.direct_accounts
        if expected is not None and account != expected:
            raise LoginError(
                Code.ACCOUNT_MISMATCH, Step.IDENTIFY, "the login ended in another account than the session's"
            )
        if self.attempt.user_id is None and direct is not None and account not in direct:
            raise LoginError(Code.ACCOUNT_MISMATCH, Step.IDENTIFY, "the account is not in DirectLoginAccounts")
        return account

    def _ask_account(self, token: IssuedToken) -> str:
        last = "no time was left to ask"
        ends = self.budget.answer_by - KEPT_BACK
        for pause in _IDENTIFY_PAUSES:
            if pause:
                self.services.sleep(pause)
            now = self.services.monotonic()
            if now >= ends:
                break
            try:
                door = self.services.doors(min(ends, now + _IDENTIFY_SECONDS))
                return self.broker.identify(token, door, int(self.services.clock()))
            except OutboundError as error:
                last = error.reason
            except LoginError as error:
                if error.code is Code.ACCOUNT_UNKNOWN:
                    raise
                last = error.message
        raise LoginError(Code.ACCOUNT_UNKNOWN, Step.IDENTIFY, last)

    # 4 encrypt

    def _seal(self, token: IssuedToken, account: str) -> TokenRecord:
        self.step = Step.ENCRYPT
        expires_at = token_expiry(
            self.broker.expiry, int(self.issued_at), lifetime=token.lifetime, claimed=token.claimed_expiry
        )
        if expires_at <= self.services.clock():
            raise LoginError(Code.EXPIRED, Step.ENCRYPT, "the token had ended before it could be stored")
        user_id = self.attempt.user_id or direct_user_id(self.broker.id, account)
        ciphertext = self.services.sealer.seal(
            token.access_token, broker=self.broker.id, account=account, user_id=user_id
        )
        return TokenRecord(
            user_id=user_id,
            broker=self.broker.id,
            account=account,
            ciphertext=ciphertext,
            scope=token.scope,
            token_type=token.token_type,
            attempt_id=self.attempt.attempt_id,
            issued_at_ms=int(self.issued_at * 1000),
            expires_at=expires_at,
            app_key=token.app_key,
        )

    # 5 commit

    def _end(self, record: TokenRecord) -> Finished:
        now = self.services.now()
        if self.attempt.user_id is not None and self.attempt.expected_account is None:
            self.step = Step.HOLD
            return self.claim.hold(record, min(now + HELD_SECONDS, record.expires_at))
        self.step = Step.COMMIT
        return self.claim.commit(record, now)

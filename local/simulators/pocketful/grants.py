"""Authorization codes and access tokens: what is issued, spent and revoked."""

import hmac
import re
import threading
from dataclasses import dataclass, replace
from hashlib import sha256

from local.simulators.clients import Pkce
from local.simulators.clock import Clock, next_midnight
from local.simulators.customers import Customer
from local.simulators.pocketful.errors import invalid_grant
from local.simulators.store import ExpiringStore
from local.simulators.tokens import base64url, opaque_token

CODE_SECONDS = 600
"""Hydra's default life of an authorization code."""

TOKEN_SECONDS = 86_400
"""A token's life; midnight in India ends it earlier."""

# A spent code is remembered for as long as a token that it may have to revoke.
_REMEMBERED_SECONDS = CODE_SECONDS + TOKEN_SECONDS
_CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class Consent:
    """What a customer agreed to on the login page.

    `redirect_uri` and `code_challenge` are as the authorization request sent them, empty if it did not.
    """

    client_id: str
    customer: Customer
    scope: str
    redirect_uri: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class _IssuedCode:
    consent: Consent
    expires_at: float
    access_token: str | None = None


@dataclass(frozen=True, slots=True)
class _IssuedToken:
    customer: Customer
    expires_at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A token request's own part, once its client is authenticated."""

    client_id: str
    pkce: Pkce
    code: str
    redirect_uri: str
    code_verifier: str


class Grants:
    """Thread-safe: of two exchanges of one code, one gets the token and the other revokes it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes = ExpiringStore[_IssuedCode](clock, seconds=_REMEMBERED_SECONDS)
        self._tokens = ExpiringStore[_IssuedToken](clock, seconds=TOKEN_SECONDS)
        self._exchanging = threading.Lock()

    def issue_code(self, consent: Consent) -> str:
        code = opaque_token()
        self._codes.put(code, _IssuedCode(consent, self._clock() + CODE_SECONDS))
        return code

    def exchange(self, request: Exchange) -> tuple[str, str]:
        """Spends the code; returns the access token and its scope.

        A request that fails for another reason than replay leaves the code unspent. Raises `OAuthError`
        (`invalid_grant`).
        """
        with self._exchanging:
            issued = self._codes.get(request.code)
            if issued is None:
                raise invalid_grant("The authorization code is unknown.")
            if issued.access_token is not None:
                # RFC 6749 §4.1.2: a code that is used twice may be stolen, so what it gave is taken back.
                self._tokens.pop(issued.access_token)
                raise invalid_grant("The authorization code was used before; its token is revoked.")
            self._check(issued, request)
            token = opaque_token()
            now = self._clock()
            expires_at = min(now + TOKEN_SECONDS, next_midnight(now))
            self._tokens.put(token, _IssuedToken(issued.consent.customer, expires_at))
            self._codes.put(request.code, replace(issued, access_token=token))
            return token, issued.consent.scope

    def customer_of(self, token: str) -> Customer | None:
        """Whose token it is, if it is alive and was not revoked."""
        issued = self._tokens.get(token)
        return issued.customer if issued is not None and self._clock() < issued.expires_at else None

    def _check(self, issued: _IssuedCode, request: Exchange) -> None:
        consent = issued.consent
        if self._clock() >= issued.expires_at:
            raise invalid_grant("The authorization code has expired.")
        if consent.client_id != request.client_id:
            raise invalid_grant("The authorization code was issued to another client.")
        # RFC 6749 §4.1.3: identical, if the authorization request named one.
        if consent.redirect_uri and consent.redirect_uri != request.redirect_uri:
            raise invalid_grant("The redirect_uri is not the one of the authorization request.")
        if request.pkce is not Pkce.IGNORED:
            _check_verifier(consent.code_challenge, request.code_verifier)


def _check_verifier(challenge: str, verifier: str) -> None:
    """RFC 7636 §4.6, S256. A verifier without a challenge is refused too."""
    if not challenge and not verifier:
        return
    if not _CODE_VERIFIER.fullmatch(verifier):
        raise invalid_grant("The code_verifier is missing or malformed.")
    expected = base64url(sha256(verifier.encode("ascii")).digest())
    if not hmac.compare_digest(expected.encode(), challenge.encode("utf-8", "surrogateescape")):
        raise invalid_grant("The code_verifier does not match the code_challenge.")

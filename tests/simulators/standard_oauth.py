"""What Authlib's server side asks an application to bring: client, customer, and where codes and tokens are kept."""

# Authlib has no type information: its classes and what they return are Any.
# mypy: allow-subclassing-any

import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import Flask
from joserfc.jwk import ECKey

_ALGORITHM = "ES256"


class AccountIn(StrEnum):
    """Where the server tells whose login it was, beside the userinfo endpoint, which always does."""

    USERINFO = "userinfo"
    TOKEN_RESPONSE = "token_response"
    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"


@dataclass(frozen=True)
class Client:
    """The registered client, as Authlib asks for one (its `ClientMixin`)."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    auth_method: str
    scope: str

    id_token_signed_response_alg = _ALGORITHM

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str | None) -> str:
        allowed = self.scope.split()
        return " ".join(name for name in (scope or "").split() if name in allowed)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret.encode(), self.client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == self.auth_method

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True)
class Customer:
    """The one customer, and where their account is told under which name."""

    account: str
    claim: str
    account_in: AccountIn

    def get_user_id(self) -> str:
        return self.account

    def claims(self, where: AccountIn) -> dict[str, str]:
        return {self.claim: self.account} if where is self.account_in else {}


@dataclass(frozen=True)
class _Code:
    """An authorization code (Authlib's `AuthorizationCodeMixin`)."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass(frozen=True)
class _Token:
    """An access token (Authlib's `TokenMixin`)."""

    scope: str
    expires_at: float

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return time.time() >= self.expires_at

    def is_revoked(self) -> bool:
        return False


class StandardAuthorizationServer(AuthorizationServer):
    """Authlib's server with one client, one customer and everything else in memory."""

    def __init__(self, app: Flask, client: Client, customer: Customer, *, issuer: str, expires_in: int) -> None:
        self.client = client
        self.customer = customer
        self.issuer = issuer
        self.codes: dict[str, _Code] = {}
        self.tokens: dict[str, _Token] = {}
        self.key = ECKey.generate_key("P-256")
        app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": expires_in}
        super().__init__(app)
        self.register_grant(_CodeGrant, [_RequiredS256(required=True), _IdToken(self)])
        if customer.account_in is AccountIn.ACCESS_TOKEN:
            self.register_token_generator("default", _JwtAccessTokens(self, expires_in))

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == self.client.client_id else None

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        self.tokens[token["access_token"]] = _Token(request.scope or "", time.time() + token["expires_in"])
        token.update(self.customer.claims(AccountIn.TOKEN_RESPONSE))


class _CodeGrant(AuthorizationCodeGrant):
    server: StandardAuthorizationServer

    def save_authorization_code(self, code: str, request: Any) -> None:
        sent = request.payload.data
        self.server.codes[code] = _Code(
            code,
            sent.get("redirect_uri", ""),
            request.scope,
            sent.get("nonce"),
            sent["code_challenge"],
            sent["code_challenge_method"],
        )

    def query_authorization_code(self, code: str, _client: Client) -> _Code | None:
        return self.server.codes.get(code)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        self.server.codes.pop(authorization_code.code, None)

    def authenticate_user(self, _authorization_code: _Code) -> Customer:
        return self.server.customer


class _RequiredS256(CodeChallenge):
    """RFC 7636, required of confidential clients too, and without `plain`."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        if not grant.request.payload.data.get("code_challenge_method"):
            raise InvalidRequestError("PKCE with S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class _IdToken(OpenIDCode):
    def __init__(self, server: StandardAuthorizationServer) -> None:
        super().__init__()
        self._server = server

    def exists_nonce(self, _nonce: str, _request: Any) -> bool:
        return False

    def resolve_client_private_key(self, _client: Client) -> ECKey:
        return self._server.key

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._server.issuer, "aud": [client.client_id]}

    def generate_user_info(self, user: Customer, _scope: str) -> UserInfo:
        return UserInfo({"sub": user.account, **user.claims(AccountIn.ID_TOKEN)})


class _JwtAccessTokens(JWTBearerTokenGenerator):
    """Access tokens that a client can read (RFC 9068)."""

    def __init__(self, server: StandardAuthorizationServer, expires_in: int) -> None:
        super().__init__(server.issuer, _ALGORITHM, expires_generator=lambda _client, _grant: expires_in)
        self._server = server

    def get_jwks(self) -> ECKey:
        return self._server.key

    def get_extra_claims(self, *_context: Any) -> dict[str, str]:
        return self._server.customer.claims(AccountIn.ACCESS_TOKEN)


class BearerTokens(BearerTokenValidator):
    """Accepts the server's own live access tokens."""

    def __init__(self, server: StandardAuthorizationServer) -> None:
        super().__init__()
        self._server = server

    def authenticate_token(self, token_string: str) -> _Token | None:
        return self._server.tokens.get(token_string)


class CallbackIssuer(IssuerParameter):
    """Adds `iss` to the callback (RFC 9207)."""

    def __init__(self, server: StandardAuthorizationServer) -> None:
        self._issuer = server.issuer

    def get_issuer(self) -> str:
        return self._issuer

"""A standard OAuth 2.0 and OpenID Connect server, made by somebody else: Authlib's server side on loopback.

It knows nothing of any broker, so a client that completes a login here follows the standards and not only our
own simulators. Its login page has a button for each answer.
"""

# Authlib has no type information: what it returns and its decorators are Any.
# mypy: no-warn-return-any, allow-untyped-decorators

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from tests.simulators.standard_oauth import (
    AccountIn,
    BearerTokens,
    CallbackIssuer,
    Client,
    Customer,
    StandardAuthorizationServer,
)

__all__ = ["AccountIn", "StandardServer", "serve_standard_server"]


@dataclass(frozen=True)
class StandardServer:
    """A running server, and the one client that is registered at it."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    account: str
    token_requests: list[dict[str, str]] = field(default_factory=list, repr=False)
    """The form of every token request so far."""

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.url}/authorize"

    @property
    def token_endpoint(self) -> str:
        return f"{self.url}/token"

    @property
    def userinfo_endpoint(self) -> str:
        return f"{self.url}/userinfo"


@contextlib.contextmanager
def serve_standard_server(  # a fixture's parameters are its interface
    *,
    redirect_uri: str,
    auth_method: str = "client_secret_basic",
    account_in: AccountIn = AccountIn.USERINFO,
    account_claim: str = "sub",
    account: str = "STD-0001",
    scope: str = "openid orders",
    expires_in: int = 3600,
    client_secret: str = "s3cret:with/reserved+characters%",
    issuer_parameter: bool = False,
) -> Iterator[StandardServer]:
    """Runs the server until the block ends.

    `auth_method` is the one method that its client is registered for: `client_secret_basic` or
    `client_secret_post`. PKCE with S256 is required. The account is `account_claim` of the userinfo response, and
    of what `account_in` names as well. `issuer_parameter` adds `iss` to the callback (RFC 9207).
    """
    app = Flask(__name__)
    http = make_server("127.0.0.1", 0, app, threaded=True)
    server = StandardServer(f"http://127.0.0.1:{http.port}", "standard-client", client_secret, account)
    oauth = StandardAuthorizationServer(
        app,
        Client(server.client_id, client_secret, redirect_uri, auth_method, scope),
        Customer(account, account_claim, account_in),
        issuer=server.url,
        expires_in=expires_in,
    )
    if issuer_parameter:
        oauth.register_extension(CallbackIssuer(oauth))
    _add_routes(app, oauth, server.token_requests)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()


def _add_routes(app: Flask, oauth: StandardAuthorizationServer, token_requests: list[dict[str, str]]) -> None:
    protected = ResourceProtector()
    protected.register_token_validator(BearerTokens(oauth))

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> ResponseReturnValue:
        try:
            grant = oauth.get_consent_grant(end_user=oauth.customer)
        except OAuth2Error as error:
            return oauth.handle_error_response(None, error)
        if request.method == "GET":
            return _LOGIN_PAGE
        granted = oauth.customer if request.form["action"] == "login" else None
        return oauth.create_authorization_response(grant_user=granted, grant=grant)

    @app.post("/token")
    def token() -> ResponseReturnValue:
        token_requests.append(request.form.to_dict())
        return oauth.create_token_response()

    @app.get("/userinfo")
    @protected()
    def userinfo() -> ResponseReturnValue:
        return jsonify({"sub": oauth.customer.account, oauth.customer.claim: oauth.customer.account})


_LOGIN_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in</title></head><body>
<form method="post">
<button name="action" value="login">Log in</button>
<button name="action" value="decline">Decline</button>
</form></body></html>
"""

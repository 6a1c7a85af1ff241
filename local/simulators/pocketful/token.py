"""The token endpoint (RFC 6749 §3.2)."""

from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from local.simulators.clients import PocketfulClient
from local.simulators.forms import MalformedFormError, parse_form
from local.simulators.pocketful.client_authentication import authenticate_client
from local.simulators.pocketful.errors import OAuthError, invalid_request
from local.simulators.pocketful.grants import TOKEN_SECONDS, Exchange, Grants
from local.simulators.responses import json_response


class TokenEndpoint:
    """Exchanges authorization codes for access tokens."""

    def __init__(self, clients: Mapping[str, PocketfulClient], grants: Grants) -> None:
        self._clients = clients
        self._grants = grants

    def respond(self, request: Request) -> Response:
        try:
            token, scope = self._exchange(request)
        except OAuthError as problem:
            body = {"error": problem.error, "error_description": problem.description}
            response = json_response(body, status=problem.status)
        else:
            response = json_response(
                {
                    "access_token": token,
                    # A second less than the token's life: fosite truncates what is left of it.
                    "expires_in": TOKEN_SECONDS - 1,
                    "scope": scope,
                    "token_type": "bearer",
                }
            )
        response.headers["Pragma"] = "no-cache"
        return response

    def _exchange(self, request: Request) -> tuple[str, str]:
        if request.method != "POST":
            raise invalid_request("The request method must be POST.")
        if request.mimetype != "application/x-www-form-urlencoded":
            raise invalid_request("The body must be application/x-www-form-urlencoded.")
        try:
            form = parse_form(request.get_data())
        except MalformedFormError:
            raise invalid_request("The body is not form-encoded.") from None
        grant_type = form.get("grant_type")
        if not grant_type:
            raise invalid_request("The grant_type is missing.")
        # The client first: a wrong secret never costs the code.
        client = authenticate_client(request.headers.get("Authorization"), form, self._clients)
        if grant_type != "authorization_code":
            raise OAuthError("unsupported_grant_type", "The grant_type must be authorization_code.")
        if not form.get("code"):
            raise invalid_request("The code is missing.")
        return self._grants.exchange(
            Exchange(
                client.client_id,
                client.pkce,
                code=form["code"],
                redirect_uri=form.get("redirect_uri", ""),
                code_verifier=form.get("code_verifier", ""),
            )
        )

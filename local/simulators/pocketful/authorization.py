"""The authorization endpoint (RFC 6749 §3.1) and the login page behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from local.simulators.clients import Pkce, PocketfulClient
from local.simulators.clock import Clock
from local.simulators.customers import POCKETFUL_CUSTOMERS, Customer, find_customer
from local.simulators.forms import MalformedFormError, parse_form
from local.simulators.logins import Logins
from local.simulators.pages import Field, login_page, message_page
from local.simulators.pocketful.errors import OAuthError, invalid_client, invalid_request
from local.simulators.pocketful.grants import Consent, Grants
from local.simulators.pocketful.redirect_uri import add_to_query, resolve_redirect_uri
from local.simulators.responses import redirect

NAME = "Pocketful"
_MIN_STATE_BYTES = 8


@dataclass(frozen=True, slots=True)
class _AuthorizationRequest:
    client_id: str
    scope: str
    state: str
    redirect_uri: str
    """Where the customer goes back to."""
    redirect_uri_sent: str
    """The parameter as it was sent; empty if it was not."""
    code_challenge: str

    def redirect(self, parameters: Mapping[str, str]) -> Response:
        return _redirect_back(self.redirect_uri, self.state, parameters)


class AuthorizationEndpoint:
    """Checks authorization requests, logs customers in and sends them back with a code."""

    def __init__(
        self, clients: Mapping[str, PocketfulClient], grants: Grants, clock: Clock, *, login_path: str
    ) -> None:
        self._clients = clients
        self._grants = grants
        self._login_path = login_path
        self._logins = Logins[_AuthorizationRequest](clock)

    def authorize(self, request: Request) -> Response:
        """The login page; or an error, as a redirect only once client and redirect URI are found good."""
        try:
            fields = parse_form(request.query_string)
            if request.method == "POST":
                fields |= parse_form(request.get_data())
        except MalformedFormError:
            return _error_page(invalid_request("The parameters are not form-encoded."))
        client = self._clients.get(fields.get("client_id", ""))
        if client is None:
            return _error_page(invalid_client())
        # The hyphenated spelling in the broker's example URL is a parameter that nobody reads.
        sent = fields.get("redirect_uri", "")
        redirect_uri = resolve_redirect_uri(sent, client.redirect_uris)
        if redirect_uri is None:
            return _error_page(invalid_request("The redirect_uri is not registered for this client."))
        try:
            _check(client, fields)
        except OAuthError as problem:
            parameters = {"error": problem.error, "error_description": problem.description}
            return _redirect_back(redirect_uri, fields.get("state", ""), parameters)
        challenge = self._logins.begin(
            _AuthorizationRequest(
                client.client_id,
                scope=_scope(fields),
                state=fields.get("state", ""),
                redirect_uri=redirect_uri,
                redirect_uri_sent=sent,
                code_challenge=fields.get("code_challenge", ""),
            )
        )
        return self._login_page(challenge, account=POCKETFUL_CUSTOMERS[0].account)

    def login(self, request: Request) -> Response:
        """Takes the login form: back to the app with a code or `access_denied`, or the page again."""
        form = request.form
        challenge = form.get("login_challenge", "")
        if request.method != "POST" or not self._logins.has(challenge):
            return _stale_page()
        declined = form.get("action") == "decline"
        account = form.get("account", "").strip()
        customer = find_customer(POCKETFUL_CUSTOMERS, account=account, pin=form.get("pin", "").strip())
        if customer is None and not declined:
            return self._login_page(challenge, account=account, problem="Client ID or PIN is wrong.")
        consenting = None if declined else customer
        answer = self._logins.finish(challenge, lambda pending: self._answer(pending, consenting))
        return _stale_page() if answer is None else answer

    def _answer(self, pending: _AuthorizationRequest, customer: Customer | None) -> Response:
        if customer is None:
            return pending.redirect(
                {"error": "access_denied", "error_description": "The customer declined the request."}
            )
        consent = Consent(pending.client_id, customer, pending.scope, pending.redirect_uri_sent, pending.code_challenge)
        return pending.redirect({"code": self._grants.issue_code(consent), "scope": pending.scope})

    def _login_page(self, challenge: str, *, account: str, problem: str = "") -> Response:
        accounts = tuple(customer.account for customer in POCKETFUL_CUSTOMERS)
        fields = (
            Field("account", "Client ID", account, choices=accounts),
            Field("pin", "PIN", POCKETFUL_CUSTOMERS[0].pin, numeric=True),
        )
        return login_page(NAME, action=self._login_path, challenge=challenge, fields=fields, problem=problem)


def _check(client: PocketfulClient, fields: Mapping[str, str]) -> None:
    """What fosite checks once it may redirect, in its order. Raises `OAuthError`."""
    if not set(_scope(fields).split()) <= set(client.scopes):
        raise OAuthError("invalid_scope", "The client may not request this scope.")
    if fields.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "The response_type must be code.")
    if fields.get("response_mode", "query") != "query":
        raise OAuthError("unsupported_response_mode", "The response_mode must be query.")
    if len(fields.get("state", "").encode("utf-8", "surrogateescape")) < _MIN_STATE_BYTES:
        raise OAuthError("invalid_state", f"The state must have at least {_MIN_STATE_BYTES} bytes.")
    _check_challenge(client.pkce, fields)


def _check_challenge(pkce: Pkce, fields: Mapping[str, str]) -> None:
    """RFC 7636 §4.4.1: S256 only."""
    if pkce is Pkce.IGNORED:
        return
    if not fields.get("code_challenge"):
        if pkce is Pkce.REQUIRED:
            raise invalid_request("A code_challenge is required.")
    elif fields.get("code_challenge_method") != "S256":
        raise invalid_request("The code_challenge_method must be S256.")


def _scope(fields: Mapping[str, str]) -> str:
    return " ".join(fields.get("scope", "").split())


def _redirect_back(redirect_uri: str, state: str, parameters: Mapping[str, str]) -> Response:
    """303 to the app. The state goes back byte by byte, and empty where none was sent."""
    return redirect(add_to_query(redirect_uri, {**parameters, "state": state}), status=303)


def _error_page(problem: OAuthError) -> Response:
    return message_page(NAME, title=f"Error: {problem.error}", text=problem.description, status=problem.status)


def _stale_page() -> Response:
    text = "This login was finished already, or it took too long. Start again in the app that sent you here."
    return message_page(NAME, title="This login page is no longer valid", text=text, status=400)

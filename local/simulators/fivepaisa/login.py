"""The vendor login page, and the way back from it with a request token."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from werkzeug.wrappers import Request, Response

from local.simulators.clock import Clock
from local.simulators.customers import FIVEPAISA_CUSTOMERS, Customer, find_customer
from local.simulators.fivepaisa.request_tokens import RequestTokens
from local.simulators.forms import MalformedFormError, form_encode, parse_form
from local.simulators.logins import Logins
from local.simulators.pages import Field, login_page, message_page
from local.simulators.responses import redirect

NAME = "5paisa"
_SPACE_OR_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_PRINTABLE_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class _VendorRequest:
    vendor_key: str
    response_url: str
    state: str


class VendorLogin:
    """Logs customers in for partners. What goes wrong is shown here: no error callback is known."""

    def __init__(
        self, vendor_keys: AbstractSet[str], request_tokens: RequestTokens, clock: Clock, *, login_path: str
    ) -> None:
        self._vendor_keys = vendor_keys
        self._request_tokens = request_tokens
        self._login_path = login_path
        self._logins = Logins[_VendorRequest](clock)

    def index(self, request: Request) -> Response:
        """The login page. `VendorKey`, `ResponseURL` and `State`, spelt so, come in the query or a form."""
        try:
            fields = parse_form(request.query_string)
            if request.method == "POST":
                fields |= parse_form(request.get_data())
        except MalformedFormError:
            fields = {}
        vendor_key = fields.get("VendorKey", "")
        if vendor_key not in self._vendor_keys:
            return _error_page("Vendor Record not found")
        response_url = fields.get("ResponseURL", "")
        if not _is_web_address(response_url):
            return _error_page("ResponseURL is missing or no web address")
        challenge = self._logins.begin(_VendorRequest(vendor_key, response_url, fields.get("State", "")))
        return self._login_page(challenge, account=FIVEPAISA_CUSTOMERS[0].account)

    def login(self, request: Request) -> Response:
        """Takes the login form: back to the partner, or the page again.

        What the real page sends on cancel is unknown; here it is the state alone.
        """
        form = request.form
        challenge = form.get("login_challenge", "")
        if request.method != "POST" or not self._logins.has(challenge):
            return _stale_page()
        declined = form.get("action") == "decline"
        account, pin, totp = (form.get(name, "").strip() for name in ("account", "pin", "totp"))
        customer = find_customer(FIVEPAISA_CUSTOMERS, account=account, pin=pin, totp=totp)
        if customer is None and not declined:
            return self._login_page(challenge, account=account, problem="Client code, PIN or TOTP is wrong.")
        consenting = None if declined else customer
        answer = self._logins.finish(challenge, lambda pending: self._answer(pending, consenting))
        return _stale_page() if answer is None else answer

    def _answer(self, pending: _VendorRequest, customer: Customer | None) -> Response:
        if customer is None:
            return _redirect_back(pending, "")
        token = self._request_tokens.issue(pending.vendor_key, customer)
        return _redirect_back(pending, f"RequestToken={token}&")

    def _login_page(self, challenge: str, *, account: str, problem: str = "") -> Response:
        demo = FIVEPAISA_CUSTOMERS[0]
        fields = (
            Field(
                "account",
                "Client code",
                account,
                numeric=True,
                choices=tuple(customer.account for customer in FIVEPAISA_CUSTOMERS),
            ),
            Field("pin", "PIN", demo.pin, numeric=True),
            Field("totp", "TOTP", demo.totp, numeric=True),
        )
        return login_page(NAME, action=self._login_path, challenge=challenge, fields=fields, problem=problem)


def _redirect_back(pending: _VendorRequest, parameters: str) -> Response:
    """`State` went in, `state` comes out, also where none was sent.

    The ResponseURL is used as it is: one with a query gets a second question mark.
    """
    url = quote(pending.response_url, safe=_PRINTABLE_ASCII, errors="surrogateescape")
    return redirect(f"{url}?{parameters}state={form_encode(pending.state)}", status=302)


def _is_web_address(url: str) -> bool:
    try:
        split = urlsplit(url)
    except ValueError:
        return False
    return split.scheme in {"http", "https"} and bool(split.hostname) and not _SPACE_OR_CONTROL.search(url)


def _error_page(title: str) -> Response:
    return message_page(NAME, title=title, text="Nobody was logged in, and the app was told nothing.", status=200)


def _stale_page() -> Response:
    text = "This login was finished already, or it took too long. Start again in the app that sent you here."
    return message_page(NAME, title="This login page is no longer valid", text=text, status=400)

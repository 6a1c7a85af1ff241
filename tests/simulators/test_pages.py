"""The pages: plainly simulators, and usable by everybody."""

from html.parser import HTMLParser

import pytest

from local.simulators import RunningSimulators
from local.simulators.customers import FIVEPAISA_CUSTOMERS, POCKETFUL_CUSTOMERS
from tests.simulators.parties import FivepaisaApp, PocketfulApp
from tests.simulators.walk import callback_parameters, http, log_in, read_form


class _Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(params=["pocketful", "fivepaisa"])
def login_url(request: pytest.FixtureRequest, pocketful: PocketfulApp, fivepaisa: FivepaisaApp) -> str:
    urls: dict[str, str] = {"pocketful": pocketful.authorization_url(), "fivepaisa": fivepaisa.login_url()}
    return urls[request.param]


def test_the_banner_says_what_it_is(login_url: str, pocketful: PocketfulApp) -> None:
    name = "Pocketful" if pocketful.url in login_url else "5paisa"
    for page in (http.get(login_url), http.get(login_url.replace("=", "=x"))):
        assert f"SIMULATOR — not the real {name}" in page.text


def test_the_page_works_without_javascript_and_loads_nothing(login_url: str) -> None:
    page = http.get(login_url)
    elements = _Elements(page.text)
    assert not elements.all("script")
    assert not elements.all("img")
    assert [link["href"] for link in elements.all("link")] == ["data:,"]
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    # It would stop the redirect that takes the customer back to the app.
    assert "form-action" not in policy


def test_every_field_has_a_label_and_the_page_a_language(login_url: str) -> None:
    elements = _Elements(http.get(login_url).text)
    shown = [field["id"] for field in elements.all("input") if field.get("type") != "hidden"]
    assert [label["for"] for label in elements.all("label")] == shown
    assert elements.all("html")[0]["lang"] == "en"
    assert len(elements.all("main")) == 1
    assert "width=device-width" in (elements.all("meta")[1]["content"] or "")


def test_an_error_is_announced_and_tied_to_the_fields(login_url: str) -> None:
    elements = _Elements(log_in(login_url, pin="wrong").text)
    assert [element["id"] for element in elements.all("p") if element.get("role") == "alert"] == ["problem"]
    shown = [field for field in elements.all("input") if field.get("type") != "hidden"]
    assert {field["aria-describedby"] for field in shown} == {"problem"}


def test_the_first_button_logs_in_and_the_second_declines(login_url: str) -> None:
    assert read_form(http.get(login_url)).buttons == (("action", "login"), ("action", "decline"))


def test_no_page_is_cached(login_url: str) -> None:
    for response in (http.get(login_url), log_in(login_url), log_in(login_url, "decline")):
        assert response.headers["Cache-Control"] == "no-store"


def test_every_demo_customer_can_log_in(pocketful: PocketfulApp, fivepaisa: FivepaisaApp) -> None:
    for customer in POCKETFUL_CUSTOMERS:
        response = log_in(pocketful.authorization_url(), account=customer.account)
        assert "code" in callback_parameters(response)
    for customer in FIVEPAISA_CUSTOMERS:
        assert fivepaisa.request_token(account=customer.account)


def test_any_other_address_is_not_found(simulators: RunningSimulators) -> None:
    for path in ("/", "/pocketful", "/pocketful/oauth2/auth/", "/fivepaisa/webvendorlogin/vlogin/index"):
        assert http.get(simulators.url + path).status_code == 404

"""The vendor login: exact names in, `RequestToken` and lower-case `state` out, and no redirect on any error."""

from urllib.parse import parse_qsl, quote

import httpx
import pytest

from local.simulators import RunningSimulators
from tests.simulators.parties import (
    FIVEPAISA,
    NINE_IN_THE_MORNING,
    OTHER_FIVEPAISA,
    STATE,
    FivepaisaApp,
    TurnedClock,
    jwt_claims,
)
from tests.simulators.walk import callback_parameters, http, log_in, read_form, submit
from tests.simulators.wire import request_line

RESPONSE_URL = "http://127.0.0.1:8000/callback/fivepaisa"


def went_nowhere(response: httpx.Response, status: int = 200) -> bool:
    return (response.status_code, "Location" in response.headers, "<form" in response.text) == (status, False, False)


def test_one_click_comes_back_with_a_request_token(fivepaisa: FivepaisaApp) -> None:
    response = log_in(fivepaisa.login_url())
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{RESPONSE_URL}?RequestToken=")
    parameters = callback_parameters(response)
    assert list(parameters) == ["RequestToken", "state"]
    assert parameters["state"] == STATE


def test_the_request_token_has_the_real_ones_claims(fivepaisa: FivepaisaApp) -> None:
    token = fivepaisa.request_token()
    claims = jwt_claims(token)
    assert list(claims) == ["unique_name", "role", "nbf", "exp", "iat"]
    assert claims == {
        "unique_name": "50052770",
        "role": FIVEPAISA.vendor_key,
        "nbf": NINE_IN_THE_MORNING,
        "exp": NINE_IN_THE_MORNING + 30,
        "iat": NINE_IN_THE_MORNING,
    }
    assert token.startswith("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")


def test_two_logins_in_the_same_second_differ(fivepaisa: FivepaisaApp) -> None:
    first, second = fivepaisa.request_token(), fivepaisa.request_token()
    assert jwt_claims(first) == jwt_claims(second)
    assert first != second


def test_any_demo_customer_can_be_chosen(fivepaisa: FivepaisaApp) -> None:
    assert jwt_claims(fivepaisa.request_token(account="51100284"))["unique_name"] == "51100284"


def test_without_a_state_an_empty_one_comes_back(fivepaisa: FivepaisaApp) -> None:
    location = log_in(fivepaisa.login_url(State=None)).headers["Location"]
    assert location.endswith("&state=")


def test_the_parameters_may_come_as_a_form(fivepaisa: FivepaisaApp) -> None:
    endpoint, _, query = fivepaisa.login_url().partition("?")
    page = http.post(endpoint, data=dict(parse_qsl(query)))
    assert "RequestToken" in callback_parameters(submit(page))


@pytest.mark.parametrize(
    ("given", "spelt"), [("VendorKey", "vendorkey"), ("ResponseURL", "ResponseUrl"), ("State", "state")]
)
def test_names_count_letter_by_letter(fivepaisa: FivepaisaApp, given: str, spelt: str) -> None:
    url = fivepaisa.login_url().replace(f"{given}=", f"{spelt}=")
    if given == "State":
        assert callback_parameters(log_in(url))["state"] == ""
    else:
        assert went_nowhere(http.get(url))


@pytest.mark.parametrize("vendor_key", ["unknown", "", None, FIVEPAISA.vendor_key.upper()])
def test_an_unknown_vendor_gets_a_page(fivepaisa: FivepaisaApp, vendor_key: str | None) -> None:
    response = http.get(fivepaisa.login_url(VendorKey=vendor_key))
    assert went_nowhere(response)
    assert "Vendor Record not found" in response.text


@pytest.mark.parametrize(
    "response_url",
    [
        None,
        "",
        "/callback",
        "//host/callback",
        "javascript:alert(1)",
        "http://",
        "http://[",
        "http://a b/",
        "http://a/\r\nX: y",
    ],
)
def test_a_response_url_that_is_no_web_address_gets_a_page(fivepaisa: FivepaisaApp, response_url: str | None) -> None:
    assert went_nowhere(http.get(fivepaisa.login_url(ResponseURL=response_url)))


def test_a_malformed_query_gets_a_page(simulators: RunningSimulators, fivepaisa: FivepaisaApp) -> None:
    query = fivepaisa.login_url().partition("?")[2]
    response = request_line(simulators.port, f"/fivepaisa/WebVendorLogin/VLogin/Index?{query}&x=%zz")
    assert (response.status, response.getheader("Location")) == (200, None)


@pytest.mark.parametrize(
    ("response_url", "begins"),
    [
        # Nothing is registered, so any address will do; one with a query gets a second question mark.
        ("https://elsewhere.example/cb?tenant=7", "https://elsewhere.example/cb?tenant=7?RequestToken="),
        ("https://elsewhere.example/a%2Fb/%E2%82%B9", "https://elsewhere.example/a%2Fb/%E2%82%B9?RequestToken="),
        ("https://elsewhere.example/₹", "https://elsewhere.example/%E2%82%B9?RequestToken="),
    ],
)
def test_the_response_url_is_used_as_it_is(fivepaisa: FivepaisaApp, response_url: str, begins: str) -> None:
    assert log_in(fivepaisa.login_url(ResponseURL=response_url)).headers["Location"].startswith(begins)


@pytest.mark.parametrize("state", ["a b+c%d&e=f#g", "₹\r\nSet-Cookie: x=y", "x" * 4000])
def test_any_state_comes_back_encoded_once(fivepaisa: FivepaisaApp, state: str) -> None:
    response = log_in(f"{fivepaisa.login_url(State=None)}&State={quote(state, safe='')}")
    assert callback_parameters(response)["state"] == state
    assert "Set-Cookie" not in response.headers


def test_declining_returns_the_state_alone(fivepaisa: FivepaisaApp) -> None:
    response = log_in(fivepaisa.login_url(), "decline")
    assert response.headers["Location"] == f"{RESPONSE_URL}?state={STATE}"


@pytest.mark.parametrize("wrong", [{"pin": "000000"}, {"totp": "000000"}, {"account": "1"}, {"totp": ""}])
def test_wrong_credentials_stay_on_the_page(fivepaisa: FivepaisaApp, wrong: dict[str, str]) -> None:
    page = log_in(fivepaisa.login_url(), "login", **wrong)
    assert (page.status_code, "Location" in page.headers) == (200, False)
    assert 'role="alert"' in page.text
    right = {"account": "50052770", "pin": "123456", "totp": "654321"}
    assert "RequestToken" in callback_parameters(submit(page, "login", **right))


def test_a_login_page_finishes_once_and_runs_out(fivepaisa: FivepaisaApp, clock: TurnedClock) -> None:
    pages = [http.get(fivepaisa.login_url()) for _ in range(2)]
    first = submit(pages[0])
    assert first.status_code == 302
    # As a double click needs it.
    assert submit(pages[0]).headers["Location"] == first.headers["Location"]
    clock.now += 600
    assert went_nowhere(submit(pages[0]), 400)
    assert went_nowhere(submit(pages[1]), 400)


def test_the_form_holds_nothing_of_the_partner(fivepaisa: FivepaisaApp) -> None:
    page = http.get(fivepaisa.login_url())
    assert set(read_form(page).fields) == {"login_challenge", "account", "pin", "totp"}
    assert OTHER_FIVEPAISA.vendor_key not in page.text
    assert STATE not in page.text

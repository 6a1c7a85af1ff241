"""The authorization endpoint is as strict as fosite's, and redirects only where it may."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.simulators import Pkce, RunningSimulators, SimulatorClients, serve
from tests.simulators.parties import (
    CALLBACK,
    OTHER_POCKETFUL,
    POCKETFUL,
    STATE,
    PocketfulApp,
    TurnedClock,
)
from tests.simulators.walk import callback_parameters, http, log_in, read_form, submit
from tests.simulators.wire import request_line

CODE = re.compile(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}")


def test_one_click_comes_back_with_a_code(pocketful: PocketfulApp) -> None:
    response = log_in(pocketful.authorization_url())
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{CALLBACK}?")
    parameters = callback_parameters(response)
    assert CODE.fullmatch(parameters.pop("code"))
    assert parameters == {"scope": "orders holdings", "state": STATE}


def test_every_login_has_a_new_code(pocketful: PocketfulApp) -> None:
    assert len({pocketful.code() for _ in range(5)}) == 5


def test_the_request_may_come_as_a_form(pocketful: PocketfulApp) -> None:
    endpoint, _, query = pocketful.authorization_url().partition("?")
    page = http.post(endpoint, data=dict(parse_qsl(query)))
    assert "code" in callback_parameters(submit(page))


@pytest.mark.parametrize("client_id", ["nobody", "", None, "qd7mk2xw9b"])
def test_an_unknown_client_gets_a_page_and_no_redirect(pocketful: PocketfulApp, client_id: str | None) -> None:
    response = http.get(pocketful.authorization_url(client_id=client_id))
    assert response.status_code == 401
    assert "Location" not in response.headers
    assert "invalid_client" in response.text


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:8000/callback/pocketful/",
        "http://127.0.0.1:8000/callback/Pocketful",
        "http://127.0.0.1:8000/callback/pocketful?x=1",
        "http://127.0.0.1:8000/callback/pocketful#fragment",
        "http://localhost:8000/callback/pocketful",
        "http://127.0.0.2:8000/callback/pocketful",
        "https://127.0.0.1:8000/callback/pocketful",
        "http://user@127.0.0.1:8000/callback/pocketful",
        "http://127.0.0.1:99999/callback/pocketful",
        "http://127.0.0.1:x/callback/pocketful",
        "HTTP://127.0.0.1:8000/callback/pocketfu%6c",
        "https://evil.example/callback/pocketful",
        "//127.0.0.1:8000/callback/pocketful",
    ],
)
def test_a_redirect_uri_that_is_not_registered_gets_a_page(pocketful: PocketfulApp, redirect_uri: str) -> None:
    response = http.get(pocketful.authorization_url(redirect_uri=redirect_uri))
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "invalid_request" in response.text


def test_the_port_of_a_loopback_address_may_differ(pocketful: PocketfulApp) -> None:
    """RFC 8252 §7.3."""
    elsewhere = "http://127.0.0.1:53211/callback/pocketful"
    response = log_in(pocketful.authorization_url(redirect_uri=elsewhere))
    assert response.headers["Location"].startswith(f"{elsewhere}?")


def test_a_loopback_name_gets_no_such_favour(clock: TurnedClock) -> None:
    client = replace(POCKETFUL, redirect_uris=("http://localhost:8000/cb",))
    with serve(0, clients=SimulatorClients((client,)), clock=clock) as running:
        app = PocketfulApp(running.pocketful_url, client)
        urls = [app.authorization_url(redirect_uri=f"http://localhost:{port}/cb") for port in (8000, 53211)]
        assert [http.get(url).status_code for url in urls] == [200, 400]


def test_the_hyphenated_spelling_is_ignored(pocketful: PocketfulApp) -> None:
    """With one registered URI it works by accident, with two it fails."""
    spelt: dict[str, str | None] = {"redirect_uri": None, "redirect-uri": "https://evil.example/"}
    assert log_in(pocketful.authorization_url(**spelt)).headers["Location"].startswith(f"{CALLBACK}?")
    several = replace(pocketful, client=OTHER_POCKETFUL)
    response = http.get(several.authorization_url(**spelt))
    assert (response.status_code, "Location" in response.headers) == (400, False)


def test_a_query_of_the_registered_uri_is_kept_and_merged(pocketful: PocketfulApp) -> None:
    app = replace(pocketful, client=OTHER_POCKETFUL)
    response = log_in(app.authorization_url(redirect_uri=OTHER_POCKETFUL.redirect_uris[1]))
    pairs = parse_qsl(urlsplit(response.headers["Location"]).query)
    assert [name for name, _ in pairs] == ["code", "kept", "scope", "state"]
    assert dict(pairs)["code"] != "x"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "unsupported_response_mode"),
        ({"scope": "orders withdrawals"}, "invalid_scope"),
        ({"scope": "Orders"}, "invalid_scope"),
        ({"state": "1234567"}, "invalid_state"),
        ({"state": ""}, "invalid_state"),
        ({"state": None}, "invalid_state"),
        ({"code_challenge": "x" * 43}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_other_mistakes_are_told_to_the_app(
    pocketful: PocketfulApp, changes: dict[str, str | None], error: str
) -> None:
    response = http.get(pocketful.authorization_url(**changes))
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{CALLBACK}?")
    parameters = callback_parameters(response)
    assert parameters["error"] == error
    assert parameters["error_description"]
    assert parameters["state"] == (changes.get("state", STATE) or "")


def test_eight_bytes_are_enough_of_a_state_even_in_four_characters(pocketful: PocketfulApp) -> None:
    assert callback_parameters(log_in(pocketful.authorization_url(state="éééé")))["state"] == "éééé"


def test_the_state_comes_back_byte_by_byte(pocketful: PocketfulApp) -> None:
    url = pocketful.authorization_url(state=None) + "&state=%FF%00+a%2Bb%26c%3Dd%0D%0AX:%20y"
    location = log_in(url).headers["Location"]
    assert location.endswith("&state=%FF%00+a%2Bb%26c%3Dd%0D%0AX%3A+y")


def test_of_a_repeated_parameter_the_first_counts(pocketful: PocketfulApp) -> None:
    parameters = callback_parameters(log_in(pocketful.authorization_url() + "&state=another-long-state"))
    assert parameters["state"] == STATE


@pytest.mark.parametrize("broken", ["%zz", "%2", "a;b=c"])
def test_a_malformed_query_gets_a_page(simulators: RunningSimulators, pocketful: PocketfulApp, broken: str) -> None:
    query = pocketful.authorization_url().partition("?")[2]
    response = request_line(simulators.port, f"/pocketful/oauth2/auth?{query}&x={broken}")
    assert (response.status, response.getheader("Location")) == (400, None)


def test_declining_is_access_denied(pocketful: PocketfulApp) -> None:
    response = log_in(pocketful.authorization_url(), "decline")
    assert response.status_code == 303
    parameters = callback_parameters(response)
    assert (parameters["error"], parameters["state"]) == ("access_denied", STATE)
    assert "code" not in parameters


def test_declining_needs_no_pin(pocketful: PocketfulApp) -> None:
    response = log_in(pocketful.authorization_url(), "decline", pin="", account="nobody")
    assert callback_parameters(response)["error"] == "access_denied"


def test_a_wrong_pin_stays_on_the_page(pocketful: PocketfulApp) -> None:
    page = log_in(pocketful.authorization_url(), pin="9999")
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "Location" not in page.headers
    assert "code" in callback_parameters(submit(page, pin="1234"))


def test_the_page_shows_a_wrong_account_as_text(pocketful: PocketfulApp) -> None:
    page = log_in(pocketful.authorization_url(), account='"><script>alert(1)</script>')
    assert "<script" not in page.text
    assert read_form(page).fields["account"] == '"><script>alert(1)</script>'


def test_a_login_page_finishes_once_and_then_gives_the_same_answer(pocketful: PocketfulApp) -> None:
    """As a double click needs it."""
    page = http.get(pocketful.authorization_url())
    first = submit(page)
    assert first.status_code == 303
    for again in (submit(page), submit(page, "decline")):
        assert (again.status_code, again.headers["Location"]) == (303, first.headers["Location"])


def test_a_login_page_pressed_many_times_at_once_issues_one_code(pocketful: PocketfulApp) -> None:
    page = http.get(pocketful.authorization_url())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: submit(page), range(8)))
    assert len({answer.headers["Location"] for answer in answers}) == 1


def test_a_login_page_runs_out(pocketful: PocketfulApp, clock: TurnedClock) -> None:
    pages = [http.get(pocketful.authorization_url()) for _ in range(2)]
    clock.now += 599
    assert submit(pages[0]).status_code == 303
    clock.now += 1
    assert submit(pages[1]).status_code == 400


@pytest.mark.parametrize("challenge", ["", "guessed"])
def test_a_made_up_login_goes_nowhere(pocketful: PocketfulApp, challenge: str) -> None:
    page = http.get(pocketful.authorization_url())
    response = submit(page, login_challenge=challenge)
    assert (response.status_code, "Location" in response.headers) == (400, False)


def test_what_the_app_asked_for_is_not_in_the_form(pocketful: PocketfulApp) -> None:
    """So nobody can change it between page and post."""
    page = http.get(pocketful.authorization_url())
    assert set(read_form(page).fields) == {"login_challenge", "account", "pin"}
    assert STATE not in page.text


def test_required_pkce_refuses_a_request_without_it(clock: TurnedClock) -> None:
    client = replace(POCKETFUL, pkce=Pkce.REQUIRED)
    with serve(0, clients=SimulatorClients((client,)), clock=clock) as running:
        app = PocketfulApp(running.pocketful_url, client)
        without = http.get(app.authorization_url())
        assert callback_parameters(without)["error"] == "invalid_request"
        url = app.authorization_url(code_challenge="x" * 43, code_challenge_method="S256")
        assert http.get(url).status_code == 200


def test_ignored_pkce_reads_none_of_its_parameters(clock: TurnedClock) -> None:
    client = replace(POCKETFUL, pkce=Pkce.IGNORED)
    with serve(0, clients=SimulatorClients((client,)), clock=clock) as running:
        app = PocketfulApp(running.pocketful_url, client)
        code = app.code(code_challenge="x" * 43, code_challenge_method="plain")
        assert app.exchange(code, code_verifier="anything").status_code == 200

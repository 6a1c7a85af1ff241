"""Sessions and start links: forwarded, guessed, opened again, opened elsewhere; and what a hold lets nobody do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.over_http.scene import ACCOUNT, JSON, MASKED, Browser, Login, Scene
from tests.attacks.over_http.wire import Header

CROSS_SITE: Header = ("Sec-Fetch-Site", "cross-site")


def test_forwarded_start_link_is_held_and_given_to_nobody_but_the_user_who_is_present(scene: Scene) -> None:
    victim = scene.held("mallory")
    assert scene.token("mallory") is None
    # The platform sees the victim logged in, not the sender of the link.
    assert scene.confirm(victim.attempt_id, "victim").status == 404
    assert "ciphertext" not in victim.row()
    assert scene.confirm(victim.attempt_id, "mallory").status == 404
    shown = scene.backend("GET", f"/attempts/{victim.attempt_id}").json
    assert (shown["status"], shown["error"], shown["user_id"]) == ("failed", "account_mismatch", "mallory")
    assert scene.token("mallory") is None
    assert victim.attempt_id not in {event["id"] for event in scene.stack.received.events}


def test_forwarded_start_link_is_past_committing_after_its_time(scene: Scene) -> None:
    login = scene.held("late")
    assert login.row()["held_until"] <= time.time() + 600
    scene.rewrite(login.attempt_id, held_until=int(time.time()) - 1)
    assert scene.confirm(login.attempt_id, "late").status == 404
    assert login.row()["status"] == "FAILED"
    assert "ciphertext" not in login.row()
    assert login.outcome()["error"] == "expired"
    assert scene.token("late") is None


def test_held_login_shows_its_browser_neither_account_nor_token(scene: Scene) -> None:
    login = scene.held("shown")
    page, outcome = login.browser.get(f"/result?attempt={login.attempt_id}").text, login.outcome()
    assert outcome["status"] == "confirm"
    assert not {"account", "expires_at"} & outcome.keys()
    assert not [shown for shown in (ACCOUNT, MASKED) if shown in page]
    assert "connected" not in page.lower()
    assert "account" not in scene.backend("GET", f"/attempts/{login.attempt_id}").json


def test_confirmed_login_is_nobody_elses_however_often_it_is_asked_for(scene: Scene) -> None:
    login = scene.held("asha.held")
    first = scene.confirm(login.attempt_id, "asha.held")
    assert first.status == 200
    row = login.row()
    for user in ("mallory", "", "asha.hel", "ASHA.HELD", "asha.held ", "*", "pocketful:YA0002"):
        assert scene.confirm(login.attempt_id, user).status == 404
    assert login.row() == row
    assert scene.confirm(login.attempt_id, "asha.held").body == first.body


def test_confirm_of_what_is_not_held_commits_nothing(scene: Scene, customer: Login) -> None:
    assert scene.confirm(customer.attempt_id, "asha").status == 404
    customer.assert_untouched()
    customer.finish()
    # A direct login belongs to no user of the platform's.
    for user in ("asha", "", "pocketful:YA0002"):
        assert scene.confirm(customer.attempt_id, user).status == 404
    assert customer.outcome()["status"] == "connected"


def test_race_of_the_right_user_against_the_wrong_one_has_one_winner(scene: Scene) -> None:
    login = scene.held("racer")
    users = ["racer", "mallory"] * 3
    with ThreadPoolExecutor(len(users)) as threads:
        statuses = list(threads.map(lambda user: scene.confirm(login.attempt_id, user).status, users))
    won = login.row()["status"] == "SUCCEEDED"
    assert {status for status, user in zip(statuses, users, strict=True) if user == "mallory"} == {404}
    assert (200 in statuses) is won
    assert (scene.token("racer") is not None) is won
    assert "ciphertext" not in login.row()


def test_race_of_a_confirmation_against_the_end_of_its_hold(scene: Scene) -> None:
    login = scene.held("dawdler")
    scene.rewrite(login.attempt_id, held_until=int(time.time()) + 1)

    def act(number: int) -> int:
        time.sleep(0.15 * number)
        if number % 2:
            return login.finish().status
        return scene.confirm(login.attempt_id, "dawdler").status

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(act, range(12)))
    row = login.row()
    assert row["status"] == "SUCCEEDED" if 200 in statuses else row["status"] == "FAILED"
    assert (scene.token("dawdler") is not None) is (200 in statuses)


def test_held_login_repeated_by_its_browser_stays_held(scene: Scene) -> None:
    login = scene.held("repeater")
    row = login.row()
    assert login.finish().query["status"] == "confirm"
    declined = f"{login.path}?error=access_denied&state={login.state}"
    assert login.browser.get(declined).query["status"] == "confirm"
    assert (
        login.browser.get(f"/authorize/pocketful?retry={login.attempt_id}").location
        == f"/result?attempt={login.attempt_id}"
    )
    assert login.row() == row
    assert scene.exchanges(login.grant) == 1
    assert scene.confirm(login.attempt_id, "repeater").status == 200


def test_used_start_link_starts_nothing_more(scene: Scene) -> None:
    start_url = scene.session(user_id="used", account=ACCOUNT)
    scene.browser().login(start_url).finish()
    rows = scene.rows_made
    for browser in (scene.browser(), Browser(scene, {"brokerlink": "A" * 43})):
        assert browser.get(start_url).status == 410
    assert scene.rows_made == rows


def test_start_link_of_one_broker_does_not_start_at_another(scene: Scene) -> None:
    secret = scene.session(user_id="elsewhere", account=ACCOUNT).rpartition("=")[2]
    rows = scene.rows_made
    for broker in ("fivepaisa", "issuer"):
        assert scene.browser().get(f"/authorize/{broker}?session={secret}").status == 410
    assert scene.rows_made == rows


def test_start_link_cannot_be_guessed_or_bent(scene: Scene) -> None:
    start_url = scene.session(user_id="guessed", account=ACCOUNT)
    path, _, secret = start_url.rpartition("=")
    rows = scene.rows_made
    bent = [secret[:-1] + ("A" if secret[-1] != "A" else "B"), secret.swapcase(), secret[::-1], "R" * 43]
    assert {scene.browser().get(f"{path}={each}").status for each in bent} == {410}
    assert scene.rows_made == rows
    assert scene.browser().get(start_url).status == 303


def test_start_link_cannot_be_widened_by_whoever_opens_it(scene: Scene) -> None:
    start_url = scene.session(user_id="widened", account=ACCOUNT)
    more = "&account=YA0003&user_id=mallory&broker=fivepaisa&expected_account=YA0003"
    login = scene.browser().login(start_url + more, account="YA0003")
    assert (login.before["user_id"], login.before["expected_account"]) == ("widened", ACCOUNT)
    login.finish()
    assert login.outcome()["error"] == "account_mismatch"


def test_run_out_start_link_starts_nothing(scene: Scene) -> None:
    start_url = scene.session(user_id="ran-out", account=ACCOUNT)
    session = scene.session_row("ran-out")
    assert session["expires_at"] <= time.time() + 600
    scene.rewrite(session["attempt_id"], expires_at=int(time.time()) - 1)
    assert scene.browser().get(start_url).status == 410


# --------------------------------------------------------------------------------------------------- other sites


def test_cross_site_link_shows_a_page_and_begins_nothing(scene: Scene) -> None:
    rows = scene.rows_made
    for mode in ("navigate", "no-cors", "cors"):
        answer = scene.browser().get("/authorize/pocketful", CROSS_SITE, ("Sec-Fetch-Mode", mode))
        assert (answer.status, answer.cookies) == (200, {})
    assert scene.rows_made == rows


def test_cross_site_start_by_a_form_has_no_route(scene: Scene) -> None:
    rows = scene.rows_made
    for target in ("/authorize/pocketful", "/", "/result"):
        answer = scene.browser().post(target, b"session=x", ("Content-Type", "text/plain"), CROSS_SITE)
        assert (answer.status, answer.ours) == (404, False)
    assert scene.rows_made == rows


@pytest.mark.parametrize("site", ["cross-site", "same-site", "SAME-ORIGIN", "", "none, cross-site", "null", "x"])
@pytest.mark.parametrize(
    "target", ["/authorize/pocketful", "{start}", "/result?attempt={attempt}", "/result?error=denied"]
)
def test_another_sites_script_gets_no_json(victim: Login, target: str, site: str) -> None:
    scene = victim.scene
    asked = scene.asked
    filled = target.format(start="/authorize/pocketful?session=" + "R" * 43, attempt=victim.attempt_id)
    answer = victim.browser.get(filled, JSON, ("Sec-Fetch-Site", site), ("Origin", "https://evil.example"))
    assert (answer.status, answer.cookies) == (403, {})
    assert "our own origin" in answer.json["message"]
    assert scene.asked == asked


@pytest.mark.parametrize(
    "target", ["/", "/authorize/pocketful", "/callback/pocketful", "/sessions", "/confirm", "/result"]
)
def test_preflight_allows_nobody_anything(scene: Scene, target: str) -> None:
    answer = scene.api.ask(
        "OPTIONS", target, ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")
    )
    assert (answer.status, answer.ours) == (404, False)


@pytest.mark.parametrize("value", ["?1", "prefetch"])
def test_start_in_a_frame_or_ahead_of_time_is_shown_to_nobody(scene: Scene, value: str) -> None:
    answer = scene.browser().get("/authorize/pocketful", CROSS_SITE, ("Sec-Fetch-Dest", "iframe"), ("Sec-GPC", value))
    assert "frame-ancestors 'none'" in answer.values("content-security-policy")[0]
    assert answer.cookies == {}

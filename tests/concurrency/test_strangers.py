"""Users, brokers, tabs, everything crossed with everything at once: no login meets another one's values."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from brokerlink.attempts import digest
from brokerlink.web.masking import mask_account
from local.stack import Stack
from tests.concurrency.crowd import (
    Answer,
    announced,
    ask,
    attempt_row,
    cookie_of,
    outcome,
    owner_of,
    together,
    token_of,
    written,
)
from tests.integration.walker import Walker, grant_of

OTHER = {"pocketful": "fivepaisa", "fivepaisa": "pocketful"}
# Names long enough not to be found by chance in what is random.
ACCOUNTS = {
    ("customer-asha", "pocketful"): "YA0002",
    ("customer-asha", "fivepaisa"): "50052770",
    ("customer-ravi", "pocketful"): "YC2040",
    ("customer-ravi", "fivepaisa"): "52900013",
    # At one broker only: whatever she is shown of another is somebody else's.
    ("customer-meera", "pocketful"): "YB0117",
}
WRONG_BROWSER = (303, "/result?error=wrong_browser")


@dataclass(frozen=True)
class Tab:
    """A login of one user at one broker: the browser that it began in, and where the broker sends it."""

    user: str
    broker: str
    browser: Walker
    callback: str

    @property
    def account(self) -> str:
        return ACCOUNTS[self.user, self.broker]

    @property
    def state(self) -> str:
        return dict(parse_qsl(urlsplit(self.callback).query))["state"]

    @property
    def attempt(self) -> str:
        return digest(self.state)

    @property
    def at_the_other_broker(self) -> str:
        return self.callback.replace(f"/callback/{self.broker}", f"/callback/{OTHER[self.broker]}")


def open_tab(stack: Stack, user: str, broker: str, browser: Walker) -> Tab:
    """Go through a session of the user's own to the point where the broker sends the browser back."""
    start_url = browser.session(broker=broker, user_id=user, account=ACCOUNTS[user, broker])
    broker_url = ask(stack, start_url, cookies=[cookie_of(browser)]).location
    # Each tab is a page of its own at the broker.
    return Tab(user, broker, browser, Walker(stack).at_broker(broker_url, account=ACCOUNTS[user, broker]))


def test_every_callback_in_every_browser_at_every_broker_at_once(stack: Stack) -> None:
    browsers = {user: Walker(stack) for user in ("customer-asha", "customer-ravi", "customer-meera", "nobody")}
    for browser in browsers.values():
        browser.start("pocketful")
    # Two tabs for each user and broker.
    tabs = [open_tab(stack, user, broker, browsers[user]) for user, broker in [*ACCOUNTS] * 2]
    jars = {user: [cookie_of(browser)] for user, browser in browsers.items()}
    jars |= {"without a cookie": [], "with two": [*jars["customer-asha"], *jars["customer-ravi"]]}
    tries = [(each, who, url) for each in tabs for who in jars for url in (each.callback, each.at_the_other_broker)]
    random.Random(1).shuffle(tries)  # noqa: S311 - an order, the same each time
    answers = together([partial(ask, stack, url, cookies=jars[who]) for _, who, url in tries])

    seen: dict[str, list[Answer]] = {each.attempt: [] for each in tabs}
    strangers = []
    for (each, who, url), answer in zip(tries, answers, strict=True):
        if who not in browsers:
            assert (answer.status, answer.location) == WRONG_BROWSER
        elif url != each.callback:
            assert answer.status == 400
        elif who != each.user:
            assert (answer.status, answer.location) == WRONG_BROWSER
        else:
            assert (answer.status, answer.query["attempt"]) == (303, each.attempt)
            seen[each.attempt].append(answer)
            continue
        strangers.append(answer)
    results = together([partial(look, stack, each) for each in tabs])
    # Who knows an attempt's id, which is no secret, is told nothing of it.
    curious = [(each, jar) for each in tabs for who, jar in jars.items() if who != each.user]
    told = together([partial(ask, stack, f"/result?attempt={each.attempt}", cookies=jar) for each, jar in curious])
    assert {answer.status for answer in told} == {404}
    strangers += told
    for each, result in zip(tabs, results, strict=True):
        seen[each.attempt] += result
        assert len(each.browser.requests_with(grant_of(each.callback))) == 1
    # What a broker's answer to one login set is not sent with the next one's request.
    requests = [
        each for endpoint in ("token", "identity") for each in stack.simulators.recorder.requests(None, endpoint)
    ]
    assert not [each for each in requests if "Cookie" in each.headers]
    check_rows(stack, tabs)
    check_nothing_of_another(stack, tabs, seen, strangers)


def look(stack: Stack, each: Tab) -> list[Answer]:
    """Look at a login that has ended, in every way there is."""
    jar, target = [cookie_of(each.browser)], f"/result?attempt={each.attempt}"
    told = outcome(stack, each.browser, each.attempt)
    assert (told["status"], told["broker"]) == ("connected", each.broker)
    assert told["account"] == mask_account(each.account)
    known = each.browser.backend("GET", f"/attempts/{each.attempt}").json()
    assert (known["user_id"], known["account"], known["broker"]) == (each.user, each.account, each.broker)
    page, as_json = ask(stack, target, cookies=jar), ask(stack, target, cookies=jar, accept="application/json")
    assert mask_account(each.account) in page.text
    return [page, as_json]


def check_rows(stack: Stack, tabs: list[Tab]) -> None:
    """Check that every token that was ever stored is its own customer's, and every row has its own login's values."""
    by_attempt = {each.attempt: each for each in tabs}
    images = [image for image in written(stack) if image["attempt_id"]["S"] in by_attempt]
    # Of two tabs of one user at one broker the later issue stays; the other one may have been there before it.
    stored = {(image["user_id"]["S"], image["broker"]["S"]) for image in images}
    assert stored == ACCOUNTS.keys()
    for image in images:
        each = by_attempt[image["attempt_id"]["S"]]
        owner = tuple(image[name]["S"] for name in ("user_id", "broker", "account"))
        assert owner == (each.user, each.broker, each.account)
        assert owner_of(stack, image) == each.account
    events = [event for event in announced(stack) if event["id"] in by_attempt]
    assert sorted(event["id"] for event in events) == sorted(image["attempt_id"]["S"] for image in images)
    for each in tabs:
        row = attempt_row(stack, each.attempt)
        assert row["browser_hash"]["S"] == digest(cookie_of(each.browser).partition("=")[2])


def check_nothing_of_another(
    stack: Stack, tabs: list[Tab], seen: dict[str, list[Answer]], strangers: Iterable[Answer]
) -> None:
    """Check that nothing by which a login can be known is in another's answers, rows or events, or a stranger's."""
    rows = {each.attempt: attempt_row(stack, each.attempt) for each in tabs}
    images = {image["attempt_id"]["S"]: image for image in written(stack)}
    events = [event for event in announced(stack) if event["id"] in rows]
    values = {each.attempt: values_of(stack, each, rows[each.attempt], images.get(each.attempt)) for each in tabs}
    everything = set().union(*values.values())
    for answer in strangers:
        assert not [value for value in everything if value in answer.everything]
    for each in tabs:
        # What two tabs of one user share is no stranger's to either.
        foreign = everything - values[each.attempt]
        texts = [answer.everything for answer in seen[each.attempt]]
        texts += [repr(rows[each.attempt]), repr(images.get(each.attempt))]
        texts += [json.dumps(event) for event in events if event["id"] == each.attempt]
        for text in texts:
            assert not [value for value in foreign if value in text]
        links = [cookie for answer in seen[each.attempt] for cookie in answer.cookies if "brokerlink-links=" in cookie]
        brokers = {broker for broker in OTHER if any(f"{broker}." in cookie for cookie in links)}
        assert brokers == {each.broker}


def values_of(stack: Stack, each: Tab, row: dict[str, Any], image: dict[str, Any] | None) -> set[str]:
    """Give all values by which a login, or who logged in, can be known."""
    browser = cookie_of(each.browser).partition("=")[2]
    values = {each.user, each.account, mask_account(each.account), browser, row["browser_hash"]["S"]}
    values |= {each.state, each.attempt, grant_of(each.callback), row["session"]["S"], row["claimed_by"]["S"]}
    return values if image is None else values | {token_of(stack, image)}

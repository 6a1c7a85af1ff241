"""Logins that a platform prepared for its users, through the example platform's own pages."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route

from tests.browser import platform_user
from tests.browser.backstage import Backstage
from tests.browser.brokers import FIVEPAISA, POCKETFUL, DemoBroker
from tests.browser.conftest import NewCustomer
from tests.browser.customer import Customer
from tests.browser.rules import check_page


def returned(customer: Customer) -> dict[str, str]:
    """Give the parameters with which the browser came back to the platform."""
    assert customer.page.url.startswith(f"{customer.base_url}/example/return?")
    return {name: value for name, (value,) in parse_qs(urlsplit(customer.page.url).query).items()}


def start_url(customer: Customer, broker: DemoBroker, account: str = "") -> str:
    """Have the platform prepare a login, and give its start URL instead of following it."""
    found: list[str] = []

    def stop(route: Route) -> None:
        found.append(route.fetch(max_redirects=0).headers["location"])
        route.fulfill(status=204)

    customer.page.route("**/example/connect", stop)
    with customer.page.expect_event("requestfailed", lambda request: request.url.endswith("/connect")):
        platform_user.connect(customer, broker, account)
    customer.page.unroute("**/example/connect", stop)
    (url,) = found
    return url


def test_held_login_is_confirmed_by_the_platform(customer: Customer, backstage: Backstage) -> None:
    platform_user.enter(customer, "asha")
    platform_user.connect(customer, POCKETFUL)
    customer.see_broker(POCKETFUL)
    customer.log_in()
    facts = platform_user.facts(customer, "Connected")
    assert returned(customer)["status"] == "confirm"
    assert (facts["User"], facts["Status"], facts["Account"]) == ("asha", "connected", POCKETFUL.account)
    event = backstage.event(customer.attempt_id())
    assert event["data"]["user_id"] == "asha"
    # A reload of the platform's page confirms again, which is harmless.
    customer.page.reload()
    assert platform_user.facts(customer, "Connected") == facts
    assert backstage.token("asha", POCKETFUL, POCKETFUL.account) is not None


def test_login_into_the_named_account_needs_no_confirmation(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    platform_user.enter(customer, "asha")
    platform_user.connect(customer, broker, broker.account)
    customer.see_broker(broker)
    customer.log_in()
    facts = platform_user.facts(customer, "Connected")
    assert returned(customer) == {"status": "connected", "broker": broker.id, "attempt": customer.attempt_id()}
    assert (facts["User"], facts["Status"], facts["Account"]) == ("asha", "connected", broker.account)
    assert backstage.event(customer.attempt_id())["data"]["user_id"] == "asha"


def test_platform_says_why_a_5paisa_login_must_name_its_account(customer: Customer) -> None:
    platform_user.enter(customer, "asha")
    customer.watch.expect_status(400)
    platform_user.connect(customer, FIVEPAISA)
    check_page(customer.page, "Not connected")
    assert "have to name the account" in customer.page.locator("main").inner_text()


def test_login_into_another_account_is_refused_and_can_be_tried_again(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    platform_user.enter(customer, "ravi")
    platform_user.connect(customer, broker, broker.second_account)
    customer.log_in()
    facts = platform_user.facts(customer, "Not connected")
    assert (facts["Status"], facts["Error"]) == ("failed", "account_mismatch")
    assert backstage.token("ravi", broker, broker.account) is None
    # Our own page of this login has the button; the session is inherited.
    customer.page.goto(f"{customer.base_url}/result?attempt={customer.attempt_id()}")
    customer.see("That is a different account")
    customer.try_again(broker)
    customer.page.locator("input[name=account]").fill(broker.second_account)
    customer.log_in()
    assert platform_user.facts(customer, "Connected")["Account"] == broker.second_account


def test_declined_login_comes_back_as_failed(customer: Customer) -> None:
    platform_user.enter(customer, "asha")
    platform_user.connect(customer, POCKETFUL)
    customer.decline()
    facts = platform_user.facts(customer, "Not connected")
    assert (facts["Status"], facts["Error"]) == ("failed", "denied")
    assert returned(customer)["error"] == "denied"


def test_start_link_opened_twice_starts_twice_until_a_login_succeeded(customer: Customer) -> None:
    platform_user.enter(customer, "asha")
    link = start_url(customer, FIVEPAISA, FIVEPAISA.account)
    for _ in range(2):
        customer.page.goto(link)
        customer.see_broker(FIVEPAISA)
    customer.log_in()
    platform_user.facts(customer, "Connected")
    customer.watch.expect_status(410)
    customer.page.goto(link)
    customer.see("This link does not work any more")


@pytest.mark.parametrize("victim_is_user", [True, False], ids=["victim with a login there", "victim without one"])
def test_forwarded_link_gives_the_sender_nothing(
    new_customer: NewCustomer, backstage: Backstage, *, victim_is_user: bool
) -> None:
    sender, victim = new_customer(), new_customer()
    platform_user.enter(sender, "ravi")
    if victim_is_user:
        platform_user.enter(victim, "asha")
    victim.page.goto(start_url(sender, POCKETFUL))
    victim.see_broker(POCKETFUL)
    victim.page.locator("input[name=account]").fill("YB0117")
    victim.watch.expect_status(404 if victim_is_user else 403)
    victim.log_in()
    check_page(victim.page, "Not done")
    said = victim.page.locator("main").inner_text()
    assert ("no such login of asha's" if victim_is_user else "Log in to the platform first") in said
    assert returned(victim)["status"] == "confirm"
    assert backstage.token("ravi", POCKETFUL, "YB0117") is None
    assert backstage.token("asha", POCKETFUL, "YB0117") is None
    row = backstage.attempt(victim.attempt_id())
    if victim_is_user:
        assert (row["status"], row["error"]) == ({"S": "FAILED"}, {"S": "account_mismatch"})
        assert "ciphertext" not in row
    else:
        assert row["status"] == {"S": "HELD"}
        # Whoever is not sure what they were sent finds out on our page, and may walk away.
        victim.page.goto(f"{victim.base_url}/result?attempt={victim.attempt_id()}")
        victim.see("One step left")
        assert "Did somebody else send you the link" in victim.page.locator("main").inner_text()


def test_forwarded_link_that_names_the_senders_account_is_refused(
    new_customer: NewCustomer, backstage: Backstage
) -> None:
    sender, victim = new_customer(), new_customer()
    platform_user.enter(sender, "ravi")
    platform_user.enter(victim, "asha")
    victim.page.goto(start_url(sender, FIVEPAISA, FIVEPAISA.second_account))
    victim.see_broker(FIVEPAISA)
    victim.page.locator("input[name=account]").fill("51100284")
    victim.watch.expect_status(403)
    victim.log_in()
    check_page(victim.page, "Not done")
    assert "not a login of asha's" in victim.page.locator("main").inner_text()
    assert returned(victim)["error"] == "account_mismatch"
    for user in ("ravi", "asha"):
        assert backstage.token(user, FIVEPAISA, "51100284") is None

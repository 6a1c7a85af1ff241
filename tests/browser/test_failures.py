"""Brokers that fail: the customer reads what happened, and one button leads on."""

import pytest

from tests.browser.backstage import Backstage
from tests.browser.brokers import FIVEPAISA, POCKETFUL, DemoBroker
from tests.browser.customer import Customer


@pytest.mark.parametrize(
    ("broker", "fault", "heading"),
    [
        (POCKETFUL, "status:500", "Your broker is not answering"),
        (FIVEPAISA, "status:500", "Your broker is not answering"),
        (FIVEPAISA, "reset", "We did not hear back from your broker"),
    ],
    ids=["pocketful answers 500", "5paisa answers 500", "5paisa hangs up"],
)
def test_failed_login_is_tried_again_and_succeeds(
    customer: Customer, broker: DemoBroker, backstage: Backstage, fault: str, heading: str
) -> None:
    backstage.fault(broker, "token", fault)
    customer.begin(broker)
    customer.log_in()
    customer.see(heading)
    text = customer.page.locator("main").inner_text()
    assert "your broker account is fine" in text.lower()
    assert customer.attempt_id()[:12] in text
    customer.page.reload()
    customer.see(heading)
    customer.try_again(broker)
    customer.log_in()
    customer.see_connected(broker)
    assert [backstage.exchanges(callback) for callback in customer.watch.callbacks] == [1, 1]


def test_login_left_at_the_broker_is_not_finished(customer: Customer) -> None:
    customer.begin(POCKETFUL)
    answer = customer.context.request.get(
        f"{customer.base_url}/authorize/pocketful", headers={"accept": "application/json"}
    ).json()
    customer.page.goto(f"{customer.base_url}/result?attempt={answer['attempt_id']}&wait=1")
    customer.see("Your Pocketful login is not finished")
    customer.try_again(POCKETFUL)
    customer.log_in()
    customer.see_connected(POCKETFUL)


def test_callback_without_state_is_a_page_with_a_way_home(customer: Customer) -> None:
    customer.watch.expect_status(400)
    customer.page.goto(f"{customer.base_url}/callback/fivepaisa")
    customer.see("We could not read this login")
    customer.page.get_by_role("link", name="Go to the start page").click()
    customer.see("Log in to your broker")

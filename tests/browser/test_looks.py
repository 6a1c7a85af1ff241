"""On a desktop, on a small phone, in the dark and with large text; all other tests have the size of a phone."""

import pytest

from tests.browser.brokers import FIVEPAISA, POCKETFUL, DemoBroker
from tests.browser.conftest import NewCustomer
from tests.browser.customer import Customer
from tests.browser.profiles import Look


def walk(customer: Customer, broker: DemoBroker) -> None:
    """See a page of each kind: contrast, targets and width are held against the rules on the way."""
    customer.choose(broker)
    customer.decline()
    customer.see(broker.declined)
    customer.try_again(broker)
    customer.log_in()
    customer.see_connected(broker)
    customer.page.goto(f"{customer.base_url}/")
    customer.see("Log in to your broker")


@pytest.mark.parametrize(
    ("look", "broker"),
    [(Look(1280, 800, phone=False), POCKETFUL), (Look(320, 568), FIVEPAISA)],
    ids=["desktop", "small phone"],
)
def test_every_size_is_served(new_customer: NewCustomer, look: Look, broker: DemoBroker) -> None:
    customer = new_customer(look)
    walk(customer, broker)
    customer.page.evaluate("document.documentElement.style.fontSize = '200%'")
    customer.see("Log in to your broker")


def test_dark_mode_is_dark(new_customer: NewCustomer) -> None:
    customer = new_customer(Look(dark=True))
    walk(customer, POCKETFUL)
    colour = customer.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 64

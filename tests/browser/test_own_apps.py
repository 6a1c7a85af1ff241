"""Broker apps of one's own: a login page that is entered by a form, and brokers that nobody can connect to."""

from collections.abc import Iterator

import pytest

from local.stack import Stack
from tests.browser.brokers import FIVEPAISA, DemoBroker
from tests.browser.closing_brokers import ClosingBrokers, serve_closing_brokers
from tests.browser.conftest import NewCustomer
from tests.browser.customer import Customer
from tests.browser.rules import check_page
from tests.browser.watch import grant_of
from tests.privileges.watch import watched_stack


@pytest.fixture(scope="module")
def brokers() -> Iterator[ClosingBrokers]:
    with serve_closing_brokers() as running:
        yield running


@pytest.fixture(scope="module")
def own_stack(brokers: ClosingBrokers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("own")
    file = folder / "brokers.local.toml"
    file.write_text(brokers.toml, encoding="utf-8")
    with watched_stack(brokers_file=file, logs=folder / "logs") as running:
        yield running


@pytest.fixture
def customer(new_customer: NewCustomer, own_stack: Stack, brokers: ClosingBrokers) -> Customer:
    brokers.open()
    return new_customer(base_url=own_stack.base_url)


def begin(customer: Customer, broker: DemoBroker) -> None:
    """Come to the broker's login page; to 5paisa's through the page with our form."""
    customer.page.goto(f"{customer.base_url}/")
    customer.page.get_by_role("link", name=f"Log in to {broker.name}").click()
    if broker is FIVEPAISA:
        customer.see("Continue to 5paisa")
        customer.page.get_by_role("button", name="Continue to 5paisa").click()
    customer.see_broker(broker)


def test_login_page_that_takes_a_form_is_entered_by_a_click(customer: Customer, brokers: ClosingBrokers) -> None:
    begin(customer, FIVEPAISA)
    (entered,) = brokers.application.recorder.requests("fivepaisa", "authorize")[-1:]
    assert (entered.method, entered.query) == ("POST", "")
    assert not entered.headers.keys() & {"Referer", "Cookie"}
    assert entered.headers["Origin"] == "null"  # under no-referrer our address is not told here either
    customer.log_in()
    customer.see_connected(FIVEPAISA)


def test_broker_that_cannot_be_reached_is_asked_again_in_place(
    customer: Customer, brokers: ClosingBrokers, broker: DemoBroker
) -> None:
    begin(customer, broker)
    callback = customer.log_in_but_stay()
    before = len(brokers.application.recorder.requests(broker.id, "token"))
    brokers.close()
    customer.watch.expect_status(503, times=2)
    customer.page.goto(callback)
    check_page(customer.page, "Your broker is not answering")
    # Nothing was consumed: the same address works later, and the page repeats nothing that it holds.
    assert customer.page.url == callback
    assert grant_of(callback) not in customer.page.content()
    customer.page.get_by_role("link", name="Try again").click()
    check_page(customer.page, "Your broker is not answering")
    brokers.open()
    customer.page.get_by_role("link", name="Try again").click()
    customer.see_connected(broker)
    assert customer.watch.callbacks == [callback] * 3
    assert len(brokers.application.recorder.requests(broker.id, "token")) == before + 1

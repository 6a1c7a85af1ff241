"""One local stack and one Chromium for all of these tests, and a browser profile for each customer.

Pages work without JavaScript, so the tests run without it; `BROWSER_SCRIPTS=on` runs the same with it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from local.execution import INIT_SECONDS
from local.stack import Stack
from tests.browser.backstage import Backstage
from tests.browser.brokers import BROKERS, DemoBroker
from tests.browser.customer import Customer
from tests.browser.other_site import OtherSite, serve_other_site
from tests.browser.profiles import SECONDS, Look, Profiles
from tests.privileges.watch import watched_stack
from tools import chromium

PHONE = Look()

type NewCustomer = Callable[..., Customer]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, which is all that needs a Chromium."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package", autouse=True)
def program() -> str:
    """The Chromium; without one there is nothing to test with, which CI does not let pass."""
    found = chromium.find()
    if found is None:
        sentence = "No Chromium is installed: install chromium, or name one with CHROMIUM=/path."
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


def launch_arguments() -> list[str]:
    """What Chromium needs to start here: it has no sandbox for root."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@pytest.fixture(scope="package")
def browser(program: str) -> Iterator[Browser]:
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=launch_arguments())
        yield running
        running.close()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with watched_stack(brokers_file=folder / "brokers.local.toml", logs=folder / "logs") as running:
        # A broker has ten seconds. The second callback that comes meanwhile should not spend them on a cold start.
        running.functions["CallbackFunction"].wait_until_ready(INIT_SECONDS, 2)
        yield running


@pytest.fixture
def backstage(stack: Stack) -> Iterator[Backstage]:
    yield Backstage(stack)
    for broker in BROKERS:
        stack.simulators.faults.clear(broker.id, "authorize")
        stack.simulators.faults.clear(broker.id, "token")


@pytest.fixture(scope="package")
def profiles(browser: Browser) -> Profiles:
    return Profiles(browser, scripts=os.environ.get("BROWSER_SCRIPTS") == "on")


@pytest.fixture
def new_customer(profiles: Profiles, stack: Stack) -> Iterator[NewCustomer]:
    """Make a customer with a browser profile of their own."""
    lent: list[tuple[Look, Customer]] = []

    def make(look: Look = PHONE, *, base_url: str = stack.base_url) -> Customer:
        customer = Customer(profiles.take(look), base_url)
        lent.append((look, customer))
        return customer

    yield make
    for look, customer in lent:
        customer.watch.stop()
        profiles.give_back(look, customer.context)
    for _, customer in lent:
        customer.watch.check()


@pytest.fixture
def customer(new_customer: NewCustomer) -> Customer:
    return new_customer()


@pytest.fixture(params=BROKERS, ids=lambda broker: broker.id)
def broker(request: pytest.FixtureRequest) -> DemoBroker:
    found: DemoBroker = request.param
    return found


@pytest.fixture(scope="package")
def other_site() -> Iterator[OtherSite]:
    with serve_other_site() as site:
        yield site

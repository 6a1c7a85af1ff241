"""A login ends in the browser in which it began, and in no other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from local.stack import Stack
from tests.browser.backstage import Backstage
from tests.browser.brokers import DemoBroker
from tests.browser.conftest import PHONE, NewCustomer, launch_arguments
from tests.browser.customer import Customer

WRONG_BROWSER = "This login began in another browser"
_BLOCK = 2  # Chromium's content setting


def test_callback_in_another_browser_is_refused_and_harms_nothing(
    new_customer: NewCustomer, broker: DemoBroker, backstage: Backstage
) -> None:
    customer, other = new_customer(), new_customer()
    customer.begin(broker)
    callback = customer.log_in_but_stay()
    for has_begun_too in (False, True):
        if has_begun_too:
            other.begin(broker)
        other.page.goto(callback)
        other.see(WRONG_BROWSER)
        assert other.page.url == f"{other.base_url}/result?error=wrong_browser"
        assert broker.name not in other.page.content()
    assert backstage.exchanges(callback) == 0
    customer.page.goto(callback)
    customer.see_connected(broker)
    assert backstage.exchanges(callback) == 1
    # The result's own address tells another browser nothing.
    other.watch.expect_status(404)
    other.page.goto(customer.page.url)
    other.see("We do not know this login")
    assert broker.name not in other.page.content()


@pytest.fixture
def without_cookies(browser: Browser, program: str, stack: Stack, tmp_path: Path) -> Iterator[Customer]:
    """A customer whose browser takes no cookies."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps({"profile": {"default_content_setting_values": {"cookies": _BLOCK}}}))
    context = browser.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=program,
        args=launch_arguments(),
        java_script_enabled=False,
        viewport={"width": PHONE.width, "height": PHONE.height},
    )
    customer = Customer(context, stack.base_url)
    yield customer
    context.close()
    customer.watch.check()


def test_browser_without_cookies_is_told_so(
    without_cookies: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    without_cookies.begin(broker)
    without_cookies.log_in()
    without_cookies.see(WRONG_BROWSER)
    assert "cookies switched on" in without_cookies.page.locator("main").inner_text()
    (callback,) = without_cookies.watch.callbacks
    assert backstage.exchanges(callback) == 0

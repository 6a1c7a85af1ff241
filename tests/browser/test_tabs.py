"""The same login, or several of them, in more than one tab: impatient customers do that."""

from playwright.sync_api import Page

from tests.browser.backstage import Backstage
from tests.browser.brokers import POCKETFUL, DemoBroker
from tests.browser.customer import Customer


def button_of(page: Page) -> tuple[float, float]:
    """Give the place of the broker's button that logs in."""
    box = page.locator("button[type=submit]").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def impatient_tab(customer: Customer) -> Page:
    """Open a tab that asks for an address at once, though another tab waits for the answer from there.

    Chromium may let the second wait for the first, for 20 s, in case its cache can then answer.
    """
    tab = customer.context.new_page()
    network = customer.context.new_cdp_session(tab)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    return tab


def press(page: Page, button: tuple[float, float]) -> str:
    """Press the button of a broker that takes its time; give the callback URL that the tab is waiting at.

    The mouse clicks whatever the tab is doing; a locator's click would wait for its end.
    """
    with page.expect_request(lambda request: "/callback/" in request.url) as callback:
        page.mouse.click(*button)
    return callback.value.url


def test_second_tab_waits_and_moves_on_by_itself(customer: Customer, broker: DemoBroker, backstage: Backstage) -> None:
    customer.begin(broker)
    second = impatient_tab(customer)
    with backstage.exchange_held(broker) as arrived:
        callback = press(customer.page, button_of(customer.page))
        assert arrived.wait(10)
        second.goto(callback)
        customer.see(f"Finishing your {broker.name} login", second)
        assert second.url.endswith("&wait=1")
        second.reload()
        customer.see(f"Finishing your {broker.name} login", second)
    attempt_id = customer.see_connected(broker)
    assert customer.see_connected(broker, second) == attempt_id
    assert second.url == customer.page.url
    assert backstage.exchanges(callback) == 1


def test_second_click_on_the_brokers_button_logs_in_once(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    customer.begin(broker)
    button = button_of(customer.page)
    with backstage.exchange_held(broker) as arrived:
        callback = press(customer.page, button)
        assert arrived.wait(10)
        # The broker's page is there until we answer.
        assert press(customer.page, button) == callback
        customer.see(f"Finishing your {broker.name} login")
    customer.see_connected(broker)
    assert backstage.exchanges(callback) == 1


def test_waiting_page_also_goes_on_by_a_click(customer: Customer, backstage: Backstage) -> None:
    customer.begin(POCKETFUL)
    with backstage.exchange_held(POCKETFUL) as arrived:
        callback = press(customer.page, button_of(customer.page))
        assert arrived.wait(10)
        customer.page.goto(callback)
        check_now = customer.page.get_by_role("link", name="Check now")
        with customer.page.expect_navigation():
            check_now.click()
        customer.see("Finishing your Pocketful login")
    customer.page.get_by_role("link", name="Check now").click()
    customer.see_connected(POCKETFUL)


def test_broker_that_never_ends_its_answer_ends_in_a_failure_that_can_be_tried_again(
    customer: Customer, backstage: Backstage
) -> None:
    customer.begin(POCKETFUL)
    backstage.fault(POCKETFUL, "token", "drip:body")
    second = impatient_tab(customer)
    callback = press(customer.page, button_of(customer.page))
    assert backstage.stack.simulators.recorder.wait_for(1, "pocketful", "token")
    second.goto(callback)
    customer.see("Finishing your Pocketful login", second)
    # The broker has at most ten seconds.
    second.wait_for_url(lambda url: "wait=1" not in url, timeout=30_000)
    customer.see("We did not hear back from your broker", second)
    customer.see("We did not hear back from your broker")
    customer.try_again(POCKETFUL)
    customer.log_in()
    customer.see_connected(POCKETFUL)
    assert [backstage.exchanges(each) for each in dict.fromkeys(customer.watch.callbacks)] == [1, 1]


def test_callback_in_two_tabs_at_once_is_exchanged_once(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    customer.begin(broker)
    callback = customer.log_in_but_stay()
    tabs = [customer.page, customer.context.new_page()]
    for tab in tabs:
        go(tab, callback)
    attempts = {customer.see_connected(broker, tab) for tab in tabs}
    assert len(attempts) == 1
    assert customer.watch.callbacks == [callback, callback]
    assert backstage.exchanges(callback) == 1


def go(tab: Page, url: str) -> None:
    """Send a tab to an address without waiting for it."""
    tab.evaluate("url => { location.href = url }", url)


def test_two_logins_finish_in_reverse_order(customer: Customer, broker: DemoBroker, backstage: Backstage) -> None:
    customer.begin(broker)
    second = customer.context.new_page()
    customer.begin(broker, second)
    customer.log_in(second)
    first_finished = customer.see_connected(broker, second)
    customer.log_in()
    last_finished = customer.see_connected(broker)
    assert first_finished != last_finished
    for attempt_id in (first_finished, last_finished):
        backstage.event(attempt_id)
    row = backstage.token(f"{broker.id}:{broker.account}", broker, broker.account)
    assert row is not None
    assert row["attempt_id"] == {"S": last_finished}

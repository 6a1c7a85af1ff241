"""A login by clicking: from our home page to the broker's, back, and on to the event."""

from playwright.sync_api import Locator, expect

from tests.browser.backstage import Backstage
from tests.browser.brokers import DemoBroker
from tests.browser.customer import Customer


def log_in(customer: Customer, broker: DemoBroker) -> str:
    customer.choose(broker)
    customer.log_in()
    return customer.see_connected(broker)


def test_login_ends_connected_and_reaches_the_consumer(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    attempt_id = log_in(customer, broker)
    assert customer.page.url == f"{customer.base_url}/result?attempt={attempt_id}"
    assert " IST" in customer.page.locator("dl").inner_text()
    event = backstage.event(attempt_id)
    assert event["subject"] == f"{broker.id}/{broker.account}"
    (callback,) = customer.watch.callbacks
    assert backstage.exchanges(callback) == 1

    # The home page of this browser remembers it.
    customer.page.get_by_role("link", name="All brokers").click()
    customer.see("Log in to your broker")
    linked = customer.page.get_by_role("listitem").filter(has_text="Linked until")
    expect(linked).to_have_count(1)
    expect(linked.get_by_role("heading")).to_have_text(broker.name)
    expect(linked).to_contain_text(" IST, ")

    cookies = {cookie["name"]: cookie for cookie in customer.context.cookies()}
    assert cookies.keys() == {"brokerlink", "brokerlink-links"}
    for cookie in cookies.values():
        assert (cookie["domain"], cookie["path"]) == ("127.0.0.1", "/")
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"


def test_broker_learns_neither_cookies_nor_where_the_customer_was(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    customer.choose(broker)
    began = [request for request in backstage.broker_requests() if request["endpoint"] == "authorize"][-1]
    assert began["broker"] == broker.id
    assert not began["headers"].keys() & {"Referer", "Cookie"}


def test_reload_and_history_show_the_result_again_and_exchange_nothing(
    customer: Customer, broker: DemoBroker, backstage: Backstage
) -> None:
    attempt_id = log_in(customer, broker)
    customer.page.reload()
    assert customer.see_connected(broker) == attempt_id
    customer.page.go_back()
    customer.see_broker(broker)
    customer.page.go_forward()
    assert customer.see_connected(broker) == attempt_id
    # Back at the broker, the same login can even be finished once more.
    customer.page.go_back()
    customer.page.reload()
    customer.see_broker(broker)
    customer.log_in()
    assert customer.see_connected(broker) == attempt_id
    first, second = customer.watch.callbacks
    assert (backstage.exchanges(first), backstage.exchanges(second)) == (1, 0)


def test_declining_says_so_and_offers_to_try_again(customer: Customer, broker: DemoBroker) -> None:
    customer.begin(broker)
    customer.decline()
    customer.see(broker.declined)
    declined = customer.attempt_id()
    customer.try_again(broker)
    customer.log_in()
    assert customer.see_connected(broker) != declined


def test_double_click_and_wrong_pin_still_end_connected(customer: Customer, broker: DemoBroker) -> None:
    customer.page.goto(customer.base_url)
    customer.page.get_by_role("link", name=f"Log in to {broker.name}").dblclick()
    customer.see_broker(broker)
    pin = customer.page.get_by_label("PIN", exact=True)
    right = pin.input_value()
    pin.fill("0000")
    customer.log_in()
    expect(customer.page.get_by_role("alert")).to_contain_text("is wrong")
    customer.see_broker(broker)
    pin.fill(right)
    customer.log_in()
    customer.see_connected(broker)


def test_keyboard_alone_logs_in(customer: Customer, broker: DemoBroker) -> None:
    customer.page.goto(customer.base_url)
    enter(customer, customer.page.get_by_role("link", name=f"Log in to {broker.name}"))
    customer.see_broker(broker)
    enter(customer, customer.page.locator("button[type=submit]").first)
    customer.see_connected(broker)
    enter(customer, customer.page.get_by_role("link", name="All brokers"))
    customer.see("Log in to your broker")


def enter(customer: Customer, control: Locator) -> None:
    """Go to a control with the Tab key, see that it shows where the keyboard is, and press Enter."""
    for _ in range(8):
        customer.page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            assert control.evaluate("element => getComputedStyle(element).outlineStyle") != "none"  # WCAG 2.4.7
            customer.page.keyboard.press("Enter")
            return
    raise AssertionError("the Tab key does not lead there")

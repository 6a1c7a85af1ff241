"""A user of the example platform, which sends its users to brokerlink."""

from tests.browser.brokers import DemoBroker
from tests.browser.customer import Customer
from tests.browser.rules import check_page


def enter(customer: Customer, user: str) -> None:
    """Log in to the platform."""
    customer.page.goto(f"{customer.base_url}/example/")
    check_page(customer.page, "Example platform")
    customer.page.get_by_label("Demo user").select_option(user)
    customer.page.get_by_role("button", name="Log in").click()
    assert f"Logged in as {user}." in customer.page.locator("main").inner_text()


def connect(customer: Customer, broker: DemoBroker, account: str = "") -> None:
    """Ask the platform to connect a broker."""
    check_page(customer.page, "Example platform")
    customer.page.get_by_label("Broker", exact=True).select_option(broker.id)
    customer.page.locator("input[name=account]").fill(account)
    customer.page.get_by_role("button", name="Connect").click()


def facts(customer: Customer, heading: str) -> dict[str, str]:
    """See where the platform's page ended; give what brokerlink's API told it."""
    check_page(customer.page, heading)
    said = customer.page.locator("dl").first
    return dict(zip(said.locator("dt").all_inner_texts(), said.locator("dd").all_inner_texts(), strict=True))

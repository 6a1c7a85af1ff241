"""A customer at a browser."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Page, Route

from tests.browser.brokers import DemoBroker
from tests.browser.rules import check_page
from tests.browser.watch import Watch


class Customer:
    """Somebody with a browser of their own; `page` is their first tab."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.base_url = base_url
        self.watch = Watch(context, base_url)
        self.page = context.new_page()

    def choose(self, broker: DemoBroker) -> None:
        """Choose a broker on our home page, and see its login page."""
        self.page.goto(f"{self.base_url}/")
        self.see("Log in to your broker")
        self.page.get_by_role("link", name=f"Log in to {broker.name}").click()
        self.see_broker(broker)

    def begin(self, broker: DemoBroker, page: Page | None = None) -> None:
        """Begin a login at the address that a bookmark holds, and see the broker's login page."""
        page = page or self.page
        page.goto(f"{self.base_url}/authorize/{broker.id}")
        self.see_broker(broker, page)

    def see_broker(self, broker: DemoBroker, page: Page | None = None) -> None:
        """See the broker's login page."""
        page = page or self.page
        check_page(page, "Log in")
        assert f"/{broker.id}/" in page.url
        assert f"not the real {broker.name}" in page.locator("header").inner_text()

    def log_in(self, page: Page | None = None) -> None:
        """Press the broker's button that logs in, with what its form is filled in with."""
        (page or self.page).locator("button[type=submit]").first.click()

    def decline(self, page: Page | None = None) -> None:
        """Press the broker's other button."""
        (page or self.page).locator("button[type=submit]").nth(1).click()

    def see(self, heading: str, page: Page | None = None) -> None:
        """See one of our pages, at an address that holds nothing secret."""
        page = page or self.page
        check_page(page, heading)
        assert page.url.startswith(f"{self.base_url}/")
        query = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
        assert not query.keys() & {"code", "state", "RequestToken"}
        assert ("connected" in page.content().lower()) == heading.endswith(" is connected")

    def see_connected(self, broker: DemoBroker, page: Page | None = None) -> str:
        """See that the broker is connected; give the attempt's id."""
        page = page or self.page
        self.see(f"{broker.name} is connected", page)
        assert broker.masked in page.locator("dl").inner_text()
        assert broker.account not in page.content()
        return self.attempt_id(page)

    def attempt_id(self, page: Page | None = None) -> str:
        """Give the attempt that the tab's address names."""
        return parse_qs(urlsplit((page or self.page).url).query)["attempt"][0]

    def try_again(self, broker: DemoBroker) -> None:
        """Press our button that begins a failed login anew."""
        self.page.get_by_role("link", name=f"Log in to {broker.name} again").click()
        self.see_broker(broker)

    def log_in_but_stay(self) -> str:
        """Log in at the broker, and give the callback URL that it answers with instead of going there."""
        found: list[str] = []

        def stop(route: Route) -> None:
            answer = route.fetch(max_redirects=0)
            found.append(answer.headers["location"])
            route.fulfill(status=204)  # which leaves the browser where it is

        self.page.route("**/*", stop)
        with self.page.expect_event("requestfailed", lambda request: request.method == "POST"):
            self.log_in()
        self.page.unroute("**/*", stop)
        (callback,) = found
        return callback

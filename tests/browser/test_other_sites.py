"""What other web sites can make a browser do here, and what they cannot."""

from html import escape
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import expect

from tests.browser.backstage import Backstage
from tests.browser.brokers import DemoBroker
from tests.browser.customer import Customer
from tests.browser.other_site import OtherSite


def test_link_on_another_site_begins_nothing_until_our_own_page_is_clicked(
    customer: Customer, broker: DemoBroker, other_site: OtherSite
) -> None:
    href = f"{customer.base_url}/authorize/{broker.id}"
    customer.page.goto(other_site.show("/link", f'<a href="{href}">Connect</a>'))
    customer.page.get_by_role("link", name="Connect").click()
    customer.see(f"Log in to {broker.name}?")
    assert customer.context.cookies() == []
    customer.page.get_by_role("link", name=f"Continue to {broker.name}").click()
    customer.see_broker(broker)
    customer.log_in()
    customer.see_connected(broker)


def test_callback_posted_by_the_brokers_site_succeeds_with_the_lax_cookie(
    customer: Customer, broker: DemoBroker, backstage: Backstage, other_site: OtherSite
) -> None:
    customer.begin(broker)
    address, _, query = customer.log_in_but_stay().partition("?")
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parse_qsl(query)
    )
    form = f'<form method="post" action="{escape(address)}">{fields}<button>Back to the app</button></form>'
    customer.page.goto(other_site.show(f"/{broker.id}", form))
    customer.page.get_by_role("button", name="Back to the app").click()
    customer.see_connected(broker)
    posted, bounced = customer.watch.callbacks
    assert urlsplit(posted).query == ""
    assert backstage.exchanges(bounced) == 1


def test_no_site_can_frame_our_pages(customer: Customer, other_site: OtherSite) -> None:
    customer.page.goto(other_site.show("/frame", f'<iframe src="{customer.base_url}/"></iframe>'))
    frame = customer.page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Log in to your broker")).to_have_count(0)
    (complaint,) = customer.watch.take_complaints()
    assert "frame-ancestors" in complaint


def test_watching_notices_a_violated_content_security_policy(customer: Customer, other_site: OtherSite) -> None:
    policy = '<meta http-equiv="Content-Security-Policy" content="style-src \'none\'">'
    customer.page.goto(other_site.show("/policy", f"{policy}<p style='color: red'>Text</p>"))
    (complaint,) = customer.watch.take_complaints()
    assert "Content Security Policy" in complaint


def test_prefetched_link_begins_nothing(customer: Customer, broker: DemoBroker, other_site: OtherSite) -> None:
    href = f"{customer.base_url}/authorize/{broker.id}"
    customer.watch.expect_status(503)
    with customer.page.expect_response(href) as answer:
        customer.page.goto(other_site.show("/prefetch", f'<link rel="prefetch" href="{href}"><p>Text</p>'))
    assert answer.value.request.all_headers()["sec-purpose"] == "prefetch"
    assert customer.context.cookies() == []

"""Takes the pages' pictures for the docs: `python -m tools.screenshots`.

A local stack is started, and a Chromium walks through it on a phone's screen: docs/screenshots/*.png are written
anew. The brokers are the simulators; 5paisa's API is a port at which nobody listens, for the page that says so.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.credentials import Credentials
from playwright.sync_api import Browser, Page, sync_playwright

from local.aws import ACCESS_KEY, REGION, SECRET_KEY, forget_own_aws
from local.platform_client import BrokerlinkClient
from local.ports import Ports, reserve
from local.simulators import demo_clients
from tools import chromium

PROJECT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT / "layers"))

from local.stack import Stack  # noqa: E402 - it imports the library, whose root is set above

FOLDER = PROJECT / "docs" / "screenshots"
PHONE = (390, 720)
DESKTOP = (1024, 640)
_SETTING = "BROKERS_PORT"


@dataclass(frozen=True, slots=True)
class Studio:
    """A running stack, a browser, and the folder for the pictures."""

    stack: Stack
    browser: Browser
    folder: Path

    @contextmanager
    def visitor(self, size: tuple[int, int] = PHONE, *, dark: bool = False) -> Iterator[Page]:
        """Have somebody at a browser of their own, without JavaScript."""
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=False,
        )
        yield context.new_page()
        context.close()

    def take(self, page: Page, name: str, heading: str) -> None:
        """Take the picture of a whole page, once the one with that heading is there."""
        page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()
        page.wait_for_load_state()
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        print(f"  {name}.png")

    def open(self, page: Page, path: str) -> None:
        page.goto(self.stack.base_url + path)

    def log_in(self, page: Page, button: int = 0) -> None:
        """Begin at Pocketful and press a button there: 0 logs in, 1 declines."""
        self.open(page, "/authorize/pocketful")
        page.locator("button").nth(button).click()
        page.wait_for_url(f"{self.stack.base_url}/**")


def take_all(studio: Studio) -> None:
    """Take all pictures."""
    for scene in (before, outcomes, trouble, other_browsers, platform, waiting):
        scene(studio)


def before(studio: Studio) -> None:
    """Before the login: our pages and the brokers'."""
    with studio.visitor() as page:
        studio.open(page, "/")
        studio.take(page, "home", "Log in to your broker")
        page.get_by_role("link", name="Log in to Pocketful").click()
        studio.take(page, "pocketful-simulator", "Log in")
        studio.open(page, "/authorize/fivepaisa")
        studio.take(page, "5paisa-simulator", "Log in")
        # Somebody else's site: what a browser shows there is not looked at.
        page.goto(f"{studio.stack.brokers_url}/nowhere")
        page.set_content(f'<a href="{studio.stack.base_url}/authorize/pocketful">Connect</a>')
        page.get_by_role("link").click()
        studio.take(page, "another-site", "Log in to Pocketful?")
    with studio.visitor(DESKTOP) as page:
        studio.open(page, "/")
        studio.take(page, "home-desktop", "Log in to your broker")


def outcomes(studio: Studio) -> None:
    """After the login, and a home page that remembers it."""
    with studio.visitor() as page:
        studio.log_in(page)
        studio.take(page, "connected", "Pocketful is connected")
        studio.open(page, "/")
        studio.take(page, "home-linked", "Log in to your broker")
        studio.log_in(page, button=1)
        studio.take(page, "denied", "You did not finish the login")
    with studio.visitor(dark=True) as page:
        studio.log_in(page)
        studio.take(page, "connected-dark", "Pocketful is connected")


def trouble(studio: Studio) -> None:
    """Brokers that fail, and customers who take too long."""
    with studio.visitor() as page:
        studio.stack.simulators.faults.set("pocketful", "token", "reset")
        studio.log_in(page)
        studio.take(page, "outcome-unknown", "We did not hear back from your broker")
        studio.open(page, "/authorize/fivepaisa")
        page.locator("button").first.click()
        studio.take(page, "broker-unavailable", "Your broker is not answering")
        studio.open(page, "/result?error=expired")
        studio.take(page, "expired", "This login took too long")
        studio.open(page, "/result?error=busy")
        studio.take(page, "busy", "We are busy just now")
        answer = page.context.request.get(
            f"{studio.stack.base_url}/authorize/pocketful", headers={"accept": "application/json"}
        )
        studio.open(page, f"/result?attempt={answer.json()['attempt_id']}")
        studio.take(page, "unfinished", "Your Pocketful login is not finished")


def other_browsers(studio: Studio) -> None:
    """A callback in a browser that did not begin it, and a login that waits for its platform."""
    with studio.visitor() as page, studio.visitor() as other:
        with page.expect_request(lambda request: "/callback/" in request.url) as callback:
            studio.log_in(page)
        other.goto(callback.value.url)
        studio.take(other, "wrong-browser", "This login began in another browser")
    client = BrokerlinkClient(studio.stack.base_url, Credentials(ACCESS_KEY, SECRET_KEY), REGION)
    with studio.visitor() as page:
        page.goto(client.create_session("pocketful", "asha", None, f"{studio.stack.base_url}/example/return"))
        page.locator("button").first.click()
        page.wait_for_url("**/example/return?*")
        studio.open(page, f"/result?{page.url.partition('?')[2]}")
        studio.take(page, "confirm", "One step left")


def platform(studio: Studio) -> None:
    """The example platform, before and after a login."""
    with studio.visitor() as page:
        studio.open(page, "/example/")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Connect").wait_for()
        studio.take(page, "platform-before", "Example platform")
        page.get_by_role("button", name="Connect").click()
        page.locator("button").first.click()
        studio.take(page, "platform-after", "Connected")


def waiting(studio: Studio) -> None:
    """A second tab, while the broker keeps the first one waiting."""
    with studio.visitor() as page:
        studio.open(page, "/authorize/pocketful")
        studio.stack.simulators.faults.set("pocketful", "token", "hang")
        asked = len(studio.stack.simulators.recorder.requests("pocketful", "token"))
        with page.expect_request(lambda request: "/callback/" in request.url) as callback:
            page.locator("button").first.click(no_wait_after=True)
        studio.stack.simulators.recorder.wait_for(asked + 1, "pocketful", "token")
        second = page.context.new_page()
        second.goto(callback.value.url)
        studio.take(second, "waiting", "Finishing your Pocketful login")


def _brokers(pages_port: int, dead_port: int) -> str:
    """Give the brokers.local.toml of a 5paisa whose API does not answer."""
    (app,) = demo_clients().fivepaisa
    return f"""\
[fivepaisa]
vendor_key = "{app.vendor_key}"
encryption_key = "{app.encryption_key}"
user_id = "{app.user_id}"
login_base = "http://localhost:{pages_port}/fivepaisa"
api_base = "http://localhost:{dead_port}/fivepaisa"
"""


def main() -> int:
    """Take the pictures; return the exit code: 1 without a Chromium."""
    program = chromium.find()
    if program is None:
        print("No Chromium is installed: install chromium, or name one with CHROMIUM=/path.", file=sys.stderr)
        return 1
    forget_own_aws(os.environ)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    with reserve(0, _SETTING) as free:
        pages_port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as temporary, reserve(0, _SETTING) as dead:
        brokers_file = Path(temporary) / "brokers.local.toml"
        brokers_file.write_text(_brokers(pages_port, dead.getsockname()[1]), encoding="utf-8")
        ports = Ports(app=0, brokers=pages_port, aws=0)
        with Stack(ports, brokers_file=brokers_file, logs=Path(temporary)) as stack, sync_playwright() as playwright:
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            with playwright.chromium.launch(executable_path=program, args=arguments) as browser:
                take_all(Studio(stack, browser, FOLDER))
    print(f"written to {FOLDER.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

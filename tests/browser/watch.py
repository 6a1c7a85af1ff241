"""Watches all that a browser does: nothing of what its console complains about is overlooked."""

from collections import Counter
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

from tests.browser.rules import check_headers

# The console's copy of a status that is seen, and has to be expected, as a response.
_STATUS_MESSAGE = "Failed to load resource: the server responded with a status of"


class Watch:
    """What happened in one browser. `check` fails on whatever a test has not said it expects."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self._base_url = base_url
        self._complaints: list[str] = []
        self._statuses: Counter[int] = Counter()
        self._expected: Counter[int] = Counter()
        self._answers: list[Response] = []
        self.callbacks: list[str] = []
        """The callback URLs that the browser was sent to, in order."""
        self._context = context
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    def stop(self) -> None:
        """Look away: the browser is no longer this customer's."""
        self._context.remove_listener("console", self._on_console)
        self._context.remove_listener("weberror", self._on_error)
        self._context.remove_listener("request", self._on_request)
        self._context.remove_listener("response", self._on_response)

    def expect_status(self, status: int, times: int = 1) -> None:
        """Say that so many answers with this status of 400 or more belong to the test."""
        self._expected[status] += times

    def take_complaints(self) -> list[str]:
        """Give what the console said so far: the caller expects it."""
        complaints, self._complaints = self._complaints, []
        return complaints

    def check(self) -> None:
        """Hold everything that happened against what has to be."""
        assert self._complaints == []
        assert self._statuses == self._expected
        for answer in self._answers:
            check_headers(answer.headers)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_STATUS_MESSAGE):
            self._complaints.append(message.text)

    def _on_error(self, error: WebError) -> None:
        self._complaints.append(str(error.error))

    def _on_request(self, request: Request) -> None:
        if self._is_ours(request.url) and urlsplit(request.url).path.startswith("/callback/"):
            self.callbacks.append(request.url)

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._statuses[response.status] += 1
        # Of what a page of another site merely fetches, the headers are not told here.
        if self._is_ours(response.url) and response.request.is_navigation_request():
            self._answers.append(response)

    def _is_ours(self, url: str) -> bool:
        """Say whether the functions answer this URL; the example platform beside them is not ours."""
        return url.startswith(f"{self._base_url}/") and not url.startswith(f"{self._base_url}/example/")


def grant_of(callback: str) -> str:
    """Give the grant in a callback URL."""
    query = parse_qs(urlsplit(callback).query)
    return (query.get("code") or query["RequestToken"])[0]

"""`GET|POST /callback/{broker}`: finishes the attempt, and sends the browser on to a URL without grant or state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import urlencode

from brokerlink.attempts import Standing
from brokerlink.brokers.base import Broker
from brokerlink.errors import FAILURES, Code
from brokerlink.login import Login
from brokerlink.outcomes import Budget, Ended, NothingConsumed, StillRunning, Unattributable, WrongBrowser
from brokerlink.settings import WebSettings
from brokerlink.telemetry import Telemetry
from brokerlink.web import pages
from brokerlink.web.brokers import find_broker
from brokerlink.web.callbacks import StateMissing, read_callback, read_parameters
from brokerlink.web.edge import failure_page
from brokerlink.web.request import BadRequest, WebRequest, decode_form
from brokerlink.web.responses import Response, page, redirect
from brokerlink.web.site import Site
from ends import end_of, remember

_FORM: Final = "application/x-www-form-urlencoded"
# What a URL may hold, so that request line and headers stay below the gateway's 10,240 bytes.
_LONGEST_BOUNCE: Final = 6_144


@dataclass(frozen=True, slots=True)
class FinishCallback:
    """Answers the browser that a broker sent back. `clock` gives epoch seconds."""

    settings: WebSettings
    login: Login
    telemetry: Telemetry
    clock: Callable[[], float]

    def get(self, request: WebRequest, budget: Budget) -> Response:
        """Finish a login. Raises `StorageError`."""
        site = Site.of(request, self.settings.base_url)
        broker = find_broker(request, self.settings.brokers, site, self.telemetry)
        if isinstance(broker, Response):
            return broker
        try:
            callback = read_callback(broker, read_parameters(broker, decode_form(request.query)))
        except BadRequest as error:
            metric = "state_missing" if isinstance(error, StateMissing) else "invalid_request"
            return self._malformed(broker, site, metric, str(error))
        browser_key = site.cookies.browser_key(request.cookies)
        if browser_key is None:
            return self._wrong_browser(broker, site)
        finished = self.login.finish(broker, callback, browser_key, budget)
        match finished:
            case Ended():
                return self._ended(finished, broker, request, site)
            case StillRunning(attempt_id, unwritten):
                if unwritten is not None:
                    self.telemetry.unsettled(unwritten, broker=broker.id, attempt_id=attempt_id)
                return redirect(site.path("/result", attempt=attempt_id, wait="1"))
            case NothingConsumed(attempt_id, failure):
                self.telemetry.failed(failure.code, broker=broker.id, attempt_id=attempt_id, failure=failure)
                return failure_page(failure.code, broker=broker.name)
            case Unattributable():
                return self._malformed(broker, site, "state_unknown")
            case WrongBrowser():
                return self._wrong_browser(broker, site)
            case _:
                assert_never(finished)

    def post(self, request: WebRequest, _: Budget) -> Response:
        """Turn a posted callback into its GET form, which carries the browser's Lax cookie."""
        site = Site.of(request, self.settings.base_url)
        broker = find_broker(request, self.settings.brokers, site, self.telemetry)
        if isinstance(broker, Response):
            return broker
        if request.content_type != _FORM:
            text = "Brokers send a form here. Please start again."
            return page(pages.notice("We cannot read this", text, href=site.path("/")), 415)
        try:
            parameters = read_parameters(broker, decode_form(request.body.decode("ascii")))
        except BadRequest as error:
            return self._malformed(broker, site, "invalid_request", str(error))
        except UnicodeError:
            return self._malformed(broker, site, "invalid_request", "the posted form is not ASCII")
        location = site.path(f"/callback/{broker.id}") + (f"?{urlencode(parameters)}" if parameters else "")
        if len(location) > _LONGEST_BOUNCE:
            return self._malformed(broker, site, "invalid_request", "the posted form does not fit into a URL")
        return redirect(location)

    def _ended(self, finished: Ended, broker: Broker, request: WebRequest, site: Site) -> Response:
        attempt, now = finished.attempt, int(self.clock())
        standing, code = attempt.standing(now)
        if finished.here and standing is Standing.CONNECTED:
            self.telemetry.good("connected", broker=broker.id, attempt_id=attempt.attempt_id)
        elif finished.here and standing is Standing.CONFIRM:
            self.telemetry.good("held", broker=broker.id, attempt_id=attempt.attempt_id)
        elif finished.here and code is not None:
            self.telemetry.failed(code, broker=broker.id, attempt_id=attempt.attempt_id, failure=finished.failure)
        if finished.scope_reduced:
            self.telemetry.refused("scope_reduced", broker=broker.id)
        return remember(redirect(end_of(attempt, now, site)), attempt, now, request, site)

    def _malformed(self, broker: Broker, site: Site, metric: str, why: str | None = None) -> Response:
        """Answer what cannot be attributed to an attempt of this broker: one page, whatever the reason."""
        self.telemetry.refused(metric, broker=broker.id, why=why)
        failure = FAILURES[Code.INVALID_REQUEST]
        html = pages.failed(failure.title, failure.text, now=int(self.clock()), home_href=site.path("/"))
        return page(html, failure.status)

    def _wrong_browser(self, broker: Broker, site: Site) -> Response:
        self.telemetry.refused("wrong_browser", broker=broker.id)
        return redirect(site.path("/result", error=Code.WRONG_BROWSER))

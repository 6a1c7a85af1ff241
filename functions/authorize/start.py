"""`GET /authorize/{broker}`: begins an attempt and sends the browser to the broker."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, assert_never

from brokerlink.begin import (
    Beginning,
    Begun,
    DirectLoginsClosed,
    MustNameAccount,
    NothingToRetry,
    NotRetryable,
    NotStartable,
)
from brokerlink.brokers.base import Broker, Form, Link
from brokerlink.errors import Code
from brokerlink.outcomes import Budget
from brokerlink.secret import Secret
from brokerlink.settings import WebSettings
from brokerlink.telemetry import Telemetry
from brokerlink.web import pages
from brokerlink.web.brokers import find_broker
from brokerlink.web.edge import json_error, not_our_page
from brokerlink.web.request import BadRequest, WebRequest
from brokerlink.web.responses import Response, json_answer, page, redirect
from brokerlink.web.return_to import is_allowed
from brokerlink.web.site import Site
from home import to_canonical_host

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_WAYS: Final = ("session", "retry", "return_to")

type Start = Begun | NotStartable | MustNameAccount | DirectLoginsClosed | NotRetryable | NothingToRetry


@dataclass(frozen=True, slots=True)
class Authorize:
    """Starts logins."""

    settings: WebSettings
    beginning: Beginning
    telemetry: Telemetry

    def __call__(self, request: WebRequest, _: Budget) -> Response:
        """Begin an attempt, or say why none can begin."""
        site = Site.of(request, self.settings.base_url)
        if (elsewhere := to_canonical_host(request, site, self.settings)) is not None:
            return elsewhere
        if request.wants_json and not request.may_read_json:
            return not_our_page()
        broker = find_broker(request, self.settings.brokers, site, self.telemetry)
        if isinstance(broker, Response):
            return broker
        parameters = self._parameters(request)
        direct = not parameters.keys() & {"session", "retry"}
        if direct and request.is_cross_site and self.settings.direct_logins:
            return page(pages.own_link(broker.name, site.path(f"/authorize/{broker.id}", **parameters)))
        browser_key = site.cookies.browser_key(request.cookies)
        key = browser_key or self.beginning.new_secret()
        start = self._start(broker, parameters, browser_key, key, site.callback(broker.id))
        return self._answer(start, broker, request, site, key)

    def _parameters(self, request: WebRequest) -> dict[str, str]:
        parameters = {name: value for name, value in request.parameters().items() if name in _WAYS}
        if len(parameters) > 1:
            raise BadRequest("session, retry and return_to exclude one another")
        for name in {"session", "retry"} & parameters.keys():
            if not _SECRET.fullmatch(parameters[name]):
                raise BadRequest(f"{name} is malformed")
        if "return_to" in parameters and not is_allowed(parameters["return_to"], self.settings.return_to):
            raise BadRequest("return_to is not below an address on the stack's list (ReturnTo)")
        return parameters

    def _start(
        self,
        broker: Broker,
        parameters: dict[str, str],
        browser_key: Secret | None,
        key: Secret,
        redirect_uri: str,
    ) -> Start:
        match parameters:
            case {"session": secret}:
                return self.beginning.through_session(
                    broker, Secret(secret), browser_key=key, redirect_uri=redirect_uri
                )
            case {"retry": _} if browser_key is None:
                return NotRetryable()
            case {"retry": attempt_id}:
                return self.beginning.again(broker, attempt_id, browser_key=key, redirect_uri=redirect_uri)
            case _:
                return self.beginning.directly(
                    broker, browser_key=key, redirect_uri=redirect_uri, return_to=parameters.get("return_to")
                )

    def _answer(self, start: Start, broker: Broker, request: WebRequest, site: Site, key: Secret) -> Response:
        match start:
            case Begun():
                self.telemetry.good("started", broker=broker.id, attempt_id=start.attempt_id)
                return self._go(start, broker, request).with_cookies(site.cookies.keep_browser_key(key))
            case NothingToRetry(attempt_id):
                return redirect(site.path("/result", attempt=attempt_id))
            case NotStartable():
                return self._refuse(
                    request,
                    broker,
                    "session_not_startable",
                    410,
                    "This link does not work any more",
                    "A link to log in works for ten minutes, and until a login through it has succeeded. "
                    "Please go back to your trading platform and start again from there.",
                )
            case MustNameAccount():
                return self._refuse(
                    request,
                    broker,
                    "session_unpinned",
                    403,
                    "This link is not complete",
                    "It does not say which account it is for, which this broker needs. "
                    "Please go back to your trading platform and start again from there.",
                )
            case DirectLoginsClosed():
                return self._refuse(
                    request,
                    broker,
                    "direct_login_closed",
                    403,
                    "Please start from your trading platform",
                    "Logins here begin on the trading platform that you use. Nothing was started.",
                )
            case NotRetryable():
                return self._refuse(
                    request,
                    broker,
                    "not_retryable",
                    410,
                    "This login cannot be tried again",
                    "It began in another browser or too long ago. Please start a new login.",
                    site.path("/"),
                )
            case _:
                assert_never(start)

    def _go(self, begun: Begun, broker: Broker, request: WebRequest) -> Response:
        match begun.authorization:
            case Link(url) if request.wants_json:
                return json_answer(
                    {"authorization_url": url, "attempt_id": begun.attempt_id, "expires_at": begun.expires_at}
                )
            case Link(url):
                return redirect(url)
            case Form() if request.wants_json:
                return json_error(
                    Code.INVALID_REQUEST,
                    "this broker's login is entered by a form: navigate to this address",
                    406,
                )
            case Form(action, fields):
                return page(pages.post_form(broker.name, action, fields), form_action=action)

    def _refuse(
        self,
        request: WebRequest,
        broker: Broker,
        metric: str,
        status: int,
        title: str,
        text: str,
        href: str | None = None,
    ) -> Response:
        self.telemetry.refused(metric, broker=broker.id)
        if request.wants_json:
            return json_error(Code.INVALID_REQUEST, text, status)
        return page(pages.notice(title, text, href=href), status)

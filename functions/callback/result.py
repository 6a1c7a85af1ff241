"""`GET /result`: the outcome of this browser's attempt, as a page or as JSON."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from brokerlink.attempts import Attempt, Attempts, Standing, Status, digest
from brokerlink.errors import FAILURES, Code
from brokerlink.outcomes import Budget
from brokerlink.settings import WebSettings
from brokerlink.telemetry import Telemetry
from brokerlink.web import pages
from brokerlink.web.callbacks import STATE
from brokerlink.web.edge import not_our_page
from brokerlink.web.masking import mask_account
from brokerlink.web.request import BadRequest, WebRequest
from brokerlink.web.responses import Response, json_answer, page, redirect
from brokerlink.web.site import Site
from ends import end_of, outcome_json, remember

_REFRESH_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Result:
    """Shows outcomes. `clock` gives epoch seconds."""

    settings: WebSettings
    attempts: Attempts
    telemetry: Telemetry
    clock: Callable[[], float]

    def __call__(self, request: WebRequest, _: Budget) -> Response:
        """Show an outcome. Raises `BadRequest`, `StorageError`."""
        if request.wants_json and not request.may_read_json:
            return not_our_page()
        site = Site.of(request, self.settings.base_url)
        parameters = request.parameters()
        if "error" in parameters:
            return self._listed(parameters["error"], request, site)
        attempt = self._attempt(parameters.get("attempt", ""), request, site)
        if attempt is None:
            return self._unknown(request, site)
        now = int(self.clock())
        if request.wants_json:
            return json_answer(self._json(attempt, now, site))
        if parameters.get("wait") == "1" and attempt.standing(now)[0] not in {Standing.PENDING, Standing.IN_PROGRESS}:
            return remember(redirect(end_of(attempt, now, site)), attempt, now, request, site)
        return remember(page(self._page(attempt, now, site)), attempt, now, request, site)

    def _attempt(self, attempt_id: str, request: WebRequest, site: Site) -> Attempt | None:
        """Give the attempt if it is this browser's, with what the clock has decided about it written down."""
        browser_key = site.cookies.browser_key(request.cookies)
        if browser_key is None or not STATE.fullmatch(attempt_id):
            return None
        row = self.attempts.read(attempt_id)
        if row is None or not hmac.compare_digest(row.browser_hash, digest(browser_key.reveal())):
            return None
        now = int(self.clock())
        # A run-out claim or hold is written as failed; an attempt that ran out at the broker reads so by itself.
        if row.status is Status.PENDING or row.standing(now)[0] is not Standing.FAILED:
            return row
        settled = self.attempts.settle(row, now)
        written = settled.row or row
        code = written.standing(now)[1]
        if settled.done and code is not None:
            self.telemetry.failed(code, broker=row.broker, attempt_id=attempt_id)
        return written

    def _page(self, attempt: Attempt, now: int, site: Site) -> str:
        name = self._name(attempt.broker)
        retry = site.retry(attempt.broker, attempt.attempt_id)
        onward = None if attempt.return_to is None else end_of(attempt, now, site)
        standing, code = attempt.standing(now)
        match standing:
            case Standing.PENDING:
                return pages.unfinished(name, retry)
            case Standing.IN_PROGRESS:
                return pages.waiting(name, _REFRESH_SECONDS)
            case Standing.CONFIRM:
                return pages.confirm(name, attempt.held_until or now, now=now, continue_href=onward)
            case Standing.CONNECTED:
                return pages.connected(
                    name,
                    attempt.account or "",
                    attempt.token_expires_at or now,
                    now=now,
                    continue_href=onward,
                    home_href=site.path("/"),
                )
            case Standing.FAILED if attempt.status is Status.SUCCEEDED:
                return pages.ended(name, attempt.token_expires_at or now, retry)
            case Standing.FAILED:
                failure = FAILURES[code or Code.INTERNAL]
                return pages.failed(
                    failure.title,
                    failure.text,
                    now=now,
                    home_href=site.path("/"),
                    broker=name,
                    retry_href=retry,
                    wait_until=attempt.retry_at,
                    reference=attempt.attempt_id,
                )

    def _json(self, attempt: Attempt, now: int, site: Site) -> dict[str, str | int | None]:
        outcome = outcome_json(attempt, now)
        standing, code = attempt.standing(now)
        again = standing in {Standing.PENDING, Standing.FAILED}
        return outcome | {
            "account": mask_account(attempt.account or "") if standing is Standing.CONNECTED else None,
            "message": None if code is None else FAILURES[code].text,
            "retry_url": site.url(f"/authorize/{attempt.broker}", retry=attempt.attempt_id) if again else None,
        }

    def _listed(self, error: str, request: WebRequest, site: Site) -> Response:
        # An enumeration's own error quotes the value.
        code = next((each for each in Code if each == error), None)
        if code is None:
            raise BadRequest("error is not one of the listed codes")
        failure = FAILURES[code]
        if request.wants_json:
            return json_answer({"status": Standing.FAILED, "error": code, "message": failure.text})
        return page(pages.failed(failure.title, failure.text, now=int(self.clock()), home_href=site.path("/")))

    def _unknown(self, request: WebRequest, site: Site) -> Response:
        if request.wants_json:
            return json_answer({"status": "unknown"}, 404)
        text = "We have no login of this browser under this address. It may have been removed after its day ended."
        return page(pages.notice("We do not know this login", text, href=site.path("/")), 404)

    def _name(self, broker_id: str) -> str:
        broker = self.settings.brokers.on.get(broker_id)
        return broker.name if broker is not None else broker_id

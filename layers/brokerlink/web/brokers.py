"""Finds the broker that a request's path names."""

from __future__ import annotations

from brokerlink.brokers import Brokers
from brokerlink.brokers.base import Broker
from brokerlink.errors import Code, SettingError
from brokerlink.telemetry import Telemetry
from brokerlink.web import pages
from brokerlink.web.edge import failure_page, json_error
from brokerlink.web.request import WebRequest
from brokerlink.web.responses import Response, page
from brokerlink.web.site import Site


def find_broker(request: WebRequest, brokers: Brokers, site: Site, telemetry: Telemetry) -> Broker | Response:
    """Give the broker, or the page that says why there is none: unknown (404), or off by its settings (503)."""
    broker_id = request.path_parameters.get("broker", "")
    if broker_id in brokers.on:
        return brokers.on[broker_id]
    if broker_id in brokers.off:
        telemetry.misconfigured(brokers.off[broker_id], broker=broker_id)
        if request.wants_json:
            return json_error(Code.APP_MISCONFIGURED, "this broker is switched off until its settings are mended")
        return failure_page(Code.APP_MISCONFIGURED)
    if request.wants_json:
        return json_error(Code.INVALID_REQUEST, "no broker has this name; GET / lists them", 404)
    text = "No broker of that name is offered here. Please choose one from the list."
    return page(pages.notice("We do not know this broker", text, href=site.path("/")), 404)


def report_settings(brokers: Brokers, telemetry: Telemetry, *others: SettingError | None) -> None:
    """Tell at init, once a process, what is wrong with the settings."""
    for broker_id, error in brokers.off.items():
        telemetry.misconfigured(error, broker=broker_id)
    for other in others:
        if other is not None:
            telemetry.misconfigured(other)

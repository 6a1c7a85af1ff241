"""Checks of what is reached over the network: clocks, TLS and endpoints."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import requests

from brokerlink.brokers.base import Broker
from tools.doctor.findings import Finding, fail, note, ok

# A cold start is waited for.
_SECONDS: Final = 15
# A 5paisa request token lives 30 seconds, and is still sent 60 seconds after it has run out.
_SKEW: Final = 5
_CERTIFICATE_DAYS: Final = 14


def origins(broker: Broker) -> list[str]:
    """Give scheme and host of each of a broker's URLs: its own, and that of an OAuth 2.0 broker's account."""
    values = [*vars(broker).values(), getattr(getattr(broker, "account", None), "url", None)]
    urls = [urlsplit(value) for value in values if isinstance(value, str) and value.startswith(("https://", "http://"))]
    return sorted({f"{url.scheme}://{url.netloc}" for url in urls})


def reach(what: str, url: str, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Ask a server for its first page: any HTTP answer over a verified connection will do; it tells the time too."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        yield from certificate(what, parts.hostname or "", parts.port or 443, clock)
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=_SECONDS, allow_redirects=False, stream=True)
    except requests.RequestException as error:
        yield fail(f"{what}: {url} does not answer ({type(error).__name__})", "is it up, and is its address right?")
        return
    if answer.status_code >= 500:
        yield note(f"{what}: {url} answers HTTP {answer.status_code}", "it may be down just now")
    else:
        yield ok(f"{what}: {url} answers")
    if date := answer.headers.get("Date"):
        yield from skew(what, date, clock())


def certificate(what: str, host: str, port: int, clock: Callable[[], float]) -> Iterator[Finding]:
    """Check the TLS certificate, by the system's authorities, and how long it lasts."""
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as connection,
            context.wrap_socket(connection, server_hostname=host) as tls,
        ):
            ends = ssl.cert_time_to_seconds(str((tls.getpeercert() or {})["notAfter"]))
    except ssl.SSLError as error:
        yield fail(f"{what}: TLS to {host} fails ({error.reason})", "nothing is sent there while that is so")
        return
    except OSError:
        return  # told by the request
    days = int((ends - clock()) // 86_400)
    if days < _CERTIFICATE_DAYS:
        yield note(f"{what}: the certificate of {host} ends in {days} days", "its owner has to renew it")
    else:
        yield ok(f"{what}: TLS to {host} is verified; its certificate ends in {days} days")


def skew(what: str, date: str, now: float) -> Iterator[Finding]:
    """Compare this machine's clock with a server's Date."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return
    seconds = datetime.fromtimestamp(now, UTC).timestamp() - theirs.timestamp()
    if abs(seconds) > _SKEW:
        yield note(
            f"{what}: its clock and this machine's differ by {seconds:.0f} s",
            "if this machine's is right, tokens may be refused early",
        )
    else:
        yield ok(f"{what}: its clock agrees with this machine's")

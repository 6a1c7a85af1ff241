"""Sends requests to brokers."""

import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal, cast

from urllib3 import HTTPHeaderDict, PoolManager
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from brokerlink.outbound.ahead import Ahead
from brokerlink.outbound.authorities import public_authorities
from brokerlink.outbound.body import read_body
from brokerlink.outbound.connection import TimedConnection, TimedPool, TimedTlsPool
from brokerlink.outbound.countdown import Countdown
from brokerlink.outbound.errors import NoAnswer, NotSent
from brokerlink.outbound.messages import Answer, Request
from brokerlink.outbound.opening import Resolve
from brokerlink.outbound.transfer import Transfer, current_transfer

MAX_SECONDS = 10.0
_LIBRARY_ERRORS = (HTTPError, http.client.HTTPException, OSError, ValueError)
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "brokerlink"}
# http.client lets a value go on in another line (RFC 9112 §5.2 forbids to send that).
_HEADER_VALUE: Final = re.compile(r"[^\s][^\r\n]*|")


class Outbound:
    """HTTP to brokers over a pool of kept-alive connections; one for the life of a process.

    TLS is always verified, against the public CAs or against `verify`, the path of a PEM bundle. Redirects
    are not followed, nothing is retried, proxies and other settings of the environment are ignored, and a
    cookie that a broker sets for one customer is not sent with the next one's request.
    """

    def __init__(
        self,
        *,
        verify: Literal[True] | str = True,
        monotonic: Callable[[], float] = time.monotonic,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        if verify is not True and not isinstance(verify, str):
            raise TypeError("verify is True or the path of a CA bundle: TLS is always verified")
        self._monotonic = monotonic
        self._resolve = resolve
        context = public_authorities() if verify is True else ssl.create_default_context(cafile=verify)
        self._pools = PoolManager(ssl_context=context)
        self._pools.pool_classes_by_scheme = {"http": TimedPool, "https": TimedTlsPool}
        self._ahead: tuple[TimedPool, Ahead[TimedConnection]] | None = None

    @contextmanager
    def opening(self, url: str, *, deadline: float) -> Iterator[None]:
        """Open a connection to the server of `url` meanwhile, which the first request to it with `fresh` takes.

        Raises nothing of its own: where it cannot be opened, the request meets the reason itself.
        """
        pool = self._pool(url)
        transfer = Transfer(Countdown(self._monotonic, deadline), fresh=True, resolve=self._resolve)
        ahead = pool.open_ahead(transfer, self._monotonic)
        self._ahead = pool, ahead
        try:
            yield
        finally:
            self._ahead = None
            ahead.close()

    def send(self, request: Request, *, deadline: float, fresh: bool) -> Answer:
        """Send `request` once and read the whole answer, whatever its status.

        All of it ends by `deadline`, on the clock `monotonic`, and after 10 s at the latest; of that, at most
        3 s go into opening a connection. With `fresh`, the request goes out on a connection opened for it
        (see `opening`); without, on a live one if there is one, which may have been dropped silently.

        Raises NotSent if nothing of the request left, and then it may be sent again; NoAnswer or
        AnswerTooLarge if it was sent, or may have been.
        """
        countdown = Countdown(self._monotonic, deadline).at_most(MAX_SECONDS)
        transfer = Transfer(countdown, fresh, self._resolve)
        token = current_transfer.set(transfer)
        try:
            if fresh and self._ahead is not None and self._pool(request.url) is self._ahead[0]:
                transfer.ahead = self._ahead[1]
            return self._exchange(request, countdown)
        except _LIBRARY_ERRORS as error:
            failure = transfer.library_failure(error)
        finally:
            current_transfer.reset(token)
        # Raised here and not in the handler: the libraries' exceptions hold the query and the headers.
        raise failure

    def _pool(self, url: str) -> TimedPool:
        return cast("TimedPool", self._pools.connection_from_url(url))

    def _exchange(self, request: Request, countdown: Countdown) -> Answer:
        if parse_url(request.url).scheme is None:  # urllib3 would warn, and take it for http
            raise NotSent("request")
        # The connections keep the time; urllib3's timeout, which starts anew with every read, backs them up.
        with self._pools.urlopen(
            request.method,
            request.url,
            body=request.body,
            headers=_headers(request.headers),
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=countdown.left(),
        ) as response:
            if not 200 <= response.status <= 599:
                # http.client skips 100 only. Another interim answer would pass for the final one, and that, still
                # to come on this connection, for the next request's (RFC 9110 §15.2).
                raise NoAnswer("protocol")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, read_body(response))


def _headers(own: Mapping[str, str]) -> HTTPHeaderDict:
    if not all(_HEADER_VALUE.fullmatch(value) for value in own.values()):
        raise NotSent("request")
    headers = HTTPHeaderDict(_HEADERS)
    headers.update(own)
    return headers

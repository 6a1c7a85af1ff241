"""Connections to AWS that never outlast their try: the SDK's own timeouts start anew with every byte that arrives."""

import http.client
import io
import socket
from contextvars import ContextVar
from typing import Any, Final, cast, override

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.client import BaseClient
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from brokerlink.outbound.countdown import Countdown
from brokerlink.outbound.errors import NotSent
from brokerlink.outbound.opening import open_socket
from brokerlink.outbound.timed_stream import TimedStream

# For all of a name's addresses together; and then for TLS.
CONNECT_SECONDS: Final = 1.0
# From the status line's first byte to the body's last.
READ_SECONDS: Final = 3.0

# Between a client and its connections stand botocore and urllib3, which pass nothing of ours through.
current_try: ContextVar[Countdown] = ContextVar("current_try")


def keep_time(client: BaseClient) -> None:
    """Let a botocore client open timed connections from now on. Each try needs its countdown in `current_try`."""
    # botocore has no setting for it; what it opens them with is a dictionary that its pool manager shares.
    session = cast("Any", client)._endpoint.http_session  # noqa: SLF001 - see above
    session._pool_classes_by_scheme.update(http=_TimedPool, https=_TimedTlsPool)  # noqa: SLF001 - see above


class _TimedResponse(http.client.HTTPResponse):
    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        countdown = current_try.get().at_most(READ_SECONDS)
        self.fp = io.BufferedReader(TimedStream(self.fp.detach(), sock, countdown))


class _TimedConnection(AWSHTTPConnection):
    response_class = _TimedResponse  # type: ignore[assignment]  # the stub knows the class that it has now

    @override
    def _new_conn(self) -> socket.socket:
        countdown = current_try.get()
        try:
            connection = open_socket(
                self._dns_host.strip("[]"),
                self.port,
                resolve=socket.getaddrinfo,
                countdown=countdown,
                connect_seconds=CONNECT_SECONDS,
            )
        except NotSent as error:
            kind = ConnectTimeoutError if error.reason == "timeout" else NewConnectionError
            raise kind(self, str(error)) from error
        for option in self.socket_options or ():
            connection.setsockopt(*option)
        connection.settimeout(countdown.at_most(CONNECT_SECONDS).left())
        return connection


class _TimedTlsConnection(_TimedConnection, AWSHTTPSConnection):  # type: ignore[misc]  # so are the SDK's own two
    pass


class _TimedPool(AWSHTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedTlsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TimedTlsConnection

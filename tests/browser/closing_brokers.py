"""Both simulators on a port that can be closed for a while: what they know is kept, and nobody can connect."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from local.ports import begin_listening, reserve
from local.simulators import demo_clients
from local.simulators.application import Application
from local.simulators.fivepaisa import fivepaisa_routes
from local.simulators.http_server import HttpServer
from local.simulators.pocketful import pocketful_routes

_SETTING = "BROKERS_PORT"


class ClosingBrokers:
    """The brokers, closed at first; `toml` is a brokers.local.toml with apps there, 5paisa's entered by a form."""

    def __init__(self) -> None:
        # Of a loopback address, any port is the registered one (RFC 8252 §7.3).
        clients = demo_clients("http://127.0.0.1/callback/pocketful")
        self._reserved = reserve(0, _SETTING)
        self._port: int = self._reserved.getsockname()[1]
        self._server: HttpServer | None = None
        self.application = Application(
            (*pocketful_routes(clients.pocketful, time.time), *fivepaisa_routes(clients.fivepaisa, time.time)),
            hosts=frozenset({f"localhost:{self._port}"}),
        )
        (pocketful,), (fivepaisa,) = clients.pocketful, clients.fivepaisa
        url = f"http://localhost:{self._port}"
        self.toml = f"""\
[pocketful]
client_id = "{pocketful.client_id}"
client_secret = "{pocketful.client_secret}"
auth_base = "{url}/pocketful"
api_base = "{url}/pocketful"

[fivepaisa]
vendor_key = "{fivepaisa.vendor_key}"
encryption_key = "{fivepaisa.encryption_key}"
user_id = "{fivepaisa.user_id}"
login_base = "{url}/fivepaisa"
api_base = "{url}/fivepaisa"
login_method = "post"
"""

    def open(self) -> None:
        """Take connections."""
        if self._server is None:
            with begin_listening(self._reserved, _SETTING) as listener:
                self._server = HttpServer(listener, self.application.answer)
            self._server.start()

    def close(self) -> None:
        """Refuse connections; the port stays taken."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._reserved = reserve(self._port, _SETTING)

    def end(self) -> None:
        """Close for good."""
        self.close()
        self._reserved.close()


@contextmanager
def serve_closing_brokers() -> Iterator[ClosingBrokers]:
    """Have the brokers until this is left."""
    brokers = ClosingBrokers()
    try:
        yield brokers
    finally:
        brokers.end()

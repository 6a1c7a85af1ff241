"""Both broker simulators on one loopback port."""

from typing import Self

from local.ports import listen
from local.simulators.application import Application
from local.simulators.clients import SimulatorClients
from local.simulators.clock import Clock
from local.simulators.faults import Faults
from local.simulators.fivepaisa import fivepaisa_routes
from local.simulators.http_server import HttpServer
from local.simulators.pocketful import pocketful_routes
from local.simulators.recorder import Recorder


class RunningSimulators:
    """The simulators while they run. Use it in a `with` statement, or call `close`."""

    def __init__(self, server: HttpServer, application: Application) -> None:
        self._server = server
        self.port: int = server.port
        # By name, so that for a browser the broker and an app on 127.0.0.1 are different sites.
        self.url = f"http://localhost:{self.port}"
        self.pocketful_url = f"{self.url}/pocketful"
        self.fivepaisa_url = f"{self.url}/fivepaisa"
        self.faults: Faults = application.faults
        self.recorder: Recorder = application.recorder

    def close(self) -> None:
        """Stops listening and ends every connection, also hanging ones; leaves no thread. Repeatable."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def serve(port: int, *, clients: SimulatorClients, clock: Clock) -> RunningSimulators:
    """Starts both simulators on 127.0.0.1; they answer when this returns.

    `port` 0 lets the system choose; `clock` gives epoch seconds. Nothing is kept from one start to the next.
    Raises `local.errors.PortInUseError`.
    """
    with listen(port, "BROKERS_PORT") as listener:
        chosen = listener.getsockname()[1]
        application = Application(
            (*pocketful_routes(clients.pocketful, clock), *fivepaisa_routes(clients.fivepaisa, clock)),
            hosts=frozenset({f"127.0.0.1:{chosen}", f"localhost:{chosen}"}),
        )
        server = HttpServer(listener, application.answer)
    server.start()
    return RunningSimulators(server, application)

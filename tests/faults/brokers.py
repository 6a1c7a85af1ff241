"""Both brokers on one loopback port, raw bytes over TLS: good until told otherwise, and exact about what they saw."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs

from brokerlink.outbound.opening import AddressInfo
from tests.kit.core import jwt
from tests.kit.world import MIDNIGHT
from tests.unit.outbound_certificates import make_authority, server_context
from tests.unit.outbound_server import Peer, Server, answer

ACCOUNTS = {"pocketful": "YA0002", "fivepaisa": "50052770"}
ACCESS_TOKENS = {
    "pocketful": "canary-access-token",
    "fivepaisa": jwt({"unique_name": ACCOUNTS["fivepaisa"], "exp": MIDNIGHT - 1, "jti": "canary"}),
}

type Script = Callable[[Peer, bytes], None]
"""What a broker does with a request that it has read, given a good answer's body; the connection ends after it."""


class Endpoint(StrEnum):
    """The brokers' endpoints that the functions call, by their paths."""

    POCKETFUL_TOKEN = "/pocketful/oauth2/token"
    POCKETFUL_IDENTITY = "/pocketful/api/v1/user/trading_info"
    FIVEPAISA_TOKEN = "/fivepaisa/VendorsAPI/Service1.svc/GetAccessToken"


_GOOD: Mapping[Endpoint, bytes] = {
    endpoint: json.dumps(body).encode()
    for endpoint, body in {
        Endpoint.POCKETFUL_TOKEN: {
            "access_token": ACCESS_TOKENS["pocketful"],
            "token_type": "bearer",
            "expires_in": 86399,
            "scope": "orders holdings",
        },
        Endpoint.POCKETFUL_IDENTITY: {"status": "success", "data": {"client_id": ACCOUNTS["pocketful"]}},
        Endpoint.FIVEPAISA_TOKEN: {
            "head": {"Status": 0},
            "body": {"Status": 0, "AccessToken": ACCESS_TOKENS["fivepaisa"], "ClientCode": ACCOUNTS["fivepaisa"]},
        },
    }.items()
}


class Road(StrEnum):
    """The ways in which no request reaches a broker."""

    NO_NAME = "no name"
    REFUSED = "refused"
    SILENT = "silent"
    RESET = "reset while TLS is made"
    UNREAD = "reset before the request is read"


@dataclass(frozen=True)
class BrokerFault:
    """One thing that goes wrong at a broker: on the road, or with a request that arrived.

    With `hangs`, a request ends by its deadline alone. With `rotates`, the app's secret is replaced meanwhile.
    """

    road: Road | None = None
    script: Script | None = None
    hangs: bool = False
    rotates: bool = False


@dataclass(eq=False)
class FaultyBrokers:
    """The brokers while they run.

    `bundle` is the file with the certificate of who vouches for them, `context` their own side of it. `seen` are the
    grants that their token endpoints have read, in their order, `asked` how often an identity endpoint has read a
    request. `arrived` says whether the request that was expected last has been read.
    """

    refusing: int
    silent: int
    bundle: Path
    context: ssl.SSLContext
    seen: list[str] = field(default_factory=list)
    asked: int = 0
    rotate: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.server = Server(self._serve)
        self.arrived = threading.Event()
        self._number = 0
        self.renew()

    def renew(self) -> None:
        """Forget all that was seen, and be good again."""
        self.seen.clear()
        self.asked = 0
        self._number += 1
        self._expected: Endpoint | None = None
        self.mend()

    def meet(self, endpoint: Endpoint | None, fault: BrokerFault, *, times: int) -> None:
        """Let the next `times` requests to the endpoint meet the fault."""
        self._endpoint, self._fault, self._times = endpoint, fault, times

    def mend(self) -> None:
        """Be good again."""
        self.meet(None, BrokerFault(), times=0)

    @property
    def url(self) -> str:
        """Where both are. Each renewal moves them, so that what an earlier test left behind cannot reach them."""
        return f"https://localhost:{self.server.port}/{self._number}"

    def expect(self, endpoint: Endpoint) -> BrokerFault | None:
        """Tell that a request to the endpoint is on its way, and learn what it will meet."""
        self._expected = endpoint
        self.arrived.clear()
        return self._fault if self._meets(endpoint) else None

    def resolve(self, _host: str, port: int, _family: int, _kind: int) -> Sequence[AddressInfo]:
        """Resolve the brokers' name, as `socket.getaddrinfo` does."""
        road = self._fault.road if self._meets(self._expected) else None
        if road in {Road.NO_NAME, Road.REFUSED, Road.SILENT}:
            self._times -= 1
        if road is Road.NO_NAME:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        ports = {Road.REFUSED: self.refusing, Road.SILENT: self.silent}
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", ports.get(road, port) if road else port))]

    def _meets(self, endpoint: Endpoint | None) -> bool:
        return endpoint is not None and endpoint is self._endpoint and self._times > 0

    def _serve(self, peer: Peer) -> None:
        road = self._fault.road if self._meets(self._expected) else None
        if road in {Road.RESET, Road.UNREAD}:
            self._times -= 1
        if road is Road.RESET:
            peer.connection.recv(1)
            peer.reset()
            return
        with self.context.wrap_socket(peer.connection, server_side=True) as secured:
            # It has taken the place of the connection that the server would close at its end.
            self.server._peers.append(secured)
            secure = Peer(secured, peer._over)
            if road is Road.UNREAD:
                secured.recv(1)
                secure.reset()
                return
            self._talk(secure)

    def _talk(self, peer: Peer) -> None:
        while request := peer.read_request():
            _, number, path = request.split(b" ", 2)[1].decode().split("/", 2)
            if int(number) != self._number:
                return
            endpoint = Endpoint(f"/{path}")
            good = self._read(endpoint, request)
            self.arrived.set()
            if self._meets(endpoint):
                self._times -= 1
                if self._fault.rotates:
                    self.rotate()
                assert self._fault.script is not None
                self._fault.script(peer, good)
                return
            if self._fault.road is not None:
                # What goes wrong on the way to the identity endpoint needs a connection of its own.
                peer.send(answer(good, "Connection: close"))
                return
            peer.send(answer(good))

    def _read(self, endpoint: Endpoint, request: bytes) -> bytes:
        body = request.partition(b"\r\n\r\n")[2].decode()
        match endpoint:
            case Endpoint.POCKETFUL_TOKEN:
                self.seen.append(parse_qs(body)["code"][0])
            case Endpoint.FIVEPAISA_TOKEN:
                self.seen.append(json.loads(body)["body"]["RequestToken"])
            case Endpoint.POCKETFUL_IDENTITY:
                self.asked += 1
        return _GOOD[endpoint]


@contextmanager
def faulty_brokers() -> Iterator[FaultyBrokers]:
    """Run the brokers, with a port beside them that refuses and one that swallows connection requests."""
    with contextlib.ExitStack() as stack:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            refusing: int = gone.getsockname()[1]
        # A full queue that nobody accepts from.
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(silent.getsockname())
        folder = Path(stack.enter_context(TemporaryDirectory()))
        authority = make_authority(folder / "authority")
        brokers = FaultyBrokers(refusing, silent.getsockname()[1], authority.bundle, server_context(folder, authority))
        stack.enter_context(brokers.server)
        yield brokers

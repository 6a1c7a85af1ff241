"""Names that do not resolve, addresses that do not answer: nothing was sent."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from brokerlink.outbound import NotSent, Outbound, Request
from brokerlink.outbound.connection import CONNECT_SECONDS
from brokerlink.outbound.countdown import Countdown
from brokerlink.outbound.opening import AddressInfo, open_socket
from tests.unit.outbound_server import PATIENCE, Clock, Server, answer, answering, get


class Resolver:
    """A name server that gives one answer to every question."""

    def __init__(self, *ports: int, host: str = "127.0.0.1") -> None:
        self.asked: list[tuple[str, int]] = []
        self._addresses: list[AddressInfo] = [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port)) for port in ports
        ]

    def __call__(self, host: str, port: int, _family: int, _kind: int) -> Sequence[AddressInfo]:
        self.asked.append((host, port))
        return self._addresses


@pytest.fixture
def refusing() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that swallows connection requests: a full queue that nobody accepts from."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def not_sent(outbound: Outbound, url: str = "http://broker.example/token", seconds: float = 5.0) -> str:
    with pytest.raises(NotSent) as caught:
        get(outbound, url, seconds=seconds)
    return caught.value.reason


def test_refused(refusing: int) -> None:
    assert not_sent(Outbound(), f"http://127.0.0.1:{refusing}/") == "refused"


def test_connection_request_is_swallowed(silent: int) -> None:
    assert not_sent(Outbound(), f"http://127.0.0.1:{silent}/", seconds=0.3) == "timeout"


def test_all_addresses_are_dead(silent: int, refusing: int) -> None:
    assert not_sent(Outbound(resolve=Resolver(silent, silent, silent)), seconds=0.3) == "timeout"
    assert not_sent(Outbound(resolve=Resolver(silent, refusing)), seconds=0.3) == "refused"


def test_unreachable_address() -> None:
    assert not_sent(Outbound(resolve=Resolver(80, host="255.255.255.255"))) == "unreachable"


def test_first_address_refuses_and_the_second_answers(refusing: int) -> None:
    with Server(answering(answer())) as server:
        outbound = Outbound(resolve=Resolver(refusing, server.port))
        assert get(outbound, "http://broker.example/").status == 200


def test_first_address_swallows_and_the_second_answers(silent: int) -> None:
    with Server(answering(answer())) as server:
        outbound = Outbound(resolve=Resolver(silent, server.port))
        assert get(outbound, "http://broker.example/", seconds=2.5).status == 200


def test_every_address_gets_its_turn(silent: int) -> None:
    with Server(answering(answer())) as server:
        outbound = Outbound(resolve=Resolver(silent, silent, silent, silent, server.port))
        assert get(outbound, "http://broker.example/", seconds=2.5).status == 200


def test_name_is_resolved_once_for_each_connection() -> None:
    with Server(answering(answer())) as server:
        resolver = Resolver(server.port)
        outbound = Outbound(resolve=resolver)
        for fresh in (True, False, False, True):
            get(outbound, "http://Broker.example:8080/", fresh=fresh)
    assert resolver.asked == [("broker.example", 8080)] * 2


def test_address_of_version_six_is_resolved_without_its_brackets(refusing: int) -> None:
    resolver = Resolver(refusing)
    not_sent(Outbound(resolve=resolver), "http://[::1]:8080/")
    assert resolver.asked == [("::1", 8080)]


@pytest.mark.parametrize(
    "error",
    [
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"),
        UnicodeError("label too long"),
    ],
)
def test_name_does_not_resolve(error: Exception) -> None:
    def resolve(*_: object) -> Sequence[AddressInfo]:
        raise error

    assert not_sent(Outbound(resolve=resolve)) == "dns"


def test_name_without_addresses() -> None:
    assert not_sent(Outbound(resolve=Resolver())) == "dns"


def test_name_that_the_system_refuses() -> None:
    assert not_sent(Outbound(), f"http://{'a' * 64}.invalid/") in {"dns", "request"}
    assert not_sent(Outbound(), "http://no-such-host.invalid/") == "dns"


def test_name_server_hangs(refusing: int) -> None:
    """Where the lookup were waited for, the failure would be that of its address."""
    release, released = threading.Event(), threading.Event()

    def resolve(host: str, port: int, family: int, kind: int) -> Sequence[AddressInfo]:
        release.wait(2)
        released.set()
        return Resolver(refusing)(host, port, family, kind)

    assert not_sent(Outbound(resolve=resolve), seconds=0.3) == "dns"
    release.set()
    assert released.wait(PATIENCE)


@pytest.mark.parametrize(("seconds", "enough"), [(CONNECT_SECONDS - 2, True), (CONNECT_SECONDS + 0.1, False)])
def test_opening_takes_at_most_three_of_the_ten_seconds(seconds: float, *, enough: bool) -> None:
    clock = Clock()
    with Server(answering(answer())) as server:
        resolver = Resolver(server.port)

        def resolve(host: str, port: int, family: int, kind: int) -> Sequence[AddressInfo]:
            clock.jumped += seconds
            return resolver(host, port, family, kind)

        outbound = Outbound(monotonic=clock, resolve=resolve)
        request = Request("GET", "http://broker.example/", {})
        if enough:
            assert outbound.send(request, deadline=clock() + 10, fresh=True).status == 200
        else:
            with pytest.raises(NotSent) as caught:
                outbound.send(request, deadline=clock() + 10, fresh=True)
            assert caught.value.reason == "timeout"
            # Time is left: the caller may send it again.
            clock.jumped -= seconds
            assert time.monotonic() < clock() + 10


def test_connect_failures_leave_no_socket_behind(refusing: int, silent: int) -> None:
    """A socket left to the collector is a ResourceWarning, which is an error here."""
    for _ in range(3):
        not_sent(Outbound(resolve=Resolver(silent, refusing)), seconds=0.1)


def test_time_to_connect_begins_when_the_addresses_are_known(silent: int) -> None:
    clock = Clock()

    def resolve_slowly(*_: object) -> Sequence[AddressInfo]:
        clock.jumped += 20
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    with Server(answering(answer())) as server:
        port = server.port
        countdown = Countdown(clock, clock() + 60)
        open_socket("aws.example", 443, resolve=resolve_slowly, countdown=countdown, connect_seconds=10).close()
    port = silent
    with pytest.raises(NotSent) as caught:
        open_socket("aws.example", 443, resolve=resolve_slowly, countdown=countdown, connect_seconds=0.2)
    assert caught.value.reason == "timeout"

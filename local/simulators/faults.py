"""Faults that the simulators are told to have: which there are, and which one the next request meets."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """How a request goes wrong. One that is carried out changes the broker's state; its answer is spoilt."""

    STATUS = "status"
    """Answered with that status and a gateway's HTML page; not carried out."""
    HANG = "hang"
    """Taken, not carried out, never answered."""
    RESET = "reset"
    """The connection is reset; not carried out."""
    RESET_AFTER = "reset-after"
    """Carried out, then the connection is reset."""
    DRIP_HEADERS = "drip:headers"
    """Carried out, answered at a byte a second from the status line on."""
    DRIP_BODY = "drip:body"
    """Carried out, the headers come at once and the body at a byte a second."""
    HTML = "html"
    """Answered 200 with an HTML page; not carried out."""
    TRUNCATED = "truncated"
    """Carried out, the connection closed before the promised Content-Length is reached."""
    OVERSIZED = "oversized"
    """Carried out, the answer padded far beyond any cap."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one kind; `status` is the HTTP status where the kind is STATUS, else 0."""

    kind: FaultKind
    status: int = 0

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Reads a fault's name, such as `hang` or `status:503`. Raises `UnknownFaultError`."""
        name, _, code = text.partition(":")
        if name == FaultKind.STATUS and code.isascii() and code.isdigit() and 200 <= int(code) <= 599:
            return cls(FaultKind.STATUS, int(code))
        for kind in FaultKind:
            if text == kind and kind is not FaultKind.STATUS:
                return cls(kind)
        names = ", ".join("status:<200-599>" if kind is FaultKind.STATUS else kind for kind in FaultKind)
        raise UnknownFaultError(f"There is no such fault; there are {names}.")

    def __str__(self) -> str:
        return f"{self.kind}:{self.status}" if self.kind is FaultKind.STATUS else self.kind.value


class UnknownFaultError(ValueError):
    """There is no such broker, endpoint or fault; the message is a sentence that says which there are."""


class Faults:
    """The faults that are set, at most one for each broker and endpoint. Thread-safe."""

    def __init__(self, endpoints: Mapping[str, frozenset[str]]) -> None:
        """`endpoints`: for each broker, its endpoints that can fail."""
        self._endpoints = endpoints
        self._set: dict[tuple[str, str], tuple[Fault, int]] = {}
        self._lock = threading.Lock()

    def set(self, broker: str, endpoint: str, fault: str, *, times: int = 1) -> None:
        """The next `times` requests to the endpoint meet the fault, in place of any set before.

        Raises `UnknownFaultError`.
        """
        self._check(broker, endpoint)
        parsed = Fault.parse(fault)
        with self._lock:
            self._set[broker, endpoint] = (parsed, times)

    def clear(self, broker: str, endpoint: str) -> None:
        """The endpoint works again. Raises `UnknownFaultError`."""
        self._check(broker, endpoint)
        with self._lock:
            self._set.pop((broker, endpoint), None)

    def take(self, broker: str, endpoint: str) -> Fault | None:
        """The fault that a request to the endpoint meets now; each call uses one of its times up."""
        with self._lock:
            fault, times = self._set.pop((broker, endpoint), (None, 0))
            if fault is None or times < 1:
                return None
            if times > 1:
                self._set[broker, endpoint] = (fault, times - 1)
            return fault

    def remaining(self, broker: str, endpoint: str) -> int:
        """How many requests to the endpoint will still meet its fault."""
        with self._lock:
            return self._set.get((broker, endpoint), (None, 0))[1]

    def _check(self, broker: str, endpoint: str) -> None:
        if broker not in self._endpoints:
            raise UnknownFaultError(f"There is no such broker; there are {', '.join(sorted(self._endpoints))}.")
        if endpoint not in self._endpoints[broker]:
            known = ", ".join(sorted(self._endpoints[broker]))
            raise UnknownFaultError(f"{broker} has no such endpoint; it has {known}.")

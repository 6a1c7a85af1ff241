"""How a simulator names its endpoints to the server that hosts it."""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: `handler` answers `path`, whatever the method. Faults can be set where `can_fail`."""

    broker: str
    endpoint: str
    path: str
    handler: Callable[[Request], Response]
    can_fail: bool = True

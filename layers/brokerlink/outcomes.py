"""What a callback brings, and the ways in which it can end. `web` turns each into a response; nobody else decides."""

from __future__ import annotations

from dataclasses import dataclass

from brokerlink.attempts import Attempt
from brokerlink.brokers.base import Grant
from brokerlink.errors import Code, LoginError
from brokerlink.secret import Secret


@dataclass(frozen=True, slots=True)
class Budget:
    """An invocation's time on the monotonic clock: a page within `answer_by`, the process ends at `ends`."""

    answer_by: float
    ends: float


@dataclass(frozen=True, slots=True)
class Callback:
    """A well-formed callback: what it reports is a grant, or a refusal, or (neither) nothing."""

    state: Secret
    grant: Grant | None = None
    refusal: Code | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt's row tells the outcome. `here` says whether this callback brought it about, and why it failed."""

    attempt: Attempt
    here: bool = False
    failure: LoginError | None = None
    scope_reduced: bool = False


@dataclass(frozen=True, slots=True)
class StillRunning:
    """Another callback of this attempt is at the broker; or there is a `failure` that could not be written."""

    attempt_id: str
    failure: LoginError | None = None


@dataclass(frozen=True, slots=True)
class NothingConsumed:
    """The same callback may come again: it was not ready, or nothing was sent."""

    attempt_id: str
    failure: LoginError


@dataclass(frozen=True, slots=True)
class Unattributable:
    """No attempt of this broker has that state."""


@dataclass(frozen=True, slots=True)
class WrongBrowser:
    """The attempt began in another browser."""


type Finished = Ended | StillRunning | NothingConsumed | Unattributable | WrongBrowser

"""Looks inside while paths are walked: every dataclass that is made, and every exception on its way."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import brokerlink
from brokerlink.aws import TooLate
from brokerlink.errors import FAILURES, BrokerlinkError
from brokerlink.events import UnpublishableRecord
from brokerlink.outbound import OutboundError
from brokerlink.reader import TokenError
from brokerlink.whole import NotWhole
from publish import NotNow
from tests.canaries.seen import Seen

_ROOT: Final = Path(__file__).parents[2]
_OURS: Final = (str(_ROOT / "layers"), str(_ROOT / "functions"))
_OUR_ERRORS: Final = (BrokerlinkError, UnpublishableRecord, NotNow, NotWhole, TooLate)
_FUNCTIONS: Final = (
    *("authorize_app", "home", "prepare", "start"),
    *("callback_app", "confirm", "ends", "finish", "result"),
    "publish",
)


def classes_of_the_product() -> list[type]:
    """Give every class of the library and the functions."""
    names = [each.name for each in pkgutil.walk_packages(brokerlink.__path__, "brokerlink.")]
    modules = [importlib.import_module(name) for name in (*names, *_FUNCTIONS)]
    return [
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if each.__module__ == module.__name__
    ]


def dataclasses_of_the_product() -> set[type]:
    """Give every dataclass among them."""
    return {each for each in classes_of_the_product() if dataclasses.is_dataclass(each)}


def errors_of_the_product() -> set[type]:
    """Give every exception among them, without those that are only the roots of others."""
    roots = {BrokerlinkError, OutboundError, TokenError}
    return {each for each in classes_of_the_product() if issubclass(each, Exception)} - roots


class Inside:
    """Keeps how dataclasses and exceptions show themselves; `made` and `raised` are the classes that there were."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.made: set[type] = set()
        self.raised: set[type] = set()

    def look_at(self, value: object) -> None:
        """Keep how a value shows itself."""
        self.made.add(type(value))
        self._seen.note("repr", " ".join({repr(value), str(value), f"{value}"}), where=type(value).__qualname__)

    def look_at_error(self, error: BaseException) -> None:
        """Keep all that an exception says, with those that it was raised from or during."""
        self.raised.add(type(error))
        where, chain, known = type(error).__qualname__, [error], {id(error)}
        for each in chain:
            notes = getattr(each, "__notes__", "")
            # A decoder's error carries the text that it choked on; ours may carry a row, for whoever catches them.
            attributes = {} if isinstance(each, BrokerlinkError) else vars(each)
            self._seen.note("exception", f"{each} {each!r} {each.args} {notes} {attributes}", where=where)
            for cause in (each.__cause__, each.__context__):
                if cause is not None and id(cause) not in known:
                    known.add(id(cause))
                    chain.append(cause)
        self._seen.note("exception", "".join(traceback.format_exception(error)), where=where)


@contextmanager
def looking_inside(seen: Seen) -> Iterator[Inside]:
    """See every dataclass of the product that is made, its own exceptions, and those that leave it."""
    inside = Inside(seen)
    for row in FAILURES.values():
        inside.look_at(row)
    kept = {each: each.__init__ for each in dataclasses_of_the_product()}  # type: ignore[misc]  # put back below
    for each, init in kept.items():
        setattr(each, "__init__", _noting(init, inside))  # noqa: B010 - mypy knows no assignment to a method
    tool, events, monitoring = sys.monitoring.DEBUGGER_ID, sys.monitoring.events, sys.monitoring

    def raised(code: CodeType, _: int, error: BaseException) -> None:
        if isinstance(error, _OUR_ERRORS) and code.co_filename.startswith(_OURS):
            inside.look_at_error(error)

    def unwound(code: CodeType, _: int, error: BaseException) -> None:
        if code.co_filename.startswith(_OURS) and not _is_ours(sys._getframe(1).f_back):
            inside.look_at_error(error)

    monitoring.use_tool_id(tool, "canaries")
    monitoring.register_callback(tool, events.RAISE, raised)
    monitoring.register_callback(tool, events.PY_UNWIND, unwound)
    monitoring.set_events(tool, events.RAISE | events.PY_UNWIND)
    try:
        yield inside
    finally:
        monitoring.set_events(tool, events.NO_EVENTS)
        for event in (events.RAISE, events.PY_UNWIND):
            monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)
        for each, init in kept.items():
            setattr(each, "__init__", init)  # noqa: B010 - the same


def _is_ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename.startswith(_OURS)


def _noting(init: Any, inside: Inside) -> Any:
    def made(self: object, *args: Any, **given: Any) -> None:
        init(self, *args, **given)
        inside.look_at(self)

    return made

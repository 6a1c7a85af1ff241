"""What an event says of the token that it announces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Announced:
    """Whose token an event announces, of which attempt, and when it was issued (epoch seconds)."""

    user_id: str
    broker: str
    account: str
    attempt_id: str
    issued_at: int

    @classmethod
    def read(cls, event: Mapping[str, Any] | str) -> Self:
        """Read a CloudEvent, or its text. Raises `ValueError`, which quotes nothing of it."""
        with suppress(ValueError, KeyError, TypeError, OverflowError, RecursionError):
            document = json.loads(event) if isinstance(event, str) else event
            data = document["data"]
            return cls(
                _text(data["user_id"]),
                _text(data["broker"]),
                _text(data["account"]),
                _text(document["id"]),
                int(data["issued_at"]),
            )
        # Not in a handler: what was raised there carries the text, and would hang on this as its context.
        raise ValueError("this is not a brokerlink event")

    def means(self, *, attempt_id: str, issued_at: int) -> bool:
        """Say whether the event can mean this row: its own, or one of a later login, which has replaced it."""
        return attempt_id == self.attempt_id or issued_at > self.issued_at


def _text(value: object) -> str:
    # Longer than any of ours, and short enough for every key and encryption context.
    if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= 256:
        raise TypeError
    return value

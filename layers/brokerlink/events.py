"""What is told to the world when a token has been stored: a CloudEvent made from the row's stream record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

TOKEN_ISSUED: Final = "brokerlink.token.issued.v1"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
DATA_SCHEMA: Final = "urn:brokerlink:schema:token.issued.v1"


class UnpublishableRecord(Exception):
    """A stream record that no retry can make into an event; the text names the attribute."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to publish: SNS message and message attributes."""

    message: str
    attributes: Mapping[str, str]


def is_issue(record: Mapping[str, Any]) -> bool:
    """Say whether a stream record is the issue of a token.

    It is where a row is new, or its `attempt_id` has changed. A removal, by TTL or by hand, issues nothing.
    """
    change = part(record, "dynamodb")
    match record:
        case {"eventName": "INSERT"}:
            return True
        case {"eventName": "MODIFY"}:
            new, old = part(change, "NewImage"), part(change, "OldImage")
            return bool(new.get("attempt_id") != old.get("attempt_id"))
        case _:
            return False


def token_issued(record: Mapping[str, Any], *, source: str) -> Event:
    """Make the event of a stream record (CloudEvents 1.0, JSON format). Times in `data` are epoch seconds.

    Raises `UnpublishableRecord`.
    """
    image = part(part(record, "dynamodb"), "NewImage")
    broker, account, user_id = _text(image, "broker"), _text(image, "account"), _text(image, "user_id")
    issued_at_ms = _number(image, "issued_at_ms")
    event = {
        "specversion": "1.0",
        "id": _text(image, "attempt_id"),
        "source": source,
        "type": TOKEN_ISSUED,
        "subject": f"{broker}/{account}",
        "time": datetime.fromtimestamp(issued_at_ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": DATA_SCHEMA,
        "data": {
            "broker": broker,
            "account": account,
            "user_id": user_id,
            "scope": _text(image, "scope"),
            "issued_at": issued_at_ms // 1000,
            "expires_at": _number(image, "expires_at"),
        },
    }
    return Event(json.dumps(event, separators=(",", ":")), {"type": TOKEN_ISSUED, "broker": broker})


def part(whole: object, name: str) -> Mapping[str, Any]:
    """Give an object within a record; empty where there is none: one odd record must not stop those behind it."""
    value = whole.get(name) if isinstance(whole, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _text(image: Mapping[str, Any], name: str) -> str:
    value = part(image, name).get("S")
    # Half a surrogate pair can be sent nowhere.
    if not isinstance(value, str) or _SURROGATE.search(value):
        raise UnpublishableRecord(f"{name} is missing or no text")
    return value


def _number(image: Mapping[str, Any], name: str) -> int:
    value = part(image, name).get("N")
    # Thirteen digits of milliseconds reach the year 2286; with more, no date can be made.
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 13:
        raise UnpublishableRecord(f"{name} is missing or no point in time")
    return int(value)

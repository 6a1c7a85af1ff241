"""What is told to the world when a token has been stored: a CloudEvent made from the row's stream record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

TOKEN_ISSUED: Final = "brokerlink.token.issued.v1"
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
    images = record.get("dynamodb", {})
    match record.get("eventName"):
        case "INSERT":
            return True
        case "MODIFY":
            new, old = images.get("NewImage", {}), images.get("OldImage", {})
            return bool(new.get("attempt_id") != old.get("attempt_id"))
        case _:
            return False


def token_issued(record: Mapping[str, Any], *, source: str) -> Event:
    """Make the event of a stream record (CloudEvents 1.0, JSON format). Times in `data` are epoch seconds.

    Raises `UnpublishableRecord`.
    """
    image = record.get("dynamodb", {}).get("NewImage", {})
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


def _text(image: Mapping[str, Any], name: str) -> str:
    value = image.get(name, {}).get("S")
    if not isinstance(value, str):
        raise UnpublishableRecord(f"{name} is missing or no text")
    return value


def _number(image: Mapping[str, Any], name: str) -> int:
    value = image.get(name, {}).get("N")
    # Thirteen digits of milliseconds reach the year 2286; with more, no date can be made.
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 13:
        raise UnpublishableRecord(f"{name} is missing or no point in time")
    return int(value)

"""What is told to the world: a CloudEvent made from the stream record of the write that it tells of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from brokerlink.expiry import IST
from brokerlink.web.masking import mask_account

TOKEN_ISSUED: Final = "brokerlink.token.issued.v1"
LOGIN_FAILED: Final = "brokerlink.login.failed.v1"
LOGIN_REMINDER: Final = "brokerlink.login.reminder.v1"
TOKEN_EXPIRING: Final = "brokerlink.token.expiring.v1"
TOKEN_REVOKED: Final = "brokerlink.token.revoked.v1"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class UnpublishableRecord(Exception):
    """A stream record that no retry can make into an event; the text names the attribute."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What an e-mail says instead of the message. The subject is ASCII of at most 100 characters (SNS API, Publish)."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to publish: SNS message and message attributes; for some, a letter to a person."""

    message: str
    attributes: Mapping[str, str]
    letter: Letter | None = None


def data_schema(event_type: str) -> str:
    """Give the URN of the schema of an event's type."""
    return event_type.replace("brokerlink.", "urn:brokerlink:schema:", 1)


def is_issue(record: Mapping[str, Any]) -> bool:
    """Say whether a record of Tokens is the issue of a token.

    It is where a row is new, or its `attempt_id` has changed. A removal, by TTL or by hand, issues nothing.
    """
    return _sets(record, "attempt_id")


def is_notice(record: Mapping[str, Any]) -> bool:
    """Say whether a record of Links tells something: where its row has come to a `notice_id` that it had not."""
    return "notice_id" in part(part(record, "dynamodb"), "NewImage") and _sets(record, "notice_id")


def is_failure(record: Mapping[str, Any]) -> bool:
    """Say whether a record of LoginAttempts is the failure of a login: its row has become FAILED, which it stays."""
    image = part(part(record, "dynamodb"), "NewImage")
    return part(image, "status") == {"S": "FAILED"} and _sets(record, "status")


def token_issued(record: Mapping[str, Any], *, source: str) -> Event:
    """Make the event of a stored token (CloudEvents 1.0, JSON format). Times in `data` are epoch seconds.

    Raises `UnpublishableRecord`.
    """
    image = part(part(record, "dynamodb"), "NewImage")
    issued_at_ms = _number(image, "issued_at_ms")
    data = {
        **_connection(image),
        "scope": _text(image, "scope"),
        "issued_at": issued_at_ms // 1000,
        "expires_at": _number(image, "expires_at"),
    }
    return _event(TOKEN_ISSUED, _text(image, "attempt_id"), data, source=source, at_ms=issued_at_ms)


def notice(record: Mapping[str, Any], *, source: str) -> Event:
    """Make the event that a link's row tells. Raises `UnpublishableRecord`."""
    image = part(part(record, "dynamodb"), "NewImage")
    notice_id, at = _text(image, "notice_id"), _number(image, "notice_at", digits=10)
    attempt_id, what = _text(image, "attempt_id"), notice_id.rpartition(".")[2]
    if notice_id != f"{attempt_id}.{what}":
        raise UnpublishableRecord("notice_id is another attempt's")
    match what:
        case "revoked":
            data, event_type = {**_connection(image), "revoked_at": at}, TOKEN_REVOKED
        case "expiring":
            data, event_type = (
                {**_connection(image), "expires_at": _number(image, "connected_until", digits=10)},
                TOKEN_EXPIRING,
            )
        case "reminder":
            data, event_type = (
                {**_connection(image), "connected_until": _number(image, "connected_until", digits=10)},
                LOGIN_REMINDER,
            )
            if "login_url" in image:
                data["login_url"] = _text(image, "login_url")
        case _:
            raise UnpublishableRecord("notice_id is none that is known")
    event = _event(event_type, notice_id, data, source=source, at_ms=at * 1000)
    return replace(event, letter=_reminder(data)) if event_type == LOGIN_REMINDER else event


def _reminder(data: Mapping[str, Any]) -> Letter:
    broker, ended = data["broker"], datetime.fromtimestamp(data["connected_until"], IST)
    link = data.get("login_url")
    lines = [
        f"Your connection to {broker} as {mask_account(data['account'])} ended on {ended:%d %b %Y at %H:%M} IST.",
        f"Please log in again before the market opens{f': {link}' if link else '.'}",
        "On a trading holiday there is nothing to do: holidays are not known here.",
    ]
    return Letter(f"Log in at {broker} again before the market opens", "\n\n".join(lines) + "\n")


def login_failed(record: Mapping[str, Any], *, source: str) -> Event:
    """Make the event of a login that failed. An attempt has no account, and a direct login has no user either.

    Raises `UnpublishableRecord`.
    """
    change = part(record, "dynamodb")
    image = part(change, "NewImage")
    at = change.get("ApproximateCreationDateTime")
    # To the second; a number of another kind would be no time of day.
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at < 10_000_000_000:
        raise UnpublishableRecord("ApproximateCreationDateTime is missing or no point in time")
    data = {
        "broker": _text(image, "broker"),
        "code": _text(image, "error"),
        # An attempt that failed under a version without events has no step; one without a session has no user.
        **{name: _text(image, key) for name, key in (("step", "failed_step"), ("user_id", "user_id")) if key in image},
        "failed_at": int(at),
    }
    return _event(LOGIN_FAILED, f"{_text(image, 'attempt_id')}.failed", data, source=source, at_ms=int(at) * 1000)


def _sets(record: Mapping[str, Any], name: str) -> bool:
    """Say whether a record shows that an attribute has come to the value that it has."""
    change = part(record, "dynamodb")
    match record:
        case {"eventName": "INSERT"}:
            return True
        case {"eventName": "MODIFY"}:
            new, old = part(change, "NewImage"), part(change, "OldImage")
            return bool(new.get(name) != old.get(name))
        case _:
            return False


def _connection(image: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(image, name) for name in ("broker", "account", "user_id")}


def _event(event_type: str, event_id: str, data: Mapping[str, Any], *, source: str, at_ms: int) -> Event:
    broker = data["broker"]
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "subject": f"{broker}/{data['account']}" if "account" in data else broker,
        "time": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": data_schema(event_type),
        "data": data,
    }
    return Event(json.dumps(event, separators=(",", ":")), {"type": event_type, "broker": broker})


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


def _number(image: Mapping[str, Any], name: str, *, digits: int = 13) -> int:
    value = part(image, name).get("N")
    # Thirteen digits of milliseconds, and ten of seconds, reach the year 2286; with more, no date can be made.
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > digits:
        raise UnpublishableRecord(f"{name} is missing or no point in time")
    return int(value)

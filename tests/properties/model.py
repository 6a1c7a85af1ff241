"""What a login attempt must do, said once more: a plain dict for each, and what each request must be answered.

Nothing here is imported from the library: statuses, codes and numbers are the design's.
"""

from __future__ import annotations

from typing import Any, Final

type Row = dict[str, Any]

ATTEMPT_SECONDS: Final = 600
SESSION_SECONDS: Final = 600
HELD_SECONDS: Final = 600
# A row is kept this long after it has run out.
KEPT_SECONDS: Final = 3600
_DAY: Final = 86_400
_INDIA: Final = 19_800


def midnight_after(moment: float) -> int:
    """Give the next 00:00 IST, strictly after."""
    return (int(moment) + _INDIA) // _DAY * _DAY + _DAY - _INDIA


def reading(row: Row, now: float) -> tuple[str, str | None]:
    """Give how an attempt reads by the clock: its status in the words of `/result`, and the error."""
    match row["status"]:
        case "PENDING":
            return ("failed", "expired") if int(now) >= row["expires"] else ("pending", None)
        case "EXCHANGING":
            return ("failed", "outcome_unknown") if int(now) >= row["claim_until"] else ("in_progress", None)
        case "HELD":
            return ("failed", "expired") if int(now) >= row["held_until"] else ("confirm", None)
        case "SUCCEEDED":
            return ("failed", "expired") if int(now) >= row["token"]["expires"] else ("connected", None)
    return "failed", row["error"]


def end(row: Row, now: float) -> str:
    """Give where the browser of an attempt is sent."""
    status, error = reading(row, now)
    if status in {"pending", "in_progress"}:
        return f"/result?attempt={row['id']}&wait=1"
    if row["return_to"] is None:
        return f"/result?attempt={row['id']}"
    added = f"status={status}&broker={row['broker']}&attempt={row['id']}" + (f"&error={error}" if error else "")
    return f"{row['return_to']}{'&' if '?' in row['return_to'] else '?'}{added}"


def ttl(row: Row) -> int:
    """Give when an attempt's row may be removed."""
    kept: int = row["expires"] + KEPT_SECONDS
    return max(kept, row["token"]["expires"]) if row["status"] == "SUCCEEDED" else kept


def fail(row: Row, error: str, retry_at: int | None = None) -> None:
    """End an attempt."""
    row |= {"status": "FAILED", "error": error, "retry_at": retry_at}


class Model:
    """All that there must be: attempts and sessions by their keys, tokens by user and connection, events in order."""

    def __init__(self, secret: str) -> None:
        self.attempts: dict[str, Row] = {}
        self.sessions: dict[str, Row] = {}
        self.tokens: dict[tuple[str, str], Row] = {}
        self.events: list[str] = []
        # Attempts whose rows were removed.
        self.gone: list[Row] = []
        # The secret as it is at the broker, and as the process knows it: value, since when, and the last fresh look.
        self.secret = secret
        self.known_secret: tuple[str, float] | None = None
        self.looked_anew = float("-inf")

    # the process's secret

    def has_secret(self, now: float) -> bool:
        """Say whether the process knows the secret without asking for it: for five minutes."""
        return self.known_secret is not None and now - self.known_secret[1] < 300

    def use_secret(self, now: float) -> str:
        if self.known_secret is None or not self.has_secret(now):
            self.known_secret = (self.secret, now)
        return self.known_secret[0]

    def look_anew(self, used: str, now: float, *, down: bool) -> bool:
        """Fetch the secret anew, at most once a minute; say whether it is another than the one used."""
        if now - self.looked_anew < 60:
            return False
        self.looked_anew = now
        if down:
            return False
        self.known_secret = (self.secret, now)
        return self.secret != used

    def forget_secret(self) -> None:
        """A new process has never looked."""
        self.known_secret, self.looked_anew = None, float("-inf")

    # what reading and time do

    def settle(self, row: Row, now: float, *, pending: bool) -> None:
        """Write down what the clock decided, as the right browser's request does; `pending` only at a callback."""
        status, error = reading(row, now)
        if status == "failed" and row["status"] in ({"PENDING"} if pending else set()) | {"EXCHANGING", "HELD"}:
            fail(row, str(error))

    def expire(self, now: float) -> tuple[list[str], list[tuple[str, str]]]:
        """Forget the rows that may be removed, and give their keys: attempts and sessions, and tokens."""
        attempts = [row for row in self.attempts.values() if ttl(row) <= now]
        self.gone += [self.attempts.pop(row["id"]) for row in attempts]
        sessions = [key for key, each in self.sessions.items() if each["there"] and each["ttl"] <= now]
        for key in sessions:
            self.sessions[key]["there"] = False
        tokens = [key for key, token in self.tokens.items() if token["expires"] <= now]
        for owner in tokens:
            del self.tokens[owner]
        return [row["id"] for row in attempts] + sessions, tokens

    # the commit

    def takes(self, token: Row, now: float) -> bool:
        """Say whether a token is written over the one that is there: only a newer login's, or over a dead one."""
        there = self.tokens.get((token["user_id"], token["connection"]))
        return there is None or there["issued_ms"] < token["issued_ms"] or there["expires"] <= int(now)

    def commit(self, row: Row, now: float) -> None:
        token = row["token"]
        if self.takes(token, now):
            self.tokens[token["user_id"], token["connection"]] = token
            self.events.append(row["id"])
        row["status"] = "SUCCEEDED"
        if row["session"] is not None:
            self.sessions[row["session"]] |= {"used": True, "there": True, "ttl": ttl(row)}

"""What a login attempt must do, said once more: a plain dict for each, and what each request must be answered.

Nothing here is imported from the library. Statuses, codes and numbers are the design's; where it leaves open what comes
of a write that got no answer, there is more than one `Ending`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from tests.properties.brokers import IDENTITY, LIFE, SAYS, SHORT_LIFE, WAIT, Told
from tests.properties.stage import DIRECT_ACCOUNTS, Mishap

type Row = dict[str, Any]

ATTEMPT_SECONDS: Final = 600
SESSION_SECONDS: Final = 600
HELD_SECONDS: Final = 600
# A row is kept this long after it has run out.
KEPT_SECONDS: Final = 3600
# From the start of an invocation: nothing is begun at a broker with less than a second before the first; the claim
# runs out after the second.
BROKER_SECONDS: Final = 20
CLAIM_SECONDS: Final = 33
# Nothing is begun at AWS after this.
AWS_SECONDS: Final = 22
# More tries than an invocation has time for.
MANY: Final = 50
_DAY: Final = 86_400
_INDIA: Final = 19_800


@dataclass(frozen=True)
class Seen:
    """What was seen of one exchange from outside.

    `began` is before it, `now` when the broker was done with it, `tries` are the moments at which it was tried.
    `secret` is the one that the process knew, `token` the last one issued, `claim` which claim it was, `struck` the
    mishap.
    """

    told: Told
    began: float
    now: float
    tries: list[float]
    secret: str
    token: str | None
    claim: int
    struck: Mishap | None

    def at(self, operation: Any, number: int = 1) -> str | None:
        """Give what befell a call."""
        return self.struck.at(operation, number) if self.struck is not None else None


@dataclass(frozen=True)
class Ending:
    """One way in which a claimant may end: what its browser gets, and what it writes.

    `gets` is the attempt's `end`, a `wait`, an answer `in place`, or nothing after a `crash`. Where `status` is None,
    nothing is written.
    """

    gets: str
    status: str | None = None
    error: str | None = None
    retry_at: int | None = None


CRASH: Final = Ending("crash")
WAITS: Final = Ending("wait")


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

    def look_anew(self, seen: Seen) -> bool:
        """Fetch the secret anew, at most once a minute; say whether it is another than the one used."""
        if seen.now - self.looked_anew < 60:
            return False
        self.looked_anew = seen.now
        if seen.at("GetSecretValue") is not None:
            return False
        self.known_secret = (self.secret, seen.now)
        return self.secret != seen.secret

    def forget_secret(self) -> None:
        """A new process has never looked."""
        self.known_secret, self.looked_anew = None, float("-inf")

    # what reading and time do

    def settle(self, row: Row, now: float, *, pending: bool) -> None:
        """Write down what the clock decided, as the right browser's request does; `pending` only at a callback."""
        status, error = reading(row, now)
        if status == "failed" and row["status"] in ({"PENDING"} if pending else set()) | {"EXCHANGING", "HELD"}:
            self.fail(row, str(error))

    def fail(self, row: Row, error: str, retry_at: int | None = None) -> None:
        row |= {"status": "FAILED", "error": error, "retry_at": retry_at}

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

    # the exchange: from what was seen of it to what must have come of it

    def decide(self, row: Row, seen: Seen) -> tuple[str, int | None]:
        """Give what an exchange must come to: `released`, `crash`, `token`, or the code of a failure and its wait.

        Fills in the row's token.
        """
        told, now = seen.told, seen.now
        late = seen.began + BROKER_SECONDS - now < 1
        over = row["grant_ends"] is not None and now > row["grant_ends"] + 60
        if len(seen.tries) < min(told.unsent + 1, 2):
            assert over or late
            return ("expired" if over else "released"), None
        if told.unsent == 2:
            return "released", None
        if told.says in {"crash unsent", "crash sent"}:
            return "crash", None
        if row["broker"] == "pocketful" and seen.secret != self.secret:
            if told.unsent or not self.look_anew(seen):
                return "app_misconfigured", None
            if late:
                return "broker_unavailable", None
            assert len(seen.tries) == 2
        if told.says == "misconfigured":
            self.look_anew(seen)
        failure = SAYS.get(told.says)
        if failure not in {None, "expired", "internal"}:
            return str(failure), int(seen.tries[-1]) + WAIT if told.says == "429" else None
        return self._judge_token(row, seen), None

    def _judge_token(self, row: Row, seen: Seen) -> str:
        told, now, asked = seen.told, seen.now, seen.tries[-1]
        if now >= seen.began + BROKER_SECONDS:
            return "account_unknown"
        if row["broker"] == "pocketful":
            if told.says == "crash answered":
                return "crash"
            if failure := IDENTITY[told.identity]:
                return failure
        direct = row["user"] is None
        if row["expected"] not in {None, told.account} or (direct and told.account not in DIRECT_ACCOUNTS):
            return "account_mismatch"
        lives = SHORT_LIFE if told.says == "short" else LIFE[row["broker"]]
        # 5paisa's token names its end, and the broker made it when it was asked; Pocketful's tells how long it lives.
        expires = min(midnight_after(asked), (int(now) if row["broker"] == "fivepaisa" else int(asked)) + lives)
        if told.says == "ended" or expires <= now:
            return "expired"
        if told.says == "lengthy":
            return "internal"
        row["token"] = {
            "user_id": f"{row['broker']}:{told.account}" if direct else row["user"],
            "connection": f"{row['broker']}#{told.account}",
            "account": told.account,
            "attempt": row["id"],
            "issued_ms": int(asked * 1000),
            "expires": expires,
            "plaintext": seen.token,
        }
        return "token"

    # the writes that end it

    def endings(self, row: Row, seen: Seen, outcome: tuple[str, int | None], after: float) -> list[Ending]:
        """Give what may come of an exchange that came to `outcome`, and was over `after`."""
        code, retry_at = outcome
        if code == "crash":
            return [CRASH]
        if seen.now > seen.began + AWS_SECONDS:
            return [WAITS]
        if code == "token" and (befell := seen.at("Encrypt")) is not None:
            if befell.startswith("crash"):
                return [CRASH]
            code = "internal"
        if code == "token" and (row["user"] is None or row["expected"] is not None):
            return self._commits(row, seen, after)
        return _writes(code, retry_at, seen.at("UpdateItem", 2))

    def _commits(self, row: Row, seen: Seen, after: float) -> list[Ending]:
        befell = seen.at("TransactWriteItems")
        if befell == "crash before":
            return [CRASH]
        if seen.struck is not None and seen.struck.times > MANY:
            return _writes("internal", None, None)
        # Refused for the token's sake, the first transaction wrote nothing, and the second one never came.
        takes = self.takes(row["token"], seen.now)
        if befell == "crash after":
            return [Ending("crash", "SUCCEEDED" if takes else None)]
        if befell == "slow" and self.claims(row, seen) and not takes and after > seen.began + AWS_SECONDS:
            return [WAITS]
        return [Ending("end", "SUCCEEDED")]

    def claims(self, row: Row, seen: Seen) -> bool:
        """Say whether the attempt is still this claimant's."""
        return bool(row["status"] == "EXCHANGING" and row["claim"] == seen.claim)

    def changed(self, row: Row, seen: Seen, ending: Ending) -> Row:
        """Give the attempt as an ending leaves it: as it is, if it is the claimant's no more."""
        if ending.status is None or not self.claims(row, seen):
            return row
        changed = row | {"status": ending.status}
        match ending.status:
            case "HELD":
                changed["held_until"] = min(int(seen.now) + HELD_SECONDS, row["token"]["expires"])
            case "FAILED":
                self.fail(changed, str(ending.error), ending.retry_at)
        return changed

    def bring_about(self, row: Row, seen: Seen, ending: Ending) -> None:
        """Write an ending."""
        if ending.status == "SUCCEEDED" and self.claims(row, seen):
            self.commit(row, seen.now)
        else:
            row.update(self.changed(row, seen, ending))


def _writes(code: str, retry_at: int | None, befell: str | None) -> list[Ending]:
    """Give the endings of a claimant's single write, which may hold the token, give back the claim, or tell a failure.

    One that got no answer may be made again, or left until the claim runs out; a hold that cannot be written is a
    failure that can.
    """
    wanted = Ending("end", "FAILED", code, retry_at)
    if code == "token":
        wanted = Ending("end", "HELD")
    elif code == "released":
        wanted = Ending("in place", "PENDING")
    match befell:
        case "crash before":
            return [CRASH]
        case "crash after":
            return [replace(wanted, gets="crash")]
        case "lost":
            return [wanted] if code == "token" else [wanted, replace(wanted, gets="wait")]
        case "down" | "conflict":
            return [wanted, Ending("end", "FAILED", "internal") if code == "token" else WAITS]
    return [wanted]

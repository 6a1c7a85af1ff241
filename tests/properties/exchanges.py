"""What one exchange must come to, from what was seen of it outside.

Where the design leaves open what comes of a write that got no answer, there is more than one `Ending`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tests.properties.brokers import IDENTITY, LIFE, SAYS, SHORT_LIFE, WAIT, Told
from tests.properties.model import HELD_SECONDS, Model, Row, fail, midnight_after
from tests.properties.stage import DIRECT_ACCOUNTS, Mishap, Operation

# From the start of an invocation: nothing is begun at a broker with less than a second before the first; the claim
# runs out after the second.
BROKER_SECONDS: Final = 20
CLAIM_SECONDS: Final = 33
# Nothing is begun at AWS after this.
AWS_SECONDS: Final = 22
# More tries than an invocation has time for.
MANY: Final = 50


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

    def at(self, operation: Operation, number: int = 1) -> str | None:
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


def decide(model: Model, row: Row, seen: Seen) -> tuple[str, int | None]:
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
    if row["broker"] == "pocketful" and seen.secret != model.secret:
        if told.unsent or not _look_anew(model, seen):
            return "app_misconfigured", None
        if late:
            return "broker_unavailable", None
        assert len(seen.tries) == 2
    if told.says == "misconfigured":
        _look_anew(model, seen)
    failure = SAYS.get(told.says)
    if failure not in {None, "expired", "internal"}:
        return str(failure), int(seen.tries[-1]) + WAIT if told.says == "429" else None
    return _judge_token(row, seen), None


def _look_anew(model: Model, seen: Seen) -> bool:
    return model.look_anew(seen.secret, seen.now, down=seen.at("GetSecretValue") is not None)


def _judge_token(row: Row, seen: Seen) -> str:
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


def endings(model: Model, row: Row, seen: Seen, outcome: tuple[str, int | None], after: float) -> list[Ending]:
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
        return _commits(model, row, seen, after)
    return _writes(code, retry_at, seen.at("UpdateItem", 2))


def _commits(model: Model, row: Row, seen: Seen, after: float) -> list[Ending]:
    befell = seen.at("TransactWriteItems")
    if befell == "crash before":
        return [CRASH]
    if seen.struck is not None and seen.struck.times > MANY:
        return _writes("internal", None, None)
    # Refused for the token's sake, the first transaction wrote nothing, and the second one never came.
    takes = model.takes(row["token"], seen.now)
    if befell == "crash after":
        return [Ending("crash", "SUCCEEDED" if takes else None)]
    if befell == "slow" and claims(row, seen) and not takes and after > seen.began + AWS_SECONDS:
        return [WAITS]
    return [Ending("end", "SUCCEEDED")]


def claims(row: Row, seen: Seen) -> bool:
    """Say whether the attempt is still this claimant's."""
    return bool(row["status"] == "EXCHANGING" and row["claim"] == seen.claim)


def changed(row: Row, seen: Seen, ending: Ending) -> Row:
    """Give the attempt as an ending leaves it: as it is, if it is the claimant's no more."""
    if ending.status is None or not claims(row, seen):
        return row
    after = row | {"status": ending.status}
    match ending.status:
        case "HELD":
            after["held_until"] = min(int(seen.now) + HELD_SECONDS, row["token"]["expires"])
        case "FAILED":
            fail(after, str(ending.error), ending.retry_at)
    return after


def bring_about(model: Model, row: Row, seen: Seen, ending: Ending) -> None:
    """Write an ending."""
    if ending.status == "SUCCEEDED" and claims(row, seen):
        model.commit(row, seen.now)
    else:
        row.update(changed(row, seen, ending))


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

"""Comes back from brokers: with grants, with refusals, and with what belongs to nobody."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final
from urllib.parse import parse_qsl, urlencode

from tests.kit.world import Browser, Reply
from tests.properties import exchanges
from tests.properties.asking import KEY, Asking
from tests.properties.brokers import Crash, Told
from tests.properties.exchanges import AWS_SECONDS, CLAIM_SECONDS, Ending, Seen
from tests.properties.model import Row, end, fail, reading
from tests.properties.stage import Mishap

WRONG_BROWSER: Final = "/result?error=wrong_browser"
# What the browser gets when something befell the claim.
_AT_CLAIM: Final = {
    "down": "in place",
    "lost": "in place",
    "conflict": "wait",
    "crash before": "crash",
    "crash after": "crash",
}


@dataclass(frozen=True)
class Trouble:
    """What befalls a callback: a mishap at AWS, or things that happen while the grant is at the broker."""

    mishap: Mishap | None = None
    meanwhile: Callable[[], None] | None = None

    @property
    def at_claim(self) -> str | None:
        """What befalls the claim, the first of an invocation's updates."""
        return self.mishap.at("UpdateItem") if self.mishap is not None else None


def _in_turn(*things: Callable[[], object] | None) -> None:
    for thing in things:
        if thing is not None:
            thing()


class Callbacks(Asking):
    """Callbacks, genuine ones and others."""

    claims = 0

    def callback(
        self,
        row: Row,
        browser: int,
        told: Told | None = None,
        trouble: Trouble = Trouble(),
        more: Mapping[str, str] = {},
    ) -> None:
        """Come back with the grant, or, where nothing is `told` of a broker, with what `more` holds."""
        who, broker = self.browsers[browser], row["broker"]
        grant = {} if told is None else {"RequestToken" if broker == "fivepaisa" else "code": row["grant"]}
        target = f"/callback/{broker}?{urlencode({**grant, **more, 'state': row['state']})}"
        over = row["grant_ends"] is not None and int(self.now) > row["grant_ends"] + 60
        if not self.owns(who, row):
            if KEY in who.cookies and told is not None and not over:
                self.model.use_secret(self.now)
            reply = self.get(who, target)
            assert (reply.status, reply.location) == (303, WRONG_BROWSER)
        elif told is None or over:
            self._come_back_empty(who, target, row, "expired" if told is not None else _refusal(broker, more))
        else:
            self._come_back(who, target, row, told, trouble)

    def _come_back_empty(self, who: Browser, target: str, row: Row, code: str) -> None:
        if reading(row, self.now)[0] == "pending":
            fail(row, code)
        else:
            self.model.settle(row, self.now, pending=True)
        reply = self.get(who, target)
        assert (reply.status, reply.location) == (303, end(row, self.now))

    def _come_back(self, who: Browser, target: str, row: Row, told: Told, trouble: Trouble) -> None:
        began, pending = self.now, reading(row, self.now)[0] == "pending"
        mishap = trouble.mishap if pending else None
        if mishap is not None and mishap.at("GetSecretValue") and not self.model.has_secret(began):
            self.stage.befall(mishap)
            self._gets(self.get(who, target), row, Ending("in place"))
            return
        secret = self.model.use_secret(began)
        self.claims = claim = self.claims + 1

        def claimed() -> None:
            # By the time that the claim has with it: it may land late.
            if reading(row, began)[0] == "pending":
                row.update(status="EXCHANGING", claim=claim, claim_until=math.ceil(began + CLAIM_SECONDS))

        @cache
        def decided() -> tuple[Seen, tuple[str, int | None]]:
            seen = self._seen(told, mishap, began, secret, claim)
            return seen, exchanges.decide(self.model, row, seen)

        if mishap is not None and mishap.kind == "slow":
            # What the other things meet is what was decided before them.
            before, after = (None, claimed) if trouble.at_claim else (decided, None)
            mishap = replace(mishap, meanwhile=partial(_in_turn, before, mishap.meanwhile, after))
        if trouble.at_claim in {None, "crash after"} or mishap is None:
            claimed()
        self.stage.told.tell(told, trouble.meanwhile)
        self.stage.befall(mishap)
        reply: Reply | None = None
        try:
            reply = self.get(who, target)
        except Crash:
            self.cold_start()
        if mishap is not None and trouble.at_claim not in {None, "slow"}:
            assert not self.stage.told.exchange.tries
            self._gets(reply, row, Ending(_AT_CLAIM[str(trouble.at_claim)]))
        elif row.get("claim") == claim:
            seen, outcome = decided()
            endings = exchanges.endings(self.model, row, seen, outcome, self.now)
            fitting = [each for each in endings if self._fits(reply, exchanges.changed(row, seen, each), each)]
            assert fitting, (reply, endings)
            exchanges.bring_about(self.model, row, seen, fitting[0])
        else:
            self._meets(reply, row, late=self.now > began + AWS_SECONDS)

    def _seen(self, told: Told, mishap: Mishap | None, began: float, secret: str, claim: int) -> Seen:
        brokers, exchange = self.stage.told, self.stage.told.exchange
        return Seen(
            told=told,
            began=began,
            now=exchange.done_at if exchange.tries else self.now,
            tries=exchange.tries,
            secret=secret,
            token=brokers.issued[-1] if brokers.issued else None,
            claim=claim,
            struck=mishap,
        )

    def _meets(self, reply: Reply | None, row: Row, *, late: bool) -> None:
        """Be answered from a row that could not be claimed."""
        ended = reading(row, self.now)[0] == "failed" and row["status"] not in {"FAILED", "SUCCEEDED"}
        if ended and late:
            # What the clock decided could not be written any more.
            self._gets(reply, row, Ending("in place"))
            return
        self.model.settle(row, self.now, pending=True)
        self._gets(reply, row, Ending("end"))

    def _gets(self, reply: Reply | None, row: Row, ending: Ending) -> None:
        assert self._fits(reply, row, ending), (reply, row, ending)

    def _fits(self, reply: Reply | None, row: Row, ending: Ending) -> bool:
        if reply is None or ending.gets == "crash":
            return reply is None and ending.gets == "crash"
        if ending.gets == "in place":
            # The customer can load this again.
            return reply.status == 503 and 'href=""' in reply.body
        wanted = end(row, self.now) if ending.gets == "end" else f"/result?attempt={row['id']}&wait=1"
        return reply.status == 303 and reply.location == wanted

    def come_back_by_form(self, row: Row, browser: int) -> None:
        """Post the callback, as a broker's page would: it bounces to its GET form, and nothing is looked at."""
        grant = "RequestToken" if row["broker"] == "fivepaisa" else "code"
        form = urlencode({grant: row["grant"], "state": row["state"]})
        path = f"/callback/{row['broker']}"
        who = self.browsers[browser]
        reply = self.checked(
            who.request("POST", path, headers={"content_type": "application/x-www-form-urlencoded"}, body=form)
        )
        assert reply.status == 303
        url, _, query = reply.location.partition("?")
        assert url == path
        assert dict(parse_qsl(query)) == dict(parse_qsl(form))

    def come_back_to_nothing(self, row: Row) -> None:
        """Come back when the attempt's row was removed."""
        grant = "RequestToken" if row["broker"] == "fivepaisa" else "code"
        over = row["grant_ends"] is not None and int(self.now) > row["grant_ends"] + 60
        if not over:
            self.model.use_secret(self.now)
        query = urlencode({grant: row["grant"], "state": row["state"]})
        assert self.get(self.owner(row), f"/callback/{row['broker']}?{query}").status == 400

    def forge(self, row: Row, kind: str) -> None:
        """Send what does not belong to the attempt, with its browser's cookie or the like of it, for nothing."""
        owner = self.owner(row)
        paisa = row["broker"] == "fivepaisa"
        grant, other = ("RequestToken", "pocketful") if paisa else ("code", "fivepaisa")
        good = {grant: row["grant"], "state": row["state"]}
        query, status = _forged(kind, row["state"], grant, good)
        if kind in _UNKNOWN_STATE:
            self.model.use_secret(self.now)
        kept = dict(owner.cookies)
        owner.cookies |= {KEY: kept[KEY][:-1]} if kind == "malformed cookie" else {}
        headers = {"sec_purpose": "prefetch;prerender"} if kind == "prefetch" else {}
        broker = other if kind == "other broker" else row["broker"]
        reply = self.get(owner, f"/callback/{broker}?{urlencode(query)}", **headers)
        owner.cookies = kept
        assert reply.status == status
        assert kind != "malformed cookie" or reply.location == WRONG_BROWSER


_UNKNOWN_STATE = {"other broker", "flipped state", "other case"}
FORGERIES = (
    *sorted(_UNKNOWN_STATE),
    "no state",
    "two states",
    "two grants",
    "empty grant",
    "long grant",
    "prefetch",
    "malformed cookie",
)


def _forged(kind: str, state: str, grant: str, good: dict[str, str]) -> tuple[list[tuple[str, str]], int]:
    """Give the parameters of a forgery, and the status that answers it."""
    flipped = ("B" if state[0] == "A" else "A") + state[1:]
    changes: dict[str, list[tuple[str, str]]] = {
        "other broker": [("state", state), ("code", "x"), ("RequestToken", "x")],
        "flipped state": [*(good | {"state": flipped}).items()],
        "other case": [*(good | {"state": state.swapcase()}).items()],
        "no state": [(grant, good[grant])],
        "two states": [*good.items(), ("state", state)],
        "two grants": [*good.items(), (grant, "x")],
        "empty grant": [*(good | {grant: ""}).items()],
        "long grant": [*(good | {grant: "x" * 4097}).items()],
    }
    return changes.get(kind, [*good.items()]), {"prefetch": 503, "malformed cookie": 303}.get(kind, 400)


def _refusal(broker: str, parameters: Mapping[str, str]) -> str:
    known = {"access_denied": "denied", "server_error": "broker_unavailable", "invalid_scope": "app_misconfigured"}
    error = parameters.get("error")
    if broker == "fivepaisa" or not error:
        return "invalid_request"
    return known.get(error, "broker_error")

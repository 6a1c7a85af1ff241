"""Brokers that do as they are told, note every grant that reaches them, and let things happen while they have it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, quote_plus

from brokerlink.outbound import Answer, AnswerTooLarge, NoAnswer, NotSent, Request
from tests.kit.core import jwt
from tests.kit.world import APPS, SECRETS, BrokerHttp, answer


class Crash(BaseException):
    """The process is gone: nothing of ours can catch this."""


@dataclass(frozen=True)
class Told:
    """What a broker does with one exchange: the tries that do not reach it, its answer, and whose token it gives."""

    unsent: int = 0
    says: str = "good"
    identity: str = "good"
    account: str = "YA0002"


# What the broker says, and the failure that it is; None is a token.
SAYS: Final[dict[str, str | None]] = {
    "good": None,
    "short": None,
    "ended": "expired",
    "lengthy": "internal",
    "no answer": "outcome_unknown",
    "reset": "outcome_unknown",
    "too large": "broker_error",
    "html": "broker_error",
    "500": "broker_unavailable",
    "429": "broker_unavailable",
    "rejected": "grant_rejected",
    "misconfigured": "app_misconfigured",
    "no token": "broker_error",
}
IDENTITY: Final[dict[str, str | None]] = {
    "good": None,
    "recovers": None,
    "503": "account_unknown",
    "403": "account_unknown",
    "nobody": "account_unknown",
    "odd": "account_unknown",
}
# How long a broker that says 429 wants to be left alone, in seconds.
WAIT: Final = 120
_EITHER_SAYS: Final = {
    "html": answer("<html>busy</html>"),
    "500": answer("<html>broken</html>", 500),
    "429": answer({}, 429, retry_after=str(WAIT)),
}
_POCKETFUL_SAYS: Final = _EITHER_SAYS | {
    "rejected": answer({"error": "invalid_grant"}, 400),
    "misconfigured": answer({"error": "invalid_scope"}, 400),
    "no token": answer({"token_type": "x"}),
}
_PAISA_SAYS: Final = _EITHER_SAYS | {
    "rejected": answer({"head": {"Status": 2}, "body": {"Status": 2, "Message": "Invalid Token"}}),
    "misconfigured": answer({"head": {"Status": "2"}, "body": None}),
    "no token": answer({"head": {}, "body": {"Status": 0, "AccessToken": ""}}),
}
# Where the process may end while it speaks to the broker.
CRASHES: Final = ("crash unsent", "crash sent", "crash answered")
# How long tokens live by what they say of themselves, in seconds; 5paisa's end with the day all the same.
SHORT_LIFE: Final = 45
LIFE: Final = {"pocketful": 86_399, "fivepaisa": 1_000_000}


@dataclass
class Exchange:
    """One exchange: what the broker was told to do, and what has come to it.

    `meanwhile` is called, once, while the grant is at the broker. `tries` are the moments at which the broker was
    tried, `done_at` when it was last done.
    """

    told: Told
    done_at: float
    meanwhile: Callable[[], None] | None = None
    tries: list[float] = field(default_factory=list)
    asked: int = 0


class BrokersAsTold(BrokerHttp):
    """Stands where `Outbound` does.

    `grants` are those that reached a token endpoint, with whether the broker looked at them; `issued` are all tokens.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock
        self.secret = str(SECRETS["pocketful"]["client_secret"])
        self.exchange = Exchange(Told(), 0)
        self.grants: list[tuple[str, bool]] = []
        self.issued: list[str] = []
        self.failure: AssertionError | None = None

    @property
    def told(self) -> Told:
        return self.exchange.told

    def tell(self, told: Told, meanwhile: Callable[[], None] | None = None) -> None:
        """Set what the next exchange meets."""
        self.exchange = Exchange(told, self.clock(), meanwhile)

    def aside(self, happen: Callable[[], None]) -> None:
        """Let something happen that may itself reach a broker: it leaves this exchange as it is."""
        kept = self.exchange
        try:
            happen()
        except AssertionError as error:
            # The code under test is on the stack here, and answers whatever is raised with a page.
            self.failure = self.failure or error
        self.exchange = kept

    def send(self, request: Request, *, deadline: float, fresh: bool) -> Answer:
        del deadline
        self.sent.append(request)
        try:
            assert fresh is (request.method == "POST"), "a grant goes out on a connection of its own"
            return self._exchange(request) if fresh else self._identify()
        finally:
            self.exchange.done_at = self.clock()

    def _exchange(self, request: Request) -> Answer:
        exchange, told = self.exchange, self.told
        exchange.tries.append(self.clock())
        if (happen := exchange.meanwhile) is not None:
            exchange.meanwhile = None
            self.aside(happen)
        if len(exchange.tries) <= told.unsent:
            raise NotSent("refused")
        if told.says == "crash unsent":
            raise Crash
        paisa = "5paisa" in request.url
        grant = _paisa_grant(request) if paisa else _pocketful_grant(request)
        known = paisa or request.headers["Authorization"] == _basic(self.secret)
        self.grants.append((grant, known))
        if told.says == "crash sent":
            raise Crash
        if not known:
            return answer({"error": "invalid_client"}, 401)
        return self._say(paisa=paisa)

    def _say(self, *, paisa: bool) -> Answer:
        match self.told.says:
            case "good" | "short" | "ended" | "lengthy" | "crash answered":
                return self._issue(paisa=paisa)
            case "no answer":
                raise NoAnswer("timeout")
            case "reset":
                raise NoAnswer("reset")
            case "too large":
                raise AnswerTooLarge
            case refusal:
                return (_PAISA_SAYS if paisa else _POCKETFUL_SAYS)[refusal]

    def _issue(self, *, paisa: bool) -> Answer:
        now = int(self.clock())
        claims: dict[str, Any] = {"unique_name": self.told.account, "jti": f"access-token-{len(self.issued)}"}
        if self.told.says == "ended":
            claims["exp"] = now
        elif paisa:
            claims["exp"] = now + SHORT_LIFE if self.told.says == "short" else now + LIFE["fivepaisa"]
        token = jwt(claims) + ("x" * 4096 if self.told.says == "lengthy" else "")
        self.issued.append(token)
        if paisa:
            return answer({"body": {"Status": 0, "AccessToken": token, "ClientCode": self.told.account}})
        lifetime = SHORT_LIFE if self.told.says == "short" else LIFE["pocketful"]
        return answer({"access_token": token, "token_type": "bearer", "expires_in": lifetime, "scope": "orders"})

    def _identify(self) -> Answer:
        self.exchange.asked += 1
        asked = self.exchange.asked
        if self.told.says == "crash answered":
            raise Crash
        match self.told.identity:
            case "recovers" if asked == 1:
                return answer("", 503)
            case "recovers" if asked == 2:
                raise NoAnswer("timeout")
            case "503":
                return answer("", 503)
            case "403":
                return answer({"status": "error"}, 403)
            case "nobody":
                return answer({"status": "success", "data": {}})
            case "odd":
                return answer({"status": "success", "data": {"client_id": "two words"}})
        return answer({"status": "success", "data": {"client_id": self.told.account}})


def _basic(secret: str) -> str:
    pair = f"{quote_plus(APPS['pocketful']['client_id'])}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _pocketful_grant(request: Request) -> str:
    return parse_qs((request.body or b"").decode(), strict_parsing=True)["code"][0]


def _paisa_grant(request: Request) -> str:
    return str(json.loads(request.body or b"")["body"]["RequestToken"])

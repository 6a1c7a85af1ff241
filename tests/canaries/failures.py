"""What brokers answer to an exchange, or to the question whose token it is, where a login fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from brokerlink.outbound import Answer
from tests.canaries.brokers import ODD, Broker, good, told
from tests.canaries.canaries import Canaries, Kind, canary

_ALL: Final = frozenset({"pocketful", "fivepaisa", "acme"})
_OAUTH2: Final = frozenset({"pocketful", "acme"})
_FIVEPAISA: Final = frozenset({"fivepaisa"})
_WORDS, _TOKEN = Kind.BROKERS_WORDS, Kind.ACCESS_TOKEN

# A text is a fault of the wire: `reset`, `oversized`, `encoding`.
type Answers = list[Answer | str]


@dataclass(frozen=True)
class Failure:
    """A failure: at which brokers, how it is told to the customer, and what the broker answers.

    `on_the_wire` ones are seen only where the answer travels over HTTP, or the next request would; in `slow` ones the
    product asks again after a pause.
    """

    brokers: Collection[str]
    code: str
    answers: Callable[[Canaries, Broker], Answers]
    on_the_wire: bool = False
    slow: bool = False


def _once(brokers: Collection[str], code: str, make: Callable[[Canaries], Answer | str]) -> Failure:
    return Failure(brokers, code, lambda canaries, _: [make(canaries)])


def _error(code: str, status: int, error: str | None = None) -> Failure:
    def make(canaries: Canaries) -> Answer:
        body = {name: canaries.new(_WORDS, ODD) for name in ("error_description", "error_hint", "error_uri")}
        body |= {"error": error or canaries.new(_WORDS), "access_token": canaries.new(_TOKEN)}
        return told(body, status, set_cookie=f"session={canaries.new(Kind.BROKERS_COOKIE)}")

    return _once(_OAUTH2, code, make)


def _token(code: str, change: Callable[[Canaries], Mapping[str, Any]], *, on_the_wire: bool = False) -> Failure:
    return Failure(_OAUTH2, code, lambda canaries, broker: good(canaries, broker, **change(canaries)), on_the_wire)


def _paisa(code: str, head: Mapping[str, Any], body: Mapping[str, Any] | None) -> Failure:
    def make(canaries: Canaries) -> Answer:
        said = {"Message": canaries.new(_WORDS, ODD), "AccessToken": canaries.new(_TOKEN)}
        answer = {"head": {"StatusDescription": canaries.new(_WORDS), **head}, "body": body and {**said, **body}}
        return told(answer)

    return _once(_FIVEPAISA, code, make)


def _identity(*make: Callable[[Canaries], Answer | str]) -> Failure:
    def answers(canaries: Canaries, broker: Broker) -> Answers:
        return [good(canaries, broker)[0], *(each(canaries) for each in make)]

    return Failure(_OAUTH2, "account_unknown", answers, slow=len(make) > 1)


def _named(account: object) -> Answer:
    return told({"status": "success", "data": {"client_id": account}})


FAILURES: Final[Mapping[str, Failure]] = {
    "invalid_grant": _error("grant_rejected", 400, "invalid_grant"),
    "invalid_client": _error("app_misconfigured", 401, "invalid_client"),
    "invalid_scope": _error("app_misconfigured", 400, "invalid_scope"),
    "server_error": _error("broker_unavailable", 400, "server_error"),
    "error of its own": _error("broker_error", 400),
    "error with status 200": _error("broker_error", 200),
    "500 with HTML": _once(_ALL, "broker_unavailable", lambda c: told(f"<p>{c.new(_WORDS)}</p>", 500)),
    "429": _once(_ALL, "broker_unavailable", lambda c: told({"message": c.new(_WORDS)}, 429, retry_after="30")),
    "429 with an odd wait": _once(_ALL, "broker_unavailable", lambda c: told("", 429, retry_after=c.new(_WORDS))),
    "404": _once(_ALL, "broker_error", lambda c: told(c.new(_WORDS), 404)),
    "redirect": _once(_ALL, "broker_error", lambda c: told("", 302, location=f"https://x.example/?t={c.new(_TOKEN)}")),
    "HTML": _once(_ALL, "broker_error", lambda c: told(f"<p>{c.new(_WORDS)}</p>")),
    "form instead of JSON": _once(_ALL, "broker_error", lambda c: told(f"access_token={c.new(_TOKEN)}")),
    "JSON cut short": _once(_ALL, "broker_error", lambda c: told(f'{{"access_token": "{c.new(_TOKEN)}"')),
    "list": _once(_ALL, "broker_error", lambda c: told([c.new(_TOKEN)])),
    "text": _once(_ALL, "broker_error", lambda c: told(json.dumps(c.new(_TOKEN)))),
    "named twice": _once(_ALL, "broker_error", lambda c: told(f'{{"{c.new(_TOKEN)}": 1, "a": 2, "a": 3}}')),
    "no UTF-8": _once(_ALL, "broker_error", lambda c: told(b"\xff" + c.new(_TOKEN).encode())),
    "NaN": _once(_ALL, "broker_error", lambda c: told(f'{{"access_token": "{c.new(_TOKEN)}", "a": NaN}}')),
    "unreadable coding": _once(_ALL, "outcome_unknown", lambda _: "encoding"),
    "reset": _once(_ALL, "outcome_unknown", lambda _: "reset"),
    "oversized": _once(_ALL, "broker_error", lambda _: "oversized"),
    "token of another type": _token("broker_error", lambda c: {"access_token": [c.new(_TOKEN)]}),
    "token type of its own": _token("broker_error", lambda c: {"token_type": c.new(_WORDS)}),
    "life that is none": _token("broker_error", lambda c: {"expires_in": c.new(_WORDS)}),
    "token with a line break": _token(
        "account_unknown", lambda c: {"access_token": c.new(_TOKEN, "\n")}, on_the_wire=True
    ),
    "token beyond Latin-1": _token("account_unknown", lambda c: {"access_token": c.new(_TOKEN, "→")}, on_the_wire=True),
    "token too long to seal": _token("internal", lambda c: {"access_token": c.new(_TOKEN, canary() * 120)}),
    "token that has ended": _token("expired", lambda c: {"access_token": c.new_jwt(_TOKEN, exp=1_000_000_000)}),
    "5paisa's wrong key": _paisa("app_misconfigured", {"Status": "2"}, None),
    "5paisa's invalid token": _paisa("grant_rejected", {"Status": 0}, {"Status": 2}),
    "5paisa's status of another type": _paisa("broker_error", {"Status": 0}, {"Status": {"a": 1}}),
    "5paisa's unknown status": _paisa("broker_error", {"Status": 0}, {"Status": 77}),
    "5paisa's empty token": _paisa("broker_error", {"Status": 0}, {"Status": 0, "AccessToken": ""}),
    "5paisa's odd account": Failure(
        _FIVEPAISA, "account_unknown", lambda c, broker: good(c, broker, ClientCode=c.new(_WORDS, " x"))
    ),
    "5paisa's other account": Failure(
        _FIVEPAISA, "account_unknown", lambda c, broker: good(c, broker, ClientCode=c.new(_WORDS))
    ),
    "identity 403": _identity(lambda c: told({"message": c.new(_WORDS)}, 403)),
    "identity 500": _identity(*[lambda c: told(c.new(_WORDS), 500)] * 3),
    "identity without JSON": _identity(*[lambda c: told(c.new(_WORDS))] * 3),
    "identity reset": _identity(*[lambda _: "reset"] * 3),
    "identity of an odd account": _identity(lambda c: _named(c.new(_WORDS, " x"))),
    "identity of another type": _identity(lambda c: _named([c.new(_WORDS)])),
}

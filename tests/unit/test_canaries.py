"""No secret reaches a log, whatever happens and however much is logged."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from brokerlink.outbound import Answer, NoAnswer, NotSent, Request
from tests.kit.core import ACCOUNT, PAISA_ACCOUNT, USER, jwt, paisa_answer
from tests.kit.world import RETURN_TO, SECRETS, Browser, Reply, World, answer, pocketful, world

CODE = "canary-code+/= %2B"
# Everything in an answer of a broker that might be quoted.
QUOTING = {
    "error_description": f"canary: the code {CODE}",
    "error_hint": "canary",
    "access_token": "canary-access-token",
}


class Watched:
    """A world in which every secret that comes into being is noted."""

    def __init__(self, running: World) -> None:
        self.world = running
        self.browser: Browser = running.browser()
        self.secrets = {"canary"} | {value for values in SECRETS.values() for value in values.values()}

    def start(self, broker: str = "pocketful", **query: str) -> str:
        state = self.browser.start(broker, **query)
        self.secrets |= {state, *self.browser.cookies.values()}
        self.secrets |= {row["code_verifier"] for row in self.world.attempts() if "code_verifier" in row}
        return state

    def start_session(self, broker: str = "pocketful", **body: str) -> str:
        prepared = self.world.session(broker=broker, user_id=USER, **body)
        (secret,) = parse_qs(urlsplit(prepared.json["start_url"]).query)["session"]
        self.secrets.add(secret)
        return self.start(broker, session=secret)

    def come_back(self, state: str, *answers: Any, code: str = CODE, broker: str = "pocketful") -> Reply:
        self.world.http.script = list(answers)
        name = "RequestToken" if broker == "fivepaisa" else "code"
        self.secrets |= {code}
        reply = self.browser.get(f"/callback/{broker}?state={state}&{name}={quote_plus(code)}")
        self.secrets |= {row["ciphertext"].hex() for row in self.world.tokens()}
        return reply


def boom(_: Request) -> Answer:
    raise RuntimeError(f"canary {CODE}")


def connected(watched: Watched) -> None:
    assert watched.come_back(watched.start(), *pocketful()).status == 303
    assert len(watched.world.tokens()) == 1


def through_a_session(watched: Watched) -> None:
    watched.come_back(watched.start_session(account=ACCOUNT), *pocketful())
    assert len(watched.world.tokens()) == 1


def held_and_confirmed(watched: Watched) -> None:
    end = watched.come_back(watched.start_session(return_to=RETURN_TO), *pocketful())
    assert watched.world.confirm(end.query["attempt"], USER).status == 200


def held_and_confirmed_by_another(watched: Watched) -> None:
    end = watched.come_back(watched.start_session(return_to=RETURN_TO), *pocketful())
    assert watched.world.confirm(end.query["attempt"], "canary-user").status == 404


def fivepaisa(watched: Watched) -> None:
    state = watched.start_session("fivepaisa", account=PAISA_ACCOUNT)
    code = jwt({"exp": int(watched.world.clock()) + 30})
    watched.come_back(state, paisa_answer(), broker="fivepaisa", code=code)
    assert len(watched.world.tokens()) == 1


def fivepaisa_refuses(watched: Watched) -> None:
    state = watched.start_session("fivepaisa", account=PAISA_ACCOUNT)
    refusal = {"head": {"Status": "2", "StatusDescription": "canary"}, "body": None, **QUOTING}
    watched.come_back(state, answer(refusal), broker="fivepaisa", code=jwt({"exp": int(watched.world.clock()) + 30}))


def declined(watched: Watched) -> None:
    state = watched.start()
    watched.browser.get(f"/callback/pocketful?state={state}&error=access_denied&error_description=canary&code=canary")


def wrong_browser(watched: Watched) -> None:
    state = watched.start()
    watched.browser = watched.world.browser()
    watched.browser.cookies = {"__Host-brokerlink": "canary"}
    watched.come_back(state)


def malformed(watched: Watched) -> None:
    state = watched.start()
    for query in (
        f"state={state}&code=canary&code=canary-2",
        f"state={state}{state}&code=canary",
        f"state={state}&code=canary%00",
        f"state=canary%0d%0a{state}&code=canary",
        f"state={state}&code=canary%ff",
        f"code=canary&canary={state}",
    ):
        watched.browser.get(f"/callback/pocketful?{query}")


def malformed_bodies(watched: Watched) -> None:
    for body in ('{"canary": "canary"}', "canary", '{"broker": "canary", "user_id": "canary canary"}', '["canary"]'):
        watched.world.request("POST", "/sessions", body=body)
        watched.world.request("POST", "/confirm", body=body)


def with_answers(*answers: Any) -> Callable[[Watched], None]:
    def scenario(watched: Watched) -> None:
        watched.come_back(watched.start(), *answers)
        assert watched.world.tokens() == []

    return scenario


def with_a_fault(operation: str, error: Exception) -> Callable[[Watched], None]:
    def scenario(watched: Watched) -> None:
        state = watched.start()
        watched.world.faults[operation] = error
        watched.come_back(state, *pocketful())

    return scenario


def quoting(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": f"canary {CODE}"}}, operation)


SCENARIOS: dict[str, Callable[[Watched], None]] = {
    "connected": connected,
    "through a session": through_a_session,
    "held and confirmed": held_and_confirmed,
    "held and confirmed by another": held_and_confirmed_by_another,
    "5paisa": fivepaisa,
    "5paisa refuses": fivepaisa_refuses,
    "declined": declined,
    "wrong browser": wrong_browser,
    "malformed callbacks": malformed,
    "malformed bodies": malformed_bodies,
    "no answer": with_answers(NoAnswer("timeout")),
    "not sent": with_answers(NotSent("refused"), NotSent("refused")),
    "invalid_client": with_answers(answer({"error": "invalid_client", **QUOTING}, 401)),
    "invalid_grant": with_answers(answer({"error": "invalid_grant", **QUOTING}, 400)),
    "an error of its own": with_answers(answer({"error": f"canary {CODE}", **QUOTING}, 400)),
    "HTML": with_answers(answer(f"<html>canary {CODE}</html>", 500)),
    "half a token": with_answers(answer({"access_token": "canary-access-token", "token_type": "canary"})),
    "unknown account": with_answers(pocketful()[0], answer({"status": "error", "message": "canary-access-token"}, 403)),
    "an account that is none": with_answers(*pocketful(account="canary account")),
    "token too long": with_answers(*pocketful(token="canary" * 1000)),
    "crash at the exchange": with_answers(boom),
    "crash at the identity": with_answers(pocketful()[0], boom),
    "claim refused": with_a_fault("UpdateItem", quoting("UpdateItem")),
    "claim crashes": with_a_fault("UpdateItem", RuntimeError(f"canary {CODE}")),
    "commit refused": with_a_fault("TransactWriteItems", quoting("TransactWriteItems")),
    "commit crashes": with_a_fault("TransactWriteItems", RuntimeError("canary-access-token")),
    "KMS refuses": with_a_fault("Encrypt", quoting("Encrypt")),
    "KMS's parameters are refused": with_a_fault("Encrypt", ParamValidationError(report="canary-access-token")),
    "KMS crashes": with_a_fault("Encrypt", RuntimeError("canary-access-token")),
    "secret refused": with_a_fault("GetSecretValue", quoting("GetSecretValue")),
    "secret crashes": with_a_fault("GetSecretValue", RuntimeError("canary")),
}


@pytest.fixture
def everything(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Let the root logger write all that it hears, and give all that was written anywhere."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(1)

    def written() -> str:
        captured = capfd.readouterr()
        return stream.getvalue() + captured.out + captured.err

    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def shapes(secret: str) -> set[str]:
    """Give the ways in which a secret may be written."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], encoded}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_no_secret_is_logged(
    scenario: Callable[[Watched], None], everything: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    with world() as running:
        watched = Watched(running)
        scenario(watched)
        log = running.log.getvalue() + everything()
    assert running.lines(), "nothing was logged at all"
    leaked = {secret for secret in watched.secrets for shape in shapes(secret) if shape in log}
    assert leaked == set()
    assert ACCOUNT not in log


@pytest.mark.parametrize(
    ("scenario", "where"),
    [
        ("crash at the exchange", "exchange.py"),
        ("crash at the identity", "oauth2.py"),
        ("commit crashes", "commit.py"),
        ("KMS crashes", "tokens.py"),
        ("secret crashes", "app_secrets.py"),
    ],
)
def test_a_crash_is_told_by_where_it_happened(scenario: str, where: str) -> None:
    with world() as running:
        SCENARIOS[scenario](Watched(running))
        traces = [line["trace"] for line in running.lines() if line.get("trace")]
    assert any(where in frame for trace in traces for frame in trace)

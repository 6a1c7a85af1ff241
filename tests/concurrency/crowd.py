"""Many at the same moment."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from brokerlink.jwt import unverified_claims
from local.stack import Stack
from tests.integration.walker import Walker, attempt_of, grant_of
from tests.kit.streams import records_of

# A crowd needs all processes of a function, which takes a busy machine minutes; longer than this is a hang.
PATIENCE = 240.0
# How often a race is run that may be won by either side.
ROUNDS = int(os.environ.get("BROKERLINK_ROUNDS", "1"))
# After which the functions give a call to AWS up.
_AWS_TIMEOUT = 3.0


def together[T](actions: Sequence[Callable[[], T]]) -> list[T]:
    """Do everything at once: no one begins before all are ready. Give what each gave, in the order given."""
    if not actions:
        return []
    ready = threading.Barrier(len(actions), timeout=PATIENCE)

    def begin(action: Callable[[], T]) -> T:
        ready.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(begin, actions, timeout=2 * PATIENCE))


@dataclass(frozen=True)
class Answer:
    """An answer of the front, with when it was asked for and when it was there (monotonic seconds)."""

    status: int
    headers: Mapping[str, str]
    text: str
    asked: float
    came: float
    cookies: tuple[str, ...] = field(repr=False)

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.location).query))

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def everything(self) -> str:
        """All that whoever asked has seen."""
        return "\n".join([*(f"{name}: {value}" for name, value in self.headers.items()), *self.cookies, self.text])


def ask(stack: Stack, target: str, *, cookies: Iterable[str] = (), **headers: str) -> Answer:
    """Send a GET with exactly these cookies, as `name=value`; nothing is remembered.

    A 503 that took its time is of a machine that is too slow for a crowd: it has consumed nothing, and is asked again.
    """
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if jar := "; ".join(cookies):
        sent["cookie"] = jar
    until = time.monotonic() + PATIENCE
    while True:
        answer = _get(stack, target, sent)
        if answer.status != 503 or answer.came - answer.asked < _AWS_TIMEOUT or time.monotonic() > until:
            return answer


def _get(stack: Stack, target: str, headers: dict[str, str]) -> Answer:
    parts = urlsplit(target)
    connection = http.client.HTTPConnection(urlsplit(stack.base_url).netloc, timeout=PATIENCE)
    asked = time.monotonic()
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
        reply = connection.getresponse()
        text = reply.read().decode()
    finally:
        connection.close()
    named = {name.lower(): value for name, value in reply.getheaders() if name.lower() != "set-cookie"}
    set_cookies = tuple(reply.headers.get_all("set-cookie") or ())
    return Answer(reply.status, named, text, asked, time.monotonic(), set_cookies)


def cookie_of(walker: Walker) -> str:
    """Give a browser's key as it sends it."""
    return f"brokerlink={walker.http.cookies['brokerlink']}"


def outcome(stack: Stack, walker: Walker, attempt: str) -> dict[str, Any]:
    """Give the outcome of an attempt, waited for as the waiting page does."""
    until = time.monotonic() + PATIENCE
    while True:
        told: dict[str, Any] = ask(
            stack, f"/result?attempt={attempt}", cookies=[cookie_of(walker)], accept="application/json"
        ).json
        if told["status"] not in {"in_progress", "pending"} or time.monotonic() > until:
            return told
        time.sleep(0.2)


def attempt_row(stack: Stack, attempt: str) -> dict[str, Any]:
    """Give an attempt's row as DynamoDB speaks it."""
    table = stack.deployment.outputs["LoginAttemptsTableName"]
    key = {"attempt_id": {"S": attempt}}
    found: dict[str, Any] = stack.clients.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    return found


def token_of(stack: Stack, row: Mapping[str, Any]) -> str:
    """Decrypt a row of Tokens as a consumer may."""
    context = {name: row[name]["S"] for name in ("broker", "account", "user_id")}
    opened = stack.clients.kms.decrypt(
        CiphertextBlob=row["ciphertext"]["B"], EncryptionContext={"purpose": "broker-access-token", **context}
    )
    return opened["Plaintext"].decode()


def owner_of(stack: Stack, row: Mapping[str, Any]) -> str:
    """Give the account that the broker says a row's token is of; nothing for a token that works no more."""
    token = token_of(stack, row)
    if row["broker"]["S"] == "fivepaisa":
        return str(unverified_claims(token)["unique_name"])
    bearer = {"Authorization": f"Bearer {token}"}
    told = Walker(stack).broker.get(f"{stack.brokers_url}/pocketful/api/v1/user/trading_info", headers=bearer).json()
    return str(told["data"].get("client_id", ""))


def written(stack: Stack) -> list[dict[str, Any]]:
    """Give the new images of all token writes, in their order, from the table's own stream."""
    table = f":table/{stack.outputs['TokensTableName']}/"
    (source,) = [source for source in stack.deployment.sources if table in source.arn]
    changes = [record["dynamodb"] for record in records_of(stack.clients, source.arn)]
    return [change["NewImage"] for change in changes if "NewImage" in change]


def announced(stack: Stack) -> list[dict[str, Any]]:
    """Give all events of what has happened so far, also those that came twice.

    Streams and queue keep their order: once a login that begins now is announced, all before it has been.
    """
    last = attempt_of(Walker(stack).log_in("pocketful"))
    stack.received.wait_for(lambda event: event["id"] == last, timeout=PATIENCE)
    return [event for event in stack.received.events if event["id"] != last]


def check_once(stack: Stack, walker: Walker, callback: str, attempt: str) -> None:
    """Check that a login was exchanged once, stored once and announced once, with a token that works."""
    assert len(walker.requests_with(grant_of(callback))) == 1
    (image,) = [image for image in written(stack) if image["attempt_id"]["S"] == attempt]
    assert walker.token_row(image["user_id"]["S"], image["connection"]["S"]) == image
    assert owner_of(stack, image) == image["account"]["S"]
    (event,) = [event for event in announced(stack) if event["id"] == attempt]
    assert {name: image[name]["S"] for name in ("broker", "account", "user_id")}.items() <= event["data"].items()

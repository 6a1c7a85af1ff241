"""Holds what the customers were told against what the brokers saw, what was stored and what was announced."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from bench.customer import Walked, new_browser
from bench.plan import Planned, Way
from local.stack import Stack

_DECLINED = {"pocketful": "failed (denied)", "fivepaisa": "failed (invalid_request)"}
_PAUSE = 0.2


@dataclass(frozen=True)
class Verdict:
    """`wrong` has a list of cases for each thing that must not happen; all of them have to be empty."""

    connected: int
    declined: int
    exchanges: int
    events: int
    wrong: Mapping[str, Sequence[str]]

    @property
    def good(self) -> bool:
        """Say whether nothing was wrong."""
        return not any(self.wrong.values())


def judge(stack: Stack, plan: Sequence[Planned], walks: Sequence[Walked], *, patience: float) -> Verdict:
    """Compare, once every token is announced or `patience` seconds are over."""
    declined = [planned for planned in plan if planned.way is Way.DECLINED]
    connected = {walk.planned.user_id: walk.attempt_id for walk in walks if walk.outcome == "connected"}
    exchanges = Counter(_exchanges(stack))
    tokens = dict(_tokens(stack))
    until = time.monotonic() + patience
    while not tokens.keys() <= (events := Counter(_events(stack))).keys() and time.monotonic() < until:
        time.sleep(_PAUSE)
    told = {walk.planned.user_id: walk.outcome or walk.surprise for walk in walks}
    return Verdict(
        connected=len(connected),
        declined=sum(told.get(planned.user_id) == _DECLINED[planned.broker] for planned in declined),
        exchanges=exchanges.total(),
        events=events.total(),
        wrong={
            "lost": [
                f"{planned.user_id}: {told.get(planned.user_id, 'not at an end')}"
                for planned in plan
                if planned.way is not Way.DECLINED and planned.user_id not in connected
            ],
            "exchanged twice": [f"a grant, {times} times" for times in exchanges.values() if times > 1],
            "announced twice": [f"{attempt}, {times} times" for attempt, times in events.items() if times > 1],
            "connected without token": [user for user, attempt in connected.items() if tokens.get(attempt) != user],
            "tokens of nobody connected": [user for attempt, user in tokens.items() if connected.get(user) != attempt],
            "tokens without event": [tokens[attempt] for attempt in tokens.keys() - events.keys()],
            "events without token": sorted(events.keys() - tokens.keys()),
            "declined, and told otherwise": [
                f"{planned.user_id}: {told.get(planned.user_id)}"
                for planned in declined
                if told.get(planned.user_id) != _DECLINED[planned.broker]
            ],
        },
    )


def _exchanges(stack: Stack) -> Iterator[str]:
    """Give the grant of each request that a token endpoint took."""
    with new_browser() as client:
        listed = client.get(f"{stack.brokers_url}/simulator/requests", timeout=30).json()
    for each in listed:
        if each["endpoint"] == "token":
            yield _grant(each["broker"], each["body"])


def _grant(broker: str, body: str) -> str:
    if broker == "fivepaisa":
        return str(json.loads(body)["body"]["RequestToken"])
    return parse_qs(body)["code"][0]


def _tokens(stack: Stack) -> Iterator[tuple[str, str]]:
    """Give the attempt and the user of each token that is stored."""
    pages = stack.clients.dynamodb.get_paginator("scan").paginate(
        TableName=stack.deployment.outputs["TokensTableName"], ConsistentRead=True
    )
    for page in pages:
        for item in page["Items"]:
            yield item["attempt_id"]["S"], item["user_id"]["S"]


def _events(stack: Stack) -> Iterator[str]:
    """Give the attempt of each event that the consumer received."""
    for event in stack.received.events:
        yield event["id"]

"""What no walk touches: the wire below `Outbound`, the reader, and the announcement of tokens."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from brokerlink.errors import BrokerlinkError
from brokerlink.outbound import Answer, Outbound, OutboundError, Request
from brokerlink.reader import TokenReader, TokenUnreadable
from brokerlink.storage import to_wire
from brokerlink.telemetry import Telemetry
from publish import Publisher
from tests.canaries.broker_server import BrokerServer
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.in_process import InProcess
from tests.canaries.seen import Seen
from tests.canaries.walk import Walk
from tests.kit.clients import client, wired
from tests.kit.wire import down, refused_in_xml
from tests.kit.world import MIDNIGHT


def the_wire(canaries: Canaries) -> None:
    """Send requests full of secrets to a server that fails, and to none: each ends in an error of ours."""
    server, outbound = BrokerServer(), Outbound()
    words = canaries.new(Kind.BROKERS_WORDS)
    token, grant = canaries.new(Kind.ACCESS_TOKEN), canaries.new(Kind.GRANT)
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.url}/token?code={grant}"
    faults: list[Answer | str] = [Answer(200, {"location": words}, words.encode()), "reset", "oversized", "encoding"]
    server.tell(*faults)
    requests = [Request("POST", url, headers, grant.encode())] * len(faults)
    requests += [
        Request("GET", f"http://localhost:{grant}/", headers),
        Request("GET", f"http://user:{grant}@no.invalid/", headers),
        Request("GET", f"http://[{grant}]/", headers),
        Request("GET", url, {"Authorization": f"Bearer {token}\nx"}),
        Request("GET", url, {"Authorization": f"Bearer {token}→"}),
    ]
    try:
        for request in requests:
            with suppress(OutboundError):
                outbound.send(request, deadline=time.monotonic() + 3, fresh=True)
    finally:
        server.close()


def the_reader(site: InProcess, walk: Walk) -> None:
    """Read every token, and ask for those that are not to be had."""
    world, canaries = site.world, walk.canaries
    dynamodb, kms = world.aws.client("dynamodb"), world.aws.client("kms")
    reader = TokenReader("Tokens", dynamodb=dynamodb, kms=kms, clock=world.clock)
    for row in world.tokens():
        owner = {name: str(row[name]) for name in ("user_id", "broker", "account")}
        told = {**owner, "issued_at": row["issued_at_ms"] // 1000}
        token = reader.get(json.dumps({"id": row["attempt_id"], "data": told}))
        assert canaries.kinds[token.access_token] is Kind.ACCESS_TOKEN
    words = canaries.new(Kind.STRANGERS_WORDS)
    late = TokenReader("Tokens", dynamodb=dynamodb, kms=kms, clock=lambda: MIDNIGHT + 86_400)
    elsewhere = TokenReader("Nowhere", dynamodb=dynamodb, kms=kms, clock=world.clock)
    moved = row | {"user_id": "mallory", "connection": row["connection"]}
    world.dynamodb.put_item(TableName="Tokens", Item=to_wire(moved))
    kept = TokenReader("Tokens", cache_seconds=60, dynamodb=dynamodb, kms=kms, clock=world.clock)
    unreadable: list[TokenUnreadable] = []
    for tokens in (kept.of_broker(str(row["broker"]), unreadable=unreadable.append), kept.of_user("mallory")):
        walk.seen.note("tokens of many", repr([(token, token.headers) for token in tokens]))
    assert [str(error.user_id) for error in unreadable] == ["mallory"]
    asks: list[Callable[[], object]] = [
        lambda: reader.get({"id": "another", "data": told | {"issued_at": MIDNIGHT}}),
        lambda: reader.get({"id": words}),
        lambda: reader.get(words),
        lambda: reader.get(f'{{"id": "{words}"'),
        lambda: reader.get({"id": "1", "data": told | {"issued_at": words}}),
        lambda: reader.get({"id": "1", "data": told | {"user_id": "nobody"}}),
        lambda: reader.get(user_id=owner["user_id"]),
        lambda: late.get(**owner),
        lambda: elsewhere.get(**owner),
        lambda: reader.get(**owner | {"user_id": "mallory"}),
    ]
    for ask in asks:
        try:
            ask()
        except (BrokerlinkError, ClientError, ValueError):
            continue
        raise AssertionError("it was given out")
    walk.keep_calls("the reader")


def the_announcement(site: InProcess, canaries: Canaries, seen: Seen) -> None:
    """Announce every token: one that can never be, one that cannot be just now, and all the others."""
    sns, wire = wired("sns")
    sqs, letters = wired("sqs")
    topic = client("sns").create_topic(Name="TokenIssued")["TopicArn"]
    queues = [client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("listener", "dead-letters")]
    arn = client("sqs").get_queue_attributes(QueueUrl=queues[0], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    logger = Logger(service="announce-canaries", stream=site.world.log, level="DEBUG")
    publisher = Publisher(
        sns=sns,
        sqs=sqs,
        topic=topic,
        dead_letters=queues[1],
        source="brokerlink/canaries",
        telemetry=Telemetry(logger),
        links_table="Links",
        attempts_table="LoginAttempts",
    )
    records = [_insert(number, row) for number, row in enumerate(site.world.tokens())]
    spoilt = {
        "scope": {"N": canaries.new(Kind.STRANGERS_WORDS)},
        "token_type": {"S": canaries.new(Kind.STRANGERS_WORDS)},
        "issued_at_ms": {"N": canaries.new(Kind.STRANGERS_WORDS)},
    }
    poison = [_spoilt(records[0], {name: value}) for name, value in spoilt.items()]
    poison.append({"eventName": "INSERT", "dynamodb": canaries.new(Kind.STRANGERS_WORDS)})
    wire.meet("Publish", down)
    assert len(publisher(records)) == len(records)
    wire.meet("Publish", refused_in_xml("InvalidParameter"))
    assert publisher(records[:1]) == []
    letters.meet("SendMessage", down)
    assert publisher(poison)
    assert publisher([*records, *poison]) == []
    told = list(_told(site, canaries))
    assert publisher(told) == []
    for call in (*wire.calls, *letters.calls):
        seen.note(f"call of {call.operation}", call.body.decode(), where="announce")
    for place, queue in zip(("event", "dead letter"), queues, strict=True):
        while found := client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                seen.note(place, json.dumps(message, default=str), where="announce")
                client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def _image(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value}
        for name, attribute in to_wire(row).items()
        for kind, value in attribute.items()
    }


def _insert(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """Give the stream record of a new row, as Lambda gets it."""
    image = _image(row)
    keys = {name: image[name] for name in ("user_id", "connection")}
    return {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": f"{number:021}"}}


def _told(site: InProcess, canaries: Canaries) -> Iterator[dict[str, Any]]:
    """Give the records of what is told beside: of a link, each notice and one that nobody knows; and of failures."""
    link = site.world.links()[0] | {"login_url": "https://login.example.com/authorize/pocketful"}
    for number, notice in enumerate(("revoked", "expiring", "reminder", canaries.new(Kind.STRANGERS_WORDS))):
        yield _of("Links", _insert(number, link | {"notice_id": f"{link['attempt_id']}.{notice}"}))
    for number, row in enumerate(each for each in site.world.attempts() if each["status"] == "FAILED"):
        image = _image(row)
        change = {"Keys": {}, "NewImage": image, "SequenceNumber": f"{number}", "ApproximateCreationDateTime": 1}
        yield _of("LoginAttempts", {"eventName": "MODIFY", "dynamodb": change})


def _of(table: str, record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "eventSourceARN": f"arn:aws:dynamodb:ap-south-1:123456789012:table/{table}/stream/2026"}


def _spoilt(record: dict[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    change = record["dynamodb"]
    return {**record, "dynamodb": change | {"NewImage": change["NewImage"] | attributes}}

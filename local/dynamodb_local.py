"""Amazon's DynamoDB Local for the rows of the tables, moto for everything else.

moto's CloudFormation makes the tables, and stays the one to describe them. Each is made again in DynamoDB Local when
its description is asked for: its items, its transactions and its stream are that one's.
"""

import json
from collections.abc import Iterable
from io import BytesIO
from threading import Lock
from wsgiref.types import StartResponse, WSGIEnvironment

from local.aws import Clients
from local.forwarding import Forwarder
from local.moto_engine import Moto
from local.ports import LOOPBACK
from local.template import Json

_DESCRIBE = frozenset({"CreateTable", "DescribeTable"})
_OF_TABLES = _DESCRIBE | {"DeleteTable", "DescribeTimeToLive", "ListTables", "UpdateTable", "UpdateTimeToLive"}

_COPIED = ("TableName", "KeySchema", "AttributeDefinitions", "StreamSpecification")
_COPIED_OF_INDEX = ("IndexName", "KeySchema", "Projection")


class DynamoDbLocal(Moto):
    """WSGI application: moto, with DynamoDB Local on `port` for what is in the tables."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._rows = Forwarder(port)
        self._clients = Clients(f"http://{LOOPBACK}:{port}")
        self._making = Lock()
        self._streams: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, whose `wsgi.input` holds all of its body."""
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if not service.startswith("DynamoDB"):
            return super().__call__(environ, start_response)
        if operation in _OF_TABLES:
            answer = b"".join(super().__call__(environ, start_response))
            if operation in _DESCRIBE:
                self._make(json.loads(answer))
            return [answer]
        body: bytes = environ["wsgi.input"].read()
        for known, there in self._streams.items():
            body = body.replace(known.encode(), there.encode())
        environ["wsgi.input"] = BytesIO(body)
        return self._rows(environ, start_response)

    def _make(self, answer: Json) -> None:
        """Make the table that moto described, unless it is there."""
        table: Json | None = answer.get("Table") or answer.get("TableDescription")
        if table is None:
            return
        with self._making:
            if table["TableName"] in self._clients.dynamodb.list_tables()["TableNames"]:
                return
            asked: Json = {name: table[name] for name in _COPIED if table.get(name)}
            if indexes := table.get("GlobalSecondaryIndexes"):
                asked["GlobalSecondaryIndexes"] = [{name: each[name] for name in _COPIED_OF_INDEX} for each in indexes]
            made = self._clients.dynamodb.create_table(BillingMode="PAY_PER_REQUEST", **asked)["TableDescription"]
            if "LatestStreamArn" in table:
                self._streams[table["LatestStreamArn"]] = made["LatestStreamArn"]

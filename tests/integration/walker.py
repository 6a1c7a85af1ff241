"""A browser and a platform's backend over plain HTTP."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.aws import Clients
from tests.simulators.walk import read_form


class Place(Protocol):
    """Where there is something to walk through: the front, and the brokers' simulators."""

    @property
    def base_url(self) -> str: ...

    @property
    def clients(self) -> Clients: ...

    @property
    def brokers_url(self) -> str: ...

    @property
    def outputs(self) -> Mapping[str, str]: ...


# Whom a browser trusts that speaks no TLS here: to read the public authorities takes longer than a login.
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Walker:
    """One browser: keeps cookies, walks the simulators' forms, and stops at redirects so that each can be looked at."""

    def __init__(self, stack: Place) -> None:
        self.stack = stack
        # No connection is kept, so none is left open at the end.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.http, self.broker = (
            httpx.Client(timeout=40, trust_env=False, limits=limits, verify=_NOBODY) for _ in range(2)
        )

    def get(self, target: str, **headers: str) -> httpx.Response:
        return self.http.get(urljoin(self.stack.base_url, target), headers=headers)

    def start(self, broker: str, **query: str) -> str:
        """Begin a login; give the broker's URL."""
        reply = self.http.get(f"{self.stack.base_url}/authorize/{broker}", params=query)
        assert reply.status_code == 303, reply.text
        return reply.headers["location"]

    def at_broker(self, url: str, button: int = 0, **fields: str) -> str:
        """Press a button on the broker's page; give the callback URL that it leads to."""
        form = read_form(self.broker.get(url))
        name, value = form.buttons[button]
        reply = self.broker.post(form.action, data={**form.fields, **fields, name: value})
        assert reply.status_code in {302, 303}, reply.text
        return reply.headers["location"]

    def log_in(self, broker: str, **query: str) -> httpx.Response:
        """Go the whole way; give our answer to the callback."""
        return self.get(self.at_broker(self.start(broker, **query)))

    def result(self, reply: httpx.Response) -> dict[str, Any]:
        """Give the outcome of the attempt that a redirect names, as JSON."""
        found: dict[str, Any] = self.get(f"/result?attempt={attempt_of(reply)}", accept="application/json").json()
        return found

    def backend(self, method: str, path: str, body: object = None, *, secret: str = "local") -> httpx.Response:
        """Call an IAM route as a platform's backend does."""
        data = b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(
            method, self.stack.base_url + path, data=data, headers={"Content-Type": "application/json"}
        )
        SigV4Auth(Credentials("local", secret), "execute-api", "ap-south-1").add_auth(request)
        return self.http.request(
            method, self.stack.base_url + path, content=data, headers=dict(request.headers.items())
        )

    def session(self, **body: str) -> str:
        """Prepare a login; give its start URL."""
        reply = self.backend("POST", "/sessions", body)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["start_url"])

    def open(self, start_url: str) -> str:
        """Open a start URL; give the broker's URL."""
        reply = self.get(start_url)
        assert reply.status_code == 303, reply.text
        return reply.headers["location"]

    def fault(self, broker: str, endpoint: str, fault: str, times: int = 1) -> None:
        """Tell a simulator to fail."""
        told = {"broker": broker, "endpoint": endpoint, "fault": fault, "times": times}
        reply = self.broker.post(f"{self.stack.brokers_url}/simulator/faults", json=told)
        assert reply.is_success, reply.text

    def requests_with(self, text: str) -> list[dict[str, Any]]:
        """Give the requests that a broker received with `text` in their body."""
        every = self.broker.get(f"{self.stack.brokers_url}/simulator/requests").json()
        return [each for each in every if text in (each["body"] or "")]

    def token_row(self, user_id: str, connection: str) -> dict[str, Any] | None:
        """Give a row of Tokens as DynamoDB speaks it."""
        key = {"user_id": {"S": user_id}, "connection": {"S": connection}}
        table = self.stack.outputs["TokensTableName"]
        found: dict[str, Any] | None = self.stack.clients.dynamodb.get_item(TableName=table, Key=key).get("Item")
        return found


def attempt_of(reply: httpx.Response) -> str:
    """Give the attempt that a redirect names."""
    assert reply.status_code == 303, reply.text
    return dict(parse_qsl(urlsplit(reply.headers["location"]).query))["attempt"]


def grant_of(callback: str) -> str:
    """Give the grant in a callback URL."""
    query = dict(parse_qsl(urlsplit(callback).query))
    return query.get("code") or query["RequestToken"]

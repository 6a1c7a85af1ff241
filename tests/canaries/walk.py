"""A customer's walk: every answer, every request to a broker and every call to AWS is kept to be searched."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from brokerlink.attempts import digest
from brokerlink.outbound import Answer
from tests.canaries.brokers import Broker
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.seen import Own, Seen
from tests.canaries.site import Site, route_of
from tests.kit.browser import Reply

RETURN_TO: Final = "/example/return"
AUTHORIZE: Final = "GET /authorize/{broker}"
JSON: Final = {"content_type": "application/json"}
# What the product makes, and shows nobody but AWS.
_MADE: Final = {
    Kind.CODE_VERIFIER: re.compile(r'"code_verifier": \{"S": "([^"]+)"'),
    Kind.CIPHERTEXT: re.compile(r'"(?:B|CiphertextBlob)": "([^"]+)"'),
}
_FIELD: Final = re.compile(r'name="State" value="([^"]+)"')


class Walk:
    """One browser and its platform's backend, at one broker. `secret` are those of this attempt, by kind."""

    def __init__(self, site: Site, seen: Seen, canaries: Canaries, broker: Broker, title: str = "") -> None:
        self.site = site
        self.seen = seen
        self.canaries = canaries
        self.broker = broker
        self.title = title
        self.cookies: dict[str, str] = {}
        self.attempt = ""
        self.secret: dict[Kind, list[str]] = {}
        self._own(Kind.APP_SECRET, *broker.secrets.values())
        self.new_grant()

    def new_grant(self) -> None:
        """Let the broker send another grant: at 5paisa a JWT."""
        if self.broker.grant == "RequestToken":
            self._own(Kind.GRANT, self.canaries.new_jwt(Kind.GRANT))
        else:
            self._own(Kind.GRANT, self.canaries.new(Kind.GRANT, "+/=%2B ~"))

    @property
    def grant(self) -> str:
        return self.secret[Kind.GRANT][0]

    @property
    def state(self) -> str:
        return self.secret[Kind.STATE][0]

    def _own(self, kind: Kind, *secrets: str) -> None:
        self.secret[kind] = [self.canaries.add(kind, secret) for secret in secrets]

    # asking

    def request(
        self,
        method: str,
        target: str,
        *,
        body: str | None = None,
        host: str | None = None,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] = {},
    ) -> Reply:
        """Ask, as this browser or with other cookies, and keep the answer."""
        jar = [f"{name}={value}" for name, value in (self.cookies if cookies is None else cookies).items()]
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.site.ask(method, target, headers=named, cookies=jar, body=body, host=host)
        if cookies is None:
            self.cookies |= reply.cookies
        asked = f"{self.broker.id}, {self.title}, {method} {target[:80]}"
        self.keep_calls(asked)
        self._learn(reply)
        self._keep_requests(asked)
        self._keep(reply, route_of(method, target), asked, host)
        return reply

    def keep_calls(self, asked: str) -> None:
        """Keep what AWS was asked, and take note of what the product has made and put there."""
        for operation, body in self.site.called():
            found = {kind: pattern.findall(body) for kind, pattern in _MADE.items()}
            self.secret[Kind.CODE_VERIFIER] = found[Kind.CODE_VERIFIER] or self.secret.get(Kind.CODE_VERIFIER, [])
            for verifier in found[Kind.CODE_VERIFIER]:
                self.canaries.add(Kind.CODE_VERIFIER, verifier)
            sealed = [self.canaries.add_ciphertext(base64.b64decode(text)) for text in found[Kind.CIPHERTEXT]]
            words = [word for word in self.canaries.of(Kind.STRANGERS_WORDS) if str(word) in body]
            own: Own = {**self.secret, Kind.CIPHERTEXT: sealed, Kind.STRANGERS_WORDS: words}
            self.seen.note(f"call of {operation}", body, where=asked, own=own)

    def _keep_requests(self, asked: str) -> None:
        """Keep what brokers were asked."""
        for method, text in self.site.heard():
            place = "request for an account" if method == "GET" else "request for a token"
            self.seen.note(place, text, where=asked, own=dict(self.secret))

    def _learn(self, reply: Reply) -> None:
        if key := reply.cookies.get(self.site.cookie):
            self._own(Kind.BROWSER_KEY, key)
        if state := state_sent(reply):
            self._own(Kind.STATE, state)
            self.attempt = digest(state)
        elif '"start_url"' in reply.body:
            self._own(Kind.SESSION, query_of(reply.json["start_url"])["session"])

    def _keep(self, reply: Reply, asked_route: str, asked: str, host: str | None) -> None:
        route, headers = asked_route, reply.headers
        location = headers.pop("location", "")
        body = "JSON" if "json" in headers.get("content-type", "") else "form" if "<form" in reply.body else "page"
        if host is not None:
            route += " on another host"
        elif route == AUTHORIZE and not state_sent(reply):
            route += " that begins nothing"
        own = dict(self.secret)
        self.seen.note(f"Set-Cookie of {asked_route}", "\n".join(reply.payload["cookies"]), where=asked, own=own)
        for part, text in (("Location", location), ("headers", json.dumps(headers)), (body, reply.body)):
            self.seen.note(f"{part} of {route}", text, where=asked, own=own)

    # steps

    def get(self, target: str, **headers: str) -> Reply:
        return self.request("GET", target, headers=headers)

    def start(self, **query: str) -> Walk:
        """Begin a login."""
        reply = self.get(f"/authorize/{self.broker.id}" + (f"?{urlencode(query)}" if query else ""))
        assert reply.status == 303, reply.body
        return self

    def open_session(self, *, account: str | None = None) -> str:
        """Let the platform prepare a login; give the secret of its start URL."""
        wanted: dict[str, Any] = {"broker": self.broker.id, "user_id": "user-1"}
        wanted |= {"account": account} if account else {"return_to": self.site.base_url + RETURN_TO}
        reply = self.request("POST", "/sessions", body=json.dumps(wanted), headers=JSON)
        assert reply.status == 201, reply.body
        return self.secret[Kind.SESSION][0]

    def come_back(self, *answers: Answer | str, **query: str) -> Reply:
        """Come back with the grant, or with what else is given; `answers` are what the broker then says."""
        self.tell(*answers)
        return self.get(self.callback(**query))

    def callback(self, **query: str) -> str:
        """Give the address to which the broker sends this browser, with the grant or with what else is given."""
        given = {**(query or {self.broker.grant: self.grant}), **self.broker.callback, "state": self.state}
        return f"/callback/{self.broker.id}?{urlencode(given)}"

    def tell(self, *answers: Answer | str) -> None:
        """Line up what the broker answers; the tokens in it are this attempt's."""
        self.site.tell(*answers)
        told = b"".join(answer.body for answer in answers if isinstance(answer, Answer)).decode(errors="replace")
        tokens = map(str, self.canaries.of(Kind.ACCESS_TOKEN))
        self.secret[Kind.ACCESS_TOKEN] = [token for token in tokens if token in told]

    def outcome(self) -> Any:
        """Look at the outcome as its page, as the platform sees it, and as JSON; give the last."""
        self.get(f"/result?attempt={self.attempt}")
        self.get(f"/attempts/{self.attempt}")
        return self.get(f"/result?attempt={self.attempt}", accept="application/json").json

    def confirm(self, user: str) -> Reply:
        body = json.dumps({"attempt": self.attempt, "user_id": user})
        return self.request("POST", "/confirm", body=body, headers=JSON)


def state_sent(reply: Reply) -> str:
    """Give the state that an answer sends to a broker, by the broker's address or by a form; empty where none is."""
    if field := _FIELD.search(reply.body):
        return field[1]
    url = reply.json["authorization_url"] if '"authorization_url"' in reply.body else reply.headers.get("location", "")
    query = query_of(url) if "://" in url else {}
    return query.get("state") or query.get("State") or ""


def query_of(url: str) -> dict[str, str]:
    """Give the parameters in a URL."""
    return dict(parse_qsl(urlsplit(url).query))

"""brokerlink.web.bodies: JSON from a platform's backend, where a slip must never open a login wider."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from brokerlink.web.bodies import json_texts
from brokerlink.web.request import BadRequest, WebRequest


def read(body: str | bytes, **names: Any) -> dict[str, str]:
    context = {"http": {"method": "POST"}, "domainName": "x", "stage": "$default"}
    event = {"routeKey": "POST /sessions", "rawPath": "/sessions", "requestContext": context, "body": ""}
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    request = replace(WebRequest.from_event(event), body=raw)
    return json_texts(request, **(names or {"required": ("broker", "user_id"), "optional": ("account",)}))


def test_texts_are_given_by_name() -> None:
    assert read('{"broker": "p", "user_id": "u"}') == {"broker": "p", "user_id": "u"}
    assert read(' {"account":"","user_id":"\\u00e9","broker":"p"} ') == {"broker": "p", "user_id": "é", "account": ""}


def test_body_may_be_as_long_as_it_has_to_be() -> None:
    shell = len(json.dumps({"broker": "p", "user_id": ""}))
    fits = json.dumps({"broker": "p", "user_id": "u" * (16_384 - shell)})
    assert len(read(fits)["user_id"]) == 16_384 - shell
    with pytest.raises(BadRequest, match="too long"):
        read(fits + " ")


HOSTILE: list[tuple[str, str | bytes]] = [
    ("empty", ""),
    ("not JSON", "broker=p&user_id=u"),
    ("cut off", '{"broker": "p", "user_id": "u"'),
    ("two objects", '{"broker": "p", "user_id": "u"}{}'),
    ("single quotes", "{'broker': 'p', 'user_id': 'u'}"),
    ("trailing comma", '{"broker": "p", "user_id": "u",}'),
    ("byte order mark", b'\xef\xbb\xbf{"broker": "p", "user_id": "u"}'),
    ("UTF-16", '{"broker": "p", "user_id": "u"}'.encode("utf-16")),
    ("Latin-1", b'{"broker": "p", "user_id": "\xe9"}'),
    ("NUL", '{"broker": "p", "user_id": "\0"}'),
    ("half a surrogate in the bytes", '{"broker": "p", "user_id": "\ud800"}'),
    ("null", "null"),
    ("a text", '"broker"'),
    ("a number", "1"),
    ("NaN", "NaN"),
    ("a list", '["broker", "user_id"]'),
    ("a list of pairs", '[["broker", "p"], ["user_id", "u"]]'),
    ("an empty list", "[]"),
    ("an empty object", "{}"),
    ("one missing", '{"broker": "p"}'),
    ("unknown", '{"broker": "p", "user_id": "u", "acount": "a"}'),
    ("unknown in another case", '{"broker": "p", "user_id": "u", "Account": "a"}'),
    ("unknown with a space", '{"broker": "p", "user_id": "u", "account ": "a"}'),
    ("unknown and empty", '{"broker": "p", "user_id": "u", "": "a"}'),
    ("prototype", '{"broker": "p", "user_id": "u", "__proto__": {}}'),
    ("repeated", '{"broker": "p", "user_id": "u", "broker": "p"}'),
    ("repeated by escape", '{"broker": "p", "user_id": "u", "brok\\u0065r": "q"}'),
    ("repeated, last null", '{"broker": "p", "user_id": "u", "account": "a", "account": null}'),
    ("value null", '{"broker": "p", "user_id": "u", "account": null}'),
    ("value true", '{"broker": "p", "user_id": true}'),
    ("value a number", '{"broker": "p", "user_id": 7}'),
    ("value a fraction", '{"broker": "p", "user_id": 0.5}'),
    ("value NaN", '{"broker": "p", "user_id": NaN}'),
    ("value Infinity", '{"broker": "p", "user_id": -Infinity}'),
    ("value a list", '{"broker": "p", "user_id": ["u"]}'),
    ("value an object", '{"broker": "p", "user_id": {"u": "u"}}'),
    ("value an empty object", '{"broker": "p", "user_id": {}}'),
    ("5,000 digits", '{"broker": "p", "user_id": ' + "9" * 5_000 + "}"),
    ("4,000 digits", '{"broker": "p", "user_id": ' + "9" * 4_000 + "}"),
    ("huge exponent", '{"broker": "p", "user_id": 1e99999}'),
    ("deep lists", '{"broker": "p", "user_id": ' + "[" * 16_000),
    ("deep objects", '{"a":' * 3_000),
    ("a megabyte", '{"broker": "' + "p" * 1_000_000 + '", "user_id": "u"}'),
]


@pytest.mark.parametrize("body", [body for _, body in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_anything_else_is_a_bad_request(body: str | bytes) -> None:
    with pytest.raises(BadRequest):
        read(body)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"broker": "p", "user_id": "u", "canary": "canary"}', "the body may hold only: account, broker, user_id"),
        ('{"account": "canary"}', "the body lacks: broker, user_id"),
        ('{"broker": "canary", "broker": "p"}', "a name is repeated in the body"),
        ('{"broker": "canary', "the body is not JSON"),
        ("null", "the body is not a JSON object"),
    ],
)
def test_refusal_says_what_to_do_and_quotes_nothing(body: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(body)
    assert str(caught.value) == says

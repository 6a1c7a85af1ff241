"""Requests as the gateway would pass them on, well-formed in shape and hostile in what they hold."""

from __future__ import annotations

import base64
import json
from typing import Any, Final
from urllib.parse import quote

import hypothesis.strategies as st

from tests.properties.hostile import SCRAPS, junk, texts

ROUTES: Final = {
    "authorize": ("GET /", "GET /authorize/{broker}", "POST /sessions"),
    "callback": (
        # Most often, since most depends on it.
        *["GET /callback/{broker}"] * 4,
        "POST /callback/{broker}",
        "GET /result",
        "POST /confirm",
        "GET /attempts/{attempt_id}",
    ),
}
COOKIE: Final = "__Host-brokerlink"
_NAMES: Final = (
    "state",
    "code",
    "error",
    "error_description",
    "iss",
    "RequestToken",
    "requesttoken",
    "REQUEST_TOKEN",
    "State",
    "session",
    "retry",
    "return_to",
    "attempt",
    "wait",
)
_HEADERS: Final = (
    "accept",
    "Accept",
    "content-type",
    "cookie",
    "host",
    "sec-fetch-site",
    "sec-purpose",
    "purpose",
    "x-forwarded-host",
    "forwarded",
    "authorization",
)


# What an attacker may have got hold of: words that `with_live` puts the live attempt's own values in the place of.
STATE: Final = "state-of-the-attempt-that-is-live"
ATTEMPT: Final = "id-of-the-attempt-that-is-live"
OTHER_STATE: Final = "the-same-state-in-the-other-case"
KEY: Final = "key-of-the-browser-that-it-began-in"
BROKER: Final = "broker-of-the-attempt-that-is-live"
ACCOUNT: Final = "account-of-the-customer"
SESSION: Final = "secret-of-a-session-that-is-open"
_values = texts | st.sampled_from([STATE, OTHER_STATE, ATTEMPT, KEY, BROKER, SESSION, STATE + "x"])

_CALLBACK: Final = f"state={STATE}&code=grant&RequestToken=grant"
_RETURN_TO: Final = "https%3A%2F%2Fapp.example.com%2Fbrokers"
# What a customer, a broker or a platform would send, by its route.
_GOOD_QUERIES: Final = {
    "GET /authorize/{broker}": ("", f"return_to={_RETURN_TO}", f"retry={ATTEMPT}", f"session={SESSION}"),
    "GET /callback/{broker}": (
        _CALLBACK,
        _CALLBACK,
        f"{_CALLBACK}&error=access_denied",
        f"state={STATE}&error=access_denied",
        f"state={STATE}",
        _CALLBACK.replace(STATE, OTHER_STATE),
        _CALLBACK.replace(STATE, "A" * 43),
    ),
    "GET /result": (f"attempt={ATTEMPT}", f"attempt={ATTEMPT}&wait=1", "error=denied"),
}
_GOOD_BODIES: Final = {
    "POST /sessions": (
        json.dumps({"broker": BROKER, "user_id": "user-1", "account": ACCOUNT}),
        json.dumps({"broker": "pocketful", "user_id": "user-1", "return_to": "https://app.example.com/brokers"}),
    ),
    "POST /callback/{broker}": (_CALLBACK, f"state={STATE}"),
    "POST /confirm": (json.dumps({"attempt": ATTEMPT, "user_id": "user-1"}),),
}
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
# What spoils a callback by little.
_TAILS: Final = (f"&state={STATE}", "&code=x", "&RequestToken=x", "&a=%ff", "&a=b&a=b", "&sTATE=x", "&code", "&&", "%")


def with_live(value: Any, words: dict[str, str]) -> Any:
    """Give a value with the live attempt's own values in the place of the words for them."""
    match value:
        case str():
            for word, live in words.items():
                value = value.replace(word, live)
            return value
        case list():
            return [with_live(each, words) for each in value]
        case dict():
            return {with_live(name, words): with_live(each, words) for name, each in value.items()}
    return value


def requests(function: str) -> st.SearchStrategy[dict[str, Any]]:
    """Give events for a function's routes: right in every part, in all but one, or in none; what is live mixed in."""
    return st.one_of([_requests(route) for route in ROUTES[function]])


def _requests(route: str) -> st.SearchStrategy[dict[str, Any]]:
    bodies = [None if body is None else (body, False) for body in _GOOD_BODIES.get(route, (None,))]
    good: dict[str, st.SearchStrategy[Any]] = {
        "query": st.sampled_from(_GOOD_QUERIES.get(route, ("",))),
        "headers": st.just(_FORM if route == "POST /callback/{broker}" else {}),
        "cookies": st.just([f"{COOKIE}={KEY}"]),
        "parameter": st.just(ATTEMPT if "attempt_id" in route else BROKER),
        "body": st.sampled_from(bodies),
    }
    hostile: dict[str, st.SearchStrategy[Any]] = {
        "query": _queries(route),
        "headers": _headers(),
        "cookies": st.lists(_cookies(), max_size=3),
        "parameter": _values | st.sampled_from(["pocketful", "fivepaisa"]),
        "body": _bodies(),
    }
    choices = [good, hostile, *({**good, name: part} for name, part in hostile.items())]
    return st.one_of([st.builds(event, st.just(route), **parts) for parts in choices])


def event(
    route: str,
    *,
    query: str,
    headers: dict[str, Any],
    cookies: list[Any],
    parameter: str,
    body: tuple[str, bool] | None,
) -> dict[str, Any]:
    """Give an event of payload format 2.0."""
    method, path = route.split(" ")
    name = path.partition("{")[2].rstrip("}")
    raw_path = path.replace(f"{{{name}}}", parameter) if name else path
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {"host": "login.example.com", **headers},
        "requestContext": {
            "http": {"method": method, "path": raw_path, "sourceIp": "203.0.113.7"},
            "domainName": "login.example.com",
            "stage": "$default",
            "requestId": "request",
        },
        "isBase64Encoded": False,
    }
    if cookies:
        made["cookies"] = cookies
    if name:
        made["pathParameters"] = {name: parameter}
    if body is not None:
        made["body"], made["isBase64Encoded"] = body
    return made


def _queries(route: str) -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(_NAMES) | texts, _values)
    encoded = pair.map(lambda each: f"{_quoted(each[0])}={_quoted(each[1])}")
    pairs = st.lists(encoded | encoded | pair.map("=".join), max_size=4).map("&".join)
    good = st.sampled_from(_GOOD_QUERIES.get(route, ("",)))
    spoilt = st.sampled_from([_CALLBACK.replace("grant", ""), _CALLBACK.replace("grant", "x" * 4097)])
    return st.one_of(pairs, st.builds("{}&{}".format, good, pairs), st.builds(str.__add__, good, _tails), spoilt)


_tails = st.sampled_from(_TAILS)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _headers() -> st.SearchStrategy[dict[str, str]]:
    usual = [("sec-purpose", "prefetch"), ("accept", "application/json"), ("sec-fetch-site", "cross-site")]
    header = st.sampled_from(usual) | st.tuples(st.sampled_from(_HEADERS), _values)
    return st.lists(header, max_size=3).map(dict)


def _cookies() -> st.SearchStrategy[str]:
    names = st.sampled_from([COOKIE, f"{COOKIE}-links", COOKIE.lower(), " " + COOKIE])
    links = st.sampled_from(["pocketful.1795458600", "pocketful.1795458600~", "~~", "a.99999999999", "x.1" * 90])
    near = [f"{COOKIE}={KEY}", f"{COOKIE}={KEY}x", f"{COOKIE}={'A' * 43}"]
    return st.one_of(
        st.builds("{}={}".format, names, _values | links), _values, st.sampled_from(near), st.sampled_from(SCRAPS)
    )


def _bodies() -> st.SearchStrategy[tuple[str, bool] | None]:
    names = st.sampled_from(["broker", "user_id", "account", "return_to", "attempt", "more"])
    objects = st.dictionaries(names, _values | junk, max_size=5)
    plain = (objects | junk).map(json.dumps) | texts | _queries("GET /callback/{broker}")
    packed = plain.map(lambda text: base64.b64encode(text.encode(errors="surrogatepass")).decode())
    return st.none() | st.tuples(plain, st.just(value=False)) | st.tuples(packed | texts, st.just(value=True))

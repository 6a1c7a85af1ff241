"""The platform's routes without its signature, with another's, or with one that was made for something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.attacks.over_http.scene import ACCOUNT, Scene
from tests.attacks.over_http.signing import sign
from tests.attacks.over_http.wire import Answer, Header

BODY = json.dumps({"broker": "pocketful", "user_id": "signed", "account": ACCOUNT}).encode()
PATH = "/sessions"


def now() -> datetime:
    return datetime.now(UTC)


def signed(scene: Scene, method: str = "POST", target: str = PATH, body: bytes = BODY, **more: str) -> list[Header]:
    return sign(method, scene.stack.base_url + target, body, at=now(), **more)


def post(scene: Scene, headers: list[Header], *, target: str = PATH, body: bytes = BODY) -> Answer:
    return scene.api.ask("POST", target, *headers, body=body)


def changed(headers: list[Header], name: str, change: Callable[[str], str]) -> list[Header]:
    assert name in dict(headers)
    return [(key, change(value) if key == name else value) for key, value in headers]


def instead(scene: Scene, authorization: str) -> list[Header]:
    return changed(signed(scene), "Authorization", lambda _: authorization)


def replaced(scene: Scene, old: str, new: str) -> list[Header]:
    headers = signed(scene)
    assert old in dict(headers)["Authorization"]
    return changed(headers, "Authorization", lambda value: value.replace(old, new))


def test_signed_request_is_taken(scene: Scene) -> None:
    assert post(scene, signed(scene)).status == 201


FORGERIES: dict[str, Callable[[Scene], list[Header]]] = {
    "no signature": lambda _: [("Content-Type", "application/json")],
    "another secret": lambda it: signed(it, secret="wrong"),
    "an empty secret": lambda it: signed(it, secret=""),
    "another access key": lambda it: signed(it, access_key="other"),
    "another region": lambda it: signed(it, region="us-east-1"),
    "another service": lambda it: signed(it, service="s3"),
    "the emulator's service": lambda it: signed(it, service="dynamodb"),
    "another method": lambda it: signed(it, method="PUT"),
    "another path": lambda it: signed(it, target="/confirm"),
    "another query": lambda it: signed(it, target=f"{PATH}?a=b"),
    "another body": lambda it: signed(it, body=BODY.replace(b"signed", b"mallor")),
    "no body": lambda it: signed(it, body=b""),
    "another host": lambda _: sign("POST", f"http://api.example.com{PATH}", BODY, at=now()),
    "localhost by its name": lambda it: sign(
        "POST", it.stack.base_url.replace("127.0.0.1", "localhost") + PATH, BODY, at=now()
    ),
    "six minutes ago": lambda it: sign("POST", it.stack.base_url + PATH, BODY, at=now() - timedelta(minutes=6)),
    "in six minutes": lambda it: sign("POST", it.stack.base_url + PATH, BODY, at=now() + timedelta(minutes=6)),
    "yesterday": lambda it: sign("POST", it.stack.base_url + PATH, BODY, at=now() - timedelta(days=1)),
    "old signature, new date": lambda it: changed(
        sign("POST", it.stack.base_url + PATH, BODY, at=now() - timedelta(minutes=6)),
        "X-Amz-Date",
        lambda _: now().strftime("%Y%m%dT%H%M%SZ"),
    ),
    "date in a Date header": lambda it: [
        ("Date" if name == "X-Amz-Date" else name, value) for name, value in signed(it)
    ],
    "date twice": lambda it: [*signed(it), ("X-Amz-Date", now().strftime("%Y%m%dT%H%M%SZ"))],
    "signature twice": lambda it: [*signed(it), ("Authorization", dict(signed(it))["Authorization"])],
    "two schemes": lambda it: [*signed(it), ("Authorization", "Bearer x")],
    "bearer": lambda it: instead(it, "Bearer local"),
    "basic": lambda it: instead(it, "Basic bG9jYWw6bG9jYWw="),
    "empty": lambda it: instead(it, ""),
    "none": lambda it: instead(it, "none"),
    "no algorithm": lambda it: replaced(it, "AWS4-HMAC-SHA256 ", ""),
    "SHA-1": lambda it: replaced(it, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
    "SHA-512": lambda it: replaced(it, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
    "elliptic curves": lambda it: replaced(it, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
    "a streamed payload": lambda it: replaced(it, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256-PAYLOAD"),
    "algorithm in lower case": lambda it: replaced(it, "AWS4-HMAC-SHA256", "aws4-hmac-sha256"),
    "version 2": lambda it: instead(it, "AWS local:c2lnbmF0dXJl"),
    "version 3": lambda it: instead(it, "AWS3-HTTPS AWSAccessKeyId=local,Algorithm=HmacSHA256,Signature=x"),
    "no signed headers": lambda it: replaced(it, "content-type;host;x-amz-date", ""),
    "host unsigned": lambda it: replaced(it, "content-type;host;x-amz-date", "content-type;x-amz-date"),
    "date unsigned": lambda it: replaced(it, "content-type;host;x-amz-date", "content-type;host"),
    "headers out of order": lambda it: replaced(it, "content-type;host;x-amz-date", "x-amz-date;host;content-type"),
    "a header twice": lambda it: replaced(it, "content-type;host", "content-type;content-type;host"),
    "scope of nothing": lambda it: replaced(it, "/ap-south-1/execute-api/aws4_request", "////"),
    "wildcard region": lambda it: replaced(it, "/ap-south-1/", "/*/"),
    "signature cut off": lambda it: changed(signed(it), "Authorization", lambda value: value[:-1]),
    "signature of zeros": lambda it: changed(signed(it), "Authorization", lambda value: value[:-64] + "0" * 64),
    "signature in upper case": lambda it: changed(
        signed(it), "Authorization", lambda value: value[:-64] + value[-64:].upper()
    ),
    "content type changed": lambda it: changed(signed(it), "Content-Type", lambda _: "text/plain"),
    "unsigned payload": lambda it: [*signed(it, body=b""), ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")],
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_signature_reaches_no_function(scene: Scene, name: str) -> None:
    asked = scene.asked
    answer = post(scene, FORGERIES[name](scene))
    assert (answer.status, answer.ours, answer.json) == (403, False, {"message": "Forbidden"})
    assert scene.asked == asked


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/sessions", BODY),
        ("POST", "/confirm", b'{"attempt": "x", "user_id": "y"}'),
        ("GET", "/attempts/{attempt}", None),
        ("POST", "/%73essions", BODY),
        ("POST", "/sessions?x=y", BODY),
        ("GET", "/attempts/%7Battempt_id%7D", None),
    ],
)
def test_platforms_routes_are_closed_to_whoever_does_not_sign(
    scene: Scene, method: str, target: str, body: bytes | None
) -> None:
    answer = scene.api.ask(method, target.format(attempt="R" * 43), body=body)
    assert (answer.status, answer.ours) == (403, False)


@pytest.mark.parametrize(
    "target",
    [
        "/sessions/",
        "//sessions",
        "/./sessions",
        "/x/../sessions",
        "/Sessions",
        "/sessions%2f",
        "/confirm/",
        "/attempts/",
        "/attempts/a/b",
    ],
)
def test_no_other_spelling_of_a_path_gets_around_the_signature(scene: Scene, target: str) -> None:
    for method in ("GET", "POST", "PUT"):
        answer = scene.api.ask(method, target, body=BODY)
        assert (answer.status, answer.ours) == (404, False)


def test_signature_in_the_query_is_none(scene: Scene) -> None:
    stamp = now().strftime("%Y%m%dT%H%M%SZ")
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=local%2F{stamp[:8]}%2Fap-south-1%2Fexecute-api%2Faws4_request"
        f"&X-Amz-Date={stamp}&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature={'0' * 64}"
    )
    assert scene.api.ask("GET", f"/attempts/{'R' * 43}?{query}").status == 403


def test_replayed_confirmation_and_session_within_the_five_minutes_do_no_harm(scene: Scene) -> None:
    """A signature has no nonce: whoever records one can send it again for five minutes."""
    login = scene.held("replayed")
    body = json.dumps({"attempt": login.attempt_id, "user_id": "replayed"}).encode()
    headers = sign("POST", f"{scene.stack.base_url}/confirm", body, at=now() - timedelta(minutes=4))
    first, second = (post(scene, headers, target="/confirm", body=body) for _ in range(2))
    assert (first.status, second.status, second.body) == (200, 200, first.body)
    scene.stack.received.wait_for(lambda event: event["id"] == login.attempt_id)
    assert sum(event["id"] == login.attempt_id for event in scene.stack.received.events) == 1
    twice = sign("POST", scene.stack.base_url + PATH, BODY, at=now() - timedelta(minutes=4))
    urls = {post(scene, twice).json["start_url"] for _ in range(2)}
    assert len(urls) == 2


def test_signature_of_a_browser_route_changes_nothing_there(scene: Scene) -> None:
    """A platform's signature makes no other browser the right one."""
    victim = scene.browser().login()
    headers = sign("GET", scene.stack.base_url + victim.callback, at=now())
    assert scene.browser().get(victim.callback, *headers).location == "/result?error=wrong_browser"
    victim.assert_untouched()

"""JSON that two readers could take for two things, or that is made to break one: nothing is opened or committed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from tests.attacks.over_http.scene import ACCOUNT, Scene
from tests.attacks.over_http.signing import sign
from tests.attacks.over_http.wire import Answer

GOOD = {"broker": "pocketful", "user_id": "asha", "account": ACCOUNT}
TEXT = json.dumps(GOOD)

# What is made of a good object's text, and is none.
NO_OBJECT: dict[str, Callable[[str], bytes]] = {
    "empty": lambda _: b"",
    "nothing but blanks": lambda _: b"   ",
    "null": lambda _: b"null",
    "a text": lambda it: json.dumps(it).encode(),
    "a number": lambda _: b"1",
    "a list": lambda it: f"[{it}]".encode(),
    "a list of pairs": lambda it: json.dumps(list(json.loads(it).items())).encode(),
    "two objects": lambda it: f"{it}{it}".encode(),
    "a line each": lambda it: f"{it}\n{it}".encode(),
    "trailing garbage": lambda it: f"{it} x".encode(),
    "trailing comma": lambda it: it.replace("}", ",}").encode(),
    "trailing NUL": lambda it: f"{it}\0".encode(),
    "a comment": lambda it: f"{it}//x".encode(),
    "single quotes": lambda it: it.replace('"', "'").encode(),
    "unquoted names": lambda it: it.replace('"', "").encode(),
    "a form": lambda it: urlencode(json.loads(it)).encode(),
    "XML": lambda _: b"<session/>",
    "byte order mark": lambda it: b"\xef\xbb\xbf" + it.encode(),
    "UTF-16": lambda it: it.encode("utf-16"),
    "UTF-32": lambda it: it.encode("utf-32-le"),
    "Latin-1": lambda it: it.replace("asha", "\xe9").encode("latin-1"),
    "overlong UTF-8": lambda it: it.encode().replace(b"a", b"\xc1\xa1", 1),
    "a raw line break in a text": lambda it: it.replace("asha", "a\nb").encode(),
    "a user twice": lambda it: it.replace("}", ', "user_id": "asha"}').encode(),
    "a user twice, one escaped": lambda it: it.replace("}", ', "\\u0075ser_id": "mallory"}').encode(),
    "a user twice, another's first": lambda it: it.replace("{", '{"user_id": "mallory", ').encode(),
    "an unknown name": lambda it: it.replace("}", ', "admin": "true"}').encode(),
    "a prototype": lambda it: it.replace("}", ', "__proto__": "x"}').encode(),
    "user in another case": lambda it: it.replace("user_id", "User_id").encode(),
    "user null": lambda it: it.replace('"asha"', "null").encode(),
    "user true": lambda it: it.replace('"asha"', "true").encode(),
    "user a list": lambda it: it.replace('"asha"', '["asha"]').encode(),
    "user an object": lambda it: it.replace('"asha"', '{"$ne": ""}').encode(),
    "user NaN": lambda it: it.replace('"asha"', "NaN").encode(),
    "user Infinity": lambda it: it.replace('"asha"', "-Infinity").encode(),
    "user 1e999": lambda it: it.replace('"asha"', "1e999").encode(),
    "user of 5,000 digits": lambda it: it.replace('"asha"', "1" * 5_000).encode(),
    "user missing": lambda it: json.dumps({k: v for k, v in json.loads(it).items() if k != "user_id"}).encode(),
    "nested 7,000 deep": lambda _: b"[" * 7_000 + b"]" * 7_000,
    "nested 16,000 deep and cut off": lambda _: b"[" * 16_000,
    "objects nested 2,000 deep": lambda _: b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    "nested within": lambda it: it.replace('"asha"', "[" * 8_000 + "]" * 8_000).encode(),
    "20 kB": lambda it: it.replace("asha", "x" * 20_000).encode(),
    "1 MB of blanks": lambda it: it.encode() + b" " * 1_000_000,
    "1,500 names": lambda _: ("{" + ",".join(f'"{n}":"x"' for n in range(1_500)) + "}").encode(),
}


def variant(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


# What is an object, and no session.
NO_SESSION: dict[str, bytes] = {
    "account twice": TEXT.replace("}", ', "account": "YA0003"}').encode(),
    "account twice, one escaped": TEXT.replace("}", ', "\\u0061ccount": "YA0003"}').encode(),
    "account twice, the same": TEXT.replace("}", ', "account": "YA0002"}').encode(),
    "account in another case": TEXT.replace('"account"', '"Account"').encode(),
    "account misspelt": TEXT.replace('"account"', '"acount"').encode(),
    "account with a space": TEXT.replace('"account"', '"account "').encode(),
    "account with a soft hyphen": TEXT.replace('"account"', '"acc\\u00adount"').encode(),
    "account in Cyrillic": TEXT.replace('"account"', '"\\u0430ccount"').encode(),
    "expected_account": TEXT.replace('"account"', '"expected_account"').encode(),
    "account null": variant(account=None),
    "account false": variant(account=False),
    "account a number": variant(account=1),
    "account a list": variant(account=[ACCOUNT]),
    "account an object": variant(account={"$ne": ""}),
    "account empty": variant(account=""),
    "account with a hash": variant(account="YA0002#x"),
    "account with a slash": variant(account="YA0002/.."),
    "account with a line break": variant(account="YA0002\n"),
    "account with a fullwidth digit": variant(account="YA000\uff12"),
    "account of 65 characters": variant(account="x" * 65),
    "account half a surrogate pair": TEXT.replace("YA0002", "\\ud800").encode(),
    "user empty": variant(user_id=""),
    "user of a direct login": variant(user_id="pocketful:YA0002"),
    "user with a line break": variant(user_id="asha\n"),
    "user with NUL": variant(user_id="asha\0"),
    "user with an emoji": variant(user_id="asha😀"),
    "user half a surrogate pair": TEXT.replace("asha", "\\udc00").encode(),
    "user of 129 characters": variant(user_id="x" * 129),
    "broker unknown": variant(broker="evil"),
    "broker in another case": variant(broker="Pocketful"),
    "broker a property": variant(broker="__class__"),
    "broker empty": variant(broker=""),
    "broker half a surrogate pair": TEXT.replace("pocketful", "\\ud800").encode(),
    "neither account nor return_to": json.dumps({"broker": "pocketful", "user_id": "asha"}).encode(),
}


@pytest.fixture(scope="module")
def held_attempt(scene: Scene) -> str:
    return scene.held("asha").attempt_id


@pytest.mark.parametrize("name", [*NO_OBJECT, *NO_SESSION])
def test_malformed_session_opens_nothing(scene: Scene, name: str) -> None:
    made = scene.rows_made
    answer = send(scene, "/sessions", NO_OBJECT[name](TEXT) if name in NO_OBJECT else NO_SESSION[name])
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert not [echo for echo in ("asha", "mallory", "YA000", "evil", "<session") if echo in answer.text]
    assert scene.rows_made == made


@pytest.mark.parametrize("name", NO_OBJECT)
def test_malformed_confirmation_commits_nothing(scene: Scene, held_attempt: str, name: str) -> None:
    body = NO_OBJECT[name](json.dumps({"attempt": held_attempt, "user_id": "asha"}))
    answer = send(scene, "/confirm", body)
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert not [echo for echo in ("asha", "mallory", held_attempt) if echo in answer.text]
    assert scene.row(held_attempt)["status"] == "HELD"


def test_confirmation_with_other_names_commits_nothing(scene: Scene, held_attempt: str) -> None:
    right = {"attempt": held_attempt, "user_id": "asha"}
    for wrong in ({**right, "broker": "pocketful"}, {**right, "account": ACCOUNT}, {"attempt": held_attempt}, {}):
        assert send(scene, "/confirm", json.dumps(wrong).encode()).status == 400
    for name in ("attempt_id", "Attempt", "state", "id"):
        assert send(scene, "/confirm", json.dumps({name: held_attempt, "user_id": "asha"}).encode()).status == 400
    assert scene.row(held_attempt)["status"] == "HELD"


@pytest.mark.parametrize(
    "attempt", ["", "x", "R" * 43, "R" * 44, "session#" + "R" * 43, "../x", "\n", "é" * 43, "\uff11" * 43, "x" * 10_000]
)
def test_confirmation_of_what_is_no_attempt_is_404(scene: Scene, attempt: str) -> None:
    answer = send(scene, "/confirm", json.dumps({"attempt": attempt, "user_id": "asha"}).encode())
    assert (answer.status, answer.json["error"]) == (404, "invalid_request")


@pytest.mark.parametrize(
    "attempt",
    [
        "x",
        "R" * 43,
        "R" * 44,
        "session%23" + "R" * 43,
        "%00",
        "%0A",
        "%C3%A9",
        "R" * 42 + "%0A",
        "..%252f..",
        "*",
        "%EF%BC%91" + "R" * 42,
    ],
)
def test_outcome_of_what_is_no_attempt_is_404(scene: Scene, attempt: str) -> None:
    answer = scene.backend("GET", f"/attempts/{attempt}")
    assert answer.status in {400, 404}
    assert "R" * 42 not in answer.text


def test_length_of_a_body_is_refused_before_it_is_read_as_json(scene: Scene) -> None:
    assert send(scene, "/sessions", b" " * 16_385).json["message"] == "the body is too long"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_body_is_json_whatever_it_is_called(scene: Scene, content_type: str) -> None:
    """Who may call is decided by the signature: no browser can post here, so a content type guards nothing."""
    with_type = scene.walker.backend("POST", "/sessions", GOOD)
    assert with_type.status_code == 201
    answer = scene.api.ask("POST", "/sessions", ("Content-Type", content_type), body=TEXT.encode())
    assert answer.status == 403


def send(scene: Scene, path: str, body: bytes) -> Answer:
    """Sign a body as it is, and send it."""
    headers = sign("POST", scene.stack.base_url + path, body, at=datetime.now(UTC))
    answer = scene.api.ask("POST", path, *headers, body=body)
    assert answer.ours, answer
    return answer

"""brokerlink.web.responses: what every answer carries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brokerlink.web.responses import Response, json_answer, page, redirect
from brokerlink.web.style import STYLE_HASH

POLICY = (
    f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'"
)
EVERY: dict[str, Response] = {
    "page": page("<!doctype html>"),
    "page with a status": page("<!doctype html>", 404),
    "page with a form": page("<!doctype html>", form_action="https://broker.example/login"),
    "json": json_answer({"a": 1}),
    "redirect": redirect("/result"),
    "with cookies": redirect("/result").with_cookies("a=1"),
    "bare": Response(204),
}


def payload(response: Response, *, secure: bool = True) -> dict[str, Any]:
    return response.payload(secure=secure)


@pytest.mark.parametrize("response", EVERY.values(), ids=EVERY)
def test_every_answer_carries_the_headers(response: Response) -> None:
    headers = payload(response)["headers"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["content-security-policy"].startswith(POLICY.removesuffix("'none'"))


@pytest.mark.parametrize("response", EVERY.values(), ids=EVERY)
def test_no_answer_carries_cors_headers(response: Response) -> None:
    assert not [name for name in payload(response)["headers"] if name.lower().startswith("access-control-")]


def test_hsts_is_for_https_alone() -> None:
    assert "strict-transport-security" not in payload(page(""), secure=False)["headers"]


def test_policy_lets_a_form_leave_by_its_own_scheme_only() -> None:
    assert payload(page(""))["headers"]["content-security-policy"] == POLICY
    with_form = payload(EVERY["page with a form"])["headers"]["content-security-policy"]
    assert with_form == POLICY.replace("form-action 'none'", "form-action https:")


def test_payload_is_of_format_2() -> None:
    assert payload(page("<p>é</p>", 410).with_cookies("a=1").with_cookies("b=2", "c=3")) | {"headers": {}} == {
        "statusCode": 410,
        "headers": {},
        "cookies": ["a=1", "b=2", "c=3"],
        "body": "<p>é</p>",
        "isBase64Encoded": False,
    }


def test_content_types() -> None:
    assert payload(page(""))["headers"]["content-type"] == "text/html; charset=utf-8"
    assert payload(json_answer({}))["headers"]["content-type"] == "application/json"
    assert "content-type" not in payload(redirect("/"))["headers"]


def test_json_leaves_out_what_is_none_and_nothing_else() -> None:
    made = json_answer({"a": None, "b": 0, "c": "", "d": False, "e": "é\ud800"}, 201)
    assert made.status == 201
    assert json.loads(made.body) == {"b": 0, "c": "", "d": False, "e": "é\ud800"}


def test_redirect_is_a_303_with_its_location() -> None:
    made = payload(redirect("https://broker.example/?a=b"))
    assert (made["statusCode"], made["headers"]["location"], made["body"]) == (303, "https://broker.example/?a=b", "")


def test_repr_shows_no_secret() -> None:
    made = Response(303, "canary", headers={"location": "/?state=canary"}, cookies=("key=canary",))
    assert "canary" not in repr(made)

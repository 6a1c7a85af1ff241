"""Changes to the contracts as they are: each kind that breaks somebody, with what is told of it, and harmless ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

type Json = dict[str, Any]
type Change = Callable[[Json], object]


def operation(document: Json, path: str, method: str = "get") -> Json:
    found: Json = document["paths"][path][method]
    return found


def schemas(document: Json) -> Json:
    found: Json = document["components"]["schemas"]
    return found


def properties(document: Json, name: str) -> Json:
    found: Json = schemas(document)[name]["properties"]
    return found


def parameter(document: Json, path: str, name: str) -> Json:
    found: Json = next(each for each in operation(document, path)["parameters"] if each.get("name") == name)
    return found


HTTP_BREAKS: dict[str, tuple[Change, str]] = {
    "path removed": (lambda d: d["paths"].pop("/confirm"), "POST /confirm: is gone"),
    "method removed": (lambda d: d["paths"]["/callback/{broker}"].pop("post"), "POST /callback/{broker}: is gone"),
    "path renamed": (lambda d: d["paths"].update({"/results": d["paths"].pop("/result")}), "GET /result: is gone"),
    "operation renamed": (lambda d: operation(d, "/").update(operationId="home"), "GET /: has another operationId"),
    "signature required": (lambda d: operation(d, "/").update(security=[{"sigv4": []}]), "another way"),
    "signature replaced": (
        lambda d: d["components"]["securitySchemes"]["sigv4"].update(name="X-Key"),
        "POST /sessions: callers have to authenticate in another way",
    ),
    "query parameter removed": (
        lambda d: operation(d, "/result")["parameters"].remove(parameter(d, "/result", "wait")),
        "GET /result query wait: is gone",
    ),
    "parameter required": (
        lambda d: parameter(d, "/result", "attempt").update(required=True),
        "GET /result query attempt: is required now",
    ),
    "required parameter added": (
        lambda d: operation(d, "/")["parameters"].append(
            {"name": "tenant", "in": "query", "required": True, "schema": {"type": "string"}}
        ),
        "GET / query tenant: is required now",
    ),
    "parameter narrowed to a type": (
        lambda d: parameter(d, "/result", "wait").update(schema={"type": "integer"}),
        "GET /result query wait: type string is refused now",
    ),
    "parameter narrowed to values": (
        lambda d: parameter(d, "/result", "wait").update(schema={"type": "string", "enum": ["1"]}),
        "GET /result query wait: any value is refused now",
    ),
    "parameter narrowed in length": (
        lambda d: schemas(d)["ReturnTo"].update(maxLength=1024),
        "GET /authorize/{broker} query return_to: what is above maxLength 1024 is refused now",
    ),
    "code taken no more and sent anew": (
        lambda d: schemas(d)["FailureCode"]["enum"].remove("denied"),
        "GET /result query error: value 'denied' is refused now",
    ),
    "code sent anew": (
        lambda d: schemas(d)["FailureCode"]["enum"].append("holiday"),
        "GET /attempts/{attempt_id} 200 application/json.error: value 'holiday' is new to its readers",
    ),
    "status sent anew": (
        lambda d: schemas(d)["Status"]["enum"].append("paused"),
        "value 'paused' is new to its readers",
    ),
    "pattern changed": (lambda d: schemas(d)["UserId"].update(pattern="^[a-z]+$"), "another pattern allows"),
    "body field removed": (
        lambda d: properties(d, "SessionRequest").pop("account"),
        "POST /sessions body.account: is gone",
    ),
    "body field required": (
        lambda d: schemas(d)["SessionRequest"]["required"].append("account"),
        "POST /sessions body.account: to lack it is refused now",
    ),
    "body alternative removed": (
        lambda d: schemas(d)["SessionRequest"]["anyOf"].pop(),
        "POST /sessions body: alternative 2 of anyOf is refused now",
    ),
    "body alternative demanded": (
        lambda d: schemas(d)["Confirmation"].update(anyOf=[{"required": ["account"]}]),
        "POST /confirm body: alternative 1 of anyOf is refused now",
    ),
    "body closed": (
        lambda d: schemas(d)["PostedCallback"].update(additionalProperties=False),
        "POST /callback/{broker} body: any other name is refused now",
    ),
    "body required": (
        lambda d: operation(d, "/").update(
            requestBody={"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        ),
        "GET / body: is required now",
    ),
    "body of another media type": (
        lambda d: operation(d, "/sessions", "post")["requestBody"].update(content={"text/plain": {"schema": {}}}),
        "POST /sessions body application/json: is gone",
    ),
    "status code removed": (
        lambda d: operation(d, "/authorize/{broker}")["responses"].pop("410"),
        "GET /authorize/{broker} 410: is gone",
    ),
    "success added": (
        lambda d: operation(d, "/sessions", "post")["responses"].update({"202": {"description": "later"}}),
        "POST /sessions 202: is new to its readers",
    ),
    "media type removed": (
        lambda d: operation(d, "/result")["responses"]["200"]["content"].pop("application/json"),
        "GET /result 200 application/json: is gone",
    ),
    "response without a body gets one": (
        lambda d: d["components"]["responses"]["Redirect"].update(
            content={"text/html": {"schema": {"type": "string"}}}
        ),
        "POST /callback/{broker} 303: a body is new to its readers",
    ),
    "header removed": (
        lambda d: d["components"]["responses"]["Redirect"]["headers"].pop("Location"),
        "POST /callback/{broker} 303 Location: is gone",
    ),
    "header not sent every time": (
        lambda d: d["components"]["headers"]["CacheControl"].update(required=False),
        "GET / 200 Cache-Control: to lack it is new to its readers",
    ),
    "header of another value": (
        lambda d: d["components"]["headers"]["CacheControl"]["schema"].update(const="private"),
        "GET / 200 Cache-Control: value 'private' is new to its readers",
    ),
    "answer's field removed": (
        lambda d: (properties(d, "Session").pop("expires_at"), schemas(d)["Session"]["required"].remove("expires_at")),
        "POST /sessions 201 application/json.expires_at: is gone",
    ),
    "answer's field renamed": (
        lambda d: properties(d, "Outcome").update(user=properties(d, "Outcome").pop("user_id")),
        "GET /attempts/{attempt_id} 200 application/json.user_id: is gone",
    ),
    "answer's field of another type": (
        lambda d: schemas(d)["EpochSeconds"].update(type="string"),
        "POST /sessions 201 application/json.expires_at: type string is new to its readers",
    ),
    "answer's field not sent every time": (
        lambda d: schemas(d)["Confirmed"]["required"].remove("account"),
        "POST /confirm 200 application/json.account: to lack it is new to its readers",
    ),
    "answer's alternative added": (
        lambda d: operation(d, "/result")["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"].append(
            {"type": "object", "required": ["later"], "properties": {"later": {"type": "string"}}}
        ),
        "GET /result 200 application/json: alternative 3 of anyOf is new to its readers",
    ),
    "answer's number below its minimum": (
        lambda d: schemas(d)["EpochSeconds"].update(minimum=-1),
        "what is below minimum 0 is new to its readers",
    ),
}
HTTP_HARMLESS: dict[str, Change] = {
    "route added": lambda d: d["paths"].update({"/connections": copy.deepcopy(d["paths"]["/result"])}),
    "method added": lambda d: d["paths"]["/result"].update(delete=copy.deepcopy(operation(d, "/result"))),
    "optional parameter added": lambda d: operation(d, "/")["parameters"].append(
        {"name": "lang", "in": "query", "schema": {"type": "string"}}
    ),
    "parameter required no more": lambda d: parameter(d, "/callback/{broker}", "state").update(required=False),
    "parameter widened": lambda d: schemas(d)["ReturnTo"].update(maxLength=4096),
    "optional body field added": lambda d: properties(d, "SessionRequest").update(note={"type": "string"}),
    "body field required no more": lambda d: schemas(d)["SessionRequest"]["required"].remove("user_id"),
    "body alternative added": lambda d: schemas(d)["SessionRequest"]["anyOf"].append({"required": ["user_id"]}),
    "answer's field added": lambda d: properties(d, "Session").update(session_id={"type": "string"}),
    "answer's field sent every time": lambda d: schemas(d)["Outcome"]["required"].append("user_id"),
    "answer's numbers narrowed": lambda d: schemas(d)["EpochSeconds"].update(minimum=1_700_000_000),
    "header added": lambda d: d["components"]["responses"]["Page"]["headers"].update(
        {"X-New": {"schema": {"type": "string"}}}
    ),
    "error status added": lambda d: operation(d, "/")["responses"].update({"451": {"description": "no"}}),
    "media type added": lambda d: d["components"]["responses"]["Page"]["content"].update(
        {"text/markdown": {"schema": {"type": "string"}}}
    ),
    "words changed": lambda d: schemas(d)["FailureCode"].update(description="other words"),
    "schema inlined": lambda d: properties(d, "Session").update(expires_at=copy.deepcopy(schemas(d)["EpochSeconds"])),
    "signature required no more": lambda d: operation(d, "/sessions", "post").pop("security"),
    "version raised": lambda d: d["info"].update(version="0.9.9"),
}
EVENT_BREAKS: dict[str, tuple[Change, str]] = {
    "field removed": (lambda d: d["properties"]["data"]["properties"].pop("scope"), "event.data.scope: is gone"),
    "field not sent every time": (
        lambda d: d["properties"]["data"]["required"].remove("scope"),
        "event.data.scope: to lack it is new to its readers",
    ),
    "field of another type": (
        lambda d: d["properties"]["data"]["properties"]["expires_at"].update(type="string"),
        "event.data.expires_at: type string is new to its readers",
    ),
    "whole number with a fraction": (
        lambda d: d["properties"]["data"]["properties"]["issued_at"].update(type="number"),
        "event.data.issued_at: type number is new to its readers",
    ),
    "null": (
        lambda d: d["properties"]["data"]["properties"]["user_id"].update(type=["string", "null"]),
        "event.data.user_id: type null is new to its readers",
    ),
    "another type of event": (
        lambda d: d["properties"]["type"].update(const="brokerlink.token.issued.v2"),
        "event.type: value 'brokerlink.token.issued.v2' is new to its readers",
    ),
    "values no longer listed": (lambda d: d["properties"]["specversion"].pop("const"), "event.specversion: any value"),
    "pattern widened": (lambda d: d["properties"]["id"].pop("pattern"), "event.id: what another pattern allows"),
    "format dropped": (lambda d: d["properties"]["time"].pop("format"), "event.time: what another format allows"),
    "another name": (lambda d: d.update({"$id": "urn:brokerlink:schema:token.issued.v2"}), "$id: is another"),
}
EVENT_HARMLESS: dict[str, Change] = {
    "field added": lambda d: d["properties"]["data"]["properties"].update(segment={"type": "string"}),
    "required field added": lambda d: (
        d["properties"].update(traceparent={"type": "string"}),
        d["required"].append("traceparent"),
    ),
    "words changed": lambda d: d.update(description="other words"),
}
TOPIC_BREAKS: dict[str, tuple[Change, str]] = {
    "channel removed": (lambda d: d["channels"].pop("tokenIssued"), "channel tokenIssued: is gone"),
    "another topic": (
        lambda d: d["channels"]["tokenIssued"]["bindings"]["sns"].update(ordering={"type": "FIFO"}),
        "channel tokenIssued: has another bindings",
    ),
    "message removed": (
        lambda d: d["channels"]["tokenIssued"]["messages"].clear(),
        "channel tokenIssued tokenIssued: is gone",
    ),
    "message renamed": (lambda d: d["components"]["messages"]["tokenIssued"].update(name="x"), "has another name"),
    "another payload": (
        lambda d: d["components"]["messages"]["tokenIssued"]["payload"]["schema"].update({"$ref": "./v2.json"}),
        "has another payload",
    ),
    "attribute removed": (
        lambda d: d["components"]["messages"]["tokenIssued"]["headers"]["properties"].pop("broker"),
        "headers.broker: is gone",
    ),
    "operation removed": (lambda d: d["operations"].clear(), "operation announceToken: is gone or is another"),
    "operation reversed": (
        lambda d: d["operations"]["announceToken"].update(action="receive"),
        "operation announceToken: is gone or is another",
    ),
}
TOPIC_HARMLESS: dict[str, Change] = {
    "channel added": lambda d: d["channels"].update(loginForgotten=copy.deepcopy(d["channels"]["tokenIssued"])),
    "message added": lambda d: d["channels"]["tokenIssued"]["messages"].update(
        loginForgotten={"$ref": "#/components/messages/tokenIssued"}
    ),
    "attribute added": lambda d: d["components"]["messages"]["tokenIssued"]["headers"]["properties"].update(
        account={"type": "string"}
    ),
    "words changed": lambda d: d["components"]["messages"]["tokenIssued"]["correlationId"].update(description="other"),
}
EVENT_FILE = "token.issued.v1.schema.json"
BREAKS = {
    **{f"{EVENT_FILE}: {name}": case for name, case in EVENT_BREAKS.items()},
    **{f"asyncapi.yaml: {name}": case for name, case in TOPIC_BREAKS.items()},
    **{f"openapi.yaml: {name}": case for name, case in HTTP_BREAKS.items()},
}
HARMLESS = {
    **{f"{EVENT_FILE}: {name}": change for name, change in EVENT_HARMLESS.items()},
    **{f"asyncapi.yaml: {name}": change for name, change in TOPIC_HARMLESS.items()},
    **{f"openapi.yaml: {name}": change for name, change in HTTP_HARMLESS.items()},
}

"""The wire between the SDK and moto: keeps what was called, and meets a call with a fault or with a rival.

Faults happen where they do in life: a call is carried out and its answer lost, is sent twice by the SDK, is refused
by DynamoDB in DynamoDB's own words, or never arrives. Nothing of the code under test is replaced.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

type Carry = Callable[[], AWSResponse]
type Fault = Callable[[Carry, AWSPreparedRequest], AWSResponse]


@dataclass(frozen=True)
class Call:
    """A call as it went out: its operation and the bytes of its body."""

    operation: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """Stands in for the network below one client. A fault that is lined up meets the next call of its operation."""

    def __init__(self, client: Any) -> None:
        self.renew()
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send", self._send)

    def renew(self) -> None:
        """Forget all that was called and lined up."""
        self.calls: list[Call] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.always: dict[str, Fault] = {}
        # TransactWriteItems with a token that is known answers success and does nothing (moto lacks it).
        self.remembers_tokens = True
        self._completed: dict[str, bytes] = {}

    def made(self, operation: str) -> list[Call]:
        """Give the calls of one operation, in their order."""
        return [call for call in self.calls if call.operation == operation]

    def meet(self, operation: str, *faults: Fault) -> None:
        """Let the next calls of an operation meet these faults, one each."""
        self.faults[operation].extend(faults)

    def meet_all(self, operation: str, fault: Fault) -> None:
        """Let every call of an operation meet this fault, until `mend`."""
        self.always[operation] = fault

    def mend(self) -> None:
        """Let every call through again."""
        self.faults.clear()
        self.always.clear()

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rsplit(".", 1)[1]
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        self.calls.append(Call(operation, body))
        if event_name.startswith("before-send.dynamodb."):
            check_expressions(json.loads(body))

        def carry() -> AWSResponse:
            return self._carry(operation, request, body)

        if self.faults[operation]:
            return self.faults[operation].popleft()(carry, request)
        if operation in self.always:
            return self.always[operation](carry, request)
        return carry()

    def _carry(self, operation: str, request: AWSPreparedRequest, body: bytes) -> AWSResponse:
        token = json.loads(body).get("ClientRequestToken") if operation == "TransactWriteItems" else None
        if token is not None and self.remembers_tokens and token in self._completed:
            if self._completed[token] == body:
                return _response(request, 200, {})
            return refused("IdempotentParameterMismatchException")(lambda: _response(request, 200, {}), request)
        response: AWSResponse | None = botocore_stubber("before-send", request)
        assert response is not None, "moto is not switched on"
        if token is not None and response.status_code == 200:
            self._completed[token] = body
        return response


def check_expressions(call: Mapping[str, Any]) -> None:
    """Refuse what DynamoDB refuses and moto does not: a name or value that no expression uses, or the reverse."""
    for write in call.get("TransactItems", []):
        check_expressions(next(iter(write.values())))
    change = re.findall(r"#\w+(?= =|,|$)", call.get("UpdateExpression", ""))
    assert len(set(change)) == len(change), f"an attribute is changed twice: {change}"
    text = " ".join(value for name, value in call.items() if name.endswith("Expression"))
    for kind, pattern in (("Names", r"#\w+"), ("Values", r":\w+")):
        given, used = set(call.get(f"ExpressionAttribute{kind}", {})), set(re.findall(pattern, text))
        assert given == used, f"{kind}: given {given}, used {used}"


def down(_: Carry, request: AWSPreparedRequest) -> AWSResponse:
    """The call never arrives."""
    raise ReadTimeoutError(endpoint_url=request.url)


def lost(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
    """The call is carried out, and its answer lost."""
    carry()
    raise ReadTimeoutError(endpoint_url=request.url)


def resent(carry: Carry, _: AWSPreparedRequest) -> AWSResponse:
    """The call is carried out, its answer lost, and the SDK sends it again by itself."""
    carry()
    return carry()


def pass_through(carry: Carry, _: AWSPreparedRequest) -> AWSResponse:
    """Nothing happens to the call."""
    return carry()


def refused(code: str, *, status: int = 400) -> Fault:
    """Give the fault of a call that AWS refuses with an error code, without carrying it out."""
    return lambda _, request: _response(request, status, {"__type": f"com.amazonaws#{code}", "message": "refused"})


def refused_in_xml(code: str, *, status: int = 400) -> Fault:
    """Give the same for a service that still speaks XML (SNS)."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>refused</Message></Error></ErrorResponse>"
    return lambda _, request: _response(request, status, body)


def misread(body: object, *, status: int = 200) -> Fault:
    """Give the fault of a call that is carried out, and whose answer arrives as other JSON."""

    def fault(carry: Carry, request: AWSPreparedRequest) -> AWSResponse:
        carry()
        return _response(request, status, json.dumps(body))

    return fault


def cancelled(*reasons: str, items: Sequence[Mapping[str, Any] | None] = ()) -> Fault:
    """Give the fault of a transaction that is cancelled for these reasons, one for each of its writes."""
    told: list[dict[str, Any]] = [{"Code": reason} for reason in reasons]
    for reason, item in zip(told, items, strict=False):
        if item is not None:
            reason["Item"] = item
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": told,
    }
    return lambda _, request: _response(request, 400, body)


def after(rival: Callable[[], object]) -> Fault:
    """Give the fault of a call that is carried out just after something else has happened."""

    def fault(carry: Carry, _: AWSPreparedRequest) -> AWSResponse:
        rival()
        return carry()

    return fault


def _response(request: AWSPreparedRequest, status: int, body: Mapping[str, Any] | str) -> AWSResponse:
    headers = HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.0"})
    raw: Any = MockRawResponse(body if isinstance(body, str) else json.dumps(body))
    return AWSResponse(request.url, status, headers, raw)

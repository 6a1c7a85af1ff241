"""What breaks beside the brokers: AWS refuses, or a library quotes what it choked on, in the midst of a login."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from botocore.parsers import ResponseParserError
from moto.core.botocore_stubber import MockRawResponse

from brokerlink.outbound import Answer, Request
from brokerlink.whole import NotWhole, check_whole
from tests.canaries.brokers import ODD, good
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.in_process import InProcess
from tests.canaries.walk import Walk

# Longer than an app's secrets are kept.
_LATER: Final = 301
OPERATIONS: Final = ("GetSecretValue", "PutItem", "GetItem", "UpdateItem", "Encrypt", "TransactWriteItems")


def _refused(code: str) -> Callable[[str], Exception]:
    return lambda words: ClientError({"Error": {"Code": code, "Message": words}}, words)


ERRORS: Final[Mapping[str, Callable[[str], Exception]]] = {
    "refused for good": _refused("ValidationException"),
    "refused for now": _refused("ThrottlingException"),
    "in conflict": _refused("TransactionConflictException"),
    "parameters refused": lambda words: ParamValidationError(report=words),
    "no connection": lambda words: EndpointConnectionError(endpoint_url=words),
    "unreadable answer": ResponseParserError,
    "crash": RuntimeError,
    "crash by a key": KeyError,
}


def broken_login(walk: Walk, site: InProcess, operation: str, error: str) -> None:
    """Walk a login, and look at it, while each call of an AWS operation fails."""
    walk.start(session=walk.open_session(account=walk.broker.account))
    site.world.clock.now += _LATER
    site.world.faults = {operation: ERRORS[error](walk.canaries.new(Kind.LIBRARYS_WORDS, ODD))}
    walk.come_back(*good(walk.canaries, walk.broker))
    for accept in ("text/html", "application/json"):
        walk.get(f"/authorize/{walk.broker.id}", accept=accept)
        walk.get(f"/result?attempt={walk.attempt}", accept=accept)
    walk.get(f"/attempts/{walk.attempt}")
    walk.confirm("user-1")
    walk.request("POST", "/sessions", body=f'{{"broker": "{walk.broker.id}", "user_id": "u", "account": "A"}}')
    site.world.faults = {}


def crash_at_the_broker(walk: Walk) -> None:
    """Let the code below break, with the request in its words, while the broker is asked for a token or an account."""
    for before in range(2 if walk.broker.asks_account else 1):
        walk.start().come_back(*good(walk.canaries, walk.broker)[:before], "crash")
        assert walk.outcome()["error"] == "internal"


def half_an_answer(canaries: Canaries) -> None:
    """Let AWS's answer end early, with a secret in what came of it."""
    body = canaries.new(Kind.LIBRARYS_WORDS, ODD).encode()
    headers = HTTPHeaders.from_dict({"content-length": str(len(body) + 1)})
    with suppress(NotWhole):
        check_whole(AWSResponse("https://aws", 200, headers, MockRawResponse(body)))


def too_slow(walk: Walk, site: InProcess) -> None:
    """Let the broker answer so late that no call to AWS may begin any more."""
    walk.start().tell(*good(walk.canaries, walk.broker))
    answer = site.world.http.script[0]
    assert isinstance(answer, Answer)

    def late(_: Request) -> Answer:
        site.world.clock.sleep(23)
        return answer

    site.world.http.script[0] = late
    walk.get(walk.callback())
    walk.outcome()


def overtaken(walk: Walk, site: InProcess) -> None:
    """Let a login end whose token another one's, issued later, has replaced already."""
    walk.start().come_back(*good(walk.canaries, walk.broker))
    site.world.clock.now -= 5
    walk.start().come_back(*good(walk.canaries, walk.broker))
    assert walk.outcome()["status"] == "connected"
    site.world.clock.now += 5


def nothing_is_sent(walk: Walk) -> None:
    """Let the broker refuse connections: the grant is still good, and the page offers this very address again."""
    assert walk.start().come_back("refused", "refused").status == 503
    walk.come_back(*good(walk.canaries, walk.broker))
    assert walk.outcome()["status"] == "connected"


def unreadable_secrets(canaries: Canaries, site: InProcess, walks: Callable[[str], Walk]) -> None:
    """Let the stack's secret be malformed in every way; each time a login finds nothing that it can use."""
    odd = canaries.new(Kind.APP_SECRET)
    for text in (
        f'{{"pocketful": {{"client_secret": "{odd}"}}',
        f'["{odd}"]',
        f'{{"pocketful": "{odd}", "fivepaisa": {{"{odd}": "{odd}"}}}}',
        f'{{"pocketful": {{"client_secret": "{odd}\\n"}}, "fivepaisa": {{"encryption_key": ["{odd}"]}}}}',
        odd,
    ):
        site.world.secretsmanager.put_secret_value(SecretId=site.world.secret, SecretString=text)
        for broker in ("pocketful", "fivepaisa"):
            site.world.clock.now += _LATER
            assert walks(broker).start().come_back().status == 503

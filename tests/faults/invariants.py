"""What holds after every fault and every crash, once the clock has passed the claim and the stream has drained."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Iterator

from tests.faults.brokers import ACCESS_TOKENS, ACCOUNTS
from tests.faults.journey import Journey
from tests.faults.scene import SECRETS, Scene
from tests.kit import emulated
from tests.kit.world import Reply

_LINK = re.compile(r'<a [^>]*href="')


def check(journey: Journey, *, resent: int = 0) -> None:
    """Check them all; `resent` is how often a grant may have been sent again after a true `invalid_client`."""
    grants_are_sent_once(journey.scene, resent)
    tokens_and_events_agree(journey.scene)
    tokens_open(journey.scene)
    no_attempt_is_left_open(journey.scene)
    every_answer_leads_on(journey.scene)
    nothing_secret_is_told(journey)


def grants_are_sent_once(scene: Scene, resent: int = 0) -> None:
    """The brokers' token endpoints saw each grant once at most."""
    seen = Counter(scene.brokers.seen)
    assert sum(count - 1 for count in seen.values()) <= resent, f"a grant was sent {max(seen.values())} times"


def tokens_and_events_agree(scene: Scene) -> None:
    """No token without an event, no event without a token, no success without both."""
    issued = {record["dynamodb"]["NewImage"]["attempt_id"]["S"] for record in emulated.records("Tokens")}
    announced = {event["id"] for event in emulated.events()}
    succeeded = {row["attempt_id"] for row in scene.attempts() if row["status"] == "SUCCEEDED"}
    buried = {letter["attempt_id"] for letter in emulated.letters()}
    assert announced | buried == issued, "tokens and events differ"
    assert succeeded == issued - scene.planted, "attempts that succeeded and tokens differ"


def tokens_open(scene: Scene) -> None:
    """What is stored is the broker's token, and opens for its own row."""
    for row in scene.tokens():
        if row["attempt_id"] in scene.planted:
            continue
        context = {name: row[name] for name in ("broker", "account", "user_id")}
        opened = scene.kms.decrypt(
            CiphertextBlob=row["ciphertext"], EncryptionContext={"purpose": "broker-access-token", **context}
        )
        assert opened["Plaintext"].decode() == ACCESS_TOKENS[row["broker"]]


def no_attempt_is_left_open(scene: Scene) -> None:
    """Past its claim no attempt is at the broker, and that is written down for whoever asked."""
    assert not [row for row in scene.attempts() if row["status"] == "EXCHANGING"], "an attempt is open past its claim"


def every_answer_leads_on(scene: Scene) -> None:
    """Whatever was answered, there is somewhere to go; and only what succeeded says so."""
    for reply in scene.replies:
        assert not is_page(reply) or _LINK.search(reply.body), "a page without a way forward"
        assert "content-security-policy" in reply.headers


def nothing_secret_is_told(journey: Journey) -> None:
    """No secret is in a page, a URL, the log, an exception, an event or a dead letter."""
    secrets = {"canary", *ACCESS_TOKENS.values(), *journey.states, *journey.grants, *journey.browser.cookies.values()}
    secrets |= {value for app in SECRETS.values() for value in app.values()}
    secrets |= {row["code_verifier"] for row in journey.scene.attempts() if "code_verifier" in row}
    for where, text in _told(journey.scene):
        for secret in secrets:
            assert secret not in text, f"a secret is in the {where}"
    for text in [journey.scene.printed.getvalue(), *(reply.body for reply in journey.scene.replies if is_page(reply))]:
        assert not any(account in text for account in ACCOUNTS.values()), "an account is told in full"


def _told(scene: Scene) -> Iterator[tuple[str, str]]:
    yield "log", scene.printed.getvalue()
    yield "events", repr(emulated.events())
    yield "dead letters", repr(emulated.letters())
    for reply in scene.replies:
        yield "page", reply.body
        yield "URL", "" if _to_broker(scene, reply) else reply.headers.get("location", "")
    for failure in scene.failures:
        yield "exception", "".join(traceback.format_exception(failure)) + repr(failure)


def is_page(reply: Reply) -> bool:
    """Whether an answer is for people; what a platform gets is JSON."""
    return reply.headers.get("content-type", "").startswith("text/html")


def _to_broker(scene: Scene, reply: Reply) -> bool:
    return reply.headers.get("location", "").startswith(scene.brokers.url)

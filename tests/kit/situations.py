"""Every situation that a login can be in, brought about the way it comes about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brokerlink.attempts import digest
from brokerlink.outbound import Answer
from brokerlink.storage import Value, from_wire, to_wire
from tests.kit.world import MIDNIGHT, RETURN_TO, Browser, Reply, World, pocketful

USER = "user-1"
ACCOUNT = "YA0002"


@dataclass
class Login:
    """A login at Pocketful that `browser` began."""

    world: World
    browser: Browser
    state: str

    @property
    def attempt_id(self) -> str:
        return digest(self.state)

    @property
    def result(self) -> str:
        return f"/result?attempt={self.attempt_id}"

    @property
    def retry(self) -> str:
        return f"/authorize/pocketful?retry={self.attempt_id}"

    def come_back(self, *answers: Answer | Exception, **parameters: str) -> Reply:
        return self.browser.come_back(self.state, *answers, **parameters)

    def row(self) -> dict[str, Any]:
        key = to_wire({"attempt_id": self.attempt_id})
        return dict(from_wire(self.world.dynamodb.get_item(TableName="LoginAttempts", Key=key)["Item"]))

    def rewrite(self, **attributes: Value) -> None:
        """Change the row behind the functions' backs."""
        self.world.dynamodb.put_item(TableName="LoginAttempts", Item=to_wire(self.row() | attributes))


def begin(world: World, browser: Browser | None = None, **session: str) -> Login:
    """Begin a login through a session; without anything given, one of `USER` that has to be confirmed."""
    prepared = world.session(broker="pocketful", user_id=USER, **(session or {"return_to": RETURN_TO}))
    return _open(world, browser, str(prepared.json["start_url"]))


def begin_directly(world: World, browser: Browser | None = None, return_to: str | None = None) -> Login:
    """Begin a login without a session."""
    return _open(world, browser, "/authorize/pocketful" + (f"?return_to={return_to}" if return_to else ""))


def _open(world: World, browser: Browser | None, target: str) -> Login:
    browser = browser or world.browser()
    return Login(world, browser, browser.get(target).query["state"])


@dataclass(frozen=True)
class Situation:
    """What `bring` makes of a login that has to be confirmed, and how it then reads."""

    bring: Callable[[Login], object]
    status: str
    standing: str
    error: str | None = None


def _at_the_broker(login: Login) -> None:
    now = int(login.world.clock())
    login.rewrite(status="EXCHANGING", claimed_by="another-invocation", claim_expires_at=now + 33)


def _claim_run_out(login: Login) -> None:
    _at_the_broker(login)
    login.world.clock.now += 33


def _held(login: Login) -> None:
    login.come_back(*pocketful(ACCOUNT))


def _hold_run_out(login: Login) -> None:
    _held(login)
    login.world.clock.now += 600


def _connected(login: Login) -> None:
    _held(login)
    login.world.confirm(login.attempt_id, USER)


def _day_over(login: Login) -> None:
    _connected(login)
    login.world.clock.now = MIDNIGHT


def _declined(login: Login) -> None:
    login.come_back(error="access_denied")


def _expired(login: Login) -> None:
    login.world.clock.now += 600


def _expired_and_met(login: Login) -> None:
    _expired(login)
    login.come_back()


SITUATIONS = {
    "pending": Situation(lambda _: None, "PENDING", "pending"),
    "at the broker": Situation(_at_the_broker, "EXCHANGING", "in_progress"),
    "held": Situation(_held, "HELD", "confirm"),
    "connected": Situation(_connected, "SUCCEEDED", "connected"),
    "declined": Situation(_declined, "FAILED", "failed", "denied"),
    "expired": Situation(_expired, "PENDING", "failed", "expired"),
    "expired and met": Situation(_expired_and_met, "FAILED", "failed", "expired"),
    "claim run out": Situation(_claim_run_out, "EXCHANGING", "failed", "outcome_unknown"),
    "hold run out": Situation(_hold_run_out, "HELD", "failed", "expired"),
    "day over": Situation(_day_over, "SUCCEEDED", "failed", "expired"),
}


def assert_untouched(login: Login, before: dict[str, Any]) -> None:
    """What was refused has sent and written nothing, and the genuine callback afterwards succeeds."""
    assert login.world.http.sent == []
    assert login.row() == before
    login.come_back(*pocketful(ACCOUNT))
    assert login.row()["status"] in {"SUCCEEDED", "HELD"}


def assert_nothing_began(world: World, reply: Reply, status: int) -> None:
    """A start was refused: no cookie is set, nothing is written."""
    assert reply.status == status
    assert reply.payload["cookies"] == []
    assert not {"PutItem", "UpdateItem"} & set(world.calls)

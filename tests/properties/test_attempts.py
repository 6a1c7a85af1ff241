"""Any history of starts, callbacks, forgeries, faults, crashes, confirmations and clock moves, against a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from moto import mock_aws

from tests.properties.agreement import Agreement
from tests.properties.brokers import CRASHES, IDENTITY, SAYS, Told
from tests.properties.callbacks import FORGERIES, Trouble
from tests.properties.choices import (
    ACCOUNTS,
    AT_A_DEADLINE,
    BROKERS,
    RETURNS,
    USERS,
    browsers,
    elsewhere,
    mishaps,
    places,
)
from tests.properties.effort import effort
from tests.properties.model import Row, midnight_after
from tests.properties.play import Play
from tests.properties.stage import Mishap


class Logins(RuleBasedStateMachine):
    """Customers, a platform, brokers and AWS, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.aws = mock_aws()
        self.aws.start()
        self.play = Play()
        self.agreement = Agreement(self.play)

    def teardown(self) -> None:
        try:
            self.agreement.events()
            self.agreement.log()
        finally:
            self.aws.stop()

    # what there is to choose from

    @property
    def rows(self) -> list[Row]:
        return list(self.play.model.attempts.values())

    def row(self, place: int) -> Row:
        """One of the attempts: those first that have not ended, and the latest ones."""
        rows = self.rows[::-1]
        rows.sort(key=lambda row: row["status"] in {"SUCCEEDED", "FAILED"})
        return rows[place % len(rows)]

    def owner(self, row: Row) -> int:
        return self.play.browsers.index(self.play.owner(row))

    def begun(self) -> bool:
        return bool(self.play.model.attempts)

    def prepared(self) -> bool:
        return bool(self.play.model.sessions)

    # beginning

    @initialize(broker=st.sampled_from(BROKERS), browser=browsers)
    def first(self, broker: str, browser: int) -> None:
        self.play.start(browser, broker, None)

    @rule(browser=browsers, broker=st.sampled_from(BROKERS), return_to=st.sampled_from(RETURNS))
    def start(self, browser: int, broker: str, return_to: str | None) -> None:
        self.play.start(browser, broker, return_to)

    @rule(
        broker=st.sampled_from(BROKERS),
        user=st.sampled_from(USERS),
        account=st.sampled_from([None, 0, 1]),
        return_to=st.sampled_from(RETURNS),
        browser=browsers,
    )
    def prepare(self, broker: str, user: str, account: int | None, return_to: str | None, browser: int) -> None:
        before = len(self.play.model.sessions)
        self.play.open_session(broker, user, None if account is None else ACCOUNTS[broker][account], return_to)
        if len(self.play.model.sessions) > before:
            self.play.start_session(browser, broker, list(self.play.model.sessions)[-1])

    @rule(user=st.sampled_from(USERS), return_to=st.sampled_from(RETURNS[1:]), browser=browsers)
    def hold(self, user: str, return_to: str, browser: int) -> None:
        self.prepare("pocketful", user, None, return_to, browser)
        self.play.callback(self.rows[-1], browser, Told(account=ACCOUNTS["pocketful"][0]))

    @precondition(lambda self: self.prepared())
    @rule(browser=browsers, broker=st.sampled_from(BROKERS), place=places)
    def open_link(self, browser: int, broker: str, place: int) -> None:
        keys = list(self.play.model.sessions)
        self.play.start_session(browser, broker, keys[-1 - place % len(keys)])

    @precondition(lambda self: self.begun())
    @rule(place=places)
    def retry(self, place: int) -> None:
        row = self.row(place)
        self.play.retry(self.owner(row), row["broker"], row)

    # coming back

    @precondition(lambda self: self.begun())
    @rule(place=places, account=st.sampled_from([0, 0, 1]), more=st.sampled_from([{}, {"return_to": "https://evil"}]))
    def succeed(self, place: int, account: int, more: dict[str, str]) -> None:
        row = self.row(place)
        self.play.callback(row, self.owner(row), Told(account=ACCOUNTS[row["broker"]][account]), more=more)

    @precondition(lambda self: self.begun())
    @rule(
        place=places,
        unsent=st.sampled_from([0, 0, 1, 2]),
        says=st.sampled_from([*SAYS, *CRASHES]),
        identity=st.sampled_from(list(IDENTITY)),
        account=st.integers(0, 1),
    )
    def come_back_to_a_broker_in_trouble(self, place: int, unsent: int, says: str, identity: str, account: int) -> None:
        row = self.row(place)
        told = Told(unsent, says, identity, ACCOUNTS[row["broker"]][account])
        self.play.callback(row, self.owner(row), told)

    @precondition(lambda self: self.begun())
    @rule(place=places, says=st.sampled_from(["good", "good", "short", "500"]), mishap=mishaps)
    def come_back_while_aws_is_in_trouble(self, place: int, says: str, mishap: Mishap | None) -> None:
        row = self.row(place)
        told = Told(says=says, account=ACCOUNTS[row["broker"]][0])
        self.play.callback(row, self.owner(row), told, Trouble(mishap))

    @precondition(lambda self: self.begun())
    @rule(place=places, unsent=st.integers(0, 1), says=st.sampled_from(["good", "429"]), things=elsewhere)
    def come_back_while_other_things_happen(self, place: int, unsent: int, says: str, things: list[str]) -> None:
        row = self.row(place)
        told = Told(unsent=unsent, says=says, account=ACCOUNTS[row["broker"]][0])
        self.play.callback(row, self.owner(row), told, Trouble(meanwhile=lambda: self._happen(row, things)))

    @precondition(lambda self: self.begun())
    @rule(
        place=places,
        says=st.sampled_from(["good", "500"]),
        call=st.sampled_from([("UpdateItem", 1), ("UpdateItem", 2), ("TransactWriteItems", 1)]),
        things=elsewhere,
    )
    def come_back_while_a_write_is_slow(self, place: int, says: str, call: tuple[Any, int], things: list[str]) -> None:
        row = self.row(place)
        told = Told(says=says, account=ACCOUNTS[row["broker"]][0])
        slow = Mishap(*call, "slow", meanwhile=lambda: self._happen(row, things))
        self.play.callback(row, self.owner(row), told, Trouble(slow))

    def _happen(self, row: Row, things: list[str]) -> None:
        play, owner = self.play, self.owner(row)
        told = Told(account=ACCOUNTS[row["broker"]][0])
        happen: dict[str, Callable[[], None]] = {
            "repeat": lambda: play.callback(row, owner, told),
            "result": lambda: play.result(row, owner, "json"),
            "wait": lambda: play.result(row, owner, "wait"),
            "retry": lambda: play.retry(owner, row["broker"], row),
            "forge": lambda: play.callback(row, (owner + 1) % 3, told),
            "another login": lambda: self._another(row, owner, told),
            "show": lambda: play.show(row),
            "a moment": lambda: self.pass_time(0.25),
            "19 s": lambda: self.pass_time(19),
            "20 s": lambda: self.pass_time(20),
            "claim": lambda: self.pass_time(max(0, row.get("claim_until", play.now) - play.now)),
            "confirm": lambda: play.confirm(row, str(row["user"])),
            "confirm wrongly": lambda: play.confirm(row, "user-3"),
            "decline": lambda: play.callback(row, owner, more={"error": "access_denied"}),
            "link": lambda: play.start_session(owner, row["broker"], row["session"]) if row["session"] else None,
        }
        for thing in things:
            happen[thing]()

    def _another(self, row: Row, owner: int, told: Told) -> None:
        self.play.start(owner, row["broker"], None)
        self.play.callback(self.rows[-1], owner, told)

    @precondition(lambda self: self.begun())
    @rule(place=places, error=st.sampled_from([None, "access_denied", "server_error", "new_error"]))
    def come_back_without_grant(self, place: int, error: str | None) -> None:
        row = self.row(place)
        self.play.callback(row, self.owner(row), more={} if error is None else {"error": error})

    @precondition(lambda self: self.begun())
    @rule(place=places)
    def forge(self, place: int) -> None:
        row = self.row(place)
        for kind in FORGERIES:
            self.play.forge(row, kind)
        self.play.come_back_by_form(row, self.owner(row))

    @precondition(lambda self: self.begun())
    @rule(place=places)
    def try_in_other_browsers(self, place: int) -> None:
        row = self.row(place)
        for browser in {0, 1, 2} - {self.owner(row)}:
            self.play.callback(row, browser, Told(account=ACCOUNTS[row["broker"]][0]))
            self.play.callback(row, browser)
            self.play.result(row, browser, "json")
            self.play.retry(browser, row["broker"], row)
        other = BROKERS[BROKERS.index(row["broker"]) - 1]
        self.play.retry(self.owner(row), other, row)

    # afterwards

    @precondition(lambda self: self.begun())
    @rule(place=places, user=st.sampled_from([None, None, *USERS]), mishap=mishaps)
    def confirm(self, place: int, user: str | None, mishap: Mishap | None) -> None:
        row = self.row(place)
        self.play.confirm(row, user or row["user"] or "user-1", mishap)

    @precondition(lambda self: any(row["status"] == "HELD" for row in self.rows))
    @rule(before=st.sampled_from([0.25, 1, 10]), mishap=mishaps)
    def confirm_just_in_time(self, before: float, mishap: Mishap | None) -> None:
        row = next(row for row in self.rows if row["status"] == "HELD")
        self.play.stage.clock.now = max(self.play.now, row["held_until"] - before)
        self.play.confirm(row, row["user"], mishap)

    @precondition(lambda self: self.begun())
    @rule(place=places, things=elsewhere)
    def confirm_while_the_write_is_slow(self, place: int, things: list[str]) -> None:
        row = self.row(place)
        here = [thing for thing in things if thing not in {"19 s", "20 s", "claim"}]
        slow = Mishap("TransactWriteItems", 1, "slow", meanwhile=lambda: self._happen(row, here))
        self.play.confirm(row, row["user"] or "user-1", slow)

    @precondition(lambda self: self.begun())
    @rule(place=places, form=st.sampled_from(["html", "json", "wait"]))
    def look(self, place: int, form: str) -> None:
        row = self.row(place)
        self.play.show(row)
        self.play.result(row, self.owner(row), form)
        self.play.show(row)

    @precondition(lambda self: self.begun())
    @rule(place=places)
    def ask_while_the_table_is_down(self, place: int) -> None:
        self.play.ask_while_the_table_is_down(self.row(place))

    @precondition(lambda self: self.play.model.gone)
    @rule(place=places)
    def ask_for_what_is_gone(self, place: int) -> None:
        gone = self.play.model.gone
        row = gone[-1 - place % len(gone)]
        self.play.ask_for_what_is_gone(row)
        self.play.come_back_to_nothing(row)

    # the world goes on

    @rule(seconds=st.sampled_from([0.001, 0.25, 1, 5, 60, 300]))
    def pass_time(self, seconds: float) -> None:
        self.play.stage.clock.now += seconds

    @rule(place=st.integers(0, 20), offset=st.sampled_from([-1, 0, 1, 0.5]))
    def come_to_a_deadline(self, place: int, offset: float) -> None:
        model, now = self.play.model, self.play.now
        deadlines = {midnight_after(now), *(session["expires"] for session in model.sessions.values())}
        for row in self.rows:
            deadlines |= {row[name] for name in ("expires", "claim_until", "held_until") if name in row}
            deadlines |= {row["grant_ends"] + 60} if row["grant_ends"] else set()
            deadlines |= {row["token"]["expires"]} if "token" in row else set()
        ahead = sorted(moment + offset for moment in deadlines if moment + offset > now)
        if ahead:
            self.play.stage.clock.now = ahead[place % min(len(ahead), 6)]

    @precondition(lambda self: self.begun())
    @rule(place=places, before=st.booleans(), what=st.integers(0, 3))
    def act_at_a_deadline(self, place: int, what: int, *, before: bool) -> None:
        row = self.row(place)
        thing = AT_A_DEADLINE[row["status"]][what]
        deadline = self.play.now
        if thing == "link" and row["session"]:
            deadline = self.play.model.sessions[row["session"]]["expires"]
        elif row["status"] == "SUCCEEDED":
            deadline = row["token"]["expires"]
        elif row["status"] != "FAILED":
            deadline = row[{"PENDING": "expires", "EXCHANGING": "claim_until", "HELD": "held_until"}[row["status"]]]
        self.play.stage.clock.now = max(self.play.now, deadline - before)
        self._happen(row, ["show", thing])

    @rule(restart=st.booleans())
    def rotate_the_secret(self, *, restart: bool) -> None:
        secret = f"secret {len(self.play.stage.told.sent)} {self.play.now}"
        self.play.stage.rotate_secret(secret)
        self.play.model.secret = secret
        if restart:
            self.play.cold_start()

    @rule(later=st.sampled_from([0, 4300]))
    def remove_what_has_run_out(self, later: int) -> None:
        self.play.stage.clock.now += later
        rows, tokens = self.play.model.expire(self.play.now)
        for key in rows:
            self.play.stage.remove("LoginAttempts", attempt_id=key)
        for user_id, connection in tokens:
            self.play.stage.remove("Tokens", user_id=user_id, connection=connection)

    # what always holds

    @invariant()
    def tables_are_what_the_model_says(self) -> None:
        self.agreement.tables()

    @invariant()
    def a_grant_is_sent_once(self) -> None:
        self.agreement.grants()


TestLogins = Logins.TestCase
TestLogins.settings = effort(15, steps=40)

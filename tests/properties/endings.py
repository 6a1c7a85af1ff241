"""Confirms logins and reads their outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.kit.world import BASE_URL, Reply
from tests.properties.asking import Asking
from tests.properties.brokers import Crash
from tests.properties.exchanges import MANY
from tests.properties.model import Row, end, fail, reading
from tests.properties.stage import Mishap


class Endings(Asking):
    """What a platform's backend and a customer do after the callback."""

    def confirm(self, row: Row, user: str, mishap: Mishap | None = None) -> None:
        """Confirm; what happens `meanwhile` is over before the commit lands."""
        began = self.now
        committing = (row["status"], row["user"], reading(row, began)[0]) == ("HELD", user, "confirm")
        self.stage.befall(mishap)
        try:
            reply: Reply | None = self.backend(self.stage.confirm(row["id"], user))
        except Crash:
            reply = None
            self.cold_start()
        if committing and row["status"] == "HELD":
            self._commits(row, reply, mishap, began)
            return
        status, _ = reading(row, self.now)
        if row["user"] == user and row["status"] == "SUCCEEDED" and (committing or status == "connected"):
            assert reply is not None
            self._told_connected(reply, row)
        elif row["status"] == "HELD":
            self._ends(row, reply, mishap, "expired" if status == "failed" else "account_mismatch")
        else:
            assert reply is not None
            assert reply.status == 404

    def _ends(self, row: Row, reply: Reply | None, mishap: Mishap | None, code: str) -> None:
        kind = mishap.at("UpdateItem") if mishap is not None else None
        if kind not in {"down", "conflict", "crash before"}:
            fail(row, code)
        if reply is None:
            assert kind in {"crash before", "crash after"}
        else:
            assert reply.status == (503 if kind in {"down", "conflict", "lost"} else 404)

    def _commits(self, row: Row, reply: Reply | None, mishap: Mishap | None, began: float) -> None:
        kind = mishap.at("TransactWriteItems") if mishap is not None else None
        if reply is None:
            if kind == "crash after" and self.model.takes(row["token"], began):
                self.model.commit(row, began)
            return
        if reply.status == 503:
            assert kind in {"down", "conflict"}
            assert mishap is not None
            assert mishap.times > MANY or self.now >= row["held_until"] - 1
            return
        assert kind == "slow" or self.now < row["held_until"], "nothing commits past the end of the hold"
        self.model.commit(row, began)
        self._told_connected(reply, row)

    def _told_connected(self, reply: Reply, row: Row) -> None:
        token = row["token"]
        wanted = {"broker": row["broker"], "account": token["account"], "expires_at": token["expires"]}
        assert (reply.status, reply.json) == (200, wanted)

    def ask_while_the_table_is_down(self, row: Row) -> None:
        """Ask for an outcome, a confirmation and another try: nothing can be known, and nothing changes."""
        browser, user = self.owner(row), row["user"] or "user-1"
        asks: list[Callable[[], Reply]] = [
            lambda: self.get(browser, f"/result?attempt={row['id']}"),
            lambda: self.get(browser, f"/authorize/{row['broker']}?retry={row['id']}"),
            lambda: self.backend(self.stage.request("GET", f"/attempts/{row['id']}")),
            lambda: self.backend(self.stage.confirm(row["id"], user)),
        ]
        for ask in asks:
            self.stage.befall(Mishap("GetItem", 1, "down"))
            assert ask().status == 503

    def ask_for_what_is_gone(self, row: Row) -> None:
        """Ask the same of an attempt whose row was removed: it is as unknown as if it had never been."""
        browser, user = self.owner(row), row["user"] or "user-1"
        assert self.get(browser, f"/result?attempt={row['id']}").status == 404
        assert self.get(browser, f"/authorize/{row['broker']}?retry={row['id']}").status == 410
        assert self.backend(self.stage.request("GET", f"/attempts/{row['id']}")).status == 404
        assert self.backend(self.stage.confirm(row["id"], user)).status == 404

    def show(self, row: Row) -> None:
        """Ask for the outcome as the platform's backend does."""
        reply = self.backend(self.stage.request("GET", f"/attempts/{row['id']}"))
        assert reply.status == 200
        account = row["token"]["account"] if reading(row, self.now)[0] == "connected" else None
        assert reply.json == _present(self._outcome(row, account) | {"user_id": row["user"]})

    def result(self, row: Row, browser: int, form: str) -> None:
        who = self.browsers[browser]
        target = f"/result?attempt={row['id']}" + ("&wait=1" if form == "wait" else "")
        reply = self.get(who, target, accept="application/json" if form == "json" else "text/html")
        if not self.owns(who, row):
            assert reply.status == 404
            assert form != "json" or reply.json == {"status": "unknown"}
            return
        self.model.settle(row, self.now, pending=False)
        status, error = reading(row, self.now)
        if form == "wait" and status not in {"pending", "in_progress"}:
            assert (reply.status, reply.location) == (303, end(row, self.now))
            return
        assert reply.status == 200
        if form != "json":
            assert ("connected" in reply.body) is (status == "connected")
            return
        told: dict[str, Any] = reply.json
        again = f"{BASE_URL}/authorize/{row['broker']}?retry={row['id']}"
        assert told.pop("retry_url", None) == (again if status in {"failed", "pending"} else None)
        assert bool(told.pop("message", None)) is (error is not None)
        masked = None if status != "connected" else _masked(row["token"]["account"])
        assert told == _present(self._outcome(row, masked))

    def _outcome(self, row: Row, account: str | None) -> dict[str, Any]:
        status, error = reading(row, self.now)
        expires = row["token"]["expires"] if status == "connected" else None
        return {
            "attempt_id": row["id"],
            "broker": row["broker"],
            "status": status,
            "error": error,
            "account": account,
            "expires_at": expires,
        }


def _present(outcome: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in outcome.items() if value is not None}


def _masked(account: str) -> str:
    return f"{account[:2]}••{account[-2:]}"

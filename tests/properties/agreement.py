"""What the tables, the stream, the brokers and the log hold, against what the model says they must."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.kit import emulated
from tests.kit.world import SECRETS
from tests.properties.announcing import announced
from tests.properties.model import Row, ttl
from tests.properties.play import Play


class Agreement:
    """Compares a play's stage with its model."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.final: dict[str, dict[str, Any]] = {}
        self.opened: set[bytes] = set()

    def tables(self) -> None:
        """Check both tables. Only what was written needs to be looked at again."""
        calls = self.play.stage.calls
        if {"PutItem", "UpdateItem", "TransactWriteItems"} & set(calls):
            calls.clear()
            self.attempts()
            self.tokens()

    def attempts(self) -> None:
        model, rows = self.play.model, self.play.stage.rows()
        assert rows.keys() == model.attempts.keys() | {key for key, each in model.sessions.items() if each["there"]}
        for key, session in model.sessions.items():
            if session["there"]:
                assert rows[key]["status"] == ("USED" if session["used"] else "OPEN")
                assert rows[key]["ttl"] == session["ttl"]
        for key, row in model.attempts.items():
            self._attempt(rows[key], row)

    def _attempt(self, stored: dict[str, Any], row: Row) -> None:
        status = row["status"]
        assert stored["status"] == status
        assert stored["ttl"] == ttl(row)
        assert row["state"] not in stored.values()
        assert row["key"] not in stored.values()
        assert stored.get("error") == (row["error"] if status == "FAILED" else None)
        assert stored.get("retry_at") == (row["retry_at"] if status == "FAILED" else None)
        assert ("ciphertext" in stored) is (status == "HELD")
        assert ("code_verifier" in stored) is (status in {"PENDING", "EXCHANGING"})
        assert ("claimed_by" in stored) or (status not in {"EXCHANGING", "HELD", "SUCCEEDED"})
        if status == "EXCHANGING":
            assert stored["claim_expires_at"] == row["claim_until"]
        if status == "HELD":
            assert stored["held_until"] == row["held_until"]
        if status in {"HELD", "SUCCEEDED"}:
            token = row["token"]
            assert (stored["account"], stored["token_expires_at"]) == (token["account"], token["expires"])
        if status in {"SUCCEEDED", "FAILED"}:
            assert self.final.setdefault(row["id"], stored) == stored, "an ended attempt has changed"
        else:
            assert row["id"] not in self.final, "an ended attempt has begun again"

    def tokens(self) -> None:
        stored = emulated.rows("Tokens")
        tokens = self.play.model.tokens
        assert {(row["user_id"], row["connection"]) for row in stored} == set(tokens)
        for row in stored:
            token = tokens[row["user_id"], row["connection"]]
            assert (row["attempt_id"], row["issued_at_ms"]) == (token["attempt"], token["issued_ms"])
            assert row["expires_at"] == token["expires"]
            if row["ciphertext"] not in self.opened:
                assert self.play.stage.open_token(row) == token["plaintext"]
                self.opened.add(row["ciphertext"])

    def grants(self) -> None:
        """Check that a broker looked at each grant once at most, and got it twice at most."""
        every = self.play.stage.told.grants
        looked_at = [grant for grant, known in every if known]
        assert len(looked_at) == len(set(looked_at))
        assert max(Counter(grant for grant, _ in every).values(), default=0) <= 2

    def events(self) -> None:
        """Check that each write of a token is announced, in turn, and nothing else is."""
        assert [event["id"] for event in announced(emulated.records("Tokens"))] == self.play.model.events

    def log(self) -> None:
        """Check that no secret was logged."""
        model, told = self.play.model, self.play.stage.told
        rows = [*model.attempts.values(), *model.gone]
        secrets = [row[name] for row in rows for name in ("state", "key", "grant")]
        secrets += [*told.issued, told.secret, *(session["secret"] for session in model.sessions.values())]
        secrets += SECRETS["fivepaisa"].values()
        log = self.play.stage.log.getvalue()
        assert not [secret for secret in secrets if secret in log]

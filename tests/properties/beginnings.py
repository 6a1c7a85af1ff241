"""Begins logins, as customers and platforms do."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from tests.kit.core import jwt
from tests.kit.world import BASE_URL, Reply
from tests.properties.asking import AUTHORIZATION, KEY, Asking, hashed
from tests.properties.model import ATTEMPT_SECONDS, KEPT_SECONDS, SESSION_SECONDS, Row, reading


class Beginnings(Asking):
    """Starts, sessions and retries."""

    def open_session(self, broker: str, user: str, account: str | None, return_to: str | None) -> None:
        wanted = {"broker": broker, "user_id": user, "account": account, "return_to": return_to}
        reply = self.stage.session(**{name: value for name, value in wanted.items() if value is not None})
        if account is None and (return_to is None or broker == "fivepaisa"):
            assert reply.status == 400
            return
        assert reply.status == 201
        (secret,) = parse_qs(urlsplit(reply.json["start_url"]).query)["session"]
        expires = int(self.now) + SESSION_SECONDS
        assert reply.json == {"start_url": f"{BASE_URL}/authorize/{broker}?session={secret}", "expires_at": expires}
        self.model.sessions[f"session#{hashed(secret)}"] = {
            "secret": secret,
            "broker": broker,
            "user": user,
            "expected": account,
            "return_to": return_to,
            "expires": expires,
            "ttl": expires + KEPT_SECONDS,
            "used": False,
            "there": True,
        }

    def start(self, browser: int, broker: str, return_to: str | None) -> None:
        query = f"?{urlencode({'return_to': return_to})}" if return_to else ""
        reply = self.get(self.browsers[browser], f"/authorize/{broker}{query}")
        self._begun(browser, broker, reply, {"user": None, "expected": None, "return_to": return_to, "session": None})

    def start_session(self, browser: int, broker: str, key: str) -> None:
        session = self.model.sessions[key]
        reply = self.get(self.browsers[browser], f"/authorize/{broker}?session={session['secret']}")
        if session["broker"] != broker or session["used"] or int(self.now) >= session["expires"]:
            assert reply.status == 410
        else:
            self._begun(browser, broker, reply, {**session, "session": key})

    def retry(self, browser: int, broker: str, row: Row) -> None:
        who = self.browsers[browser]
        mine = self.owns(who, row) and row["broker"] == broker
        status, _ = reading(row, self.now)
        reply = self.get(who, f"/authorize/{broker}?retry={row['id']}")
        if not mine:
            assert reply.status == 410
        elif status in {"failed", "pending"}:
            self._begun(browser, broker, reply, row)
        else:
            assert (reply.status, reply.location) == (303, f"/result?attempt={row['id']}")

    def _begun(self, browser: int, broker: str, reply: Reply, like: Row) -> None:
        assert reply.status == 303
        url, _, query = reply.location.partition("?")
        sent = parse_qs(query)
        assert url == AUTHORIZATION[broker]
        assert sent["ResponseURL" if broker == "fivepaisa" else "redirect_uri"] == [f"{BASE_URL}/callback/{broker}"]
        (state,) = sent["State" if broker == "fivepaisa" else "state"]
        assert hashed(state) not in self.model.attempts
        number = len(self.model.attempts) + len(self.model.gone)
        # A request token of 5paisa tells its own end.
        ends = int(self.now) + 30 if broker == "fivepaisa" and number % 2 else None
        self.model.attempts[hashed(state)] = {
            "id": hashed(state),
            "state": state,
            "broker": broker,
            "key": self.browsers[browser].cookies[KEY],
            "status": "PENDING",
            "expires": int(self.now) + ATTEMPT_SECONDS,
            "grant": f"grant-{number}" if ends is None else jwt({"jti": f"grant-{number}", "exp": ends}),
            "grant_ends": ends,
            **{name: like[name] for name in ("user", "expected", "return_to", "session")},
        }

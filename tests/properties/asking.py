"""Asks on the stage, and looks at every answer for what is another's."""

from __future__ import annotations

import base64
import hashlib
import json

from tests.kit.world import SECRETS, Browser, Reply
from tests.properties.model import Model, Row
from tests.properties.stage import Stage
from tests.properties.tally import tried

AUTHORIZATION = {
    "pocketful": "https://trade.pocketful.in/oauth2/auth",
    "fivepaisa": "https://dev-openapi.5paisa.com/WebVendorLogin/VLogin/Index",
}
KEY = "__Host-brokerlink"


def hashed(secret: str) -> str:
    """Give what a secret is filed under."""
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()).rstrip(b"=").decode()


class Asking:
    """Three browsers and a platform's backend, before the stage and the model of it."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.model = Model(str(SECRETS["pocketful"]["client_secret"]))
        self.browsers = [self.stage.browser() for _ in range(3)]

    @property
    def now(self) -> float:
        return self.stage.clock.now

    def owns(self, browser: Browser, row: Row) -> bool:
        return bool(browser.cookies.get(KEY) == row["key"])

    def owner(self, row: Row) -> Browser:
        """Give the browser that an attempt began in."""
        return next(browser for browser in self.browsers if self.owns(browser, row))

    def get(self, browser: Browser, target: str, **headers: str) -> Reply:
        """Ask as a browser. It is told nothing of another's attempts, and no secret at all."""
        reply = self.checked(browser.get(target, **headers))
        told = json.dumps(reply.payload, ensure_ascii=False)
        unseen = [*self.stage.told.issued, *(grant for grant, _ in self.stage.told.grants)]
        at_broker = "location" in reply.headers and reply.location.startswith(tuple(AUTHORIZATION.values()))
        for row in [*self.model.attempts.values(), *self.model.gone]:
            unseen += [row["token"]["account"]] if "token" in row else []
            if not self.owns(browser, row):
                unseen += [row["id"], row["state"], row["key"]]
            elif not at_broker:
                unseen.append(row["state"])
        assert not [value for value in unseen if value in told]
        return reply

    def backend(self, reply: Reply) -> Reply:
        """Look at what a backend is told: no secret."""
        self.checked(reply)
        unseen = [row[name] for row in self.model.attempts.values() for name in ("state", "key", "grant")]
        assert not [value for value in [*unseen, *self.stage.told.issued] if value in reply.body]
        return reply

    def checked(self, reply: Reply) -> Reply:
        """Give the answer, unless what happened before it was wrong."""
        tried("requests in histories of logins, held against a model of them")
        if self.stage.told.failure is not None:
            raise self.stage.told.failure
        return reply

    def cold_start(self) -> None:
        """Go on with new processes."""
        self.stage.build()
        self.model.forget_secret()

"""Where a customer logs in again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote

from brokerlink.connections import direct_user_id

LOGIN_VARIABLE: Final = "BROKERLINK_LOGIN_URL"
START_VARIABLE: Final = "BROKERLINK_START_URL"


@dataclass(frozen=True, slots=True)
class LoginLinks:
    """`login_url` is the platform's page, with `{broker}` and `{user_id}` to be filled in; `start_url` is brokerlink's
    own, below which `authorize/<broker>` starts a login without a platform. Either may be empty.
    """

    login_url: str = ""
    start_url: str = ""

    @classmethod
    def given(cls, login_url: str | None, start_url: str | None) -> Self:
        """Take what is given, else the environment's `BROKERLINK_LOGIN_URL` and `BROKERLINK_START_URL`."""
        return cls(
            os.environ.get(LOGIN_VARIABLE, "") if login_url is None else login_url,
            os.environ.get(START_VARIABLE, "") if start_url is None else start_url,
        )

    def of(self, *, broker: str, account: str, user_id: str) -> str | None:
        """Give the link of a customer; None where there is none.

        The start URL is no use to a platform's user: the token would be filed under the account, not under the user.
        So a stack without a `LoginUrl`, which writes its start URL in that place, has no link for them.
        """
        if user_id == direct_user_id(broker, account):
            chosen = f"{self.start_url.removesuffix('/')}/authorize/{{broker}}" if self.start_url else ""
        else:
            chosen = "" if self.login_url == self.start_url else self.login_url
        # No str.format: it would let a template read attributes, and trip over any other brace.
        filled = chosen.replace("{broker}", quote(broker, safe="")).replace("{user_id}", quote(user_id, safe=""))
        return filled or None

"""Why there is no token to trade with, and the link with which the customer can get one."""

from __future__ import annotations

from brokerlink.errors import BrokerlinkError


class TokenError(BrokerlinkError):
    """There is no token to use. The text names broker and account alone, so that it can be logged.

    `login_url` is where this customer logs in again; None where no such link is known. `broker`, `account` and
    `user_id` say whose token it is; empty where that is not known.
    """

    def __init__(
        self, message: str, *, broker: str = "", account: str = "", user_id: str = "", login_url: str | None = None
    ) -> None:
        super().__init__(message)
        self.broker = broker
        self.account = account
        self.user_id = user_id
        self.login_url = login_url


class TokenNotFound(TokenError):
    """There is no token of this user and account, or none that the event can mean."""


class TokenExpired(TokenError):
    """The token's day has ended; the customer has to log in again."""


class TokenUnreadable(TokenError):
    """The row is there and its token cannot be opened; asking again changes nothing.

    `reason` is KMS's error code, or what is wrong with the row in a few words. `others_too` says that the reason lies
    with the key or with the reader's own permissions: then a new login does not help, and an operator has to act.
    """

    reason = ""
    others_too = False

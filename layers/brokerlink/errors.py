"""What can go wrong in a login, and what each failure means to the customer, the metrics and the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Code(StrEnum):
    """The failures of a login: they reach `return_to`, the attempt's row and the metrics, so they never change."""

    DENIED = "denied"
    EXPIRED = "expired"
    WRONG_BROWSER = "wrong_browser"
    INVALID_REQUEST = "invalid_request"
    GRANT_REJECTED = "grant_rejected"
    APP_MISCONFIGURED = "app_misconfigured"
    BROKER_UNAVAILABLE = "broker_unavailable"
    BROKER_ERROR = "broker_error"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ACCOUNT_MISMATCH = "account_mismatch"
    ACCOUNT_UNKNOWN = "account_unknown"
    BUSY = "busy"
    INTERNAL = "internal"


class Step(StrEnum):
    """Where in a login a failure happened."""

    READY = "ready"
    CALLBACK = "callback"
    CLAIM = "claim"
    EXCHANGE = "exchange"
    IDENTIFY = "identify"
    ENCRYPT = "encrypt"
    COMMIT = "commit"
    HOLD = "hold"


class BrokerlinkError(Exception):
    """The root of every error that brokerlink raises; its text is safe to log and to show."""


class LoginError(BrokerlinkError):
    """A login failed at `step` with `code`.

    `message` is for operators: it names settings, statuses and classes, never a value that came from outside.
    `retry_at` is the epoch second before which the broker does not want to be asked again, where it said so.
    """

    def __init__(self, code: Code, step: Step, message: str, *, retry_at: int | None = None) -> None:
        super().__init__(f"{code} at {step}: {message}")
        self.code = code
        self.step = step
        self.message = message
        self.retry_at = retry_at


class SettingError(BrokerlinkError):
    """A setting is missing or malformed; `setting` names it, and no text here ever holds its value."""

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting} {problem}")
        self.setting = setting


@dataclass(frozen=True, slots=True)
class Failure:
    """One row of the table: what a code looks like from outside.

    `status` is the HTTP status where the page is answered in place; `metric` is counted once per failure;
    `operator` says whether a person who runs the stack has to act; `customer` that the failure was the customer's own
    doing, so that it says nothing about whether logins work.
    """

    title: str
    text: str
    status: int
    metric: str
    operator: bool = False
    customer: bool = False


FAILURES: Final[Mapping[Code, Failure]] = MappingProxyType(
    {
        Code.DENIED: Failure(
            "You did not finish the login",
            "You cancelled the login at your broker, or your broker ended it. Nothing was shared with us "
            "and nothing has changed. You can log in again whenever you like.",
            403,
            "denied",
            customer=True,
        ),
        Code.EXPIRED: Failure(
            "This login took too long",
            "A login has to be finished within a few minutes, and the time for this one ran out. Nothing "
            "was saved. Please log in again.",
            410,
            "expired",
            customer=True,
        ),
        Code.WRONG_BROWSER: Failure(
            "This login began in another browser",
            "For your safety, a login must end in the same browser in which it began, with cookies "
            "switched on. Nothing has changed. Go back to the browser or app you started in, or start "
            "again here.",
            403,
            "wrong_browser",
            customer=True,
        ),
        Code.INVALID_REQUEST: Failure(
            "We could not read this login",
            "The answer from your broker was incomplete, or this link is old or was already used. Nothing "
            "was saved. Please log in again.",
            400,
            "invalid_request",
            customer=True,
        ),
        Code.GRANT_REJECTED: Failure(
            "Your broker did not accept this login",
            "Your broker says that this login is no longer valid. Nothing was saved, and your broker "
            "account is fine. Please log in again.",
            502,
            "grant_rejected",
        ),
        Code.APP_MISCONFIGURED: Failure(
            "This broker is not available just now",
            "Something is set up wrongly on our side, and the people who run this service have been told. "
            "Your broker account is fine and nothing was lost. Please try again later.",
            503,
            "app_misconfigured",
            operator=True,
        ),
        Code.BROKER_UNAVAILABLE: Failure(
            "Your broker is not answering",
            "Your broker's website is busy or down. Your broker account is fine and nothing was lost. "
            "Please try again shortly.",
            503,
            "broker_unavailable",
        ),
        Code.BROKER_ERROR: Failure(
            "We could not use your broker's answer",
            "Your broker sent something that we did not understand, so this login did not go through. "
            "Nothing was saved, and your broker account is fine. Please log in again.",
            502,
            "broker_error",
        ),
        Code.OUTCOME_UNKNOWN: Failure(
            "We did not hear back from your broker",
            "We cannot tell whether this login went through, so we stopped it to be safe. Nothing was "
            "saved, and your broker account is fine. Please log in again.",
            502,
            "outcome_unknown",
        ),
        Code.ACCOUNT_MISMATCH: Failure(
            "That is a different account",
            "You logged in with a broker account that is not the one expected here. Nothing was saved. "
            "Please log in again with the right account; if your broker does not ask which one, log out "
            "on its website first.",
            403,
            "account_mismatch",
            customer=True,
        ),
        Code.ACCOUNT_UNKNOWN: Failure(
            "Your broker did not say which account",
            "The login worked, but your broker could not tell us which account it is for, so nothing was "
            "saved. Please log in again.",
            502,
            "account_unknown",
        ),
        Code.BUSY: Failure(
            "We are busy just now",
            "Nothing was lost. Please wait a few seconds and try again.",
            503,
            "busy",
        ),
        Code.INTERNAL: Failure(
            "Something went wrong on our side",
            "The people who run this service have been told. Nothing was saved, and your broker account "
            "is fine. Please log in again.",
            500,
            "internal",
            operator=True,
        ),
    }
)

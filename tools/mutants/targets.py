"""What is mutated, and which tests have to notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Target:
    """A module: how it is imported, where it lies, and the tests (files or folders) of what it does."""

    module: str
    path: Path
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """Give the name by which the command line knows it."""
        return self.module.rpartition(".")[2]


def _library(module: str, *tests: str) -> Target:
    return Target(f"brokerlink.{module}", ROOT / "layers/brokerlink" / f"{module.replace('.', '/')}.py", tests)


def _function(folder: str, module: str, *tests: str) -> Target:
    return Target(module, ROOT / "functions" / folder / f"{module}.py", tests)


_TOLD: Final = ("tests/unit/test_callback_told.py", "tests/unit/test_unsettled.py")
_CALLBACK_ROUTES: Final = (
    "tests/unit/test_route_callback.py",
    "tests/unit/test_route_callback_refusals.py",
    "tests/unit/test_route_callback_in_place.py",
    "tests/unit/test_route_callback_post.py",
    "tests/unit/test_route_callback_fivepaisa.py",
    *_TOLD,
)
_AUTHORIZE_ROUTES: Final = (
    "tests/unit/test_route_authorize.py",
    "tests/unit/test_route_authorize_refusals.py",
    "tests/unit/test_route_authorize_sessions.py",
    "tests/unit/test_route_authorize_retry.py",
    "tests/unit/test_authorize_told.py",
)
_ATTEMPTS: Final = ("tests/unit/test_attempts.py", "tests/unit/test_claim.py")
_COMMIT: Final = ("tests/unit/test_commit.py", "tests/unit/test_claim.py")
_EXCHANGE: Final = ("tests/unit/test_exchange.py", "tests/unit/test_login_told.py")
_CONFIRMATION: Final = ("tests/unit/test_confirmation.py", "tests/unit/test_route_confirm.py")

TARGETS: Final = (
    _library("attempt", *_ATTEMPTS),
    _library("attempts", *_ATTEMPTS),
    _library("expiry", "tests/unit/test_expiry.py"),
    _library("web.return_to", "tests/unit/test_return_to.py"),
    _library("web.callbacks", "tests/unit/test_callbacks.py"),
    _library("fields", "tests/unit/test_fields.py"),
    _library("connections", "tests/unit/test_connections.py", "tests/unit/test_tokens.py"),
    _library("outcomes", "tests/unit/test_outcomes.py"),
    _library("sessions", "tests/unit/test_sessions.py"),
    _library("begin", "tests/unit/test_begin.py"),
    _library("web.request", "tests/unit/test_request.py"),
    _library("web.cookies", "tests/unit/test_cookies.py"),
    _library("web.bodies", "tests/unit/test_bodies.py"),
    _library("web.masking", "tests/unit/test_masking.py"),
    _library("login", "tests/unit/test_login.py", "tests/unit/test_login_told.py"),
    _library("exchange", *_EXCHANGE, *_COMMIT),
    _library("claim", *_COMMIT, *_EXCHANGE),
    _library("retries", "tests/unit/test_retries.py"),
    _library("commit", *_COMMIT, *_CONFIRMATION),
    _library("confirmation", *_CONFIRMATION),
    _function("callback", "finish", *_CALLBACK_ROUTES),
    _function("callback", "ends", "tests/unit/test_ends.py"),
    _function("callback", "confirm", "tests/unit/test_route_confirm.py", "tests/unit/test_route_attempts.py", *_TOLD),
    _function("callback", "result", "tests/unit/test_route_result.py", "tests/unit/test_route_result_pages.py", *_TOLD),
    _function("authorize", "start", *_AUTHORIZE_ROUTES),
)

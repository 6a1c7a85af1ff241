"""States that somebody could guess: by counting, by the clock, or because two processes woke up alike."""

from __future__ import annotations

import base64
import inspect
import secrets
from typing import cast

import authorize_app
import callback_app
from start import Authorize
from tests.kit.world import world


def test_guessed_state_100_000_states_are_all_different_and_random() -> None:
    with world() as made:
        start = cast("Authorize", made.functions["authorize"].routes["GET /authorize/{broker}"].answer)
        states = [start.beginning.new_secret().reveal() for _ in range(100_000)]
    assert len(set(states)) == 100_000
    decoded = b"".join(base64.urlsafe_b64decode(state + "=") for state in states)
    ones = sum(byte.bit_count() for byte in decoded)
    assert len(decoded) == 100_000 * 32
    assert abs(ones / (len(decoded) * 8) - 0.5) < 0.001


def test_guessed_state_nothing_of_it_is_kept_from_before_a_snapshot() -> None:
    for make_app in (authorize_app.make_app, callback_app.make_app):
        # Read from the system at each call and never kept, so two processes restored from one snapshot differ.
        assert inspect.signature(make_app).parameters["random_bytes"].default is secrets.token_bytes

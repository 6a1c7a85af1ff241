"""Whole logins over HTTP on another engine: the tests of tests/integration that end in its tables."""

from tests.integration.test_login import (
    test_both_brokers_twice_in_parallel,
    test_ciphertext_opens_with_its_own_context_alone,
    test_fifty_simultaneous_callbacks_are_exchanged_once,
    test_forged_callback_does_not_burn_the_live_attempt,
    test_held_login_is_committed_by_the_platform_alone,
    test_held_login_of_somebody_else_is_dropped,
    test_pinned_session_ends_in_its_account_alone,
    test_repeated_callback_is_exchanged_once,
    test_retry_inherits_the_session_and_succeeds,
    test_token_is_stored_sealed_and_announced_once,
)

__all__ = [
    "test_both_brokers_twice_in_parallel",
    "test_ciphertext_opens_with_its_own_context_alone",
    "test_fifty_simultaneous_callbacks_are_exchanged_once",
    "test_forged_callback_does_not_burn_the_live_attempt",
    "test_held_login_is_committed_by_the_platform_alone",
    "test_held_login_of_somebody_else_is_dropped",
    "test_pinned_session_ends_in_its_account_alone",
    "test_repeated_callback_is_exchanged_once",
    "test_retry_inherits_the_session_and_succeeds",
    "test_token_is_stored_sealed_and_announced_once",
]

"""What the state machine chooses from."""

from __future__ import annotations

import hypothesis.strategies as st

from tests.kit.world import RETURN_TO
from tests.properties.stage import Mishap

BROKERS = ("pocketful", "fivepaisa")
ACCOUNTS = {"pocketful": ("YA0002", "YA0003"), "fivepaisa": ("50052770", "50052771")}
USERS = ("user-1", "user-2")
RETURNS = (None, RETURN_TO, f"{RETURN_TO}/done?a=%2B&b")

browsers = st.integers(0, 2)
places = st.integers(0, 7)
mishaps = st.one_of(
    st.none(),
    st.builds(
        lambda call, kind: Mishap(call[0], call[1], kind),
        st.sampled_from([("UpdateItem", 1), ("Encrypt", 1), ("TransactWriteItems", 1), ("UpdateItem", 2)]),
        st.sampled_from(["down", "lost", "crash before", "crash after"]),
    ),
    st.builds(Mishap, st.just("UpdateItem"), st.sampled_from([1, 2]), st.just("conflict")),
    st.builds(
        lambda kind, times: Mishap("TransactWriteItems", 1, kind, times),
        st.sampled_from(["down", "conflict"]),
        st.sampled_from([1, 3, 20, 100]),
    ),
    st.just(Mishap("GetSecretValue", 1, "down")),
)
# What is decided at an attempt's deadline, by its status.
AT_A_DEADLINE = {
    "PENDING": ("repeat", "decline", "retry", "link"),
    "EXCHANGING": ("repeat", "result", "decline", "retry"),
    "HELD": ("confirm", "repeat", "result", "confirm wrongly"),
    "SUCCEEDED": ("repeat", "confirm", "retry", "wait"),
    "FAILED": ("repeat", "confirm", "retry", "link"),
}
# What happens while a request is under way.
MEANWHILE = (
    "repeat",
    "decline",
    "result",
    "wait",
    "show",
    "retry",
    "confirm",
    "confirm wrongly",
    "forge",
    "another login",
    "a moment",
    "19 s",
    "20 s",
    "claim",
)
elsewhere = st.lists(st.sampled_from(MEANWHILE), max_size=4)

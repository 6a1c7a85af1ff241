"""Stream records of the Tokens table: good ones, and ones that no table writes."""

from __future__ import annotations

import base64
from typing import Any, Final

import hypothesis.strategies as st

from tests.kit.world import MIDNIGHT, MORNING
from tests.properties.hostile import broken, junk, texts

SECRET_BYTES: Final = base64.b64encode(b"ciphertext that nobody publishes").decode()


def attempt(number: int) -> str:
    """Give the id of an attempt."""
    return f"attempt-{number}".ljust(43, "x")


def record(number: int, name: str = "INSERT", old: dict[str, Any] | None = None, **image: Any) -> dict[str, Any]:
    """Give the stream record of a token's issue; `number` names its attempt."""
    keys = {"user_id": {"S": "user-1"}, "connection": {"S": "pocketful#YA0002"}}
    new = {
        **keys,
        "broker": {"S": "pocketful"},
        "account": {"S": "YA0002"},
        "ciphertext": {"B": SECRET_BYTES},
        "scope": {"S": "orders holdings"},
        "token_type": {"S": "bearer"},
        "attempt_id": {"S": attempt(number)},
        "issued_at_ms": {"N": str(MORNING * 1000 + number)},
        "expires_at": {"N": str(MIDNIGHT)},
        "shard": {"S": "pocketful#0d"},
        **image,
    }
    change: dict[str, Any] = {"Keys": keys, "NewImage": new, "SequenceNumber": str(10**20 + number)}
    if old is not None:
        change["OldImage"] = old
    return {"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change}


def strange_records() -> st.SearchStrategy[Any]:
    """Give records that are spoilt, or none at all."""
    good = st.builds(record, st.integers(1000, 1999), st.sampled_from(["INSERT", "MODIFY", "REMOVE", "OTHER"]))
    values = st.sampled_from(["user_id", "broker", "account", "scope", "attempt_id", "issued_at_ms", "expires_at"])
    attribute = st.fixed_dictionaries({"S": texts | junk}) | st.fixed_dictionaries({"N": texts | junk}) | junk
    spoilt = st.builds(lambda name, value: record(1999, **{name: value}), values, attribute)
    return good | broken(good) | spoilt | spoilt | junk

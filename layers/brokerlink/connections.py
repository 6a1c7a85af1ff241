"""How a customer's link to a broker account is named: in table keys, events and KMS encryption contexts."""

from __future__ import annotations

import hashlib
import re
from typing import Final

PURPOSE: Final = "broker-access-token"
SHARDS: Final = 32

_BROKER: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_USER_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")


def is_broker(text: str) -> bool:
    """Say whether a text can be a broker's id."""
    return _BROKER.fullmatch(text) is not None


def is_account(text: str) -> bool:
    """Say whether a text can be a broker's id of a customer."""
    return _ACCOUNT.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """Say whether a text can be a platform's id of a user. It holds no colon, so it never meets a direct login's."""
    return _USER_ID.fullmatch(text) is not None


def direct_user_id(broker: str, account: str) -> str:
    """Give the user id under which a login without a platform is filed."""
    return f"{broker}:{account}"


def is_owner(text: str) -> bool:
    """Say whether tokens can be filed under a text: a platform's user, or a direct login's broker and account."""
    broker, colon, account = text.partition(":")
    return is_broker(broker) and is_account(account) if colon else is_user_id(text)


def connection(broker: str, account: str) -> str:
    """Give the sort key of a token."""
    return f"{broker}#{account}"


def shard(broker: str, user_id: str) -> str:
    """Give the index partition of a token: 32 of them a broker, `<broker>#00` to `<broker>#1f`, so that none is hot."""
    return shard_key(broker, hashlib.sha256(user_id.encode()).digest()[0] % SHARDS)


def shard_key(broker: str, number: int) -> str:
    """Give the index partition of a number from 0 to `SHARDS` - 1."""
    return f"{broker}#{number:02x}"


def encryption_context(*, broker: str, account: str, user_id: str) -> dict[str, str]:
    """Give the KMS encryption context of a token: a ciphertext moved to another row does not open."""
    return {"purpose": PURPOSE, "broker": broker, "account": account, "user_id": user_id}

"""A token at rest: its row, its encryption context, and that no other row's context opens it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from brokerlink.connections import encryption_context, shard
from brokerlink.errors import Code, LoginError, Step
from brokerlink.secret import Secret
from brokerlink.tokens import MAX_TOKEN_BYTES, Sealer, TokenRecord
from tests.kit.clients import client, token_key, wired
from tests.kit.wire import Fault, Wire, down, refused

OWNER = {"broker": "pocketful", "account": "YA0002", "user_id": "user-1"}
TOKEN = Secret("canary-access-token")
RECORD = TokenRecord(
    **OWNER,
    ciphertext=b"canary-ciphertext",
    scope="orders",
    token_type="bearer",
    attempt_id="attempt",
    issued_at_ms=1_795_404_600_123,
    expires_at=1_795_458_600,
)


@pytest.fixture
def sealer() -> Iterator[Sealer]:
    with mock_aws():
        yield Sealer(wired("kms")[0], token_key())


@pytest.fixture
def wire(sealer: Sealer) -> Wire:
    del sealer
    return wired("kms")[1]


def unseal(ciphertext: bytes, context: dict[str, str]) -> bytes:
    return client("kms").decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)["Plaintext"]


# sealing


def test_the_encryption_context_is_exactly_the_contracts() -> None:
    assert encryption_context(**OWNER) == {"purpose": "broker-access-token", **OWNER}


@pytest.mark.parametrize("text", ["canary-access-token", "é✓ﬀ", "x" * MAX_TOKEN_BYTES, "a\nb", "x"])
def test_the_plaintext_is_the_tokens_utf8_and_nothing_else(sealer: Sealer, text: str) -> None:
    ciphertext = sealer.seal(Secret(text), **OWNER)
    assert text.encode() not in ciphertext or len(text) < 8, "a short text may be there by chance"
    assert unseal(ciphertext, encryption_context(**OWNER)) == text.encode()


def test_sealing_uses_the_token_key_alone(sealer: Sealer, wire: Wire) -> None:
    sealer.seal(TOKEN, **OWNER)
    (call,) = wire.calls
    assert call.operation == "Encrypt"
    assert call.json["KeyId"] == sealer.key_id
    assert call.json["EncryptionContext"] == encryption_context(**OWNER)


@pytest.mark.parametrize(
    "moved",
    [
        pytest.param({"user_id": "user-2"}, id="another user's row"),
        pytest.param({"account": "YA0003"}, id="another account's row"),
        pytest.param({"broker": "fivepaisa"}, id="another broker's row"),
        pytest.param({"purpose": "other"}, id="another purpose"),
        pytest.param({"more": "x"}, id="a key more"),
    ],
)
def test_a_ciphertext_moved_to_another_row_does_not_open(sealer: Sealer, moved: dict[str, str]) -> None:
    ciphertext = sealer.seal(TOKEN, **OWNER)
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        unseal(ciphertext, encryption_context(**OWNER) | moved)
    assert unseal(ciphertext, encryption_context(**OWNER)) == b"canary-access-token"


@pytest.mark.parametrize("text", ["x" * (MAX_TOKEN_BYTES + 1), "é" * (MAX_TOKEN_BYTES // 2) + "x"])
def test_a_token_over_4096_bytes_is_refused_before_kms_is_asked(sealer: Sealer, wire: Wire, text: str) -> None:
    with pytest.raises(LoginError, match="4097 bytes") as raised:
        sealer.seal(Secret(text), **OWNER)
    assert (raised.value.code, raised.value.step) == (Code.INTERNAL, Step.ENCRYPT)
    assert text not in str(raised.value)
    assert wire.calls == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(refused("AccessDeniedException"), "AccessDeniedException", id="denied"),
        pytest.param(refused("ThrottlingException"), "ThrottlingException", id="throttled"),
        pytest.param(refused("NotFoundException"), "NotFoundException", id="no such key"),
        pytest.param(refused("DisabledException"), "DisabledException", id="disabled"),
        pytest.param(down, "ReadTimeoutError", id="no answer"),
    ],
)
def test_what_kms_does_not_do_is_told_by_its_reason_alone(
    sealer: Sealer, wire: Wire, fault: Fault, reason: str
) -> None:
    wire.meet("Encrypt", fault)
    with pytest.raises(LoginError) as raised:
        sealer.seal(TOKEN, **OWNER)
    assert raised.value.code is Code.INTERNAL
    assert raised.value.message == f"KMS Encrypt: {reason}"
    assert raised.value.__context__ is None


def test_an_error_that_quotes_the_token_is_not_handed_on(sealer: Sealer) -> None:
    # botocore's validation quotes the parameters that it refuses, the plaintext beside them.
    broken: Any = Sealer(sealer.client, 7)  # type: ignore[arg-type]  # a key id that validation refuses
    with pytest.raises(LoginError) as raised:
        broken.seal(TOKEN, **OWNER)
    assert raised.value.message == "KMS Encrypt: ParamValidationError"
    assert raised.value.__context__ is None


# the row


def test_the_row_is_what_the_contract_says() -> None:
    assert RECORD.to_item() == {
        "user_id": "user-1",
        "connection": "pocketful#YA0002",
        "broker": "pocketful",
        "account": "YA0002",
        "ciphertext": b"canary-ciphertext",
        "scope": "orders",
        "token_type": "bearer",
        "attempt_id": "attempt",
        "issued_at_ms": 1_795_404_600_123,
        "expires_at": 1_795_458_600,
        "shard": shard("pocketful", "user-1"),
    }


def test_the_row_has_an_app_key_where_the_broker_needs_one() -> None:
    assert replace(RECORD, app_key="vendor-key").to_item() == RECORD.to_item() | {"app_key": "vendor-key"}


def test_a_record_shows_no_ciphertext() -> None:
    assert "canary" not in repr(RECORD)

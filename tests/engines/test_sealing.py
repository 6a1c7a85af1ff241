"""KMS: a token opens in its own context alone; what an engine does otherwise is written down one by one."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from brokerlink.aws import AwsClients
from brokerlink.errors import LoginError
from brokerlink.secret import Secret
from brokerlink.tokens import MAX_TOKEN_BYTES, Sealer
from local.aws import Clients
from local.emulator import Emulator

# What KMS refuses and an engine does.
OPENS_A_TAMPERED_CIPHERTEXT = {"ministack"}
ENCRYPTS_MORE_THAN_4096_BYTES = {"ministack"}
OPENS_WHATEVER_KEY_IS_NAMED = {"ministack"}

WHOSE = {"broker": "pocketful", "account": "YA0002", "user_id": "asha"}
CONTEXT = {"purpose": "broker-access-token", **WHOSE}


@pytest.fixture
def sealer(emulator: Emulator, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Sealer:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
    return Sealer(AwsClients().client("kms"), clients.kms.create_key()["KeyMetadata"]["Arn"])


def test_a_token_opens_in_its_own_context_alone(sealer: Sealer, clients: Clients) -> None:
    sealed = sealer.seal(Secret("a token: é"), **WHOSE)
    assert b"a token" not in sealed
    opened = clients.kms.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT)["Plaintext"]
    assert opened == "a token: é".encode()
    for name in CONTEXT:
        less = {key: value for key, value in CONTEXT.items() if key != name}
        for context in ({**CONTEXT, name: "other"}, less):
            with pytest.raises(ClientError, match="InvalidCiphertext"):
                clients.kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        clients.kms.decrypt(CiphertextBlob=sealed)


def test_another_key_does_not_open_it(engine: str, sealer: Sealer, clients: Clients) -> None:
    sealed = sealer.seal(Secret("a token"), **WHOSE)
    other = clients.kms.create_key()["KeyMetadata"]["Arn"]
    assert opens(clients, sealed, KeyId=other) is (engine in OPENS_WHATEVER_KEY_IS_NAMED)


def test_the_same_token_is_never_sealed_alike(sealer: Sealer) -> None:
    assert sealer.seal(Secret("a token"), **WHOSE) != sealer.seal(Secret("a token"), **WHOSE)


def test_a_tampered_ciphertext_does_not_open(engine: str, sealer: Sealer, clients: Clients) -> None:
    sealed = bytearray(sealer.seal(Secret("a token"), **WHOSE))
    sealed[-1] ^= 1
    assert opens(clients, bytes(sealed)) is (engine in OPENS_A_TAMPERED_CIPHERTEXT)


def test_the_longest_token_is_sealed_and_a_longer_one_refused_before_kms_is_asked(
    engine: str, sealer: Sealer, clients: Clients
) -> None:
    longest = "x" * MAX_TOKEN_BYTES
    sealed = sealer.seal(Secret(longest), **WHOSE)
    assert clients.kms.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT)["Plaintext"] == longest.encode()
    with pytest.raises(LoginError, match="4097 bytes"):
        sealer.seal(Secret(longest + "x"), **WHOSE)
    with pytest.raises(ClientError) if engine not in ENCRYPTS_MORE_THAN_4096_BYTES else nullcontext():
        clients.kms.encrypt(KeyId=sealer.key_id, Plaintext=longest + "x", EncryptionContext=CONTEXT)


def opens(clients: Clients, sealed: bytes, **named: Any) -> bool:
    try:
        clients.kms.decrypt(CiphertextBlob=sealed, EncryptionContext=CONTEXT, **named)
    except ClientError:
        return False
    return True

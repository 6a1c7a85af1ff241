"""A token that cannot be opened says so, once and for all; a KMS that is busy is another matter. No word holds it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from brokerlink.connections import encryption_context
from brokerlink.reader import TokenUnreadable
from brokerlink.whole import NotWhole
from tests.kit.clients import client
from tests.kit.shelf import ATTEMPT, OWNER, Shelf, event
from tests.kit.wire import down, misread, refused


def test_a_ciphertext_moved_to_another_users_row(shelf: Shelf) -> None:
    stolen = shelf.put().ciphertext
    shelf.put(user_id="attacker", ciphertext=stolen)
    with pytest.raises(TokenUnreadable, match=r"^the token of pocketful/YA0002 cannot be opened") as raised:
        shelf.reader.get(event(user_id="attacker"))
    error = raised.value
    assert (error.reason, error.others_too) == ("InvalidCiphertextException", False)
    assert (error.user_id, error.broker, error.account) == ("attacker", "pocketful", "YA0002")


@pytest.mark.parametrize(
    ("code", "others_too"),
    [
        ("InvalidCiphertextException", False),
        ("IncorrectKeyException", False),
        ("ValidationException", False),
        ("AccessDeniedException", True),
        ("DisabledException", True),
        ("InvalidKeyUsageException", True),
        ("KMSInvalidStateException", True),
        ("NotFoundException", True),
    ],
)
def test_what_kms_refuses_for_good(shelf: Shelf, code: str, *, others_too: bool) -> None:
    shelf.put()
    shelf.kms_wire.meet("Decrypt", refused(code))
    with pytest.raises(TokenUnreadable, match=code) as raised:
        shelf.reader.get(event())
    assert (raised.value.reason, raised.value.others_too) == (code, others_too)


@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "KMSInternalException", "KeyUnavailableException", "DependencyTimeoutException", "Strange"],
)
def test_what_another_try_may_mend_is_the_consumers_to_see(shelf: Shelf, code: str) -> None:
    shelf.put()
    shelf.kms_wire.meet("Decrypt", refused(code, status=500))
    with pytest.raises(ClientError, match=code):
        shelf.reader.get(event())
    shelf.kms_wire.meet("Decrypt", down)
    with pytest.raises(BotoCoreError, match="timeout"):
        shelf.reader.get(event())
    assert shelf.reader.get(event()).attempt_id == ATTEMPT


def test_what_the_table_refuses_is_the_consumers_to_see(shelf: Shelf) -> None:
    shelf.put()
    shelf.wire.meet("GetItem", refused("ThrottlingException"))
    with pytest.raises(ClientError, match="Throttling"):
        shelf.reader.get(event())


@pytest.mark.parametrize("missing", ["ciphertext", "scope", "token_type", "attempt_id", "issued_at_ms", "expires_at"])
def test_a_row_that_is_not_whole(shelf: Shelf, missing: str) -> None:
    shelf.put()
    client("dynamodb").update_item(
        TableName="Tokens",
        Key={"user_id": {"S": "user-1"}, "connection": {"S": "pocketful#YA0002"}},
        UpdateExpression="REMOVE #it",
        ExpressionAttributeNames={"#it": missing},
    )
    with pytest.raises(TokenUnreadable) as raised:
        shelf.reader.get(**OWNER)
    assert (raised.value.reason, raised.value.others_too) == ("no whole row", False)


def sealed_bytes(shelf: Shelf, plaintext: bytes) -> bytes:
    sealed = client("kms").encrypt(KeyId=shelf.key, Plaintext=plaintext, EncryptionContext=encryption_context(**OWNER))
    return bytes(sealed["CiphertextBlob"])


def test_no_error_holds_a_plaintext_that_is_no_text(shelf: Shelf) -> None:
    shelf.put(ciphertext=sealed_bytes(shelf, b"canary-\xff"))
    with pytest.raises(TokenUnreadable, match="no UTF-8 text") as raised:
        shelf.reader.get(event())
    assert_bare(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="without a plaintext"),
        pytest.param({"Plaintext": None}, id="with none"),
        pytest.param({"Plaintext": ["canary"]}, id="of another type"),
        pytest.param({"Plaintext": "canary*"}, id="that is no base64"),
        pytest.param(["canary"], id="that is no object"),
        pytest.param(base64.b64encode(b"canary").decode(), id="that is a text"),
    ],
)
def test_no_error_holds_an_answer_of_kms_that_is_none(shelf: Shelf, answer: Any) -> None:
    shelf.put()
    shelf.kms_wire.meet("Decrypt", misread(answer))
    with pytest.raises((NotWhole, TokenUnreadable)) as raised:
        shelf.reader.get(event())
    assert_bare(raised.value)


def assert_bare(error: BaseException) -> None:
    """Nothing hangs on the error where a collector would find it, in frames of ours neither."""
    assert error.__context__ is None
    assert error.__cause__ is None
    held = [str(error), repr(error), json.dumps(vars(error), default=repr)]
    frame = error.__traceback__
    while frame is not None:
        if "/brokerlink/" in frame.tb_frame.f_code.co_filename:
            held.append(repr(frame.tb_frame.f_locals))
        frame = frame.tb_next
    assert not [text for text in held if "canary" in text]

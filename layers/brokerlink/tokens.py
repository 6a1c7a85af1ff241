"""A broker's access token at rest: sealed with KMS, and its row in the Tokens table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from brokerlink.aws import UNREADABLE
from brokerlink.connections import connection, encryption_context, shard
from brokerlink.errors import Code, LoginError, Step
from brokerlink.secret import Secret
from brokerlink.storage import Value

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_kms.client import KMSClient

# The most that KMS encrypts in one call with a symmetric key (API reference, Encrypt).
MAX_TOKEN_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """A row of Tokens. `expires_at` is in epoch seconds and also the TTL attribute; `issued_at_ms` in milliseconds."""

    user_id: str
    broker: str
    account: str
    ciphertext: bytes = field(repr=False)
    scope: str
    token_type: str
    attempt_id: str
    issued_at_ms: int
    expires_at: int
    app_key: str | None = None

    def to_item(self) -> dict[str, Value]:
        """Give the row; an absent `app_key` is not stored."""
        item: dict[str, Value] = {
            "user_id": self.user_id,
            "connection": connection(self.broker, self.account),
            "broker": self.broker,
            "account": self.account,
            "ciphertext": self.ciphertext,
            "scope": self.scope,
            "token_type": self.token_type,
            "attempt_id": self.attempt_id,
            "issued_at_ms": self.issued_at_ms,
            "expires_at": self.expires_at,
            "shard": shard(self.broker, self.user_id),
        }
        return item if self.app_key is None else item | {"app_key": self.app_key}


class Sealer:
    """Encrypts access tokens under the token key; nothing here can decrypt one."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        self.client = client
        self.key_id = key_id

    def seal(self, token: Secret, *, broker: str, account: str, user_id: str) -> bytes:
        """Encrypt the token's UTF-8 bytes, bound to broker, account and user by the encryption context.

        Raises `LoginError(internal)`: the token is too long for KMS, or KMS refused or did not answer.
        """
        plaintext = token.reveal().encode()
        if len(plaintext) > MAX_TOKEN_BYTES:
            raise LoginError(
                Code.INTERNAL,
                Step.ENCRYPT,
                f"a token of {len(plaintext)} bytes is over KMS's {MAX_TOKEN_BYTES}",
            )
        try:
            sealed = self.client.encrypt(
                KeyId=self.key_id,
                Plaintext=plaintext,
                EncryptionContext=encryption_context(broker=broker, account=account, user_id=user_id),
            )
            return bytes(sealed["CiphertextBlob"])
        except ClientError as error:
            reason = error.response.get("Error", {}).get("Code", "unknown")
        except BotoCoreError as error:
            # A validation error quotes its parameters, and one of them is the token: only the class is told.
            reason = type(error).__name__
        except UNREADABLE:
            reason = "unreadable answer"
        raise LoginError(Code.INTERNAL, Step.ENCRYPT, f"KMS Encrypt: {reason}")

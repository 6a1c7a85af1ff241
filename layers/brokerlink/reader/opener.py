"""Opens ciphertexts with KMS, and tells one that will never open from a KMS that does not answer just now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from brokerlink.connections import encryption_context
from brokerlink.reader.rows import Row
from brokerlink.secret import Secret
from brokerlink.whole import NotWhole

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_kms.client import KMSClient

# KMS API reference, Decrypt: errors that no further try removes. The first are about this ciphertext.
_THIS_ONE: Final = frozenset({"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"})
_OTHERS_TOO: Final = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "InvalidKeyUsageException",
        "KMSInvalidStateException",
        "NotFoundException",
    }
)


@dataclass(frozen=True, slots=True)
class Unopened:
    """Why a ciphertext does not open, and whether others will not either."""

    reason: str
    others_too: bool = False


class Opener:
    """Decrypts under the encryption context of the row's key: a ciphertext from another row does not open."""

    def __init__(self, kms: KMSClient) -> None:
        self._kms = kms

    def open(self, row: Row) -> Secret | Unopened:
        """Decrypt a row's token. Raises botocore's errors where KMS is busy, fails or does not answer whole."""
        owner = row.owner
        context = encryption_context(broker=owner.broker, account=owner.account, user_id=owner.user_id)
        try:
            plaintext = self._kms.decrypt(CiphertextBlob=row.ciphertext, EncryptionContext=context)["Plaintext"]
            return Secret(plaintext.decode())
        except ClientError as error:
            reason = error.response.get("Error", {}).get("Code", "")
            if reason not in _THIS_ONE | _OTHERS_TOO:
                raise
            return Unopened(reason, reason in _OTHERS_TOO)
        except UnicodeDecodeError:
            # It quotes the bytes that it choked on, so it is not passed on.
            return Unopened("no UTF-8 text")
        except (ResponseParserError, AttributeError, KeyError, TypeError, ValueError):
            # The same: the SDK's account of an answer that it could not read may hold the token.
            pass
        raise NotWhole

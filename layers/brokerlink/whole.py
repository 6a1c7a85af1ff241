"""Whether an answer of AWS is all there."""

from __future__ import annotations

from binascii import crc32

from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError


class NotWhole(BotoCoreError):
    """The last answer did not arrive as it was sent, whatever it says; what the call came to is unknown."""

    fmt = "the answer is not whole"


def check_whole(http_response: AWSResponse, **_: object) -> None:
    """Hear a client's `after-call`. Raises `NotWhole` for a body that is not of the length, or the sum, that is stated.

    The SDK reads a body until the connection ends, and half a JSON document as an answer without members, so a row
    would be absent. It tries again where DynamoDB's checksum is wrong, and then takes the last answer as it is.
    """
    headers, body = http_response.headers, http_response.content
    length, checksum = headers.get("content-length"), headers.get("x-amz-crc32")
    if (length is not None and int(length) != len(body)) or (checksum is not None and int(checksum) != crc32(body)):
        raise NotWhole

"""Reads broker tokens: what a consumer of the events imports, with nothing but boto3 beside it.

from brokerlink.reader import TokenReader

token = TokenReader().get(event)
orders = session.get(url, headers=token.headers)
"""

from brokerlink.reader.authentication import AuthHeaders
from brokerlink.reader.errors import TokenError, TokenExpired, TokenNotFound, TokenUnreadable
from brokerlink.reader.token import BrokerToken
from brokerlink.reader.token_reader import TokenReader

__all__ = [
    "AuthHeaders",
    "BrokerToken",
    "TokenError",
    "TokenExpired",
    "TokenNotFound",
    "TokenReader",
    "TokenUnreadable",
]

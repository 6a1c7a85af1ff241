"""A downstream function: learns from a queue that a customer logged in, and reads the access token.

A trading system would now begin its customer's day. This example prints one line, and never the token.
"""

from datetime import datetime

from brokerlink.consumer import on_login
from brokerlink.expiry import IST
from brokerlink.reader import BrokerToken


@on_login
def handler(token: BrokerToken) -> None:
    """Do this system's part for a customer who just logged in, once per login."""
    until = datetime.fromtimestamp(token.expires_at, IST)
    print(f"{token.broker} {token.account}: logged in until {until:%d %b %Y, %H:%M} IST")

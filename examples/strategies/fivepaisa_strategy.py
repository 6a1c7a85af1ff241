"""A place-holder strategy for 5paisa, by its own SDK py5paisa, which is given brokerlink's token.

Of the SDK 0.7.21.2, know this: it does not check certificates, keeps what it sends in dicts that all its clients
share, and turns every failure into None. So it gets a session that checks, one customer at a time, and None is an
error here. Its order calls go past that session: send orders with `token.headers` and `token.envelope` by an HTTP
client of your own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from py5paisa import FivePaisaClient

from brokerlink.consumer import on_login
from brokerlink.reader import BrokerToken

API = os.environ.get("FIVEPAISA_API", "https://Openapi.5paisa.com/VendorsAPI/Service1.svc")
SECONDS = 10


@on_login
def handler(token: BrokerToken) -> None:
    """Trade for a customer of 5paisa who has just logged in."""
    if token.broker == "fivepaisa":
        trade(token)


def trade(token: BrokerToken) -> None:
    """Count what the customer holds. Raises `RuntimeError` where 5paisa does not say."""
    with client_of(token) as client:
        holdings = client.holdings()
    if holdings is None:
        raise RuntimeError("5paisa gave no holdings")
    print(f"fivepaisa {token.account}: holds {len(holdings)} securities")


@contextmanager
def client_of(token: BrokerToken) -> Iterator[FivePaisaClient]:
    """Make a client of py5paisa that is logged in by the token. It needs none of the app's secrets."""
    names = ("APP_NAME", "APP_SOURCE", "USER_ID", "PASSWORD", "ENCRYPTION_KEY")
    client = FivePaisaClient(cred={"USER_KEY": token.app_key, **dict.fromkeys(names, "")})
    client.session.close()
    client.HOLDINGS_ROUTE = f"{API}/V3/Holding"
    client.set_access_token(token.access_token, token.account)
    with httpx.Client(timeout=SECONDS) as client.session:
        yield client

"""A place-holder strategy for Pocketful. It asks whose token it has; put your orders in the place of that.

Two handlers of one deployment: `at_open` runs for everybody, from a schedule at 09:15 IST, and `on_late_login` for
those who log in when it has run.
"""

import os
from datetime import datetime, time

import requests
from aws_lambda_powertools import Logger

from brokerlink.consumer import on_login
from brokerlink.expiry import IST
from brokerlink.reader import BrokerToken, TokenReader

API = os.environ.get("POCKETFUL_API", "https://trade.pocketful.in")
OPENS = time(9, 15)
SECONDS = 10

logger = Logger()
reader = TokenReader()


def at_open(event: object, context: object) -> None:
    """Trade for every customer of Pocketful who is logged in. One whose call fails stops nobody else."""
    del event, context
    for token in reader.of_broker("pocketful"):
        try:
            trade(token)
        except requests.RequestException:
            logger.exception("no trade for %s/%s", token.broker, token.account)


@on_login(reader=reader)
def on_late_login(token: BrokerToken) -> None:
    """Trade for a customer who has just logged in, if the others have begun already."""
    if token.broker == "pocketful" and datetime.now(IST).time() >= OPENS:
        trade(token)


def trade(token: BrokerToken) -> None:
    """Ask Pocketful who the customer is. Raises `requests.RequestException`."""
    answer = requests.get(f"{API}/api/v1/user/trading_info", headers=token.headers, timeout=SECONDS)
    answer.raise_for_status()
    client = answer.json()["data"]
    print(f"pocketful {client['client_id']}: may trade on {', '.join(client['exchanges_subscribed'])}")

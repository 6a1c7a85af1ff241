"""The reader: finds a row, checks that it is the one that was asked for and alive, and opens it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import boto3
from botocore.config import Config

from brokerlink.connections import SHARDS
from brokerlink.login_links import LoginLinks
from brokerlink.logs import silence_wire_loggers
from brokerlink.reader.announced import Announced
from brokerlink.reader.cache import OpenedTokens
from brokerlink.reader.errors import TokenError, TokenExpired, TokenNotFound, TokenUnreadable
from brokerlink.reader.opener import Opener, Unopened
from brokerlink.reader.rows import Owner, Row, Rows
from brokerlink.reader.token import BrokerToken
from brokerlink.whole import check_whole

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_kms.client import KMSClient

TABLE_VARIABLE: Final = "BROKERLINK_TOKENS_TABLE"
# Hosts' clocks differ: a token in its last second is not given out as alive.
CLOCK_SKEW: Final = 1
_CONFIG: Final = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
_LOGGER: Final = logging.getLogger("brokerlink.reader")


class TokenReader:
    """Reads the Tokens table and decrypts. Make one per process; it is safe to share between threads.

    Every token is read by its key, consistently, and is alive by the clock when it is given out. Beside the errors
    that a method names, botocore's own come through where AWS refuses or does not answer: another try may help.
    """

    def __init__(
        self,
        table: str | None = None,
        *,
        cache_seconds: float = 0,
        login_url: str | None = None,
        start_url: str | None = None,
        dynamodb: DynamoDBClient | None = None,
        kms: KMSClient | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the table's name, else the environment's `BROKERLINK_TOKENS_TABLE`.

        `cache_seconds` is the most that a decrypted token is kept in memory; 0 keeps none. Its row is read each time
        all the same, so that a token which was replaced or revoked is not given out; what is spared is KMS.
        `login_url` is the platform's page to log in again, with `{broker}` and `{user_id}`, and `start_url`
        brokerlink's own address; else the environment's `BROKERLINK_LOGIN_URL` and `BROKERLINK_START_URL`.
        `clock` gives epoch seconds.

        Raises `ValueError` where there is no table's name, or `cache_seconds` is negative.
        """
        # botocore writes what KMS decrypts into its debug log.
        silence_wire_loggers()
        name = table or os.environ.get(TABLE_VARIABLE)
        if not name:
            raise ValueError(f"name the Tokens table: TokenReader(table) or the environment's {TABLE_VARIABLE}")
        if cache_seconds < 0:
            raise ValueError("cache_seconds must not be negative")
        self._rows = Rows(dynamodb or _client("dynamodb"), name)
        self._opener = Opener(kms or _client("kms"))
        self._opened = OpenedTokens(cache_seconds, clock) if cache_seconds else None
        self._links = LoginLinks.given(login_url, start_url)
        self._clock = clock

    def get(
        self,
        event: Mapping[str, Any] | str | None = None,
        *,
        user_id: str | None = None,
        broker: str | None = None,
        account: str | None = None,
    ) -> BrokerToken:
        """Give the token that an event announced, or that of a user, broker and account.

        `event` is the CloudEvent (a mapping, or the SNS message's text). For an event, the row must be the one it
        announced or a later one. Raises `TokenNotFound`, `TokenExpired`, `TokenUnreadable`, and `ValueError` for an
        event that is none.
        """
        if event is not None:
            announced = Announced.read(event)
            return self._get(Owner(announced.user_id, announced.broker, announced.account), announced)
        if user_id is None or broker is None or account is None:
            raise ValueError("give an event, or user_id, broker and account")
        return self._get(Owner(user_id, broker, account))

    def of_user(
        self, user_id: str, *, unreadable: Callable[[TokenUnreadable], object] | None = None
    ) -> Iterator[BrokerToken]:
        """Give all live tokens of a user, one after the other, read consistently.

        `unreadable` is told of each token that alone cannot be opened; without it, a line is logged. Raises
        `TokenUnreadable` where the reason concerns every token.
        """
        for owner, item in self._rows.of_user(user_id):
            yield from self._live(partial(self._open, owner, item), unreadable)

    def of_broker(
        self,
        broker: str,
        *,
        shards: Iterable[int] = range(SHARDS),
        unreadable: Callable[[TokenUnreadable], object] | None = None,
    ) -> Iterator[BrokerToken]:
        """Give all live tokens of a broker, one after the other, each read when its turn comes.

        The index says whose turn it is; the token is read by key, so it is never one that was replaced or revoked
        while others were worked on. A login that has ended less than about a second ago may be missing: its event
        brings it. `shards` are parts of the index, numbers below 32, for several workers to share the work.
        `unreadable` is as for `of_user`, and so is what is raised.
        """
        for owner in self._rows.of_broker(broker, shards, after=int(self._clock())):
            yield from self._live(partial(self._get, owner), unreadable)

    def _live(
        self, read: Callable[[], BrokerToken], unreadable: Callable[[TokenUnreadable], object] | None
    ) -> Iterator[BrokerToken]:
        try:
            token = read()
        except (TokenNotFound, TokenExpired):
            return
        except TokenUnreadable as error:
            if error.others_too:
                raise
            (unreadable or _log)(error)
            return
        yield token

    def _get(self, owner: Owner, announced: Announced | None = None) -> BrokerToken:
        item = self._rows.get(owner)
        if item is None:
            raise self._error(TokenNotFound, owner, "no token of {} for this user")
        return self._open(owner, item, announced)

    def _open(self, owner: Owner, item: Mapping[str, Any], announced: Announced | None = None) -> BrokerToken:
        row = Row.read(owner, item)
        if row is None:
            raise self._unreadable(owner, Unopened("no whole row"))
        if announced is not None and not announced.means(attempt_id=row.attempt_id, issued_at=row.issued_at):
            raise self._error(TokenNotFound, owner, "the token of {} is older than the event")
        if self._clock() + CLOCK_SKEW > row.expires_at:
            raise self._error(TokenExpired, owner, "the token of {} has ended: a new login is needed")
        secret = self._opened.get(row) if self._opened else None
        if secret is None:
            opened = self._opener.open(row)
            if isinstance(opened, Unopened):
                raise self._unreadable(owner, opened)
            secret = opened
            if self._opened:
                self._opened.put(row, secret)
        return BrokerToken(
            secret=secret,
            user_id=owner.user_id,
            broker=owner.broker,
            account=owner.account,
            scope=row.scope,
            token_type=row.token_type,
            attempt_id=row.attempt_id,
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            app_key=row.app_key,
        )

    def _error[E: TokenError](self, kind: type[E], owner: Owner, text: str) -> E:
        whose = {"broker": owner.broker, "account": owner.account, "user_id": owner.user_id}
        return kind(text.replace("{}", f"{owner.broker}/{owner.account}"), **whose, login_url=self._links.of(**whose))

    def _unreadable(self, owner: Owner, unopened: Unopened) -> TokenUnreadable:
        error = self._error(TokenUnreadable, owner, f"the token of {{}} cannot be opened: {unopened.reason}")
        error.reason, error.others_too = unopened.reason, unopened.others_too
        return error


def _log(error: TokenUnreadable) -> None:
    _LOGGER.warning("%s", error)


@overload
def _client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def _client(service: Literal["kms"]) -> KMSClient: ...
def _client(service: Literal["dynamodb", "kms"]) -> DynamoDBClient | KMSClient:
    client: DynamoDBClient | KMSClient = boto3.client(service, config=_CONFIG)
    # Half an answer would be taken for a row that is not there, and the login be lost to its consumer.
    client.meta.events.register("after-call", check_whole)
    return client

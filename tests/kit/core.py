"""The library without HTTP: its tables, key and secret on moto, behind wires that can fail."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from moto import mock_aws

from brokerlink.app_secrets import AppSecrets
from brokerlink.attempts import Attempts, Identity, digest
from brokerlink.begin import Beginning, Begun, Prepared
from brokerlink.brokers import Brokers
from brokerlink.brokers.base import Broker, Link
from brokerlink.brokers.door import HttpDoor
from brokerlink.commit import Commits
from brokerlink.confirmation import Confirmation
from brokerlink.errors import Code
from brokerlink.exchange import Services
from brokerlink.login import Login
from brokerlink.outbound import Answer, Outbound, Request
from brokerlink.outcomes import Budget, Callback, Finished
from brokerlink.secret import Secret
from brokerlink.sessions import Sessions
from brokerlink.storage import Table, from_wire
from brokerlink.tokens import Sealer
from tests.kit import emulated
from tests.kit.clients import client, token_key, wired
from tests.kit.world import APPS, MIDNIGHT, SECRETS, BrokerHttp, answer
from tests.kit.world import Clock as StillClock

CALLBACK_URL = "https://login.example.com/callback"
ACCOUNT = "YA0002"
PAISA_ACCOUNT = "50052770"
USER = "user-1"
ACCESS_TOKEN = "canary-access-token"


class Clock(StillClock):
    """A clock that also passes by sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class TimedHttp(BrokerHttp):
    """The brokers' answers, with a note of how long each was waited for and on what kind of connection."""

    def __init__(self) -> None:
        super().__init__()
        self.opening_deadlines: list[float] = []
        self.deadlines: list[float] = []
        self.fresh: list[bool] = []

    def opening(self, url: str, *, deadline: float) -> AbstractContextManager[None]:
        self.opening_deadlines.append(deadline)
        return super().opening(url, deadline=deadline)

    def send(self, request: Request, *, deadline: float, fresh: bool) -> Answer:
        self.deadlines.append(deadline)
        self.fresh.append(fresh)
        return super().send(request, deadline=deadline, fresh=fresh)

    def line_up(self, *steps: Any) -> None:
        self.script.extend(steps)


@dataclass(frozen=True)
class Trip:
    """A login that has begun: what the broker and the browser know of it."""

    broker: Broker
    state: Secret
    attempt_id: str
    browser_key: Secret
    expires_at: int


class Core:
    """Everything below the handlers, with time, randomness, brokers and AWS's moods in the test's hands."""

    def __init__(
        self,
        *,
        apps: Mapping[str, Any] = APPS,
        secrets: Mapping[str, Any] | str = SECRETS,
        direct_accounts: frozenset[str] | None = None,
    ) -> None:
        self.clock = Clock()
        self.http = TimedHttp()
        self.brokers = Brokers(apps).on
        # A second way to the tables, for what others do and for looking: no fault ever meets it.
        self.dynamodb = client("dynamodb")
        self.kms = client("kms")
        self.secretsmanager = client("secretsmanager")
        emulated.create_tables()
        self.key = token_key()
        text = secrets if isinstance(secrets, str) else json.dumps(secrets)
        self.secret = emulated.create_secret(text)
        counter = itertools.count(1)

        dynamodb, self.wire = wired("dynamodb")
        kms, self.kms_wire = wired("kms")
        secretsmanager, self.secrets_wire = wired("secretsmanager")
        table = Table(dynamodb, "LoginAttempts")
        self.attempts = Attempts(table)
        self.sessions = Sessions(table)
        self.commits = Commits(table, Table(dynamodb, "Tokens"), self.clock.sleep, self.clock)
        self.app_secrets = AppSecrets(secretsmanager, self.secret, self.clock)
        self.services = Services(
            attempts=self.attempts,
            commits=self.commits,
            sealer=Sealer(kms, self.key),
            secrets=self.app_secrets,
            doors=lambda deadline: HttpDoor(cast("Outbound", self.http), deadline),
            clock=self.clock,
            monotonic=self.clock,
            sleep=self.clock.sleep,
            new_claim=lambda: f"claim-{next(counter)}",
            direct_accounts=direct_accounts,
        )
        self.login = Login(self.services)
        self.beginning = Beginning(
            attempts=self.attempts,
            sessions=self.sessions,
            clock=self.clock,
            random_bytes=lambda size: next(counter).to_bytes(size),
            direct_accounts=direct_accounts,
            attempt_seconds=600,
        )
        self.confirmation = Confirmation(
            attempts=self.attempts,
            commits=self.commits,
            clock=self.clock,
            new_token=lambda: f"confirm-{next(counter)}",
        )
        others = Table(self.dynamodb, "LoginAttempts")
        self.others = Attempts(others)
        self.others_commits = Commits(others, Table(self.dynamodb, "Tokens"), self.clock.sleep, self.clock)

    @property
    def now(self) -> int:
        return int(self.clock.now)

    def budget(self, seconds: float = 25.0) -> Budget:
        """Give an invocation's time: a page within so many seconds, and three more until the process ends."""
        return Budget(answer_by=self.clock.now + seconds, ends=self.clock.now + seconds + 3)

    # beginning

    def directly(self, broker: str = "pocketful", *, browser_key: Secret | None = None) -> Trip:
        """Begin a login of somebody for their own account."""
        key = browser_key or self.beginning.new_secret()
        begun = self.beginning.directly(
            self.brokers[broker], browser_key=key, redirect_uri=f"{CALLBACK_URL}/{broker}", return_to=None
        )
        return self.trip(begun, broker, key)

    def for_user(
        self, broker: str = "pocketful", *, account: str | None = None, browser_key: Secret | None = None
    ) -> Trip:
        """Begin a login through a session for `USER`; without an account, it will have to be confirmed."""
        key = browser_key or self.beginning.new_secret()
        prepared = self.beginning.prepare(
            self.brokers[broker], user_id=USER, account=account, return_to="https://app.example.com/done"
        )
        assert isinstance(prepared, Prepared), prepared
        begun = self.beginning.through_session(
            self.brokers[broker], prepared.secret, browser_key=key, redirect_uri=f"{CALLBACK_URL}/{broker}"
        )
        return self.trip(begun, broker, key)

    def trip(self, begun: object, broker: str, key: Secret) -> Trip:
        """Give a login that has begun as the broker and the browser know it."""
        assert isinstance(begun, Begun), begun
        assert isinstance(begun.authorization, Link)
        sent = parse_qs(urlsplit(begun.authorization.url).query)
        state = sent["State" if broker == "fivepaisa" else "state"][0]
        return Trip(self.brokers[broker], Secret(state), begun.attempt_id, key, begun.expires_at)

    # finishing

    def callback(
        self, trip: Trip, grant: str = "canary-grant", *, browser_key: Secret | None = None, seconds: float = 25.0
    ) -> Finished:
        """Let the broker send the browser back with a grant."""
        callback = Callback(trip.state, grant=trip.broker.read_grant(Secret(grant)))
        return self.login.finish(trip.broker, callback, browser_key or trip.browser_key, self.budget(seconds))

    def come_back_empty(
        self, trip: Trip, refusal: Code | None = None, *, browser_key: Secret | None = None
    ) -> Finished:
        """Let the broker send the browser back with a refusal, or with nothing."""
        callback = Callback(trip.state, refusal=refusal)
        return self.login.finish(trip.broker, callback, browser_key or trip.browser_key, self.budget())

    def good_answers(self, account: str = ACCOUNT, **token: Any) -> None:
        """Line up what Pocketful answers to a good login."""
        self.http.line_up(token_answer(**token), account_answer(account))

    def hold(self) -> Trip:
        """Walk a login to the point where the platform has to confirm it."""
        trip = self.for_user()
        self.good_answers()
        self.callback(trip)
        assert self.row(trip)["status"] == "HELD"
        return trip

    def crash_after_claim(self, trip: Trip) -> None:
        """Leave a claim behind whose process is gone."""
        who = Identity(trip.attempt_id, trip.broker.id, digest(trip.browser_key.reveal()))
        self.others.claim(who, claimed_by="gone", claim_expires_at=self.now + 33, now=self.now)

    # looking

    def row(self, trip: Trip) -> dict[str, Any]:
        """Give the attempt's row; empty where there is none."""
        return self._item("LoginAttempts", {"attempt_id": {"S": trip.attempt_id}})

    def session_row(self, trip: Trip) -> dict[str, Any]:
        """Give the row of the session that the attempt began through."""
        return self._item("LoginAttempts", {"attempt_id": {"S": self.row(trip)["session"]}})

    def tokens(self) -> list[dict[str, Any]]:
        """Give the rows of Tokens."""
        return [dict(from_wire(item)) for item in self.dynamodb.scan(TableName="Tokens")["Items"]]

    def open_token(self, row: Mapping[str, Any], **context: str) -> str:
        """Decrypt a row's ciphertext as a consumer may, under the row's own context or another."""
        own = {"purpose": "broker-access-token", **{name: row[name] for name in ("broker", "account", "user_id")}}
        opened = self.kms.decrypt(CiphertextBlob=row["ciphertext"], EncryptionContext=own | context)
        return opened["Plaintext"].decode()

    def remove(self, trip: Trip) -> None:
        """Remove an attempt's row, as its TTL does."""
        self.dynamodb.delete_item(TableName="LoginAttempts", Key={"attempt_id": {"S": trip.attempt_id}})

    def _item(self, table: str, key: dict[str, Any]) -> dict[str, Any]:
        return dict(from_wire(self.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})))


@contextmanager
def core(**settings: Any) -> Iterator[Core]:
    """Give the library on a fresh moto."""
    with mock_aws():
        yield Core(**settings)


def token_answer(**changes: Any) -> Answer:
    """Give Pocketful's answer to an exchange."""
    body = {
        "access_token": ACCESS_TOKEN,
        "expires_in": 86399,
        "scope": "orders holdings",
        "token_type": "bearer",
    }
    return answer(body | changes)


def account_answer(account: str = ACCOUNT) -> Answer:
    """Give what Pocketful's trading_info answers."""
    return answer({"status": "success", "data": {"client_id": account, "status": "active"}})


def paisa_answer(account: str = PAISA_ACCOUNT, *, exp: int = MIDNIGHT - 1) -> Answer:
    """Give 5paisa's answer to GetAccessToken."""
    token = jwt({"unique_name": account, "exp": exp})
    return answer({"head": {"Status": 0}, "body": {"Status": 0, "AccessToken": token, "ClientCode": account}})


def jwt(claims: Mapping[str, Any]) -> str:
    """Give a token with these claims and a signature that nobody checks."""
    parts = (json.dumps({"alg": "HS256"}).encode(), json.dumps(claims).encode(), b"signature")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

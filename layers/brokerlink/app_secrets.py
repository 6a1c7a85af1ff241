"""The secret parts of the broker apps: one Secrets Manager secret, read when a login needs it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from brokerlink.aws import UNREADABLE
from brokerlink.brokers.base import AppSecret, Broker
from brokerlink.errors import Code, LoginError, Step

if TYPE_CHECKING:  # the stubs are not deployed
    from types_boto3_secretsmanager.client import SecretsManagerClient

CACHE_SECONDS: Final = 300
REFETCH_SECONDS: Final = 60
_OURS_TO_MEND: Final = frozenset(
    {"AccessDeniedException", "DecryptionFailure", "InvalidRequestException", "ResourceNotFoundException"}
)


class AppSecrets:
    """Gives each broker its secrets; `monotonic` is in seconds.

    Nothing is fetched at init: a snapshot of the process would outlive a rotation.
    """

    def __init__(
        self, client: SecretsManagerClient, secret_id: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.client = client
        self.secret_id = secret_id
        self.monotonic = monotonic
        self._text: str | None = None
        self._fetched_at = 0.0
        self._refetched_at = -float("inf")

    def get(self, broker: Broker) -> AppSecret:
        """Give the broker's secrets, at most five minutes old.

        Raises `LoginError(app_misconfigured)` where they are missing or malformed, `LoginError(busy)` where Secrets
        Manager cannot be asked just now.
        """
        if self._text is None or self.monotonic() - self._fetched_at >= CACHE_SECONDS:
            self._fetch()
            return self._read(broker)
        try:
            return self._read(broker)
        except LoginError:
            # Perhaps it was mended meanwhile.
            if not self._may_refetch():
                raise
        self._fetch()
        return self._read(broker)

    def get_changed(self, broker: Broker, used: AppSecret) -> AppSecret | None:
        """Fetch anew, at most once a minute, after the broker rejected `used`; None where it is still the same."""
        if not self._may_refetch():
            return None
        try:
            self._fetch()
            secret = self._read(broker)
        except LoginError:
            return None
        return secret if any(secret[name] != used[name] for name in broker.secret_names) else None

    def _may_refetch(self) -> bool:
        now = self.monotonic()
        if now - self._refetched_at < REFETCH_SECONDS:
            return False
        self._refetched_at = now
        return True

    def _fetch(self) -> None:
        try:
            answer = self.client.get_secret_value(SecretId=self.secret_id)
        except ClientError as error:
            reason = error.response.get("Error", {}).get("Code", "unknown")
            code = Code.APP_MISCONFIGURED if reason in _OURS_TO_MEND else Code.BUSY
        except (BotoCoreError, *UNREADABLE) as error:
            reason, code = type(error).__name__, Code.BUSY
        else:
            # The SDK takes every 200 for success, also the page of something that stands before Secrets Manager.
            text: object = answer.get("SecretString", "")
            if isinstance(answer.get("ARN"), str) and isinstance(text, str):
                self._text, self._fetched_at = text, self.monotonic()
                return
            reason, code = "the answer is not Secrets Manager's", Code.BUSY
        raise LoginError(code, Step.READY, f"Secrets Manager GetSecretValue: {reason}")

    def _read(self, broker: Broker) -> AppSecret:
        try:
            # The error of a malformed document would quote it.
            document = json.loads(self._text or "")
        except (ValueError, RecursionError):
            document = None
        entry = document.get(broker.id) if isinstance(document, Mapping) else None
        values: dict[str, str] = {}
        for name in sorted(broker.secret_names):
            value = entry.get(name) if isinstance(entry, Mapping) else None
            # Above all, a line break that was pasted along is refused here, before a grant is spent on it.
            if not isinstance(value, str) or not value or not value.isprintable():
                raise LoginError(
                    Code.APP_MISCONFIGURED,
                    Step.READY,
                    f"the secret's {broker.id}.{name} is missing or malformed",
                )
            values[name] = value
        return AppSecret(values)

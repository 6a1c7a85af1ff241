"""A live access token, as a consumer holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brokerlink.reader.authentication import AuthHeaders, api_of
from brokerlink.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerToken:
    """A live access token. `issued_at` and `expires_at` are epoch seconds; `app_key` is public.

    No `repr`, `asdict` or JSON encoder shows the token, and it cannot be pickled. It leaves by `access_token`,
    `headers` and `envelope` alone.
    """

    secret: Secret = field(repr=False)
    user_id: str
    broker: str
    account: str
    scope: str
    token_type: str
    attempt_id: str
    issued_at: int
    expires_at: int
    app_key: str | None = None

    @property
    def access_token(self) -> str:
        """The token itself."""
        return self.secret.reveal()

    @property
    def headers(self) -> AuthHeaders:
        """The HTTP headers with which this broker's API lets a call in. Raises `LookupError`: they are not known."""
        return AuthHeaders(api_of(self).headers(self))

    def envelope(self, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give the JSON body of a call: 5paisa's pair of head and body around yours; elsewhere your own, unchanged.

        Raises `LookupError`: how this broker is called is not known.
        """
        wrap, said = api_of(self).envelope, body or {}
        return dict(said) if wrap is None else wrap(self, said)

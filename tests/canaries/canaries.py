"""The secrets: those that are put in, each unlike any other text, and those that the product makes on its way."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from tests.kit.core import jwt


class Kind(StrEnum):
    """What is never to be seen, or nowhere but in its rightful places."""

    APP_SECRET = "app secret"
    GRANT = "grant"
    ACCESS_TOKEN = "access token"
    REFRESH_TOKEN = "refresh token"
    ID_TOKEN = "id_token"
    STATE = "state"
    BROWSER_KEY = "browser key"
    SESSION = "session"
    CODE_VERIFIER = "code verifier"
    CIPHERTEXT = "ciphertext"
    BROKERS_COOKIE = "cookie of a broker"
    BROKERS_WORDS = "what a broker says and nobody needs"
    STRANGERS_WORDS = "what somebody sends us"
    SETTING = "secret in the place of a setting"
    LIBRARYS_WORDS = "what a library's exception quotes"
    CREDENTIALS = "AWS credentials of a function"


_NUMBERS: Final = itertools.count(1)


def canary() -> str:
    """Give 40 letters and digits, as a broker's token has them, that are nowhere else: no two are alike in any part."""
    drawn = hashlib.shake_128(f"canary {next(_NUMBERS)}".encode()).digest(48)
    return "".join(filter(str.isalnum, base64.b64encode(drawn).decode()))[:40]


class Canaries:
    """All secrets that there have been, and their kinds."""

    def __init__(self) -> None:
        self.kinds: dict[str | bytes, Kind] = {}
        self._by_kind: defaultdict[Kind, list[str | bytes]] = defaultdict(list)
        self._known_by_parts: set[str | bytes] = set()

    def add[Value: (str, bytes)](self, kind: Kind, secret: Value) -> Value:
        """Add a secret; give it back."""
        if secret not in self.kinds:
            self.kinds[secret] = kind
            self._by_kind[kind].append(secret)
        return secret

    def of(self, kind: Kind) -> Sequence[str | bytes]:
        """Give all secrets of a kind."""
        return self._by_kind[kind]

    def new(self, kind: Kind, then: str = "") -> str:
        """Make a secret that ends in certain characters."""
        return self.add(kind, canary() + then)

    def new_jwt(self, kind: Kind, **claims: object) -> str:
        """Make a secret that is a JWT: a claim in it and its signature are secret, the rest anybody could write."""
        unsigned, _, _ = jwt({**claims, "jti": self.new(kind)}).rpartition(".")
        token = self.add(kind, f"{unsigned}.{self.new(kind)}")
        self._known_by_parts.add(token)
        return token

    def add_ciphertext(self, sealed: bytes) -> bytes:
        """Add a sealed token, which begins with its key's name and a nonce; give it back."""
        self._known_by_parts.add(sealed)
        self.add(Kind.CIPHERTEXT, sealed[-24:])
        return self.add(Kind.CIPHERTEXT, sealed)

    @property
    def by_name(self) -> dict[str, str | bytes]:
        """All that is to be searched for, by names that may be shown."""
        numbered = enumerate(self.kinds.items(), 1)
        return {f"{kind} {number}": secret for number, (secret, kind) in numbered if secret not in self._known_by_parts}

"""Decrypted tokens, kept for a stated time, so that KMS is not asked for each use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from brokerlink.reader.rows import Owner, Row
from brokerlink.secret import Secret

# A token takes about a kilobyte.
MOST_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Opened:
    ciphertext: bytes = field(repr=False)
    secret: Secret
    opened_at: float
    gone_at: float


class OpenedTokens:
    """What ciphertexts opened to. It is asked with a row that was just read, so it never gives a token that a later
    login has replaced, that was revoked, or that has expired: such a row is not there, or has another ciphertext.

    `seconds` is the most that an entry lives; it ends with its token if that is sooner. Safe between threads.
    """

    def __init__(self, seconds: float, clock: Callable[[], float], *, most: int = MOST_ENTRIES) -> None:
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._opened: dict[Owner, _Opened] = {}

    def get(self, row: Row) -> Secret | None:
        """Give what the row's ciphertext opened to; None where that is not known, or was learnt too long ago."""
        now = self._clock()
        with self._lock:
            self._forget(now)
            known = self._opened.get(row.owner)
        # A clock that was set back does not lengthen an entry's life.
        if known is None or known.ciphertext != row.ciphertext or not known.opened_at <= now < known.gone_at:
            return None
        return known.secret

    def put(self, row: Row, secret: Secret) -> None:
        """Keep what the row's ciphertext opened to, in the place of what its owner had."""
        now = self._clock()
        opened = _Opened(row.ciphertext, secret, now, min(now + self._seconds, row.expires_at))
        with self._lock:
            # At the end again, so that the first is always the one that was opened longest ago.
            self._opened.pop(row.owner, None)
            self._opened[row.owner] = opened
            self._forget(now)
            if len(self._opened) > self._most:
                del self._opened[next(iter(self._opened))]

    def _forget(self, now: float) -> None:
        while self._opened:
            oldest = next(iter(self._opened))
            if now - self._opened[oldest].opened_at < self._seconds:
                return
            del self._opened[oldest]

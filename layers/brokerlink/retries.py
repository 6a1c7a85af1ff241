"""A write that got no answer is made again, the same byte for byte, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from brokerlink.storage import OutOfTime, Refused, StorageError

_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)


def retry[T](
    write: Callable[[], T], *, deadline: float, sleep: Callable[[float], None], monotonic: Callable[[], float]
) -> T:
    """Make a write until it is answered; it has to be one that may be made again.

    `sleep` takes seconds; `monotonic` is the clock of `deadline`. Raises the last `StorageError` when the next try
    might not end by the deadline, and at once where none can do better: `Refused`, `OutOfTime`.
    """
    pauses = iter(_PAUSES)
    while True:
        began = monotonic()
        try:
            return write()
        except (Refused, OutOfTime):
            raise
        except StorageError:
            pause, now = next(pauses, _PAUSES[-1]), monotonic()
            # The next one may take as long as this one did.
            if now + pause + (now - began) >= deadline:
                raise
            sleep(pause)

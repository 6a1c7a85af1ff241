"""How a function's module is loaded: once for each process, while a customer waits."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from brokerlink.precompiled import precompiled


@contextmanager
def loading() -> Iterator[None]:
    """Import and set up without garbage collections, and exempt all that is there then from later ones.

    What is loaded stays until the process ends: looking through it for garbage took a sixth of a cold start.
    """
    gc.disable()
    try:
        with precompiled():
            yield
    finally:
        gc.freeze()
        gc.enable()

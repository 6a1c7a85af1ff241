"""How hard to try: the same inputs each time, or, where the environment asks for it, more of them and new ones."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

# `make fuzz`: so many for each test, and new ones each time.
_ASKED: Final = int(os.environ.get("BROKERLINK_EXAMPLES", "0"))


def effort(examples: int, *, steps: int = 1) -> settings:
    """Give hypothesis's settings for a test that tries so many examples by default, each of at most `steps` steps."""
    return settings(
        max_examples=_ASKED or examples,
        stateful_step_count=steps,
        derandomize=not _ASKED,
        # A failure's last lines tell how to have it again; a run never depends on an earlier one.
        database=None,
        print_blob=True,
        deadline=None,
        # Worlds are made once for all examples of a test, and no example changes them for the next.
        suppress_health_check=list(HealthCheck),
    )

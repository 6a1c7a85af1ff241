"""All that customers, platforms and forgers do, held against the model."""

from __future__ import annotations

from tests.properties.beginnings import Beginnings
from tests.properties.callbacks import Callbacks
from tests.properties.endings import Endings


class Play(Beginnings, Callbacks, Endings):
    """Three browsers, a platform's backend, and what each of their requests must be answered."""

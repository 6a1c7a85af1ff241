"""A function's own entry module with every logger of the process at DEBUG, as somebody in a hurry would have it."""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

_MODULE, _NAME = os.environ["CANARIES_HANDLER"].rsplit(".", 1)
_HANDLER = getattr(importlib.import_module(_MODULE), _NAME)


def handler(event: Any, context: Any) -> Any:
    """Run one event. Some loggers are only made when they are first used, so each time all are turned up."""
    for name in (None, *logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(logging.DEBUG)
    return _HANDLER(event, context)

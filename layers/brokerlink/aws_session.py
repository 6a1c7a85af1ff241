"""botocore's session, without what is for other services."""

from __future__ import annotations

from typing import Final

from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.session import Session

# As botocore's events name services.
SERVICES: Final = ("dynamodb", "kms", "secrets-manager", "sns", "sqs")


def new_session() -> Session:
    """Make a session with those of botocore's own event handlers that can concern our services.

    Nine of ten are for other services or for documentation; to register them, and to copy them for each client, took as
    long as a third of an empty function's cold start.
    """
    session = Session(include_builtin_handlers=False)
    emitter = session.get_component("event_emitter")
    register = {None: emitter.register, REGISTER_FIRST: emitter.register_first, REGISTER_LAST: emitter.register_last}
    for name, handler, *position in BUILTIN_HANDLERS:
        if _concerns_us(name):
            register[position[0] if position else None](name, handler)
    return session


def _concerns_us(name: str) -> bool:
    """Say whether an event can be one of our services: `<event>[.<service>[.<operation>]]`, with `*` for any."""
    event, *rest = name.split(".")
    return event != "docs" and (not rest or rest[0] in {"*", *SERVICES})

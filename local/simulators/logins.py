"""The login pages that are open, and how the finished ones were answered."""

import secrets
import threading
from collections.abc import Callable

from werkzeug.wrappers import Response

from local.simulators.clock import Clock
from local.simulators.store import ExpiringStore

LOGIN_SECONDS = 600


class Logins[Asked]:
    """What an app asked for, by the challenge in the login page's form.

    A page finishes once. Its button pressed again gets the first answer again: of a double click, browsers drop
    the first answer and go where the second one leads.
    """

    def __init__(self, clock: Clock) -> None:
        self._open = ExpiringStore[Asked](clock, seconds=LOGIN_SECONDS)
        self._answers = ExpiringStore[Response](clock, seconds=LOGIN_SECONDS)
        self._finishing = threading.Lock()

    def begin(self, asked: Asked) -> str:
        """Opens a login page; gives its challenge."""
        challenge = secrets.token_urlsafe(32)
        self._open.put(challenge, asked)
        return challenge

    def has(self, challenge: str) -> bool:
        """Whether there is such a page, finished or not."""
        return self._open.get(challenge) is not None or self._answers.get(challenge) is not None

    def finish(self, challenge: str, answer: Callable[[Asked], Response]) -> Response | None:
        """Answers the page, or gives the answer that it had; None for one that is unknown or ran out."""
        with self._finishing:
            asked = self._open.pop(challenge)
            if asked is not None:
                self._answers.put(challenge, answer(asked))
            return self._answers.get(challenge)

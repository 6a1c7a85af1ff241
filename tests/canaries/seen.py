"""All that was seen anywhere, and whether a secret was in it that had no place there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.canaries.canaries import Canaries, Kind
from tests.canaries.places import RIGHTFUL
from tests.canaries.search import Search, without

type Own = Mapping[Kind, Collection[str | bytes]]
type _Mine = tuple[tuple[Kind, tuple[str | bytes, ...]], ...]


class Seen:
    """All texts that were seen, to be searched when all secrets are known."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        # By place, text and the secrets that may be in it, with what tells a person where it was first seen.
        self._sights: dict[tuple[str, str, _Mine], str] = {}
        self.used: set[tuple[str, Kind]] = set()

    def note(self, place: str, text: str, *, where: str = "", own: Own | None = None) -> None:
        """Note a text. Of `own`, only those count whose kind has its rightful place there."""
        mine = tuple((kind, tuple(secrets)) for kind, secrets in (own or {}).items() if (place, kind) in RIGHTFUL)
        self._sights.setdefault((place, text, mine), where)

    @property
    def places(self) -> set[str]:
        """All places at which something was seen."""
        return {place for place, _, _ in self._sights}

    def text_of(self, place: str) -> str:
        """Give all that was seen at a place."""
        return "\n".join(text for found, text, _ in self._sights if found == place)

    def leaks(self) -> list[str]:
        """Search everything; give a line for each text that holds what it must not."""
        search = Search(self._canaries.by_name)
        return [
            f"{sight[0]} ({where}): {', '.join(sorted(names))}"
            for sight, where in self._sights.items()
            if (names := search(self._rest(*sight)))
        ]

    def _rest(self, place: str, text: str, mine: _Mine) -> str:
        for kind, secrets in mine:
            rest = without(text, secrets)
            if rest != text:
                self.used.add((place, kind))
            text = rest
        return text

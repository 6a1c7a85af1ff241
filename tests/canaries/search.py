"""Finds any of many secrets in any of many texts, whole or in part, however they are written."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote

from tests.canaries.forms import forms, in_base64

# Every fourth place of a text is looked at, for a piece of a secret: whatever shows 15 characters of one is found.
_PIECE: Final = 12
_EVERY: Final = 4
# No encoding changes these, but for the case, and the two in which both kinds of base64 differ.
_PLAIN: Final = re.compile(rb"[A-Za-z0-9_-]{15,}")
_ALIKE: Final = str.maketrans("-_", "+/")
_ESCAPE: Final = re.compile(r"\\+(?:u00|x)([0-9a-fA-F]{2})")


class Search:
    """A search for secrets, which are given by their names."""

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        """Take the secrets. Raises `ValueError` for one that has no part by which it could be told from others."""
        self._names: dict[str, tuple[str, ...]] = {}
        for name, secret in secrets.items():
            raw = secret.encode() if isinstance(secret, str) else secret
            parts = _PLAIN.findall(raw) if isinstance(secret, str) else [raw]
            if not parts:
                raise ValueError(f"{name} cannot be searched for")
            for part in parts:
                for form in (part.decode("latin-1"), part[::-1].decode("latin-1"), part.hex(), *in_base64(part)):
                    self._add(name, _alike(form))

    def _add(self, name: str, form: str) -> None:
        for start in range(len(form) - _PIECE + 1):
            known = self._names.setdefault(form[start : start + _PIECE], (name,))
            if name not in known:
                self._names[form[start : start + _PIECE]] = (*known, name)

    def __call__(self, text: str) -> set[str]:
        """Give the names of the secrets that a text holds, in any form, whole or in part."""
        names, found = self._names, set[str]()
        text = _alike("\n".join(_readings(text)))
        for start in range(0, len(text) - _PIECE + 1, _EVERY):
            if (piece := text[start : start + _PIECE]) in names:
                found.update(names[piece])
        return found


def _alike(text: str) -> str:
    return text.lower().translate(_ALIKE)


def _readings(text: str) -> Iterable[str]:
    """Give a text, and how it reads to whoever undoes the escapes in it."""
    return dict.fromkeys(
        (
            text,
            unquote(text),
            unquote(unquote(text)),
            html.unescape(text),
            _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text),
        )
    )


def without(text: str, secrets: Iterable[str | bytes]) -> str:
    """Give a text in which some secrets are blotted out, in whatever form they stand there."""
    # The longest first: one secret may be a part of another.
    for form in sorted({form for secret in secrets for form in forms(secret)}, key=len, reverse=True):
        text = text.replace(form, "\0")
    return text

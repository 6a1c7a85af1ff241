"""Values that mean trouble, and mutations of what is well-formed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import hypothesis.strategies as st

SCRAPS: Final = (
    "",
    " ",
    "\x00",
    "\r\nset-cookie: a=b",
    "é",
    "🙂",
    "\ud800",
    "\udfff\ud800",
    "\u2028",
    "%",
    "%zz",
    "%00",
    "%ff%fe",
    "%2e%2e%2f",
    "+",
    "&&==&",
    ";",
    "a" * 43,
    "A" * 43,
    "-_" * 21 + "=",
    "x" * 5000,
    "9" * 400,
    "-1",
    "NaN",
    "null",
    "[",
    "{}",
    "[[" * 2000,
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "//evil.example",
    "https://[::1",
    "https://app.example.com/brokers",
    "https://app.example.com/brokers?status=connected",
    "pocketful",
    "fivepaisa",
    "unknown",
    "prefetch",
    "cross-site",
    "application/json",
    "application/x-www-form-urlencoded",
)
texts = st.one_of(
    st.sampled_from(SCRAPS),
    st.text(max_size=30),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Lu"]), max_size=10),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
# What JSON can hold, and numbers that it cannot.
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)

type Path = tuple[Any, ...]


def places(value: Any, here: Path = ()) -> list[Path]:
    """Give the way to every part of a JSON value but the whole."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    found = [(*here, name) for name, _ in parts]
    return found + [place for name, part in parts for place in places(part, (*here, name))]


def changed(value: Any, place: Path, change: Callable[[Any, Any], None]) -> Any:
    """Give a copy in which `change` was called with the part around a place, and the place's name in it."""
    copied = copy.deepcopy(value)
    around = copied
    for name in place[:-1]:
        around = around[name]
    change(around, place[-1])
    return copied


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[Any], most: int = 3) -> Any:
    """Give a value with up to `most` of its parts taken away, replaced by junk, or joined by more."""
    value = draw(whole)
    for _ in range(draw(st.integers(1, most))):
        found = places(value)
        if not found:
            return draw(junk)
        place = draw(st.sampled_from(found))
        change = draw(st.sampled_from([_take_away, _replace, _replace, _join]))
        value = changed(value, place, partial(change, new=draw(junk)))
    return value


def _take_away(around: Any, name: Any, new: Any) -> None:
    del new
    del around[name]


def _replace(around: Any, name: Any, new: Any) -> None:
    around[name] = new


def _join(around: Any, name: Any, new: Any) -> None:
    if isinstance(around, list):
        around.insert(name, new)
    else:
        around[f"{name} more"] = new


def mutated(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Give the bytes of samples after some accidents: flipped, lost, doubled, joined by trouble, replaced."""
    chances = st.randoms(use_true_random=True)
    return st.builds(_mutate, st.sampled_from(samples), st.integers(1, 4), chances)


def _mutate(sample: bytes, times: int, chance: random.Random) -> bytes:
    raw = bytearray(sample)
    for _ in range(times):
        at = chance.randrange(len(raw))
        match chance.randint(0, 4):
            case 0:
                raw[at] ^= 1 << chance.randint(0, 6)
            case 1:
                del raw[at : min(at + chance.randint(1, 8), len(raw) - 1)]
            case 2:
                raw[at:at] = raw[at : at + chance.randint(1, 40)]
            case 3:
                raw[at:at] = json.dumps(chance.choice(SCRAPS))[1:-1].encode()
            case _:
                raw[at : at + 1] = bytes([chance.randint(0x20, 0x7E)])
    return bytes(raw)

"""Reads the JSON bodies that a platform's backend sends."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress

from brokerlink.web.request import BadRequest, WebRequest

_LONGEST = 16_384
_NOT_JSON = object()


def json_texts(request: WebRequest, *, required: Collection[str], optional: Collection[str] = ()) -> dict[str, str]:
    """Give the body's texts by name.

    Raises `BadRequest` for anything but an object of texts with these names: a misspelt or repeated one must not
    pass, since a login would be opened wider than was meant.
    """
    if len(request.body) > _LONGEST:
        raise BadRequest("the body is too long")
    pairs = _NOT_JSON
    # What is raised here carries the body, and must not hang on ours as its context.
    with suppress(ValueError, RecursionError):
        pairs = json.loads(request.body.decode(), object_pairs_hook=_Pairs)
    if pairs is _NOT_JSON:
        raise BadRequest("the body is not JSON")
    if not isinstance(pairs, _Pairs):
        raise BadRequest("the body is not a JSON object")
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise BadRequest("a name is repeated in the body")
    known = {*required, *optional}
    if not set(names) <= known:
        raise BadRequest(f"the body may hold only: {', '.join(sorted(known))}")
    if missing := sorted(set(required) - set(names)):
        raise BadRequest(f"the body lacks: {', '.join(missing)}")
    texts = {name: value for name, value in pairs if isinstance(value, str)}
    if len(texts) != len(names):
        raise BadRequest("every value in the body has to be a text")
    return texts


class _Pairs(list[tuple[str, object]]):
    """A JSON object as its pairs, apart from a JSON array."""

"""JSON from a broker, read so that whatever it contains can be stored, compared and sent on."""

import json
import math
import re
from typing import NoReturn

from brokerlink.errors import BrokerlinkError

type JsonValue = bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None

MAX_DEPTH = 32
# Far beyond any quantity a broker sends, and far below where converting digits costs time.
MAX_NUMBER_LENGTH = 100
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(BrokerlinkError, ValueError):
    """The text is not JSON that we take. The message names the rule, never the text."""


def parse_json(body: bytes) -> JsonValue:
    """Read a JSON text (RFC 8259) in UTF-8, with or without a byte order mark.

    Refused with NotJson, beyond what the RFC excludes: NaN and Infinity, also as the overflow of a number;
    numbers over 100 characters; nesting over 32 levels; strings with half a surrogate pair, which no encoder
    takes; and an object that names a member twice. RFC 8259 §4 leaves open which of the two counts, so two
    readers of one token response could see two different tokens, or two different accounts: refusing it costs
    a repeated login, guessing could cost the wrong account.
    """
    problem = "not JSON"
    try:
        value: JsonValue = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_number,
            parse_int=_integer,
        )
        _check(value, MAX_DEPTH)
    except NotJson:
        raise
    except UnicodeError:
        problem = "not UTF-8"
    except RecursionError:
        problem = "nested too deeply"
    except ValueError:
        pass
    else:
        return value
    # Raised here and not in a handler: json's and the codec's exceptions carry the whole text.
    raise NotJson(problem)


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotJson("a member is named twice")
    return members


def _refuse_constant(_name: str) -> NoReturn:
    raise NotJson("NaN or Infinity")


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise NotJson("a number is too long")
    return int(digits)


def _number(digits: str) -> float:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise NotJson("a number is too long")
    number = float(digits)
    if not math.isfinite(number):
        raise NotJson("a number is out of range")
    return number


def _check(value: JsonValue, levels: int) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise NotJson("half a surrogate pair")
    elif isinstance(value, list | dict):
        if levels == 0:
            raise NotJson("nested too deeply")
        for item in value:
            _check(item, levels - 1)
        if isinstance(value, dict):
            for item in value.values():
                _check(item, levels - 1)

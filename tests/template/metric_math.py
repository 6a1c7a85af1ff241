"""CloudWatch's metric math, as far as the alarms use it, at one point in time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html: times are UTC; compared, or
between && and ||, a missing value is 0; IF gives 0 where the series of its true branch has no value; any other
arithmetic with a missing value, and a division by zero, gives no value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

_PYTHONS = (("&&", " and "), ("||", " or "))


def value_at(expression: str, series: Mapping[str, float], moment: datetime) -> float | None:
    """Give an expression's value at an aware time, from the values of the series that have one; None is none."""
    utc = moment.astimezone(UTC)
    text = expression
    for operator, word in _PYTHONS:
        text = text.replace(operator, word)
    names = set(re.findall(r"\b[a-z]\w*\b", text)) - {"and", "or"}
    # HOUR and MINUTE look at the point's time, not at its value.
    text = re.sub(r"\bHOUR\(\w+\)", str(utc.hour), text)
    text = re.sub(r"\bMINUTE\(\w+\)", str(utc.minute), text)
    text = re.sub(r"\bFILL\((\w+), (\d+)\)", lambda found: str(series.get(found[1], float(found[2]))), text)
    whole = re.fullmatch(r"IF\((.+), ([^,]+), ([^,]+)\)", text)
    assert whole, f"no IF: {expression}"
    condition, then, otherwise = whole.groups()
    holds = _evaluated(condition, {name: series.get(name, 0.0) for name in names})
    branch = then if holds else otherwise
    try:
        return float(_evaluated(branch, series))
    except (NameError, ZeroDivisionError):
        return 0.0 if holds and branch.strip() in names else None


def _evaluated(text: str, values: Mapping[str, float]) -> float:
    assert re.fullmatch(r"[\w\s.()<>=+*/-]+", text), f"not understood: {text}"
    result: float = eval(text, {"__builtins__": {}}, dict(values))  # noqa: S307 - the template's own words, checked above
    return result

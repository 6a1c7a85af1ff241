"""What CloudWatch is told to read of a log line, and to make into metrics (the access log's format: `check_api`)."""

from __future__ import annotations

import json
import re
from typing import Final

from tests.template.stack import Stack, source, translate

# Of our own lines, and of the access log's.
_READ: Final = {"$.level", "$.status"}


def read_by_filters(stack: Stack) -> set[str]:
    """Give every selector in the patterns, values and dimensions of the template's metric filters."""
    filters = stack.of_type("AWS::Logs::MetricFilter")
    assert filters
    return set(re.findall(r"\$[.\[][\w.\[\]]*", json.dumps(list(filters.values()))))


def test_metric_filters_read_nothing_that_names_anybody() -> None:
    assert read_by_filters(translate(source())) <= _READ


def test_dimension_that_names_an_attempt_would_be_seen() -> None:
    template = source()
    transformation = template["Resources"]["CallbackErrorLines"]["Properties"]["MetricTransformations"][0]
    transformation["Dimensions"] = [{"Key": "attempt", "Value": "$.attempt_id"}]
    assert read_by_filters(translate(template)) - _READ == {"$.attempt_id"}

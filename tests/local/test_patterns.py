import pytest

from local.errors import TemplateError
from local.patterns import Pattern

RECORD = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"n": {"N": "1"}, "s": {"S": "abc"}}, "OldImage": None}}


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("{}", True),
        ('{"eventName": ["INSERT", "MODIFY"]}', True),
        ('{"eventName": ["INSERT"]}', False),
        ('{"eventName": ["modify"]}', False),
        ('{"missing": ["x"]}', False),
        ('{"missing": [{"exists": false}]}', True),
        ('{"eventName": [{"exists": false}]}', False),
        ('{"eventName": [{"exists": true}]}', True),
        ('{"dynamodb": {"NewImage": {"s": {"S": [{"prefix": "ab"}]}}}}', True),
        ('{"dynamodb": {"NewImage": {"s": {"S": [{"suffix": "ab"}]}}}}', False),
        ('{"dynamodb": {"NewImage": {"s": {"S": [{"equals-ignore-case": "ABC"}]}}}}', True),
        ('{"dynamodb": {"NewImage": {"s": {"S": [{"anything-but": ["abc"]}]}}}}', False),
        ('{"dynamodb": {"NewImage": {"s": {"S": [{"anything-but": "x"}]}}}}', True),
        ('{"dynamodb": {"NewImage": {"n": {"N": [1]}}}}', False),
        ('{"dynamodb": {"OldImage": [null]}}', True),
        ('{"dynamodb": {"OldImage": {"s": ["x"]}}}', False),
        ('{"eventName": ["MODIFY"], "missing": ["x"]}', False),
    ],
)
def test_matching(pattern: str, matches: bool) -> None:  # noqa: FBT001 - a column of the table
    assert Pattern.parse(pattern, "Mapping").matches(RECORD) is matches


@pytest.mark.parametrize(
    "pattern",
    ["", "[]", '"x"', '{"a": "b"}', '{"a": [{"numeric": ["=", 1]}]}', '{"a": [{"prefix": "x", "suffix": "y"}]}'],
)
def test_a_pattern_that_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(TemplateError, match=r"^Mapping has a filter"):
        Pattern.parse(pattern, "Mapping")

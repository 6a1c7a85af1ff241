from pathlib import Path

import pytest

from local.errors import TemplateError
from local.template import Template

PROJECT = Path(__file__).parents[2]
LEAST = """
Parameters: { Name: { Type: String, Default: x } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: code, Handler: f.handler, Runtime: python3.13 }
"""


def _load(folder: Path, text: str, parameters: dict[str, str] | None = None) -> Template:
    path = folder / "template.yaml"
    path.write_text(text, encoding="utf-8")
    return Template.load(path, parameters or {})


def test_a_function_keeps_its_folder_through_the_translation(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    template = _load(tmp_path, LEAST)
    function = template.of_type("AWS::Lambda::Function")["F"]
    assert template.folder_of(function["Properties"]["Code"]) == tmp_path / "code"


def test_a_folder_may_be_common_to_all_functions(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    text = LEAST.replace("CodeUri: code, ", "") + "Globals: { Function: { CodeUri: code } }\n"
    assert _load(tmp_path, text).folders == {"F": tmp_path / "code"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "is no YAML"),
        ("[]", "has no Resources"),
        ("Resources: []", "has no Resources"),
        (LEAST, "CodeUri of F is code, which is no folder here"),
        (LEAST.replace("CodeUri: code, ", ""), "F has no CodeUri"),
        ("Resources: { T: { Type: AWS::Serverless::HttpApi, Properties: { Nonsense: 1 } } }", "no valid SAM template"),
    ],
)
def test_a_template_that_cannot_be_used_is_one_clear_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence) as refused:
        _load(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot be read: No such file"):
        Template.load(tmp_path / "template.yaml", {})


def test_a_parameter_that_the_template_lost_is_named(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    with pytest.raises(TemplateError, match="has no parameter ReturnTo"):
        _load(tmp_path, LEAST, {"Name": "y", "ReturnTo": "z"})

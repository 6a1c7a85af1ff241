"""`make check` lints the templates as written, and what SAM makes of them."""

from __future__ import annotations

from pathlib import Path

from tools.lint_templates import findings

_PROSE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Writer:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: writer.handler
      Runtime: python3.13
      LoggingConfig: { LogFormat: Prose }
"""


def test_what_is_wrong_after_translation_alone_is_found(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(_PROSE, encoding="utf-8")
    assert [finding for finding in findings(tmp_path / "template.yaml") if "'Prose' is not one of" in finding]

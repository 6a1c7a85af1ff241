"""ministack's application, translating SAM templates with the parameters' values, as CloudFormation does.

It runs in ministack's own environment. ministack calls the translator without values, so what a template makes of a
`Ref` while it is translated (`AutoPublishCodeSha256`) would see the defaults only.
"""

from typing import Any

from ministack.app import app
from ministack.services.cloudformation import changesets, engine, handlers

__all__ = ["app"]

_translate = engine._apply_transforms  # noqa: SLF001 - there is no other way in; tests/engines notices if it goes


def _translate_with_values(template: Any, provided: Any = None, previous: Any = None) -> Any:  # noqa: ANN401 - untyped
    declared = template.get("Parameters") if isinstance(template, dict) else None
    if not declared or "AWS::Serverless-2016-10-31" not in engine.declared_transforms(template):
        return _translate(template, provided, previous)
    values = engine._transform_parameters(template, provided, previous)  # noqa: SLF001 - the same
    given = {name: {**each, "Default": values[name]} if name in values else each for name, each in declared.items()}
    translated = _translate({**template, "Parameters": given}, provided, previous)
    return {**translated, "Parameters": declared} if type(translated) is dict else translated


for module in (engine, changesets, handlers):
    module._apply_transforms = _translate_with_values  # noqa: SLF001 - the same

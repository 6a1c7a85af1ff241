"""ministack's application, translating SAM templates with the parameters' values, as CloudFormation does.

It runs in ministack's own environment. ministack calls the translator without values, so what a template makes of a
`Ref` while it is translated (`AutoPublishCodeSha256`) would see the defaults only. And it knows no metric math: an
alarm that computes watches the first of its metrics there, as it is.
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
    if type(translated) is not dict:
        return translated
    resources = {name: _without_mathematics(each) for name, each in translated["Resources"].items()}
    return {**translated, "Parameters": declared, "Resources": resources}


def _without_mathematics(resource: Any) -> Any:  # noqa: ANN401 - the same
    properties = resource.get("Properties", {})
    if resource["Type"] != "AWS::CloudWatch::Alarm" or "Metrics" not in properties:
        return resource
    plain = {name: value for name, value in properties.items() if name != "Metrics"}
    first = next(each["MetricStat"] for each in properties["Metrics"] if "MetricStat" in each)
    return {**resource, "Properties": {**plain, **first["Metric"], "Period": first["Period"], "Statistic": "Sum"}}


for module in (engine, changesets, handlers):
    module._apply_transforms = _translate_with_values  # noqa: SLF001 - the same

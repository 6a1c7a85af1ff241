"""A SAM template, translated to CloudFormation without network, account or build."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import intrinsics_multi_constructor

from local.aws import isolated_session
from local.errors import TemplateError

# CloudFormation is a language of nested JSON; its shape is known to the modules that read one resource type.
type Json = dict[str, Any]

_CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
# `sam build` would upload the code there; here it only carries the logical id through the translation.
_BUCKET = "s3://local/"


@dataclass(frozen=True)
class Template:
    """The translated template, and where each function's and layer's code lies on disk."""

    path: Path
    body: Json
    folders: Mapping[str, Path]

    @classmethod
    def load(cls, path: Path, parameters: Mapping[str, str]) -> "Template":
        """Read and translate a SAM template.

        Raises TemplateError for a file that cannot be read or translated, a parameter that it does not have,
        or code that is not there.
        """
        source = read_source(path)
        for parameter in parameters:
            if parameter not in source.get("Parameters", {}):
                raise TemplateError(f"{path.name} has no parameter {parameter}, which the local stack sets.")
        folders = _take_folders(source, path)
        return cls(path, _translate(source, path, parameters), folders)

    @property
    def resources(self) -> dict[str, Json]:
        return self.body["Resources"]  # type: ignore[no-any-return]  # a template always has them

    @property
    def outputs(self) -> dict[str, Json]:
        return self.body.get("Outputs", {})  # type: ignore[no-any-return]  # the same

    def of_type(self, *types: str) -> dict[str, Json]:
        """The resources of these types, by logical id."""
        return {name: item for name, item in self.resources.items() if item["Type"] in types}

    def folder_of(self, code: Json) -> Path:
        """Where the code lies that a translated function or layer names in its `Code` or `Content`."""
        return self.folders[code["S3Key"]]


class _Loader(yaml.CSafeLoader):
    """libyaml's loader, with CloudFormation's short forms such as `!Ref`: PyYAML's own takes seven times as long."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def read_source(path: Path) -> Json:
    """Read a template as it is written. Raises TemplateError for a file that cannot be read, or is none."""
    try:
        source = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a safe one
    except OSError as problem:
        raise TemplateError(f"{path} cannot be read: {problem.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise TemplateError(f"{path} is no YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(source, dict) or not isinstance(source.get("Resources"), dict):
        raise TemplateError(f"{path} has no Resources.")
    return source


def _take_folders(source: Json, path: Path) -> dict[str, Path]:
    """Note each function's and layer's folder, and put an address in its place that SAM accepts."""
    folders: dict[str, Path] = {}
    common = source.get("Globals", {}).get("Function", {}).get("CodeUri")
    for name, resource in source["Resources"].items():
        setting = _CODE_PROPERTIES.get(resource["Type"])
        if setting is None:
            continue
        properties = resource.setdefault("Properties", {})
        location = properties.get(setting, common if setting == "CodeUri" else None)
        if not isinstance(location, str):
            raise TemplateError(f"{path.name}: {name} has no {setting}, a folder beside the template.")
        folder = (path.parent / location).resolve()
        if not folder.is_dir():
            raise TemplateError(f"{path.name}: {setting} of {name} is {location}, which is no folder here.")
        folders[name] = folder
        properties[setting] = _BUCKET + name
    return folders


def _translate(source: Json, path: Path, parameters: Mapping[str, str]) -> Json:
    translator = Translator(None, Parser(), boto_session=isolated_session())
    try:
        # The translator changes what it is given.
        translated: Json = translator.translate(
            copy.deepcopy(source), parameter_values=dict(parameters), get_managed_policy_map=dict
        )
    except InvalidDocumentException as problem:
        causes = "; ".join(" ".join(cause.message.split()) for cause in problem.causes)
        raise TemplateError(f"{path.name} is no valid SAM template: {causes}") from None
    finally:
        # Goes nowhere, but unpublished metrics are complained about on the terminal.
        translator.metrics.publish()
    return translated

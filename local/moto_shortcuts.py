"""What moto looks up anew for each call, looked up once; and what nobody here asks of it, left out of its start."""

import functools
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final, override

from moto import backends
from moto.core import responses
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]  # moto exempts the file

# The members of DynamoDB's AttributeValue; each value has one of them.
_DESCRIPTORS: Final = frozenset({"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"})
# Services of which no template here has a resource.
_UNUSED: Final = (
    *("apigateway", "autoscaling", "batch", "datapipeline", "ec2", "ecs", "efs", "elb", "elbv2", "emr", "iot", "rds"),
    *("redshift", "route53", "sagemaker", "stepfunctions"),
)


@functools.cache
def install() -> None:
    """Change moto in this process, once. Its answers stay the same, byte for byte."""
    _import_cloudformation()
    _replace(backends, "list_of_moto_modules", _listed_once)
    _replace(responses, "method_names_from_class", functools.cache)
    _replace(BaseJSONSerializer, "_serialize_structure_member", _without_absent_descriptors)
    # Who evaluates the tree puts the values into a copy of it.
    _replace(UpdateExpressionParser, "make", functools.cache)


def _replace(owner: object, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    setattr(owner, name, change(getattr(owner, name)))


class _StandIn(ModuleType):
    """A module in which everything is an empty class."""

    @override
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _import_cloudformation() -> None:
    """Import moto's CloudFormation without the models of services that are not used, which take longer than the rest.

    Whoever imports such a service later gets it.
    """
    names = {f"moto.{service}{part}" for service in _UNUSED for part in ("", ".models", ".models.core")}
    absent = names - sys.modules.keys()
    sys.modules.update({name: _StandIn(name) for name in absent})
    importlib.import_module("moto.cloudformation.parsing")
    for name in absent:
        del sys.modules[name]


def _listed_once(list_all: Callable[[], Any]) -> Callable[[], tuple[str, ...]]:
    return functools.cache(lambda: tuple(list_all()))


def _without_absent_descriptors(serialize_member: Callable[..., None]) -> Callable[..., None]:
    """Spare the search for nine of ten descriptors, each by four names."""

    @functools.wraps(serialize_member)
    def serialize_structure_member(self: object, serialized: object, value: object, shape: object, key: str) -> None:
        if key in _DESCRIPTORS and isinstance(value, dict) and key not in value and not _DESCRIPTORS.isdisjoint(value):
            return
        serialize_member(self, serialized, value, shape, key)

    return serialize_structure_member

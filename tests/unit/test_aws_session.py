"""A session without the handlers for other services treats ours as a whole one does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_overloads

import pytest
from botocore.handlers import BUILTIN_HANDLERS
from botocore.session import Session

from brokerlink.aws import AwsClients
from brokerlink.aws_session import SERVICES, new_session

_REGION = "ap-south-1"


def handlers(session: Session, event: str) -> list[str]:
    """The handlers that botocore has of an event, in order."""
    trie: Any = session.get_component("event_emitter")._emitter._handlers
    # Powertools and moto, where they are loaded, add theirs to every session.
    own = [each for each in trie.prefix_search(event) if each.__module__.startswith("botocore.")]
    return [f"{each.__module__}.{each.__qualname__}" for each in own]


def events(session: Session) -> Iterator[str]:
    """Every event that any handler listens to, as it is for each operation of our services."""
    kinds = {name.split(".")[0] for name, *_ in BUILTIN_HANDLERS} - {"docs"}
    for service in SERVICES:
        name = "secretsmanager" if service == "secrets-manager" else service
        model = session.create_client(name, region_name=_REGION).meta.service_model
        assert model.service_id.hyphenize() == service
        for kind in kinds:
            yield f"{kind}.{service}"
            yield from (f"{kind}.{service}.{operation}" for operation in model.operation_names)


def test_every_event_of_our_services_meets_the_same_handlers() -> None:
    whole, ours = Session(), new_session()
    names = list(events(whole))
    assert len(names) > 1000
    assert [name for name in names if handlers(ours, name) != handlers(whole, name)] == []
    assert any(handlers(ours, name) for name in names)


def test_other_services_have_none() -> None:
    ours = new_session()
    assert handlers(Session(), "before-parameter-build.s3.PutObject") != handlers(
        ours, "before-parameter-build.s3.PutObject"
    )
    assert not handlers(ours, "docs.request-params.s3.PutObject.complete-section")


def test_the_services_are_those_of_the_clients() -> None:
    offered = {re.sub(r"Literal\['(\w+)'\]", r"\1", each.__annotations__["service"]) for each in _overloads()}
    assert {name.replace("secretsmanager", "secrets-manager") for name in offered} == set(SERVICES)


def _overloads() -> Sequence[Any]:
    return get_overloads(AwsClients.client)


@pytest.mark.parametrize("service", SERVICES)
def test_clients_are_made_alike(service: str) -> None:
    name = "secretsmanager" if service == "secrets-manager" else service
    whole, ours = (each.create_client(name, region_name=_REGION) for each in (Session(), new_session()))
    assert dir(whole) == dir(ours)
    assert whole.meta.endpoint_url == ours.meta.endpoint_url

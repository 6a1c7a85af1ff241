"""Every block of a document that is marked `<!-- tested: … -->`, and every link and command, is tried."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brokerlink.brokers import Brokers, make_broker
from brokerlink.brokers.base import Broker
from local.configuration import read_own_apps
from tests.kit.documents import DOCUMENTS, PROJECT, block, sections, table


def test_broker_table_for_make_run_is_read(tmp_path: Path) -> None:
    file = tmp_path / "brokers.local.toml"
    file.write_text(block("docs/adding-a-broker.md", "brokers.local.toml"))
    apps = read_own_apps(file)
    assert apps.secret == {"acme": {"client_secret": "my-secret"}}
    assert Brokers(apps.public).on["acme"].name == "Acme Securities"


def test_broker_apps_of_a_deployed_stack_make_the_same_broker() -> None:
    brokers = Brokers(json.loads(block("docs/adding-a-broker.md", "BrokerApps")))
    assert not brokers.off
    assert brokers.on["acme"].scope == "orders holdings"


def test_class_of_the_suite_passes_as_written(tmp_path: Path) -> None:
    file = tmp_path / "test_acme.py"
    file.write_text(block("docs/adding-a-broker.md", "conformance"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={PROJECT}"]
    run = subprocess.run(  # noqa: S603 - our own document
        [*command, "-c", str(PROJECT / "pyproject.toml"), str(file)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert re.search(r"[3-9]\d passed", run.stdout), run.stdout


@pytest.mark.parametrize("page", ["docs/brokers/pocketful.md", "docs/brokers/fivepaisa.md"])
def test_settings_on_a_brokers_page_are_the_brokers(page: str, tmp_path: Path) -> None:
    broker_id = Path(page).stem
    file = tmp_path / "brokers.local.toml"
    file.write_text(block(page, "brokers.local.toml"))
    apps = read_own_apps(file)
    public, secret = apps.public[broker_id], apps.secret[broker_id]
    settings = {
        name: rest.rpartition("| ")[2].strip("`") for name, rest in table(sections(page)["Settings"], "setting").items()
    }
    assert {name for name, default in settings.items() if default == "required"} == public.keys() | secret.keys()
    written = {
        name: {"true": True, "false": False}.get(default, default)
        for name, default in settings.items()
        if default != "required"
    }
    # What a default is said to be is what it is.
    broker, same = (make_broker(broker_id, app, loopback=False) for app in (public, {**public, **written}))
    assert shown(broker) == shown(same)


def shown(broker: Broker) -> dict[str, object]:
    return {name: vars(value) if hasattr(value, "__dict__") else value for name, value in vars(broker).items()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", document.read_text())) | set(
        re.findall(r"^make ([a-z]+)", document.read_text(), re.MULTILINE)
    )
    assert named <= targets

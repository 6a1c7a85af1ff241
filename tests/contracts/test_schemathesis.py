"""contracts/openapi.yaml, tried on the running stack by a tool that knows nothing but the document."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from local.stack import Stack
from tests.kit.contract import CONTRACTS, operations, route_of


def test_stack_answers_as_the_document_says(stack: Stack, tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    report = tmp_path / "sent.har"
    run = subprocess.run(  # noqa: S603 - our own Makefile
        [make, "contracts", f"URL={stack.base_url}", f"ARGS=--report har --report-har-path {report}"],
        cwd=CONTRACTS.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8_000:] + run.stderr[-2_000:]
    answered = _answered(report)
    assert all(sum(statuses.values()) >= 5 for statuses in answered.values())
    # It got past the signatures, and past what is refused before anything is looked at.
    assert answered["POST /sessions"][201]
    assert answered["POST /confirm"][404]
    assert answered["GET /attempts/{attempt_id}"][404]
    assert answered["GET /authorize/{broker}"][303]
    assert answered["GET /callback/{broker}"][303]


def _answered(report: Path) -> dict[str, Counter[int]]:
    """Give how often each route gave each status; what is no route is left out."""
    answered = {route: Counter[int]() for route in operations()}
    for entry in json.loads(report.read_text())["log"]["entries"]:
        request = entry["request"]
        try:
            route = route_of(f"{request['method']} {urlsplit(request['url']).path}")
        except StopIteration:
            continue
        answered[route][entry["response"]["status"]] += 1
    return answered

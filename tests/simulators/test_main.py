"""`python -m local.simulators` runs the simulators alone."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.simulators import RunningSimulators, demo_clients
from local.simulators.clients import PocketfulClient
from tests.simulators.parties import PocketfulApp
from tests.simulators.walk import callback_parameters, http, log_in

ROOT = Path(__file__).parents[2]


def test_the_demo_secret_needs_encoding() -> None:
    secret = demo_clients().pocketful[0].client_secret
    assert set(":+%/ ") <= set(secret)
    assert not secret.isascii()


def start(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "local.simulators", *options]
    return subprocess.Popen(  # noqa: S603 - the command is written above
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def read_settings(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    printed = ""
    while not printed.endswith("\n}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        printed += line
    settings: dict[str, Any] = json.loads(printed)
    return settings


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_what_it_prints_is_all_that_an_app_needs(stop: signal.Signals) -> None:
    callback = "https://unrelated.example/cb"
    with start("--port", "0", "--redirect-uri", callback) as process:
        try:
            settings = read_settings(process)["pocketful"]
            assert http.get(settings["trading_info"]).status_code == 401
            client = PocketfulClient(settings["client_id"], settings["client_secret"], (callback,))
            app = PocketfulApp(settings["token"].removesuffix("/oauth2/token"), client)
            code = callback_parameters(log_in(app.authorization_url(redirect_uri=callback)))["code"]
            assert app.exchange(code, redirect_uri=callback).status_code == 200
        finally:
            process.send_signal(stop)
            output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_a_port_in_use_is_one_sentence(simulators: RunningSimulators) -> None:
    with start("--port", str(simulators.port)) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert str(simulators.port) in errors

"""One local stack for all of them, with brokers more: one names its issuer, one says what it is told, one is away."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from local.moto_engine import Moto
from local.ports import LOOPBACK, Ports
from tests.attacks.over_http.scene import Browser, Login, Scene
from tests.attacks.over_http.scripted import serve_scripted_broker
from tests.integration.test_standard_oauth import toml
from tests.privileges.recorder import Recorder
from tests.privileges.roles import CALLERS
from tests.privileges.watch import watched_stack
from tests.simulators.standard_server import AccountIn, serve_standard_server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("attacks")
    port = _free_port()
    callback = f"http://{LOOPBACK}:{port}/callback/issuer"
    with (
        serve_standard_server(
            redirect_uri=callback, account_in=AccountIn.TOKEN_RESPONSE, issuer_parameter=True
        ) as server,
        serve_scripted_broker() as scripted,
    ):
        app = {"protocol": "oauth2", "client_id": server.client_id, "client_secret": server.client_secret}
        file = folder / "brokers.local.toml"
        file.write_text(
            toml(
                {
                    "issuer": app
                    | {
                        "scope": "openid orders",
                        "issuer": server.url,
                        "authorization_endpoint": server.authorization_endpoint,
                        "token_endpoint": server.token_endpoint,
                        "account": {"from": "token_response", "path": "sub"},
                    },
                    "scripted": scripted.settings(),
                    "nowhere": app
                    | {
                        "authorization_endpoint": f"http://{LOOPBACK}:9/authorize",
                        "token_endpoint": f"http://{LOOPBACK}:9/token",
                        "account": {"from": "token_response", "path": "sub"},
                    },
                }
            )
        )
        recorder = Recorder(Moto(), CALLERS)
        with watched_stack(
            recorder, ports=Ports(app=port, brokers=0, aws=0), brokers_file=file, logs=folder / "logs"
        ) as stack:
            yield Scene(stack, recorder, server, scripted)


@pytest.fixture(scope="module")
def victim(scene: Scene) -> Iterator[Login]:
    """A customer's login that the attacks of a whole module are aimed at: after the last of them it has to end well."""
    login = scene.browser().login()
    yield login
    login.assert_unharmed()


@pytest.fixture(scope="module")
def attacker(scene: Scene) -> Browser:
    """Another browser, which has begun a login of its own."""
    browser = scene.browser()
    browser.start()
    return browser


@pytest.fixture
def customer(scene: Scene) -> Login:
    """A customer's login that is this test's own, to be finished or ended by it."""
    return scene.browser().login()

"""A small stack with one of everything that the local stack has to build from a template."""

from dataclasses import dataclass
from pathlib import Path

from local.aws import Clients
from local.deployment import Deployment
from local.emulator import Emulator

MINIATURE = Path(__file__).with_name("miniature") / "template.yaml"
PARAMETERS = {"BrokerApps": '{"pocketful": {"client_id": "a b"}}', "PublicBaseUrl": "http://127.0.0.1:1"}
SECRET = '{"pocketful": {"client_secret": "canary"}}'


@dataclass(frozen=True)
class Miniature:
    """The miniature stack, deployed."""

    emulator: Emulator
    deployment: Deployment

    @property
    def clients(self) -> Clients:
        return self.emulator.clients

    def id_of(self, name: str) -> str:
        return self.deployment.physical_ids[name]

"""What the measured functions talk to, the functions, and their naive and empty counterparts."""

from __future__ import annotations

import shutil
import sysconfig
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from io import BytesIO
from pathlib import Path

from local.configuration import BrokerApps
from local.deployment import Deployment, deploy
from local.emulator import Emulator, Engine
from local.execution import Function
from local.ports import listen
from local.simulators import RunningSimulators, demo_clients, serve
from local.stack import PROJECT, simulated_apps
from local.template import Template
from tools.artifact import Layout, Packaged

# Nothing listens there: the events are handed to the functions.
BASE_URL = "http://127.0.0.1:8000"
NAIVE = Path(__file__).parent.parent / "naive"
PEER = NAIVE.parent / "peer"
# What a requirements.txt of the naive functions would bring: it names Powertools with its tracer, boto3 and requests.
_PACKAGES = (
    "aws-lambda-powertools",
    "aws-xray-sdk",
    "boto3",
    "botocore",
    "certifi",
    "charset-normalizer",
    "idna",
    "jmespath",
    "python-dateutil",
    "requests",
    "s3transfer",
    "six",
    "typing-extensions",
    "urllib3",
    "wrapt",
)
FUNCTIONS = ("authorize", "callback", "announce")
# In the order of a report's columns. The peer announces nothing.
VARIANTS = ("ours", "empty", "naive", "peer")


@dataclass(frozen=True)
class Size:
    """Of a function with all its layers, in bytes."""

    zipped: int
    unzipped: int


@dataclass(frozen=True)
class Deployed:
    """An emulator, the simulators and the stack, whose functions can be run from their source."""

    emulator: Emulator
    simulators: RunningSimulators
    deployment: Deployment
    apps: BrokerApps

    def function(self, short: str) -> Function:
        """Give `authorize`, `callback` or `announce`."""
        return self.deployment.functions[f"{short.title()}Function"]


@dataclass(frozen=True)
class World:
    """What is deployed, and each function in each variant, as (function, variant)."""

    place: Deployed
    functions: Mapping[tuple[str, str], Function]
    sizes: Mapping[tuple[str, str], Size]


@contextmanager
def deployed(engine: Engine, more_apps: Mapping[str, Mapping[str, object]] | None = None) -> Iterator[Deployed]:
    """Set up the stack, with an engine for AWS, and with broker apps beside the simulators' if there are any."""
    clients = demo_clients(f"{BASE_URL}/callback/pocketful")
    with serve(0, clients=clients, clock=time.time) as simulators:
        emulator = Emulator(listen(0, "AWS_PORT"), engine)
        try:
            apps = simulated_apps(simulators, clients) | BrokerApps(more_apps or {}, {})
            parameters = {
                "BrokerApps": apps.public_json(),
                "PublicBaseUrl": BASE_URL,
                "DirectLoginAccounts": "*",
            }
            template = Template.load(PROJECT / "template.yaml", parameters)
            secrets = {"BrokerSecret": apps.secret_json()}
            deployment = deploy(template, emulator, name="bench", parameters=parameters, secrets=secrets)
            yield Deployed(emulator, simulators, deployment, apps)
        finally:
            emulator.close()


@contextmanager
def world(layout: Layout, packaged: Packaged, folder: Path, engine: Engine) -> Iterator[World]:
    """Set everything up, with an engine for AWS; `folder` takes the naive functions' packages."""
    with deployed(engine) as place:
        functions = {(short, "ours"): layout.in_lambda(place.function(short)) for short in FUNCTIONS}
        packages = _copy_packages(folder)
        naive_environment = _naive_environment(place.simulators, functions, place.apps.public["pocketful"])
        for short in FUNCTIONS:
            ours = functions[short, "ours"]
            functions[short, "naive"] = replace(
                ours,
                code_dir=NAIVE / short,
                layers=(packages,),
                environment={**ours.environment, **naive_environment, "POWERTOOLS_SERVICE_NAME": short},
            )
            functions[short, "empty"] = replace(
                ours, code_dir=NAIVE / "empty", layers=(), command=(*ours.command[:-1], "empty.handler")
            )
            if short != "announce":
                functions[short, "peer"] = replace(
                    functions[short, "naive"],
                    code_dir=PEER,
                    # This project's environment, bytecode and all.
                    layers=(Path(sysconfig.get_path("purelib")),),
                    command=(*ours.command[:-1], "peer.handler"),
                )
        yield World(place, functions, _sizes(packaged, functions))


def _copy_packages(folder: Path) -> Path:
    """Put the packages into a folder as `sam build` leaves them: whole, and without bytecode."""
    for name in _PACKAGES:
        for file in metadata.files(name) or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.locate(), folder / file)
    return folder


def _naive_environment(
    simulators: RunningSimulators,
    functions: Mapping[tuple[str, str], Function],
    app: Mapping[str, object],
) -> dict[str, str]:
    callback, announce = functions["callback", "ours"].environment, functions["announce", "ours"].environment
    return {
        "ATTEMPTS_TABLE": callback["BROKERLINK_ATTEMPTS_TABLE"],
        "TOKENS_TABLE": callback["BROKERLINK_TOKENS_TABLE"],
        "TOKEN_KEY": callback["BROKERLINK_TOKEN_KEY"],
        "SECRET": callback["BROKERLINK_SECRET"],
        "TOPIC": announce["BROKERLINK_TOPIC"],
        "CLIENT_ID": str(app["client_id"]),
        "REDIRECT_URI": f"{BASE_URL}/callback/pocketful",
        "AUTHORIZE_URL": f"{simulators.pocketful_url}/oauth2/auth",
        "TOKEN_URL": f"{simulators.pocketful_url}/oauth2/token",
        "ACCOUNT_URL": f"{simulators.pocketful_url}/api/v1/user/trading_info",
        # Lambda's folders cannot be written: what has no bytecode is compiled at each cold start.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _sizes(packaged: Packaged, functions: Mapping[tuple[str, str], Function]) -> dict[tuple[str, str], Size]:
    sizes: dict[tuple[str, str], Size] = {}
    for (short, variant), function in functions.items():
        if variant == "ours":
            zips = [packaged.functions[f"{short.title()}Function"], *packaged.layers.values()]
            sizes[short, variant] = Size(sum(each.stat().st_size for each in zips), sum(map(_unzipped, zips)))
        elif variant != "peer":
            sizes[short, variant] = _zipped([function.code_dir, *function.layers])
    return sizes


def _unzipped(file: Path) -> int:
    with zipfile.ZipFile(file) as zipped:
        return sum(entry.file_size for entry in zipped.infolist())


def _zipped(folders: list[Path]) -> Size:
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in files:
            zipped.write(file, str(file)[1:])
    return Size(len(buffer.getvalue()), sum(file.stat().st_size for file in files))

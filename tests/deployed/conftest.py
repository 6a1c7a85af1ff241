"""An operator with a copy of the project, an account in an emulator, and two brokers: the same for all tests here."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from brokerlink.reader import TokenReader
from local import engines
from local.aws import Clients, worker_environment
from local.emulator import Emulator
from local.front import serve_front
from local.ports import LOOPBACK, begin_listening, listen, reserve
from local.simulators import RunningSimulators, SimulatorClients, demo_clients, serve
from local.template import Template
from tests.deployed import lambda_api
from tests.deployed.project import copy_project
from tests.deployed.terminal import Session, at_terminal

_MAKE = shutil.which("make") or "make"
_BASH = shutil.which("bash") or "bash"


@dataclass
class Operator:
    """Runs the operator's commands. `base_url` is where the deployed functions are reached, as the stack is told."""

    project: Path
    aws_url: str
    clients: Clients
    simulators: RunningSimulators
    registered: SimulatorClients
    base_url: str

    @property
    def brokers_url(self) -> str:
        return self.simulators.url

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.project), **worker_environment(self.aws_url)}

    def make(self, target: str, answers: Sequence[tuple[str, str]] = (), **variables: str) -> Session:
        """Run a make target at a terminal."""
        words = (f"{name}={value}" for name, value in variables.items())
        command = [_MAKE, "--no-print-directory", target, *words]
        return at_terminal(command, cwd=self.project, env=self.environment, answers=answers)

    def shell(self, commands: str) -> str:
        """Run commands of a document as they are written. Gives what they print; raises where one fails."""
        # The AWS CLI's first version asks for SQS at AWS itself, whatever the environment says.
        commands = commands.replace("aws sqs ", 'aws --endpoint-url "$AWS_ENDPOINT_URL" sqs ')
        path = f"{self.project / '.tools' / 'awscli' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(  # noqa: S603 - our own document
            [_BASH, "-euo", "pipefail", "-c", commands],
            env={**self.environment, "PATH": path},
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def concurrency(self, logical_id: str) -> int | None:
        """Give what a function's concurrency is limited to."""
        name = lambda_api.physical_name(self.clients, logical_id)
        limit = self.clients.lambda_.get_function_concurrency(FunctionName=name)
        return limit.get("ReservedConcurrentExecutions")

    @property
    def reader(self) -> TokenReader:
        """A consumer's reader."""
        return TokenReader(self.outputs["TokensTableName"], dynamodb=self.clients.dynamodb, kms=self.clients.kms)

    @property
    def outputs(self) -> dict[str, str]:
        """Give the outputs of the deployed stack."""
        (stack,) = self.clients.cloudformation.describe_stacks(StackName=lambda_api.STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with ExitStack() as running:
        front = running.enter_context(reserve(0, "PORT"))
        base_url = f"http://{LOOPBACK}:{front.getsockname()[1]}"
        registered = demo_clients(f"{base_url}/callback/pocketful")
        simulators = running.enter_context(serve(0, clients=registered, clock=time.time))
        engine = running.enter_context(engines.start("ministack"))
        emulator = running.enter_context(closing(Emulator(listen(0, "AWS_PORT"), engine)))
        project = copy_project(tmp_path_factory.mktemp("project"))
        template = Template.load(project / "template.yaml", {})
        serving = serve_front(
            begin_listening(front, "PORT"),
            routes=lambda_api.routes(template),
            functions=lambda_api.functions(template, emulator.clients, emulator.clients.lambda_),
            base_url=base_url,
            log=lambda _: None,
        )
        running.callback(serving.close)
        yield Operator(project, emulator.url, emulator.clients, simulators, registered, base_url)

"""The local stack with all of its processes made to talk: under AWS's own runtime client, debugging switched on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, override

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from brokerlink.outbound import Answer
from local.aws import ACCESS_KEY, REGION, SECRET_KEY, worker_environment
from local.configuration import BrokerApps
from local.execution import Function
from local.moto_engine import Moto
from local.runtime import FunctionError, FunctionPool
from local.stack import PROJECT, Stack
from tests.canaries.broker_server import BrokerServer
from tests.canaries.brokers import BROKERS, apps
from tests.canaries.canaries import Canaries, Kind
from tests.canaries.in_process import DEBUGGING
from tests.canaries.overheard import Overheard
from tests.canaries.site import BACKEND, Site, first_part
from tests.kit.browser import Reply
from tests.privileges.recorder import Recorder
from tests.privileges.roles import CALLERS, EVERYTHING_TOLD

# No test waits longer for an answer: the gateway gives up after 30 seconds.
PATIENCE: Final = 40.0
_LOUD: Final = str(Path(__file__).with_name("entry"))


class LoudStack(Stack):
    """The local stack, whose functions are deployed with other environments and started by AWS's runtime client."""

    def __init__(self, canaries: Canaries, **settings: Any) -> None:
        super().__init__(**settings)
        self._canaries = canaries

    @override
    def _deploy(self, apps: BrokerApps) -> None:
        super()._deploy(apps)
        # Each function's own handler, for those who start it otherwise.
        self.plain = {**self.deployment.functions}
        self.deployment = replace(self.deployment, functions=self._all_loud(self.deployment.functions))
        self.consumer = replace(self.consumer, functions=self._all_loud(self.consumer.functions))

    def credentials(self) -> dict[str, str]:
        """Give AWS credentials that nobody else has."""
        names = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return {name: self._canaries.new(Kind.CREDENTIALS) for name in names}

    def _all_loud(self, functions: Mapping[str, Function]) -> dict[str, Function]:
        return {
            name: under_awslambdaric(
                function,
                "loud.handler",
                **DEBUGGING,
                CANARIES_HANDLER=function.handler,
                PYTHONPATH=_LOUD,
                PYTHONFAULTHANDLER="1",
                **self.credentials(),
            )
            for name, function in functions.items()
        }


def under_awslambdaric(function: Function, handler: str, **environment: str) -> Function:
    """Give a function as AWS's runtime client runs it, with the log format that the template asks for."""
    own = {**function.environment, "AWS_LAMBDA_LOG_FORMAT": "JSON", **environment}
    return replace(function, environment=own, command=(sys.executable, "-u", "-m", "awslambdaric", handler))


class Deployed(Site):
    """A running stack, asked through its HTTP front, before brokers that are told what to answer."""

    cookie = "brokerlink"

    def __init__(self, canaries: Canaries, folder: Path) -> None:
        self.server = BrokerServer()
        file = folder / "brokers.local.toml"
        file.write_text(_toml(apps(self.server.url)))
        self.recorder = Recorder(Moto(), CALLERS)
        self._overheard = Overheard(self.recorder)
        self.terminal: list[str] = []
        self.stack = LoudStack(
            canaries,
            engine=self._overheard,
            parameters=EVERYTHING_TOLD,
            brokers_file=file,
            logs=folder / "logs",
            report=self.terminal.append,
            progress=self.terminal.append,
        )
        # No connection is kept, so none is left open at the end.
        self._http = httpx.Client(timeout=PATIENCE, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))

    def start(self) -> None:
        self.stack.__enter__()
        self.base_url = self.stack.base_url

    def close(self) -> None:
        self.stack.__exit__()
        self._http.close()
        self.server.close()

    @override
    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        cookies: list[str],
        body: str | None,
        host: str | None,
    ) -> Reply:
        url, data = self.base_url + target, (body or "").encode()
        sent = {**headers, **({"cookie": "; ".join(cookies)} if cookies else {}), **({"host": host} if host else {})}
        if first_part(target) in BACKEND:
            signed = AWSRequest(method, url, data=data, headers=dict(headers))
            SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "execute-api", REGION).add_auth(signed)
            sent |= dict(signed.headers.items())
        answer = self._http.request(method, url, content=data, headers=sent)
        varying = {"set-cookie", "apigw-requestid", "date", "content-length"}
        return Reply(
            {
                "statusCode": answer.status_code,
                "headers": {name: value for name, value in answer.headers.items() if name not in varying},
                "cookies": answer.headers.get_list("set-cookie"),
                "body": answer.text,
            }
        )

    @override
    def tell(self, *answers: Answer | str) -> None:
        self.server.tell(*answers)

    @override
    def heard(self) -> list[tuple[str, str]]:
        return list(_drained(self.server.heard))

    @override
    def called(self) -> list[tuple[str, str]]:
        return list(_drained(self._overheard.calls))

    @contextmanager
    def at_level(self, level: str) -> Iterator[None]:
        """Let both functions of the API run at a log level, and with no debugging on."""
        pools = self.stack.functions
        assert isinstance(pools, dict)
        names, before = ("AuthorizeFunction", "CallbackFunction"), dict(pools)
        environment = {"POWERTOOLS_LOG_LEVEL": level, "AWS_LAMBDA_LOG_LEVEL": level}
        ours = {name: self._pool(name, f"{name}-{level}", **environment) for name in names}
        pools.update(ours)
        try:
            yield
        finally:
            pools.update(before)
            for pool in ours.values():
                pool.close()

    def failure_to_start(self, name: str, **environment: str) -> str:
        """Start a function under settings with which it cannot; give what the runtime reports."""
        pool = self._pool(name, f"{name}-failure", **environment)
        try:
            pool.wait_until_ready(PATIENCE)
        except FunctionError as error:
            return f"{error!r} {error}"
        finally:
            pool.close()
        raise AssertionError(f"{name} has started")

    def _pool(self, name: str, log: str, **environment: str) -> FunctionPool:
        function = self.stack.plain[name]
        started = under_awslambdaric(function, function.handler, **environment)
        return FunctionPool(started, log=self.stack._logs.writer(log))

    def reannounce(self, *arguments: str) -> str:
        """Run the operator's command against the stack; give what it prints."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tools.reannounce", *arguments],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], **worker_environment(self.stack.aws_url), **self.stack.credentials()},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    def logged(self) -> Iterable[tuple[str, str]]:
        """Give all that was logged and shown, by whom."""
        for file in sorted(self.stack.log_folder.iterdir()):
            for line in file.read_text(encoding="utf-8").splitlines():
                yield file.stem, line
        for line in self.terminal:
            yield "terminal", line


def _drained[Item](queue: deque[Item]) -> Iterable[Item]:
    while queue:
        yield queue.popleft()


def _toml(tables: Mapping[str, Any]) -> str:
    """Write broker apps as somebody has them in their file: public and secret settings side by side."""
    merged = {broker: {**settings, **BROKERS[broker].secrets} for broker, settings in tables.items()}
    lines = []
    for broker, settings in merged.items():
        lines += [f"[{broker}]", *(f"{name} = {_value(value)}" for name, value in settings.items())]
    return "\n".join(lines)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + "}"
    return json.dumps(value)

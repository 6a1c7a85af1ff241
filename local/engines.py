"""The engines that can stand behind the emulator, each by its name. docs/engines.md says what each is good for."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from local.dynamodb_local import DynamoDbLocal
from local.emulator import Engine
from local.errors import ConfigurationError
from local.forwarding import Forwarder
from local.moto_engine import Moto
from local.ports import LOOPBACK, listen

TOOLS = Path(__file__).parent.parent / ".tools"
_START_SECONDS = 30.0
_APPLICATION = Path(__file__).parent / "ministack" / "application.py"
_COMPANION = (sys.executable, "-I", str(Path(__file__).with_name("companion.py")))


class Ministack(Forwarder):
    """All services, in a process of their own."""

    account = "000000000000"


@contextmanager
def _moto() -> Iterator[Engine]:
    yield Moto()


@contextmanager
def _ministack() -> Iterator[Engine]:
    python = TOOLS / "ministack" / "bin" / "python"
    if not python.is_file():
        raise ConfigurationError("ministack is not installed: `make engine ENGINE=ministack` does it.")
    with ExitStack() as running:
        # A socket that listens already: whoever calls early waits, and no other program gets the port.
        with listen(0, "AWS_PORT") as listener:
            port: int = listener.getsockname()[1]
            number = listener.fileno()
            environment = {
                "BIND_HOST": LOOPBACK,
                "GATEWAY_PORT": str(port),
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "MINISTACK_ACCOUNT_ID": Ministack.account,
                "LOG_LEVEL": "ERROR",
                # It would look for containers that an earlier one has left behind.
                "DOCKER_HOST": "unix:///nowhere",
            }
            command = (str(python), "-m", "hypercorn", f"{_APPLICATION}:app", "--bind", f"fd://{number}")
            running.enter_context(_process((*command, "--log-level", "ERROR"), environment, (number,)))
        yield Ministack(port)


@contextmanager
def _dynamodb_local() -> Iterator[Engine]:
    jars = sorted((TOOLS / "dynamodb-local").glob("**/DynamoDBLocal.jar"))
    if not jars:
        raise ConfigurationError("DynamoDB Local is not installed: `make engine ENGINE=dynamodb-local` does it.")
    with listen(0, "AWS_PORT") as listener:
        port: int = listener.getsockname()[1]
    native = f"-Djava.library.path={jars[0].parent / 'DynamoDBLocal_lib'}"
    options = ("-port", str(port), "-inMemory", "-sharedDb", "-disableTelemetry")
    with _process(("java", native, "-jar", str(jars[0]), *options), {}):
        _wait_until_it_listens(port)
        yield DynamoDbLocal(port)


def _wait_until_it_listens(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise ConfigurationError("DynamoDB Local does not start; is there a Java 17?") from None
            time.sleep(0.05)
        else:
            return


_ENGINES: Mapping[str, Callable[[], AbstractContextManager[Engine]]] = {
    "moto": _moto,
    "ministack": _ministack,
    "dynamodb-local": _dynamodb_local,
}
NAMES = tuple(_ENGINES)


def start(name: str) -> AbstractContextManager[Engine]:
    """Start an engine; it ends with the `with` statement. Raises ConfigurationError for one that is not there."""
    if name not in _ENGINES:
        raise ConfigurationError(f"ENGINE must be one of {', '.join(NAMES)}.")
    return _ENGINES[name]()


@contextmanager
def _process(command: Sequence[str], environment: Mapping[str, str], sockets: Sequence[int] = ()) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603 - the commands above
        (*_COMPANION, ",".join(map(str, sockets)), *command),
        env={"PATH": os.environ.get("PATH", os.defpath), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=sockets,
        # Ctrl-C in the terminal is for this process, which then ends the engine.
        process_group=0,
    )
    with process:  # which closes the standard input, and waits
        yield

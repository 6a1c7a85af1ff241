"""The stack's three ports: read from the environment, bound to loopback only."""

import errno
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from local.errors import ConfigurationError, PortInUseError

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Where the three servers listen; 0 lets the system choose."""

    app: int = 8000
    brokers: int = 8001
    aws: int = 8002

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Ports":
        """Read PORT, BROKERS_PORT and AWS_PORT.

        Raises ConfigurationError for a value that is no port, or one that is used twice.
        """
        ports = cls(
            app=_port(environment, "PORT", cls.app),
            brokers=_port(environment, "BROKERS_PORT", cls.brokers),
            aws=_port(environment, "AWS_PORT", cls.aws),
        )
        if len({ports.app, ports.brokers, ports.aws}) < 3:
            raise ConfigurationError("PORT, BROKERS_PORT and AWS_PORT must be three different ports.")
        return ports


def _port(environment: Mapping[str, str], setting: str, default: int) -> int:
    text = environment.get(setting, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ConfigurationError(f"{setting} must be a port number from 1 to 65535.")
    return int(text)


def reserve(port: int, setting: str) -> socket.socket:
    """Bind the port on loopback without listening yet, so that nobody can connect before all is up.

    Raises PortInUseError, naming the setting that chooses another port.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A stack restarted at once meets its own connections in TIME_WAIT; a living listener still refuses.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as problem:
        bound.close()
        raise PortInUseError(_sentence(problem, port, setting)) from None
    return bound


def listen(port: int, setting: str) -> socket.socket:
    """Bind the port on loopback and listen.

    Raises PortInUseError, naming the setting that chooses another port.
    """
    return begin_listening(reserve(port, setting), setting)


def begin_listening(bound: socket.socket, setting: str) -> socket.socket:
    """Listen on a reserved port. Raises PortInUseError where another program was faster."""
    try:
        bound.listen(128)
    except OSError as problem:
        port: int = bound.getsockname()[1]
        bound.close()
        raise PortInUseError(_sentence(problem, port, setting)) from None
    return bound


def _sentence(problem: OSError, port: int, setting: str) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program: stop it, or choose another with {setting}=<port>."
    return f"Port {port} cannot be opened ({problem.strerror}): choose another with {setting}=<port>."

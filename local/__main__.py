"""`python -m local`: runs the whole product on this machine until Ctrl-C. See README.md."""

import argparse
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalStackError
from local.ports import Ports

if TYPE_CHECKING:
    # Imported when the settings are known to be good: the emulator takes a second to import.
    from local.stack import Stack

_DESCRIPTION = """\
Runs brokerlink on this machine: the functions, an AWS emulator, and simulators of the brokers. Needs no AWS account
and no configuration. The ports are chosen with PORT (8000), BROKERS_PORT (8001) and AWS_PORT (8002). A broker app of
your own goes into brokers.local.toml: see brokers.local.example.toml.
"""


class _Stopping:
    """Ctrl-C and SIGTERM: they break off the start, end the waiting, and do not disturb the end.

    The kernel may give a signal to any thread, which does not wake the main one; a byte in a socket does.
    """

    def __init__(self) -> None:
        self._asked = False
        self._up = False
        self._bell, self._button = socket.socketpair()
        self._button.settimeout(0)
        signal.set_wakeup_fd(self._button.fileno())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup asks to outlive the terminal. An ignored SIGINT only says that a shell started us with `&`.
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._stop)

    def wait(self) -> None:
        """Wait until somebody asks to stop."""
        self._up = True
        while not self._asked:
            self._bell.recv(1)

    def _stop(self, number: int, frame: object) -> None:
        del number, frame
        starting = not self._up and not self._asked
        self._asked = True
        if starting:
            raise KeyboardInterrupt


def main() -> int:
    """Run the stack; return the exit code: 0 after Ctrl-C, which is how it is meant to end, 1 if it cannot start."""
    options = _options()
    stopping = _Stopping()
    try:
        _run(Ports.from_environment(os.environ), options, stopping)
    except KeyboardInterrupt:
        _say("stopped before everything was up")
    except ModuleNotFoundError as problem:
        return _fail(f"The Python package {problem.name} is missing: `make run` installs what is needed and starts.")
    except LocalStackError as problem:
        return _fail(str(problem))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--brokers", type=Path, metavar="FILE", help="instead of brokers.local.toml")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="instead of .brokerlink/logs")
    options = parser.parse_args()
    if options.brokers is not None and not options.brokers.is_file():
        parser.error(f"there is no file {options.brokers}")
    return options


def _run(ports: Ports, options: argparse.Namespace, stopping: _Stopping) -> None:
    from local.aws import forget_own_aws  # noqa: PLC0415 - see above

    forget_own_aws(os.environ)
    # An import root, as the layer is in Lambda: the settings of broker apps are checked by the library itself.
    sys.path.insert(1, str(Path(__file__).parent.parent / "layers"))
    from local.stack import Stack  # noqa: PLC0415 - see above

    began = time.monotonic()
    _say("brokerlink: starting (a few seconds)")
    with Stack(
        ports,
        brokers_file=options.brokers,
        logs=options.logs,
        report=_say,
        progress=lambda step: _say(f"  {step}"),
    ) as stack:
        _say(f"  everything is up after {time.monotonic() - began:.1f} s\n")
        _say(_directions(stack))
        stopping.wait()
        _say("\nbrokerlink: stopping")


def _directions(stack: "Stack") -> str:
    session = json.dumps({"broker": "pocketful", "user_id": "asha", "account": "YA0002"})
    own = ", ".join(stack.own_brokers)
    return f"""\
Log in          {stack.base_url}/
As a platform   {stack.base_url}/example/
Demo accounts   {_accounts(stack)}
Real brokers    {own or "none: brokers.local.example.toml tells how"}

Prepare a session, as a platform's backend does, and open its start_url:
  curl --aws-sigv4 "aws:amz:ap-south-1:execute-api" --user local:local -H "Content-Type: application/json" \\
    -d '{session}' {stack.base_url}/sessions

AWS emulator    {stack.aws_url} (any credentials, region ap-south-1)
Make them fail  {stack.brokers_url}/simulator/faults
Logs            {stack.log_folder}

Events that the consumer receives appear below. Ctrl-C stops everything.
"""


def _accounts(stack: "Stack") -> str:
    return "; ".join(f"{broker} {', '.join(accounts)}" for broker, accounts in stack.demo_accounts.items())


def _say(line: str) -> None:
    # One write, so that lines from several threads do not mix.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{' '.join(sentence.split())}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

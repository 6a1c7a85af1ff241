"""Runs a command for as long as its standard input stays open: it ends with whoever started it, however that ends.

    python companion.py <sockets> <command> ...

`sockets` are the numbers of the open sockets that the command inherits, separated by commas, or nothing.
"""

import os
import subprocess
import sys


def main(sockets: str, *command: str) -> int:
    """Run the command; return how it ended."""
    numbers = [int(number) for number in sockets.split(",") if number]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=numbers) as process:  # noqa: S603 - the caller's
        # A copy kept here would keep the port open after the command ended.
        for number in numbers:
            os.close(number)
        sys.stdin.read()
        process.terminate()
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

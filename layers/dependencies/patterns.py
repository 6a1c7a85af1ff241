"""Compiles ahead the regular expressions of the installed packages: run by the layer's Makefile, after prune.py.

    python3.13 -ISB patterns.py <folder of the installed packages>

`re` compiles in Python, and most packages have it do so when they are imported: for the packages that a function
imports, and what these bring along of the standard library, that took two thirds of an empty function's cold start.
brokerlink.precompiled reads what is written here. So called, Python has imported hardly anything before.
"""

import importlib
import marshal
import re
import sys
from types import SimpleNamespace
from typing import Any

# What the functions import of the packages, directly.
MODULES = (
    "aws_lambda_powertools",
    "aws_lambda_powertools.metrics",
    "botocore.config",
    "botocore.exceptions",
    "botocore.handlers",
    "botocore.parsers",
    "urllib3",
)
# Both are private to `re`, which offers nothing of the kind.
_sre: Any = importlib.import_module("_sre")
_compiler: Any = importlib.import_module("re._compiler")


def main(site: str) -> None:
    """Import the modules, make a client of each service, and write each pattern that is compiled meanwhile."""
    sys.path.insert(0, site)
    compile_pattern = _compiler.compile
    # As `_sre.compile` takes it: flags, code, number of groups, groups by name, names by group.
    last: list[tuple[Any, ...]] = []
    table: dict[tuple[str | bytes, int], tuple[Any, ...]] = {}

    def take(pattern: object, *compiled: Any) -> re.Pattern[Any]:  # noqa: ANN401 - see above
        flags, code, groups, by_name, names = compiled
        last[:] = [(int(flags), [int(each) for each in code], groups, dict(by_name), names)]
        taken: re.Pattern[Any] = _sre.compile(pattern, *compiled)
        return taken

    def compile_and_keep(pattern: str | bytes, flags: int) -> re.Pattern[Any]:
        made: re.Pattern[Any] = compile_pattern(pattern, flags)
        if not made.flags & re.LOCALE:  # such code is the builder's locale's
            table[pattern, int(flags)] = last[0]
        return made

    _compiler._sre = SimpleNamespace(**{**vars(_sre), "compile": take})  # noqa: SLF001 - see above
    _compiler.compile = compile_and_keep
    for module in MODULES:
        importlib.import_module(module)
    from pathlib import Path  # noqa: PLC0415 - it compiles patterns of its own

    session = importlib.import_module("botocore.session").Session()
    session.set_credentials("nobody's", "nothing")
    for service in sorted(path.name for path in Path(site, "botocore", "data").iterdir() if path.is_dir()):
        session.create_client(service, region_name="ap-south-1")
    Path(site, "patterns").write_bytes(marshal.dumps((_sre.MAGIC, table)))


if __name__ == "__main__":
    main(sys.argv[1])

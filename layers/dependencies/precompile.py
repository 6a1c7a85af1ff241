"""Compiles ahead what Python compiles at each start of a function: the last thing that the layer's Makefile runs.

    python3.13 -ISB precompile.py <folder of the installed packages> <folder of the layers> <folder of the functions>

That are the regular expressions of the packages, of what these bring along of the standard library and of our own
modules, and the methods of dataclasses. The packages' modules that this loads are put into the same file, as the
bytecode that lies beside them. brokerlink.precompiled reads what is written here. So called, Python has imported
hardly anything before.
"""

import importlib
import importlib.util
import marshal
import os
import re
import sys
from types import CodeType, SimpleNamespace
from typing import Any

# Broker apps as short as they can be: what is configured loads a broker's module.
BROKERS = {"pocketful": {"client_id": "nobody"}, "fivepaisa": {"vendor_key": "nobody"}}
# What puts the functions together.
APPS = {
    "authorize": "authorize_app",
    "callback": "callback_app",
    "announce": "publish",
    "connections": "connections_app",
    "remind": "remind_app",
}
# Both are private to `re`, which offers nothing of the kind.
_sre: Any = importlib.import_module("_sre")
_compiler: Any = importlib.import_module("re._compiler")


def main(site: str, layers: str, functions: str) -> None:
    """Load the functions, make a client of each service, and write what is compiled meanwhile."""
    patterns = _keep_patterns()
    sources = _keep_sources()
    sys.path[:0] = [*(f"{functions}/{name}" for name in APPS), layers, f"{layers}/dependencies", site]
    # The builder's own AWS is not asked.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_DEFAULT_REGION="ap-south-1", AWS_ACCESS_KEY_ID="nobody's", AWS_SECRET_ACCESS_KEY="nothing")
    for name in (*APPS.values(), "brokerlink.outbound"):
        importlib.import_module(name)
    if off := importlib.import_module("brokerlink.brokers").Brokers(BROKERS).off:
        raise SystemExit(f"a broker cannot be made: {off}")
    aws: Any = importlib.import_module("brokerlink.aws").AwsClients()
    for service in importlib.import_module("prune").OPERATIONS:
        aws.client(service)
    engines = importlib.import_module("brokerlink.precompiled").ENGINES
    with open(f"{site}/precompiled", "xb") as file:  # noqa: PTH123 - pathlib compiles patterns of its own
        # Later versions of the format note who else holds an object, which is not the same each time.
        file.write(marshal.dumps((engines, patterns, sources, _modules(f"{site}/")), 2))


def _modules(site: str) -> dict[str, tuple[str, bool, bytes]]:
    """Give the packages' modules that are loaded: where each lies, whether it is a package, and its code."""
    found: dict[str, tuple[str, bool, bytes]] = {}
    for name, module in sorted(sys.modules.items()):
        source = getattr(module, "__file__", None) or ""
        # A package may keep one of its modules under a second name.
        if source.startswith(site) and module.__spec__ is not None and module.__spec__.name == name:
            with open(importlib.util.cache_from_source(source), "rb") as file:  # noqa: PTH123 - as above
                # After its header of 16 bytes (PEP 552).
                found[name] = source.removeprefix(site), hasattr(module, "__path__"), file.read()[16:]
    return found


def _keep_patterns() -> dict[tuple[str | bytes, int], tuple[Any, ...]]:
    compile_pattern = _compiler.compile
    # As `_sre.compile` takes it: flags, code, number of groups, groups by name, names by group.
    last: list[tuple[Any, ...]] = []
    kept: dict[tuple[str | bytes, int], tuple[Any, ...]] = {}

    def take(pattern: object, *compiled: Any) -> re.Pattern[Any]:  # noqa: ANN401 - see above
        flags, code, groups, by_name, names = compiled
        last[:] = [(int(flags), [int(each) for each in code], groups, dict(by_name), names)]
        taken: re.Pattern[Any] = _sre.compile(pattern, *compiled)
        return taken

    def compile_and_keep(pattern: str | bytes, flags: int) -> re.Pattern[Any]:
        made: re.Pattern[Any] = compile_pattern(pattern, flags)
        if not made.flags & re.LOCALE:  # such code is the builder's locale's
            kept[pattern, int(flags)] = last[0]
        return made

    _compiler._sre = SimpleNamespace(**{**vars(_sre), "compile": take})  # noqa: SLF001 - see above
    _compiler.compile = compile_and_keep
    return kept


def _keep_sources() -> dict[str, CodeType]:
    kept: dict[str, CodeType] = {}

    def execute_and_keep(source: str, namespace: dict[str, object], result: dict[str, object]) -> None:
        kept[source] = compile(source, "<string>", "exec")
        exec(kept[source], namespace, result)  # noqa: S102 - the standard library's own call

    # With what it imports, it has patterns too.
    dataclasses: Any = importlib.import_module("dataclasses")
    dataclasses.exec = execute_and_keep  # it hides the builtin from the module
    return kept


if __name__ == "__main__":
    main(*sys.argv[1:])

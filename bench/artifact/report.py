"""The figures, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.artifact.figures import Figure, Verdict


def table(found: Sequence[Figure], held: Sequence[Verdict], note: str) -> Iterator[str]:
    """Give the report line by line."""
    width = max(len(figure.what) for figure in found)
    columns = "".join(f" {name:>9} {'':>7}" for name in ("empty", "naive", "peer", "raw HTTP"))
    yield f"{'':<{width}} {'':>4} {'ours':>9}{columns}".rstrip()
    for figure in found:
        line = f"{figure.what:<{width}} {figure.unit:>4} {figure.ours:9.2f}"
        for name in ("empty", "naive", "peer", "raw"):
            other, ratio = getattr(figure, name), figure.ratio(name)
            if other is None:
                line += " " * 18
            elif ratio is None:
                line += f" {other:9.2f}" + " " * 8
            else:
                line += f" {other:9.2f} {ratio:6.2f}x"
        yield line.rstrip()
    yield ""
    for verdict in held:
        mark = "within" if verdict.within else "OVER"
        yield (f"{mark:<7} {verdict.what}, {verdict.measure}: {verdict.value:.2f} of a budget of {verdict.budget:g}")
    if note:
        yield ""
        yield note


def document(found: Sequence[Figure], held: Sequence[Verdict], note: str, runs: int) -> dict[str, Any]:
    """Give the report as one JSON object."""
    return {
        "runs": runs,
        "budgets": [
            {
                "what": verdict.what,
                "measure": verdict.measure,
                "value": round(verdict.value, 3),
                "budget": verdict.budget,
                "within": verdict.within,
            }
            for verdict in held
        ],
        "figures": [
            {
                "what": figure.what,
                "unit": figure.unit,
                **{
                    name: round(value, 3)
                    for name in ("ours", "empty", "naive", "peer", "raw")
                    if (value := getattr(figure, name)) is not None
                },
                **{
                    f"to_{name}": round(ratio, 3)
                    for name in ("empty", "naive", "peer", "raw")
                    if (ratio := figure.ratio(name)) is not None
                },
            }
            for figure in found
        ],
        "note": note or None,
    }

"""Prints what pandas, polars and DuckDB make of a saved run: ``python -m tests.perf.readers``.

polars and DuckDB are not among the test dependencies (their wheels are large); one that is not
installed is said to be missing.
"""

from __future__ import annotations

import importlib
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ipygradmagic import trace
from ipygradmagic.record.stream import COLUMNS

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
READERS: dict[str, dict[str, Callable[[Any, str], Any]]] = {
    "pandas": {
        ".jsonl": lambda m, p: m.read_json(p, lines=True).to_dict("list"),
        ".parquet": lambda m, p: m.read_parquet(p).to_dict("list"),
    },
    "polars": {
        ".jsonl": lambda m, p: m.read_ndjson(p, infer_schema_length=None).to_dict(as_series=False),
        ".parquet": lambda m, p: m.read_parquet(p).to_dict(as_series=False),
    },
    "duckdb": {
        ".jsonl": lambda m, p: _columns(m.sql(f"FROM read_json('{p}', sample_size=-1)")),
        ".parquet": lambda m, p: _columns(m.sql(f"FROM '{p}/*.parquet'")),
    },
}


def _columns(relation: Any) -> dict[str, list[object]]:
    rows = relation.fetchall()
    return {name: [row[i] for row in rows] for i, name in enumerate(relation.columns)}


def programme() -> int:
    """Rows with every oddity: None, NaN, infinity, an empty tensor, an error, late columns."""
    w = torch.ones(2, requires_grad=True)
    empty = torch.ones(0, requires_grad=True)
    wide = torch.ones(40, requires_grad=True)
    for factor in (1.0, math.nan, math.inf, -math.inf, *[2.0] * 300):
        ((w * factor).sum() + wide.sum() + empty.sum()).backward()
        w.data -= 0.1 * w.grad
        w.grad = wide.grad = None
    loss = (w * w).sum()
    loss.backward()
    try:
        loss.backward()
    except RuntimeError:
        return 1
    return 0


def describe(columns: dict[str, list[object]]) -> str:
    """The figures that must agree between readers."""
    events = [int(e) for e in columns["event"]]  # type: ignore[call-overload]
    where = next(i for i, n in enumerate(columns["numel"]) if n == 2)
    first = columns["grad_after_values"][where]
    nan = sum(n for n in columns["grad_after_nan"] if n is not None and n == n)  # type: ignore[misc]
    errors = sum(isinstance(e, str) for e in columns["error"])
    complete = set(columns) == set(COLUMNS)  # polars sorts them in its own way
    return (
        f"{len(events)} rows, {len(set(events))} events, columns {complete}, first values "
        f"{[float(v) for v in first]}, NaN elements {int(nan)}, errors {errors}"  # type: ignore[attr-defined]
    )


def main() -> int:
    said: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            path = Path(folder) / f"run{suffix}"
            with trace(save=path):
                programme()
            for name, ways in READERS.items():
                try:
                    module = importlib.import_module(name)
                except ImportError:
                    print(f"{name:8s} {suffix:10s} is not installed")
                    continue
                way = ways[".parquet" if suffix == ".parquet" else ".jsonl"]
                result = describe(way(module, str(path)))
                said.add(result)
                print(f"{name:8s} {module.__version__:8s} {suffix:10s} {result}")
    print("all agree" if len(said) == 1 else "THEY DISAGREE")
    return len(said) != 1


if __name__ == "__main__":
    sys.exit(main())

"""A trace as a data frame of pandas or polars, whichever is there.

One row for each kept event and each tensor that it concerned; an event that concerned none has one
row, too. The columns are those of :mod:`ipygradmagic.record.stream`, the ones to begin with in front
(see ``FIRST``), without ``seconds`` (which a trace does not keep), and with two more:

- ``place`` string: ``In [3], line 7``: the line, and whose line it is.
- ``findings`` string: names of the findings that rest on the event, joined by ", ".
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from ipygradmagic.errors import OptionError
from ipygradmagic.record.stream import COLUMNS, rows_of

if TYPE_CHECKING:
    from ipygradmagic.record.trace import Trace

LIBRARIES = ("pandas", "polars")
FIRST = {
    name: COLUMNS.get(name, "string")
    for name in (
        "event",
        "kind",
        "number",
        "tensor",
        "place",
        "code",
        "loss",
        "grad_before_norm",
        "grad_added_norm",
        "grad_after_norm",
        "value_moved",
        "holds_count",
        "holds_stale",
        "findings",
        "label",
    )
}
SCHEMA = {**FIRST, **{name: kind for name, kind in COLUMNS.items() if name != "seconds"}}
"""Name and type of every column, in order."""

_PANDAS = {
    "int64": "Int64",
    "float64": "float64",
    "string": "string",
    "bool": "boolean",
    "list<float64>": "object",
}


def frame_of(trace: Trace, library: str | None = None) -> Any:
    """The frame.

    Args:
        trace: Whose kept events become rows.
        library: ``pandas`` or ``polars``; None takes the one that is imported already, or else the
            one that is installed, pandas first.

    Raises:
        OptionError: There is no such library, or none is installed.
    """
    name = _chosen(library)
    rows = _rows(trace)
    columns = {column: [row.get(column) for row in rows] for column in SCHEMA}
    module: Any = importlib.import_module(name)
    return _pandas(module, columns) if name == "pandas" else _polars(module, columns)


def _chosen(library: str | None) -> str:
    if library is not None and library not in LIBRARIES:
        raise OptionError(f"library is {library!r}; choose one of {', '.join(LIBRARIES)}")
    if library is None:
        found = [name for name in LIBRARIES if name in sys.modules]
        found += [name for name in LIBRARIES if _installed(name)]
        library = found[0] if found else None
    if library is None:
        raise OptionError(
            "to_dataframe() needs pandas or polars, and neither is installed; "
            "pip install pandas (or polars)"
        )
    if not _installed(library):
        raise OptionError(f"{library} is not installed; pip install {library}")
    return library


def _installed(name: str) -> bool:
    if name in sys.modules:
        return sys.modules[name] is not None
    return importlib.util.find_spec(name) is not None


def _rows(trace: Trace) -> list[dict[str, object]]:
    infos = {info.id: info for info in trace.tensors}
    named: dict[int, list[str]] = {}
    for finding in trace.findings:
        for index in finding.evidence.events:
            named.setdefault(index, []).append(finding.name)
    rows: list[dict[str, object]] = []
    for event in trace.events:
        more = {
            "place": event.where.label if event.where is not None else None,
            "findings": ", ".join(dict.fromkeys(named.get(event.index, ()))) or None,
        }
        rows += [{**row, **more} for row in rows_of(event, 0.0, infos)]
    return rows


def _pandas(pandas: Any, columns: dict[str, list[object]]) -> Any:
    return pandas.DataFrame(
        {
            name: pandas.Series(values, dtype=_PANDAS[SCHEMA[name]])
            for name, values in columns.items()
        }
    )


def _polars(polars: Any, columns: dict[str, list[object]]) -> Any:
    kinds = {
        "int64": polars.Int64,
        "float64": polars.Float64,
        "string": polars.String,
        "bool": polars.Boolean,
        "list<float64>": polars.List(polars.Float64),
    }
    return polars.DataFrame(columns, schema={name: kinds[kind] for name, kind in SCHEMA.items()})

"""A saved run read back as series: the loss at each backward, each leaf after each update."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ipygradmagic.record.whatif import MOST_ELEMENTS, Series

_MOVES = ("step", "update", "rebind")
Numbers = tuple[float, ...]
Line = Callable[[int], int]


def rows_in(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """The rows of several files, one after the other; what is incomplete at an end is left out."""
    for number, file in enumerate(files):
        try:
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    row["run"] = number
                    yield row
        except (OSError, EOFError, ValueError, zlib.error):
            continue


def series_of(
    rows: Iterable[dict[str, Any]], line_as_written: Line
) -> tuple[tuple[Series, ...], tuple[Series, ...]]:
    """The losses and the paths.

    Args:
        rows: As :mod:`ipygradmagic.record.stream` writes them.
        line_as_written: Maps a line of the cell that ran to the same line as written, or 0.
    """
    losses: dict[tuple[int, str], list[Numbers]] = {}
    paths: dict[int, _Path] = {}
    seen: set[tuple[int, int]] = set()
    for place, row in enumerate(rows):
        event = (row["run"], row["event"])
        loss = loss_of(row)
        if loss is not None and event not in seen:
            seen.add(event)
            line = line_as_written(row.get("line", 0)) if row.get("cell") else 0
            losses.setdefault((line, row.get("code", "")), []).append((loss,))
        elif row["kind"] in _MOVES and "tensor" in row:
            paths.setdefault(row["tensor_id"], _Path()).follow(row, place)
    return (
        tuple(Series(code, tuple(found), line) for (line, code), found in losses.items()),
        tuple(_by_name(paths.values())),
    )


@dataclass(slots=True)
class _Path:
    """One tensor by the rows that moved it."""

    name: str = ""
    small: bool = True
    start: Numbers | None = None
    points: list[tuple[int, Numbers]] = field(default_factory=list)

    def follow(self, row: dict[str, Any], place: int) -> None:
        self.name = row["tensor"]  # the last one is the best
        self.small = row.get("numel", 0) <= MOST_ELEMENTS
        after = _value(row, "value_after", self.small)
        if after is not None:
            if not self.points:
                self.start = _value(row, "value_before", self.small)
            self.points.append((place, after))


def _by_name(paths: Iterable[_Path]) -> Iterator[Series]:
    """A name that was bound to new leaves is one path; it starts where its first leaf started."""
    groups: dict[tuple[str, bool], list[_Path]] = {}
    for path in paths:
        if path.points:
            groups.setdefault((path.name, path.small), []).append(path)
    for (name, small), group in groups.items():
        points = [numbers for _, numbers in sorted(p for path in group for p in path.points)]
        start = [group[0].start] if group[0].start is not None else []
        yield Series(name, (*start, *points), norm=not small)


def _value(row: dict[str, Any], prefix: str, small: bool) -> Numbers | None:
    values = row.get(f"{prefix}_values")
    if small and values is not None:
        return tuple(math.nan if v is None else v for v in values)
    broken = row.get(f"{prefix}_nan") or row.get(f"{prefix}_inf")
    norm = row.get(f"{prefix}_norm")
    if norm is None and broken:
        norm = math.nan  # for which JSON has no number
    return None if small or norm is None else (norm,)


def loss_of(row: dict[str, Any]) -> float | None:
    """The loss of a backward; where it is not finite, JSON had no number for it."""
    words = {"plus-infinity": math.inf, "minus-infinity": -math.inf, "not-a-number": math.nan}
    said = row.get("loss_nonfinite")
    if row["kind"] != "backward":
        return None
    loss: float | None = words[said] if said in words else row.get("loss")
    return loss

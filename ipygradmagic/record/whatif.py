"""Two runs of a cell, as written and as patched, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipygradmagic.record.findings import Finding

Ending = Literal["done", "cut", "failed", "unbuilt"]
MOST_ELEMENTS = 4
"""A tensor up to this size is followed by its elements, a larger one by its norm."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers by step.

    Attributes:
        name: Of the tensor; for a loss, the source line of its backward.
        line: Line of the cell as written, for a loss; 0 if it is not in the cell.
        norm: They are the norm of a larger tensor.
        rows: One row for each step, with one number for each element.
    """

    name: str
    rows: tuple[tuple[float, ...], ...]
    line: int = 0
    norm: bool = False

    @property
    def last(self) -> tuple[float, ...]:
        """The row at the end."""
        return self.rows[-1] if self.rows else ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One run of the cell in a process of its own.

    Attributes:
        ending: ``done``; ``cut`` by the time limit; ``failed`` if the cell raised; ``unbuilt`` if
            an earlier cell that it needs raised or ran out of time.
        cell: The cell that was running at the end.
        error: ``Type: message`` of what ended it.
        tail: The end of what it printed, if it failed.
        seconds: How long the process took.
        steps: How many backward passes there were.
        losses: The loss at each backward, by line.
        paths: The value of each leaf after each update.
        findings: The diagnosis; None if the process had to be killed before it.
    """

    ending: Ending
    cell: int = 0
    error: str = ""
    tail: str = ""
    seconds: float = 0.0
    steps: int = 0
    losses: tuple[Series, ...] = ()
    paths: tuple[Series, ...] = ()
    findings: tuple[Finding, ...] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both runs.

    Attributes:
        number: Of the cell.
        cells: The earlier cells that were run again, by number.
        repeated: Those of them that are earlier runs of the same cell, patched as it is.
        change: What the patch changes, as lines with ``+`` and ``-``.
        limit: Seconds that each process had.
        written, patched: The runs.
        distances: How far the last values of each leaf lie apart (Euclidean), where known.
        like_yours: The run as written begins and ends with the losses of the user's own run; None
            if that is not known.
    """

    number: int
    cells: tuple[int, ...]
    repeated: tuple[int, ...]
    change: str
    limit: float
    written: Rehearsal
    patched: Rehearsal
    distances: tuple[tuple[str, float], ...] = ()
    like_yours: bool | None = None

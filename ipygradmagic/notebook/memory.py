"""The last traces of a shell, for ``--last`` and ``--diff``."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace

MOST = 10
"""Traces that are kept. They hold numbers and words only, no tensor."""
MOST_ROWS = 50_000
"""Rows (what one event did to one tensor) of all of them together, at up to 2 kB each (measured): of
long runs and large models fewer traces are kept."""
FEWEST = 2
"""So many are kept, however large they are: ``--diff`` compares two."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A finished trace.

    Attributes:
        trace: The trace.
        options: With which it was made, and how its report was shown.
        code: Of the cell or statement, as the user wrote it.
    """

    trace: Trace
    options: Options
    code: str


class Memory:
    """The last traces of a shell, whoever asked for them."""

    def __init__(self) -> None:
        self._runs: deque[Remembered] = deque(maxlen=MOST)

    def add(self, trace: Trace, options: Options, code: str) -> None:
        """Remember a trace; the oldest ones go, once there are too many."""
        self._runs.append(Remembered(trace, options, code))
        while len(self._runs) > FEWEST and sum(map(_rows, self._runs)) > MOST_ROWS:
            self._runs.popleft()

    def last(self, count: int) -> list[Remembered]:
        """So many of the latest ones, or as many as there are; the oldest of them first."""
        return list(self._runs)[-count:]


def _rows(run: Remembered) -> int:
    return sum(len(event.changes) for event in run.trace.events) + len(run.trace.tensors)

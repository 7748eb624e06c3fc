"""The last traces of a shell, for ``--last`` and ``--diff``."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace

MOST = 10
"""Traces that are kept. Each holds numbers and words only, no tensor, and is bounded whatever the
length of its run: kilobytes for a small loop, a few megabytes for a model of thousands of leaves."""


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
    """The last ``MOST`` traces of a shell, whoever asked for them."""

    def __init__(self) -> None:
        self._runs: deque[Remembered] = deque(maxlen=MOST)

    def add(self, trace: Trace, options: Options, code: str) -> None:
        """Remember a trace; the oldest one goes, once there are too many."""
        self._runs.append(Remembered(trace, options, code))

    def last(self, count: int) -> list[Remembered]:
        """So many of the latest ones, or as many as there are; the oldest of them first."""
        return list(self._runs)[-count:]

    def clear(self) -> None:
        """Forget them all."""
        self._runs.clear()

"""Which events the timeline shows, and what it says in place of those that it leaves out.

``folding`` says what repeats; here each loop becomes its first rounds, a fold and its last
round, and every round that a finding points at. A plan is a list of steps in the order of
the events; each event of the trace is in exactly one ``Show`` or ``Skip``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from ipygradmagic.render.folding import Folded, Loop, Part

MOST_PARTS = 4000
"""So many parts at either end of one level are looked at; the rest is skipped as one."""


@dataclass(frozen=True, slots=True)
class Show:
    """Show event ``index``."""

    index: int
    level: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave out events ``first`` to ``last``: ``rounds`` rounds alike, or (0) a stretch."""

    first: int
    last: int
    level: int
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Announce:
    """A loop begins: ``rounds`` of ``size`` events, the first round being ``sample``."""

    rounds: int
    size: int
    first: int
    body: str
    level: int


Step = Show | Skip | Announce


@dataclass(frozen=True, slots=True)
class Planner:
    """Lays out a folded series.

    Attributes:
        folded: The series.
        head, tail: Rounds shown at the start and the end of each loop.
        pins: Sorted indices of events that must be seen.
    """

    folded: Folded
    head: int = 2
    tail: int = 1
    pins: tuple[int, ...] = ()

    def steps(self) -> Iterator[Step]:
        """The whole plan, lazily."""
        yield from self._level(self.folded.text, 1, self.folded.total + 1, 0)

    def _level(self, text: str, start: int, end: int, level: int) -> Iterator[Step]:
        if len(text) <= 2 * MOST_PARTS:
            for part in self.folded.parts(text, start):
                yield from self._part(part, level)
            return
        tail = text[-MOST_PARTS:]
        resume = end - sum(map(self.folded.size, tail))
        here = start
        for part in islice(self.folded.parts(text, start), MOST_PARTS):
            yield from self._part(part, level)
            here = part.start + part.size
        yield Skip(here, resume - 1, level)
        for part in self.folded.parts(tail, resume):
            yield from self._part(part, level)

    def _part(self, part: Part, level: int) -> Iterator[Step]:
        if part.loop is None:
            yield Show(part.start, level)
            return
        yield from self._loop(part.loop, part.start, level)

    def _loop(self, loop: Loop, start: int, level: int) -> Iterator[Step]:
        yield Announce(loop.rounds, loop.size, start, loop.body, level)
        shown = self._rounds(loop, start)
        upto = 0
        for k in shown:
            if k > upto:
                first = start + upto * loop.size
                yield Skip(first, start + k * loop.size - 1, level + 1, k - upto)
            begin = start + k * loop.size
            yield from self._level(loop.body, begin, begin + loop.size, level + 1)
            upto = k + 1
        if upto < loop.rounds:
            first = start + upto * loop.size
            last = start + loop.rounds * loop.size - 1
            yield Skip(first, last, level + 1, loop.rounds - upto)

    def _rounds(self, loop: Loop, start: int) -> list[int]:
        """Numbers (from 0) of the rounds to show."""
        rounds = set(range(min(self.head, loop.rounds)))
        rounds |= set(range(max(0, loop.rounds - self.tail), loop.rounds))
        end = start + loop.size * loop.rounds
        for pin in self.pins[bisect_left(self.pins, start) : bisect_left(self.pins, end)]:
            rounds.add((pin - start) // loop.size)
        filled = sorted(rounds)
        # a fold of a single round would take as much room as the round
        alone = {a + 1 for a, b in pairwise(filled) if b - a == 2 and loop.size == 1}
        return sorted(rounds | alone)

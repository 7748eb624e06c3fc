"""The timeline: one row for each event and tensor, loops folded to a screenful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from ipygradmagic.language import ntr, ptr, tr
from ipygradmagic.options import Options
from ipygradmagic.record.events import Event
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.folding import Folded, fold
from ipygradmagic.render.numbers import count
from ipygradmagic.render.plan import Announce, Planner, Show, Skip, Step
from ipygradmagic.render.rows import Detail, event_rows, unkept_rows
from ipygradmagic.render.view import Cell, Column, Line, Row, Table

MOST_PINS = 3
LINES_A_ROW = 2
LADDER = (
    (2, 1, Detail(4, True)),
    (2, 1, Detail(4, True, True)),
    (2, 1, Detail(2, True, True)),
    (2, 1, Detail(2, False, True)),
    (2, 1, Detail(1, False, True)),
    (1, 1, Detail(1, False, True)),
)
"""Harder and harder folding: rounds at the start, at the end, and detail of each event."""


@dataclass(frozen=True)
class Timeline:
    """The timeline of one trace under some options."""

    trace: Trace
    options: Options

    @cached_property
    def infos(self) -> Mapping[int, TensorInfo]:
        """Tensors by id."""
        return {t.id: t for t in self.trace.tensors}

    @cached_property
    def events(self) -> Mapping[int, Event]:
        """Kept events by index."""
        return {e.index: e for e in self.trace.events}

    @cached_property
    def pattern(self) -> tuple[int, ...]:
        """A signature for every event; made up from the kept events if it was not recorded."""
        if self.trace.pattern:
            return self.trace.pattern
        return tuple(e.signature for e in self.trace.events)

    @cached_property
    def folded(self) -> Folded:
        """The series of signatures, folded into loops."""
        return fold(self.pattern)

    @cached_property
    def examples(self) -> Mapping[int, Event]:
        """For each signature an event that looks like that."""
        found: dict[int, Event] = {}
        for event in self.trace.events:
            found.setdefault(event.signature, event)
        return found

    @cached_property
    def shown(self) -> frozenset[int] | None:
        """Ids of the tensors asked for; None if all are."""
        if not self.options.names:
            return None
        return frozenset(t.id for t in self.trace.tensors if words.matches(t, self.options.names))

    @cached_property
    def leaves(self) -> tuple[int, int]:
        """How many leaves this run had to do with, and how many it left alone, as those of earlier
        cells: the tables tell them apart in the same way."""
        mine = self.trace.leaves()
        near = [t.name in mine for t in self.trace.tensors if t.kind != "non-leaf"]
        return sum(near), len(near) - sum(near)

    @cached_property
    def pins(self) -> Mapping[int, str]:
        """Events that an alarm points at, with its severity."""
        pins: dict[int, str] = {}
        for finding in self.trace.findings:
            if finding.alarm:
                for index in finding.evidence.events[:MOST_PINS]:
                    pins.setdefault(index, finding.severity)
        return pins

    def table(self) -> Table:
        """The timeline as a table of about ``options.rows`` rows."""
        unfolded = self._unfolded()
        rows = unfolded if unfolded is not None else self._folded()
        total = max(self.trace.total, len(self.pattern))
        return Table(_caption(total), _columns(), rows)

    def _unfolded(self) -> tuple[Row, ...] | None:
        """Every event in full, if that is short enough."""
        limit = self.options.rows
        if len(self.pattern) > limit:
            return None
        steps = [Show(i, 0) for i in self._indices()]
        rows = self._at_most(steps, Detail(4, True), limit)
        return tuple(rows) if self._fits(rows) else None

    def _indices(self) -> Iterable[int]:
        if self.trace.pattern:
            return range(1, len(self.pattern) + 1)
        return (e.index for e in self.trace.events)

    def _folded(self) -> tuple[Row, ...]:
        """The loosest folding that fits; the hardest one is cut in the middle."""
        limit = self.options.rows
        for head, tail, detail in LADDER:
            planner = Planner(self.folded, head, tail, tuple(sorted(self.pins)))
            rows = self._at_most(planner.steps(), detail, limit)
            if self._fits(rows):
                return tuple(rows)
        return self._cut()

    def _fits(self, rows: list[Row]) -> bool:
        """About one screen: rows are counted, and so are the lines in them."""
        lines = sum(max((len(c.lines) for c in row.cells), default=1) for row in rows)
        return len(rows) <= self.options.rows and lines <= LINES_A_ROW * self.options.rows

    def _at_most(self, steps: Iterable[Step], detail: Detail, limit: int) -> list[Row]:
        """Rows of the steps; stops soon after there are more than ``limit``."""
        return list(islice(self._rows(steps, detail), limit + 1))

    def _rows(self, steps: Iterable[Step], detail: Detail) -> Iterator[Row]:
        for step in steps:
            yield from self._step_rows(step, detail)

    def _step_rows(self, step: Step, detail: Detail) -> Iterator[Row]:
        if isinstance(step, Show):
            yield from self._show(step, detail)
        elif isinstance(step, Skip):
            yield _spanning(self._skip_words(step), "fold", step.level)
        else:
            yield _spanning(self._announce_words(step), "group", step.level)

    def _show(self, step: Show, detail: Detail) -> Iterator[Row]:
        event = self.events.get(step.index)
        if event is not None:
            tone = self.pins.get(step.index, "")
            own = replace(event, unchanged=self._unchanged(event))
            yield from event_rows(own, self.infos, self.shown, detail, step.level, tone)
            return
        like = self.examples.get(self.pattern[step.index - 1])
        yield from unkept_rows(step.index, like, step.level)

    def _unchanged(self, event: Event) -> int:
        """How many leaves of this run the event left alone. The event counts all that are known;
        one that is gone by the end is not among the tensors, so that both ends are held."""
        near, away = self.leaves
        return max(0, min(event.unchanged - away, near - len(event.changes)))

    def _cut(self) -> tuple[Row, ...]:
        """First and last steps of a series that does not fold well, and a gap between."""
        head, tail, detail = LADDER[-1]
        planner = Planner(self.folded, head, tail, tuple(sorted(self.pins)))
        steps = list(planner.steps())
        room = max(2, self.options.rows - 1)
        upper, used = self._fill(steps, detail, room * 2 // 3)
        lower, left = self._fill(steps[used:][::-1], detail, room - len(upper), backwards=True)
        gap = steps[used : len(steps) - left]
        return (*upper, *self._gap(gap), *lower)

    def _fill(
        self, steps: list[Step], detail: Detail, room: int, *, backwards: bool = False
    ) -> tuple[list[Row], int]:
        """Rows of as many steps as fit, and how many steps that were; at least one."""
        rows: list[Row] = []
        for used, step in enumerate(steps):
            new = list(self._step_rows(step, detail))
            if used and len(rows) + len(new) > room:
                return rows, used
            rows = [*new, *rows] if backwards else [*rows, *new]
        return rows, len(steps)

    def _gap(self, steps: list[Step]) -> Iterator[Row]:
        """One row for all the events of these steps."""
        spans = [_span(s) for s in steps if not isinstance(s, Announce)]
        if spans:
            yield _spanning(self._skip_words(Skip(spans[0][0], spans[-1][1], 0)), "fold", 0)

    def _skip_words(self, step: Skip) -> str:
        events = tr("events {first}–{last}", first=count(step.first), last=count(step.last))
        if step.first == step.last:
            events = tr("event {number}", number=count(step.first))
        if step.rounds:
            return ntr(
                "… {n:,} more round alike ({events})",
                "… {n:,} more rounds alike ({events})",
                step.rounds,
                events=events,
            )
        return ntr(
            "… {n:,} more event ({events}): {kinds}",
            "… {n:,} more events ({events}): {kinds}",
            step.last - step.first + 1,
            events=events,
            kinds=self._mix(step.first, step.last),
        )

    def _mix(self, first: int, last: int) -> str:
        """How many of each kind a stretch holds: ``300 backward, 100 step``."""
        kinds: Counter[str] = Counter()
        for signature, n in Counter(self.pattern[first - 1 : last]).items():
            example = self.examples.get(signature)
            kinds[example.kind if example else tr("not kept")] += n
        return words.commas(f"{count(n)} {kind}" for kind, n in kinds.items())

    def _announce_words(self, step: Announce) -> str:
        names: list[str] = []
        for signature in self.pattern[step.first - 1 : step.first - 1 + min(step.size, 400)]:
            example = self.examples.get(signature)
            names.append(example.kind if example else tr("event"))
        return ntr(
            "↻ {rounds} rounds of {n:,} event each: {kinds}",
            "↻ {rounds} rounds of {n:,} events each: {kinds}",
            step.size,
            rounds=count(step.rounds),
            kinds=_chain(names),
        )


def _columns() -> tuple[Column, ...]:
    return (
        Column("#", "right", leads=True),
        Column(tr("event"), leads=True),
        Column(tr("line"), wraps=True, leads=True),
        Column(tr("tensor")),
        Column(tr("before"), "right"),
        Column(ptr("to a gradient", "added"), "right"),
        Column(tr("after"), "right"),
        Column(tr("gradient holds"), wraps=True, joins=True),
    )


def _caption(total: int) -> str:
    return ntr(
        "{n:,} event in order; a row for each tensor",
        "{n:,} events in order; a row for each tensor",
        total,
    )


def _span(step: Show | Skip) -> tuple[int, int]:
    return (step.index, step.index) if isinstance(step, Show) else (step.first, step.last)


def _chain(names: list[str], most: int = 8) -> str:
    """``backward → update → zero_grad``; equal neighbours become ``backward ×3``."""
    joined: list[tuple[str, int]] = []
    for name in names:
        if joined and joined[-1][0] == name:
            joined[-1] = (name, joined[-1][1] + 1)
        else:
            joined.append((name, 1))
    texts = [name if n == 1 else f"{name} ×{n}" for name, n in joined]
    return " → ".join(texts if len(texts) <= most else [*texts[:most], "…"])


def _spanning(text: str, kind: str, level: int) -> Row:
    cell = Cell((Line(text, "strong" if kind == "group" else "muted"),))
    return Row((cell,), "group" if kind == "group" else "fold", level)

"""What became of every gradient, event after event: the record as a strip of marks.

A forgotten ``zero_grad`` is seen as a row that never empties: its bar goes through the step and
on through the next backward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ipygradmagic.record.events import Change, Event, Kind
from ipygradmagic.record.tensors import EMPTY, Holds, Summary
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.fates import (
    BROKEN,
    FATES,
    FRESH,
    NONE,
    OLD,
    STALE,
    SUMMED,
    UNKNOWN,
    USED,
    ZERO,
    Fate,
    fate,
    fate_words,
)
from ipygradmagic.render.lives import Leaf, lives
from ipygradmagic.render.numbers import count
from ipygradmagic.render.plan import Planner, Show, Skip
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import SIGNS, Life, Mark, Stage, Strip, Tone

MOST_STAGES = 22
LADDER = ((2, 1), (1, 1), (1, 0))
"""Rounds at the start and at the end of each loop; the first that fits is taken."""
EARLY, LATE, AROUND = 9, 5, 7
"""Stages at the start, at the end, and about the first alarm, of a series that does not fold."""
MOST_NOTES = 4
MOST_DIGITS = 2
MOST_ACTOR = 12
TOUCHING: tuple[Kind, ...] = ("backward", "step", "update", "rebind")
LETTERS: dict[str, str] = {
    "backward": "B",
    "step": "S",
    "zero_grad": "Z",
    "edit": "E",
    "update": "U",
    "rebind": "R",
    "freeze": "F",
    "unfreeze": "UF",
}
EDITED = "′"
"""Beside the mark of a gradient that was scaled, clipped or edited by hand."""
AWAY = Mark()

Step = Show | Skip


def strip(timeline: Timeline) -> Strip | None:
    """The strip of a trace; None if nothing happened to any leaf."""
    return Lifecycle(timeline).strip()


@dataclass(frozen=True)
class Lifecycle:
    """The gradients of one trace, as far as the stages shown tell."""

    timeline: Timeline

    @property
    def trace(self) -> Trace:
        """The trace that the timeline is of."""
        return self.timeline.trace

    @cached_property
    def flags(self) -> Mapping[int, Tone]:
        """Events that a finding points at first, and how serious it is."""
        found: dict[int, Tone] = {}
        for finding in self.trace.findings:
            if finding.severity != "fine" and finding.evidence.events:
                found.setdefault(finding.evidence.events[0], finding.severity)
        return found

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """What the stages stand for."""
        if len(self.timeline.pattern) <= MOST_STAGES:
            return tuple(Show(i, 0) for i in range(1, len(self.timeline.pattern) + 1))
        pins = tuple(sorted(self.flags))
        for head, tail in LADDER:
            planner = Planner(self.timeline.folded, head, tail, pins)
            steps = (s for s in planner.steps() if isinstance(s, (Show, Skip)))
            some = tuple(islice(steps, MOST_STAGES + 1))
            if len(some) <= MOST_STAGES:
                return some
        planner = Planner(self.timeline.folded, 1, 1, pins)
        return self._cut([s for s in planner.steps() if isinstance(s, (Show, Skip))])

    def _cut(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The beginning, the end and what is about the first alarm; the rest is left out."""
        alarm = min(self.flags, default=0)
        here = next((i for i, s in enumerate(steps) if _ends(s)[1] >= alarm), 0)
        near = range(here - AROUND // 2, here + AROUND - AROUND // 2)
        chosen = {*range(EARLY), *near, *range(len(steps) - LATE, len(steps))}
        kept: list[Step] = []
        for i, step in enumerate(steps):
            if i in chosen:
                kept.append(step)
            elif kept and i - 1 not in chosen and isinstance(kept[-1], Skip):
                kept[-1] = Skip(kept[-1].first, _ends(step)[1], 0)
            else:
                kept.append(Skip(*_ends(step), 0))
        return tuple(kept)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every leaf that is asked for; those that followed one another under one name are one."""
        shown = self.timeline.shown
        found: dict[object, Leaf] = {}
        for info in self.trace.tensors:
            if info.kind == "non-leaf" or info.data or (shown is not None and info.id not in shown):
                continue
            key: object = info.name if info.generations > 1 else info.id
            leaf = found.setdefault(key, Leaf(info.name or f"tensor {info.id}", AWAY))
            leaf.ids.append(info.id)
        return tuple(found.values())

    def strip(self) -> Strip | None:
        """All of it as a block of the view."""
        if not self.steps or not self.leaves:
            return None
        self._fill()
        stages = tuple(self._stage(step) for step in self.steps)
        rows, left = lives(self.leaves)
        lesson, tone = _lesson(rows, stages)
        notes = [*self._notes(), *left]
        return Strip(
            "What each gradient holds after each event",
            lesson,
            tone,
            self._place(),
            stages,
            rows,
            tuple(_legend(rows)),
            tuple(notes),
        )

    def _fill(self) -> None:
        """Walk through the kept events, and note the state of every leaf at the stages shown."""
        home = {i: leaf for leaf in self.leaves for i in leaf.ids}
        self._start(home)
        now = {id(leaf): leaf.start for leaf in self.leaves}
        wanted = {_ends(step)[1]: step for step in self.steps}
        seen: dict[int, dict[int, Mark]] = {}
        upto = 0
        for event in self.trace.events:
            if event.index != upto + 1:  # what was not kept may have changed anything
                now = {id(leaf): AWAY if leaf.moves else leaf.start for leaf in self.leaves}
            upto = event.index
            touched = self._apply(event, home, now)
            step = wanted.get(event.index)
            if step is not None:
                own = touched if isinstance(step, Show) else set()
                seen[event.index] = {
                    leaf: _mark_of(mark, leaf in own) for leaf, mark in now.items()
                }
        for leaf in self.leaves:
            at = (seen.get(_ends(step)[1], {}) for step in self.steps)
            leaf.marks = tuple(found.get(id(leaf), AWAY) for found in at)

    def _start(self, home: Mapping[int, Leaf]) -> None:
        """The state before the first event, as the first change of each leaf found it."""
        infos = self.timeline.infos
        for leaf in self.leaves:
            last = infos[leaf.ids[0]]
            leaf.start = _mark(last.grad, last.holds or EMPTY)
        for event in self.trace.events:
            for change in event.changes:
                leaf = home.get(change.tensor)
                if leaf is not None and not leaf.moves:
                    leaf.moves = True
                    leaf.start = _found(change)

    @staticmethod
    def _apply(event: Event, home: Mapping[int, Leaf], now: dict[int, Mark]) -> set[int]:
        """Carry out one event; the leaves that it touched."""
        touched = set()
        for change in event.changes:
            leaf = home.get(change.tensor)
            if leaf is not None:
                now[id(leaf)] = _mark(change.grad_after, change.holds)
                if change.grad_changed or event.kind in TOUCHING:
                    touched.add(id(leaf))
        return touched

    def _stage(self, step: Step) -> Stage:
        if isinstance(step, Skip):
            n = step.rounds or step.last - step.first + 1
            more = "more like this" if step.rounds else f"more event{'s' * (n != 1)}"
            return Stage(f"× {count(n)} {more}", f"×{count(n)}", folds=True)
        event = self.timeline.events.get(step.index)
        tone = self.flags.get(step.index, "")
        if event is None:
            like = self.timeline.examples.get(self.timeline.pattern[step.index - 1])
            named = like.kind if like else "event"
            line = str(like.where.line) if like and like.where else ""
            return Stage(f"{named} (not kept)", f"{LETTERS.get(named, '')}?", line, tone)
        line = str(event.where.line) if event.where else ""
        named = "clip" if event.kind == "edit" and "clip" in event.label else event.kind
        if event.actor and len(self.trace.optimizers) > 1 and event.kind in ("step", "zero_grad"):
            named = f"{words.clean(event.actor, MOST_ACTOR)}.{named}"  # whose is what one wants to know
        code = f"{LETTERS[event.kind]}{count(event.number)}"
        return Stage(f"{named} #{count(event.number)}", code, line, tone)

    def _place(self) -> str:
        """Whose lines the numbers are, if all are of one cell or file."""
        shown = [self.timeline.events.get(s.index) for s in self.steps if isinstance(s, Show)]
        places = {
            words.place(event.where).rpartition(", line ")[0] for event in shown if event and event.where
        }
        return f"line of {places.pop()}" if len(places) == 1 and any(places) else "line"

    def _notes(self) -> Iterator[str]:
        shown = {s.index for s in self.steps if isinstance(s, Show)}
        for finding in self.trace.findings[:MOST_NOTES]:
            first = finding.evidence.events[:1]
            event = self.timeline.events.get(first[0]) if first else None
            if finding.severity != "fine" and event is not None and event.index in shown:
                name = words.short(finding.name)
                where = f"{event.kind} #{count(event.number)}"
                yield f"{SIGNS[finding.severity]} {name} at {where}"


def _ends(step: Step) -> tuple[int, int]:
    return (step.index, step.index) if isinstance(step, Show) else (step.first, step.last)


def _mark(grad: Summary | None, holds: Holds) -> Mark:
    found = fate(grad, holds)
    return Mark(found.name, _sign(found, holds), fate_words(grad, holds))


def _mark_of(mark: Mark, touched: bool) -> Mark:
    return Mark(mark.name, mark.sign, mark.words, True) if touched else mark


def _sign(found: Fate, holds: Holds) -> str:
    sign = found.mark
    if found in (FRESH, SUMMED) and len(str(holds.count)) <= MOST_DIGITS:
        sign = str(holds.count)
    return sign + EDITED if holds.note and found not in (NONE, ZERO) else sign


def _found(change: Change) -> Mark:
    """The state that the first change of a leaf found."""
    grad = change.grad_before
    if grad is None or not change.grad_changed:
        return _mark(grad, change.holds if grad is not None else EMPTY)
    if grad.zero:
        return Mark(ZERO.name, ZERO.mark, ZERO.word)
    state = BROKEN if not grad.finite else OLD if change.holds.earlier else UNKNOWN
    return Mark(state.name, state.mark, state.word)


def _legend(rows: Sequence[Life]) -> Iterator[tuple[str, str, str, str]]:
    marks = [m for row in rows for m in (row.start, *row.marks)]
    present = {m.name for m in marks}
    for one in FATES:
        if one.name in present:
            sign = {FRESH.name: "1", SUMMED.name: "2 3 …"}.get(one.name, one.mark)
            yield one.name, sign, one.word, one.tells
    if any(EDITED in m.sign for m in marks):
        notes = {m.words.rpartition(", ")[2] for m in marks if EDITED in m.sign}
        yield "", f"1{EDITED}", " or ".join(sorted(notes)), "by hand, after the backward"


def _lesson(rows: Sequence[Life], stages: Sequence[Stage]) -> tuple[str, Tone]:
    """What is to be seen, in a sentence: the first row that goes wrong, and how many do too."""
    for state in (BROKEN, STALE):
        wrong = [row for row in rows if any(m.name == state.name for m in row.marks)]
        if wrong:
            row = wrong[0]
            at = next(i for i, m in enumerate(row.marks) if m.name == state.name)
            more = f" (and {words.plural(len(wrong) - 1, 'more row')})" if wrong[1:] else ""
            if state is BROKEN:
                return f"{row.label}{more}: not a number after {stages[at].title}.", "error"
            before = [i for i, m in enumerate(row.marks[:at]) if m.name == USED.name and m.touched]
            used = f"used at {stages[before[-1]].title}, " if before else "used, "
            return f"{row.label}{more}: {used}never emptied, then {stages[at].title} added to it.", "error"
    return "", ""



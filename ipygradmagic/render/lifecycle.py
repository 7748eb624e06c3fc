"""What became of every gradient, event after event: the record as a strip of marks.

A forgotten ``zero_grad`` is seen as a row that never empties: its bar goes through the step and
on through the next backward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

from ipygradmagic.language import mark, ntr, tr
from ipygradmagic.record.events import Event, Kind
from ipygradmagic.record.findings import SEVERITIES, Finding
from ipygradmagic.record.tensors import EMPTY, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.fates import MIXED, STALE
from ipygradmagic.render.lives import Leaf, lives
from ipygradmagic.render.marks import AWAY, found_by, leak, legend, lesson, mark_of
from ipygradmagic.render.numbers import count
from ipygradmagic.render.plan import Planner, Show, Skip
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import SIGNS, Mark, Stage, Strip, Tone

CAPTION = mark("What each gradient holds")
MOST_STAGES = 22
LADDER = ((2, 1), (1, 1), (1, 0))
"""Rounds at the start and at the end of each loop; the first that fits is taken."""
EARLY, LATE, AROUND = 9, 5, 7
"""Stages at the start, at the end, and about the first alarm, of a series that does not fold."""
MOST_NOTES = 4
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
            first = self._first(finding)
            if finding.severity != "fine" and first:
                found.setdefault(first, finding.severity)
        return found

    def _first(self, finding: Finding) -> int:
        """The event that a finding points at first, 0 if at none.

        A graph was freed by an event that was right; it is the one that asked again that failed.
        """
        first = next(iter(finding.evidence.events), 0)
        error = self.trace.error
        if first and error is not None and first == error.freed_by:
            return next((e.index for e in self.trace.events if e.error), first)
        return first

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
        found: dict[object, Leaf] = {}
        for info in self.trace.tensors:
            if info.kind == "non-leaf" or info.data or not self._concerned(info):
                continue
            key: object = info.name if info.generations > 1 else info.id
            leaf = found.setdefault(key, Leaf(info.name or words.unnamed(info.id), AWAY))
            leaf.ids.append(info.id)
        return tuple(found.values())

    def _concerned(self, info: TensorInfo) -> bool:
        """Asked for, or of this run: leaves of earlier cells are known, too."""
        if self.timeline.shown is not None:
            return info.id in self.timeline.shown
        return (
            info.id in self.moving
            or info.name in self.suspects
            or not self.actors.isdisjoint(info.owners)
        )

    @cached_property
    def suspects(self) -> frozenset[str]:
        """Names that a finding is about, such as a leaf that no backward reaches."""
        some = (f.evidence.tensors for f in self.trace.findings if f.severity != "fine")
        return frozenset(name for names in some for name in names)

    @cached_property
    def moving(self) -> frozenset[int]:
        """Tensors that some event had to do with."""
        return frozenset(c.tensor for e in self.trace.events for c in e.changes)

    @cached_property
    def actors(self) -> frozenset[str]:
        """Optimizers that did something."""
        return frozenset(e.actor for e in self.trace.events if e.actor and e.kind != "backward")

    def strip(self) -> Strip | None:
        """All of it as a block of the view."""
        if not self.steps or not self.leaves:
            return None
        self._fill()
        stages = tuple(self._stage(step) for step in self.steps)
        rows, left = lives(self.leaves)
        # what is wrong is for the diagnosis to say: a gradient may be kept on purpose
        tone = self._tone()
        seen = lesson(rows, stages) if tone else ""
        if not seen and any(f.name == "leaked-gradient" for f in self.trace.findings):
            seen = leak(rows, stages)
        marked = [*self._notes()]
        # the sentence above says what the only marked column is
        notes = [*(marked if len(marked) > 1 or not seen else []), *left]
        return Strip(
            tr(CAPTION),
            seen,
            tone if seen else "",
            self._place(),
            stages,
            rows,
            tuple(legend(rows)),
            tuple(notes),
        )

    def _tone(self) -> Tone:
        """Of the most severe finding; empty if there is none but exonerations."""
        found = {f.severity for f in self.trace.findings}
        return next((s for s in SEVERITIES[:3] if s in found), "")

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
                    leaf: replace(mark, touched=leaf in own) for leaf, mark in now.items()
                }
        for leaf in self.leaves:
            at = (seen.get(_ends(step)[1], {}) for step in self.steps)
            leaf.marks = tuple(found.get(id(leaf), AWAY) for found in at)

    def _start(self, home: Mapping[int, Leaf]) -> None:
        """The state before the first event, as the first change of each leaf found it."""
        infos = self.timeline.infos
        for leaf in self.leaves:
            last = infos[leaf.ids[0]]
            leaf.start = mark_of(last.grad, last.holds or EMPTY)
        for event in self.trace.events:
            for change in event.changes:
                owner = home.get(change.tensor)
                if owner is not None and not owner.moves:
                    owner.moves = True
                    owner.start = found_by(change)

    @staticmethod
    def _apply(event: Event, home: Mapping[int, Leaf], now: dict[int, Mark]) -> set[int]:
        """Carry out one event; the leaves that it touched.

        What was stale once is so until it is emptied.
        """
        touched = set()
        for change in event.changes:
            leaf = home.get(change.tensor)
            if leaf is not None:
                before = now[id(leaf)].name
                now[id(leaf)] = mark_of(change.grad_after, change.holds)
                lost = not before and change.holds.used > 1  # what came before was not kept
                if now[id(leaf)].name == MIXED.name and (before == STALE.name or lost):
                    now[id(leaf)] = Mark(STALE.name, STALE.mark, STALE.word)
                if change.grad_changed or event.kind in TOUCHING:
                    touched.add(id(leaf))
        return touched

    def _stage(self, step: Step) -> Stage:
        if isinstance(step, Skip):
            n = step.rounds or step.last - step.first + 1
            more = ntr("× {n:,} more event", "× {n:,} more events", n)
            if step.rounds:
                more = tr("× {number} more like this", number=count(n))
            return Stage(more, f"×{count(n)}", folds=True)
        event = self.timeline.events.get(step.index)
        tone = self.flags.get(step.index, "")
        if event is not None:
            line = str(event.where.line) if event.where else ""
            code = f"{LETTERS[event.kind]}{count(event.number)}"
            title = f"{self._named(event)} #{count(event.number)}"
            return Stage(title, code, line, tone, word=self._named(event).rpartition(".")[2])
        like = self.timeline.examples.get(self.timeline.pattern[step.index - 1])
        if like is None:
            title = tr("{event} (not kept)", event=tr("event"))
            return Stage(title, "?", "", tone, word=tr("event"))
        line = str(like.where.line) if like.where else ""
        title = tr("{event} (not kept)", event=like.kind)
        return Stage(title, f"{LETTERS[like.kind]}?", line, tone, word=like.kind)

    def _named(self, event: Event) -> str:
        if event.kind == "edit" and "clip" in event.label:
            return "clip"
        if event.actor and len(self.trace.acting()) > 1 and event.kind in ("step", "zero_grad"):
            # whose it is, is what one wants to know there
            return f"{words.clean(event.actor, MOST_ACTOR)}.{event.kind}"
        return event.kind

    def _place(self) -> str:
        """Whose lines the numbers are, if all are of one cell or file."""
        shown = [self.timeline.events.get(s.index) for s in self.steps if isinstance(s, Show)]
        places = {words.home(event.where) for event in shown if event and event.where}
        if len(places) == 1 and any(places):
            return tr("line of {home}", home=places.pop())
        return tr("line")

    def _notes(self) -> Iterator[str]:
        shown = {s.index for s in self.steps if isinstance(s, Show)}
        for finding in self.trace.findings[:MOST_NOTES]:
            event = self.timeline.events.get(self._first(finding))
            if finding.severity != "fine" and event is not None and event.index in shown:
                name = words.short(finding.name)
                where = f"{event.kind} #{count(event.number)}"
                at = tr("{event} at {place}", event=name, place=where)
                yield f"{SIGNS[finding.severity]} {at}"


def _ends(step: Step) -> tuple[int, int]:
    return (step.index, step.index) if isinstance(step, Show) else (step.first, step.last)

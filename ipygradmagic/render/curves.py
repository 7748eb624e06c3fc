"""How loss, gradients and steps went over the run: small charts beside one another.

Only what was measured is drawn: of a long run the middle is not kept, and the size of a step is
known of small tensors only (the difference of two norms is not the norm of the difference).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import Number
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.numbers import count
from ipygradmagic.render.paths import block, coarsest_needed, kind, root
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Block, Chart, Charts, Curve, Flag, Paragraph

ENOUGH = 5
"""Fewer points make no curve."""
MOST_LOSSES, MOST_NORMS, MOST_RATIOS = 3, 8, 4
MOST_FLAGS = 4
MAGNITUDE = (
    "vanishing-gradient",
    "exploding-gradient",
    "nonfinite-gradient",
    "loss-not-a-number",
)
"""Findings that are about sizes: there the curves are what one wants to look at."""

Series = dict[int, float]


def about_sizes(trace: Trace) -> bool:
    """Is a finding about how large the numbers are?"""
    return any(f.name in MAGNITUDE and f.severity != "fine" for f in trace.findings)


def curves(timeline: Timeline) -> tuple[Block, ...]:
    """The charts of a trace, with what is to be said about them; nothing if there are too few points."""
    found = _Run(timeline)
    charts = (*found.losses(), *found.norms(), *found.ratios())
    return (Charts(charts), *found.remarks(charts)) if charts else ()


@dataclass(frozen=True)
class _Run:
    """The numbers of one trace, by what they belong to."""

    timeline: Timeline

    @property
    def trace(self) -> Trace:
        return self.timeline.trace

    @cached_property
    def passes(self) -> tuple[Event, ...]:
        """The backward passes that were kept."""
        return tuple(e for e in self.trace.events if e.kind == "backward" and not e.continues)

    @cached_property
    def axis(self) -> tuple[int, ...]:
        """Numbers of the backward passes that were kept."""
        return tuple(sorted({e.number for e in self.passes}))

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """Findings, at the last backward up to where each one happened."""
        found = []
        for finding in self.trace.findings:
            events = finding.evidence.events[:1]
            upto = [e.number for e in self.passes if events and e.index <= events[0]]
            if finding.severity != "fine" and upto:
                found.append(Flag(upto[-1], finding.severity, words.short(finding.name)))
        return tuple(found[:MOST_FLAGS])

    def losses(self) -> Iterator[Chart]:
        """A chart for each line that backpropagates a scalar."""
        series: dict[str, Series] = {}
        for event in self.passes:
            if event.loss is not None:
                series.setdefault(words.place(event.where), {})[event.number] = event.loss
        drawn = [(place, some) for place, some in series.items() if len(some) >= ENOUGH]
        for place, some in drawn[:MOST_LOSSES]:
            where = f" at {place}" if place and len(series) > 1 else ""
            yield self._chart(f"Loss{where}", "backward", some, self.axis, flags=self.flags)

    def norms(self) -> Iterator[Chart]:
        """The gradient norm after each backward: of each leaf, or of each module of a large model."""
        names = self._names()
        way = coarsest_needed(tuple(names.values()), (str, block, kind, root), MOST_NORMS)
        squares: dict[str, Series] = {}
        members: dict[str, set[int]] = {}
        for event in self.passes:
            unknown = set()
            for change in event.changes:
                if change.tensor not in names:
                    continue
                group = way(names[change.tensor])
                members.setdefault(group, set()).add(change.tensor)
                norm = change.grad_after.norm if change.grad_after is not None else None
                if norm is None:
                    unknown.add(group)
                    continue
                so_far = squares.setdefault(group, {})
                so_far[event.number] = math.hypot(so_far.get(event.number, 0.0), norm)
            for group in unknown:
                squares.get(group, {}).pop(event.number, None)
        drawn = {group: some for group, some in squares.items() if len(some) >= ENOUGH}
        span = _span(drawn.values())
        for group in list(dict.fromkeys(g for g in map(way, names.values()) if g in drawn))[
            :MOST_NORMS
        ]:
            some, mine = drawn[group], sorted(members[group])
            caption = f"Gradient norm, {words.short(group)} ({words.plural(len(mine), 'tensor')})"
            if len(mine) == 1:
                caption = f"Gradient norm, {words.short(names[mine[0]])}"
            yield self._chart(caption, "backward", some, self.axis, span, self.flags)

    def ratios(self) -> Iterator[Chart]:
        """How far each step moved a tensor, as a part of its size."""
        names = self._names()
        series: dict[tuple[int, str], Series] = {}
        steps: dict[str, set[int]] = {}
        for event in self.trace.events:
            if event.kind in ("step", "update"):
                steps.setdefault(event.kind, set()).add(event.number)
                for change in event.changes:
                    ratio = _ratio(change) if change.tensor in names else None
                    if ratio is not None:
                        series.setdefault((change.tensor, event.kind), {})[event.number] = ratio
        drawn = {key: some for key, some in series.items() if len(some) >= ENOUGH}
        span = _span(drawn.values())
        for (tensor, act), some in list(drawn.items())[:MOST_RATIOS]:
            caption = f"Relative step ‖Δw‖/‖w‖, {words.short(names[tensor])}"
            yield self._chart(caption, act, some, tuple(sorted(steps[act])), span)

    def remarks(self, charts: Sequence[Chart]) -> Iterator[Paragraph]:
        """What the reader has to know about the charts."""
        kept, total = len(self.axis), self.trace.counts().get("backward", 0)
        if total > kept:
            yield Paragraph(
                f"{count(kept)} of {words.plural(total, 'backward pass', 'backward passes')} are "
                "kept; the grey gaps stand for the others.",
                "muted",
            )
        if sum(chart.span is not None for chart in charts) > 1:
            yield Paragraph("Charts of one kind have one scale.", "muted")

    def _names(self) -> Mapping[int, str]:
        """The leaves that are asked for."""
        shown = self.timeline.shown
        return {
            t.id: t.name or f"tensor {t.id}"
            for t in self.trace.tensors
            if t.kind != "non-leaf" and not t.data and (shown is None or t.id in shown)
        }

    @staticmethod
    def _chart(
        caption: str,
        across: str,
        series: Series,
        axis: tuple[int, ...],
        span: tuple[float, float] | None = None,
        flags: tuple[Flag, ...] = (),
    ) -> Chart:
        curve = Curve("", (tuple(series.values()),), tuple(series))
        return Chart(caption, across, (curve,), 1, axis, flags, span, low=True)


def _span(series: Iterable[Series]) -> tuple[float, float] | None:
    """From the least to the greatest number of all."""
    values = [v for some in series for v in some.values() if math.isfinite(v)]
    return (min(values), max(values)) if values else None


def _ratio(change: Change) -> float | None:
    """‖Δw‖/‖w‖; None where not all numbers are known."""
    before, after = change.value_before, change.value_after
    if before is None or after is None or before.values is None or after.values is None:
        return None
    if len(before.values) != len(after.values) or not before.norm:
        return None
    moved = [_size(b, a) for b, a in zip(before.values, after.values)]
    return math.hypot(*moved) / before.norm


def _size(before: Number, after: Number) -> float:
    return abs(after - before)

"""How loss, gradients and steps went over the run: small charts beside one another.

Only what was measured is drawn: of a long run the middle is not kept, and how far a step moved a
tensor of more than 65,536 elements is estimated from a few blocks of it. The norm of a gradient
is drawn as each backward left it, and in a second line what the step really used where that is
another (clipped, unscaled), or else what the step left behind where it changed the gradient
itself, or else what the backward added where there was something in ``.grad`` already.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ipygradmagic.language import mark, tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.curve_words import (
    COMMON,
    LABELS,
    about_layers,
    about_ratios,
    about_steps,
)
from ipygradmagic.render.depth import MANY, extremes, over_depth
from ipygradmagic.render.groups import Groups
from ipygradmagic.render.numbers import count
from ipygradmagic.render.series import MOVES, Norms, Series, curve, norms, ratios
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Block, Chart, Charts, Curve, Flag, Paragraph

ENOUGH = 5
"""Fewer points make no curve."""
MOST_LOSSES = 3
RATIO = mark("Relative step ‖Δw‖/‖w‖")
MOST_FLAGS = 4
MAGNITUDE = (
    "vanishing-gradient",
    "exploding-gradient",
    "nonfinite-gradient",
    "loss-not-a-number",
)
"""Findings that are about sizes: there the curves are what one wants to look at."""


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

    @cached_property
    def groups(self) -> Groups:
        """The leaves that are asked for."""
        return Groups(self.timeline)

    @cached_property
    def found(self) -> Norms:
        """The norms of each group."""
        return norms(self.trace.events, self.groups.of.get)

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
            caption = tr("Loss")
            if place and len(series) > 1:
                caption = tr("Loss at {place}", place=place)
            line = curve("", some)
            yield Chart(caption, "backward", (line,), 1, self.axis, self.flags, low=True)

    def norms(self) -> Iterator[Chart]:
        """The gradient norm after each backward and what differs from it, of each group."""
        found, members = self.found, self.groups.members
        series = {g: found.after.series(g) for g in members}
        drawn = {g: some for g, some in series.items() if len(some) >= ENOUGH}
        yield from over_depth(tr("Gradient norm"), "backward", drawn, members)
        lines = list(self._whole()) if len(drawn) > 1 else []
        for group in _most_telling(drawn):
            caption = self.groups.called(group, found.members[group])
            lines.append((caption, _curves(found, group)))
        span = _span(value for _, some in lines for c in some for line in c.lines for value in line)
        for caption, some in lines:
            caption = tr("Gradient norm, {name}", name=caption)
            yield Chart(caption, "backward", some, 1, self.axis, self.flags, span, low=True)

    def _whole(self) -> Iterator[tuple[str, tuple[Curve, ...]]]:
        """All leaves together, where every backward reached the same ones."""
        names = self.groups.names
        found = norms(self.trace.events, lambda tensor: "" if tensor in names else None)
        if found.after.even("") and len(found.after.series("")) >= ENOUGH:
            number = count(len(found.members[""]))
            yield tr("all {number} tensors", number=number), _curves(found, "")

    def ratios(self) -> Iterator[Chart]:
        """How far each step moved a group, as a part of its size."""
        members = self.groups.members
        found = ratios(self.trace.events, self.groups.of.get)
        for act in MOVES:
            series = {g: found.get((g, act), {}) for g in members}
            drawn = {g: some for g, some in series.items() if len(some) >= ENOUGH}
            yield from over_depth(tr(RATIO), act, drawn, members)
            shown = _most_telling(drawn)
            span = _span(v for g in shown for v in drawn[g].values())
            axis = tuple(sorted({e.number for e in self.trace.events if e.kind == act}))
            guide = COMMON if act == "step" and _near(COMMON, span) else None
            if guide is not None and span is not None:
                span = min(span[0], guide), max(span[1], guide)
            for group in shown:
                name = self.groups.called(group, members[group])
                caption = tr("{what}, {name}", what=tr(RATIO), name=name)
                line = curve("", drawn[group])
                yield Chart(caption, act, (line,), 1, axis, span=span, low=True, guide=guide)

    def remarks(self, charts: Sequence[Chart]) -> Iterator[Paragraph]:
        """What the reader has to know about the charts."""
        kept, total = len(self.axis), self.trace.counts().get("backward", 0)
        if total > kept:
            yield Paragraph(
                tr(
                    "{kept} of {passes} are kept; the grey gaps stand for the others.",
                    kept=count(kept),
                    passes=words.passes(total),
                ),
                "muted",
            )
        said = [
            *about_steps(self.found, self.groups),
            *about_ratios(self.trace.events, self.groups, charts),
            *about_layers(self.groups, charts),
        ]
        if sum(chart.span is not None for chart in charts) > 1:
            said.append(tr("Charts of one kind have one scale."))
        if said:
            yield Paragraph(words.sentences(said), "muted")


def _most_telling(drawn: Mapping[str, Series]) -> list[str]:
    """All groups if they are few."""
    return list(drawn) if len(drawn) <= MANY else extremes(drawn)


def _curves(found: Norms, group: str) -> tuple[Curve, ...]:
    """The norm after each backward, and that which differs from it."""
    after, other = found.after.series(group), found.other_line(group)
    if not other:
        return (curve("", after),)
    label = tr(LABELS[found.second(group)], act=found.moves.get(group, "step"))
    return (curve(tr("after backward"), after), curve(label, other))


def _near(value: float, span: tuple[float, float] | None) -> bool:
    """The value lies in the span, or within a factor of ten of it."""
    return span is not None and span[0] / 10 <= value <= span[1] * 10


def _span(values: Iterable[float]) -> tuple[float, float] | None:
    """From the least to the greatest number of all."""
    finite = [v for v in values if math.isfinite(v)]
    return (min(finite), max(finite)) if finite else None

"""The leaves right after an event, and which event a picture is best about.

A graph is kept for the first pass of every backward line only. What goes wrong in a loop goes
wrong later, so a picture of that line may show the leaves after a later pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from ipygradmagic.record.events import Event
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.tensors import EMPTY, Holds, Summary
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.fates import BROKEN, OLD, STALE, Fate, fate
from ipygradmagic.render.scene import LeafState

MOST_LOOKED_AT = 1000
"""Events among which the first bad one is looked for."""
_BAD = (BROKEN, STALE, OLD)


def passes_of(trace: Trace, graph: Graph) -> list[Event]:
    """The kept backward events of the line that the graph is of, its own first."""
    own = trace.event(graph.event)
    if own is None:
        return []
    line = own.where.place if own.where is not None else None
    return [
        e
        for e in trace.events
        if e is own
        or (
            e.kind == "backward"
            and e.continues is None
            and line is not None
            and e.where is not None
            and e.where.place == line
        )
    ]


def telling(trace: Trace, graph: Graph) -> Event | None:
    """The event to show: the graph's own pass, or the first at which a gradient of it is bad."""
    own = trace.event(graph.event)
    if own is None or not any(f.alarm for f in trace.findings):
        return own
    leaves = {node.tensor for node in graph.nodes if node.tensor is not None}
    lines = _lines(trace)
    firsts: dict[Fate, Event] = {}
    several: Event | None = None
    for event in islice(trace.events, MOST_LOOKED_AT):
        for change in event.changes if event.index >= own.index else ():
            if change.tensor in leaves:
                firsts.setdefault(fate(change.grad_after, change.holds), event)
                if several is None and _mixed(lines, change.holds):
                    several = event
    return next((firsts[bad] for bad in _BAD if bad in firsts), several or own)


def _lines(trace: Trace) -> dict[int, str]:
    """The line of each backward, by its number."""
    return {e.number: e.where.place for e in trace.events if e.kind == "backward" and e.where}


def _mixed(lines: Mapping[int, str], holds: Holds) -> bool:
    """Are there contributions of several lines?"""
    first, last = lines.get(holds.first), lines.get(holds.last)
    return bool(first and last and first != last)


def states_after(trace: Trace, index: int) -> dict[int, LeafState]:
    """Every tensor that an event touched, as it was right after event ``index``."""
    grads: dict[int, tuple[Summary | None, Holds]] = {}
    values: dict[int, Summary] = {}
    for event in trace.events:
        past = event.index <= index or event.continues == index
        for change in event.changes:
            number = change.tensor
            if past:
                grads[number] = (change.grad_after, change.holds)
                if change.value_after is not None:
                    values[number] = change.value_after
                continue
            if number not in grads:  # untouched so far: as the next event found it
                before = change.grad_before
                grads[number] = (before, EMPTY if before is None else Holds(1, earlier=1))
            if number not in values and change.value_before is not None:
                values[number] = change.value_before
    last = {t.id: t.value for t in trace.tensors}
    lines = _lines(trace)
    return {
        number: LeafState(values.get(number, last.get(number)), grad, holds, _mixed(lines, holds))
        for number, (grad, holds) in grads.items()
    }

"""A tensor before and after something, as grids of coloured numbers.

The record keeps all elements of tensors up to ``record.tensors.SMALL``; of larger ones only at
the events that its ``grids`` are about, and of those beyond ``record.grids.SIDE`` rows or columns
the means of blocks, which make a thumbnail.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ipygradmagic.language import ptr, tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.grids import Grid, Which, matrix
from ipygradmagic.record.tensors import SMALL, Summary, TensorInfo
from ipygradmagic.render import words
from ipygradmagic.render.heat_words import said
from ipygradmagic.render.numbers import count, shape_words
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Heat, Panel

LEAST = 4
"""Elements; of fewer the timeline has all that there is to see."""
MOST_TENSORS = 2
WIDEST = 8
"""A longer vector is laid out in rows."""


def heats(timeline: Timeline) -> tuple[Heat, ...]:
    """What the first alarm is about, in numbers: before, added and after of its gradients."""
    alarm = next((f for f in timeline.trace.findings if f.alarm and f.evidence.events), None)
    if alarm is None:
        return ()
    grids = {(g.event, g.tensor, g.which): g.grid for g in timeline.trace.grids}
    found: list[Heat] = []
    for info in _concerned(timeline, alarm):
        event, change = telling(timeline.trace.events, info.id, alarm.evidence.events[0])
        if event is not None and change is not None and len(found) < MOST_TENSORS:
            found += gradient(event, Looks(event, change, info, grids))
    return (*found, *_moved(timeline, alarm, grids))


Grids = dict[tuple[int, int, Which], Grid]


@dataclass(frozen=True, slots=True)
class Looks:
    """What an event did to a tensor, as far as it is known in numbers."""

    event: Event
    change: Change
    info: TensorInfo
    grids: Grids

    def heat(self, caption: str, titles: dict[Which, str], signs: tuple[str, ...]) -> Heat | None:
        """The looks of these names, if all can be drawn, and alike."""
        grids = [self.grids.get((self.event.index, self.info.id, which)) for which in titles]
        some = [
            _of_summary(title, getattr(self.change, which), self.info.shape)
            or _of_grid(title, grid)
            for (which, title), grid in zip(titles.items(), grids)
        ]
        panels = tuple(panel for panel in some if panel is not None)
        if len(panels) < len(titles) or len({_sides(panel) for panel in panels}) > 1:
            return None
        grid = next((grid for grid in grids if grid is not None), None)
        thumbnail = grid is not None and not grid.exact
        return Heat(caption, panels, signs, thumbnail, _notes(grid) if grid is not None else ())

    def value(self) -> Heat | None:
        """The value before and after."""
        caption = tr(
            "{event} at {place}", event=words.tensor_name(self.info), place=_when(self.event)
        )
        titles: dict[Which, str] = {"value_before": tr("before"), "value_after": tr("after")}
        return self.heat(caption, titles, ("→",))


def _moved(timeline: Timeline, alarm: Finding, grids: Grids) -> Iterator[Heat]:
    """What the step that the alarm points at made of the first tensor's value."""
    event = timeline.events.get(alarm.evidence.events[0])
    info = next(iter(_concerned(timeline, alarm)), None)
    for change in event.changes if event is not None else ():
        if event is not None and info is not None and change.tensor == info.id:
            heat = Looks(event, change, info, grids).value()
            if heat is not None:
                yield heat


def _concerned(timeline: Timeline, alarm: Finding) -> Iterable[TensorInfo]:
    """Its tensors of a size that is worth drawing."""
    for info in timeline.trace.tensors:
        if info.name in alarm.evidence.tensors and math.prod(info.shape) >= LEAST:
            yield info


def telling(events: Sequence[Event], tensor: int, alarm: int) -> tuple[Event | None, Change | None]:
    """The last deposit up to the alarm: what it found in the slot is what went wrong."""
    found: tuple[Event | None, Change | None] = (None, None)
    for event in events:
        if event.index > alarm:
            break
        if event.kind == "backward":
            for change in event.changes:
                if change.tensor == tensor and change.grad_changed:
                    found = event, change
    return found


def gradient(event: Event, looks: Looks) -> list[Heat]:
    """before + added = after, where there was something before; else what came."""
    name = words.tensor_name(looks.info)
    if looks.change.grad_before is None:
        heat = looks.heat(
            tr("{state} after {event}", state=f"{name}.grad", event=_when(event)),
            {"grad_after": tr("after")},
            (),
        )
    else:
        equals = "=" if looks.change.added_exact else "≈"
        titles: dict[Which, str] = {
            "grad_before": tr("before"),
            "added": ptr("to a gradient", "added"),
            "grad_after": tr("after"),
        }
        caption = tr("{event} at {place}", event=f"{name}.grad", place=_when(event))
        heat = looks.heat(caption, titles, ("+", equals))
    return [heat] if heat is not None else []


def _when(event: Event) -> str:
    return f"{event.kind} #{count(event.number)}"


def _of_summary(title: str, summary: Summary | None, shape: Sequence[int]) -> Panel | None:
    """All numbers in rows; None if they are not known, or not real."""
    if summary is None or not summary.values:
        return None
    values = [v for v in summary.values if not isinstance(v, complex)]
    across = shape[-1] if len(shape) > 1 else min(WIDEST, len(values))
    if len(values) != len(summary.values) or not across or across > SMALL:
        return None
    return Panel(title, _rows(values, across))


def _of_grid(title: str, grid: Grid | None) -> Panel | None:
    """A matrix, or a thumbnail of it."""
    if grid is None or not grid.columns or len(grid.values) != grid.rows * grid.columns:
        return None
    return Panel(title, _rows(grid.values, grid.columns), said(grid))


def _rows(values: Sequence[float], across: int) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(values[i : i + across]) for i in range(0, len(values), across))


def _sides(panel: Panel) -> tuple[int, int]:
    return len(panel.rows), max(map(len, panel.rows))


def _notes(grid: Grid) -> tuple[str, ...]:
    """How much of the tensor one square is."""
    rows, columns = matrix(grid.shape)
    size = f"{count(rows)} × {count(columns)}" if len(grid.shape) > 1 else count(columns)
    seen = size
    if len(grid.shape) > 2:
        seen = tr("{shape} seen as {size}", shape=shape_words(grid.shape), size=size)
    if grid.exact:
        return (tr("{size} numbers", size=seen),)
    block = " × ".join(map(count, grid.block if len(grid.shape) > 1 else grid.block[1:]))
    return (
        tr("{size} numbers; each square is the mean of a block of {block}", size=seen, block=block),
    )

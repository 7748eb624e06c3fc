"""A small tensor before and after something, as grids of coloured numbers.

Only where every number is known: the record keeps all elements of tensors up to
``record.tensors.SMALL``, and of larger ones no element, so that there is nothing to draw a
thumbnail from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.tensors import Summary, TensorInfo
from ipygradmagic.render import words
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Heat, Panel

LEAST = 4
"""Elements; of fewer the timeline has all that there is to see."""
MOST_TENSORS = 2
WIDEST = 8
"""A longer vector is laid out in rows."""
CELL_WIDE, CELL_HIGH, BETWEEN, TOP, LEFT = 58, 24, 34, 24, 8
LEGEND = 40
DIGITS, MOST_TEXT = 3, 7


def heats(timeline: Timeline) -> tuple[Heat, ...]:
    """What the first alarm is about, in numbers: before, added and after of its gradients."""
    alarm = next((f for f in timeline.trace.findings if f.alarm and f.evidence.events), None)
    if alarm is None:
        return ()
    found: list[Heat] = []
    for info in _concerned(timeline, alarm):
        event, change = _telling(timeline.trace.events, info.id, alarm.evidence.events[0])
        if event is not None and change is not None and len(found) < MOST_TENSORS:
            found += _gradient(event, change, info)
    return (*found, *_moved(timeline, alarm))


def _moved(timeline: Timeline, alarm: Finding) -> Iterator[Heat]:
    """What the step that the alarm points at made of the first tensor's value."""
    event = timeline.events.get(alarm.evidence.events[0])
    info = next(iter(_concerned(timeline, alarm)), None)
    for change in event.changes if event is not None else ():
        if event is not None and info is not None and change.tensor == info.id:
            before = _panel("before", change.value_before, info.shape)
            after = _panel("after", change.value_after, info.shape)
            if before is not None and after is not None:
                caption = f"{words.tensor_name(info)} at {event.kind} #{count(event.number)}"
                yield Heat(caption, (before, after), ("→",))


def _concerned(timeline: Timeline, alarm: Finding) -> Iterable[TensorInfo]:
    """Its tensors of a size that is worth drawing."""
    for info in timeline.trace.tensors:
        if info.name in alarm.evidence.tensors and math.prod(info.shape) >= LEAST:
            yield info


def _telling(
    events: Sequence[Event], tensor: int, alarm: int
) -> tuple[Event | None, Change | None]:
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


def _gradient(event: Event, change: Change, info: TensorInfo) -> list[Heat]:
    """before + added = after, where there was something before; else what came."""
    name = words.tensor_name(info)
    when = f"{event.kind} #{count(event.number)}"
    before, added, after = (
        _panel(title, summary, info.shape)
        for title, summary in (
            ("before", change.grad_before),
            ("added", change.added),
            ("after", change.grad_after),
        )
    )
    if after is None:
        return []
    if before is None or added is None:
        return (
            [Heat(f"{name}.grad after {when}", (after,), ())] if change.grad_before is None else []
        )
    equals = "=" if change.added_exact else "≈"
    return [Heat(f"{name}.grad at {when}", (before, added, after), ("+", equals))]


def _panel(title: str, summary: Summary | None, shape: Sequence[int]) -> Panel | None:
    """All numbers in rows; None if they are not known, or not real."""
    if summary is None or not summary.values:
        return None
    values = [v for v in summary.values if not isinstance(v, complex)]
    across = shape[-1] if len(shape) > 1 else min(WIDEST, len(values))
    if len(values) != len(summary.values) or not across or across > 16:
        return None
    rows = tuple(tuple(values[i : i + across]) for i in range(0, len(values), across))
    return Panel(title, rows)


# -- in pixels -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Square:
    """A number at its place: how dark its colour is, and on which side of zero."""

    x: float
    y: float
    text: str
    side: str
    depth: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in pixels, for the template."""

    width: int
    height: int
    titles: tuple[tuple[float, str], ...]
    signs: tuple[tuple[float, float, str], ...]
    squares: tuple[Square, ...]
    most: float
    most_said: str


def drawing(heat: Heat) -> Drawing:
    """The panels side by side, of one scale with zero in its middle."""
    finite = [abs(v) for p in heat.panels for row in p.rows for v in row if math.isfinite(v)]
    most = max(finite, default=0.0)
    rows = max(len(p.rows) for p in heat.panels)
    titles, signs, squares = [], [], []
    x = float(LEFT)
    for i, panel in enumerate(heat.panels):
        across = max(map(len, panel.rows))
        titles.append((x, panel.title))
        for j, row in enumerate(panel.rows):
            for k, value in enumerate(row):
                place = x + k * CELL_WIDE, TOP + j * CELL_HIGH
                squares.append(Square(*place, _short(value), *_shade(value, most)))
        x += across * CELL_WIDE
        if i < len(heat.signs):
            signs.append((x + BETWEEN / 2, TOP + rows * CELL_HIGH / 2 + 6, heat.signs[i]))
            x += BETWEEN
    height = TOP + rows * CELL_HIGH + LEGEND
    said = number(most, DIGITS)
    return Drawing(
        round(max(x + LEFT, 240)), height, tuple(titles), tuple(signs), tuple(squares), most, said
    )


def _shade(value: float, most: float) -> tuple[str, float]:
    """Which side of zero, and how far from it, as parts of the greatest number."""
    if not math.isfinite(value):
        return "bad", 1.0
    if not value or not most:
        return "zero", 0.0
    return ("plus" if value > 0 else "minus"), round(abs(value) / most, 2)


# -- in text -------------------------------------------------------------------------------


def grid(heat: Heat, width: int) -> list[str]:
    """The panels side by side where they fit, as lines of text; else one below another."""
    blocks = [_lines(panel) for panel in heat.panels]
    tall = max(map(len, blocks))
    rows: list[list[str]] = [[] for _ in range(tall)]
    for j, block in enumerate(blocks):
        wide = max(map(len, block))
        for i, row in enumerate(rows):
            row.append((block[i] if i < len(block) else "").ljust(wide))
            if j < len(heat.signs):
                row.append(heat.signs[j] if i == (tall + 1) // 2 else " ")
    lines = ["  ".join(row).rstrip() for row in rows]
    if max(map(len, lines)) <= width:
        return lines
    return _stacked(heat, blocks)


def _stacked(heat: Heat, blocks: Sequence[Sequence[str]]) -> list[str]:
    signs = ("", *(f"{sign} " for sign in heat.signs))
    return [
        f"{sign if i == 0 else ''}{line}"
        for sign, block in zip(signs, blocks)
        for i, line in enumerate(block)
    ]


def _lines(panel: Panel) -> list[str]:
    texts = [[_short(v) for v in row] for row in panel.rows]
    wide = max(len(t) for row in texts for t in row)
    return [panel.title, *("[" + "  ".join(t.rjust(wide) for t in row) + "]" for row in texts)]


def _short(value: float) -> str:
    """A number that fits its cell."""
    text = number(value, DIGITS)
    return text if len(text) <= MOST_TEXT else number(value, DIGITS - 1)


def told(heat: Heat) -> str:
    """The same for those who cannot see the picture: one panel after another."""
    return "\n".join([heat.caption, *_stacked(heat, [_lines(panel) for panel in heat.panels])])

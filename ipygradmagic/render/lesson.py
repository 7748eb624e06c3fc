"""The last update of a right, small run: what a gradient is, and what it does to a value, in colours."""

from __future__ import annotations

import math
from dataclasses import replace

from ipygradmagic.language import tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.grids import FEW, wide
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.render import words
from ipygradmagic.render.heat import LEAST, Looks, gradient, telling
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Block, Heat, Panel, Paragraph

CLOSE = 0.01
"""A part of the largest move: a value has only so many digits for it."""


def last_change(timeline: Timeline) -> tuple[Block, ...]:
    """What the last update of a small run did to a matrix: its gradient, and how it moved.

    Nothing for a run in which something is wrong: that is shown where it went wrong.
    """
    trace = timeline.trace
    if any(f.alarm for f in trace.findings):
        return ()
    updates = (e for e in reversed(trace.events) if e.kind in ("step", "update"))
    last = next((e for e in updates if _matrices(timeline, e)), None)
    matrices = _matrices(timeline, last) if last is not None else []
    grids = {(g.event, g.tensor, g.which): g.grid for g in trace.grids}
    for change, info in matrices if len(matrices) <= FEW else ():
        event, deposit = telling(trace.events, info.id, last.index if last else 0)
        if event is not None and deposit is not None and last is not None:
            added = gradient(event, Looks(event, deposit, info, grids))
            value = Looks(last, change, info, grids).value()
            moved = _difference(value) if value is not None else None
            if added and value is not None and moved is not None and _any(moved):
                return (_lesson(event, last, info, added[0], moved), *added, moved, value)
    return ()


def _matrices(timeline: Timeline, event: Event) -> list[tuple[Change, TensorInfo]]:
    """Values that it changed of tensors with rows and columns, those with the fewest first."""
    found = [(c, timeline.infos[c.tensor]) for c in event.changes if c.tensor in timeline.infos]
    some = [(c, t) for c, t in found if c.value_after is not None and len(t.shape) > 1]
    some = [(c, t) for c, t in some if math.prod(t.shape) >= LEAST]
    return sorted(some, key=lambda pair: (wide(pair[1].shape), pair[1].id))


def _lesson(event: Event, last: Event, info: TensorInfo, added: Heat, moved: Heat) -> Paragraph:
    """What is to be seen in the two pictures below."""
    name = words.tensor_name(info)
    rate = _rate(added.panels[-1], moved.panels[0])
    said = {
        "name": name,
        "event": f"{event.kind} #{count(event.number)}",
        "last": f"{last.kind} #{count(last.number)}",
    }
    if rate is None:
        return Paragraph(
            tr(
                "The last change of {name}: {event} added to its gradient, and {last} moved its "
                "value.",
                **said,
            )
        )
    moves = tr(
        "The last change of {name}: {event} added to its gradient, and {last} moved its value by "
        "{rate} × that gradient.",
        **said,
        rate=number(rate, 3),
    )
    if rate >= 0:
        return Paragraph(moves)
    against = tr("Its signs are opposite: a value moves against its gradient.")
    return Paragraph(words.sentences((moves, against)))


def _rate(gradient: Panel, moved: Panel) -> float | None:
    """How many times the gradient the move is, if it is that everywhere."""
    pairs = [(g, m) for a, b in zip(gradient.rows, moved.rows) for g, m in zip(a, b)]
    if not all(math.isfinite(g) and math.isfinite(m) for g, m in pairs):
        return None
    largest = max(abs(m) for _, m in pairs)
    square = sum(g * g for g, _ in pairs)
    rate = sum(g * m for g, m in pairs) / square if square else 0.0
    alike = all(abs(m - rate * g) <= CLOSE * largest for g, m in pairs)
    return rate if largest and alike else None


def _any(moved: Heat) -> bool:
    return any(n for panel in moved.panels for row in panel.rows for n in row)


def _difference(value: Heat) -> Heat:
    """By how much it moved, on a scale of its own: next to the value nothing of it could be seen."""
    before, after = value.panels
    rows = tuple(
        tuple(new - old for old, new in zip(*pair)) for pair in zip(before.rows, after.rows)
    )
    said = ""
    if before.said:
        flat = [abs(n) for row in rows for n in row if math.isfinite(n)]
        said = tr("at most {number} either way", number=number(max(flat, default=0.0), 3))
    caption = tr("{caption}: moved by, after − before", caption=value.caption)
    return replace(value, caption=caption, panels=(Panel(tr("moved by"), rows, said),), signs=())

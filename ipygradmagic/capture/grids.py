"""The numbers behind the first incidents, taken from the copies that are still there at the end.

A small run without incidents has those of its last change: what a gradient is, and what it does to
a value, is to be seen in a right run as well.

Every event of a middle-sized tensor keeps a copy while the trace is recorded, and only its
statistics afterwards. These here are kept for a handful of events, so that the report can show
before, added and after, and the cost of harvesting stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from ipygradmagic.capture.recorder import RawChange, RawEvent
from ipygradmagic.capture.snapshot import Look, Part
from ipygradmagic.record.grids import FEW, SIDE, Grid, GridAt, Which, matrix, wide
from ipygradmagic.record.incidents import Incident, IncidentKind

MOST = 16
"""Grids of a trace; an incident has 8 at most."""
MOST_TENSORS = 2
"""Tensors of an incident."""
BACK = 64
"""So many kept events are looked through for the deposit that an incident is about."""
FIRST: tuple[IncidentKind, ...] = (
    "stale",
    "nonfinite",
    "nonfinite-used",
    "reused",
    "cleared-before-step",
)
"""Of these kinds before all others, as the report begins with them."""

Array = np.ndarray[Any, np.dtype[np.float64]]


def grids(
    events: Sequence[RawEvent], incidents: Iterable[Incident], names: dict[int, str]
) -> tuple[GridAt, ...]:
    """Of the first incident of each kind, as many as there is room for; without any, of the last change.

    Args:
        events: The kept ones, in no order, some of them twice.
        incidents: In order of first occurrence.
        names: Of the leaves by their id; incidents name theirs.
    """
    firsts: dict[str, Incident] = {}
    for incident in incidents:
        if incident.tensors:
            firsts.setdefault(incident.kind, incident)
    ordered = sorted(firsts.values(), key=lambda i: i.kind not in FIRST)
    found: dict[tuple[int, int, Which], GridAt] = {}
    by_index = {event.index: event for event in events}
    latest = [by_index[index] for index in sorted(by_index, reverse=True)]
    if not ordered:
        return tuple(_last_change(latest[:BACK]))
    for incident in ordered:
        for one in _of_incident(latest, incident, names):
            if len(found) < MOST:
                found.setdefault((one.event, one.tensor, one.which), one)
        if len(found) >= MOST:
            break
    return tuple(found.values())


def _of_incident(
    latest: Sequence[RawEvent], incident: Incident, names: dict[int, str]
) -> Iterator[GridAt]:
    """The last deposits up to its first event, and what the event did to the first one's value."""
    concerned = set(incident.tensors)
    deposits: dict[int, tuple[int, RawChange]] = {}
    up_to = (event for event in latest if event.index <= incident.first_event)
    for event in islice(up_to, BACK):
        some = [c for c in event.changes if names.get(c.leaf.id) in concerned]
        if event.index == incident.first_event:
            first = min((c for c in some if _copied(c)), key=lambda c: c.leaf.id, default=None)
            if first is not None:
                yield from _value(event.index, first)
        if event.kind == "backward":
            for change in some:
                if change.changed:
                    deposits.setdefault(change.leaf.id, (event.index, change))
        if len(deposits) >= len(concerned):
            break
    copied = [leaf for leaf in sorted(deposits) if isinstance(deposits[leaf][1].after, Part)]
    for leaf in copied[:MOST_TENSORS]:
        yield from _gradient(*deposits[leaf])


def _last_change(latest: Sequence[RawEvent]) -> Iterator[GridAt]:
    """What the last update did to the values of a matrix, and the deposit before it."""
    last = next((e for e in latest if e.kind in ("step", "update") and _matrices(e)), None)
    if last is None or len(_matrices(last)) > FEW:
        return
    copied = filter(_copied, _matrices(last))
    moved = min(copied, key=lambda c: (wide(c.leaf.shape), c.leaf.id), default=None)
    if moved is None:
        return
    for event in latest:
        change = event.change_of(moved.leaf.id) if event.index < last.index else None
        if event.kind == "backward" and change is not None and change.changed:
            yield from _value(last.index, moved)
            yield from _gradient(event.index, change)
            return


def _matrices(event: RawEvent) -> list[RawChange]:
    """What it did to the values of tensors with rows and columns."""
    return [c for c in event.changes if len(c.leaf.shape) > 1 and c.value_after is not None]


def _copied(change: RawChange) -> bool:
    return isinstance(change.value_before, Part) and isinstance(change.value_after, Part)


def _value(event: int, change: RawChange) -> Iterator[GridAt]:
    yield from _grid(event, change, "value_before", _numbers(change, change.value_before))
    yield from _grid(event, change, "value_after", _numbers(change, change.value_after))


def _gradient(event: int, change: RawChange) -> Iterator[GridAt]:
    """What was added is after - before where nothing else says it."""
    before, after = _numbers(change, change.before), _numbers(change, change.after)
    added = _numbers(change, change.added)
    if added is None and before is not None and after is not None:
        with np.errstate(all="ignore"):
            added = after - before
    yield from _grid(event, change, "grad_before", before)
    if before is not None:
        yield from _grid(event, change, "added", added)
    yield from _grid(event, change, "grad_after", after)


def _numbers(change: RawChange, look: Look) -> Array | None:
    """The elements as a matrix; None where there is no copy, or one of another size."""
    rows, columns = matrix(change.leaf.shape)
    if not isinstance(look, Part) or look.numel != rows * columns:
        return None
    numbers: Array = look.data.cpu().double().numpy()
    return numbers.reshape(rows, columns)


def _grid(event: int, change: RawChange, which: Which, numbers: Array | None) -> Iterator[GridAt]:
    if numbers is not None:
        yield GridAt(event, change.leaf.id, which, condensed(numbers, change.leaf.shape))


def condensed(numbers: Array, shape: Sequence[int]) -> Grid:
    """The numbers, or the means of blocks of them where there are too many.

    A mean is NaN or infinite if a number of its block is. (The numbers are divided before they are
    summed, so that the sum of finite ones is not.)
    """
    high, wide = (-(-n // SIDE) for n in numbers.shape)
    tops, lefts = (np.arange(0, n, b) for n, b in zip(numbers.shape, (high, wide)))
    if high > 1 or wide > 1:
        heights, widths = (np.diff([*at, n]) for at, n in zip((tops, lefts), numbers.shape))
        with np.errstate(all="ignore"):
            parts = numbers / (
                np.repeat(heights, heights)[:, None] * np.repeat(widths, widths)[None, :]
            )
            numbers = np.add.reduceat(np.add.reduceat(parts, tops, axis=0), lefts, axis=1)
    return Grid(tuple(shape), len(tops), len(lefts), tuple(numbers.ravel().tolist()), (high, wide))

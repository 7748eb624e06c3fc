"""The numbers of a run as series: norms by backward, relative steps by step, for groups of leaves.

Of a group the norm is that of all its members together (the root of the sum of squares); where
one of them is not known, there is no point, never a smaller number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import Summary
from ipygradmagic.render.view import Curve

Series = dict[int, float]
"""Value by number of the backward (or of the step)."""
GroupOf = Callable[[int], str | None]
"""The group of a tensor; None for one that is not asked for."""
MOVES = ("step", "update")
ALIKE = 1e-3
"""Norms that differ by no more than this part of themselves make one line in a chart."""


def curve(label: str, series: Series) -> Curve:
    """The series as a line of a chart."""
    return Curve(label, (tuple(series.values()),), tuple(series))


class Cells:
    """What is known of each member, by group and number; the last word of an event counts."""

    def __init__(self) -> None:
        self._cells: dict[str, dict[int, dict[int, float | None]]] = {}

    def put(self, group: str, number: int, tensor: int, value: float | None) -> None:
        """One more number; None if it is not known."""
        self._cells.setdefault(group, {}).setdefault(number, {})[tensor] = value

    def even(self, group: str) -> bool:
        """Every number is of the same members."""
        found = iter(self._cells.get(group, {}).values())
        first = next(found, {}).keys()
        return all(members.keys() == first for members in found)

    def series(self, group: str) -> Series:
        """The group's norms, where all its members are known."""
        found: Series = {}
        for number, members in self._cells.get(group, {}).items():
            known = [norm for norm in members.values() if norm is not None]
            if len(known) == len(members):
                found[number] = math.hypot(*known)
        return found


@dataclass
class Norms:
    """Gradient norms of each group.

    Attributes:
        after: After each backward.
        used: That the steps after it used; at the number of the group's last backward.
        left: That those steps left behind.
        added: Of what each backward added.
        other: Groups of which a member was used as another than the backward left it
            (``used``: clipped, unscaled ...), was changed by the step itself (``left``), or had
            something in its gradient before (``added``).
        moves: What used the gradients of a group, ``step`` or ``update``.
        members: The tensors of a group that a backward reached.
    """

    after: Cells = field(default_factory=Cells)
    used: Cells = field(default_factory=Cells)
    left: Cells = field(default_factory=Cells)
    added: Cells = field(default_factory=Cells)
    other: dict[str, set[str]] = field(default_factory=dict)
    moves: dict[str, str] = field(default_factory=dict)
    members: dict[str, set[int]] = field(default_factory=dict)

    def second(self, group: str) -> str:
        """Which norms a chart of the group shows beside ``after``; empty if they are the same."""
        return next((n for n in ("used", "left", "added") if group in self.other.get(n, ())), "")

    def other_line(self, group: str) -> Series:
        """Those norms."""
        cells = {"used": self.used, "left": self.left, "added": self.added}.get(self.second(group))
        return cells.series(group) if cells is not None else {}


def norms(events: Iterable[Event], group_of: GroupOf) -> Norms:
    """Gradient norms around every backward and step; what was not kept in between parts them."""
    found = Norms()
    before = 0
    last: dict[int, float | None] = {}
    latest: dict[str, int] = {}
    for event in events:
        if event.index != before + 1:
            last.clear()
            latest.clear()
        before = event.index
        for change in event.changes if event.kind in ("backward", *MOVES) else ():
            group = group_of(change.tensor)
            if group is None:
                continue
            if event.kind == "backward":
                last[change.tensor] = _norm(change.grad_after)
                if not event.continues:
                    latest[group] = event.number
                    _deposited(found, group, event.number, change)
            elif group in latest and change.grad_before is not None and event.source != "other":
                found.moves[group] = event.kind
                _used(found, group, latest[group], change, last.get(change.tensor))
    return found


def _deposited(found: Norms, group: str, number: int, change: Change) -> None:
    norm, added = _norm(change.grad_after), _norm(change.added)
    if change.added is None:
        added = change.added_norm
    found.members.setdefault(group, set()).add(change.tensor)
    found.after.put(group, number, change.tensor, norm)
    found.added.put(group, number, change.tensor, added)
    if _differ(norm, added):
        found.other.setdefault("added", set()).add(group)


def _used(found: Norms, group: str, number: int, change: Change, was: float | None) -> None:
    used = _norm(change.grad_before)
    left = used
    if change.grad_changed:
        left = 0.0 if change.grad_after is None else _norm(change.grad_after)
    found.used.put(group, number, change.tensor, used)
    found.left.put(group, number, change.tensor, left)
    for name, one, other in (("used", was, used), ("left", used, left)):
        if _differ(one, other):
            found.other.setdefault(name, set()).add(group)


def ratios(events: Iterable[Event], group_of: GroupOf) -> dict[tuple[str, str], Series]:
    """‖Δw‖/‖w‖ of each group at each step, and at each update by hand; by group and which."""
    moved, sizes = Cells(), Cells()
    acts: dict[tuple[str, str], None] = {}
    for event in events:
        for change in event.changes if event.kind in MOVES else ():
            group = group_of(change.tensor)
            if group is not None and change.value_before is not None:
                acts[group, event.kind] = None
                key = f"{event.kind} {group}"
                moved.put(key, event.number, change.tensor, change.moved)
                sizes.put(key, event.number, change.tensor, change.value_before.norm)
    found = {}
    for group, act in acts:
        size = sizes.series(f"{act} {group}")
        far = moved.series(f"{act} {group}")
        found[group, act] = {n: far[n] / size[n] for n in far if size.get(n)}
    return found


def _norm(summary: Summary | None) -> float | None:
    return summary.norm if summary is not None else None


def _differ(one: float | None, other: float | None) -> bool:
    """Both are known, and not the same; what is not finite is like what is not finite."""
    if one is None or other is None:
        return False
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.isfinite(one) != math.isfinite(other)
    return not math.isclose(one, other, rel_tol=ALIKE)

"""The rows of a strip: a leaf each, or several leaves of one module that fare alike.

A leaf that fares otherwise than the rest of its module has a row of its own: the one that was
forgotten is the one to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipygradmagic.language import ntr, tr
from ipygradmagic.render import words
from ipygradmagic.render.fates import BROKEN, OLD, STALE
from ipygradmagic.render.numbers import count
from ipygradmagic.render.paths import block, kind, root
from ipygradmagic.render.view import Life, Mark

MOST_LIVES = 16
GRAVE = (STALE.name, BROKEN.name, OLD.name)


@dataclass(slots=True)
class Leaf:
    """A leaf while its life is being written down.

    Attributes:
        name: What the user calls it.
        start: State before the first event.
        ids: Of the tensors that had the name.
        marks: State after each stage.
        moves: Some event had to do with it.
    """

    name: str
    start: Mark
    ids: list[int] = field(default_factory=list)
    marks: tuple[Mark, ...] = ()
    moves: bool = False


def lives(leaves: Sequence[Leaf]) -> tuple[tuple[Life, ...], tuple[str, ...]]:
    """At most so many rows, and a sentence on what has none."""
    if len(leaves) <= MOST_LIVES:
        return tuple(_life(leaf.name, [leaf], 1) for leaf in leaves), ()
    ways: tuple[Callable[[str], str], ...] = (kind, root, _anything)
    found: list[Life] = []
    for way in ways:
        found = _joined(leaves, way)
        if len(found) <= MOST_LIVES:
            return tuple(found), ()
    grave = [row for row in found if any(m.name in GRAVE for m in row.marks)]
    rest = [row for row in found if row not in grave]
    shown = [*grave, *rest][:MOST_LIVES]
    left = ntr(
        "… {n:,} more row that fare otherwise",
        "… {n:,} more rows that fare otherwise",
        len(found) - MOST_LIVES,
    )
    return tuple(row for row in found if row in shown), (left,)


def _anything(_: str) -> str:
    return tr("all tensors")


def _joined(leaves: Sequence[Leaf], way: Callable[[str], str]) -> list[Life]:
    """One row for the leaves that have a module and a life in common."""
    groups: dict[tuple[object, ...], list[Leaf]] = {}
    sizes: dict[str, int] = {}
    for leaf in leaves:
        key = way(leaf.name)
        sizes[key] = sizes.get(key, 0) + 1
        groups.setdefault((key, leaf.start, leaf.marks), []).append(leaf)
    return [_life(str(key), group, sizes[str(key)]) for (key, *_), group in groups.items()]


def _life(key: str, group: list[Leaf], siblings: int) -> Life:
    first = group[0]
    if len(group) == 1:
        return Life(words.clean(first.name), "", first.start, first.marks)
    blocks = len({block(leaf.name) for leaf in group})
    label = f"{key} × {count(blocks)}" if key.endswith("*") or key.endswith("[*]") else f"{key}.*"
    said = words.tensors(len(group))
    if len(group) < siblings:
        said = tr("{part} of {tensors}", part=count(len(group)), tensors=words.tensors(siblings))
    return Life(words.clean(label), said, first.start, first.marks)

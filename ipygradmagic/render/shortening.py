"""Names of one list, shortened so that those which differ stay different.

Cut in the middle, three embeddings of one model would all read ``model.bert.embeddings.…ngs.weight``.
A name is dropped by whole parts instead, and the parts by which it differs from its like stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ipygradmagic.render import words

_PART = re.compile(r"^[.\[]?[^.\[]*|[.\[][^.\[]*")
_GAP = "…"
LEAST_PART = 12
"""A part need not be shorter than that."""
MOST_TIMES = 4
"""What cannot be shortened to the length that is wished for may be so many times as long."""


def distinct(names: Sequence[str], most: int) -> list[str]:
    """The names in at most so many characters each, but for those that would then be confused."""
    parts = {name: _PART.findall(name) for name in names}
    short = {name: _shortened(name, parts, most) for name in parts}
    for like in _confused(short):
        short.update({name: words.clean(name, MOST_TIMES * most) for name in like})
    return [short[name] for name in names]


def _confused(short: Mapping[str, str]) -> list[list[str]]:
    """Names that have become one."""
    groups: dict[str, list[str]] = {}
    for name, label in short.items():
        groups.setdefault(label, []).append(name)
    return [like for like in groups.values() if len(like) > 1]


def _shortened(name: str, parts: Mapping[str, list[str]], most: int) -> str:
    """The parts that tell it from its like, what it begins and ends with, and what else fits."""
    if len(name) <= most:
        return words.clean(name)
    telling = _telling(name, parts)
    part = max(LEAST_PART, most // 2) if len(parts[name]) > 1 else most
    own = [p if i in telling else words.clean(p, part) for i, p in enumerate(parts[name])]
    first, last = 0, len(own) - 1
    for ends in ({first, last}, {last}, set[int]()):
        kept = telling | ends
        if kept and len(_joined(own, kept)) <= most:
            return words.clean(_filled(own, kept, most))
    if telling:
        return words.clean(_joined(own, telling), MOST_TIMES * most)
    return words.clean(name, most)


def _telling(name: str, parts: Mapping[str, list[str]]) -> set[int]:
    """Where it differs from those names of as many parts that are most like it."""
    own = parts[name]
    found = [
        {i for i, part in enumerate(other) if part != own[i]}
        for other in parts.values()
        if len(other) == len(own) and other != own
    ]
    least = min(map(len, found), default=0)
    return set[int]().union(*(places for places in found if len(places) == least))


def _filled(parts: Sequence[str], kept: set[int], most: int) -> str:
    """With as many of the other parts, the last ones first, as there is room for."""
    for i in reversed(range(len(parts))):
        if len(_joined(parts, kept | {i})) <= most:
            kept = kept | {i}
    return _joined(parts, kept)


def _joined(parts: Sequence[str], kept: set[int]) -> str:
    """The parts in order, with one sign for those left out between them."""
    signs = (parts[i] if i in kept else _GAP for i in range(len(parts)))
    return re.sub(f"{_GAP}+", _GAP, "".join(signs))

"""The tree of modules that the names of leaves tell of, with runs of equal siblings as one.

``encoder.layers.0.weight`` … ``encoder.layers.11.weight`` are twelve equal branches; a picture
shows one, ``encoder.layers.0…11``, and says "× 12". Branches are equal if all leaves below
them agree in name, shape, and in what became of their gradients: a layer that is frozen, or
whose gradient is stale, stays apart. Every walk is a loop over a list in which parents come
before their children.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

Path = tuple[str, ...]
DEEPEST = 24
"""Levels beyond this many are one: a name may be anything."""
_STEP = re.compile(r"[.\[\]]+")


@dataclass(slots=True)
class Branch:
    """One module, or (without children) one leaf."""

    token: str
    parent: int
    children: dict[str, int] = field(default_factory=dict)
    alike: int = -1
    shown: str = ""
    times: int = 1
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leaf is in the tree: the path of its module, runs joined, and its own name."""

    module: Path
    name: str


@dataclass(frozen=True, slots=True)
class Tree:
    """Where each leaf is, and how many equal branches a path stands for."""

    places: dict[int, Place]
    times: dict[Path, int]
    """For paths that end in a run, the length of the run."""

    @property
    def depth(self) -> int:
        """Levels of the deepest module."""
        return max((len(p.module) for p in self.places.values()), default=0)


def tokens(name: str) -> Path:
    """``layers[2].bias`` → ``("layers", "2", "bias")``."""
    parts = tuple(part for part in _STEP.split(name) if part) or (name,)
    if len(parts) <= DEEPEST:
        return parts
    return (*parts[: DEEPEST - 1], ".".join(parts[DEEPEST - 1 :]))


def tree_of(leaves: Iterable[tuple[int, str, Hashable]]) -> Tree:
    """The tree of the given leaves.

    Args:
        leaves: Id, name, and what a leaf must agree in with another to be its equal.
    """
    branches = [Branch("", -1)]
    ends: dict[int, int] = {}
    signs: dict[int, list[Hashable]] = {}
    for number, name, sign in leaves:
        here = 0
        for token in tokens(name):
            below = branches[here].children.get(token)
            if below is None:
                below = branches[here].children[token] = len(branches)
                branches.append(Branch(token, here))
            here = below
        ends[number] = here
        signs.setdefault(here, []).append(sign)
    _compare(branches, signs)
    for branch in branches:
        _join_runs(branch, branches)
    for branch in branches[1:]:
        branch.path = (*branches[branch.parent].path, branch.shown)
    times = {b.path: b.times for b in branches if b.times > 1}
    return Tree(
        {n: Place(branches[b].path[:-1], branches[b].shown) for n, b in ends.items()}, times
    )


def _compare(branches: list[Branch], signs: dict[int, list[Hashable]]) -> None:
    """Number the branches so that equal ones have equal numbers, children first."""
    numbers: dict[Hashable, int] = {}
    for i in range(len(branches) - 1, -1, -1):
        below = tuple(sorted((t, branches[c].alike) for t, c in branches[i].children.items()))
        sign = (tuple(signs.get(i, ())), below)
        branches[i].alike = numbers.setdefault(sign, len(numbers))


def _join_runs(branch: Branch, branches: list[Branch]) -> None:
    """Name the children of a branch; neighbours in a numbered list that are equal share a name."""
    numbered = sorted((t for t in branch.children if t.isdecimal() and len(t) < 10), key=int)
    run: list[Branch] = []
    for token in numbered:
        child = branches[branch.children[token]]
        if run and run[-1].alike != child.alike:
            _name_run(run)
            run = []
        run.append(child)
    _name_run(run)
    for child in (branches[i] for i in branch.children.values()):
        child.shown = child.shown or child.token


def _name_run(run: list[Branch]) -> None:
    for branch in run if len(run) > 1 else ():
        branch.shown, branch.times = f"{run[0].token}…{run[-1].token}", len(run)

"""Which cells of a session must be run again so that one of them can be.

Every binding of a name is a version of it. A cell is needed if it binds a version that is used, or
may change in place what such a version is or holds; what it uses itself is then needed, too. A name
that was bound anew leaves its earlier versions behind, with all that was done to them. A cell that
sets something for the whole process (a seed, a folder), or that may bind names which cannot be read
off it (``import *``, ``%run``), is always needed.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ipygradmagic.notebook.whatif.facts import Statement, Transform, statements

_GIVEN = frozenset(dir(builtins)) | {"get_ipython", "display", "exit", "quit", "__name__"}


@dataclass(frozen=True, slots=True)
class Past:
    """A cell that was executed.

    Attributes:
        number: Its execution number.
        source: As the user typed it.
        failed: It raised.
    """

    number: int
    source: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that no cell binds.

    Attributes:
        name: The name.
        number, line: Cell and line that use it.
        failed: The cell that binds it and raised; 0 for none.
    """

    name: str
    number: int
    line: int
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Needed:
    """The cells to run, in the order in which they were executed, and what is not to be had."""

    cells: tuple[Past, ...]
    missing: tuple[Missing, ...] = ()


@dataclass(slots=True)
class _Version:
    cell: int
    statement: Statement
    holds: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Cell:
    binds: set[int] = field(default_factory=set)
    uses: set[int] = field(default_factory=set)
    changes: set[int] = field(default_factory=set)
    direct: set[int] = field(default_factory=set)
    unknown: dict[str, int] = field(default_factory=dict)
    always: bool = False
    opens: bool = False


def needed(
    past: Sequence[Past], target: Past, transform: Transform, steady: Collection[str] = ()
) -> Needed:
    """The cells that the target needs.

    Args:
        past: Every earlier cell, in the order of execution.
        target: The cell to be run again.
        transform: IPython's way from a cell to Python.
        steady: Names of data that stays as it is unless code says in so many words that it is
            changed: handing such a thing to a model or a function does not make the cell needed.

    Raises:
        SyntaxError: The target is no Python.
    """
    reader = _Reader(transform)
    cells = {cell.number: reader.read(cell) for cell in past if not cell.failed}
    reader.settle(steady)
    wanted = reader.read(target)
    chosen = _closure(cells, wanted, reader)
    found = tuple(cell for cell in past if cell.number in chosen)
    read = {**{n: cells[n] for n in chosen}, target.number: wanted}
    opened = any(cells[n].opens for n in chosen)
    return Needed(found, () if opened else tuple(_missing(read, past, transform)))


def _closure(cells: Mapping[int, _Cell], wanted: _Cell, reader: _Reader) -> set[int]:
    chosen: set[int] = set()
    versions = set(wanted.uses)
    while True:
        more = {n for n in cells.keys() - chosen if _is_needed(cells[n], versions, reader)}
        if not more:
            return chosen
        chosen |= more
        for n in more:
            versions |= cells[n].uses


def _is_needed(cell: _Cell, versions: set[int], reader: _Reader) -> bool:
    return cell.always or bool((cell.binds | reader.changed(cell)) & versions)


def _missing(
    cells: Mapping[int, _Cell], past: Iterable[Past], transform: Transform
) -> Iterable[Missing]:
    failed = [(c.number, bound_in(c.source, transform)) for c in past if c.failed]
    told: set[str] = set()
    for number, cell in sorted(cells.items()):
        for name, line in cell.unknown.items():
            culprit = next((n for n, binds in failed if name in binds), 0)
            if name not in told:
                yield Missing(name, number, line, culprit)
            told.add(name)


def bound_in(source: str, transform: Transform) -> set[str]:
    """The names that a cell binds; none if it is no Python."""
    try:
        return {name for s in statements(source, transform, frozenset()) for name in s.binds}
    except (SyntaxError, ValueError):
        return set()


class _Reader:
    """Reads cells in the order of their execution, and keeps every version of every name."""

    def __init__(self, transform: Transform) -> None:
        self._transform = transform
        self._versions: list[_Version] = []
        self._now: dict[str, int] = {}
        self._quiet: frozenset[str] = frozenset()
        self._steady: set[int] = set()

    def read(self, past: Past) -> _Cell:
        """What a cell binds, uses and changes."""
        cell = _Cell()
        try:
            found = statements(past.source, self._transform, self._quiet)
        except (SyntaxError, ValueError):
            return cell  # it cannot have run
        bound = {name for statement in found for name in statement.binds}
        for statement in found:
            self._take(statement, cell, past.number, bound)
        return cell

    def reach(self, versions: Iterable[int]) -> set[int]:
        """The versions, and all that they hold."""
        found: set[int] = set()
        waiting = list(versions)
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self._versions[one].holds
        return found

    def settle(self, steady: Collection[str]) -> None:
        """What these names denote by now is steady."""
        self._steady = {self._now[name] for name in steady if name in self._now}

    def changed(self, cell: _Cell) -> set[int]:
        """The versions that a cell may change."""
        loose = self.reach(cell.changes - self._steady) - self._steady
        data = {v for v in loose if self._versions[v].statement.kind == "data"}
        return data | cell.direct

    def _take(self, statement: Statement, cell: _Cell, number: int, bound: set[str]) -> None:
        if not statement.opens and not statement.guesses:
            for name in sorted(statement.uses - self._now.keys() - _GIVEN - bound):
                cell.unknown.setdefault(name, statement.line)
        used = self._used(statement)
        stored = {self._now[n] for n in statement.stores if n in self._now}
        cell.uses |= used
        cell.always |= statement.world or statement.opens
        kinds = {self._versions[u].statement.kind for u in used}
        cell.always |= statement.acts and kinds <= {"import", "def"}
        cell.always |= any(self._versions[u].statement.kind == "import" for u in stored)
        cell.opens |= statement.opens
        if statement.changes:
            data = {u for u in used if self._versions[u].statement.kind == "data"}
            cell.changes |= data | stored
            cell.direct |= {self._now[n] for n in statement.direct if n in self._now}
            for one in data if statement.joins else ():
                self._versions[one].holds |= data - {one}
        for name in statement.binds:
            self._bind(name, statement, cell, number, used)
        if statement.quiet:
            self._quiet |= statement.binds
        elif statement.replaces:
            self._quiet -= statement.binds

    def _used(self, statement: Statement) -> set[int]:
        """The versions that it uses, also through the functions that it can call."""
        used = {self._now[n] for n in statement.uses if n in self._now}
        while True:
            names = {n for u in self.reach(used) for n in self._versions[u].statement.deferred}
            if statement.kind != "def":
                names |= statement.deferred
            more = used | {self._now[n] for n in names if n in self._now}
            if more == used:
                return used
            used = more

    def _bind(
        self, name: str, statement: Statement, cell: _Cell, number: int, used: set[int]
    ) -> None:
        holds = set(used)
        if not statement.replaces and name in self._now:
            holds.add(self._now[name])
            cell.uses.add(self._now[name])  # it may still be that one
        self._now[name] = len(self._versions)
        cell.binds.add(self._now[name])
        self._versions.append(_Version(number, statement, holds))

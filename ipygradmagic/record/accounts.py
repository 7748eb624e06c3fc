"""What the ledger keeps books in: runs of contributions, slots, accounts and their totals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.source import SourceLocation

MOST_RUNS = 32
"""Runs of one slot beyond this are joined with their neighbour."""


@dataclass(frozen=True, slots=True)
class LeafBook:
    """Totals for all leaves of one name.

    Attributes:
        name: Name of the leaf.
        leaves: How many leaves (generations) of that name took part.
        deposits: Contributions received in this trace.
        consumptions: Updates that consumed something new.
        smallest, largest: Fewest and most contributions consumed by one of them.
        discarded: Contributions cleared without having been read.
        pending: Contributions still held, not consumed.
        clears: How many times it was emptied.
        clear_after, clear_before: How many of those came after a consumption and before the
            next deposit; and on an already empty slot.
        rebinds: How many times the name was bound to a new leaf computed from the gradient.
    """

    name: str
    leaves: int = 1
    deposits: int = 0
    consumptions: int = 0
    smallest: int = 0
    largest: int = 0
    discarded: int = 0
    pending: int = 0
    clears: int = 0
    rebinds: int = 0


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """Totals and incidents of a trace.

    Attributes:
        counts: Events by kind.
        books: Totals for each name.
        incidents: What the books noticed, in order of first occurrence.
        closures: How many closure evaluations consumed gradients.
        actors: Names of optimizers that stepped, with their number of steps.
    """

    counts: tuple[tuple[str, int], ...] = ()
    books: tuple[LeafBook, ...] = ()
    incidents: tuple[Incident, ...] = ()
    closures: int = 0
    actors: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Run:
    """Consecutive contributions with one site and one fate."""

    site: int
    first: int
    last: int
    first_event: int
    last_event: int
    count: int = 1
    used: int = 0
    covered: bool = False
    decayed: bool = False
    earlier: bool = False
    unknown: bool = False
    origin: SourceLocation | None = None

    def copy(self) -> Run:
        """The same contributions in another slot."""
        return Run(
            self.site,
            self.first,
            self.last,
            self.first_event,
            self.last_event,
            self.count,
            self.used,
            self.covered,
            self.decayed,
            self.earlier,
            self.unknown,
            self.origin,
        )


@dataclass(slots=True)
class Slot:
    """A gradient buffer: what it holds and which leaves point at it.

    ``clipped`` is the event that clipped some of what it holds, and ``clipped_at`` its line; 0
    where none of it was clipped. ``clamped_at`` is the line that did so by hand, element by element;
    -1 for none. ``used_at`` is the line of the last update that used it, ``again``
    how often in a row an optimizer has stepped on it with nothing new in it. ``past`` tells, of a
    gradient that earlier traces used up, which optimizers did ("" for code by hand), and where.
    """

    runs: list[Run] = field(default_factory=list)
    holders: set[int] = field(default_factory=set)
    note: str = ""
    consumers: set[str] = field(default_factory=set)
    clipped: int = 0
    clipped_at: int = -1
    clamped_at: int = -1
    used_at: int = -1
    again: int = 0
    past: tuple[frozenset[str], SourceLocation | None] | None = None

    def copy(self, holder: int) -> Slot:
        """The same contributions in a buffer of another leaf."""
        runs = [r.copy() for r in self.runs]
        return replace(self, runs=runs, holders={holder}, consumers=set(self.consumers))

    def empty(self) -> None:
        """It holds nothing any more."""
        self.runs.clear()
        self.note = ""
        self.consumers.clear()
        self.clipped = self.again = 0
        self.clamped_at = -1
        self.past = None

    @property
    def used_up(self) -> bool:
        """It holds something, all of which an update has used."""
        return bool(self.runs) and all(run.used for run in self.runs)

    def twin(self) -> Slot:
        """The same buffer in other books."""
        runs = [r.copy() for r in self.runs]
        return replace(self, runs=runs, holders=set(self.holders), consumers=set(self.consumers))

    def join(self) -> None:
        """Keep the list of runs short: neighbours with one fate become one."""
        joined: list[Run] = []
        for run in self.runs:
            last = joined[-1] if joined else None
            alike = (
                last is not None
                and (last.used > 0) == (run.used > 0)
                and last.earlier == run.earlier
                and last.decayed == run.decayed
                and last.covered == run.covered
                and (last.site == run.site or run.used > 0 or len(self.runs) > MOST_RUNS)
            )
            if alike and last is not None:
                last.count += run.count
                last.last, last.last_event = run.last, run.last_event
            else:
                joined.append(run)
        self.runs = joined


@dataclass(slots=True)
class Account:
    """One leaf's totals, and what was dropped unread since its last consumption.

    ``later`` is the most that an update other than the first has consumed, ``consumer`` the
    optimizer that stepped last with this gradient ("" for an update by hand).
    """

    deposits: int = 0
    consumptions: int = 0
    smallest: int = 0
    largest: int = 0
    later: int = 0
    discarded: int = 0
    clears: int = 0
    rebinds: int = 0
    last_deposit: int = 0
    last_consumed: int = 0
    consumer: str = ""
    dropped: list[Run] = field(default_factory=list)
    undo: list[Run] = field(default_factory=list)
    cleared_at: int = -1
    first_sites: dict[int, tuple[int, int, int]] | None = None
    later_sites: set[int] = field(default_factory=set)
    dropped_by_site: dict[int, int] = field(default_factory=dict)
    used_by_site: dict[int, int] = field(default_factory=dict)

    def copy(self) -> Account:
        """The same totals for another leaf."""
        return replace(
            self,
            dropped=[run.copy() for run in self.dropped],
            undo=[run.copy() for run in self.undo],
            first_sites=None if self.first_sites is None else dict(self.first_sites),
            later_sites=set(self.later_sites),
            dropped_by_site=dict(self.dropped_by_site),
            used_by_site=dict(self.used_by_site),
        )

    def remember_dropped(self, run: Run) -> None:
        """A run was cleared unread; if a clone of it is used yet, it was not lost."""
        last = self.dropped[-1] if self.dropped else None
        if last is not None and last.site == run.site:
            last.count += run.count
            last.last = run.last
        else:
            self.dropped = [*self.dropped[-3:], run.copy()]

    def redeem(self) -> int:
        """What was dropped had been read before (a clone): it was not discarded after all."""
        size = sum(r.count for r in self.dropped)
        self.discarded -= size
        for run in self.dropped:
            known = self.dropped_by_site.get(run.site, 0)
            self.dropped_by_site[run.site] = max(0, known - run.count)
        return size


def add(total: Account, one: Account) -> Account:
    """Totals of two accounts; the smallest window counts only where there was one."""
    sizes = [a.smallest for a in (total, one) if a.consumptions]
    return Account(
        deposits=total.deposits + one.deposits,
        consumptions=total.consumptions + one.consumptions,
        smallest=min(sizes, default=0),
        largest=max(total.largest, one.largest),
        discarded=total.discarded + one.discarded,
        clears=total.clears + one.clears,
        rebinds=total.rebinds + one.rebinds,
    )

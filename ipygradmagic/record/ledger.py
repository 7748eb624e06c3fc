"""The books: which contributions each gradient holds, and which updates consumed them.

Contributions are conserved. A backward *deposits*; zeroing by any means *clears*; an update
*consumes* all that the slot holds. A contribution is **stale** when an update has consumed it,
a new deposit has reached the same slot, and a later update consumes both. That is a fact
about the numbers, whatever API was used, and it is what tells a forgotten ``zero_grad`` from
gradient accumulation.

The ledger is fed one entry at a time and never looks at a tensor: leaves, slots (gradient
buffers) and sites (lines) are plain integers. Contributions that share a site and a fate are
kept as one *run*, so memory does not grow with the number of passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import Holds

IncidentKind = Literal[
    "stale",
    "decayed",
    "reused",
    "leaked",
    "leftover",
    "first-window",
    "empty-step",
    "cleared-before-step",
    "discarded",
    "partial-window",
    "nonfinite",
    "nonfinite-used",
    "clip-after-step",
]
MOST_NAMES = 400
"""An incident names at most this many tensors; ``tensor_count`` has the full number."""
MOST_RUNS = 32
"""Runs of one slot beyond this are joined with their neighbour."""

Locate = Callable[[int], "SourceLocation | None"]
NameOf = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something the books noticed, joined over tensors and rounds.

    Attributes:
        kind: What was noticed.
        count: At how many events.
        first_event, last_event: Indices of the first and last of them.
        where: Line of the update (or of the clearing edit) that it was noticed at.
        deposited: Line of the backward whose contribution is concerned.
        other: A second telling line: the clearing, or the other backward.
        origin: Where the gradient came from, if from before this trace.
        actor: Optimizer concerned, or "" for code by hand.
        tensors: Names of the tensors, in order of appearance.
        tensor_count: How many tensors.
        number: Number of the first such step or update among its kind.
        oldest, newest: Numbers of the backward passes that were mixed, the first time; 0 if
            from before this trace.
        repeats: For ``reused``: the longest series of repeats without a new deposit. For
            ``discarded``: how many contributions of that line were consumed.
    """

    kind: IncidentKind
    count: int
    first_event: int
    last_event: int
    where: SourceLocation | None = None
    deposited: SourceLocation | None = None
    other: SourceLocation | None = None
    origin: SourceLocation | None = None
    actor: str = ""
    tensors: tuple[str, ...] = ()
    tensor_count: int = 0
    number: int = 0
    oldest: int = 0
    newest: int = 0
    repeats: int = 0


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
class _Run:
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

    def copy(self) -> _Run:
        return _Run(**{name: getattr(self, name) for name in self.__slots__})


@dataclass(slots=True)
class _Slot:
    """A gradient buffer: what it holds and which leaves point at it."""

    runs: list[_Run] = field(default_factory=list)
    holders: set[int] = field(default_factory=set)
    note: str = ""
    consumers: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Account:
    """One leaf's totals, and what was dropped unread since its last consumption."""

    deposits: int = 0
    consumptions: int = 0
    smallest: int = 0
    largest: int = 0
    discarded: int = 0
    clears: int = 0
    rebinds: int = 0
    last_deposit: int = 0
    last_consumed: int = 0
    dropped: list[_Run] = field(default_factory=list)
    cleared_at: int = -1
    first_sites: dict[int, tuple[int, int, int]] | None = None
    later_sites: set[int] = field(default_factory=set)
    dropped_by_site: dict[int, int] = field(default_factory=dict)
    used_by_site: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """An incident being collected."""

    kind: IncidentKind
    first_event: int
    last_event: int
    site: int
    deposited: int
    other: int
    origin: SourceLocation | None
    actor: str
    number: int
    oldest: int
    newest: int
    count: int = 1
    repeats: int = 0
    leaves: dict[int, str] = field(default_factory=dict)
    leaf_count: int = 0
    seen: set[int] = field(default_factory=set)


class Ledger:
    """Books that outlive the cell. All arguments are integers of the caller's choosing.

    Args:
        name_of: What a leaf is called, asked when an incident is opened or reported.
    """

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self._slots: dict[int, _Slot] = {}
        self._accounts: dict[int, _Account] = {}
        self._gone: dict[str, tuple[int, _Account]] = {}
        self._open: dict[tuple[object, ...], _Open] = {}
        self._steps: dict[str, int] = {}
        self._last_step: dict[str, int] = {}
        self._streak: dict[str, int] = {}
        self._closures = 0
        self._last_use = 0

    # -- entries -----------------------------------------------------------------------

    def attach(self, leaf: int, slot: int, *, unknown: bool = False) -> None:
        """``leaf.grad`` is the buffer ``slot``; ``unknown`` if nobody saw how it was filled."""
        found = self._slots.get(slot)
        if found is None:
            found = self._slots[slot] = _Slot()
            if unknown:
                found.runs.append(_Run(-1, 0, 0, 0, 0, unknown=True, earlier=True))
        found.holders.add(leaf)

    def found(self, leaf: int, slot: int) -> None:
        """The buffer holds something that arrived while nobody was looking."""
        self.attach(leaf, slot)
        self._slots[slot].runs = [_Run(-1, 0, 0, 0, 0, unknown=True, earlier=True)]

    def detach(self, leaf: int, slot: int, event: int, site: int) -> None:
        """``leaf.grad`` is no longer ``slot``; the buffer is dropped when no leaf holds it."""
        found = self._slots.get(slot)
        if found is None:
            return
        found.holders.discard(leaf)
        account = self._account(leaf)
        account.clears += 1
        if not found.holders:
            self._drop(account, found, leaf, event, site)
            del self._slots[slot]

    def clear(self, leaf: int, slot: int, event: int, site: int) -> None:
        """The buffer was emptied in place (for every leaf that shares it)."""
        found = self._slots.get(slot)
        account = self._account(leaf)
        account.clears += 1
        if found is not None:
            self._drop(account, found, leaf, event, site)

    def deposit(self, leaf: int, slot: int, event: int, number: int, site: int) -> None:
        """Backward ``number`` added to the slot."""
        self.attach(leaf, slot)
        found = self._slots[slot]
        if any(run.used and not run.covered for run in found.runs):
            for run in found.runs:
                run.covered = run.covered or run.used > 0
            self._join(found)
        last = found.runs[-1] if found.runs else None
        if last and last.site == site and not last.used and not last.earlier:
            if last.last != number:
                last.count += 1
            last.last, last.last_event = number, event
        else:
            found.runs.append(_Run(site, number, number, event, event))
            self._join(found)
        found.note = ""
        found.consumers.clear()
        account = self._account(leaf)
        account.deposits += 1
        account.last_deposit = event

    def assign(
        self, leaf: int, old: int | None, new: int, event: int, site: int, *, derived: bool
    ) -> None:
        """A tensor was put into ``leaf.grad`` by hand.

        A buffer that is already in the books (another leaf's gradient) brings what it holds.
        Otherwise it inherits the old contributions if it was computed from them
        (``derived``), and else counts as one contribution made by hand.
        """
        held = self._slots[old].runs if old is not None and old in self._slots else []
        inherited = [run.copy() for run in held] if derived else []
        if old is not None and old != new:
            self._hand_over(leaf, old, event, site, keep=derived)
        known = new in self._slots
        if derived:
            self._redeem(self._account(leaf))
        self.attach(leaf, new)
        if not known:
            by_hand = [_Run(site, 0, 0, event, event)]
            self._slots[new].runs = inherited or by_hand
            self._slots[new].note = "edited" if inherited else "assigned by hand"

    def edit(self, leaf: int, slot: int, event: int, site: int, how: str, number: int = 0) -> None:
        """The gradient was changed by hand: ``how`` is scaled, clipped, unscaled or edited."""
        found = self._slots.get(slot)
        if found is None:
            return
        found.note = how
        all_used = bool(found.runs) and all(run.used for run in found.runs)
        if how == "scaled" and all_used:
            for run in found.runs:
                run.decayed = True
        if how == "clipped" and all_used:
            self._incident("clip-after-step", event, leaf, site, number=number)

    def update(
        self, leaf: int, slot: int | None, event: int, site: int, number: int, kind: str
    ) -> bool:
        """A value was computed by hand from this leaf's gradient (``update`` or ``rebind``)."""
        self._last_use = event
        account = self._account(leaf)
        if kind == "rebind":
            account.rebinds += 1
        found = self._slots.get(slot) if slot is not None else None
        if found is None or not found.runs:
            return self._consume_dropped(account)
        return self._consume(account, found, leaf, event, site, number, "")

    def closure(
        self,
        actor: str,
        owned: Iterable[tuple[int, int | None]],
        event: int,
        site: int,
        number: int,
    ) -> None:
        """A closure given to ``step`` returned: what the slots hold is consumed."""
        self._closures += 1
        for leaf, slot in owned:
            found = self._slots.get(slot) if slot is not None else None
            if found is not None and found.runs:
                self._consume(self._account(leaf), found, leaf, event, site, number, actor)

    def step(
        self,
        actor: str,
        owned: Iterable[tuple[int, int | None]],
        event: int,
        site: int,
        number: int,
        *,
        began: int,
        consumes: bool = True,
    ) -> None:
        """An optimizer stepped.

        Args:
            actor: Its name.
            owned: ``(leaf, slot or None)`` for each tensor that its groups own.
            event, site, number: The event, its line and its number among the steps.
            began: Index of the first event that happened inside this step; consumption since
                then (by a nested step) is this step's own.
            consumes: False if closures already consumed, or the step was skipped.
        """
        self._steps[actor] = self._steps.get(actor, 0) + 1
        if consumes:
            self._step(actor, list(owned), event, site, number, began)
        self._last_step[actor] = self._last_use = event

    def nonfinite(self, leaf: int, event: int, site: int, number: int, *, used: bool) -> None:
        """A gradient holds NaN or infinity: at its deposit, or (``used``) at an update."""
        kind: IncidentKind = "nonfinite-used" if used else "nonfinite"
        self._incident(kind, event, leaf, site, number=number)

    def forget(self, leaf: int) -> None:
        """The leaf is gone: fold its totals into those of its name and drop its slots."""
        account = self._accounts.pop(leaf, None)
        for key in [k for k, s in self._slots.items() if leaf in s.holders]:
            slot = self._slots[key]
            slot.holders.discard(leaf)
            if not slot.holders:
                if account is not None:
                    account.discarded += sum(r.count for r in slot.runs if not r.used)
                del self._slots[key]
        if account is not None:
            name = self._name_of(leaf)
            leaves, total = self._gone.get(name, (0, _Account()))
            self._gone[name] = (leaves + 1, _add(total, account))

    # -- questions ---------------------------------------------------------------------

    def holds(self, slot: int | None) -> Holds:
        """What a buffer holds, in a few numbers."""
        found = self._slots.get(slot) if slot is not None else None
        if found is None or not found.runs:
            return Holds()
        runs = found.runs
        if len(runs) == 1 and not runs[0].earlier and runs[0].first:
            run = runs[0]
            used = run.count if run.used else 0
            stale = used if run.covered else 0
            return Holds(run.count, run.first, run.last, used, stale, note=found.note)
        mine = [r for r in runs if not r.earlier and r.first]
        before = [r for r in runs if r.earlier]
        return Holds(
            count=sum(r.count for r in runs),
            first=mine[0].first if mine else 0,
            last=mine[-1].last if mine else 0,
            used=sum(r.count for r in runs if r.used),
            stale=sum(r.count for r in runs if r.used and r.covered),
            earlier=sum(r.count for r in before),
            unknown=sum(r.count for r in before if r.unknown),
            origin=before[0].origin if before else None,
            note=found.note,
        )

    def knows(self, slot: int) -> bool:
        """Whether the buffer is in the books."""
        return slot in self._slots

    def steps(self) -> dict[str, int]:
        """How often each optimizer stepped in this trace."""
        return dict(self._steps)

    def incident_kinds(self) -> set[str]:
        """Kinds of incidents so far, for whoever wants to speak up during the run."""
        return {o.kind for o in self._open.values()}

    # -- beginning and end of a trace --------------------------------------------------

    def begin(self) -> None:
        """Start a new trace: totals from zero; what slots hold is from earlier now."""
        self._accounts.clear()
        self._gone.clear()
        self._open.clear()
        self._steps.clear()
        self._last_step.clear()
        self._streak.clear()
        self._closures = 0
        self._last_use = 0

    def close(self, locate: Locate) -> None:
        """End of a trace: what is still held will be *from earlier* for the next one."""
        for slot in self._slots.values():
            for run in slot.runs:
                if not run.earlier:
                    run.origin = locate(run.site)
                    run.earlier, run.first, run.last, run.site = True, 0, 0, -1
                run.first_event = run.last_event = 0
            slot.consumers.clear()

    def report(self, counts: dict[str, int], locate: Locate) -> LedgerReport:
        """Totals and incidents so far."""
        self._last_looks()
        incidents = sorted(self._open.values(), key=lambda o: o.first_event)
        return LedgerReport(
            counts=tuple(sorted(counts.items())),
            books=tuple(self._books()),
            incidents=tuple(self._close_incident(o, locate) for o in incidents),
            closures=self._closures,
            actors=tuple(self._steps.items()),
        )

    # -- consumption -------------------------------------------------------------------

    def _step(
        self,
        actor: str,
        owned: list[tuple[int, int | None]],
        event: int,
        site: int,
        number: int,
        began: int,
    ) -> None:
        any_held = fresh = False
        for leaf, slot in owned:
            found = self._slots.get(slot) if slot is not None else None
            if found is None or not found.runs:
                continue
            any_held = True
            account = self._account(leaf)
            nested = account.last_consumed >= began and account.last_deposit < account.last_consumed
            if nested:
                fresh = True
                found.consumers.add(actor)
                continue
            repeated = actor in found.consumers and all(r.used for r in found.runs)
            if not repeated:
                fresh = True
                if all(r.used for r in found.runs):
                    self._point_at_step(account, leaf, event, site, number, actor)
            self._consume(account, found, leaf, event, site, number, actor)
        if not any_held and owned:
            self._empty_step(actor, owned, event, site, number)
        elif any_held and not fresh:
            self._reused(actor, owned, event, site, number)
        else:
            self._streak[actor] = 0

    def _point_at_step(
        self, account: _Account, leaf: int, event: int, site: int, number: int, actor: str
    ) -> None:
        """A write by hand opened this window and a step closes it: blame the step, not the write.

        (SAM takes its perturbation back by hand before the step that uses the gradient.)
        """
        for key, found in tuple(self._open.items()):
            mine = found.kind == "stale" and not found.actor and leaf in found.leaves
            if mine and found.last_event == account.last_consumed:
                moved = self._incident(
                    "stale",
                    event,
                    leaf,
                    site,
                    actor=actor,
                    number=number,
                    deposited=found.deposited,
                    oldest=found.oldest,
                    newest=found.newest,
                    origin=found.origin,
                )
                for other in found.leaves:
                    self._name_leaf(moved, other)
                del self._open[key]

    def _empty_step(
        self,
        actor: str,
        owned: list[tuple[int, int | None]],
        event: int,
        site: int,
        number: int,
    ) -> None:
        accounts = [(leaf, self._account(leaf)) for leaf, _ in owned]
        lost = [(leaf, a) for leaf, a in accounts if a.dropped]
        for leaf, account in lost or accounts:
            kind: IncidentKind = "cleared-before-step" if lost else "empty-step"
            deposited = account.dropped[-1].site if account.dropped else -1
            self._incident(
                kind,
                event,
                leaf,
                site,
                actor=actor,
                number=number,
                deposited=deposited,
                other=account.cleared_at if lost else -1,
            )
        for _, account in lost:
            account.dropped.clear()

    def _reused(
        self,
        actor: str,
        owned: list[tuple[int, int | None]],
        event: int,
        site: int,
        number: int,
    ) -> None:
        self._streak[actor] = self._streak.get(actor, 0) + 1
        for leaf, slot in owned:
            found = self._slots.get(slot) if slot is not None else None
            if found is not None and found.runs:
                last = found.runs[-1]
                opened = self._incident(
                    "reused",
                    event,
                    leaf,
                    site,
                    actor=actor,
                    number=number,
                    deposited=last.site,
                    oldest=last.last,
                    newest=last.last,
                    origin=last.origin,
                )
                opened.repeats = max(opened.repeats, self._streak[actor])

    def _consume(
        self,
        account: _Account,
        slot: _Slot,
        leaf: int,
        event: int,
        site: int,
        number: int,
        actor: str,
    ) -> bool:
        fresh = [r for r in slot.runs if not r.used]
        slot.consumers.add(actor)
        if not fresh:
            return False
        self._judge(slot.runs, fresh, leaf, event, site, number, actor)
        size = sum(r.count for r in fresh)
        account.smallest = min(account.smallest, size) if account.consumptions else size
        account.largest = max(account.largest, size)
        account.consumptions += 1
        account.last_consumed = event
        account.dropped.clear()
        self._note_sites(account, fresh, (event, number, site))
        for run in slot.runs:
            run.used += 1
        self._join(slot)
        return True

    def _consume_dropped(self, account: _Account) -> bool:
        """A clone taken before the slot was cleared was used: then it was not discarded."""
        if not account.dropped:
            return False
        size = self._redeem(account)
        account.smallest = min(account.smallest, size) if account.consumptions else size
        account.largest = max(account.largest, size)
        account.consumptions += 1
        for run in account.dropped:
            account.used_by_site[run.site] = account.used_by_site.get(run.site, 0) + run.count
        account.dropped.clear()
        return True

    def _judge(
        self,
        runs: list[_Run],
        fresh: list[_Run],
        leaf: int,
        event: int,
        site: int,
        number: int,
        actor: str,
    ) -> None:
        newest = fresh[-1]
        old = [r for r in runs if r.used]
        for kind, some in (
            ("stale", [r for r in old if not r.decayed]),
            ("decayed", [r for r in old if r.decayed]),
        ):
            if some:
                first = next((r for r in some if not r.earlier), some[0])
                self._incident(
                    "stale" if kind == "stale" else "decayed",
                    event,
                    leaf,
                    site,
                    actor=actor,
                    number=number,
                    deposited=newest.site,
                    oldest=first.first,
                    newest=newest.last,
                    origin=first.origin,
                )
        before = [r for r in fresh if r.earlier]
        if before and len(before) < len(fresh):
            self._incident(
                "leftover",
                event,
                leaf,
                site,
                actor=actor,
                number=number,
                deposited=newest.site,
                newest=newest.last,
                origin=before[0].origin,
            )
        self._judge_leak([r for r in fresh if not r.earlier], leaf, event, site, number, actor)

    def _judge_leak(
        self, fresh: list[_Run], leaf: int, event: int, site: int, number: int, actor: str
    ) -> None:
        """Deposits from different lines with another optimizer's step between them."""
        if not actor or (len(self._last_step) < 2 and actor in self._last_step):
            return
        others = [last for name, last in self._last_step.items() if name != actor]
        for run, newer in pairwise(fresh):
            between = any(run.last_event < step < newer.first_event for step in others)
            if between and run.site != newer.site:
                self._incident(
                    "leaked",
                    event,
                    leaf,
                    site,
                    actor=actor,
                    number=number,
                    deposited=run.site,
                    other=newer.site,
                    oldest=run.last,
                    newest=newer.last,
                )
                return

    def _note_sites(
        self, account: _Account, fresh: list[_Run], where: tuple[int, int, int]
    ) -> None:
        for run in fresh:
            account.used_by_site[run.site] = account.used_by_site.get(run.site, 0) + run.count
        if account.first_sites is None:
            mine = [r for r in fresh if not r.earlier and r.first]
            account.first_sites = dict.fromkeys((r.site for r in mine), where)
        else:
            account.later_sites.update(r.site for r in fresh)

    def _drop(self, account: _Account, slot: _Slot, leaf: int, event: int, site: int) -> None:
        unread = [r for r in slot.runs if not r.used]
        lost = [r for r in unread if r.first_event > self._last_use and r.first]
        for run in unread:
            account.discarded += run.count
            self._remember_dropped(account, run)
        for run in lost:  # nothing at all stepped since: nobody had a chance to use them
            account.dropped_by_site[run.site] = account.dropped_by_site.get(run.site, 0) + run.count
        size = sum(r.count for r in lost)
        if unread:
            account.cleared_at = site
        if 0 < size < account.largest:
            self._incident("partial-window", event, leaf, site, deposited=lost[0].site)
        slot.runs.clear()
        slot.note = ""
        slot.consumers.clear()

    @staticmethod
    def _remember_dropped(account: _Account, run: _Run) -> None:
        last = account.dropped[-1] if account.dropped else None
        if last is not None and last.site == run.site:
            last.count += run.count
            last.last = run.last
        else:
            account.dropped = [*account.dropped[-3:], run.copy()]

    def _redeem(self, account: _Account) -> int:
        """What was dropped had been read before (a clone): it was not discarded after all."""
        size = sum(r.count for r in account.dropped)
        account.discarded -= size
        for run in account.dropped:
            known = account.dropped_by_site.get(run.site, 0)
            account.dropped_by_site[run.site] = max(0, known - run.count)
        return size

    def _hand_over(self, leaf: int, old: int, event: int, site: int, *, keep: bool) -> None:
        found = self._slots.get(old)
        if found is None:
            return
        found.holders.discard(leaf)
        if not found.holders:
            if not keep:
                self._drop(self._account(leaf), found, leaf, event, site)
            del self._slots[old]

    @staticmethod
    def _join(slot: _Slot) -> None:
        """Keep the list of runs short: neighbours with one fate become one."""
        joined: list[_Run] = []
        for run in slot.runs:
            last = joined[-1] if joined else None
            alike = (
                last is not None
                and (last.used > 0) == (run.used > 0)
                and last.earlier == run.earlier
                and last.decayed == run.decayed
                and last.covered == run.covered
                and (last.site == run.site or run.used > 0 or len(slot.runs) > MOST_RUNS)
            )
            if alike and last is not None:
                last.count += run.count
                last.last, last.last_event = run.last, run.last_event
            else:
                joined.append(run)
        slot.runs = joined

    # -- incidents ---------------------------------------------------------------------

    def _incident(
        self,
        kind: IncidentKind,
        event: int,
        leaf: int,
        site: int,
        *,
        actor: str = "",
        number: int = 0,
        deposited: int = -1,
        other: int = -1,
        oldest: int = 0,
        newest: int = 0,
        origin: SourceLocation | None = None,
    ) -> _Open:
        key = (kind, site, actor, deposited if kind == "leaked" else -1, origin)
        found = self._open.get(key)
        if found is None:
            found = self._open[key] = _Open(
                kind, event, event, site, deposited, other, origin, actor, number, oldest, newest
            )
        elif found.last_event != event:
            found.count += 1
            found.last_event = event
        self._name_leaf(found, leaf)
        return found

    def _name_leaf(self, found: _Open, leaf: int) -> None:
        if leaf not in found.leaves:
            found.leaf_count += 1
            if len(found.leaves) < MOST_NAMES:
                found.leaves[leaf] = self._name_of(leaf)

    def _last_looks(self) -> None:
        """What can only be said at the end: odd first windows, and what was thrown away."""
        for leaf, account in self._accounts.items():
            if account.first_sites and account.later_sites and account.consumptions > 2:
                strangers = set(account.first_sites) - account.later_sites
                if strangers and len(strangers) < len(account.first_sites):
                    site = min(strangers)
                    event, number, used_at = account.first_sites[site]
                    self._incident(
                        "first-window", event, leaf, used_at, deposited=site, number=number
                    )
            for site, lost in account.dropped_by_site.items():
                used = account.used_by_site.get(site, 0)
                if lost > 0 and used > 0:
                    found = self._incident(
                        "discarded",
                        account.last_deposit,
                        leaf,
                        account.cleared_at,
                        deposited=site,
                    )
                    found.count = max(found.count, lost)
                    found.repeats = max(found.repeats, used)

    def _close_incident(self, found: _Open, locate: Locate) -> Incident:
        names = dict.fromkeys(self._name_of(leaf) or old for leaf, old in found.leaves.items())
        return Incident(
            kind=found.kind,
            count=found.count,
            first_event=found.first_event,
            last_event=found.last_event,
            where=locate(found.site),
            deposited=locate(found.deposited),
            other=locate(found.other),
            origin=found.origin,
            actor=found.actor,
            tensors=tuple(names),
            tensor_count=max(len(names), 1) if len(names) < MOST_NAMES else found.leaf_count,
            number=found.number,
            oldest=found.oldest,
            newest=found.newest,
            repeats=found.repeats,
        )

    def _books(self) -> Iterable[LeafBook]:
        totals = {name: (n, _add(_Account(), a)) for name, (n, a) in self._gone.items()}
        pending: dict[str, int] = {}
        for leaf, account in self._accounts.items():
            name = self._name_of(leaf)
            leaves, total = totals.get(name, (0, _Account()))
            totals[name] = (leaves + 1, _add(total, account))
        for slot in self._slots.values():
            unused = sum(r.count for r in slot.runs if not r.used)
            for leaf in slot.holders & self._accounts.keys():
                name = self._name_of(leaf)
                pending[name] = pending.get(name, 0) + unused
        for name, (leaves, a) in totals.items():
            yield LeafBook(
                name=name,
                leaves=leaves,
                deposits=a.deposits,
                consumptions=a.consumptions,
                smallest=a.smallest,
                largest=a.largest,
                discarded=a.discarded,
                pending=pending.get(name, 0),
                clears=a.clears,
                rebinds=a.rebinds,
            )

    def _account(self, leaf: int) -> _Account:
        found = self._accounts.get(leaf)
        if found is None:
            found = self._accounts[leaf] = _Account()
        return found


def _add(total: _Account, one: _Account) -> _Account:
    """Totals of two accounts; the smallest window counts only where there was one."""
    sizes = [a.smallest for a in (total, one) if a.consumptions]
    return _Account(
        deposits=total.deposits + one.deposits,
        consumptions=total.consumptions + one.consumptions,
        smallest=min(sizes, default=0),
        largest=max(total.largest, one.largest),
        discarded=total.discarded + one.discarded,
        clears=total.clears + one.clears,
        rebinds=total.rebinds + one.rebinds,
    )

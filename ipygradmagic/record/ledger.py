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

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from ipygradmagic.record.accounts import Account, LeafBook, LedgerReport, Run, Slot, add
from ipygradmagic.record.incidents import (
    Incident,
    IncidentKind,
    Incidents,
    Kept,
    Locate,
    NameOf,
    Open,
)
from ipygradmagic.record.pace import Stand, advance
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import EMPTY, Holds

__all__ = ["Incident", "IncidentKind", "LeafBook", "Ledger", "LedgerReport"]


_MOST_HELD = 256
_MOST_SPARE = 4096


class Ledger:
    """Books that outlive the cell. All arguments are integers of the caller's choosing.

    Args:
        name_of: What a leaf is called, asked when an incident is opened or reported.
    """

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self._slots: dict[int, Slot] = {}
        self._accounts: dict[int, Account] = {}
        self._gone: dict[str, tuple[int, Account]] = {}
        self._incidents = Incidents(name_of)
        self._steps: dict[str, int] = {}
        self._last_step: dict[str, int] = {}
        self._streak: dict[str, int] = {}
        self._closures = 0
        self._last_use = 0
        self._broken = 0  # event of the last deposit that left NaN or infinity
        self._in_time: set[int] = set()  # lines that clipped something before its use
        self._bonds = 0
        self._spare: list[Slot] = []
        self._held: dict[tuple[int, int, int, int, int, str], Holds] = {}

    # -- entries -----------------------------------------------------------------------

    def attach(self, leaf: int, slot: int, *, unknown: bool = False) -> None:
        """``leaf.grad`` is the buffer ``slot``; ``unknown`` if nobody saw how it was filled."""
        found = self._slots.get(slot)
        if found is None:
            found = self._slots[slot] = self._spare.pop() if self._spare else Slot()
            if unknown:
                found.runs.append(Run(-1, 0, 0, 0, 0, unknown=True, earlier=True))
        found.holders.add(leaf)

    def found(self, leaf: int, slot: int) -> None:
        """The buffer holds something that arrived while nobody was looking."""
        self.attach(leaf, slot)
        self._slots[slot].runs = [Run(-1, 0, 0, 0, 0, unknown=True, earlier=True)]

    def detach(self, leaf: int, slot: int, event: int, site: int) -> None:
        """``leaf.grad`` is no longer ``slot``; the buffer is dropped when no leaf holds it."""
        found = self._slots.get(slot)
        if found is None:
            return
        found.holders.discard(leaf)
        account = self._account(leaf)
        account.clears += 1
        if account.undo:
            account.undo = []
        if not found.holders:
            if found.runs:
                self._drop(account, found, leaf, event, site)
            del self._slots[slot]
            if (
                len(self._spare) < _MOST_SPARE
            ):  # empty now; making new ones costs garbage collection
                found.empty()
                self._spare.append(found)

    def clear(self, leaf: int, slot: int, event: int, site: int) -> None:
        """The buffer was emptied in place (for every leaf that shares it)."""
        found = self._slots.get(slot)
        account = self._account(leaf)
        account.clears += 1
        if account.undo:
            account.undo = []
        if found is not None:
            self._drop(account, found, leaf, event, site)

    def deposit(self, leaf: int, slot: int, event: int, number: int, site: int) -> None:
        """Backward ``number`` added to the slot."""
        found = self._slots.get(slot)
        if found is None:
            found = self._slots[slot] = self._spare.pop() if self._spare else Slot()
        found.holders.add(leaf)
        covered = False
        for run in found.runs:
            if run.used and not run.covered:
                run.covered = covered = True
        if covered:
            found.join()
        last = found.runs[-1] if found.runs else None
        if last and last.site == site and not last.used and not last.earlier:
            if last.last != number:
                last.count += 1
            last.last, last.last_event = number, event
        else:
            found.runs.append(Run(site, number, number, event, event))
            if last:
                found.join()
        found.note = ""
        found.consumers.clear()
        account = self._account(leaf)
        account.deposits += 1
        account.last_deposit = event

    def assign(
        self,
        leaf: int,
        old: int | None,
        new: int,
        event: int,
        site: int,
        *,
        derived: bool,
        empty: bool = False,
    ) -> None:
        """A tensor was put into ``leaf.grad`` by hand.

        A buffer that is already in the books (another leaf's gradient) brings what it holds.
        Otherwise it inherits the old contributions if it was computed from them
        (``derived``), and else counts as one contribution made by hand (none if it is ``empty``).
        """
        held = self._slots[old].runs if old is not None and old in self._slots else []
        inherited = [run.copy() for run in held] if derived else []
        if old is not None and old != new:
            self._hand_over(leaf, old, event, site, keep=derived)
        known = new in self._slots
        self.attach(leaf, new)
        if not known and (inherited or not empty):
            by_hand = [Run(site, 0, 0, event, event)]
            self._slots[new].runs = inherited or by_hand
            self._slots[new].note = "edited" if inherited else "assigned by hand"

    def gather(self, leaf: int) -> None:
        """A gradient was put together from clones: what was cleared since had been read before."""
        account = self._account(leaf)
        account.redeem()
        account.dropped.clear()

    def edit(
        self,
        leaf: int,
        slot: int,
        event: int,
        site: int,
        how: str,
        number: int = 0,
        *,
        changed: bool = True,
    ) -> None:
        """The gradient was changed by hand.

        Args:
            leaf, slot, event, site, number: Whose, which, when and where.
            how: ``scaled``, ``clipped``, ``clamped`` (by hand), ``unscaled``, ``added``, ``replaced``
                or ``edited``.
            changed: Whether any number came out differently.

        What is written into an empty slot, replaces all of it, or is added to a gradient that has
        been used already, is a contribution made by hand.
        """
        self.attach(leaf, slot)
        found = self._slots[slot]
        found.note = "edited" if how in ("added", "clamped") else how
        all_used = bool(found.runs) and all(run.used for run in found.runs)
        if not found.runs or how == "replaced":
            found.runs = [Run(site, 0, 0, event, event)]
            found.consumers.clear()
            found.clipped = 0
            found.note = "assigned by hand"
            self._account(leaf).last_deposit = event
        elif how == "added" and all_used:
            for run in found.runs:
                run.covered = True
            found.runs.append(Run(site, 0, 0, event, event))
            found.consumers.clear()
            self._account(leaf).last_deposit = event
        elif how == "scaled" and all_used and changed:
            for run in found.runs:
                run.decayed = True
        elif how in ("clipped", "clamped") and all_used:
            if not any(run.decayed for run in found.runs):  # else it is kept, and used once more
                late = self._incidents.note("clip-after-step", event, leaf, site, number=number)
                late.repeats = int(how == "clamped")
        elif how in ("clipped", "clamped"):
            self._in_time.add(site)
            if how == "clipped":
                self._clip(found, leaf, event, site, changed)
            else:
                found.clamped_at = site
        elif how == "unscaled" and (found.clipped or found.clamped_at >= 0):
            clipped_at = found.clipped_at if found.clipped else found.clamped_at
            self._incidents.note("clip-scaled", event, leaf, site, other=clipped_at)

    def _clip(self, held: Slot, leaf: int, event: int, site: int, changed: bool) -> None:
        """What was clipped before, with a newer contribution on top, is clipped once more."""
        if held.clipped and held.clipped < self._account(leaf).last_deposit:
            deposited = held.runs[-1].site
            again = self._incidents.note("clip-again", event, leaf, site, deposited=deposited)
            again.repeats += changed * len(self._incidents.members.get(leaf, (leaf,)))
        held.clipped, held.clipped_at = event, site

    def notice(
        self,
        kind: IncidentKind,
        event: int,
        site: int,
        leaves: Iterable[int] = (),
        *,
        count: int = 1,
        actor: str = "",
        other: int = -1,
        oldest: int = 0,
        repeats: int = 0,
        origin: SourceLocation | None = None,
    ) -> None:
        """Something that a watcher counted by itself; the arguments are as in ``Incident``."""
        found = self._incidents.add(kind, event, site, actor)
        found.count, found.other, found.oldest, found.repeats = count, other, oldest, repeats
        found.origin = origin
        for leaf in leaves:
            self._incidents.name_leaf(found, leaf)

    def has(self, kind: IncidentKind) -> bool:
        """Whether such an incident has been noticed in this trace."""
        return any(found.kind == kind for found in self._incidents.opened())

    @property
    def last_use(self) -> int:
        """Index of the last event that used gradients; 0 for none."""
        return self._last_use

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
        before = [run.copy() for run in found.runs]
        if found.past is not None:
            self._judge_past(found, leaf, event, site, number, "")
        used = self._consume(account, found, leaf, event, site, number, "")
        if used:
            account.undo = before
        return used

    def idle(self, leaf: int, event: int, site: int, number: int) -> None:
        """An update by hand read a gradient that had been emptied, and did nothing."""
        account = self._account(leaf)
        if account.dropped:
            found = self._incidents.note("cleared-before-step", event, leaf, site, number=number)
            found.deposited, found.other = account.dropped[-1].site, account.cleared_at
            account.dropped.clear()

    def undo(self, leaf: int, slot: int | None, event: int) -> None:
        """The last update by hand was taken back: the value is what it was before it.

        (Adversarial training moves the weights along the gradient, makes a second backward there,
        and puts them back before the step.) What that update consumed is held, unused, again; unless
        it was cleared meanwhile (SAM): then that was its use.
        """
        account = self._account(leaf)
        found = self._slots.get(slot) if slot is not None else None
        if found is None or not account.undo or not found.runs:
            return
        newer = [run for run in found.runs if not run.used]
        found.runs = [*account.undo, *newer]
        found.consumers.clear()
        account.undo = []
        account.consumptions = max(0, account.consumptions - 1)
        account.last_consumed = 0

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
        self._incidents.note(kind, event, leaf, site, number=number)
        if not used:
            self._broken = event

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
            leaves, total = self._gone.get(name, (0, Account()))
            self._gone[name] = (leaves + 1, add(total, account))

    # -- leaves with one history ----------------------------------------------------------

    def alike(self, leaves: Sequence[tuple[int, int | None]]) -> list[list[int]]:
        """Which of these ``(leaf, slot or None)`` have the same history, as lists of places.

        A buffer that several leaves share is like no other.
        """
        groups: list[tuple[Account | None, Slot | None, list[int]]] = []
        for place, (leaf, slot) in enumerate(leaves):
            account = self._accounts.get(leaf)
            found = self._slots.get(slot) if slot is not None else None
            shared = found is not None and found.holders != {leaf}
            for mine, held, places in groups:
                if not shared and account == mine and _same_held(found, held):
                    places.append(place)
                    break
            else:
                groups.append((account, found, [place]))
        return [places for _, _, places in groups]

    def bond(self, leaves: Sequence[tuple[int, int | None]]) -> int:
        """From now on these leaves are booked as one; returns the number that stands for them.

        They must be :meth:`alike`, and each in a buffer of its own or all without one. The number
        is given in the place of both leaf and slot, to ``deposit``, ``clear``, ``detach``,
        ``step`` and ``holds``.
        """
        self._bonds += 1
        one = -self._bonds
        self._incidents.members[one] = [leaf for leaf, _ in leaves]
        slots = [self._slots.pop(slot) for _, slot in leaves if slot is not None]
        accounts = [self._accounts.pop(leaf, None) for leaf, _ in leaves]
        if accounts[0] is not None:
            self._accounts[one] = accounts[0]
        if slots:
            self._slots[one] = slots[0]
            slots[0].holders = {one}
        return one

    def part(self, one: int, leaves: Sequence[tuple[int, int | None]]) -> None:
        """Book them one by one again, each in the buffer that is given now."""
        account, held = self._accounts.pop(one, None), self._slots.pop(one, None)
        for leaf, slot in leaves:
            if account is not None:
                self._accounts[leaf] = account.copy()
            if slot is not None and held is not None:
                self._slots[slot] = held.copy(leaf)

    # -- questions ---------------------------------------------------------------------

    def holds(self, slot: int | None) -> Holds:
        """What a buffer holds, in a few numbers."""
        found = self._slots.get(slot) if slot is not None else None
        if found is None or not found.runs:
            return EMPTY
        runs = found.runs
        if len(runs) == 1 and not runs[0].earlier and runs[0].first:
            run = runs[0]
            used = run.count if run.used else 0
            stale = used if run.covered else 0
            key = (run.count, run.first, run.last, used, stale, found.note)
            known = self._held.get(key)  # tensors that go together hold the same
            if known is None:
                if len(self._held) > _MOST_HELD:
                    self._held.clear()
                known = self._held[key] = Holds(*key[:5], note=found.note)
            return known
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

    def steps(self) -> dict[str, int]:
        """How often each optimizer stepped in this trace."""
        return dict(self._steps)

    # -- rounds that are all alike -------------------------------------------------------

    def stand(self) -> Stand:
        """Everything as it is, to tell by how much it grows in a round."""
        return Stand(self._moving())

    def advance(self, stand: Stand, growth: list[int], rounds: int) -> None:
        """So many rounds later; ``stand`` is how everything is now."""
        moving = self._moving()
        advance(moving, stand, growth, rounds)
        self._last_use, self._broken, self._closures = moving[-1]

    def _moving(self) -> list[Any]:
        counts = [self._last_use, self._broken, self._closures]
        noticed = list(self._incidents.opened())
        steps = [self._steps, self._last_step, self._streak]
        return [self._accounts, self._slots, noticed, *steps, counts]

    # -- what if -----------------------------------------------------------------------

    def trial(self) -> Ledger:
        """A copy, to see what would come of an entry."""
        other = Ledger(self._name_of)
        other._slots = {key: slot.twin() for key, slot in self._slots.items()}
        other._accounts = {leaf: account.copy() for leaf, account in self._accounts.items()}
        other._gone = dict(self._gone)
        other._incidents = self._incidents.copy()
        other._steps, other._last_step = dict(self._steps), dict(self._last_step)
        other._streak, other._closures = dict(self._streak), self._closures
        other._last_use, other._bonds = self._last_use, self._bonds
        other._broken, other._in_time = self._broken, set(self._in_time)
        return other

    def convict(self, trial: Ledger) -> None:
        """What was noticed in a trial is on record, though what it booked did not happen."""
        self._incidents = trial._incidents

    def opened(self) -> tuple[Open, ...]:
        """Every incident so far, as it is being collected."""
        return self._incidents.opened()

    def noticed(self, after: int) -> list[Open]:
        """The incidents of events after this one."""
        return [found for found in self.opened() if found.last_event > after]

    # -- beginning and end of a trace --------------------------------------------------

    def begin(self) -> None:
        """Start a new trace: totals from zero; what slots hold is from earlier now."""
        self._accounts.clear()
        self._gone.clear()
        self._incidents.clear()
        self._steps.clear()
        self._last_step.clear()
        self._streak.clear()
        self._closures = 0
        self._last_use = self._broken = 0
        self._in_time.clear()

    def close(self, locate: Locate) -> None:
        """End of a trace: what is still held will be *from earlier* for the next one."""
        for slot in self._slots.values():
            for run in slot.runs:
                if not run.earlier:
                    run.origin = locate(run.site)
                    run.earlier, run.first, run.last, run.site = True, 0, 0, -1
                run.first_event = run.last_event = 0
            actors = frozenset(slot.consumers)
            if actors and slot.used_up:
                slot.past = actors, locate(slot.used_at)
            slot.consumers.clear()
            slot.again = 0

    def report(
        self, counts: dict[str, int], locate: Locate, kept: Kept = lambda *_: False
    ) -> LedgerReport:
        """Totals and incidents so far.

        Args:
            counts: Events by kind.
            locate: The line of a site.
            kept: Whether the code reads what is deposited at one site, and keeps what it read, before
                clearing it at another.
        """
        self._last_looks(kept)
        return LedgerReport(
            counts=tuple(sorted(counts.items())),
            books=tuple(self._books()),
            incidents=self._incidents.closed(locate),
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
        left: list[tuple[int, Slot]] = []
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
            used_up = found.used_up
            if used_up and actor in found.consumers:
                left.append((leaf, found))
            else:
                fresh = True
                if used_up:
                    self._point_at_step(account, found.runs, leaf, event, site, number, actor)
                    if found.past is not None:
                        self._judge_past(found, leaf, event, site, number, actor)
            self._consume(account, found, leaf, event, site, number, actor)
        if not any_held and owned:
            self._empty_step(actor, owned, event, site, number)
        elif any_held and not fresh:
            self._reused(actor, owned, event, site, number)
        else:
            self._streak[actor] = 0
            for leaf, found in left:
                self._reused_part(found, leaf, event, site, number, actor)

    def _reused_part(
        self, found: Slot, leaf: int, event: int, site: int, number: int, actor: str
    ) -> None:
        """While others had something new, this one was stepped on with nothing but old gradient.

        Left alone are gradients that were put there by hand, or scaled since: they are meant.
        """
        found.again += 1
        last = found.runs[-1]
        by_hand = found.note == "assigned by hand" or not (last.first or last.earlier)
        if by_hand or last.decayed:
            return
        opened = self._incidents.note(
            "reused-part",
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
        opened.repeats = max(opened.repeats, found.again)

    def _judge_past(
        self, found: Slot, leaf: int, event: int, site: int, number: int, actor: str
    ) -> None:
        """An earlier trace used all that the buffer holds, and so does this one, with nothing new."""
        past = found.past
        if past is not None and actor in past[0] and not found.consumers and found.used_up:
            self._incidents.note(
                "reused-later", event, leaf, site, actor=actor, number=number, origin=past[1]
            )

    def _point_at_step(
        self,
        account: Account,
        runs: list[Run],
        leaf: int,
        event: int,
        site: int,
        number: int,
        actor: str,
    ) -> None:
        """A write by hand opened this window and a step closes it: blame the step, not the write.

        (SAM takes its perturbation back by hand before the step that uses the gradient.)
        """
        for found in self._incidents.opened():
            mine = found.kind == "stale" and not found.actor and self._incidents.names(found, leaf)
            if mine and found.last_event == account.last_consumed:
                once = found.count == 1
                moved = self._incidents.note(
                    "stale",
                    event,
                    leaf,
                    site,
                    actor=actor,
                    number=number,
                    deposited=found.deposited if once else runs[-1].site,
                    oldest=found.oldest if once else runs[0].first,
                    newest=found.newest if once else runs[-1].last,
                    origin=found.origin,
                )
                for other in found.leaves:
                    self._incidents.name_leaf(moved, other)
                self._incidents.take_back(found)

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
            self._incidents.note(
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
                opened = self._incidents.note(
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
        account: Account,
        slot: Slot,
        leaf: int,
        event: int,
        site: int,
        number: int,
        actor: str,
    ) -> bool:
        fresh = [r for r in slot.runs if not r.used]
        account.undo = []
        slot.clipped = 0
        slot.clamped_at = -1
        slot.used_at = site
        slot.consumers.add(actor)
        if not fresh:
            return False
        slot.again = 0
        if len(slot.runs) > 1:
            self._judge(slot.runs, fresh, leaf, event, site, number, actor)
        size = sum([r.count for r in fresh])
        account.smallest = min(account.smallest, size) if account.consumptions else size
        account.largest = max(account.largest, size)
        if account.consumptions and size > account.later:
            account.later = size
        account.consumptions += 1
        account.last_consumed = event
        account.consumer = actor
        account.dropped.clear()
        self._note_sites(account, fresh, (event, number, site))
        for run in slot.runs:
            run.used += 1
        if len(slot.runs) > 1:
            slot.join()
        return True

    def _consume_dropped(self, account: Account) -> bool:
        """A clone taken before the slot was cleared was used: then it was not discarded."""
        if not account.dropped:
            return False
        size = account.redeem()
        account.smallest = min(account.smallest, size) if account.consumptions else size
        account.largest = max(account.largest, size)
        account.consumptions += 1
        for run in account.dropped:
            account.used_by_site[run.site] = account.used_by_site.get(run.site, 0) + run.count
        account.dropped.clear()
        return True

    def _judge(
        self,
        runs: list[Run],
        fresh: list[Run],
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
                self._incidents.note(
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
            mixed = self._incidents.note(
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
            mixed.oldest = max(mixed.oldest, sum(r.count for r in fresh))
        self._judge_leak([r for r in fresh if not r.earlier], leaf, event, site, number, actor)

    def _judge_leak(
        self, fresh: list[Run], leaf: int, event: int, site: int, number: int, actor: str
    ) -> None:
        """Deposits from different lines with another optimizer's step between them."""
        if not actor or (len(self._last_step) < 2 and actor in self._last_step):
            return
        others = [last for name, last in self._last_step.items() if name != actor]
        for run, newer in pairwise(fresh):
            between = any(run.last_event < step < newer.first_event for step in others)
            if between and run.site != newer.site:
                self._incidents.note(
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

    def _note_sites(self, account: Account, fresh: list[Run], where: tuple[int, int, int]) -> None:
        for run in fresh:
            account.used_by_site[run.site] = account.used_by_site.get(run.site, 0) + run.count
        if account.first_sites is None:
            mine = [r for r in fresh if not r.earlier and r.first]
            account.first_sites = dict.fromkeys((r.site for r in mine), where)
        else:
            account.later_sites.update(r.site for r in fresh)

    def _drop(self, account: Account, slot: Slot, leaf: int, event: int, site: int) -> None:
        unread = [r for r in slot.runs if not r.used]
        if not unread:
            slot.empty()
            return
        if self._broken and any(r.first_event <= self._broken <= r.last_event for r in unread):
            account.discarded += sum(r.count for r in unread)
            slot.empty()  # what came with NaN or infinity is thrown away on purpose
            return
        lost = [r for r in unread if r.first_event > self._last_use and r.first]
        for run in unread:
            account.discarded += run.count
            account.remember_dropped(run)
        for run in lost:  # nothing at all stepped since: nobody had a chance to use them
            account.dropped_by_site[run.site] = account.dropped_by_site.get(run.site, 0) + run.count
        size = sum(r.count for r in lost)
        account.cleared_at = site
        if 0 < size < account.largest:
            self._incidents.note("partial-window", event, leaf, site, deposited=lost[0].site)
        slot.empty()

    def _hand_over(self, leaf: int, old: int, event: int, site: int, *, keep: bool) -> None:
        found = self._slots.get(old)
        if found is None:
            return
        found.holders.discard(leaf)
        if not found.holders:
            if not keep:
                self._drop(self._account(leaf), found, leaf, event, site)
            del self._slots[old]

    def _last_looks(self, kept: Kept) -> None:
        """What can only be said at the end: odd first windows, and what was thrown away."""
        for late in self._incidents.opened():
            if late.kind == "clip-after-step" and late.site in self._in_time:
                self._incidents.drop(late)  # in time for the next optimizer, which shares the call
            elif late.kind == "partial-window" and kept(late.deposited, late.site):
                self._incidents.drop(late)
            elif late.kind == "leftover":
                late.repeats = self._surplus(late)
            elif late.kind == "cleared-before-step":
                late.repeats = self._used_after_all(late)
                if not late.actor and kept(late.deposited, late.other):
                    self._incidents.drop(late)
            elif late.kind == "leaked":
                late.repeats = len(self._others(late, late.other))
                if not self._others(late, late.deposited):
                    self._incidents.drop(late)  # of its own losses, while others trained elsewhere
        for leaf, account in sorted(self._accounts.items()):
            if account.first_sites and account.later_sites and account.consumptions > 2:
                strangers = set(account.first_sites) - account.later_sites
                first = next(iter(account.first_sites))
                if first in strangers and len(strangers) < len(account.first_sites):
                    site = first
                    event, number, used_at = account.first_sites[site]
                    self._incidents.note(
                        "first-window", event, leaf, used_at, deposited=site, number=number
                    )
            for site, lost in account.dropped_by_site.items():
                used = account.used_by_site.get(site, 0)
                if lost > 0 and used > 0 and not kept(site, account.cleared_at):
                    found = self._incidents.note(
                        "discarded",
                        account.last_deposit,
                        leaf,
                        account.cleared_at,
                        deposited=site,
                    )
                    found.count = max(found.count, lost)
                    found.repeats = max(found.repeats, used)

    def _used_after_all(self, found: Open) -> int:
        """The most updates that used the gradient of one of these leaves, or of one of their name."""
        names = set(found.leaves.values())
        gone = [total for name, (_, total) in self._gone.items() if name in names]
        known = set(found.leaves)
        bonds = self._incidents.members.items()
        known |= {one for one, leaves in bonds if not found.leaves.keys().isdisjoint(leaves)}
        some = [self._accounts[i] for i in known if i in self._accounts]
        return max((a.consumptions for a in (*gone, *some)), default=0)

    def _surplus(self, found: Open) -> int:
        """How much more than any later update the first one used; 0 where there is no later one."""
        later = max(
            (self._accounts[i].later for i in found.leaves if i in self._accounts), default=0
        )
        return max(0, found.oldest - later) if later else 0

    def _others(self, found: Open, site: int) -> set[str]:
        """Which other optimizers have used what the backward at this line deposited."""
        used = {a.consumer for a in self._accounts.values() if a.used_by_site.get(site)}
        return used - {found.actor, ""}

    def _books(self) -> Iterable[LeafBook]:
        totals = {name: (n, add(Account(), a)) for name, (n, a) in self._gone.items()}
        pending: dict[str, int] = {}
        for leaf, account in sorted(self._accounts.items()):
            name = self._name_of(leaf)
            leaves, total = totals.get(name, (0, Account()))
            totals[name] = (leaves + 1, add(total, account))
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

    def _account(self, leaf: int) -> Account:
        found = self._accounts.get(leaf)
        if found is None:
            found = self._accounts[leaf] = Account()
        return found


def _same_held(one: Slot | None, other: Slot | None) -> bool:
    """Whether two buffers, of one leaf each, hold contributions with the same history."""
    if one is None or other is None:
        return one is other
    return (
        len(other.holders) == 1
        and one.runs == other.runs
        and one.note == other.note
        and one.clipped == other.clipped
        and one.clamped_at == other.clamped_at
        and one.again == other.again
        and one.past == other.past
        and one.consumers == other.consumers
    )

"""Events as they happen: light while the code runs, bounded in memory, plain records at the end.

Every event leaves four bytes behind (its signature's number, for folding loops). The events
themselves are kept at the head and the tail of a trace and for the first few of every
signature; the rest is dropped, so memory does not grow with the length of the run.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import CodeType

from ipygradmagic.capture.books import Leaf
from ipygradmagic.capture.distance import Distances
from ipygradmagic.capture.snapshot import (
    Look,
    is_finite,
    is_zero,
    kept,
    reduced,
    summary,
)
from ipygradmagic.capture.source import Here, Sources
from ipygradmagic.record.events import Change, Event, Kind, Source
from ipygradmagic.record.tensors import EMPTY, SMALL, Summary

HEAD = 10_000
"""Changes (one tensor in one event) that are kept from the beginning of a trace."""
TAIL = 10_000
"""Changes that are kept from the end of a trace."""
COPIES = 1_000_000
"""Elements of copied tensors (4 MB in float32) at which head and tail are full before that; of
as many, the examples keep copies."""
EACH = 3
"""Events of every signature that are kept wherever they happen."""
MOST_SIGNATURES = 20_000
"""Beyond this many distinct signatures, new ones are no longer kept as examples."""
_MANY_CHANGES = 4
"""From this many changes on, an event has an index of them."""
MANY = 5
"""From this many contributions on, two events with different numbers of them look alike."""


SummaryOf = Callable[[Look], Summary | None]


def _remembering() -> SummaryOf:
    """``summary`` that makes each look's once; the looks must outlive it."""
    made: dict[int, Summary | None] = {}

    def of(found: Look) -> Summary | None:
        if found is None:
            return None
        known = made.get(id(found))
        if known is None:
            known = made[id(found)] = summary(found)
        return known

    return of


class RawChange:
    """What an event did to one leaf, as looks.

    ``moved`` is how far the value went; ``piled`` how far the gradient did, where something was added
    to an earlier one. Both are taken from the copies, when these are let go of or the record is made.
    """

    __slots__ = (
        "added",
        "after",
        "before",
        "changed",
        "exact",
        "holds",
        "leaf",
        "moved",
        "piled",
        "value_after",
        "value_before",
    )

    def __init__(self, leaf: Leaf, before: Look, after: Look, changed: bool = True) -> None:
        self.leaf = leaf
        self.before = before
        self.after = after
        self.changed = changed
        self.added: Look = None
        self.exact = True
        self.value_before: Look = None
        self.value_after: Look = None
        self.holds = EMPTY
        self.moved: float | None = None
        self.piled: float | None = None

    def signature(self) -> tuple[object, ...]:
        """What must be alike for two changes to look alike; numbers do not count."""
        held = self.holds
        return (
            self.leaf.name,
            min(held.count - held.stale, MANY),
            held.stale > 0,
            held.note,
            held.earlier > 0,
            self.after is None,
            is_finite(self.after),
        )

    def reduce(self, distances: Distances) -> None:
        """Make the statistics now and let go of copies."""
        self._measure(distances)
        self.before, self.after = reduced(self.before), reduced(self.after)
        self.added = reduced(self.added)
        self.value_before = reduced(self.value_before)
        self.value_after = reduced(self.value_after)

    def record(self, of: SummaryOf, distances: Distances) -> Change:
        """The plain record."""
        self._measure(distances)
        before, after, mean = of(self.before), of(self.after), None
        if self._on_top() and before is not None and after is not None:
            if before.mean is not None and after.mean is not None:
                mean = after.mean - before.mean
        return Change(
            tensor=self.leaf.id,
            grad_before=before,
            grad_after=after,
            grad_changed=self.changed,
            added=of(self.added),
            added_exact=self.exact,
            added_mean=mean,
            added_norm=self.piled,
            value_before=of(self.value_before),
            value_after=of(self.value_after),
            holds=self.holds,
            moved=self.moved,
        )

    def _measure(self, distances: Distances) -> None:
        """How far it moved value and gradient, as long as there are copies to tell it from."""
        if self.value_after is not None:
            moved = distances.between(self.value_before, self.value_after)
            self.moved = self.moved if moved is None else moved
        if self._on_top():
            piled = distances.between(self.before, self.after)
            self.piled = self.piled if piled is None else piled

    def _on_top(self) -> bool:
        """Something was added to an earlier gradient, and is only known by what that became."""
        return self.added is None and not self.exact


def fill_added(change: RawChange, heard: list[Look] | None) -> None:
    """What was added: all of it if the slot was empty, what was heard, or what is additive."""
    if change.before is None or is_zero(change.before):
        change.added = change.after
        return
    if heard and all(isinstance(h, tuple) for h in heard):
        columns = zip(*[h for h in heard if isinstance(h, tuple)])
        change.added = tuple(sum(column) for column in columns)
        change.exact = len(heard) == 1
        return
    before, after = change.before, change.after
    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        change.added = tuple(a - b for a, b in zip(after, before))
    change.exact = False


class RawEvent:
    """One event being recorded."""

    __slots__ = (
        "actor",
        "changes",
        "continues",
        "error",
        "graph",
        "index",
        "inside",
        "joined",
        "kind",
        "label",
        "loss",
        "missed",
        "number",
        "signature",
        "site",
        "source",
        "unchanged",
        "via",
    )

    def __init__(self, index: int, kind: Kind, number: int, label: str, here: Here) -> None:
        self.index = index
        self.kind = kind
        self.number = number
        self.label = label
        self.site = here.site
        self.via: CodeType | None = here.via
        self.actor: str | None = None
        self.changes: list[RawChange] = []
        self.joined: dict[int, RawChange] | None = None
        self.unchanged = 0
        self.missed: tuple[str, ...] = ()
        self.source: Source | None = None
        self.loss: float | None = None
        self.graph: int | None = None
        self.continues: int | None = None
        self.inside: str | None = None
        self.error: str | None = None
        self.signature = 0

    def change_of(self, leaf: int) -> RawChange | None:
        """The change of a leaf, if it is part of this event already."""
        if self.joined is None:
            if len(self.changes) < _MANY_CHANGES:
                for change in self.changes:
                    if change.leaf.id == leaf:
                        return change
                return None
            self.joined = {change.leaf.id: change for change in self.changes}
        return self.joined.get(leaf)

    def add(self, change: RawChange) -> None:
        """One more change, of a leaf that is not part of this event yet."""
        self.changes.append(change)
        if self.joined is not None:
            self.joined[change.leaf.id] = change

    def key(self) -> tuple[object, ...]:
        """What events must share to have one signature."""
        return (
            self.kind,
            self.site,
            self.label,
            self.actor,
            self.source,
            self.error,
            self.inside,
            self.continues is not None,
            self.missed,
            tuple(c.signature() for c in self.changes),
        )

    def short(self) -> tuple[object, ...] | None:
        """Something quicker to ask for that implies the key; None if there is nothing such."""
        return None

    def size(self) -> tuple[int, int]:
        """How much it takes: changes, and elements of copied tensors."""
        copies = 0
        for change in self.changes:
            if change.leaf.numel > SMALL:
                copies += kept(change.leaf.numel)
        return len(self.changes) + 1, copies

    def reduce(self) -> None:
        """Make the statistics now and let go of copies."""
        distances = Distances()
        for change in self.changes:
            change.reduce(distances)

    def record(self, sources: Sources, of: SummaryOf = summary) -> Event:
        """The plain record."""
        distances = Distances()
        return Event(
            index=self.index,
            kind=self.kind,
            number=self.number,
            label=self.label,
            where=sources.locate(self.site),
            via=self.via.co_name if self.via is not None else None,
            actor=self.actor,
            changes=tuple([c.record(of, distances) for c in self.changes]),
            unchanged=self.unchanged,
            missed=self.missed,
            source=self.source,
            loss=self.loss,
            graph=self.graph,
            continues=self.continues,
            inside=self.inside,
            error=self.error,
            signature=self.signature,
        )


class Recorder:
    """Numbers events, joins bursts of one line into one event, and keeps what is worth keeping.

    Attributes:
        repeats: Whether events may be told later, when they are past (``repeat``).
    """

    repeats = True

    def __init__(self) -> None:
        self.total = 0
        self.loss: float | None = None  # of the last backward
        self.counts: dict[str, int] = {}
        self.pattern = array("I")
        self._signatures: dict[tuple[object, ...], int] = {}
        self._short: dict[tuple[object, ...], int] = {}
        self._seen: dict[int, int] = {}
        self._head: list[RawEvent] = []
        self._examples: list[RawEvent] = []
        self._tail: deque[RawEvent] = deque()
        self._room = HEAD
        self._tail_size = 0
        self._head_copies = 0
        self._example_copies = 0
        self._tail_copies = 0
        self._open: dict[tuple[object, ...], RawEvent] = {}
        self._last: RawEvent | None = None

    @property
    def next(self) -> int:
        """Index that the next event will have."""
        return self.total + 1

    @property
    def complete(self) -> int:
        """Index up to which no event can be joined any more."""
        return min([event.index for event in self._open.values()], default=self.next) - 1

    def begin(
        self, kind: Kind, label: str, here: Here, make: type[RawEvent] | None = None
    ) -> RawEvent:
        """A new event (of class ``make``), which closes any burst that was open."""
        self.close_bursts()
        return self._new(kind, label, here, make)

    def burst(self, kind: Kind, label: str, here: Here, leaf: Leaf, part: bool = False) -> RawEvent:
        """The event of a line that handles one leaf after another (``for p in params: ...``).

        Joined as long as only hand-written events intervene and no leaf comes twice;
        ``part`` allows a leaf to come again at once (``w.data[i] -= ...`` in a loop).
        """
        key = (kind, here.site, label)
        found = self._open.get(key)
        if found is not None:
            if (part and found is self._last) or found.change_of(leaf.id) is None:
                return found
            self.close_bursts()
        found = self._open[key] = self._new(kind, label, here)
        return found

    def finish(self, event: RawEvent) -> None:
        """The event is complete."""
        short = event.short()
        number = self._short.get(short) if short is not None else None
        if number is None:
            number = self._number_of(event.key())
            if short is not None:
                if len(self._short) > MOST_SIGNATURES:
                    self._short.clear()
                self._short[short] = number
        if event.kind == "backward":
            self.loss = event.loss
        event.signature = number
        self.pattern[event.index - 1] = number
        self._keep(event)

    def _number_of(self, key: tuple[object, ...]) -> int:
        number = self._signatures.get(key)
        if number is None:
            number = len(self._signatures) + 1
            if number <= MOST_SIGNATURES:
                self._signatures[key] = number
        return number

    def rounds_to_fill(self, size: int, copies: int = 0) -> int:
        """How many rounds are kept from here on for sure, if one takes so much (``RawEvent.size``)."""
        if self._room <= 0 or self._head_copies >= COPIES:
            return 0
        rounds = -(-self._room // size)
        return min(rounds, -(-(COPIES - self._head_copies) // copies)) if copies else rounds

    def repeat(
        self,
        signatures: Sequence[int],
        counts: Mapping[Kind, int],
        rounds: int,
        events: Iterable[RawEvent],
    ) -> None:
        """So many rounds of the same events have happened.

        Args:
            signatures: Of the events of one round.
            counts: How many events of each kind a round has.
            rounds: How many.
            events: Those of them that can be kept, in order.
        """
        self.close_bursts()
        self.total += rounds * len(signatures)
        for kind, count in counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + rounds * count
        self.pattern.extend(array("I", signatures) * rounds)
        for event in events:
            self._keep(event)

    def close_bursts(self) -> None:
        """Complete every open burst."""
        if self._open:
            for event in self._open.values():
                self.finish(event)
            self._open.clear()

    def events(self, sources: Sources) -> tuple[Event, ...]:
        """The records of all kept events, in order."""
        self.close_bursts()
        kept = {e.index: e for e in (*self._head, *self._examples, *self._tail)}
        of = _remembering()  # what an event leaves behind is what the next one finds
        return tuple([kept[i].record(sources, of) for i in sorted(kept)])

    def kept(self) -> list[RawEvent]:
        """All kept events, in no order."""
        return [*self._head, *self._examples, *self._tail]

    def _new(
        self, kind: Kind, label: str, here: Here, make: type[RawEvent] | None = None
    ) -> RawEvent:
        self.total += 1
        number = self.counts[kind] = self.counts.get(kind, 0) + 1
        self.pattern.append(0)
        self._last = (make or RawEvent)(self.total, kind, number, label, here)
        return self._last

    def _keep(self, event: RawEvent) -> None:
        size, copies = event.size()
        if self._room > 0 and self._head_copies < COPIES:
            self._room -= size
            self._head_copies += copies
            self._head.append(event)
            return
        self._room = 0
        seen = self._seen.get(event.signature, 0)
        if seen < EACH and event.signature <= MOST_SIGNATURES:
            self._seen[event.signature] = seen + 1
            self._examples.append(event)
            self._example_copies += copies
            if self._example_copies > COPIES:
                event.reduce()
        self._tail.append(event)
        self._tail_size += size
        self._tail_copies += copies
        while len(self._tail) > 1 and (self._tail_size > TAIL or self._tail_copies > COPIES):
            size, copies = self._tail.popleft().size()
            self._tail_size -= size
            self._tail_copies -= copies

"""A loop with optimizers whose rounds are all alike: its entries are kept, and booked together.

:mod:`express` has checked and read what an event did to whole teams. Where the last rounds differ
in nothing but numbers, and the books have moved on by the same amounts, its entry is put aside.
As soon as another one comes, or somebody wants to look (every guarded section of ours does), the
rounds are booked by multiplication, and told from what was put aside.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ipygradmagic.capture.express import Entry, Express, Share, TeamEvent, tell
from ipygradmagic.capture.lane import Lane
from ipygradmagic.capture.patience import Patience
from ipygradmagic.capture.recorder import COPIES, EACH, TAIL, RawEvent
from ipygradmagic.capture.rounds import later
from ipygradmagic.capture.watch import Watch
from ipygradmagic.record.events import Kind
from ipygradmagic.record.pace import Stand, pace
from ipygradmagic.record.tensors import Holds

LONGEST_WAIT = 100_000
"""Events after which learning is tried again at the latest."""
LEARN = 8
"""Rounds after which learning is given up, if the books do not move evenly by then."""
LONGEST = 256
"""Entries of a round, at most."""
MOST_COPIES = 3 * COPIES // 5
"""Rounds that copy more elements than this are booked at once: while rounds are put aside, some
four are kept that the recorder would have dropped (2 MB each: an event's copy of what it leaves is
that of what the next one finds, and counted with both)."""


@dataclass(slots=True, eq=False)
class _Round:
    """The entries from one step of an optimizer to its next, and what they were told as."""

    entries: list[Entry] = field(default_factory=list)
    events: list[TeamEvent] = field(default_factory=list)
    shares: list[list[Share]] = field(default_factory=list)

    def like(self, other: _Round) -> bool:
        """Nothing is different but numbers, and nothing was told in between."""
        m = len(self.events)
        if m != len(other.events) or not m:
            return False
        counts = Counter(event.kind for event in self.events)
        first = self.events[0].index
        return all(
            mine.index == first + i
            and mine.index - its.index == m
            and mine.number - its.number == counts[mine.kind]
            and mine.signature == its.signature
            and mine.unchanged == its.unchanged
            and _alike(entry, model)
            for i, (mine, its, entry, model) in enumerate(
                zip(self.events, other.events, self.entries, other.entries)
            )
        )


def _alike(one: Entry, other: Entry) -> bool:
    """The same line did the same to the same teams."""
    return (
        one.way is other.way  # that is to say, who did it, and which teams it concerns
        and one.kind == other.kind
        and one.here.site == other.here.site
        and one.missed == other.missed
        and one.changed is other.changed
        and one.how == other.how
        and [p.before is None for p in one.parts] == [p.before is None for p in other.parts]
        and [p.after is None for p in one.parts] == [p.after is None for p in other.parts]
    )


class SteadyTeams:
    """Learns what a round is, and then puts entries aside.

    Args:
        watch: The shared state.
        express: Hands over the entries, and books them.
    """

    def __init__(self, watch: Watch, express: Express) -> None:
        self.watch = watch
        self._express = express
        self._patience = Patience(LONGEST_WAIT)
        self._putting = False
        self._forget()
        express.notes, express.booked = self.notes, self.booked
        watch.halts.append(self.halt)
        watch.noted.append(self._noted)

    def _forget(self) -> None:
        self._anchor: Entry | None = None
        self._round = _Round()
        self._rounds: list[_Round] = []
        self._learned = 0
        self._stands: list[Stand] = []

    # -- learning ----------------------------------------------------------------------

    def notes(self, entry: Entry) -> bool:
        """Whether the entry is put aside here, to be booked later."""
        if self._putting:
            if _alike(entry, self._models[self._at]):
                self._put(entry)
                return True
            self.halt()
            return False
        if not self.watch.recorder.repeats:
            return False
        if self._anchor is None:
            if entry.kind == "step" and self._patience.ready(self.watch.recorder.next):
                self._anchor, self.watch.busy = entry, True
            return False
        return _alike(entry, self._anchor) and self._another_round(entry)

    def booked(self, entry: Entry, event: TeamEvent) -> None:
        """An entry has been booked."""
        if self._anchor is None:
            return
        self._round.entries.append(entry)
        self._round.events.append(event)
        self._round.shares.append(event.shares)
        copies = sum([told.size()[1] for told in self._round.events])
        if copies > MOST_COPIES or len(self._round.events) > LONGEST:
            self._give_up()

    def _another_round(self, entry: Entry) -> bool:
        if not self._round.events:
            return False  # the anchor itself
        if self._rounds and not self._round.like(self._rounds[-1]):
            self._rounds, self._stands, self._learned = [], [], 0
        self._rounds = [*self._rounds[-1:], self._round]
        self._learned += 1
        self._round = _Round()
        if self._learned < 2:
            return False
        self._stands.append(self.watch.ledger.stand())
        if len(self._stands) > 2:
            growth = pace(*self._stands[-3:])
            if growth is not None:
                self._begin(growth)
                self._put(entry)
                return True
        if self._learned > LEARN:
            self._give_up()
        return False

    def _give_up(self) -> None:
        self._forget()
        self._patience.failed(self.watch.recorder.next)

    # -- putting aside -----------------------------------------------------------------

    def _begin(self, growth: list[int]) -> None:
        self._before, self._last = self._rounds[-2:]
        sizes = [event.size() for event in self._last.events]
        size, copies = sum(s for s, _ in sizes), sum(c for _, c in sizes)
        self._stand, self._growth = self._stands[-1], growth
        self._models = self._last.entries
        self._at = self._done = self._dropped = 0
        self._entries: list[Entry] = []
        self._numbers: deque[tuple[int, int, int]] = deque(maxlen=self._express.past.maxlen)
        self._head = self.watch.recorder.rounds_to_fill(size, copies) + EACH + 1
        self._tail = min(TAIL // size, COPIES // max(copies, 1)) + 2
        slack = self._tail if copies * self._tail < COPIES // 4 else 1
        self._most = (self._head + self._tail + slack) * len(self._models)
        self.watch.lane = Lane(self.watch, self._express, self._models, self._put)
        self._putting = self.watch.busy = True

    def _put(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.kind == "backward":
            self._numbers.append((self._done, self._at, entry.number))
        self._at += 1
        if self._at == len(self._models):
            self._at = 0
            self._done += 1
            if len(self._entries) > self._most:
                self._trim()
        if self.watch.lane is not None:
            self.watch.lane.at = self._at

    def _trim(self) -> None:
        """Forget what the recorder would have forgotten."""
        m = len(self._models)
        keep, gone = self._head * m, len(self._entries) - self._tail * m
        self._dropped += (gone - keep) // m
        del self._entries[keep:gone]

    def _noted(self) -> tuple[Counter[Kind], float | None]:
        """Events that are put aside, by kind, and the last loss."""
        if not self._putting:
            return Counter(), None
        one = Counter(entry.kind for entry in self._models)
        round_ = self._entries[-len(self._models) :]
        loss = next((e.loss for e in reversed(round_) if e.kind == "backward"), None)
        return Counter({kind: n * self._done for kind, n in one.items()}), loss

    # -- telling -----------------------------------------------------------------------

    def halt(self) -> None:
        """Somebody else records from here on: tell and book what was put aside."""
        putting, self._putting = self._putting, False
        self.watch.lane = None
        if putting:
            try:
                self._land()
            except BaseException as error:
                self.watch.fault(error)
                if not isinstance(error, Exception):
                    raise
            self._patience.lasted(self._done, self.watch.recorder.next)
            self._entries, self._models = [], []
            self._before = self._last = _Round()
        self._forget()

    def _land(self) -> None:
        m, watch = len(self._models), self.watch
        kept = self._done - self._dropped
        rounds = [k if k < self._head else k + self._dropped for k in range(kept)]
        events: list[RawEvent] = []
        for i, k in enumerate(rounds):
            events += self._events(k + 1, self._entries[i * m : (i + 1) * m])
        first = watch.recorder.next
        counts = Counter(entry.kind for entry in self._models)
        signatures = [event.signature for event in self._last.events]
        watch.ledger.advance(self._stand, self._growth, self._done)
        watch.recorder.repeat(signatures, counts, self._done, events)
        watch.teams.used += self._done * m
        past = [(first + k * m + at, n) for k, at, n in self._numbers if k < self._done]
        self._express.past.extend(past)
        for entry in self._entries[kept * m :]:
            self._express.book(entry)
        for call in watch.local.steps:  # a step that began when nothing of this was booked yet
            call.began = watch.recorder.next

    def _events(self, number: int, entries: Sequence[Entry]) -> list[TeamEvent]:
        """Those of the round that comes so many rounds after the last one that was booked."""
        m, counts = len(self._models), Counter(entry.kind for entry in self._models)
        told: list[TeamEvent] = []
        held: dict[tuple[Holds, Holds], Holds] = {}
        models = zip(self._last.events, self._before.shares, self._last.shares)
        for (model, olds, news), entry in zip(models, entries):
            count = model.number + number * counts[entry.kind]
            index = model.index + number * m
            event = TeamEvent(index, entry.kind, count, entry.label, entry.here)
            tell(event, entry)
            event.unchanged, event.signature = model.unchanged, model.signature
            shares = []
            for was, now, (team, before, after, *values) in zip(olds, news, entry.parts):
                key = (was.holds, now.holds)
                if key not in held:
                    held[key] = later(*key, number)
                shares.append(Share(team, before, after, held[key], *values))
            event.told(shares, entry.way.order)
            told.append(event)
        return told

"""One round of a loop written by hand: what was written in it, where, and what that was told as.

A round goes from one backward to the next. Of two rounds that are alike in all but numbers, a
:class:`Template` is made, by which the events of any later round can be written down from its
numbers alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import CodeType, FrameType
from typing import NamedTuple

from ipygradmagic.capture.books import GradKey, Leaf
from ipygradmagic.capture.recorder import RawChange, RawEvent
from ipygradmagic.capture.snapshot import Look, is_zero
from ipygradmagic.capture.source import Here, is_user
from ipygradmagic.record.tensors import Holds, Number

Value = float | int | tuple[Number, ...]
"""The elements of a small tensor; of one with a single element, that."""
_COUNTED = ("count", "first", "last", "used", "stale", "earlier", "unknown")
DEEPEST = 16
"""So many frames are compared to know a line again; a deeper one is not known again."""


class Stack(NamedTuple):
    """How a line was reached: from a frame outwards to the last one that is the user's.

    Attributes:
        frames: Code objects and instructions.
        last: Identity of the last of these frames; 0 where that is the module or cell itself.
    """

    frames: tuple[tuple[CodeType, int], ...]
    last: int


def stack_of(frame: FrameType | None) -> Stack | None:
    """How ``frame`` was reached; None if that is too far."""
    frames: list[tuple[CodeType, int]] = []
    deepest = last = 0
    while frame is not None:
        code = frame.f_code
        frames.append((code, frame.f_lasti))
        if is_user(code):
            deepest, last = len(frames), id(frame)
            if code.co_name == "<module>":
                last = 0
                break
        frame = frame.f_back
    return Stack(tuple(frames[:deepest]), last) if 0 < deepest <= DEEPEST else None


def same_stack(frame: FrameType | None, stack: Stack) -> bool:
    """Whether ``frame`` was reached in this way."""
    inner = frame
    frames, last = stack
    for code, instruction in frames:
        if frame is None or frame.f_code is not code or frame.f_lasti != instruction:
            return False
        inner, frame = frame, frame.f_back
    return not last or id(inner) == last


class Write(NamedTuple):
    """A line that writes all of a leaf's value, computed from its gradient, or empties that.

    Attributes:
        name: Of torch's method.
        label: What the event is called.
        leaf: Whose.
        empties: It is the gradient that is written, with zeros.
        here: Where, without the frame.
        stack: The same, to be compared.
        clones: It is computed from a gradient that was cloned before.
    """

    name: str
    label: str
    leaf: Leaf
    empties: bool
    here: Here
    stack: Stack
    clones: bool


@dataclass(slots=True, eq=False)
class Round:
    """What was recorded from one backward to the next.

    Attributes:
        stack: How its backward was reached.
        leaves: Those that the backward reached.
        keys, versions: Of their gradients and values, when it began.
        deposited: Keys of the gradients right after the backward.
        writes: In order.
        events: That were begun in it.
    """

    stack: Stack
    leaves: list[Leaf]
    keys: list[GradKey]
    versions: list[int]
    deposited: list[GradKey] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    events: list[RawEvent] = field(default_factory=list)

    def sound(self) -> bool:
        """Every leaf got its deposit, was updated at most once, and was emptied after that."""
        if not self.events or len(self.deposited) != len(self.leaves):
            return False
        done: dict[int, list[bool]] = {leaf.id: [] for leaf in self.leaves}
        for write in self.writes:
            done.setdefault(write.leaf.id, []).append(write.empties)
        return all(some in ([True], [False, True]) for some in done.values())

    def like(self, other: Round) -> bool:
        """The same lines did the same to the same leaves."""
        return (
            self.stack == other.stack
            and self.leaves == other.leaves
            and self.writes == other.writes
            and len(self.events) == len(other.events)
            and all(map(_told_alike, self.events, other.events))
        )

    def told(self, event: RawEvent) -> None:
        """An event belongs to it."""
        if event not in self.events:
            self.events.append(event)


def _told_alike(one: RawEvent, other: RawEvent) -> bool:
    """Two events that differ in nothing but numbers."""
    return _form(one) == _form(other)


def _form(event: RawEvent) -> tuple[object, ...]:
    empties = event.kind == "zero_grad"  # changes nothing where the number was zero
    changes = [
        (c.leaf.id, empties or c.changed, c.exact, replace(c.holds, first=0, last=0))
        for c in event.changes
    ]
    place = (event.kind, event.label, event.site, event.via, event.inside, event.graph)
    rest = (event.actor, event.missed, event.source, event.error, event.continues)
    return (*place, *rest, event.unchanged, event.signature, changes)


class Template:
    """Writes the events of a round from its numbers: the loss, the gradients, and the values.

    Args:
        before, last: Two rounds in a row that are alike.

    Attributes:
        length: Numbers of a round: the loss, the number of its operation, the gradient of each
            leaf, and the value before and after each update.
        signatures: Of its events.
        counts: How many events of each kind it has.
        size: What its events take, as the recorder counts it.
    """

    def __init__(self, before: Round, last: Round) -> None:
        self._before, self._last = before, last
        self._leaves = {leaf.id: i for i, leaf in enumerate(last.leaves)}
        updates = [write.leaf.id for write in last.writes if not write.empties]
        self._updates = {leaf: 2 + len(last.leaves) + 2 * i for i, leaf in enumerate(updates)}
        self.length = 2 + len(last.leaves) + 2 * len(updates)
        self.signatures = [event.signature for event in last.events]
        self.counts = Counter(event.kind for event in last.events)
        self.size = sum(event.size()[0] for event in last.events)

    def sound(self) -> bool:
        """The two rounds are one apart, and nothing else was told in between."""
        pairs = list(zip(self._before.events, self._last.events))
        in_order = [event.index for _, event in pairs]
        steps = {b.index - a.index for a, b in pairs}
        numbered = all(b.number - a.number == self.counts[b.kind] for a, b in pairs)
        first = in_order[0]
        return (
            steps == {len(pairs)}
            and numbered
            and in_order == list(range(first, first + len(pairs)))
        )

    def update(self, leaf: Leaf) -> int | None:
        """Where in a round's numbers the value of a leaf before its update stands."""
        return self._updates.get(leaf.id)

    def events(self, number: int, values: Sequence[Value]) -> list[RawEvent]:
        """Those of the round that comes so many rounds after the last one."""
        held: dict[Holds, Holds] = {}
        grads = [as_look(values[2 + i]) for i in range(len(self._last.leaves))]
        told: list[RawEvent] = []
        for old, model in zip(self._before.events, self._last.events):
            index = model.index + number * len(self._last.events)
            count = model.number + number * self.counts[model.kind]
            place = Here(model.site, None, model.via)
            event = RawEvent(index, model.kind, count, model.label, place)
            event.actor, event.missed, event.source = model.actor, model.missed, model.source
            event.inside, event.unchanged = model.inside, model.unchanged
            event.signature = model.signature
            if model.kind == "backward":
                loss = values[0]
                event.loss = loss if isinstance(loss, float) else None
            for was, now in zip(old.changes, model.changes):
                if now.holds not in held:
                    held[now.holds] = later(was.holds, now.holds, number)
                change = self._change(now, model.kind, grads, values)
                change.holds = held[now.holds]
                event.changes.append(change)
            told.append(event)
        return told

    def _change(
        self, model: RawChange, kind: str, grads: Sequence[Look], values: Sequence[Value]
    ) -> RawChange:
        grad = grads[self._leaves[model.leaf.id]]
        if kind == "backward":
            change = RawChange(model.leaf, model.before, grad, model.changed)
            change.added = grad
        elif kind == "update":
            change = RawChange(model.leaf, grad, grad, model.changed)
            at = self._updates[model.leaf.id]
            change.value_before, change.value_after = as_look(values[at]), as_look(values[at + 1])
        else:
            change = RawChange(model.leaf, grad, model.after, not is_zero(grad))
        return change


def later(before: Holds, last: Holds, rounds: int) -> Holds:
    """What is held so many rounds after ``last``, which came a round after ``before``."""
    if before == last:
        return last
    pairs = {name: (getattr(before, name), getattr(last, name)) for name in _COUNTED}
    return replace(last, **{name: b + rounds * (b - a) for name, (a, b) in pairs.items()})


def as_look(value: Value) -> tuple[Number, ...]:
    """As a look has it."""
    return value if isinstance(value, tuple) else (value,)

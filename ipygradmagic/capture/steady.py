"""A loop written by hand whose rounds are all alike: only its numbers are read.

The first rounds are recorded entry by entry (:mod:`solo`, :mod:`express`). When they differ in
nothing but numbers, and the books have moved on by the same amounts, the next ones need no
entries: every line is checked to be the one that is expected, and its numbers are noted. As soon
as anything is otherwise, or somebody wants to look (every guarded section of ours does), what
was noted is told and booked, the unfinished round entry by entry, and all is as if it had
been done so from the beginning.
"""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from threading import get_ident
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.books import GradKey, Leaf
from ipygradmagic.capture.express import Express, Found, loss_of, place
from ipygradmagic.capture.patience import Patience
from ipygradmagic.capture.recorder import EACH, TAIL, RawEvent
from ipygradmagic.capture.rounds import (
    Round,
    Stack,
    Template,
    Value,
    Write,
    as_look,
    same_stack,
    stack_of,
)
from ipygradmagic.capture.snapshot import is_zero, look
from ipygradmagic.capture.solo import Ticket, covers, emptied
from ipygradmagic.capture.teams import Way
from ipygradmagic.capture.watch import BackwardPass, Watch
from ipygradmagic.record.events import Kind
from ipygradmagic.record.pace import Stand, pace
from ipygradmagic.record.tensors import SMALL

_functions = torch._C._len_torch_function_stack
_dispatches = torch._C._len_torch_dispatch_stack
LONGEST_WAIT = 100_000
"""Events after which it is tried again at the latest."""
MISSED = object()
"""It was not the write that comes next."""
LEARN = 8
"""Rounds after which learning is given up, if the books do not move evenly by then."""


class Steady:
    """Learns what a round is, and then notes only numbers.

    Args:
        watch: The shared state.
        express: Books a backward of a few leaves.
    """

    def __init__(self, watch: Watch, express: Express) -> None:
        self.watch = watch
        self._express = express
        self._past = express.past
        self._lock = watch.lock
        self._patience = Patience(LONGEST_WAIT)
        self._over = False
        self._forget()
        watch.halts.append(self.halt)
        watch.noted.append(self._noted)

    def _forget(self) -> None:
        self._round: Round | None = None
        self._rounds: list[Round] = []
        self._stands: list[Stand] = []

    # -- learning ----------------------------------------------------------------------

    def begins(self, current: BackwardPass, args: Sequence[Any]) -> bool:
        """A backward that would be booked by itself begins: whether it is noted instead.

        Call it directly from the wrapper around backward.
        """
        watch, way = self.watch, current.way
        if self._over or not watch.recorder.repeats:
            return False
        if current.handles or way is None or any(args[1:4]):
            return False
        if not self._patience.ready(watch.recorder.next):
            return False
        watch.recorder.close_bursts()
        if self._round is not None and self._round.sound():
            if self._rounds and not self._round.like(self._rounds[-1]):
                self._rounds, self._stands = [], []
            self._rounds.append(self._round)
        else:
            self._rounds, self._stands = [], []
        self._round, watch.busy = self._another(current), True
        if len(self._rounds) < 2 or self._round is None:
            return False
        self._stands.append(watch.ledger.stand())
        if len(self._stands) < 3:
            return False
        growth = pace(*self._stands[-3:])
        template = Template(*self._rounds[-2:])
        if growth is not None and template.sound() and self._even():
            self._take_off(way, current, self._stands[-1], growth, template)
            return True
        if len(self._rounds) > LEARN:
            self._wait()
        return False

    def _another(self, current: BackwardPass) -> Round | None:
        stack = stack_of(sys._getframe(4))
        if stack is None or not all(_simple(leaf) for leaf in current.solos):
            return None
        leaves = list(current.solos)
        keys, versions = [leaf.key for leaf in leaves], [leaf.version for leaf in leaves]
        return Round(stack, leaves, keys, versions)

    def renounce(self) -> None:
        """Never note anything: somebody wants to check every entry when it is made."""
        self._over = True

    def deposited(self, event: RawEvent) -> None:
        """The backward of the round has been booked."""
        if self._round is not None:
            self._round.told(event)
            self._round.deposited = [leaf.key for leaf in self._round.leaves]

    def wrote(self, ticket: Ticket, label: str, event: RawEvent) -> None:
        """A write has been booked. Call it directly from the wrapper around the method."""
        if self._round is None:
            return
        empties, stack = ticket.grad is not None, stack_of(sys._getframe(3))
        known = event.kind == "zero_grad" if empties else event.source == "gradient"
        if stack is None or not known or (empties and ticket.name != "zero_"):
            self._round = None
            return
        here = place(ticket.here)
        clones = self.watch.discovery.derivation.of_others(here.site, ticket.here.frame)
        write = Write(ticket.name, label, ticket.leaf, empties, here, stack, clones)
        self._round.writes.append(write)
        self._round.told(event)

    def _even(self) -> bool:
        """The version counters have moved on by the same amounts, too."""
        a, b, now = self._rounds[-2], self._rounds[-1], self._round
        assert now is not None
        versions = zip(a.versions, b.versions, now.versions)
        keys = zip(a.keys, a.deposited, b.keys, b.deposited, now.keys)
        return all(y - x == z - y for x, y, z in versions) and all(map(_even_keys, keys))

    def _wait(self) -> None:
        self._forget()
        self._patience.failed(self.watch.recorder.next)

    # -- noting ------------------------------------------------------------------------

    def _take_off(
        self, way: Way, current: BackwardPass, stand: Stand, growth: list[int], template: Template
    ) -> None:
        last, now = self._rounds[-1], self._round
        assert now is not None
        self._way, self._here, self._actor = way, place(current.here), current.actor
        self._site: Stack = now.stack
        self._leaves, self._writes = now.leaves, last.writes
        self._at = self._last = len(self._writes)
        self._stand, self._growth, self._template = stand, growth, template
        self._watched = list(map(_watched, now.leaves, *_rows(last, now)))
        of = {leaf.id: one for leaf, one in zip(now.leaves, self._watched)}
        self._expects = [(write, of[write.leaf.id]) for write in self._writes]
        self._begun = self._dropped = 0
        self._values: list[Any] = []
        self._inside = False
        self._thread, self._passes = current.thread, self.watch.local.passes
        self._current: BackwardPass | None = None
        self._head = self.watch.recorder.rounds_to_fill(template.size) + EACH + 1
        self._tail = TAIL // template.size + 2
        self._most = (self._head + 2 * self._tail) * template.length
        self.watch.noting = self.watch.busy = True

    def departs(self, outputs: Sequence[Tensor], args: Sequence[Any]) -> bool:
        """A backward begins: whether it is the one that is expected.

        Call it directly from the wrapper around backward.
        """
        with self._lock:
            try:
                if self.watch.noting and self._expected(outputs, args):
                    self._values += (loss_of(outputs), self._way.number)
                    self._begun += 1
                    self._at, self._inside = 0, True
                    if len(self._values) > self._most:
                        self._trim()
                    return True
            except Exception as error:
                self.watch.fault(error)
            self.watch.halt()
        return False

    def _expected(self, outputs: Sequence[Tensor], args: Sequence[Any]) -> bool:
        if self._at < self._last or self._inside or len(outputs) != 1 or any(args[1:4]):
            return False
        # (a step, another pass or a new leaf would have gone through a guarded section)
        if _functions() or _dispatches() or get_ident() != self._thread:
            return False  # of the user's, somebody would see what we read
        if self.watch.books.deaths() or not same_stack(sys._getframe(4), self._site):
            return False
        more = self._begun
        for one in self._watched:
            tensor = one.ref()
            if tensor is None or tensor._version != one.version + more * one.moves:
                return False
            grad = tensor.grad
            if grad is None or grad._version != one.key + more * one.writes:
                return False
            if (tensor.item() if one.single else _read(tensor)) != one.value:
                return False
        return self._express.same_graph(self._way, outputs)

    def arrives(self, error: BaseException | None) -> BackwardPass | None:
        """The backward is over: the pass, if it is to be recorded by someone else after all."""
        with self._lock:
            good = not self.watch.noting
            try:
                good = good or (error is None and self._arrived())
            except Exception as fault:
                self.watch.fault(fault)
            if not good:
                self.watch.halt()
            self._inside = False
            current, self._current = self._current, None
        return current

    def _arrived(self) -> bool:
        found: list[Value] = []
        more = self._begun - 1
        for one in self._watched:
            tensor = one.ref()
            grad = tensor.grad if tensor is not None else None
            if grad is None or id(grad) != one.grad:
                return False
            if grad._version != one.given + more * one.writes:
                return False
            value = grad.item() if one.single else _read(grad)
            if not _finite(value):
                return False
            found.append(value)
        self._values += found
        return True

    def write(
        self,
        name: str,
        original: Callable[..., Any],
        target: Tensor,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run an in-place method if it is the write that comes next; ``MISSED`` if it is not.

        Call it directly from the wrapper around the method.
        """
        __tracebackhide__ = True
        before: Value = 0
        with self._lock:
            at = self._at
            if at == self._last or self._inside or not self.watch.noting:
                return MISSED
            write, one = self._expects[at]
            if write.name != name:
                return MISSED
            try:
                tensor = one.ref()
                whole = tensor.grad if write.empties and tensor is not None else tensor
                if whole is None or (target is not whole and not covers(target, whole)):
                    return MISSED
                if _functions() or _dispatches() or get_ident() != self._thread:
                    return MISSED
                if not same_stack(sys._getframe(2), write.stack):
                    return MISSED
                if not write.empties:
                    before = whole.item() if whole.numel() == 1 else _read(whole)
            except Exception as error:
                self.watch.fault(error)
                return MISSED
        result = original(target, *args, **kwargs)
        with self._lock:
            if write.empties and self.watch.noting:
                self._at = at + 1
                return result
            try:
                self._written(write, one, before, target)
            except Exception as error:
                self.watch.fault(error)
                self.watch.halt()
        return result

    def _written(self, write: Write, one: _Watched, before: Value, target: Tensor) -> None:
        if write.empties:
            self._tell(write, 0, 0)
            return
        after: Value = target.item() if before.__class__ is float else _read(target)
        back = write.clones and after == one.undo and after != before
        if self.watch.noting and not back and _finite(after):
            self._values += (before, after)
            one.undo, one.value = before, after
            self._at += 1
            return
        self.halt()
        self._tell(write, before, after)

    def _trim(self) -> None:
        """Forget what the recorder would have forgotten."""
        length = self._template.length
        keep, gone = self._head * length, len(self._values) - self._tail * length
        gone -= (gone - keep) % length
        self._dropped += (gone - keep) // length
        del self._values[keep:gone]

    def _noted(self) -> tuple[Counter[Kind], float | None]:
        """Events that are noted only, by kind, and the last loss."""
        if not self.watch.noting or not self._values:
            return Counter(), None
        one, length = self._template.counts, self._template.length
        loss = self._values[(len(self._values) - 1) // length * length]
        return Counter({kind: n * self._begun for kind, n in one.items()}), loss

    # -- telling -----------------------------------------------------------------------

    def halt(self) -> None:
        """Somebody else records from here on: tell and book what was noted so far."""
        watch = self.watch
        noting, watch.noting = watch.noting, False
        self._forget()
        if not noting:
            return
        try:
            self._land()
        except BaseException as error:
            watch.fault(error)
            if not isinstance(error, Exception):
                raise
        self._expects = []
        for one in self._watched:
            one.ref = _nothing  # swap_tensors refuses tensors with weak references
        self._patience.lasted(self._begun, watch.recorder.next)

    def _land(self) -> None:
        whole = max(0, self._begun - 1)
        length, template = self._template.length, self._template
        values = self._values
        numbers = [k if k < self._head else k + self._dropped for k in range(whole - self._dropped)]
        rounds = [(k, values[i * length : (i + 1) * length]) for i, k in enumerate(numbers)]
        events = [event for k, some in rounds for event in template.events(k + 1, some)]
        self.watch.ledger.advance(self._stand, self._growth, whole)
        self.watch.recorder.repeat(template.signatures, template.counts, whole, events)
        first = self.watch.recorder.total - whole * len(template.signatures) + 1
        for k, some in rounds[-self._past.maxlen if self._past.maxlen else 0 :]:
            self._past.append((first + k * len(template.signatures), some[1]))
        self._settle(whole, rounds[-1][1] if rounds else [])
        if self._begun:
            self._tell_last(values[len(rounds) * length :])

    def _settle(self, rounds: int, last: Sequence[Value]) -> None:
        """The leaves as they were at the beginning of the unfinished round."""
        for one, leaf in zip(self._watched, self._leaves):
            leaf.key = (one.grad, one.key + rounds * one.writes)
            leaf.version = one.version + rounds * one.moves
            leaf.reached += rounds
            at = self._template.update(leaf)
            if last and at is not None:
                leaf.undo, leaf.value = as_look(last[at]), as_look(last[at + 1])

    def _tell_last(self, values: Sequence[Any]) -> None:
        """The round that is not finished, entry by entry."""
        current = BackwardPass(self._here, {}, way=self._way)
        current.actor, current.loss, current.solos = self._actor, values[0], list(self._leaves)
        current.thread = self._thread
        if self._inside:
            self.watch.passes.append(current)
            self._passes.append(current)
            self._current = current
            return
        found: list[Found] = []
        for one, leaf, value in zip(self._watched, self._leaves, values[2:]):
            version = one.given + (self._begun - 1) * one.writes
            found.append((leaf, None, (one.grad, version), as_look(value)))
        self._express.book_solos(current, found, values[1])
        for write in self._writes[: self._at]:
            at = self._template.update(write.leaf) if not write.empties else None
            self._tell(write, *(values[at : at + 2] if at is not None else (0, 0)))

    def _tell(self, write: Write, before: Value, after: Value) -> None:
        watch, leaf = self.watch, write.leaf
        one = self._watched[self._leaves.index(leaf)]
        if write.empties:
            leaf.key = (one.grad, one.key + self._begun * one.writes)
            zeros = (0.0,) * leaf.numel
            emptied(watch, leaf, leaf.grad, zeros, write.here, write.label)
        else:
            leaf.value = as_look(after)
            leaf.version = one.version + self._begun * one.moves
            watch.update(leaf, "gradient", write.here, write.label, as_look(before), leaf.value)


@dataclass(slots=True, eq=False)
class _Watched:
    """A leaf of a steady loop, and where its version counters stand.

    Attributes:
        ref: Its tensor.
        value: As it was last seen.
        undo: What it was before that.
        single: It has one element.
        grad: Identity of its gradient.
        version: Of its value when the first round began; it grows by ``moves`` in each.
        key: Of the gradient likewise, growing by ``writes``.
        given: Of the gradient after the backward of that round.
    """

    ref: Callable[[], Tensor | None]
    value: object
    undo: object
    single: bool
    grad: int
    version: int
    moves: int
    key: int
    writes: int
    given: int


def _watched(
    leaf: Leaf, version: int, key: GradKey, old_version: int, old_key: GradKey, given: GradKey
) -> _Watched:
    """How a leaf stood at the beginnings of two rounds in a row, and after the first backward."""
    assert key is not None and old_key is not None and given is not None
    return _Watched(
        _ref(leaf),
        _value(leaf.value),
        _value(leaf.undo),
        leaf.numel == 1,
        key[0],
        version,
        version - old_version,
        key[1],
        key[1] - old_key[1],
        key[1] + given[1] - old_key[1],
    )


def _ref(leaf: Leaf) -> Callable[[], Tensor | None]:
    tensor = leaf.tensor()
    return weakref.ref(tensor) if tensor is not None else _nothing


def _nothing() -> None:
    """What a dead reference gives."""


def _rows(last: Round, now: Round) -> tuple[Sequence[Any], ...]:
    return now.versions, now.keys, last.versions, last.keys, last.deposited


def _simple(leaf: Leaf) -> bool:
    """A small leaf with a gradient that is zero, which is the tensor that was last seen."""
    return leaf.numel <= SMALL and leaf.key is not None and leaf.key[1] >= 0 and is_zero(leaf.grad)


def _even_keys(keys: tuple[Any, ...]) -> bool:
    """One gradient, written equally often in both rounds."""
    if None in keys or len({key[0] for key in keys}) > 1:
        return False
    a, given_a, b, given_b, now = [key[1] for key in keys]
    return bool(b - a == now - b and given_a - a == given_b - b)


def _read(tensor: Tensor) -> Value:
    """The elements of a small tensor that is known to be an ordinary one."""
    if tensor.numel() == 1:
        return tensor.item()
    found = look(tensor)
    if not isinstance(found, tuple):
        raise LookupError("a small leaf is not small any more")
    return found


def _finite(value: Any) -> bool:
    return all(map(isfinite, value)) if value.__class__ is tuple else isfinite(value)


def _value(found: object) -> object:
    """A look, as :func:`_read` would have it."""
    return found[0] if isinstance(found, tuple) and len(found) == 1 else found

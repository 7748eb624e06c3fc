"""One small leaf written by hand again, at a line where that has been recorded before.

``w.data -= lr * w.grad`` and ``w.grad.zero_()`` in a loop: what there is to find out about such
a line (which leaf, computed from what, called how) has been found out the first time, and what
remains is to read the number before and after. Whatever is out of the ordinary is left to
:mod:`byhand`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ipygradmagic.capture.books import Books, Leaf, grad_key, storage_of
from ipygradmagic.capture.derivation import Answer
from ipygradmagic.capture.recorder import RawChange, RawEvent
from ipygradmagic.capture.snapshot import EXACT, MIDDLE, Look, dense, is_zero, look
from ipygradmagic.capture.source import Here
from ipygradmagic.capture.watch import Watch, proportional, same
from ipygradmagic.record.events import Source


class Ticket(NamedTuple):
    """A write that is about to happen: to the gradient of a leaf, or to its value."""

    name: str
    leaf: Leaf
    tensor: Tensor
    grad: Tensor | None
    here: Here
    before: Look


class Solo:
    """Records single writes to single small leaves.

    Args:
        watch: The shared state.
        answers: By line and leaf, whether what is written there comes from a gradient.
    """

    def __init__(self, watch: Watch, answers: dict[tuple[int, int], Answer]) -> None:
        self.watch = watch
        self._answers = answers

    def ticket(self, name: str, target: Tensor) -> Ticket | None:
        """For a write to all of a leaf's value or gradient, if it can be recorded here."""
        watch = self.watch
        if not self._calm():
            return None
        address, books = storage_of(target), watch.books
        some = books.values.get(address)
        leaf = some[0] if some else sole_holder(books, target)
        tensor = leaf.tensor() if leaf is not None else None
        if leaf is None or tensor is None:
            return None
        grad = None if some else tensor.grad
        if not covers(target, tensor if grad is None else grad):
            return None
        here = watch.sources.here()
        if here.via is not None:
            return None
        if grad is not None:
            return Ticket(name, leaf, tensor, grad, here, leaf.grad)
        if not some or len(some) > 1 or (here.site, leaf.id) not in self._answers:
            return None
        return Ticket(name, leaf, tensor, None, here, look(tensor))

    def written(self, ticket: Ticket, label: str, alias: Callable[[], Source | None]) -> RawEvent:
        """The value has been written; ``alias`` tells of an operand that is a gradient's memory."""
        leaf, before = ticket.leaf, ticket.before
        after = look(ticket.tensor)
        leaf.value, leaf.version = after, ticket.tensor._version
        source: Source = "gradient"
        answer = self._answers[ticket.here.site, leaf.id]
        if not answer and alias() is None:
            source = "other"
            if answer is None:
                source = "gradient" if proportional(before, after, leaf.grad) else "unknown"
        return self.watch.update(leaf, source, ticket.here, label, before, after)

    def edited(self, ticket: Ticket, label: str, how: str) -> RawEvent:
        """The gradient has been written."""
        watch, leaf, grad = self.watch, ticket.leaf, ticket.grad
        after = look(grad)
        leaf.key = grad_key(grad)
        if leaf.slot is not None and is_zero(after):
            return emptied(watch, leaf, ticket.before, after, ticket.here, label)
        leaf.grad = after
        change = RawChange(leaf, ticket.before, after, changed=not same(ticket.before, after))
        return watch.settle(change, ticket.tensor, ticket.here, label, how)

    def _calm(self) -> bool:
        watch = self.watch
        local = watch.local
        return (
            not local.steps
            and not local.passes
            and not watch.teams.made
            and not watch.discovery.births
            and watch.alone()
            and not torch._C._len_torch_function_stack()
            and not torch._C._len_torch_dispatch_stack()
        )


def emptied(
    watch: Watch, leaf: Leaf, before: Look, after: Look, here: Here, label: str
) -> RawEvent:
    """Book that a leaf's gradient was filled with zeros."""
    leaf.grad = after
    event = watch.recorder.burst("zero_grad", label, here, leaf)
    watch.ledger.clear(leaf.id, leaf.slot or 0, event.index, event.site)
    change = RawChange(leaf, before, after, changed=not same(before, after))
    change.holds = watch.ledger.holds(leaf.slot)
    watch.join(event, change)
    return event


def sole_holder(books: Books, target: Tensor) -> Leaf | None:
    """The one leaf whose gradient lies where ``target`` does."""
    slot = books.slot_of(target)
    if slot is None or len(slot.holders) != 1:
        return None
    (holder,) = slot.holders
    return books.leaves.get(holder)


def covers(target: Tensor, whole: Tensor) -> bool:
    """Whether writing ``target`` writes all of an ordinary tensor that is not large."""
    if target is not whole:
        if target.data_ptr() != whole.data_ptr() or target.shape != whole.shape:
            return False
        if target.stride() != whole.stride() or target.dtype is not whole.dtype:
            return False
    return whole.__class__ in EXACT and whole.numel() <= MIDDLE and dense(whole)

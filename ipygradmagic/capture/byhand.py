"""Gradients and parameters changed by hand: in-place methods, assignments, foreach functions.

The wrappers ask one cheap question, whether the memory that is written belongs to a known
gradient or leaf, and step aside if not.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.between import doing
from ipygradmagic.capture.books import Leaf, grad_key, grad_of, overlap, storage_of
from ipygradmagic.capture.derivation import Answer, Derivation
from ipygradmagic.capture.discovery import is_open_leaf
from ipygradmagic.capture.names import variables
from ipygradmagic.capture.optimizers import OptimizerWatch
from ipygradmagic.capture.recorder import RawChange, RawEvent
from ipygradmagic.capture.snapshot import Look, look, look_all
from ipygradmagic.capture.solo import Solo, Ticket
from ipygradmagic.capture.source import Here, in_optim, is_user
from ipygradmagic.capture.teams import Way
from ipygradmagic.capture.watch import Watch, proportional, same, version_of
from ipygradmagic.record.events import Source

_SCALING = {"mul_", "div_", "__imul__", "__itruediv__", "multiply_", "divide_", "_foreach_mul_"}
_SCALING |= {"_foreach_div_", "true_divide_"}
_NOT_DONE = object()
MOST_ANSWERS = 10_000
"""So many answers to "was this computed from a gradient?" are remembered, by line and leaf."""
MEASURING = 1e6
"""A limit beyond this clips nothing that trains; the call is there for its return value."""
_ADDING = {"add_", "sub_", "__iadd__", "__isub__", "subtract_", "_foreach_add_", "_foreach_sub_"}
_CLAMPING = {"clamp_", "clip_", "clamp_min_", "clamp_max_"}
_CLAMPING |= {"_foreach_clamp_min_", "_foreach_clamp_max_"}
_WHOLE = {"copy_", "__setitem__", "fill_", "normal_", "uniform_", "set_", "_foreach_copy_"}
_NO_NUMBERS = {"detach_", "requires_grad_"}
"""They take a gradient out of a graph, as ``zero_grad`` once did, and leave its numbers alone."""
_SIMPLE = _SCALING | _ADDING | {"zero_", "addcmul_", "addcdiv_", "lerp_", "clamp_"}
"""What they write is a whole tensor, of which no more needs to be known than the numbers."""
_UNSCALE = "_amp_foreach_non_finite_check_and_unscale_"
_SIGNS = {
    "__iadd__": "+=",
    "__isub__": "-=",
    "__imul__": "*=",
    "__itruediv__": "/=",
    "__setitem__": "[…] =",
}


@dataclass(slots=True)
class Touched:
    """What a write is about to touch."""

    grads: list[tuple[Leaf, Tensor]]
    values: list[tuple[Leaf, Tensor]]
    part: bool


class HandWatch:
    """Records what is written by hand."""

    def __init__(self, watch: Watch, backward: BackwardWatch, optimizers: OptimizerWatch) -> None:
        self.watch = watch
        self.backward = backward
        self.optimizers = optimizers
        self.derivation = Derivation()
        self._answers: dict[tuple[int, int], Answer] = {}
        self.solo = Solo(watch, self._answers)
        self.steady = backward.steady

    # -- in-place methods and functions ------------------------------------------------

    def touches(self, target: Tensor) -> bool:
        """Whether a write to ``target`` may concern a known gradient or leaf."""
        local = self.watch.local
        if local.quiet:
            return False
        if local.steps:  # a step's own work is recorded as a whole
            if in_optim(sys._getframe(2).f_code) or self.optimizers.working():
                return False
        address = storage_of(target)
        books = self.watch.books
        if address == 0 or address in books.by_address or address in books.values:
            return address != 0
        if self.watch.teams.made and self.watch.teams.owns(address):
            return True
        return bool(local.passes) and self._just_deposited(address)

    def _just_deposited(self, address: int) -> bool:
        """Whether this is a gradient that the running backward has made and nobody has booked.

        A hook that edits it must not change what the backward is said to have deposited.
        """
        for current in self.watch.local.passes:
            known = any(team.owns(address, again=True) for team in current.teams)
            some = [(leaf, leaf.tensor()) for leaf in current.solos]
            for leaf, tensor in (*current.reached.values(), *some):
                if leaf.slot is None and tensor is not None and tensor.grad is not None:
                    known = known or storage_of(tensor.grad) == address
            if known:
                with self.watch.guard():
                    self.backward.flush()
                return True
        return False

    def around(
        self,
        name: str,
        original: Callable[..., Any],
        targets: Sequence[Tensor],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run an in-place operation once, and record what it did to known tensors."""
        __tracebackhide__ = True
        if torch.compiler.is_compiling():
            return original(*args, **kwargs)
        if len(targets) == 1 and name in _SIMPLE:
            ticket: Ticket | None = None
            with self.watch.light():
                ticket = self.solo.ticket(name, targets[0])
            if ticket is not None:
                result = original(*args, **kwargs)
                with self.watch.light():
                    label, event = self._written_again(ticket, args, kwargs)
                    self.steady.wrote(ticket, label, event)
                return result
        if self.watch.teams.made and name in _SCALING:
            clipped = self._clipping(name, original, targets, args, kwargs)
            if clipped is not _NOT_DONE:
                return clipped
        before: tuple[Here, Touched, list[Look], list[int]] | None = None
        with self.watch.guard():
            before = self._before(targets)
        with self.watch.quiet():
            result = original(*args, **kwargs)
        if before is not None:
            with self.watch.guard():
                self._after(name, before, args, kwargs)
        return result

    def _clipping(
        self,
        name: str,
        original: Callable[..., Any],
        targets: Sequence[Tensor],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """All gradients of all teams are clipped at once; ``_NOT_DONE`` if it is something else."""
        __tracebackhide__ = True
        watch, express = self.watch, self.backward.express
        way: Way | None = None
        with watch.light():
            here = watch.sources.here()
            via = doing(here).label
            if _how(name, via) == "clipped":
                way = express.before_edit(targets, here)
        if way is None:
            return _NOT_DONE
        result = original(*args, **kwargs)
        done = False
        with watch.light():
            done = express.after_edit(way, here, via, "clipped")
        if not done:
            with watch.guard():  # which parts the teams, as they were seen before
                self._after(name, (here, self._touched(targets), [], []), args, kwargs)
        return result

    def _written_again(
        self, ticket: Ticket, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[str, RawEvent]:
        if ticket.grad is not None:
            label = _spell("grad", ticket.name)
            return label, self.solo.edited(ticket, label, _how(ticket.name, ""))
        label = _spell("data", ticket.name)
        return label, self.solo.written(ticket, label, lambda: self._alias(args, kwargs))

    def _before(
        self, targets: Sequence[Tensor]
    ) -> tuple[Here, Touched, list[Look], list[int]] | None:
        watch = self.watch
        self.optimizers.prune()
        if watch.discovery.births:
            watch.newborn(watch.sources.here())
        touched = self._touched(targets)
        if not touched.grads and not touched.values:
            return None
        watch.claim(leaf for leaf, _ in (*touched.grads, *touched.values))
        self.backward.flush()
        values = look_all([t for _, t in touched.values])
        return watch.sources.here(), touched, values, [storage_of(t) for _, t in touched.values]

    def _touched(self, targets: Sequence[Tensor]) -> Touched:
        books = self.watch.books
        found = Touched([], [], part=False)
        for target in targets:
            address = storage_of(target)
            for holder in [h for slot in books.by_address.get(address, ()) for h in slot.holders]:
                leaf = books.leaves.get(holder)
                tensor = leaf.tensor() if leaf is not None else None
                grad = tensor.grad if tensor is not None else None
                if leaf is None or tensor is None or grad is None:
                    continue
                if grad is target:
                    found.grads.append((leaf, tensor))
                elif storage_of(grad) == address and overlap(target, grad):
                    found.grads.append((leaf, tensor))
                    found.part = found.part or target.numel() < leaf.numel
            for leaf in books.values.get(address, ()):
                tensor = leaf.tensor()
                if tensor is target:
                    found.values.append((leaf, target))
                elif tensor is not None and overlap(target, tensor):
                    found.values.append((leaf, tensor))
                    found.part = found.part or target.numel() < leaf.numel
        return found

    def _after(
        self,
        name: str,
        before: tuple[Here, Touched, list[Look], list[int]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        here, touched, values, places = before
        watch = self.watch
        if name == "__setitem__" and _stores_itself(args):
            for leaf, owner in touched.grads:
                leaf.key = grad_key(owner.grad)  # one more version, and the same numbers
            return
        act = doing(here)
        via = act.label
        if touched.grads and name not in _NO_NUMBERS:
            how = _how(name, via)
            if name in _WHOLE and not touched.part and _writes_all(name, args):
                how = "edited" if self.derivation.of_own(here.site, here.frame) else "replaced"
            for change in self._edited(touched.grads):
                tensor = change.leaf.tensor()
                if how == "unscaled" and not change.changed:
                    continue  # before a fused step GradScaler only looks for inf this way
                if tensor is not None:
                    label = via or _spell("grad", name)
                    watch.settle(change, tensor, here, label, how, touched.part or bool(via))
        if touched.values:
            if name == "requires_grad_":
                self._toggled(touched.values, here)
                return
            source = None if name == "detach_" else self._alias(args, kwargs)
            if act.steps:  # averages of gradients among its operands: what else would it step by
                source, touched.part = "gradient", True
            self._written(touched, values, places, here, via or _spell("data", name), source)

    def _edited(self, grads: list[tuple[Leaf, Tensor]]) -> Iterator[RawChange]:
        """Every gradient that was written, also where the numbers came out the same.

        One of each buffer: the leaves that share it get their rows with it (``Watch.share``).
        """
        if len(grads) == 1:
            leaf, tensor = grads[0]
            grad = grad_of(leaf, tensor)
            before, after = leaf.grad, look(grad)
            leaf.grad, leaf.key = after, grad_key(grad)
            yield RawChange(leaf, before, after, changed=not same(before, after))
            return
        first: dict[object, tuple[Leaf, Tensor]] = {}
        for leaf, tensor in grads:
            leaf.key = None  # written for sure, even if through ``.data``: look again
            first.setdefault(leaf if leaf.slot is None else leaf.slot, (leaf, tensor))
        once = list(first.values())
        changes = {c.leaf.id: c for c in self.watch.observe(once) if not same(c.before, c.after)}
        for leaf, _ in once:
            change = changes.get(leaf.id)
            if change is None:
                change = RawChange(leaf, leaf.grad, leaf.grad, changed=False)
            yield change

    def aliased(self, tensor: Tensor) -> None:
        """The memory of a tensor is handed out: from now on only reading tells what changed."""
        address, books = storage_of(tensor), self.watch.books
        known = address in books.by_address or address in books.values
        if known or self.watch.teams.owns(address):
            with self.watch.guard():  # which parts them
                self.watch.teams.renounce()
                for leaf in books.values.get(address, ()):
                    leaf.exposed = True

    # -- values ------------------------------------------------------------------------

    def _written(
        self,
        touched: Touched,
        values: list[Look],
        places: list[int],
        here: Here,
        label: str,
        source: Source | None,
    ) -> None:
        watch = self.watch
        looks = look_all([t for _, t in touched.values])
        for (leaf, tensor), before, after, place in zip(touched.values, values, looks, places):
            leaf.value, leaf.version = after, version_of(tensor)
            if storage_of(tensor) != place:
                watch.books.moved(leaf, tensor, place)
            if same(before, after):
                if label in ("detach_", "data.detach_()", "data.requires_grad_()"):
                    continue
            computed = self._source(leaf, here, before, after)  # remembered, for :mod:`solo`
            self.watch.update(leaf, source or computed, here, label, before, after, touched.part)

    def _alias(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Source | None:
        """``gradient`` if an operand shares memory with a known gradient."""
        for operand in _tensors((*args[1:], *kwargs.values())):
            if self.watch.books.is_gradient(storage_of(operand)):
                return "gradient"
        return None

    def _source(self, leaf: Leaf, here: Here, before: Look, after: Look) -> Source:
        """Where the new value came from: the code that wrote it, else the numbers."""
        key = (here.site, leaf.id)
        if key in self._answers:
            answer = self._answers[key]
        else:
            target = _target_name(here.frame, leaf)
            answer = self.derivation.of_statement(here.site, here.frame, target)
            if len(self._answers) > MOST_ANSWERS:
                self._answers.clear()
            self._answers[key] = answer
        if answer is not None:
            return "gradient" if answer else "other"
        return "gradient" if proportional(before, after, leaf.grad) else "unknown"

    def _toggled(self, touched: list[tuple[Leaf, Tensor]], here: Here) -> None:
        for leaf, tensor in touched:
            if tensor.requires_grad != leaf.requires_grad:
                leaf.requires_grad = tensor.requires_grad
                self._switch(leaf, here)

    def _switch(self, leaf: Leaf, here: Here) -> None:
        watch = self.watch
        on = leaf.requires_grad
        kind, label = ("unfreeze", "requires_grad = True") if on else ("freeze", "")
        label = label or "requires_grad = False"
        event = watch.recorder.burst(
            "unfreeze" if kind == "unfreeze" else "freeze", label, here, leaf
        )
        change = RawChange(leaf, leaf.grad, leaf.grad, changed=False)
        change.holds = watch.ledger.holds(leaf.slot)
        watch.join(event, change)
        watch.everyone_else(event)

    # -- attributes --------------------------------------------------------------------

    def around_attribute(
        self, tensor: Tensor, name: str, run: Callable[[], None], value: object = None
    ) -> None:
        """``t.grad = …``, ``del t.grad``, ``t.data = …``, ``t.requires_grad = …``."""
        __tracebackhide__ = True
        after: Callable[[], None] | None = None
        if not torch.compiler.is_compiling():
            there = False
            try:
                there = self._stores_what_is_there(tensor, name, value)
            except Exception as error:
                self.watch.fault(error)
            if not there:
                with self.watch.guard():
                    after = self._plan_attribute(tensor, name, value)
        run()
        if after is not None:
            with self.watch.guard():
                after()

    def _stores_what_is_there(self, tensor: Tensor, name: str, value: object) -> bool:
        """``w.data -= x`` ends in ``w.data = w.data``, which has been written already."""
        if name != "data" or not self.watch.alone() or id(tensor) not in self.watch.books.by_place:
            return False
        return self.watch.books.find(tensor) is not None and _same_place(tensor, value)

    def _plan_attribute(
        self, tensor: Tensor, name: str, value: object
    ) -> Callable[[], None] | None:
        """What to record once the attribute is set."""
        watch = self.watch
        leaf = watch.books.find(tensor)
        if leaf is None and is_open_leaf(tensor):
            watch.meet([tensor], watch.sources.here())
            leaf = watch.books.find(tensor)
        if leaf is None:
            if name == "data" and self._is_grad(tensor):
                return None if _same_place(tensor, value) else self._plan_grad_data(tensor)
            if name == "requires_grad" and value:
                return lambda: self._became_leaf(tensor)
            return None
        watch.claim([leaf])
        place = storage_of(tensor)
        if name == "data" and _same_place(tensor, value):
            return None
        self.optimizers.prune()
        self.backward.flush()
        here = watch.sources.here()
        watch.newborn(here)
        before = look(tensor) if name == "data" else None
        return lambda: self._attribute_set(leaf, tensor, name, here, before, place)

    def _plan_grad_data(self, tensor: Tensor) -> Callable[[], None] | None:
        """``w.grad.data = …``: the buffer of a gradient is replaced."""
        touched = self._touched([tensor])
        here = self.watch.sources.here()
        return lambda: self._grad_data_set(touched.grads, here)

    def _grad_data_set(self, grads: list[tuple[Leaf, Tensor]], here: Here) -> None:
        """A library that does so (``Module.to``) moves what is there, with all that it holds."""
        via = here.via.co_name if here.via is not None else ""
        for change in self._edited(grads):
            owner = change.leaf.tensor()
            if owner is not None:
                how = "edited" if via else self._assigned(change.leaf, here)
                self.watch.settle(change, owner, here, via or "grad.data =", how)

    def _is_grad(self, tensor: Tensor) -> bool:
        return self.watch.books.is_gradient(storage_of(tensor))

    def _attribute_set(
        self, leaf: Leaf, tensor: Tensor, name: str, here: Here, before: Look, place: int
    ) -> None:
        watch = self.watch
        stepping = self.optimizers.working()
        if name == "requires_grad":
            if tensor.requires_grad != leaf.requires_grad:
                leaf.requires_grad = tensor.requires_grad
                self._switch(leaf, here)
        elif name == "data":
            leaf.describe(tensor)
            watch.books.moved(leaf, tensor, place)
            leaf.version = version_of(tensor)
            if not stepping:
                after = look(tensor)
                leaf.value, leaf.version = after, version_of(tensor)
                act = doing(here)
                source = "gradient" if act.steps else self._source(leaf, here, before, after)
                self.watch.update(leaf, source, here, act.label or "data =", before, after)
        elif not stepping:
            self._grad_set(leaf, tensor, here)

    def _grad_set(self, leaf: Leaf, tensor: Tensor, here: Here) -> None:
        watch = self.watch
        via = doing(here).label
        for change in watch.observe([(leaf, tensor)]):
            if tensor.grad is None:
                watch.settle(change, tensor, here, via or "grad = None", "cleared")
                continue
            how = self._assigned(leaf, here)
            if self._aliases_another(leaf, tensor.grad):
                how = "assigned by hand"
            watch.settle(change, tensor, here, via or "grad =", how)

    def _assigned(self, leaf: Leaf, here: Here) -> str:
        """Does the new gradient carry the old one's contributions on?

        Yes if the statement reads this very gradient, or reads some gradient while this one has
        not been used yet; otherwise it is a contribution made by hand.
        """
        if self.derivation.of_own(here.site, here.frame):
            others = self.derivation.of_others(here.site, here.frame)
            return "gathered" if others else "edited"
        held = self.watch.ledger.holds(leaf.slot)
        derived = self.derivation.of_statement(here.site, here.frame, "")
        return "gathered" if derived and held.count > held.used else "assigned by hand"

    def _aliases_another(self, leaf: Leaf, grad: Tensor) -> bool:
        """The new gradient is another leaf's buffer (as A3C shares them)."""
        slot = self.watch.books.slot_of(grad)
        return slot is not None and bool(slot.holders - {leaf.id})

    def _became_leaf(self, tensor: Tensor) -> None:
        """A plain tensor was switched on.

        One without a name is met when a backward reaches it, if ever: re-entrant checkpointing
        switches on copies of its own, which are nobody's leaves.
        """
        watch = self.watch
        if watch.books.find(tensor) is None and tensor.is_leaf and not tensor._is_view():
            here = watch.sources.here()
            watch.meet([tensor], here, named=True)
            leaf = watch.books.find(tensor)
            if leaf is not None and leaf.born < 0:
                leaf.born = here.site

    def born(self, tensor: Tensor) -> None:
        """``requires_grad_()`` returned: if it made a leaf that nobody knows, remember where."""
        watch = self.watch
        if watch.books.find(tensor) is None and is_open_leaf(tensor):
            self.optimizers.prune()
            here = watch.sources.here()
            watch.newborn(here)
            watch.discovery.born(tensor, here)

    # -- modules and the rest ----------------------------------------------------------

    def around_module_toggle(
        self, original: Callable[..., Any], module: Any, args: tuple[Any, ...], kwargs: Any
    ) -> Any:
        """``module.requires_grad_(…)``: one event for all of its parameters."""
        __tracebackhide__ = True
        with self.watch.quiet():
            result = original(module, *args, **kwargs)
        with self.watch.guard():
            here = self.watch.sources.here()
            found = ((self.watch.books.find(p), p) for p in module.parameters())
            self._toggled([(leaf, p) for leaf, p in found if leaf is not None], here)
        return result

    def around_swap(self, original: Callable[..., Any], one: Tensor, other: Tensor) -> Any:
        """``torch.utils.swap_tensors`` refuses tensors with weak references: step aside."""
        __tracebackhide__ = True
        watch = self.watch
        pairs: list[tuple[Leaf, Tensor]] = []
        with watch.guard():
            found = ((watch.books.find(t), t) for t in (one, other))
            pairs = [(leaf, t) for leaf, t in found if leaf is not None]
            watch.discovery.forget()
            for leaf, _ in pairs:
                leaf.loosen()
        with watch.guard():
            for leaf, tensor in pairs:
                watch.books.moves(leaf, storage_of(tensor))
        try:
            return original(one, other)
        finally:
            with watch.guard():
                for leaf, tensor in pairs:
                    self._rekey(leaf, tensor)

    def _rekey(self, leaf: Leaf, tensor: Tensor) -> None:
        """The same Python tensor lives in other memory: its contributions came along."""
        watch = self.watch
        leaf.bind(tensor)
        watch.books.moved(leaf, tensor, 0)
        leaf.value = look(tensor)
        here = watch.sources.here()
        for change in watch.observe([(leaf, tensor)]):
            watch.settle(change, tensor, here, "swap_tensors", "edited")

    def retained(self, tensor: Tensor) -> None:
        """``retain_grad`` was called: the tensor has a slot of its own now."""
        with self.watch.guard():
            if not tensor.is_leaf and self.watch.books.find(tensor) is None:
                self.watch.meet([tensor], self.watch.sources.here())


def _same_place(tensor: Tensor, value: object) -> bool:
    """Whether ``tensor.data = value`` leaves it where it is (``m.to("cpu")`` of what is there)."""
    if not isinstance(value, Tensor) or storage_of(tensor) != storage_of(value):
        return False
    return tensor.shape == value.shape and overlap(tensor, value)


def _writes_all(name: str, args: tuple[Any, ...]) -> bool:
    """``w[:] = x`` writes all of it, ``w[0] = x`` does not."""
    return name != "__setitem__" or args[1] is Ellipsis or args[1] == slice(None)


def _stores_itself(args: tuple[Any, ...]) -> bool:
    """``w[i] -= x`` ends in ``w[i] = w[i]``, which has been written already."""
    target, value = args[0], args[-1]
    if not isinstance(value, Tensor) or storage_of(value) != storage_of(target):
        return False
    return overlap(value, target)


def _clip_limit() -> float:
    """The limit given to the ``clip_grad_norm_`` that is running; 0 if it cannot be told.

    Many loops call it with an infinite limit only to learn the norm.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_user(frame.f_code):
        if frame.f_code.co_name == "clip_grad_norm_":
            limit = variables(frame).get("max_norm", 0.0)
            return float(limit) if isinstance(limit, (int, float)) else 0.0
        frame = frame.f_back
    return 0.0


def _how(name: str, via: str) -> str:
    if "clip_grad" in via or via.startswith("_clip"):
        return "clipped" if _clip_limit() < MEASURING else "edited"
    if name == _UNSCALE or "unscale" in via:
        return "unscaled"
    if name in _ADDING:
        return "added"
    if name in _CLAMPING:
        return "clamped"
    return "scaled" if name in _SCALING else "edited"


@functools.cache
def _spell(what: str, name: str) -> str:
    sign = _SIGNS.get(name)
    return f"{what} {sign}" if sign else f"{what}.{name}()"


def _tensors(operands: tuple[Any, ...]) -> Iterator[Tensor]:
    for operand in operands:
        if isinstance(operand, Tensor):
            yield operand
        elif isinstance(operand, (list, tuple)):
            yield from (o for o in operand if isinstance(o, Tensor))


def _target_name(frame: FrameType | None, leaf: Leaf) -> str:
    """The variable of this frame that denotes the leaf: reading it proves nothing."""
    tensor = leaf.tensor()
    if frame is None or tensor is None:
        return leaf.name
    local = variables(frame)
    return next((n for n, v in local.items() if v is tensor), leaf.name.split(".")[0])

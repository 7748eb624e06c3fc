"""Optimizer steps and ``zero_grad``, seen through torch's own global hooks and two wrappers."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.books import Leaf
from ipygradmagic.capture.discovery import is_open_leaf
from ipygradmagic.capture.owners import groups_of, members, parameters_of
from ipygradmagic.capture.recorder import RawChange, RawEvent
from ipygradmagic.capture.shells import running, shell_of_step
from ipygradmagic.capture.snapshot import Look, is_finite, is_zero, look_all
from ipygradmagic.capture.source import Here
from ipygradmagic.capture.watch import StepCall, Watch, same, version_of
from ipygradmagic.record.tensors import SMALL


class OptimizerWatch:
    """Records steps and zero_grad calls."""

    def __init__(self, watch: Watch, backward: BackwardWatch) -> None:
        self.watch = watch
        self.backward = backward
        self.express = backward.express
        self.scaled: Callable[[torch.optim.Optimizer, bool, int], None] | None = None
        backward.before = self.prune

    # -- step --------------------------------------------------------------------------

    def before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Global pre-hook of ``step``: look at what the optimizer owns; wrap its closure."""
        watch = self.watch
        if torch.compiler.is_compiling():
            return None
        lane = watch.lane
        if lane is not None and lane.before_step(optimizer, args, kwargs):
            return None
        if watch.local.steps:
            with watch.light():
                if self._of_super(optimizer):
                    return None
        if watch.teams.made:
            begun = False
            with watch.light():
                begun = self.express.before_step(optimizer, args, kwargs, shell_of_step())
            if begun:
                return None
        call: StepCall | None = None
        with watch.guard():
            self.prune()
            self.backward.flush()
            here = watch.sources.here()
            watch.recorder.close_bursts()
            owned = self._owned(optimizer, here)
            watch.claim(leaf for leaf, _ in owned)
            watch.unseen(here)
            watch.recorder.close_bursts()
            name = watch.discovery.optimizer_name(optimizer, here.frame)
            watch.remember(optimizer, name)
            values = self._values(owned)
            began = watch.recorder.next
            call = StepCall(optimizer, name, here, began, owned, values, shell_of_step())
        if call is None:
            return None
        watch.local.steps.append(call)
        arranged: tuple[tuple[Any, ...], dict[str, Any]] | None = None
        with watch.guard():
            arranged = self._with_closure(call, args, kwargs)
        return arranged

    def after_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Global post-hook of ``step``."""
        watch = self.watch
        lane = watch.lane
        if lane is not None and lane.after_step():
            return
        steps = watch.local.steps
        if not any(call.optimizer is optimizer for call in steps):
            return
        with watch.light():
            if self._of_super(optimizer):
                return
        while steps:
            call = steps.pop()
            finished = call.optimizer is optimizer
            done = False
            if finished and call.teams:
                with watch.light():
                    done = self.express.after_step(call)
            if done:
                return
            with watch.guard():
                self._book_step(call, raised=not finished)
                if finished:
                    self.express.learn_step(call)
            if finished:
                return

    def _of_super(self, optimizer: torch.optim.Optimizer) -> bool:
        """A step of this optimizer runs already: this is ``super().step()``, a part of it."""
        steps = self.watch.local.steps
        if not steps or steps[-1].optimizer is not optimizer or steps[-1].shell is None:
            return False
        outer = steps[-1].shell
        return shell_of_step() is not outer and running(outer) and not steps[-1].in_closure

    def working(self) -> bool:
        """A step of this thread is at its own work (not in the user's closure)."""
        steps = self.watch.local.steps
        if not steps or steps[-1].in_closure:
            return False
        shell = steps[-1].shell
        return shell is None or running(shell)

    def prune(self) -> None:
        """Steps whose frame is gone were ended by an exception that somebody caught."""
        steps = self.watch.local.steps
        while steps and steps[-1].shell is not None and not running(steps[-1].shell):
            self._book_step(steps.pop(), raised=True)

    def made(self, optimizer: torch.optim.Optimizer) -> None:
        """A parameter group was added: its tensors can be named now, before names move on."""
        with self.watch.guard():
            here = self.watch.sources.here()
            groups = groups_of(optimizer)
            if not groups:
                return
            if self.watch.built_at(optimizer) < 0 and len(groups) == 1:
                self.watch.built[id(optimizer)] = (weakref.ref(optimizer), here.site)
            group = members(groups[-1])
            books = self.watch.books
            tensors = [t for t in group if books.find(t) is not None or is_open_leaf(t)]
            self.watch.meet(tensors, here)

    def _owned(self, optimizer: torch.optim.Optimizer, here: Here) -> list[tuple[Leaf, Tensor]]:
        tensors = list(parameters_of(optimizer))
        books = self.watch.books
        strangers = [t for t in tensors if books.find(t) is None and is_open_leaf(t)]
        if strangers:
            self.watch.meet(strangers, here)
        found = ((books.find(t), t) for t in tensors)
        return [(leaf, t) for leaf, t in found if leaf is not None]

    @staticmethod
    def _values(owned: list[tuple[Leaf, Tensor]]) -> list[Look]:
        """What the parameters are now; the last look, where the version says that it still holds.

        (A version misses writes through numpy, so small tensors are read all the same.)
        """
        old = [
            (leaf.value, leaf.numel > SMALL and leaf.version == version_of(tensor))
            for leaf, tensor in owned
        ]
        stale = [(k, t) for k, (_, t) in enumerate(owned) if old[k][0] is None or not old[k][1]]
        values = [value for value, _ in old]
        for (k, _), value in zip(stale, look_all([t for _, t in stale])):
            values[k] = value
        return values

    def _with_closure(
        self, call: StepCall, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Arguments with the closure wrapped, where there is one."""
        if callable(kwargs.get("closure")):
            return args, {**kwargs, "closure": self._closure(call, kwargs["closure"])}
        if len(args) > 1 and callable(args[1]):
            return (args[0], self._closure(call, args[1]), *args[2:]), kwargs
        return None

    def _closure(self, call: StepCall, closure: Callable[[], Any]) -> Callable[[], Any]:
        """The closure, after whose return the step has consumed what the slots hold."""
        watch = self.watch
        call.closure = True

        def closure_watched() -> Any:
            __tracebackhide__ = True
            if call.returned is not None:
                with watch.guard():
                    self._moved_since(call)
            began = watch.recorder.next
            call.in_closure += 1
            try:
                result = closure()
            finally:
                call.in_closure -= 1
            with watch.guard():
                watch.unseen(call.here)
                if watch.recorder.next > began:  # else it computed a loss at the most
                    self._book_closure(call)
            return result

        return closure_watched

    def _book_closure(self, call: StepCall) -> None:
        watch = self.watch
        call.closures += 1
        label = f"{type(call.optimizer).__name__}.step closure"
        event = watch.recorder.begin("step", label, call.here)
        event.actor = call.name
        pairs = [(leaf.id, leaf.slot) for leaf, _ in call.owned]
        watch.ledger.closure(call.name, pairs, event.index, event.site, event.number)
        for leaf, _ in call.owned:
            if leaf.grad is not None:
                change = RawChange(leaf, leaf.grad, leaf.grad, changed=False)
                change.holds = watch.ledger.holds(leaf.slot)
                event.changes.append(change)
        watch.everyone_else(event)
        call.returned = event

    def _moved_since(self, call: StepCall, *, last: bool = False) -> None:
        """The closure is called again: what the step has moved meanwhile belongs to its last return.

        What it moves after the ``last`` one belongs to the step as a whole.
        """
        event, call.returned = call.returned, None
        if event is None:
            return
        if not last:
            rows = {change.leaf.id: change for change in event.changes}
            values = look_all([t for _, t in call.owned])
            for (leaf, tensor), before, after in zip(call.owned, call.values, values):
                leaf.value, leaf.version = after, version_of(tensor)
                row = rows.get(leaf.id)
                if row is not None and not same(before, after):
                    row.value_before, row.value_after = before, after
            call.values = values
        self.watch.recorder.finish(event)

    def leave(self, call: StepCall) -> None:
        """The trace ends inside a step: what its closure did stays."""
        self._moved_since(call, last=True)

    def _book_step(self, call: StepCall, *, raised: bool) -> None:
        watch = self.watch
        call.unfold()
        watch.recorder.close_bursts()
        label = f"{type(call.optimizer).__name__}.step"
        event = None if raised else self._only_return(call)
        if event is None:
            self._moved_since(call, last=True)
            event = watch.recorder.begin("step", label, call.here)
        event.label = label
        event.actor = call.name
        if raised:
            event.error = call.failure
        skipped = _found_inf(call.optimizer)
        if self.scaled is not None and getattr(call.optimizer, "found_inf", None) is not None:
            self.scaled(call.optimizer, not skipped, call.here.site)
        consumes = not raised and not call.closures and not skipped
        self._nonfinite(call, event, consumes)
        pairs = [(leaf.id, leaf.slot) for leaf, _ in call.owned]
        watch.ledger.step(
            call.name,
            pairs,
            event.index,
            event.site,
            event.number,
            began=call.began,
            consumes=consumes,
        )
        self._step_changes(call, event)
        if watch.local.steps:
            event.inside = f"{type(watch.local.steps[-1].optimizer).__name__}.step"
        watch.everyone_else(event)
        watch.recorder.finish(event)

    def _only_return(self, call: StepCall) -> RawEvent | None:
        """The return of a closure that was called once, and is the step: nothing came after it."""
        event = call.returned
        if event is None or call.closures > 1 or self.watch.recorder.total > event.index:
            return None
        call.returned = None
        event.changes.clear()  # the step has them, with the values that it moved
        event.joined = None
        return event

    def _nonfinite(self, call: StepCall, event: RawEvent, consumes: bool) -> None:
        for leaf, _ in call.owned if consumes else ():
            if not is_finite(leaf.grad):
                self.watch.ledger.nonfinite(
                    leaf.id, event.index, event.site, event.number, used=True
                )

    def _step_changes(self, call: StepCall, event: RawEvent) -> None:
        """Values before and after; gradients too, since a step may clear or edit them."""
        watch = self.watch
        for leaf, _ in call.owned:
            leaf.owners[call.name] = None
        regrads = {c.leaf.id: c for c in watch.observe(call.owned)}
        values = look_all([t for _, t in call.owned])
        missed: list[str] = []
        for (leaf, tensor), before, after in zip(call.owned, call.values, values):
            change = regrads.get(leaf.id)
            if change is not None:
                self._regrad(change, tensor, event)
            elif leaf.grad is None and same(before, after):
                missed.append(leaf.name)
                continue
            else:
                change = RawChange(leaf, leaf.grad, leaf.grad, changed=False)
            change.value_before, change.value_after = before, after
            change.holds = watch.ledger.holds(leaf.slot)
            leaf.value, leaf.version = after, version_of(tensor)
            event.changes.append(change)
        event.missed = tuple(missed)

    def _regrad(self, change: RawChange, tensor: Tensor, event: RawEvent) -> None:
        """The step itself changed the gradient."""
        watch, leaf, grad = self.watch, change.leaf, tensor.grad
        if grad is None:
            watch.detach(leaf, event)
        elif is_zero(change.after):
            watch.resettle(leaf, grad, event, derived=False, empty=True)
            watch.ledger.clear(leaf.id, leaf.slot or 0, event.index, event.site)
        else:
            watch.resettle(leaf, grad, event, derived=True)

    # -- zero_grad ---------------------------------------------------------------------

    def around_zero(
        self,
        original: Callable[..., Any],
        owner: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """``Optimizer.zero_grad`` or ``Module.zero_grad``."""
        __tracebackhide__ = True
        watch = self.watch
        if watch.local.quiet or torch.compiler.is_compiling():
            return original(owner, *args, **kwargs)
        lane = watch.lane
        ticket = lane.before_zero(owner) if lane is not None else None
        if ticket is None:
            lane = None
            if watch.teams.made:
                with watch.light():
                    ticket = self.express.before_zero(owner)
        if ticket is not None:
            watch.away = True
            try:
                result = original(owner, *args, **kwargs)
            finally:
                watch.away = False
            done = lane is not None and lane.after_zero()
            if not done:
                with watch.light():
                    done = self.express.after_zero(owner, ticket)
            if not done:
                with watch.guard():
                    self._book_zero(owner, ticket[1])
            return result
        here: Here | None = None
        with watch.guard():
            self.prune()
            self.backward.flush()
            here = watch.sources.here()
            watch.claim(leaf for leaf, _ in self._known(owner))
            watch.recorder.close_bursts()
            watch.unseen(here)
        with watch.quiet():
            result = original(owner, *args, **kwargs)
        if here is not None:
            with watch.guard():
                self._book_zero(owner, here)
        return result

    def _book_zero(self, owner: Any, here: Here) -> None:
        watch = self.watch
        if isinstance(owner, torch.optim.Optimizer):
            name = watch.discovery.optimizer_name(owner, here.frame)
            watch.remember(owner, name)
        else:
            name = watch.discovery.module_name(owner, here.frame)
        known = self._known(owner)
        event = watch.recorder.begin("zero_grad", f"{type(owner).__name__}.zero_grad", here)
        event.actor = name
        for change in watch.observe(known):
            tensor = change.leaf.tensor()
            if tensor is not None:
                self._cleared(change, tensor, event)
        if watch.local.steps:
            event.inside = f"{type(watch.local.steps[-1].optimizer).__name__}.step"
        watch.everyone_else(event)
        watch.recorder.finish(event)
        self.express.learn_zero(owner, name, here.site, [leaf for leaf, _ in known])

    def _known(self, owner: Any) -> list[tuple[Leaf, Tensor]]:
        """The known leaves of an optimizer or a module."""
        if isinstance(owner, torch.optim.Optimizer):
            tensors: Iterable[Tensor] = parameters_of(owner)
        else:
            tensors = owner.parameters()
        found = ((self.watch.books.find(t), t) for t in tensors)
        return [(leaf, t) for leaf, t in found if leaf is not None]

    def _cleared(self, change: RawChange, tensor: Tensor, event: RawEvent) -> None:
        watch, leaf = self.watch, change.leaf
        if tensor.grad is None:
            watch.detach(leaf, event)
        else:
            watch.resettle(leaf, tensor.grad, event, derived=True)
            if is_zero(change.after):
                watch.ledger.clear(leaf.id, leaf.slot or 0, event.index, event.site)
        change.holds = watch.ledger.holds(leaf.slot)
        event.changes.append(change)
        watch.share(leaf, event)


def _found_inf(optimizer: torch.optim.Optimizer) -> bool:
    """A fused step that GradScaler told to do nothing."""
    flag = getattr(optimizer, "found_inf", None)
    return isinstance(flag, Tensor) and bool(flag.detach().cpu().item())

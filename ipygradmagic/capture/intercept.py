"""The wrappers and hooks, installed and restored as one.

Nothing here decides anything: each wrapper asks its watcher whether the call concerns it, and
calls torch's own function exactly once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.amp import grad_scaler
from torch.nn.utils import clip_grad
from torch.optim import Optimizer, lr_scheduler
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.byhand import HandWatch
from ipygradmagic.capture.calls import CallWatch
from ipygradmagic.capture.optimizers import OptimizerWatch
from ipygradmagic.capture.steady import MISSED

_DUNDERS = (
    "__iadd__",
    "__isub__",
    "__imul__",
    "__itruediv__",
    "__ifloordiv__",
    "__imod__",
    "__ipow__",
    "__setitem__",
)
_NOT_WRITES = {"_coalesced_", "share_memory_", "rename_", "squeeze_", "unsqueeze_", "t_"}
_NOT_WRITES |= {"transpose_", "swapaxes_", "swapdims_", "as_strided_"}
_ATTRIBUTES = frozenset(("grad", "_grad", "data", "requires_grad"))
_ALIASES = ("numpy", "__array__", "__dlpack__")
"""They hand out a tensor's memory; what is written there leaves no trace on the tensor."""
_MISSING = object()
_compiling = torch.compiler.is_compiling


class Interception:
    """All patches of one trace: put in place by ``install``, taken back by ``restore``.

    Somebody may have taken hold of a wrapper meanwhile (torch._dynamo, when it is first imported
    during a trace, copies every method of Tensor). Such a wrapper only calls the original
    afterwards, and keeps nothing of the trace alive.
    """

    def __init__(
        self,
        backward: BackwardWatch,
        optimizers: OptimizerWatch,
        hand: HandWatch,
        calls: CallWatch,
    ) -> None:
        self.backward: BackwardWatch | None = backward
        self.optimizers: OptimizerWatch | None = optimizers
        self.hand: HandWatch | None = hand
        self.calls: CallWatch | None = calls
        self.lost: list[str] = []
        self._patched: list[tuple[Any, str, object, object]] = []
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def install(self) -> None:
        """Install everything; on any failure nothing stays installed."""
        try:
            self._install_engine()
            self._install_optimizers()
            self._install_methods()
            self._install_functions()
            self._install_attributes()
            self._install_calls()
        except BaseException:
            self.restore()
            raise

    def restore(self) -> None:
        """Take everything back. What somebody wrapped on top of us is left, and named."""
        while self._handles:
            self._handles[-1].remove()
            self._handles.pop()
        while self._patched:
            owner, name, before, ours = self._patched[-1]
            if vars(owner).get(name, _MISSING) is ours:
                if before is _MISSING:
                    delattr(owner, name)
                else:
                    setattr(owner, name, before)
            elif vars(owner).get(name, _MISSING) is not before:
                self.lost.append(f"{getattr(owner, '__name__', owner)}.{name}")
            self._patched.pop()
        self.backward = self.optimizers = self.hand = self.calls = None

    def _patch(self, owner: Any, name: str, ours: object) -> None:
        self._patched.append((owner, name, vars(owner).get(name, _MISSING), ours))
        setattr(owner, name, ours)

    # -- backward ----------------------------------------------------------------------

    def _install_engine(self) -> None:
        engine = getattr(torch.autograd, "_engine_run_backward", None)
        if engine is None:
            self._install_public_backward()
            return

        @functools.wraps(engine)
        def run(t_outputs: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            watch = self.backward
            if watch is None:
                return engine(t_outputs, *args, **kwargs)
            return watch.around(engine, t_outputs, args, kwargs)

        self._patch(torch.autograd, "_engine_run_backward", run)

    def _install_public_backward(self) -> None:
        """A torch without the private choke point: ``torch.autograd.backward`` is seen instead."""
        public = torch.autograd.backward

        @functools.wraps(public)
        def backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            outputs = (tensors,) if isinstance(tensors, Tensor) else tuple(tensors)

            def run(_: Any, *a: Any, **k: Any) -> Any:
                __tracebackhide__ = True
                return public(tensors, *a, **k)

            watch = self.backward
            if watch is None:
                return public(tensors, *args, **kwargs)
            return watch.around(run, outputs, args, kwargs)

        self._patch(torch.autograd, "backward", backward)

    # -- optimizers --------------------------------------------------------------------

    def _install_optimizers(self) -> None:
        watch = self.optimizers
        assert watch is not None
        self._handles.append(register_optimizer_step_pre_hook(watch.before_step))
        self._handles.append(register_optimizer_step_post_hook(watch.after_step))
        for owner in (Optimizer, torch.nn.Module):
            self._patch(owner, "zero_grad", self._zero(owner.zero_grad))
        add_group = Optimizer.add_param_group

        @functools.wraps(add_group)
        def add_param_group(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            add_group(optimizer, *args, **kwargs)
            if self.optimizers is not None and not torch.compiler.is_compiling():
                self.optimizers.made(optimizer)

        self._patch(Optimizer, "add_param_group", add_param_group)
        toggle = torch.nn.Module.requires_grad_

        @functools.wraps(toggle)
        def requires_grad_(module: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            hand = self.hand
            if hand is None:
                return toggle(module, *args, **kwargs)
            return hand.around_module_toggle(toggle, module, args, kwargs)

        self._patch(torch.nn.Module, "requires_grad_", requires_grad_)

    def _zero(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def zero_grad(owner: Any, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            watch = self.optimizers
            if watch is None:
                return original(owner, *args, **kwargs)
            return watch.around_zero(original, owner, args, kwargs)

        return zero_grad

    # -- by hand -----------------------------------------------------------------------

    def _install_methods(self) -> None:
        names = [n for n in dir(Tensor) if n.endswith("_") and not n.endswith("__")]
        for name in (*names, *_DUNDERS):
            original = getattr(Tensor, name, None)
            if callable(original) and name not in _NOT_WRITES:
                self._patch(Tensor, name, self._method(name, original))
        for name in _ALIASES:
            self._patch(Tensor, name, self._alias(getattr(Tensor, name)))
        self._patch(Tensor, "requires_grad_", self._birth(Tensor.requires_grad_))
        retain = Tensor.retain_grad

        @functools.wraps(retain)
        def retain_grad(tensor: Tensor) -> None:
            __tracebackhide__ = True
            retain(tensor)
            if self.hand is not None:
                self.hand.retained(tensor)

        self._patch(Tensor, "retain_grad", retain_grad)

    def _method(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            hand = self.hand
            if hand is None or hand.watch.away:
                return original(tensor, *args, **kwargs)
            if hand.watch.noting and not _compiling():
                result = hand.steady.write(name, original, tensor, args, kwargs)
                if result is not MISSED:
                    return result
            if hand.touches(tensor):
                return hand.around(name, original, (tensor,), (tensor, *args), kwargs)
            return original(tensor, *args, **kwargs)

        return method

    def _alias(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def alias(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            if self.hand is not None:
                self.hand.aliased(tensor)
            return original(tensor, *args, **kwargs)

        return alias

    def _birth(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``requires_grad_`` also makes leaves: the wrapper around the one for all methods."""

        @functools.wraps(original)
        def requires_grad_(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            result = original(tensor, *args, **kwargs)
            hand = self.hand
            if hand is not None and not torch.compiler.is_compiling():
                if not hand.watch.away and not hand.watch.local.quiet:
                    with hand.watch.guard():
                        hand.born(tensor)
            return result

        return requires_grad_

    def _install_functions(self) -> None:
        listed = [n for n in dir(torch) if n.startswith("_foreach_") and n.endswith("_")]
        listed.append("_amp_foreach_non_finite_check_and_unscale_")
        for name in listed:
            original = getattr(torch, name, None)
            if callable(original):
                self._patch(torch, name, self._listed(name, original))
        swap: Callable[..., Any] = torch.utils.swap_tensors

        @functools.wraps(swap)
        def swap_tensors(t1: Tensor, t2: Tensor) -> Any:
            __tracebackhide__ = True
            return swap(t1, t2) if self.hand is None else self.hand.around_swap(swap, t1, t2)

        self._patch(torch.utils, "swap_tensors", swap_tensors)

    def _listed(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def function(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            hand = self.hand
            listed = args[0] if args and isinstance(args[0], (list, tuple)) else ()
            if hand is None or hand.watch.away or hand.watch.local.quiet:
                return original(*args, **kwargs)
            targets = [t for t in listed if isinstance(t, Tensor) and hand.touches(t)]
            if targets:
                return hand.around(name, original, targets, args, kwargs)
            return original(*args, **kwargs)

        return function

    def _install_attributes(self) -> None:
        store, remove = Tensor.__setattr__, Tensor.__delattr__

        def set_attribute(tensor: Tensor, name: str, value: Any) -> None:
            __tracebackhide__ = True
            hand = self.hand if name in _ATTRIBUTES else None
            if hand is not None and not hand.watch.away and not hand.watch.local.quiet:
                hand.around_attribute(tensor, name, lambda: store(tensor, name, value), value)
            else:
                store(tensor, name, value)

        def delete_attribute(tensor: Tensor, name: str) -> None:
            __tracebackhide__ = True
            hand = self.hand if name in _ATTRIBUTES else None
            if hand is not None and not hand.watch.local.quiet:
                hand.around_attribute(tensor, name, lambda: remove(tensor, name))
            else:
                remove(tensor, name)

        self._patch(Tensor, "__setattr__", set_attribute)
        self._patch(Tensor, "__delattr__", delete_attribute)

    # -- calls that touch nothing --------------------------------------------------------

    def _install_calls(self) -> None:
        """The insides of clipping, schedulers and scalers: however imported, they come by there.

        None may be wrapped itself, or the warnings that torch gives at its caller's line would
        name another one. A torch without these private names is not watched for them.
        """
        clip = getattr(clip_grad, "_clip_grads_with_norm_", None)
        if clip is not None:

            @functools.wraps(clip)
            def clip_grads(parameters: Any, max_norm: Any, total: Any, *a: Any, **k: Any) -> Any:
                __tracebackhide__ = True
                calls = self.calls
                if calls is not None and not torch.compiler.is_compiling():
                    with calls.watch.light():
                        calls.clipping(parameters, max_norm, total)
                return clip(parameters, max_norm, total, *a, **k)

            self._patch(clip_grad, "_clip_grads_with_norm_", clip_grads)
        enable = getattr(lr_scheduler, "_enable_get_lr_call", None)
        if enable is not None:

            def enable_get_lr_call(scheduler: Any) -> Any:
                __tracebackhide__ = True
                if self.calls is not None:
                    with self.calls.watch.light():
                        self.calls.scheduled(scheduler)
                return enable(scheduler)

            self._patch(lr_scheduler, "_enable_get_lr_call", enable_get_lr_call)
        maybe = getattr(grad_scaler.GradScaler, "_maybe_opt_step", None)
        if maybe is not None:

            @functools.wraps(maybe)
            def maybe_opt_step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                calls = self.calls
                before = 0
                if calls is not None:
                    with calls.watch.light():
                        before = calls.steps_of(optimizer)
                result = maybe(scaler, optimizer, *args, **kwargs)
                if calls is not None:
                    with calls.watch.light():
                        calls.scaled(optimizer, calls.steps_of(optimizer) > before)
                return result

            self._patch(grad_scaler.GradScaler, "_maybe_opt_step", maybe_opt_step)

"""A strict trace: the code is stopped at its first error, where it makes it.

Nothing here judges. After every event the ledger is asked whether it has noticed anything; if so,
what has been recorded up to there is handed to the diagnosis, and only a finding of severity
*error* stops the code. A step is tried on a copy of the ledger before it is applied, so that the
tensors can be looked at as they were.

The watchers of a strict trace are those of any other with a question after each call; a trace that
is not strict has nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.byhand import HandWatch
from ipygradmagic.capture.optimizers import OptimizerWatch
from ipygradmagic.capture.sofar import Sign, sign_of, so_far
from ipygradmagic.capture.source import in_optim
from ipygradmagic.capture.watch import StepCall, Watch
from ipygradmagic.errors import GradientLifecycleError
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.ledger import Ledger
from ipygradmagic.record.trace import Meta, Trace

Judge = Callable[[Trace], Iterable[Finding]]


class Gate:
    """Asks, and stops.

    Args:
        watch: The shared state.
        judge: The diagnosis: what it finds in a trace, silenced findings left out.
        meta: Circumstances of the trace.
    """

    def __init__(self, watch: Watch, judge: Judge, meta: Meta) -> None:
        self.watch = watch
        self._judge = judge
        self._meta = meta
        self._asked = 0
        self._seen: dict[Sign, int] = {}
        self._known: set[tuple[object, ...]] = set()

    def check(self) -> None:
        """After an event.

        Raises:
            GradientLifecycleError: One of the events since the last check was an error.
        """
        __tracebackhide__ = True
        watch = self.watch
        if torch.compiler.is_compiling() or watch.local.quiet or not watch.running:
            return
        error: GradientLifecycleError | None = None
        with watch.guard():
            found = watch.ledger.noticed(self._asked)
            after, self._asked = self._asked, watch.recorder.complete
            error = self._error(watch.ledger, [sign_of(one) for one in found], after)
        if error is not None:
            raise error

    def check_step(self, call: StepCall) -> None:
        """Before a step is applied.

        Raises:
            GradientLifecycleError: It would be an error.
        """
        __tracebackhide__ = True
        watch = self.watch
        error: GradientLifecycleError | None = None
        with watch.guard():
            error = self._try_step(call) if _ready(call) else None
        if error is not None:
            raise error

    def _try_step(self, call: StepCall) -> GradientLifecycleError | None:
        """Book the step on a copy of the ledger; if that is an error, the ledger remembers it."""
        watch = self.watch
        trial, event = watch.ledger.trial(), watch.recorder.next
        number = watch.recorder.counts.get("step", 0) + 1
        pairs = [(leaf.id, leaf.slot) for leaf, _ in call.owned]
        trial.step(call.name, pairs, event, call.here.site, number, began=event)
        signs = [sign_of(one) for one in trial.noticed(event - 1)]
        if missed := [leaf.id for leaf, _ in call.owned if leaf.slot is None]:
            signs.append(("missed", call.here.site, *missed))  # are they the right ones?
        error = self._error(trial, signs, event - 1)
        if error is not None:
            watch.ledger.convict(trial)
            self._asked = event
            call.failure = "GradientLifecycleError: stopped before it was applied"
        return error

    def _error(
        self, ledger: Ledger, signs: list[Sign], after: int
    ) -> GradientLifecycleError | None:
        """What to raise, if the signs are of an error (that was not raised before)."""
        if not self._worth(signs):
            return None
        for finding in self._judge(so_far(self.watch, ledger, self._meta)):
            key = (finding.name, finding.evidence.lines)
            new = key not in self._known or any(e > after for e in finding.evidence.events)
            if finding.severity == "error" and new:
                self._known.add(key)
                self._seen.clear()
                return self._raised(finding)
        return None

    def _worth(self, signs: list[Sign]) -> bool:
        """Whether to ask the diagnosis, which takes a while: when one is seen for the 2**n-th time."""
        worth = False
        for sign in signs:
            seen = self._seen[sign] = self._seen.get(sign, 0) + 1
            worth = worth or not seen & (seen - 1)
        return worth

    def _raised(self, finding: Finding) -> GradientLifecycleError:
        said = finding.title
        if finding.remedy is not None:
            code = f"\n{finding.remedy.code}" if finding.remedy.code else ""
            said = f"{said}\nFix: {finding.remedy.text}{code}"
        frame = self.watch.sources.here().frame
        at = frame.f_code if frame is not None else None
        return GradientLifecycleError(f"{said}\n[{finding.name}]", finding.name, at)


def _ready(call: StepCall) -> bool:
    """Whether what the step will use is there already.

    Torch's own optimizers compute no gradients; somebody else's may do so inside ``step``.
    """
    step = getattr(type(call.optimizer).step, "__wrapped__", None)
    code = getattr(step, "__code__", None)
    torchs = code is not None and in_optim(code)
    return torchs or any(leaf.slot is not None for leaf, _ in call.owned)


class StrictBackward(BackwardWatch):
    """Records backward passes, and has each one checked."""

    gate: Gate

    def around(self, run: Callable[..., Any], outputs: Any, args: Any, kwargs: Any) -> Any:
        """Run the engine once, watching."""
        __tracebackhide__ = True
        result = super().around(run, outputs, args, kwargs)
        if not self.watch.local.passes:
            self.gate.check()
        return result


class StrictOptimizers(OptimizerWatch):
    """Records steps and zero_grad calls, and has each step checked before it is applied."""

    gate: Gate

    def before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Global pre-hook of ``step``."""
        __tracebackhide__ = True
        steps = self.watch.local.steps
        before = steps[-1] if steps else None
        arranged = super().before_step(optimizer, args, kwargs)
        self.gate.check()
        given = (*args[1:2], kwargs.get("closure"))
        if steps and steps[-1] is not before and not any(map(callable, given)):
            self.gate.check_step(steps[-1])  # with a closure, each of its returns is checked
        return arranged

    def after_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Global post-hook of ``step``."""
        __tracebackhide__ = True
        super().after_step(optimizer, args, kwargs)
        self.gate.check()

    def _closure(self, call: StepCall, closure: Callable[[], Any]) -> Callable[[], Any]:
        watched = super()._closure(call, closure)

        def closure_checked() -> Any:
            __tracebackhide__ = True
            result = watched()
            self.gate.check()
            return result

        return closure_checked

    def around_zero(
        self,
        original: Callable[..., Any],
        owner: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """``Optimizer.zero_grad`` or ``Module.zero_grad``."""
        __tracebackhide__ = True
        result = super().around_zero(original, owner, args, kwargs)
        self.gate.check()
        return result


class StrictHand(HandWatch):
    """Records what is written by hand, and has it checked right after."""

    gate: Gate

    def around(
        self,
        name: str,
        original: Callable[..., Any],
        targets: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Run an in-place operation once, and record what it did to known tensors."""
        __tracebackhide__ = True
        result = super().around(name, original, targets, args, kwargs)
        self.gate.check()
        return result

    def around_attribute(
        self, tensor: Tensor, name: str, run: Callable[[], None], value: object = None
    ) -> None:
        """``t.grad = …``, ``del t.grad``, ``t.data = …``, ``t.requires_grad = …``."""
        __tracebackhide__ = True
        super().around_attribute(tensor, name, run, value)
        self.gate.check()


def strict_watchers(
    watch: Watch, graphs: bool, gate: Gate
) -> tuple[StrictBackward, StrictOptimizers, StrictHand]:
    """Watchers that have everything checked; they look at every leaf by itself."""
    watch.teams.renounce()
    backward = StrictBackward(watch, graphs)
    backward.steady.renounce()
    optimizers = StrictOptimizers(watch, backward)
    hand = StrictHand(watch, backward, optimizers)
    backward.gate = optimizers.gate = hand.gate = gate
    return backward, optimizers, hand

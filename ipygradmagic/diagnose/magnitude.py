"""How large gradients and steps are: too small, too large, or without effect.

Whether a size is wrong depends on what is trained. So everything here compares: one layer with
another in the same backward, one pass with those before it, a step with the rounding of the
number that it changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ipygradmagic.diagnose.words import at, lines, listed, of_kind
from ipygradmagic.language import tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import OptimizerInfo, Summary, TensorInfo
from ipygradmagic.record.trace import Trace

EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
"""Distance from 1 to the next number (``torch.finfo(dtype).eps``; IEEE 754)."""
VANISHED = EPSILON["float32"]
"""A layer whose relative gradient is that much smaller than another's: a learning rate that moves
the other layer by its own size moves this one by less than float32 can tell."""
ABOVE_AVERAGE = 10.0
"""Pascanu, Mikolov, Bengio (2013), section 3.2, clip at half to ten times the average norm: what
lies beyond ten times is out of the ordinary."""
ROWS = 5
"""So many passes in a row must each be larger than the one before."""
ENOUGH = 3
"""What holds for fewer passes or steps than this may be chance."""


def vanishing_gradient(trace: Trace) -> Iterator[Finding]:
    """In every backward some layer's gradient is negligible beside another layer's.

    Compared are gradients relative to the weights, element by element on average (the layer-wise
    view of Glorot and Bengio 2010), of weights with two or more dimensions.
    """
    gone = _vanished(trace)
    if not gone:
        return
    names = list(gone)
    times = 1 / max(max(some) for some in gone.values())
    yield Finding(
        name="vanishing-gradient",
        severity="note",
        title=tr(
            "The gradient of {names} is, beside its weights, more than {times:.0g} times smaller than "
            "that of the layer with the largest, in every backward.",
            names=listed(names),
            times=times,
        ),
        cause=tr(
            "On its way back through the layers the gradient is multiplied by each one's slope. "
            "Where those are small (saturated sigmoid or tanh, small weights), little arrives."
        ),
        consequence=tr(
            "With plain SGD such layers stay as they are; Adam rescales and moves them."
        ),
        remedy=Remedy(
            tr(
                "Use ReLU-like activations, an initialisation made for the activation, normalisation or "
                "residual connections."
            )
        ),
        evidence=Evidence(
            lines=lines(_line(trace)), tensors=tuple(names), count=len(gone[names[0]])
        ),
    )


def _vanished(trace: Trace) -> dict[str, list[float]]:
    """By name, such a layer's relative gradients as parts of the largest of each backward."""
    small: dict[int, list[float]] = {}
    known = {t.id: t for t in trace.tensors}
    for event in (e for e in trace.events if e.kind == "backward"):
        sizes = dict(_relative(event, known))
        largest = max(sizes.values(), default=0.0)
        for tensor, size in sizes.items():
            small.setdefault(tensor, []).append(size / largest)
    gone = {i: some for i, some in small.items() if len(some) >= ENOUGH and max(some) < VANISHED}
    return {known[i].name: some for i, some in gone.items()}


def _relative(event: Event, known: dict[int, TensorInfo]) -> Iterator[tuple[int, float]]:
    """Gradient over weight, both as root mean square, of the trained matrices of a backward."""
    for change in event.changes:
        tensor = known.get(change.tensor)
        if tensor is None or not tensor.owners or len(tensor.shape) < _MATRIX:
            continue
        added, value = _norm(change.added), _norm(tensor.value)
        if added and value:
            yield change.tensor, added / value


def _norm(found: Summary | None) -> float:
    """A finite norm, or 0 where there is none."""
    if found is None or found.norm is None or not math.isfinite(found.norm):
        return 0.0
    return found.norm


def exploding_gradient(trace: Trace) -> Iterator[Finding]:
    """Gradient and loss of a line grow from pass to pass, and have outgrown what was usual.

    Rising is what both should do where something is maximised, so this stays a note.
    """
    if any(k == "maximize" for o in trace.optimizers for g in o.groups for k, _ in g.settings):
        return
    if any(True for _ in of_kind(trace, "nonfinite", "nonfinite-used")):
        return
    passes: dict[SourceLocation, list[Event]] = {}
    for event in (e for e in trace.events if e.kind == "backward" and e.where is not None):
        if event.where is not None and event.loss is not None:
            passes.setdefault(event.where, []).append(event)
    for where, events in passes.items():
        norms = [math.hypot(*(_norm(c.added) for c in e.changes)) for e in events]
        losses = [e.loss for e in events if e.loss is not None]
        usual = norms[:-ROWS]
        if len(usual) < ENOUGH or losses[-1] <= 0 or not _rise(norms) or not _rise(losses):
            continue
        average = math.fsum(usual) / len(usual)
        if not average or norms[-1] < ABOVE_AVERAGE * average:
            continue
        yield Finding(
            name="exploding-gradient",
            severity="note",
            title=tr(
                "Gradient and loss of the backward{at} grow from pass to pass: the norm is {times:.0f} "
                "times what it was before on average, at a loss of {loss:.3g}.",
                at=at(where),
                times=norms[-1] / average,
                loss=losses[-1],
            ),
            cause=tr(
                "Each update overshoots, and the next gradient is larger still: the learning rate is "
                "too high for this loss, or its sign is wrong."
            ),
            consequence=tr("If it goes on, the numbers end in infinity and NaN."),
            remedy=Remedy(tr("Lower the learning rate, or clip the gradients before step().")),
            evidence=Evidence(
                events=(events[-ROWS].index, events[-1].index), lines=lines(where), count=ROWS
            ),
        )


def _rise(numbers: Sequence[float]) -> bool:
    last = numbers[-ROWS - 1 :]
    return all(a < b for a, b in pairwise(last))


_MATRIX = 2
"""Weights have two dimensions or more, biases one."""


def dead_parameters(trace: Trace) -> Iterator[Finding]:
    """The loss reaches a trained tensor, and what arrives is exactly zero every time.

    Not said of a bias alone: it may cancel (the critic of a Wasserstein GAN).
    """
    added: dict[int, list[bool]] = {}
    alive = False
    for event in (e for e in trace.events if e.kind == "backward"):
        for change in (c for c in event.changes if c.added is not None):
            zero = change.added is not None and change.added.zero
            added.setdefault(change.tensor, []).append(zero)
            alive = alive or not zero
    dead = [
        t
        for t in trace.tensors
        if t.owners and len(added.get(t.id, ())) >= ENOUGH and all(added[t.id]) and 0 not in t.shape
    ]
    if all(t.parameter and len(t.shape) < _MATRIX for t in dead):
        return
    names = list(dict.fromkeys(t.name for t in dead))
    yield Finding(
        name="dead-parameters",
        severity="note",
        title=tr(
            "Every gradient that reached {names} was exactly zero ({passes} backward passes).",
            names=listed(names),
            passes=len(added[dead[0].id]),
        ),
        cause=tr(
            "The loss is computed from it, but a small change of it changes nothing: units whose "
            "ReLU is off for every input, a factor or mask of zero, or an output that is rounded."
            if alive
            else tr(
                "The loss does not change with any of the parameters: it is constant where it is now."
            )
        ),
        consequence=tr("It keeps its value for as long as that lasts."),
        remedy=Remedy(
            tr(
                "Look at the activations behind it; a smaller learning rate, another initialisation or "
                "a leaky activation revives dead units."
            )
        ),
        evidence=Evidence(lines=lines(_line(trace)), tensors=tuple(names), count=len(dead)),
    )


def unmoved_parameters(trace: Trace) -> Iterator[Finding]:
    """Steps used a gradient that is not zero, and the tensor kept every digit.

    A learning rate of zero (a warm-up) is left alone. A warning only where ``lr * gradient`` is
    more than rounding can swallow, and where the values do not all lie at the ends of an interval, at
    which a projection holds them while others move; otherwise a note.
    """
    for optimizer in trace.optimizers:
        if not setting(optimizer, "lr"):
            continue
        steps = [e for e in trace.events if e.kind == "step" and e.actor == optimizer.name]
        if any(e.error is not None or e.label.endswith("closure") for e in steps):
            continue  # what a closure's step moves is told with the closure
        stuck = [t for t in trace.tensors if _stuck(t, steps)]
        if not stuck or _vanished(trace):  # there the small gradient is the cause
            continue
        writes = any(map(_moves, steps))
        free = [t for t in stuck if not (writes and _at_bounds(t))]
        sure = any(_should_move(t, optimizer, steps) for t in free)
        yield _unmoved(optimizer, stuck, steps, sure)


def zero_rate(trace: Trace) -> Iterator[Finding]:
    """A schedule that began at a positive rate holds all of an optimizer's rates at zero.

    A rate that was given as zero is meant; so is the end of a schedule, unless training goes on. Five
    steps without any effect are more than a warm-up from zero begins with.
    """
    for optimizer in trace.optimizers:
        settings = [dict(group.settings) for group in optimizer.groups]
        began = any(s.get("initial_lr") for s in settings)
        if optimizer.steps < ROWS or not began or any(s.get("lr") != "0" for s in settings):
            continue
        steps = [e for e in trace.events if e.kind == "step" and e.actor == optimizer.name]
        used = [e for e in steps if any(_norm(c.grad_before) > 0 for c in e.changes)]
        if len(used) < ROWS or any(map(_moves, steps)) or not _stayed(steps):
            continue
        names = list(dict.fromkeys(t.name for t in trace.tensors if optimizer.name in t.owners))
        yield Finding(
            name="unmoved-parameters",
            severity="warning",
            title=tr(
                "{optimizer}.step(){at} changed nothing in {steps} steps: the learning rate is 0.",
                optimizer=optimizer.name,
                at=at(steps[0].where),
                steps=optimizer.steps,
            ),
            cause=tr(
                "A step moves each parameter by the learning rate times something. A scheduler has set "
                "the rate to 0: a factor that was rounded down to 0 (// instead of /), or a schedule "
                "that had come to its end."
            ),
            consequence=tr("The parameters keep their values, whatever the loss says."),
            remedy=Remedy(
                tr("Look at the rate, and give the scheduler a factor above 0."),
                "print(scheduler.get_last_lr())",
            ),
            evidence=Evidence(
                events=(steps[0].index,),
                lines=lines(steps[0].where),
                tensors=tuple(names),
                count=optimizer.steps,
            ),
        )


def _stayed(steps: list[Event]) -> bool:
    """Between the first and the last step that were kept nothing has moved either."""
    first = {c.tensor: c.value_before for c in steps[0].changes}
    return all(first.get(c.tensor, c.value_after) == c.value_after for c in steps[-1].changes)


def _moves(step: Event) -> bool:
    return any(c.value_before != c.value_after for c in step.changes)


def _unmoved(
    optimizer: OptimizerInfo, stuck: list[TensorInfo], steps: list[Event], sure: bool
) -> Finding:
    names = list(dict.fromkeys(t.name for t in stuck))
    return Finding(
        name="unmoved-parameters",
        severity="warning" if sure else "note",
        title=tr(
            "{optimizer}.step(){at} was given gradients for {names} and changed nothing ({steps} "
            "steps).",
            optimizer=optimizer.name,
            at=at(steps[0].where),
            names=listed(names),
            steps=len(steps),
        ),
        cause=tr(
            "The step computed a new value and did not write it into the parameter (p = p - lr * grad "
            "binds a name, it changes no tensor)."
            if sure
            else tr(
                "The change is smaller than the last digit of the number (a low precision such as "
                "bfloat16, or a very small learning rate), or the step did not write its result."
            )
        ),
        consequence=tr("The parameters keep their values, whatever the loss says."),
        remedy=Remedy(
            tr("Write in place, without recording the operation.")
            if sure
            else tr("Keep the parameters in float32, or raise the learning rate."),
            "with torch.no_grad():\n    p -= lr * p.grad" if sure else "",
        ),
        evidence=Evidence(
            events=(steps[0].index,),
            lines=lines(steps[0].where),
            tensors=tuple(names),
            count=len(steps),
        ),
    )


def _stuck(tensor: TensorInfo, steps: list[Event]) -> bool:
    changes = [c for e in steps for c in e.changes if c.tensor == tensor.id]
    return len(changes) >= ENOUGH and all(map(_without_effect, changes))


def _without_effect(change: Change) -> bool:
    before, grad = change.value_before, change.grad_before
    if before is None or before.sampled or grad is None or grad.layout != "strided":
        return False  # what changed may be where nobody looked
    used = _norm(change.grad_before) > 0 and change.holds.count > 0
    return used and _norm(before) > 0 and before == change.value_after


def _should_move(tensor: TensorInfo, optimizer: OptimizerInfo, steps: list[Event]) -> bool:
    """Whether a step must be well above the rounding of the value (a factor of 100).

    Of a large gradient no more counts than one per element: Adam and its kin move by ``lr``.
    """
    rate, rounding = setting(optimizer, "lr"), EPSILON.get(tensor.dtype)
    if rate is None or rounding is None:
        return False
    gradients = [_norm(c.grad_before) for e in steps for c in e.changes if c.tensor == tensor.id]
    most = math.sqrt(math.prod(tensor.shape))
    return rate * min(*gradients, most) > _SURE * rounding * _norm(tensor.value)


_SURE = 100
"""Two digits: so much room is left for how a norm is spread over its elements."""


def _at_bounds(tensor: TensorInfo) -> bool:
    """Every element is the tensor's least or its largest: then the sum of (x - min)(max - x) is 0."""
    v = tensor.value
    if v is None or v.norm is None or v.mean is None or v.min is None or v.max is None:
        return False
    inside = v.numel * (v.mean * (v.max + v.min) - v.min * v.max) - v.norm**2
    return inside <= EPSILON["float32"] * max(v.norm**2, 1.0) * v.numel


def setting(optimizer: OptimizerInfo, name: str) -> float | None:
    """A number among the settings of an optimizer's first group; None if it is none."""
    for key, value in optimizer.groups[0].settings if optimizer.groups else ():
        if key == name:
            try:
                return float(value)
            except ValueError:
                return None
    return None


def _line(trace: Trace) -> SourceLocation | None:
    return next((e.where for e in trace.events if e.kind == "backward"), None)

"""Exceptions of PyTorch, told in terms of what was recorded before them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ipygradmagic.diagnose.words import at, lines
from ipygradmagic.language import mark, tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import CellError, Trace

_SHAPE = re.compile(r"\[[\w.]*Tensor \[([\d, ]*)\]\]")


def changed_in_place(trace: Trace) -> Iterator[Finding]:
    """A backward needs a tensor that was overwritten after the graph was built."""
    error = trace.error
    if error is None or "modified by an inplace operation" not in error.message:
        return
    shape, moved = _shape_of(error), _last_write(trace, error)
    if moved:
        by, what = moved[0].label + at(moved[0].where), moved[1].name
    else:
        by = tr("an in-place operation")
        what = tr("a tensor of shape {shape}", shape=list(shape)) if shape else tr("a tensor")
    yield Finding(
        name="changed-in-place",
        severity="error",
        title=tr(
            "The backward{at} needs {what} as it was when the graph was built; since then {by} has "
            "overwritten it.",
            at=at(error.where),
            what=what,
            by=by,
        ),
        cause=tr(
            "The derivative of an operation is computed from the numbers it worked on, so PyTorch "
            "keeps those tensors. Overwriting one (a step, +=, relu_) before backward() has used it "
            "would give a wrong gradient, and is refused."
        ),
        consequence=tr("PyTorch raises a RuntimeError; gradients deposited so far stay in .grad."),
        remedy=Remedy(
            tr(
                "Call every backward() of a graph before the step that changes its parameters, or compute "
                "the second loss anew after it."
            )
            if moved and moved[0].kind == "step"
            else tr("Write x = x + ... instead of x += ..., or clone() before you change it."),
        ),
        evidence=Evidence(
            events=(moved[0].index,) if moved else (),
            lines=lines(error.where, moved[0].where if moved else None),
            tensors=(moved[1].name,) if moved else (),
        ),
    )


def _shape_of(error: CellError) -> tuple[int, ...] | None:
    found = _SHAPE.search(error.message)
    if found is None:
        return None
    return tuple(int(n) for n in found.group(1).split(",") if n.strip())


def _last_write(trace: Trace, error: CellError) -> tuple[Event, TensorInfo] | None:
    """The last event that changed the value of a tensor of that shape (or its transpose)."""
    shape = _shape_of(error)
    for event in reversed(trace.events):
        if event.kind not in ("step", "update"):
            continue
        for change in event.changes:
            tensor = trace.tensor(change.tensor)
            if tensor is None or change.value_before == change.value_after:
                continue
            if shape is None or tensor.shape in (shape, shape[::-1]):
                return event, tensor
    return None


def in_place_on_leaf(trace: Trace) -> Iterator[Finding]:
    """An in-place operation on a leaf that requires grad, outside ``no_grad``."""
    error = trace.error
    if error is None or "leaf Variable that requires grad" not in error.message:
        return
    name = _named_on_line(trace, error)
    yield Finding(
        name="in-place-on-leaf",
        severity="error",
        title=tr(
            "{name} is changed in place{at} while autograd is recording.",
            name=name or tr("A leaf"),
            at=at(error.where),
        ),
        cause=tr(
            "A leaf with requires_grad=True is a starting point of the graph. Changing it in place "
            "would make it the result of an operation on itself, so PyTorch refuses unless you say "
            "that the change is no part of the computation."
        ),
        consequence=tr("PyTorch raises a RuntimeError; the tensor keeps its value."),
        remedy=Remedy(
            tr("Update it under torch.no_grad()."),
            f"with torch.no_grad():\n    {name or 'w'} -= lr * {name or 'w'}.grad",
        ),
        evidence=Evidence(lines=lines(error.where), tensors=(name,) if name else ()),
    )


def _named_on_line(trace: Trace, error: CellError) -> str:
    """A leaf whose name stands in the line that raised."""
    text = error.where.text if error.where is not None else ""
    words = set(re.findall(r"\w+", text))
    leaves = (t.name for t in trace.tensors if t.kind == "leaf")
    return next((n for n in leaves if n in words or ("." in n and n in text)), "")


def missing_gradient(trace: Trace) -> Iterator[Finding]:
    """Arithmetic with a ``.grad`` that is None."""
    error = trace.error
    if error is None or "NoneType" not in error.message or error.where is None:
        return
    if ".grad" not in error.where.text or any(t.asked == error.where for t in trace.tensors):
        return
    asked = re.findall(r"([\w.\[\]]+?)\.grad\b", error.where.text)
    tensor = next((t for t in trace.tensors if t.name in asked and t.grad is None), None)
    cleared = _last_clearing(trace, tensor)
    name = tensor.name if tensor is not None else asked[0] if asked else tr("the tensor")
    if cleared is not None:
        why = tr("{call}{at} had set it to None", call=cleared.label, at=at(cleared.where))
    else:
        why = tr("no backward has reached it yet")
    yield Finding(
        name="missing-gradient",
        severity="error",
        title=tr("{name}.grad is None{at}: {why}.", name=name, at=at(error.where), why=why),
        cause=tr(
            "A gradient is None until a backward() deposits one, and again after zero_grad(), which "
            "sets it to None instead of filling it with zeros."
        ),
        consequence=tr("Python raises a {error}.", error=error.type),
        remedy=Remedy(
            tr(
                "Read the gradient after backward() and before zero_grad(); where a tensor may have none, "
                "ask first."
            ),
            "if p.grad is not None: ...",
        ),
        evidence=Evidence(
            events=(cleared.index,) if cleared is not None else (),
            lines=lines(error.where, cleared.where if cleared is not None else None),
            tensors=(name,) if tensor is not None else (),
        ),
    )


def _last_clearing(trace: Trace, tensor: TensorInfo | None) -> Event | None:
    """The last event that left the gradient (any gradient, if the tensor isn't known) at None."""
    for event in reversed(trace.events):
        for change in event.changes:
            mine = tensor is None or change.tensor == tensor.id
            if mine and change.grad_before is not None and change.grad_after is None:
                return event
    return None


@dataclass(frozen=True, slots=True)
class _Misuse:
    """A message of PyTorch, and what it means."""

    said: str
    name: str
    title: str
    cause: str
    remedy: str
    code: str = ""


_MISUSES = (
    _Misuse(
        "unscale_() has already been called",
        "scaler-order",
        mark("unscale_() was called a second time"),
        mark(
            "unscale_() divides the gradients by the scale. A second call before scaler.update() would "
            "divide them again; with several micro-batches it belongs after the last backward."
        ),
        mark(
            "Call unscale_() once for each step, and scaler.update() once at the end of each round."
        ),
        "scaler.unscale_(optimizer)\nscaler.step(optimizer)\nscaler.update()",
    ),
    _Misuse(
        "unscale_() is being called after step()",
        "scaler-order",
        mark("unscale_() came after scaler.step()"),
        mark("scaler.step() has already divided the gradients and used them."),
        mark("Call unscale_() before scaler.step()."),
        "scaler.unscale_(optimizer)\nscaler.step(optimizer)\nscaler.update()",
    ),
    _Misuse(
        "step() has already been called since the last update()",
        "scaler-order",
        mark("scaler.step() was called again without scaler.update()"),
        mark(
            "GradScaler goes through unscale, step and update once for each round; update() was left out."
        ),
        mark("Call scaler.update() after the step of every round."),
        "scaler.step(optimizer)\nscaler.update()",
    ),
    _Misuse(
        "No inf checks were recorded",
        "scaler-order",
        mark("scaler.step() found no gradient to check"),
        mark(
            "None of this optimizer's tensors had a gradient: there was no backward before, or the "
            "gradients had been cleared."
        ),
        mark("Call scaler.scale(loss).backward() before scaler.step(optimizer)."),
        "scaler.scale(loss).backward()\nscaler.step(optimizer)\nscaler.update()",
    ),
    _Misuse(
        "Attempting to unscale FP16 gradients",
        "scaler-order",
        mark("the parameters themselves are float16"),
        mark(
            "GradScaler is made for float32 parameters, whose operations autocast runs in float16. After "
            "model.half() the gradients are float16 too, and dividing them would lose them."
        ),
        mark("Leave the model in float32 and use torch.autocast, without model.half()."),
    ),
    _Misuse(
        "can't optimize a non-leaf Tensor",
        "non-leaf-in-optimizer",
        mark("the optimizer was given the result of an operation"),
        mark(
            "A tensor that comes out of an operation (w * 0.1, w.to(device), w.reshape(...)) is no leaf: "
            "PyTorch keeps no gradient for it, so there would be nothing to step with."
        ),
        mark("Do the operation first and switch requires_grad on afterwards."),
        "w = (torch.randn(3) * 0.1).requires_grad_()",
    ),
    _Misuse(
        "optimizer got an empty parameter list",
        "empty-optimizer",
        mark("the optimizer was given no tensors"),
        mark(
            "model.parameters() lists what is registered: layers in a plain list or dict are not. A "
            "generator that somebody has walked through before is empty as well."
        ),
        mark("Keep layers in nn.ModuleList, and call model.parameters() anew for each optimizer."),
    ),
    _Misuse(
        "grad can be implicitly created only for scalar outputs",
        "loss-not-a-number",
        mark("backward() was called on a tensor with several elements"),
        mark(
            "backward() starts from one number. For several, PyTorch would have to know how much each of "
            "them counts."
        ),
        mark("Reduce the loss to one number first."),
        "loss.mean().backward()",
    ),
)
"""Messages that need no event to be explained, only words."""


def misuse(trace: Trace) -> Iterator[Finding]:
    """A call that PyTorch refused: GradScaler out of order, what is no leaf in an optimizer ..."""
    error = trace.error
    found = next((m for m in _MISUSES if error is not None and m.said in error.message), None)
    if error is None or found is None:
        return
    before = _first_unscale(trace)
    since = tr(" (the first time{at})", at=at(before.where)) if before is not None else ""
    title = tr("Refused{at}: {what}{since}.", at=at(error.where), what=tr(found.title), since=since)
    yield Finding(
        name=found.name,
        severity="error",
        title=title,
        cause=tr(found.cause),
        consequence=tr("PyTorch raises a {error}.", error=error.type),
        remedy=Remedy(tr(found.remedy), found.code),
        evidence=Evidence(
            events=(before.index,) if before is not None else (),
            lines=lines(error.where, before.where if before is not None else None),
        ),
    )


def _first_unscale(trace: Trace) -> Event | None:
    """Where ``unscale_`` had been called before, if this is about a second call."""
    if trace.error is None or "already been called on" not in trace.error.message:
        return None
    edits = (e for e in reversed(trace.events) if e.kind == "edit" and "unscale" in e.label)
    return next(edits, None)

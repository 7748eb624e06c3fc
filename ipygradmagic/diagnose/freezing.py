"""Tensors that are meant to be frozen, and are not."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.words import at, evidence_of, lines, listed, of_kind, times
from ipygradmagic.language import tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace


def frozen_but_updated(trace: Trace) -> Iterator[Finding]:
    """A step moved a tensor after ``requires_grad`` had been switched off for good.

    Tensors that are switched on again are left alone (a GAN freezes one network while it trains
    the other), and so are gradients that the user puts there by hand. One move, after which the
    optimizer never steps again, may be the last one that was wanted: a note.
    """
    found: dict[int, tuple[Event, list[Event], list[TensorInfo]]] = {}
    for tensor in trace.tensors:
        switches = [e for e in trace.events if e.kind in ("freeze", "unfreeze") and _has(e, tensor)]
        if tensor.requires_grad or not switches or any(e.kind == "unfreeze" for e in switches):
            continue
        moved = [e for e in trace.events if e.index > switches[0].index and _moved(e, tensor)]
        if moved:
            known = found.setdefault(moved[0].index, (switches[0], moved, []))
            known[2].append(tensor)
    for frozen, moved, tensors in found.values():
        names = list(dict.fromkeys(t.name for t in tensors))
        yield Finding(
            name="frozen-but-updated",
            severity="warning" if len(moved) > 1 or _goes_on(trace, moved[0]) else "note",
            title=tr(
                "{optimizer}.step(){at} still moved {names} after requires_grad was switched "
                "off{frozen} ({times}).",
                optimizer=moved[0].actor or tr("The optimizer"),
                at=at(moved[0].where),
                names=listed(names),
                frozen=at(frozen.where),
                times=times(len(moved)),
            ),
            cause=tr(
                "requires_grad decides what the next backward() computes. An optimizer asks only "
                "whether .grad is None, and these tensors still had a gradient from before."
            ),
            consequence=tr("What should stay as it is changes once more, or at every step."),
            remedy=Remedy(
                tr("Clear the gradient when you freeze, or freeze before the backward."),
                f"{names[0]}.requires_grad_(False)\n{names[0]}.grad = None",
            ),
            evidence=Evidence(
                events=(frozen.index, moved[0].index),
                lines=lines(frozen.where, moved[0].where),
                tensors=tuple(names),
                count=len(moved),
            ),
        )


def _goes_on(trace: Trace, step: Event) -> bool:
    """The same optimizer steps again later."""
    later = (e for e in trace.events if e.kind == "step" and e.index > step.index)
    return any(e.actor == step.actor for e in later)


def _has(event: Event, tensor: TensorInfo) -> bool:
    return any(c.tensor == tensor.id for c in event.changes)


def _moved(event: Event, tensor: TensorInfo) -> bool:
    changes = [c for c in event.changes if c.tensor == tensor.id]
    return event.kind == "step" and any(map(_by_old_gradient, changes))


def _by_old_gradient(change: Change) -> bool:
    """The value changed (or was not read), and not by a gradient that was put there by hand."""
    before, after = change.value_before, change.value_after
    if before is None or change.grad_before is None or change.holds.note == "assigned by hand":
        return False
    return before.norm is None or before != after


def module_not_frozen(trace: Trace) -> Iterator[Finding]:
    """``module.requires_grad = False`` sets an attribute that nobody reads.

    Said where the first backward reaches the module's parameters; a module that is frozen by
    other means as well, and switched on later, keeps a flag of that name in peace.
    """
    trained = {b.name for b in trace.ledger.books if b.consumptions}
    passes = [e for e in trace.events if e.kind == "backward"]
    ids = {c.tensor for e in passes[:1] for c in e.changes}
    first = {t.name for t in trace.tensors if t.id in ids}
    for incident in of_kind(trace, "mock-freeze"):
        unfrozen = any(e.kind == "unfreeze" for e in trace.events)
        moving = trained.intersection(incident.tensors)
        if unfrozen or not moving.intersection(first):
            continue
        name = incident.actor
        yield Finding(
            name="module-not-frozen",
            severity="warning",
            title=tr(
                "{name}.requires_grad = False{at} did not freeze {name}: {tensors} received gradients "
                "and moved.",
                name=name,
                at=at(incident.origin),
                tensors=listed(sorted(moving)),
            ),
            cause=tr(
                "A module has no switch called requires_grad: the assignment makes a new attribute "
                "of that name, which PyTorch never reads. Its parameters still require grad."
            ),
            consequence=tr("The layers that should stay as they are go on training."),
            remedy=Remedy(tr("Call the method, which switches each parameter."), _code(name)),
            evidence=evidence_of(incident, incident.origin),
        )


def _code(name: str) -> str:
    return f"{name}.requires_grad_(False)"

"""Where the flow of gradients is cut: non-leaves, detached losses, freed graphs."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.words import at, evidence_of, lines, listed, nth_backward, of_kind
from ipygradmagic.language import tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import CellError, Trace

_ROUNDS = 3
"""So many rounds in a row, each with a larger graph, are no accident."""
_FREED = "through the graph a second time"
_NO_GRAD = "does not require grad and does not have a grad_fn"


def non_leaf_grad(trace: Trace) -> Iterator[Finding]:
    """The code asks for ``.grad`` of a tensor that is the result of an operation."""
    for tensor in trace.tensors:
        if tensor.kind != "non-leaf" or tensor.asked is None:
            continue
        was_leaf = any(t.kind == "leaf" and t.name == tensor.name for t in trace.tensors)
        yield Finding(
            name="non-leaf-grad",
            severity="warning",
            title=_no_leaf(tensor, was_leaf),
            cause=tr(
                "PyTorch keeps .grad for leaves only: tensors that you made yourself with "
                "requires_grad=True, not results of an operation (not even of * 0.1 or .to(device))."
            ),
            consequence=tr("An update that reads it gets None."),
            remedy=_as_leaf(tensor.name, was_leaf),
            evidence=Evidence(lines=lines(tensor.asked), tensors=(tensor.name,)),
        )


def _no_leaf(tensor: TensorInfo, was_leaf: bool) -> str:
    what = {"name": tensor.name, "at": at(tensor.asked), "made": tensor.made}
    if was_leaf:
        return tr(
            "{name}.grad is None{at}: {name} is no leaf any more, it was made by {made}.", **what
        )
    return tr("{name}.grad is None{at}: {name} is not a leaf, it was made by {made}.", **what)


def _as_leaf(name: str, was_leaf: bool) -> Remedy:
    if was_leaf:
        return Remedy(
            tr(
                "{name} = {name} - ... binds the name to a result. Change the leaf itself, in place.",
                name=name,
            ),
            f"with torch.no_grad():\n    {name} -= lr * {name}.grad",
        )
    return Remedy(
        tr(
            "Switch requires_grad on after the last operation that makes {name}, or call "
            "retain_grad() on it before backward() to look at its gradient.",
            name=name,
        ),
        f"{name}.retain_grad()",
    )


def freed_graph(trace: Trace) -> Iterator[Finding]:
    """A second backward through a graph that the first one freed."""
    error = trace.error or _caught(trace)
    if error is None or _FREED not in error.message:
        return
    first = trace.event(error.freed_by) if error.freed_by else None
    by = (
        nth_backward(first.number) + at(first.where)
        if first is not None
        else tr("an earlier backward")
    )
    yield Finding(
        name="freed-graph",
        severity="error" if trace.error is not None else "note",
        title=tr(
            "The backward{at} needs a graph that {by} has already freed.", at=at(error.where), by=by
        ),
        cause=tr(
            "backward() frees what the graph had saved as it goes, to save memory. A second pass "
            "through the same graph, or through a part of it kept from an earlier round, finds "
            "nothing there."
        ),
        consequence=tr("PyTorch raises a RuntimeError; gradients deposited so far stay in .grad."),
        remedy=Remedy(
            tr(
                "Compute the loss anew before each backward; detach() what is carried over from round "
                "to round. Only if you do want two passes through one graph, keep it:"
            ),
            "loss.backward(retain_graph=True)",
        ),
        evidence=Evidence(
            events=(error.freed_by,) if error.freed_by else (),
            lines=lines(error.where, first.where if first is not None else None),
        ),
    )


def _caught(trace: Trace) -> CellError | None:
    """The same error, if the user's code caught it."""
    for event in trace.events:
        if event.kind == "backward" and event.error and _FREED in event.error:
            return CellError("RuntimeError", event.error, event.where)
    return None


def growing_graph(trace: Trace) -> Iterator[Finding]:
    """Each round's graph contains the graphs of the rounds before (``retain_graph=True``).

    A warning from the third round in a row on: a graph that merely differs in size shrinks again.
    Nothing is said where it stopped growing: a window that slides over the past has its length.
    """
    for incident in of_kind(trace, "growing-graph"):
        if incident.oldest:
            continue
        yield Finding(
            name="growing-graph",
            severity="warning" if incident.count >= _ROUNDS else "note",
            title=tr(
                "The backward{at} goes through the graphs of all earlier rounds too: each is larger "
                "than the one before ({operations} operations at the end).",
                at=at(incident.where),
                operations=incident.repeats,
            ),
            cause=tr(
                "Something computed in one round (a hidden state, a sum of losses) is used in the next "
                "one with its history, and retain_graph=True keeps that history from being freed."
            ),
            consequence=tr(
                "Every round takes longer and more memory, and gradients of earlier rounds are "
                "deposited again."
            ),
            remedy=Remedy(
                tr(
                    "detach() what is carried over from round to round, and leave retain_graph out."
                ),
                "state = state.detach()",
            ),
            evidence=evidence_of(incident, incident.where),
        )


def kept_graphs(trace: Trace) -> Iterator[Finding]:
    """A variable, such as a running sum of losses, that keeps the graphs of several passes."""
    if any(True for _ in of_kind(trace, "growing-graph")):
        return
    for incident in of_kind(trace, "kept-graphs"):
        name, first = incident.actor, trace.event(incident.first_event)
        yield Finding(
            name="kept-graphs",
            severity="note",
            title=tr(
                "{name} keeps the graphs of {rounds} rounds alive.",
                name=name,
                rounds=incident.repeats,
            ),
            cause=tr(
                "It was put together from losses with their history. The numbers are right, but "
                "nothing of those graphs can be freed while the variable exists."
            ),
            consequence=tr("Memory grows with every pass."),
            remedy=Remedy(tr("Add up, or keep, plain numbers."), "loss.item()"),
            evidence=Evidence(
                events=(incident.first_event,),
                lines=lines(first.where if first is not None else None),
                count=incident.repeats,
            ),
        )


def loss_is_a_leaf(trace: Trace) -> Event | None:
    """The first backward, if every backward reached nothing but a leaf made for the occasion.

    ``torch.tensor(loss.item(), requires_grad=True)`` silences PyTorch's error that way: the loss is
    the leaf. ``Variable(out.data, requires_grad=True)`` does it on the way to the loss: each pass
    has a new one.
    """
    passes = [e for e in trace.events if e.kind == "backward"]
    if not passes or not any(i.kind == "empty-step" for i in trace.ledger.incidents):
        return None
    seen: set[int] = set()
    itself = True
    for event in passes:
        reached = [trace.tensor(c.tensor) for c in event.changes]
        if len(reached) != 1 or reached[0] is None:
            return None
        itself = itself and reached[0].name == event.actor
        if not itself and (not _passing(reached[0]) or reached[0].id in seen):
            return None
        seen.add(reached[0].id)
    return passes[0] if itself or len(seen) > 1 else None


def _passing(tensor: TensorInfo) -> bool:
    """A bare leaf that nobody trains, and that is not an input whose gradient is asked for."""
    return not tensor.parameter and not tensor.owners and not tensor.data


def _why(trace: Trace) -> str:
    """What can be told of the reason: recording is off, or everything has been frozen."""
    if trace.error is not None and trace.error.recording_off:
        return tr(": gradients are switched off (torch.set_grad_enabled(False) is in force)")
    leaves = [t for t in trace.tensors if t.kind == "leaf" and t.alive]
    frozen = [e for e in trace.events if e.kind == "freeze"]
    if frozen and leaves and not any(t.requires_grad for t in leaves):
        names = listed([t.name for t in leaves])
        return tr(": {names} had been frozen{at}", names=names, at=at(frozen[-1].where))
    return ""


def detached_loss(trace: Trace) -> Iterator[Finding]:
    """backward on something that no parameter leads to."""
    error = trace.error
    alone = loss_is_a_leaf(trace)
    if alone is not None:
        where = alone.where
        leaf = trace.tensor(alone.changes[0].tensor)
        name = leaf.name if leaf is not None else tr("the loss")
        if name == alone.actor:
            name = tr("the loss itself")
        title = tr(
            "The backward{at} reached nothing but {name}: it is a leaf of its own, cut off from every "
            "parameter.",
            at=at(where),
            name=name,
        )
        consequence = tr("step() finds no gradient; the parameters do not move.")
    elif error is not None and _NO_GRAD in error.message:
        where = error.where
        title = tr(
            "The loss{at} does not depend on any tensor that requires grad{why}.",
            at=at(where),
            why=_why(trace),
        )
        consequence = tr("There is nothing to back-propagate; PyTorch raises a RuntimeError.")
    else:
        return
    yield Finding(
        name="detached-loss",
        severity="error",
        title=title,
        cause=tr(
            "Somewhere between the parameters and the loss the graph is cut: detach(), .data, "
            ".item(), numpy, torch.no_grad(), a re-wrapped torch.tensor(loss) - or nothing has "
            "requires_grad=True at all."
        ),
        consequence=consequence,
        remedy=Remedy(tr("Compute the loss from the parameters with torch operations only.")),
        evidence=Evidence(lines=lines(where)),
    )

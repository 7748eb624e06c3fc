"""Things done in the wrong order: steps with nothing to use, clipping too late."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose import patch
from ipygradmagic.diagnose.flow import loss_is_a_leaf
from ipygradmagic.diagnose.ownership import holds_replaced
from ipygradmagic.diagnose.words import at, evidence_of, grads, of_kind, times, total
from ipygradmagic.record.findings import Finding, Remedy
from ipygradmagic.record.trace import Trace


def cleared_before_step(trace: Trace) -> Iterator[Finding]:
    """``zero_grad`` between backward and step."""
    for incident in of_kind(trace, "cleared-before-step"):
        yield Finding(
            name="cleared-before-step",
            severity="error",
            title=(
                f"{incident.actor}.step(){at(incident.where)} had nothing to use "
                f"({times(incident.count)}): the gradients had been cleared{at(incident.other)}, "
                "after the backward."
            ),
            cause="The gradients are cleared between backward() and step().",
            consequence="The parameters do not move (except by weight decay or momentum).",
            remedy=Remedy(
                "Clear the gradients before backward() or after step().",
                f"loss.backward()\n{incident.actor}.step()\n{incident.actor}.zero_grad()",
                patch.move_behind(incident.other, incident.where),
            ),
            evidence=evidence_of(incident, incident.other, incident.where, incident.deposited),
        )


def step_without_gradient(trace: Trace) -> Iterator[Finding]:
    """A step of an optimizer none of whose tensors has a gradient."""
    if loss_is_a_leaf(trace):
        return
    explained = {i.actor for i in of_kind(trace, "empty-step") if holds_replaced(trace, i.actor)}
    for incident in (i for i in of_kind(trace, "empty-step") if i.actor not in explained):
        steps = dict(trace.ledger.actors).get(incident.actor, incident.count)
        always = incident.count >= steps or incident.count > 2
        backward = total(trace, "backward")
        why = (
            "No backward reached any tensor that this optimizer owns."
            if backward
            else "There was no backward before it."
        )
        yield Finding(
            name="step-without-gradient",
            severity="warning" if always else "note",
            title=(
                f"{incident.actor}.step(){at(incident.where)} had nothing to use "
                f"({times(incident.count)}): every grad was None or zero."
            ),
            cause=why,
            consequence="The parameters do not move.",
            remedy=Remedy(
                "Call loss.backward() before step(), on a loss that depends on these parameters."
            ),
            evidence=evidence_of(incident, incident.where, incident.other, incident.deposited),
        )


def clip_after_step(trace: Trace) -> Iterator[Finding]:
    """Clipping gradients that have been used already."""
    for incident in of_kind(trace, "clip-after-step"):
        yield Finding(
            name="clip-after-step",
            severity="warning",
            title=(
                f"Clipped too late{at(incident.where)}: the update had already used "
                f"{grads(incident)} ({times(incident.count)})."
            ),
            cause="Clipping changes .grad; the step before it had read the unclipped gradient.",
            consequence="The clipping has no effect on training.",
            remedy=Remedy("Clip between backward() and step()."),
            evidence=evidence_of(incident, incident.where, incident.other, incident.deposited),
        )

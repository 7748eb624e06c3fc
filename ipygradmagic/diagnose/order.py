"""Things done in the wrong order: steps with nothing to use, a scheduler that comes too early."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose import patch
from ipygradmagic.diagnose.flow import loss_is_a_leaf
from ipygradmagic.diagnose.ownership import holds_replaced
from ipygradmagic.diagnose.words import at, evidence_of, of_kind, times, total
from ipygradmagic.language import tr
from ipygradmagic.record.findings import Finding, Remedy
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.trace import Trace


def cleared_before_step(trace: Trace) -> Iterator[Finding]:
    """``zero_grad`` between backward and step.

    By hand it counts if it happens again and again, and none of the updates ever had anything to
    use: a single gradient may be cleared to skip a batch.
    """
    for incident in of_kind(trace, "cleared-before-step"):
        if not incident.actor and (incident.count < 2 or incident.repeats):
            continue
        name = incident.tensors[0] if incident.tensors and "‹" not in incident.tensors[0] else "w"
        step = f"{incident.actor}.step()" if incident.actor else tr("The update")
        use = f"{incident.actor}.step()\n{incident.actor}.zero_grad()"
        if not incident.actor:
            use = f"{name}.data -= lr * {name}.grad\n{name}.grad.zero_()"
        yield Finding(
            name="cleared-before-step",
            severity="error",
            title=tr(
                "{step}{at} had nothing to use ({times}): the gradients had been cleared{cleared}, "
                "after the backward.",
                step=step,
                at=at(incident.where),
                times=times(incident.count),
                cleared=at(incident.other),
            ),
            cause=tr("The gradients are cleared between backward() and step().")
            if incident.actor
            else tr("The gradients are cleared between backward() and the update."),
            consequence=tr("The parameters do not move (except by weight decay or momentum)."),
            remedy=Remedy(
                tr("Clear the gradients before backward() or after step().")
                if incident.actor
                else tr("Clear the gradients before backward() or after the update."),
                f"loss.backward()\n{use}",
                patch.move_behind(incident.other, incident.where),
            ),
            evidence=evidence_of(incident, incident.other, incident.where, incident.deposited),
        )


def step_without_gradient(trace: Trace) -> Iterator[Finding]:
    """A step of an optimizer none of whose tensors has a gradient.

    One step with zeros that were assigned by hand just before is a note: it makes the optimizer's
    state, so that a saved one can be loaded.
    """
    if loss_is_a_leaf(trace):
        return
    explained = {i.actor for i in of_kind(trace, "empty-step") if holds_replaced(trace, i.actor)}
    for incident in (i for i in of_kind(trace, "empty-step") if i.actor not in explained):
        steps = dict(trace.ledger.actors).get(incident.actor, incident.count)
        always = incident.count >= steps and not _given_zeros(trace, incident)
        backward = total(trace, "backward")
        why = (
            tr("No backward reached any tensor that this optimizer owns.")
            if backward
            else tr("There was no backward before it.")
        )
        yield Finding(
            name="step-without-gradient",
            severity="warning" if always else "note",
            title=tr(
                "{optimizer}.step(){at} had nothing to use ({times}): every grad was None or zero.",
                optimizer=incident.actor,
                at=at(incident.where),
                times=times(incident.count),
            ),
            cause=why,
            consequence=tr("The parameters do not move."),
            remedy=Remedy(
                tr(
                    "Call loss.backward() before step(), on a loss that depends on these parameters."
                )
            ),
            evidence=evidence_of(incident, incident.where, incident.other, incident.deposited),
        )


def _given_zeros(trace: Trace, incident: Incident) -> bool:
    before = (e for e in trace.events if e.index < incident.first_event)
    return incident.count == 1 and any(
        e.kind == "zero_grad" and e.label == "grad =" for e in before
    )


def scheduler_before_optimizer(trace: Trace) -> Iterator[Finding]:
    """A learning rate scheduler that steps before its optimizer has stepped at all.

    Moving a new scheduler forward (to resume a run) does that on purpose, from a line that is not
    passed again; accumulation may step the scheduler more often than the optimizer. Both are notes.
    """
    for incident in of_kind(trace, "early-schedule"):
        likely = incident.count == 1 and incident.repeats > 0 and not incident.oldest
        yield Finding(
            name="scheduler-before-optimizer",
            severity="warning" if likely else "note",
            title=tr(
                "The scheduler of {optimizer} stepped{at} before {optimizer}.step() had been called at "
                "all ({times}).",
                optimizer=incident.actor,
                at=at(incident.where),
                times=times(incident.count),
            ),
            cause=tr(
                "A scheduler sets the first learning rate when it is made, and each step() moves on to "
                "the next. Called before the optimizer, it moves on before the first was ever used."
            ),
            consequence=tr(
                "The first learning rate of the schedule is skipped; all others come too early."
            ),
            remedy=Remedy(
                tr("Call scheduler.step() after optimizer.step()."),
                f"{incident.actor}.step()\nscheduler.step()",
            ),
            evidence=evidence_of(incident, incident.where),
        )

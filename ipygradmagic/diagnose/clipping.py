"""Clipping at the wrong moment, or of nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ipygradmagic.diagnose.words import at, evidence_of, grads, of_kind, times
from ipygradmagic.language import ntr, tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Finding, Remedy
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.tensors import Summary
from ipygradmagic.record.trace import Trace

_CLIPS = re.compile("clip|clamp")
_ROUNDS = 3
"""What happens less often than this may be chance."""


def clip_after_step(trace: Trace) -> Iterator[Finding]:
    """Clipping gradients that have been used already.

    Done by hand, once, it may be for a look at them; in round after round it is meant for the step.
    """
    for incident in of_kind(trace, "clip-after-step"):
        if incident.repeats and incident.count < _ROUNDS:
            continue
        yield Finding(
            name="clip-after-step",
            severity="warning",
            title=tr(
                "Clipped too late{at}: the update had already used {grads} ({times}).",
                at=at(incident.where),
                grads=grads(incident),
                times=times(incident.count),
            ),
            cause=tr("Clipping changes .grad; the step before it had read the unclipped gradient."),
            consequence=tr("The clipping has no effect on training."),
            remedy=Remedy(tr("Clip between backward() and step().")),
            evidence=evidence_of(incident, incident.where, incident.other, incident.deposited),
        )


def clip_each_backward(trace: Trace) -> Iterator[Finding]:
    """A sum of micro-batches that is clipped after each of them.

    A note where no clipping changed any number: then it did no harm.
    """
    for incident in of_kind(trace, "clip-again"):
        yield Finding(
            name="clip-each-backward",
            severity="warning" if incident.repeats else "note",
            title=tr(
                "Clipped after every backward{at}: {grads} held earlier micro-batches that had been "
                "clipped already ({times}).",
                at=at(incident.where),
                grads=grads(incident),
                times=times(incident.count),
            ),
            cause=tr(
                "Clipping scales all that .grad holds, not only what the last backward added. The "
                "first micro-batches of a window are scaled down again with each later one."
            ),
            consequence=tr(
                "The micro-batches of one update count unequally, the first ones least."
            ),
            remedy=Remedy(
                tr("Clip once for each update: after the last backward of a window, before step().")
            ),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def clip_before_unscale(trace: Trace) -> Iterator[Finding]:
    """Clipping gradients that GradScaler has multiplied by its scale.

    Multiplying the limit by the scale is right too. A limit is chosen near 1 (Pascanu et al. 2013
    take 0.5 to 10 times the usual norm; PyTorch's examples 0.1 to 5), a multiplied one is near the
    scale (65536 at first): so a clipped norm below the square root of the scale, the middle
    between the two, was not multiplied. Where nothing was clipped, nothing is said.
    """
    for incident in of_kind(trace, "clip-scaled"):
        scale, norm = _scale_and_norm(trace, incident)
        if norm is None or scale is None or scale <= 1 or norm >= math.sqrt(scale):
            continue
        yield Finding(
            name="clip-before-unscale",
            severity="error",
            title=ntr(
                "Clipped{at} while {grads} was still multiplied by {scale:g}: GradScaler divided it "
                "only later ({times}).",
                "Clipped{at} while {grads} were still multiplied by {scale:g}: GradScaler divided them "
                "only later ({times}).",
                incident.tensor_count,
                at=at(incident.other),
                grads=grads(incident),
                scale=scale,
                times=times(incident.count),
            ),
            cause=tr(
                "GradScaler multiplies the loss, and with it every gradient, by a large scale. The "
                "clipping compared those large numbers with its limit, before they were divided again."
            ),
            consequence=tr(
                "What the step used had a norm of {left:.2g} instead of {norm:.2g}: the parameters "
                "hardly move.",
                left=norm / scale,
                norm=norm,
            ),
            remedy=Remedy(
                tr("Call scaler.unscale_(optimizer) after backward() and before clipping."),
                "scaler.unscale_(optimizer)\ntorch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
            ),
            evidence=evidence_of(incident, incident.other, incident.where),
        )


def _scale_and_norm(trace: Trace, incident: Incident) -> tuple[float | None, float | None]:
    """The scale that was taken out, and the norm that the clipping left, of the kept events."""
    edits = [e for e in trace.events if e.kind == "edit"]
    unscaled = [e for e in edits if e.where == incident.where and not _CLIPS.search(e.label)]
    clipped = [e for e in edits if e.where == incident.other and _CLIPS.search(e.label)]
    clipped = [e for e in clipped if any(c.grad_changed for c in e.changes)]
    scales = [_ratio(e) for e in unscaled]
    norms = [_norm([c.grad_after for c in e.changes]) for e in clipped]
    return max((s for s in scales if s), default=None), max(norms, default=None)


def _ratio(event: Event) -> float:
    """How many times smaller the event made the gradients; 0 if that is not known."""
    before = _norm([c.grad_before for c in event.changes])
    after = _norm([c.grad_after for c in event.changes])
    return before / after if after and math.isfinite(before) and math.isfinite(after) else 0.0


def _norm(looks: list[Summary | None]) -> float:
    return math.hypot(*(s.norm for s in looks if s is not None and s.norm is not None))


def clip_without_gradient(trace: Trace) -> Iterator[Finding]:
    """A line that clips before the backward: it never finds a gradient.

    Said only if no call of the line ever found one, and if the same tensors were trained, not
    more often than the line was passed (a call before the loop may only look at the norm).
    """
    for incident in of_kind(trace, "clip-nothing"):
        books = [b for b in trace.ledger.books if b.name in incident.tensors]
        used = max((b.consumptions for b in books), default=0)
        if incident.repeats or not used or used > incident.count + 1:
            continue
        yield Finding(
            name="clip-without-gradient",
            severity="warning" if incident.count > 1 else "note",
            title=tr(
                "Clipping{at} never found a gradient ({times}): it came when every grad was None or "
                "zero, although these tensors are trained.",
                at=at(incident.where),
                times=times(incident.count),
            ),
            cause=tr(
                "Clipping acts on what .grad holds at that moment. Here it runs after the gradients "
                "are cleared and before backward() fills them again."
            ),
            consequence=tr("The updates use unclipped gradients: the clipping has no effect."),
            remedy=Remedy(
                tr("Clip between backward() and step()."),
                "loss.backward()\ntorch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
                "optimizer.step()",
            ),
            evidence=evidence_of(incident, incident.where),
        )


def exhausted_generator(trace: Trace) -> Iterator[Finding]:
    """Clipping was given no tensor at all, because an iterator had been used up.

    A list, or an expression made anew, that is empty where everything is frozen is left alone.
    """
    for incident in of_kind(trace, "clip-nobody"):
        if not incident.oldest:
            continue
        yield Finding(
            name="exhausted-generator",
            severity="warning",
            title=tr(
                "Clipping{at} was given no tensors ({times}): the generator that it got was used up.",
                at=at(incident.where),
                times=times(incident.count),
            ),
            cause=tr(
                "model.parameters() returns a generator, which can be walked through only once. "
                "Whoever used the variable first (the optimizer, or the first call) left nothing in it."
            ),
            consequence=tr("Nothing is clipped, and nothing says so."),
            remedy=Remedy(
                tr("Make a list of it, or call model.parameters() anew each time."),
                "params = list(model.parameters())",
            ),
            evidence=evidence_of(incident, incident.where),
        )

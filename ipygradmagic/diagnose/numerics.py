"""Numbers that broke."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.words import (
    at,
    evidence_of,
    grads,
    lines,
    nth_backward,
    of_kind,
    times,
)
from ipygradmagic.language import ntr, tr
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.trace import Trace


def nonfinite_gradient(trace: Trace) -> Iterator[Finding]:
    """NaN or infinity in a gradient: an alarm once an update has used it.

    Not if every value stayed finite all the same: the update took care of it.
    """
    used = list(of_kind(trace, "nonfinite-used"))
    for incident in used or _unexplained(trace):
        seen = sorted(of_kind(trace, "nonfinite"), key=lambda i: i.first_event)
        first = seen[0] if seen else incident
        harmless = used and _stayed_finite(trace, incident)
        if used:
            title = _used(incident, seen[0] if seen else None)
            if harmless:
                title += tr(" The values are finite all the same.")
        else:
            title = tr(
                "NaN or Inf in {grads} after {backward}{at}; no update used it.",
                grads=grads(incident),
                backward=nth_backward(incident.number),
                at=at(incident.where),
            )
        yield Finding(
            name="nonfinite-gradient",
            severity="warning" if used and not harmless else "note",
            title=title,
            cause=tr(
                "Somewhere on the way from the loss to this tensor a derivative is undefined or "
                "too large: a division by zero, the log or square root of zero, an overflow."
            ),
            consequence=tr("Every value that such an update touches becomes NaN, for good.")
            if used and not harmless
            else "",
            remedy=Remedy(
                tr("Find the operation with torch.autograd.set_detect_anomaly(True)."),
                "torch.autograd.set_detect_anomaly(True)",
            ),
            evidence=Evidence(
                events=tuple(dict.fromkeys((first.first_event, incident.first_event))),
                lines=lines(incident.where, first.where),
                tensors=incident.tensors,
                count=incident.count,
            ),
        )


def _used(incident: Incident, first: Incident | None) -> str:
    """That an update used it, and where it first appeared, if that is known."""
    what = {
        "grads": grads(incident),
        "at": at(incident.where),
        "times": times(incident.count),
    }
    if first is None:
        return tr("NaN or Inf in {grads} when an update used it{at} ({times}).", **what)
    return tr(
        "NaN or Inf in {grads} when an update used it{at} ({times}); it first appeared in "
        "{backward}{first}.",
        **what,
        backward=nth_backward(first.number),
        first=at(first.where),
    )


def _unexplained(trace: Trace) -> Iterator[Incident]:
    """Those that no GradScaler has answered by skipping a step."""
    skipped = {i.actor for i in of_kind(trace, "skipped")}
    known = {t.name for t in trace.tensors if skipped.intersection(t.owners)}
    ids = {i for o in trace.optimizers if o.name in skipped for g in o.groups for i in g.tensors}
    known.update(t.name for t in trace.tensors if t.id in ids)
    return (i for i in of_kind(trace, "nonfinite") if not known.issuperset(i.tensors))


def skipped_steps(trace: Trace) -> Iterator[Finding]:
    """Steps that GradScaler skipped because of NaN or infinity.

    A few at the beginning are how it finds its scale (https://docs.pytorch.org/docs/stable/amp.html):
    each halves the scale, and the step after it fits. A warning where every step of the run was
    skipped, five or more in a row: in so many the scale has come down to a 32nd.
    """
    for incident in of_kind(trace, "skipped"):
        skipped, taken = incident.count, incident.repeats
        what = f"{incident.actor}.step(){at(incident.where)}"
        if taken and skipped <= taken:
            yield Finding(
                name="skipped-steps",
                severity="fine",
                title=tr(
                    "GradScaler skipped {skipped} of {all} steps of {step}.",
                    skipped=skipped,
                    all=skipped + taken,
                    step=what,
                ),
                cause=tr(
                    "The scaled gradients were too large for their format; each time the scale was "
                    "halved, and the gradients were thrown away. That is how it finds its scale."
                ),
                evidence=evidence_of(incident, incident.where),
            )
            continue
        yield Finding(
            name="skipped-steps",
            severity="note" if taken or skipped < _SERIES else "warning",
            title=_skipped(skipped, taken, what),
            cause=tr(
                "GradScaler skips a step whose gradients hold NaN or infinity. Where a smaller scale "
                "does not help, the loss itself overflows or is undefined."
            ),
            consequence=tr("The parameters stay as they are, and nothing says so."),
            remedy=Remedy(
                tr(
                    "Look for the operation that makes NaN or infinity, and begin with a smaller scale."
                ),
                "torch.autograd.set_detect_anomaly(True)",
            ),
            evidence=evidence_of(incident, incident.where),
        )


def _skipped(skipped: int, taken: int, step: str) -> str:
    if taken:
        return ntr(
            "GradScaler skipped {n} step of {all}: {step} did not run.",
            "GradScaler skipped {n} steps of {all}: {step} did not run.",
            skipped,
            all=skipped + taken,
            step=step,
        )
    return ntr(
        "GradScaler skipped every one of {n} step: {step} did not run.",
        "GradScaler skipped every one of {n} steps: {step} did not run.",
        skipped,
        step=step,
    )


_SERIES = 5


def _stayed_finite(trace: Trace, incident: Incident) -> bool:
    """Every value that the first and the last such update left is known, and finite."""
    names = set(incident.tensors)
    ids = {t.id for t in trace.tensors if t.name in names}
    events = [trace.event(i) for i in (incident.first_event, incident.last_event)]
    changes = [c for e in events if e is not None for c in e.changes if c.tensor in ids]
    values = [c.value_after for c in changes]
    known = [v for v in values if v is not None and v.norm is not None and not v.sampled]
    return bool(known) and len(known) == len(values) and all(v.finite for v in known)

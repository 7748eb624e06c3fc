"""Numbers that broke."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.words import at, evidence_of, grads, lines, of_kind, plural, times
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
            title = (
                f"NaN or Inf in {grads(incident)} when an update used it{at(incident.where)} "
                f"({times(incident.count)})"
                + (
                    f"; it first appeared in backward #{first.number}{at(first.where)}."
                    * bool(seen)
                    or "."
                )
            )
            if harmless:
                title += " The values are finite all the same."
        else:
            title = (
                f"NaN or Inf in {grads(incident)} after backward #{incident.number}"
                f"{at(incident.where)}; no update used it."
            )
        yield Finding(
            name="nonfinite-gradient",
            severity="warning" if used and not harmless else "note",
            title=title,
            cause=(
                "Somewhere on the way from the loss to this tensor a derivative is undefined or "
                "too large: a division by zero, the log or square root of zero, an overflow."
            ),
            consequence="Every value that such an update touches becomes NaN, for good."
            if used and not harmless
            else "",
            remedy=Remedy(
                "Find the operation with torch.autograd.set_detect_anomaly(True).",
                "torch.autograd.set_detect_anomaly(True)",
            ),
            evidence=Evidence(
                events=tuple(dict.fromkeys((first.first_event, incident.first_event))),
                lines=lines(incident.where, first.where),
                tensors=incident.tensors,
                count=incident.count,
            ),
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
                title=f"GradScaler skipped {skipped} of {skipped + taken} steps of {what}.",
                cause=(
                    "The scaled gradients were too large for their format; each time the scale was "
                    "halved, and the gradients were thrown away. That is how it finds its scale."
                ),
                evidence=evidence_of(incident, incident.where),
            )
            continue
        yield Finding(
            name="skipped-steps",
            severity="note" if taken or skipped < _SERIES else "warning",
            title=(
                f"GradScaler skipped {'every one of' if not taken else ''} "
                f"{plural(skipped, 'step')}{f' of {skipped + taken}' if taken else ''}: {what} "
                "did not run."
            ).replace("  ", " "),
            cause=(
                "GradScaler skips a step whose gradients hold NaN or infinity. Where a smaller scale "
                "does not help, the loss itself overflows or is undefined."
            ),
            consequence="The parameters stay as they are, and nothing says so.",
            remedy=Remedy(
                "Look for the operation that makes NaN or infinity, and begin with a smaller scale.",
                "torch.autograd.set_detect_anomaly(True)",
            ),
            evidence=evidence_of(incident, incident.where),
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

"""Numbers that broke."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.words import at, grads, lines, of_kind, times
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.trace import Trace


def nonfinite_gradient(trace: Trace) -> Iterator[Finding]:
    """NaN or infinity in a gradient: an alarm once an update has used it.

    Not if every value stayed finite all the same: the update took care of it.
    """
    used = list(of_kind(trace, "nonfinite-used"))
    for incident in used or of_kind(trace, "nonfinite"):
        first = min(of_kind(trace, "nonfinite"), key=lambda i: i.first_event, default=incident)
        harmless = used and _stayed_finite(trace, incident)
        if used:
            title = (
                f"NaN or Inf in {grads(incident)} when an update used it{at(incident.where)} "
                f"({times(incident.count)}); it first appeared in backward #{first.number}"
                f"{at(first.where)}."
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


def _stayed_finite(trace: Trace, incident: Incident) -> bool:
    """Every value that the first and the last such update left is known, and finite."""
    names = set(incident.tensors)
    ids = {t.id for t in trace.tensors if t.name in names}
    events = [trace.event(i) for i in (incident.first_event, incident.last_event)]
    changes = [c for e in events if e is not None for c in e.changes if c.tensor in ids]
    values = [c.value_after for c in changes]
    known = [v for v in values if v is not None and v.norm is not None and not v.sampled]
    return bool(known) and len(known) == len(values) and all(v.finite for v in known)

"""Numbers that broke."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.words import at, grads, lines, of_kind, times
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.trace import Trace


def nonfinite_gradient(trace: Trace) -> Iterator[Finding]:
    """NaN or infinity in a gradient: an alarm once an update has used it."""
    used = list(of_kind(trace, "nonfinite-used"))
    for incident in used or of_kind(trace, "nonfinite"):
        first = min(of_kind(trace, "nonfinite"), key=lambda i: i.first_event, default=incident)
        if used:
            title = (
                f"NaN or Inf in {grads(incident)} when an update used it{at(incident.where)} "
                f"({times(incident.count)}); it first appeared in backward #{first.number}"
                f"{at(first.where)}."
            )
        else:
            title = (
                f"NaN or Inf in {grads(incident)} after backward #{incident.number}"
                f"{at(incident.where)}; no update used it."
            )
        yield Finding(
            name="nonfinite-gradient",
            severity="warning" if used else "note",
            title=title,
            cause=(
                "Somewhere on the way from the loss to this tensor a derivative is undefined or "
                "too large: a division by zero, the log or square root of zero, an overflow."
            ),
            consequence="Every value that such an update touches becomes NaN, for good."
            if used
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

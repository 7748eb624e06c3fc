"""Steps and updates that use a gradient again, with nothing new in it."""

from __future__ import annotations

from collections.abc import Iterator

from ipygradmagic.diagnose.freezing import frozen_but_updated
from ipygradmagic.diagnose.ownership import holds_replaced
from ipygradmagic.diagnose.words import at, evidence_of, grads, listed, of_kind, times
from ipygradmagic.language import tr
from ipygradmagic.record.findings import Finding, Remedy
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Trace

SERIES = 3
"""A step repeated once or twice may be meant (a second try, an inner step); a series is a loop."""


_MOST_BEFORE = 1000
"""So many events are looked at for what came before a first step."""


def reused_gradient(trace: Trace) -> Iterator[Finding]:
    """A step repeated with no new deposit."""
    for incident in of_kind(trace, "reused"):
        yield Finding(
            name="reused-gradient",
            severity="warning" if incident.repeats >= SERIES else "note",
            title=tr(
                "{who} stepped again{at} with a gradient that it had already used: no backward in "
                "between ({times}).",
                who=incident.actor or tr("The update"),
                at=at(incident.where),
                times=times(incident.count),
            ),
            cause=tr("Each step needs a backward of its own; here several steps share one."),
            consequence=tr("The loss is followed along an outdated direction."),
            remedy=Remedy(tr("Move the forward and backward pass into the loop that steps.")),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def reused_by_part(trace: Trace) -> Iterator[Finding]:
    """Some tensors of an optimizer keep an old gradient, and every step moves them by it again.

    A warning from the third step in a row on. Nothing is said where another finding explains it (a
    forgotten ``zero_grad``, a frozen or a replaced tensor), or where the tensor stays as it is.
    """
    for incident in of_kind(trace, "reused-part"):
        stale = any(i.actor == incident.actor for i in of_kind(trace, "stale"))
        if incident.repeats < SERIES or stale or holds_replaced(trace, incident.actor):
            continue
        frozen = {n for f in frozen_but_updated(trace) for n in f.evidence.tensors}
        names = [n for n in incident.tensors if n not in frozen]
        if not names or not _moved(trace, incident):
            continue
        yield Finding(
            name="reused-gradient",
            severity="warning",
            title=tr(
                "{optimizer}.step(){at} moved {names} again and again ({times}) by a gradient that it "
                "had already used, while other tensors got new ones.",
                optimizer=incident.actor,
                at=at(incident.where),
                names=listed(names),
                times=times(incident.count),
            ),
            cause=tr(
                "No backward reaches them any more, and nothing clears their gradient either. An "
                "optimizer asks only whether .grad is None, not how old it is."
            ),
            consequence=tr("They drift on in a direction that nobody computes any more."),
            remedy=Remedy(
                tr("Clear the gradients of everything that the optimizer owns, in every round."),
                f"{incident.actor}.zero_grad()",
            ),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def reused_in_a_later_cell(trace: Trace) -> Iterator[Finding]:
    """The first use of a gradient in this trace, all of which an earlier trace had used up.

    Of code by hand it is said only if it is the same line: then the cell has been run again. Where
    the values were put somewhere else before (loaded from a copy), the step may be a second try: a
    note.
    """
    for incident in of_kind(trace, "reused-later"):
        again = _same_text(incident.where, incident.origin)
        if not (incident.actor or again) or not _moved(trace, incident):
            continue

        yield Finding(
            name="reused-gradient",
            severity="note" if _put_back(trace, incident) else "warning",
            title=_used_before(incident),
            cause=tr(
                "The cell was run again. The gradient stays in .grad until something clears it, so "
                "each run moves the parameters once more."
            )
            if again
            else tr(
                "Another cell has made this step already. The gradient stays in .grad until something "
                "clears it, so each run moves the parameters once more."
            ),
            consequence=tr("The loss is followed along an outdated direction."),
            remedy=Remedy(tr("Put the forward and backward pass into the cell that updates.")),
            evidence=evidence_of(incident, incident.where, incident.origin),
        )


def _used_before(incident: Incident) -> str:
    what = {
        "step": f"{incident.actor}.step()" if incident.actor else tr("The update"),
        "at": at(incident.where),
        "before": tr(" ({place})", place=incident.origin.place) if incident.origin else "",
    }
    if incident.tensor_count <= 1:
        return tr(
            "{step}{at} used a gradient that an earlier run had already used{before}: no backward "
            "since then has reached {name}.",
            **what,
            name=incident.tensors[0] if incident.tensors else "",
        )
    return tr(
        "{step}{at} used {grads}, which an earlier run had already used{before}: no backward has "
        "reached them since then.",
        **what,
        grads=grads(incident),
    )


def _moved(trace: Trace, incident: Incident) -> bool:
    """Some of these tensors changed at the first such event (or it is not known)."""
    event = trace.event(incident.first_event)
    if event is None:
        return True
    names = set(incident.tensors)
    ids = {t.id for t in trace.tensors if t.name in names}
    changes = [c for c in event.changes if c.tensor in ids and c.value_before is not None]
    unread = [c for c in changes if c.value_before is not None and c.value_before.norm is None]
    return not changes or bool(unread) or any(c.value_before != c.value_after for c in changes)


def _put_back(trace: Trace, incident: Incident) -> bool:
    """Something other than a gradient wrote these tensors before the step.

    (What loading a copy undoes is a multiple of the gradient, too; so its source is not asked.)
    """
    names = set(incident.tensors)
    ids = {t.id for t in trace.tensors if t.name in names}
    return any(
        event.source != "gradient" or event.label == "load_state_dict"
        for event in trace.events[:_MOST_BEFORE]
        if event.kind == "update" and event.index < incident.first_event
        if any(change.tensor in ids for change in event.changes)
    )


def _same_text(one: SourceLocation | None, other: SourceLocation | None) -> bool:
    """The same line of the same text, perhaps under another label (a cell that was run again)."""
    if one is None or other is None or not one.text:
        return False
    return (one.line, one.text) == (other.line, other.text)

"""Small phrases that every family of diagnoses uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipygradmagic.language import ptr, tr
from ipygradmagic.record.findings import Evidence
from ipygradmagic.record.ledger import Incident
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Trace

MOST_NAMES = 4


def joined(names: Iterable[str]) -> str:
    """``w, b, c``."""
    return ptr("between names", ", ").join(names)


def listed(names: Sequence[str], total: int = 0) -> str:
    """``w``, ``w and b``, ``w, b, c, d and 8 more``."""
    total = max(total, len(names))
    shown = list(names[:MOST_NAMES])
    if total > len(shown):
        return tr("{names} and {n} more", names=joined(shown), n=total - len(shown))
    if len(shown) < 2:
        return "".join(shown)
    return tr("{names} and {last}", names=joined(shown[:-1]), last=shown[-1])


def grads(incident: Incident) -> str:
    """``w.grad``; for several, ``the gradients of w and b``."""
    if incident.tensor_count <= 1 and incident.tensors:
        return f"{incident.tensors[0]}.grad"
    return tr("the gradients of {names}", names=listed(incident.tensors, incident.tensor_count))


def at(where: SourceLocation | None) -> str:
    """``at In [3], line 7``, or nothing if the line is not known."""
    return tr(" at {place}", place=where.place) if where is not None else ""


def times(count: int) -> str:
    """``once``, ``twice``, ``468 times``."""
    if count == 1:
        return tr("once")
    return tr("twice") if count == 2 else tr("{n} times", n=count)


def nth_backward(number: int) -> str:
    """``backward #3``."""
    return tr("backward #{n}", n=number)


def nth_update(incident: Incident) -> str:
    """``opt.step() #2``, or ``the update #2`` where it is made by hand."""
    if not incident.actor:
        return tr("the update #{n}", n=incident.number)
    return tr("{optimizer}.step() #{n}", optimizer=incident.actor, n=incident.number)


def lines(*places: SourceLocation | None) -> tuple[SourceLocation, ...]:
    """The places that are known, each once."""
    return tuple(dict.fromkeys(p for p in places if p is not None))


def evidence_of(incident: Incident, *places: SourceLocation | None) -> Evidence:
    """What an incident rests on; the most telling place first."""
    events = (incident.first_event, incident.last_event)
    return Evidence(
        events=tuple(dict.fromkeys(e for e in events if e)),
        lines=lines(*places),
        tensors=incident.tensors,
        count=incident.count,
    )


def of_kind(trace: Trace, *kinds: str) -> Iterable[Incident]:
    """The incidents of some kinds."""
    return (i for i in trace.ledger.incidents if i.kind in kinds)


def total(trace: Trace, kind: str) -> int:
    """How many events of a kind there were."""
    return trace.counts().get(kind, 0)

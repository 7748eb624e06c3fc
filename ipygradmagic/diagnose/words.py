"""Small phrases that every family of diagnoses uses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipygradmagic.record.findings import Evidence
from ipygradmagic.record.ledger import Incident
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Trace

MOST_NAMES = 4


def listed(names: Sequence[str], total: int = 0) -> str:
    """``w``, ``w and b``, ``w, b, c, d and 8 more``."""
    total = max(total, len(names))
    shown = list(names[:MOST_NAMES])
    if total > len(shown):
        return f"{', '.join(shown)} and {total - len(shown)} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def grads(incident: Incident) -> str:
    """``w.grad``; for several, ``the gradients of w and b``."""
    if incident.tensor_count <= 1 and incident.tensors:
        return f"{incident.tensors[0]}.grad"
    return f"the gradients of {listed(incident.tensors, incident.tensor_count)}"


def verb(count: int, one: str, many: str) -> str:
    """``is`` or ``are``, ``holds`` or ``hold``: what goes with so many tensors."""
    return one if count == 1 else many


def at(where: SourceLocation | None) -> str:
    """``at In [3], line 7``, or nothing if the line is not known."""
    return f" at {where.place}" if where is not None else ""


def times(count: int) -> str:
    """``once``, ``twice``, ``468 times``."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


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


def plural(count: int, noun: str) -> str:
    """``1 step``, ``3 steps``."""
    ending = "es" if noun.endswith("ss") or noun.endswith("pass") else "s"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{ending}"


def of_kind(trace: Trace, *kinds: str) -> Iterable[Incident]:
    """The incidents of some kinds."""
    return (i for i in trace.ledger.incidents if i.kind in kinds)


def total(trace: Trace, kind: str) -> int:
    """How many events of a kind there were."""
    return trace.counts().get(kind, 0)

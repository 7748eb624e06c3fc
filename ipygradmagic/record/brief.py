"""Records in one line, for a prompt where somebody has typed ``t.events[3]``.

They are code, as every repr, and alike in every language; only a finding's title is a sentence.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ipygradmagic.record.tensors import Summary

if TYPE_CHECKING:
    from ipygradmagic.record.events import Change, Event
    from ipygradmagic.record.findings import Finding

MOST_TITLE = 90


def event_line(event: Event) -> str:
    """``<Event 4: step #2, SGD.step by opt, In [3], line 5: 2 tensors>``."""
    what = [f"{event.kind} #{event.number}"]
    if event.label not in ("", event.kind):
        what.append(event.label)
    if event.actor:
        what[-1] += f" {'of' if event.kind == 'backward' else 'by'} {_short(event.actor)}"
    if event.where is not None:
        what.append(_short(event.where.label))
    said = []
    if event.loss is not None:
        said.append(f"loss {_number(event.loss)}")
    said.append(_tensors(len(event.changes)) if event.changes else "no tensor")
    if event.missed:
        said.append(f"{len(event.missed)} without a gradient")
    if event.error is not None:
        said.append(f"raised {_short(event.error)}")
    return f"<Event {event.index}: {', '.join(what)}: {'; '.join(said)}>"


def change_line(change: Change) -> str:
    """``<Change of tensor 2: grad None → norm 3.464, holds 1>``."""
    before, after = _grad(change.grad_before), _grad(change.grad_after)
    said = [f"grad {before} → {after}" if change.grad_changed else f"grad stays {after}"]
    if change.moved is not None:
        said.append(f"value moved {_number(change.moved)}")
    elif change.value_after is not None:
        said.append("value changed")
    holds = f"holds {change.holds.count}"
    if change.holds.stale:
        holds += f", {change.holds.stale} of them stale"
    elif change.holds.used:
        holds += f", {change.holds.used} of them used"
    return f"<Change of tensor {change.tensor}: {', '.join([*said, holds])}>"


def finding_line(finding: Finding) -> str:
    """``<Finding stale-gradient (error) at In [3], line 5: Forgotten zero_grad …>``."""
    where = finding.evidence.lines[:1]
    place = f" at {_short(where[0].label)}" if where else ""
    title = _short(finding.title, MOST_TITLE)
    return f"<Finding {finding.name} ({finding.severity}){place}: {title}>"


def _grad(found: Summary | None) -> str:
    if found is None:
        return "None"
    if found.zero:
        return "zero"
    return found.layout if found.norm is None else f"norm {_number(found.norm)}"


def _tensors(count: int) -> str:
    return f"{count} tensor{'s' * (count != 1)}"


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def _short(text: str, most: int = 60) -> str:
    line = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"

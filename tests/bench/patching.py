"""Make the changes that the remedies of a buggy program propose, run it, and hold it against its twin."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipygradmagic.diagnose.patch import patched
from ipygradmagic.record.findings import Edit
from ipygradmagic.record.tensors import Summary
from tests.bench.corpus import Cell, Program
from tests.bench.running import Done, traced

USES = ("step", "update", "rebind")
"""Events that use gradients."""
CLOSE = 1e-5
"""Relative difference up to which two numbers of float32 count as equal."""

Use = tuple[tuple[str, Summary, Summary | None], ...]
"""Of one event: name, gradient used, and the value that came of it."""


@dataclass(frozen=True)
class Repair:
    """What came of the changes proposed for a buggy program.

    Attributes:
        program: The changed one.
        alarms: What is still said of it.
        difference: Where it first uses another gradient than the twin, or comes to another value;
            "" if nowhere.
    """

    program: Program
    alarms: tuple[str, ...]
    difference: str

    @property
    def proven(self) -> bool:
        """Nothing left to find, and the same gradients and values as the fixed twin."""
        return not self.alarms and not self.difference


def edits(program: Program) -> list[Edit]:
    """The changes that the alarms of a program propose."""
    remedies = [f.remedy for f in traced(program).findings if f.alarm and f.remedy]
    return [r.edit for r in remedies if r.edit is not None]


@functools.cache
def repair(buggy: Program, twin: Program) -> Repair | None:
    """Change the program as proposed and run it; None if nothing is proposed."""
    proposed = edits(buggy)
    if not proposed:
        return None
    changed = replace(buggy, cells=tuple(_changed(cell, proposed) for cell in buggy.cells))
    done = traced(changed)
    alarms = [f"{f.name}: {f.title}" for f in done.alarms]
    if done.error:
        alarms.append(done.error)
    return Repair(changed, tuple(alarms), difference(uses(done), uses(traced(twin))))


def _changed(cell: Cell, proposed: list[Edit]) -> Cell:
    mine = [edit for edit in proposed if edit.file == cell.file]
    text = "\n".join(patched(cell.text.splitlines(), mine)) + "\n"
    file = cell.file if cell.file.startswith("<") else f"<{cell.file}, patched>"
    return replace(cell, file=file, text=text)


def uses(done: Done) -> list[Use]:
    """What every step and update used, and what it made of it; empty gradients do not count."""
    found: list[Use] = []
    for trace in done.traces:
        names = {t.id: t.name for t in trace.tensors}
        for event in trace.events:
            if event.kind in USES and event.source in (None, "gradient"):
                some = [
                    (names[c.tensor], c.grad_before, c.value_after)
                    for c in event.changes
                    if c.grad_before is not None and not c.grad_before.zero
                ]
                found.append(tuple(sorted(some, key=lambda one: one[0])))
    return found


def difference(one: Sequence[Use], other: Sequence[Use]) -> str:
    """Where two runs part; "" if nowhere."""
    if len(one) != len(other):
        return f"{len(one)} uses, {len(other)} in the twin"
    for number, (mine, its) in enumerate(zip(one, other), 1):
        if [name for name, _, _ in mine] != [name for name, _, _ in its]:
            return f"use #{number} is of other tensors"
        for (name, grad, value), (_, its_grad, its_value) in zip(mine, its):
            if not _alike(grad, its_grad):
                return f"use #{number}: another gradient of {name}"
            if not _alike(value, its_value):
                return f"use #{number}: another value of {name}"
    return ""


def _alike(one: Summary | None, other: Summary | None) -> bool:
    if one is None or other is None:
        return one is other
    pairs = [(one.norm, other.norm), (one.mean, other.mean), (one.min, other.min)]
    pairs += [(one.max, other.max), *zip(one.values or (), other.values or ())]
    scale = max(abs(one.norm or 0.0), abs(other.norm or 0.0))
    return one.numel == other.numel and all(_close(a, b, scale) for a, b in pairs)


def _close(a: complex | None, b: complex | None, scale: float) -> bool:
    if a is None or b is None:
        return a is b
    if a != a or b != b:
        return a != a and b != b
    return a == b or abs(a - b) <= CLOSE * max(scale, abs(a), abs(b))

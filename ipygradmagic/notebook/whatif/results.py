"""What a process of its own has left behind, read back."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ipygradmagic.notebook.whatif.plan import (
    Plan,
    events_file,
    output_file,
    progress_file,
    verdict_file,
)
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.replay import loss_of, rows_in, series_of
from ipygradmagic.record.trace import Trace
from ipygradmagic.record.whatif import Ending, Rehearsal

_TAIL = 12
"""Lines of a failed cell's output that are shown."""


def read(
    plan: Plan, folder: Path, seconds: float, status: int | None, origin: dict[int, int]
) -> Rehearsal:
    """What a process has left behind."""
    runs = sum(step.traced for step in plan.steps)
    rows = rows_in(events_file(folder, i) for i in range(runs))
    losses, paths = series_of(rows, lambda line: origin.get(line, line) if origin else line)
    told = _progress(folder)
    ending, cell, error = _ending(told, status)
    tail = _tail(folder, told.get("printed", 0)) if ending in ("failed", "unbuilt") else ""
    findings = _findings(folder)
    steps = sum(len(series.rows) for series in losses)
    return Rehearsal(ending, cell, error, tail, seconds, steps, losses, paths, findings)


def _progress(folder: Path) -> dict[str, Any]:
    """All that the process has told, the last word on each thing."""
    told: dict[str, Any] = {}
    file = progress_file(folder)
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        told.update(json.loads(line))
    return told


def _ending(told: dict[str, Any], status: int | None) -> tuple[Ending, int, str]:
    cell = int(told.get("cell", 0))
    if told.get("done"):
        return "done", cell, ""
    if "cut" in told or status is None:
        return "cut", cell, ""
    died = f"an abrupt end of its process (exit status {status})"
    error = f"{told['type']}: {told['message']}" if "failed" in told else died
    return ("failed" if told.get("traced") else "unbuilt"), cell, error


def _findings(folder: Path) -> tuple[Finding, ...] | None:
    file = verdict_file(folder)
    if not file.exists():
        return None
    return Trace.from_dict(json.loads(file.read_text(encoding="utf-8"))).findings


def _tail(folder: Path, printed: int) -> str:
    """The last lines of what the last cell printed."""
    text = output_file(folder).read_bytes()[printed:][-20_000:].decode("utf-8", "replace")
    return "\n".join(text.rstrip().splitlines()[-_TAIL:])


def distances(*files: Path) -> tuple[tuple[str, float], ...]:
    """How far apart the leaves of both runs are at the end."""
    if not all(file.exists() for file in files):
        return ()
    found = [_values(file) for file in files]
    return tuple(
        (name, float(np.linalg.norm(values - found[1][name])))
        for name, values in found[0].items()
        if name in found[1] and values.shape == found[1][name].shape
    )


def _values(file: Path) -> dict[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as data:
        return {str(name): data[f"v{i}"] for i, name in enumerate(data["names"])}


def like_yours(trace: Trace, file: Path, run: Rehearsal) -> bool | None:
    """Whether the run as written begins and ends with the losses of the user's own run."""
    mine = [e.loss for e in trace.events if e.kind == "backward" and e.loss is not None]
    if run.ending != "done" or not mine:
        return None
    found = [loss for loss in map(loss_of, rows_in([file])) if loss is not None]
    return bool(found) and _near(mine[0], found[0]) and _near(mine[-1], found[-1])


def _near(a: float, b: float) -> bool:
    both_nan = math.isnan(a) and math.isnan(b)
    return both_nan or math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-9)

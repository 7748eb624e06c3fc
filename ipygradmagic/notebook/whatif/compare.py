"""``--what-if`` from the finished trace of a cell to the comparison of two runs of it."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.diagnose.patch import patched
from ipygradmagic.notebook.cell import MAGIC
from ipygradmagic.notebook.fix import edits_of, lines_of
from ipygradmagic.notebook.whatif.needed import Missing, Past, needed
from ipygradmagic.notebook.whatif.plan import (
    Plan,
    Step,
    events_file,
    finals_file,
    output_file,
    progress_file,
    verdict_file,
)
from ipygradmagic.notebook.whatif.process import rehearse
from ipygradmagic.record.findings import Edit, Finding
from ipygradmagic.record.replay import rows_in, series_of
from ipygradmagic.record.trace import Trace
from ipygradmagic.record.whatif import Comparison, Ending, Rehearsal

NOTHING = "--what-if: the report proposes no change of this cell, so there is nothing to compare"
INTERRUPTED = "--what-if: you interrupted the cell, so it was not run again"
STOPPED = "--what-if: stopped; nothing of it runs on"
_FOLDERS = re.compile(r"\bchdir\b|^\s*%?(cd|pushd|popd)\b", re.MULTILINE)
_TAIL = 12
"""Lines of a failed process's output that are shown."""


def what_if(
    shell: InteractiveShell,
    trace: Trace,
    *,
    cell: str,
    filename: str,
    failed: Iterable[int],
    limit: float,
) -> Comparison | None:
    """Run the cell as written and as patched; None, with a line that says why, if that cannot be.

    Args:
        shell: Whose history has the earlier cells; its objects are only looked at.
        trace: Of the cell, with its findings.
        cell: As the user typed it.
        filename: By which Python knows the cell's code.
        failed: Numbers of the cells that raised.
        limit: Seconds for each of the two runs.
    """
    edits = edits_of(cell, filename, trace)
    if trace.error is not None and trace.error.type == "KeyboardInterrupt":
        print(INTERRUPTED)
        return None
    if not edits:
        print(NOTHING)
        return None
    past, target = _history(shell, cell, failed)
    found = needed(past, target, shell.transform_cell, _data_names(shell))
    if found.missing:
        print(_missing_words(found.missing))
        return None
    print(
        f"--what-if: running this cell twice, as written and as patched, each up to {limit:g} s in a "
        "process of its own. Effects on files and over the network repeat."
    )
    try:
        return _compared(shell, trace, target, found.cells, edits, limit)
    except KeyboardInterrupt:
        print(STOPPED)
        return None


def _compared(
    shell: InteractiveShell,
    trace: Trace,
    target: Past,
    cells: Sequence[Past],
    edits: list[Edit],
    limit: float,
) -> Comparison:
    lines = lines_of(target.source)
    versions = "\n".join(lines), "\n".join(patched(lines, edits))
    repeated = tuple(c.number for c in cells if _body(c.source) == _body(target.source))
    origin = _origins(len(lines), edits)
    with tempfile.TemporaryDirectory(prefix="ipygradmagic-", ignore_cleanup_errors=True) as home:
        runs, folders = [], []
        for name, text in zip(("written", "patched"), versions):
            folder = Path(home) / name
            folder.mkdir()
            steps = [
                Step(c.number, text if c.number in repeated else c.source, c.number in repeated)
                for c in cells
            ]
            plan = _plan(shell, trace, [*steps, Step(target.number, text, True)], limit)
            seconds = rehearse(plan, folder)
            lookup = origin if name == "patched" else {}
            runs.append(_read(plan, folder, seconds, lookup))
            folders.append(folder)
        return Comparison(
            number=target.number,
            cells=tuple(c.number for c in cells),
            repeated=repeated,
            change=_change(*versions),
            limit=limit,
            written=runs[0],
            patched=runs[1],
            distances=_distances(*map(finals_file, folders)),
            like_yours=_like(trace, events_file(folders[0], len(repeated)), runs[0]),
        )


# -- before --------------------------------------------------------------------------------


def _history(shell: InteractiveShell, cell: str, failed: Iterable[int]) -> tuple[list[Past], Past]:
    """The earlier cells, and this one."""
    manager = shell.history_manager
    inputs: list[str] = list(manager.input_hist_raw) if manager is not None else ["", cell]
    wrong = {*failed, *getattr(manager, "exceptions", ())}
    past = [Past(n, text, n in wrong) for n, text in enumerate(inputs[:-1]) if text.strip()]
    return past, Past(max(1, len(inputs) - 1), cell)


def _data_names(shell: InteractiveShell) -> list[str]:
    from ipygradmagic.capture.rehearsal import data_names

    return data_names(shell.user_ns)


def _missing_words(missing: Sequence[Missing]) -> str:
    said = []
    for one in missing[:4]:
        why = f"; In [{one.failed}] binds it, but raised" if one.failed else ""
        said.append(f"{one.name} (used in In [{one.number}], line {one.line}{why})")
    more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    return (
        f"--what-if: cannot rebuild {', '.join(said)}{more}: no cell of this session that ran "
        "without error says what it is"
    )


def _body(source: str) -> str:
    """A cell without the line of the magic, to be compared with others."""
    lines = [line.rstrip() for line in source.strip().splitlines()]
    return "\n".join(lines[1:] if lines and lines[0].startswith(MAGIC) else lines).strip()


def _plan(shell: InteractiveShell, trace: Trace, steps: list[Step], limit: float) -> Plan:
    from ipygradmagic.capture.rehearsal import threads

    moved = any(_FOLDERS.search(step.source) for step in steps)
    return Plan(
        steps=tuple(steps),
        path=tuple(sys.path),
        cwd=shell.starting_dir if moved else os.getcwd(),
        limit=limit,
        threads=threads(),
        ignore=trace.meta.ignore,
    )


def _change(written: str, changed: str) -> str:
    """The patch as lines with a sign in front, and a line around each change."""
    told = difflib.unified_diff(written.splitlines(), changed.splitlines(), n=1, lineterm="")
    lines = [line for line in told if not line.startswith(("---", "+++"))]
    return "\n".join("  …" if x.startswith("@@") else f"{x[:1]} {x[1:]}" for x in lines[1:])


def _origins(length: int, edits: list[Edit]) -> dict[int, int]:
    """Line of the patched cell → the same line as written; 0 for a new one."""
    marked = patched([f"\0{n}" for n in range(1, length + 1)], edits)
    return {i: int(x[1:]) if x.startswith("\0") else 0 for i, x in enumerate(marked, 1)}


# -- after ---------------------------------------------------------------------------------


def _read(plan: Plan, folder: Path, seconds: float, origin: dict[int, int]) -> Rehearsal:
    """What a process has left behind."""
    runs = sum(step.traced for step in plan.steps)
    rows = rows_in(events_file(folder, i) for i in range(runs))
    losses, paths = series_of(rows, lambda line: origin.get(line, line) if origin else line)
    ending, cell, error = _ending(plan, _progress(folder), seconds)
    tail = _tail(folder) if ending in ("failed", "unbuilt") else ""
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


def _ending(plan: Plan, told: dict[str, Any], seconds: float) -> tuple[Ending, int, str]:
    cell = int(told.get("cell", 0))
    if told.get("done"):
        return "done", cell, ""
    if "failed" in told:
        error = f"{told['type']}: {told['message']}"
        return ("failed" if told.get("traced") else "unbuilt"), cell, error
    if "cut" in told or seconds >= plan.limit:
        return "cut", cell, ""
    return ("failed" if told.get("traced") else "unbuilt"), cell, "the end of its process"


def _findings(folder: Path) -> tuple[Finding, ...] | None:
    file = verdict_file(folder)
    if not file.exists():
        return None
    return Trace.from_dict(json.loads(file.read_text(encoding="utf-8"))).findings


def _tail(folder: Path) -> str:
    text = output_file(folder).read_bytes()[-20_000:].decode("utf-8", "replace")
    return "\n".join(text.rstrip().splitlines()[-_TAIL:])


def _distances(*files: Path) -> tuple[tuple[str, float], ...]:
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


def _like(trace: Trace, file: Path, run: Rehearsal) -> bool | None:
    """Whether the run as written begins and ends with the losses of the user's own run."""
    mine = [e.loss for e in trace.events if e.kind == "backward" and e.loss is not None]
    if run.ending != "done" or not mine:
        return None
    rows = [row for row in rows_in([file]) if row["kind"] == "backward" and "loss" in row]
    if not rows:
        return None
    ends = zip((mine[0], mine[-1]), (rows[0]["loss"], rows[-1]["loss"]))
    return all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-9) for a, b in ends)

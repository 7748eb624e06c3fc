"""``--what-if`` from the finished trace of a cell to the comparison of two runs of it."""

from __future__ import annotations

import difflib
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.diagnose.patch import patched
from ipygradmagic.notebook.cell import body
from ipygradmagic.notebook.fix import edits_of, lines_of
from ipygradmagic.notebook.whatif import results
from ipygradmagic.notebook.whatif.needed import Missing, Past, needed
from ipygradmagic.notebook.whatif.plan import (
    Plan,
    Step,
    events_file,
    finals_file,
)
from ipygradmagic.notebook.whatif.process import rehearse
from ipygradmagic.record.findings import Edit
from ipygradmagic.record.trace import Trace
from ipygradmagic.record.whatif import Comparison

NOTHING = "--what-if: the report proposes no change of this cell, so there is nothing to compare"
INTERRUPTED = "--what-if: you interrupted the cell, so it was not run again"
STOPPED = "--what-if: stopped; nothing of it runs on"
_FOLDERS = re.compile(r"\bchdir\b|^\s*%?(cd|pushd|popd)\b", re.MULTILINE)


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
            seconds, status = rehearse(plan, folder)
            lookup = origin if name == "patched" else {}
            runs.append(results.read(plan, folder, seconds, status, lookup))
            folders.append(folder)
        return Comparison(
            number=target.number,
            cells=tuple(c.number for c in cells),
            repeated=repeated,
            change=_change(*versions),
            limit=limit,
            written=runs[0],
            patched=runs[1],
            distances=results.distances(*map(finals_file, folders)),
            like_yours=results.like_yours(trace, events_file(folders[0], len(repeated)), runs[0]),
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
    return "\n".join(line.rstrip() for line in body(source.strip()).splitlines()).strip()


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
    lines = list(told)[3:]  # without the names of files and the first place
    blanks = [len(x[1:]) - len(x[1:].lstrip()) for x in lines if x[1:].strip() and x[0] != "@"]
    least = min(blanks, default=0)
    return "\n".join("  …" if x[0] == "@" else f"{x[0]} {x[1 + least :]}" for x in lines)


def _origins(length: int, edits: list[Edit]) -> dict[int, int]:
    """Line of the patched cell → the same line as written; 0 for a new one."""
    marked = patched([f"\0{n}" for n in range(1, length + 1)], edits)
    return {i: int(x[1:]) if x.startswith("\0") else 0 for i, x in enumerate(marked, 1)}

"""``--fix``: the cell with the remedies' changes made, put below for the user to run."""

from __future__ import annotations

import linecache

from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.diagnose.patch import patched
from ipygradmagic.record.findings import Edit
from ipygradmagic.record.trace import Trace

NOTHING = "--fix: the report proposes no change of this cell"


def fixed(cell: str, filename: str, trace: Trace) -> str | None:
    """The text of the cell with every proposed change of it; None if there is none.

    Args:
        cell: As the user typed it, magics and all.
        filename: By which Python knows the cell's code.
        trace: Of that cell, with its findings.
    """
    mine = edits_of(cell, filename, trace)
    return "\n".join(patched(lines_of(cell), mine)) if mine else None


def edits_of(cell: str, filename: str, trace: Trace) -> list[Edit]:
    """Every proposed change of the cell, by the lines of :func:`lines_of`."""
    lines = lines_of(cell)
    edits = [f.remedy.edit for f in trace.findings if f.remedy and f.remedy.edit and f.alarm]
    return [edit for edit in edits if edit.file == filename and _same_text(lines, edit)]


def lines_of(cell: str) -> list[str]:
    """The lines of a cell as Python counts them: IPython drops blank ones at the top."""
    return cell.lstrip("\n").splitlines()


def _same_text(lines: list[str], edit: Edit) -> bool:
    """The line before the change is the same in what was typed and in what ran."""
    typed = lines[edit.line - 2] if 2 <= edit.line <= len(lines) + 1 else ""
    return typed.strip() == linecache.getline(edit.file, edit.line - 1).strip() != ""


def offer(shell: InteractiveShell, cell: str, filename: str, trace: Trace) -> None:
    """Put the changed cell below the running one (in a terminal: at the next prompt)."""
    text = fixed(cell, filename, trace)
    if text is None:
        print(NOTHING)
    else:
        shell.set_next_input(text)

"""``--diff``: the last traced run of a cell and the one before."""

from __future__ import annotations

import difflib

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.notebook.cell import body
from ipygradmagic.notebook.memory import MOST, Memory, Remembered
from ipygradmagic.notebook.publish import publish

ALIKE = 0.6
"""So much of two cells is the same where one is an edited version of the other; fixes are small."""
NOTHING = (
    f"nothing to compare: among the last {MOST} traces there are no two of one cell, or of a cell and "
    "an edited version of it. Trace it, change it, trace it again; then %trace_grad --diff"
)


def show_difference(shell: InteractiveShell, memory: Memory, form: str) -> None:
    """Publish the comparison.

    Raises:
        UsageError: No two traces are of one cell.
    """
    pair = last_pair(memory)
    if pair is None:
        raise UsageError(NOTHING)
    from ipygradmagic.api import difference

    before, after = pair
    codes = body(before.code), body(after.code)
    publish(shell, difference(before.trace, after.trace, codes), form)


def last_pair(memory: Memory) -> tuple[Remembered, Remembered] | None:
    """The latest run that has an earlier one of the same or a similar cell, and the latest such."""
    runs = memory.last(MOST)
    for i in range(len(runs) - 1, 0, -1):
        for earlier in reversed(runs[:i]):
            if similar(body(earlier.code), body(runs[i].code)):
                return earlier, runs[i]
    return None


def similar(one: str, other: str) -> bool:
    """Whether one is the other, or an edited version of it, line by line."""
    mine, yours = _lines(one), _lines(other)
    if mine == yours:
        return True
    matcher = difflib.SequenceMatcher(None, mine, yours, autojunk=False)
    return matcher.ratio() >= ALIKE


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]

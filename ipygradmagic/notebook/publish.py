"""A report on its way to the reader: HTML and text together, text alone in a terminal."""

from __future__ import annotations

import shutil
from typing import Protocol

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ipygradmagic.notebook.faults import contained

NOTEBOOK_WIDTH = 100


class Readable(Protocol):
    """What ``api.report`` and ``api.look`` return."""

    def html(self) -> str:
        """The report as HTML."""

    def text(self, width: int = ...) -> str:
        """The report as plain text."""


def publish(shell: InteractiveShell, report: Readable, form: str) -> None:
    """Show the report in the place where the running cell's output goes.

    One rendering that fails does not cost the other.

    Args:
        form: ``auto``, ``html`` or ``text``, as in :class:`ipygradmagic.Options`.
    """
    terminal = is_terminal(shell)
    bundle: dict[str, str] = {}
    if form != "text" and not terminal:
        with contained("write the report as HTML"):
            bundle["text/html"] = report.html()
    if form != "html" or terminal or not bundle:
        with contained("write the report as text"):
            bundle["text/plain"] = report.text(width_of(terminal))
    if bundle:
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def is_terminal(shell: InteractiveShell) -> bool:
    """Whether only text can be shown; by class name, as importing the class is slow."""
    return any(base.__name__ == "TerminalInteractiveShell" for base in type(shell).__mro__)


def width_of(terminal: bool) -> int:
    """Columns for the text report."""
    return max(60, shutil.get_terminal_size((100, 24)).columns) if terminal else NOTEBOOK_WIDTH

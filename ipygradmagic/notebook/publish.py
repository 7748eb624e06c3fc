"""A report on its way to the reader: HTML and text together, text alone in a terminal."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ipygradmagic.notebook.faults import contained

NOTEBOOK_WIDTH = 100
IMAGES = {"svg": "image/svg+xml", "png": "image/png"}
"""Formats that are images, and what a notebook calls them."""


class Readable(Protocol):
    """What ``api.report`` and ``api.look`` return."""

    def html(self) -> str:
        """The report as HTML."""

    def text(self, width: int = ...) -> str:
        """The report as plain text."""


@runtime_checkable
class Illustrated(Protocol):
    """A report that has pictures."""

    def figures(self, kind: str) -> Iterable[tuple[str, bytes]]:
        """Caption and content of each."""


@runtime_checkable
class Foldable(Protocol):
    """A report of which parts can be left out."""

    def short(self, width: int = ...) -> str:
        """As text, without what is shown folded elsewhere."""


def publish(shell: InteractiveShell, report: Readable, form: str, *, whole: bool = True) -> None:
    """Show the report in the place where the running cell's output goes.

    One rendering that fails does not cost the other.

    Args:
        whole: Also in a terminal, where nothing can be folded.
        form: ``auto``, ``html``, ``text``, ``svg`` or ``png``, as in :class:`ipygradmagic.Options`.
    """
    terminal = is_terminal(shell)
    bundle: dict[str, str] = {}
    if form in ("auto", "html") and not terminal:
        with contained("write the report as HTML"):
            bundle["text/html"] = report.html()
    if form != "html" or terminal or not bundle:
        with contained("write the report as text"):
            columns = width_of(terminal)
            if isinstance(report, Foldable) and terminal and form == "auto" and not whole:
                bundle["text/plain"] = report.short(columns)
            else:
                bundle["text/plain"] = report.text(columns)
    if bundle:
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
    if form in IMAGES and not terminal and isinstance(report, Illustrated):
        with contained("draw the pictures"):
            for caption, content in report.figures(form):
                image = content.decode() if form == "svg" else base64.b64encode(content).decode()
                display({IMAGES[form]: image, "text/plain": caption}, raw=True)  # type: ignore[no-untyped-call]


def is_terminal(shell: InteractiveShell) -> bool:
    """Whether only text can be shown; by class name, as importing the class is slow."""
    return any(base.__name__ == "TerminalInteractiveShell" for base in type(shell).__mro__)


def width_of(terminal: bool) -> int:
    """Columns for the text report."""
    return max(60, shutil.get_terminal_size((100, 24)).columns) if terminal else NOTEBOOK_WIDTH

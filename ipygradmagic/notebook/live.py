"""One line about a long cell while it runs, in a place of its own above the cell's other output.

The place is made before the code starts, so that a progress bar of the user's is not torn apart by
an output that comes in between; it is empty until the first second is over, and empty again at
the end, when the report says more.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ipygradmagic.notebook.publish import Readable, is_terminal

EVERY = 0.5
"""Seconds between two updates."""
QUIET = 1.0
"""A cell that is over by then shows no line."""
NOTEBOOKS = ("JPY_SESSION_NAME", "VSCODE_PID", "COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE")
"""Variables that those who start a kernel for somebody who looks set (Jupyter's server, VS Code,
Colab, Kaggle), and programs that run notebooks by themselves (nbclient, papermill) do not."""
EMPTY = {"text/plain": "", "text/html": ""}


def looked_at(shell: InteractiveShell) -> bool:
    """Whether somebody sees the output of a cell while it runs, in a notebook."""
    if is_terminal(shell) or "ipykernel" not in sys.modules:
        return False
    return any(name in os.environ for name in NOTEBOOKS)


class Line:
    """The line, and the thread that writes it.

    Args:
        ask: What there is to say now; called from that thread.
    """

    def __init__(self, ask: Callable[[], Readable]) -> None:
        self._ask = ask
        self._over = threading.Event()
        self._handle: Any = display(EMPTY, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        self._shown = ""
        self._thread = threading.Thread(target=self._go, name="ipygradmagic", daemon=True)
        self._thread.start()

    def _go(self) -> None:
        wait = QUIET
        while not self._over.wait(wait):
            wait = EVERY
            try:
                self._say()
            except Exception:  # a line less; whatever it is, the report will say so
                return

    def _say(self) -> None:
        said = self._ask()
        html = said.html()
        if html != self._shown and not self._over.is_set():
            self._shown = html
            self._handle.update({"text/html": html, "text/plain": said.text()}, raw=True)

    def end(self) -> None:
        """Take it away."""
        self._over.set()
        self._thread.join(1.0)
        if self._shown:
            self._handle.update(EMPTY, raw=True)

"""Which cell of a notebook some code comes from, for ``trace()`` and ``grad_state()`` called in one.

The magics are told by their shell. Here the notebook is asked, if there is one; nothing is imported
for it that is not there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from ipygradmagic.capture.source import CellOf

_MARIMO = re.compile(r"__marimo__cell_(\w+?)_?(?:\.py)?$")


def cell_namer() -> CellOf | None:
    """Maps a file name to ``In [3]``, or to marimo's ``cell Hbol``; None where there is no notebook."""
    if _ipython_cells():
        return _ipython_cell
    return _marimo_cell if "marimo" in sys.modules else None


def _ipython_cells() -> Mapping[str, int]:
    """The numbers of the cells that an IPython shell of this process has run, by file name."""
    ipython = sys.modules.get("IPython.core.getipython")
    shell = ipython.get_ipython() if ipython is not None else None
    known = getattr(getattr(shell, "compile", None), "_filename_map", None)
    return known if isinstance(known, Mapping) else {}


def _ipython_cell(file: str) -> str | None:
    number = _ipython_cells().get(file)
    return None if number is None else f"In [{number}]"


def _marimo_cell(file: str) -> str | None:
    found = _MARIMO.search(file)
    return f"cell {found[1]}" if found else None

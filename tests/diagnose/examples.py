"""The examples of the pages, run as a notebook or a script would run them."""

from __future__ import annotations

import builtins
import re
from typing import Any

from ipygradmagic.api import forget
from ipygradmagic.record.trace import Trace
from tests.capture.programs import run

CELL = re.compile(r"^(?=# %%)", re.MULTILINE)
RAISES = re.compile(r"  # raises (\w+)$", re.MULTILINE)


def trace_of(code: str, **options: Any) -> Trace:
    """The trace of an example's last cell, after its other cells, with nothing known before."""
    forget()
    namespace: dict[str, object] = {}
    *before, last = [cell for cell in CELL.split(code) if cell.strip()]
    for number, cell in enumerate(before, 1):
        run(cell, namespace, name=f"cell {number}")
    said = RAISES.search(last)
    raises = getattr(builtins, said[1]) if said is not None else None
    name = f"cell {len(before) + 1}" if before else "example.py"
    return run(last, namespace, raises, name, **options)

"""What is used of rich, imported without touching the user's random numbers.

``rich.style`` draws from :mod:`random` while it is imported; the first report of a session
would otherwise shift every number that the user's own code draws afterwards.
"""

# ruff: noqa: E402
from __future__ import annotations

import random

_state = random.getstate()

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

random.setstate(_state)

__all__ = ["Console", "Padding", "RenderableType", "Table", "Text", "box", "cell_len"]

"""Who prints a trace, and writes it as a page: a plain record can do neither.

By itself, so that whoever can render says so without importing the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipygradmagic.record.trace import Trace

Teller = Callable[["Trace"], str]
TELLERS: dict[str, Teller] = {}
"""``text`` and ``page``, where somebody can."""


def told_by(*, text: Teller, page: Teller) -> None:
    """Say how a trace is printed, and how it is written as a page of HTML."""
    TELLERS.update(text=text, page=page)

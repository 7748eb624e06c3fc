"""What can be shown to a reader, in whichever way there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ipygradmagic.render.figures import figures
from ipygradmagic.render.html import to_html
from ipygradmagic.render.telling import width
from ipygradmagic.render.text import to_short_text, to_text
from ipygradmagic.render.view import View


@dataclass(frozen=True, repr=False)
class Report:
    """A report that can be shown in more than one way; all say the same.

    Attributes:
        view: What it says.
        drawn: The same in the language of the pictures, where that is another.
    """

    view: View
    drawn: View | None = None

    def html(self) -> str:
        """As HTML that needs no style sheet, script or network."""
        return to_html(self.view)

    def figures(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """Caption and content of every picture; ``kind`` is ``svg`` or ``png``."""
        return figures(self.drawn or self.view, kind)

    def text(self, width: int = 100) -> str:
        """As plain text of at most ``width`` columns."""
        return to_text(self.view, width)

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return self.text(width())

    def short(self, width: int = 100) -> str:
        """The same without what a notebook would show folded."""
        return to_short_text(self.view, width)

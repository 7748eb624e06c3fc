"""Where in the user's own code something happened."""

from __future__ import annotations

from dataclasses import dataclass

from ipygradmagic.language import tr


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """One line of source.

    Attributes:
        file: Path as Python knows it, or the pseudo-file of a notebook cell.
        line: 1-based.
        function: Qualified name of the enclosing function, ``<module>`` at top level.
        text: The source line, stripped; empty if it could not be read.
        cell: Label of the notebook cell that holds the line (``In [3]``), else None.
        led_by: The line of the traced cell or script that led here, if that is another line.
    """

    file: str
    line: int
    function: str = "<module>"
    text: str = ""
    cell: str | None = None
    led_by: SourceLocation | None = None

    @property
    def home(self) -> str:
        """The cell, or the name of the file: ``In [3]``, ``train.py``."""
        return self.cell or self.file.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def place(self) -> str:
        """Short words for a report: ``In [3], line 7``, ``train.py, line 12``."""
        return tr("{home}, line {line}", home=self.home, line=self.line)

    @property
    def label(self) -> str:
        """The same for code and data (columns, reprs), which are alike in every language."""
        return f"{self.home}, line {self.line}"

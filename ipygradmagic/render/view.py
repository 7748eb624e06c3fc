"""The neutral view tree: every word that the reader sees, and no HTML or terminal in it.

``html.py`` and ``text.py`` only lay this out, so the two reports cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["", "error", "warning", "note", "fine", "muted"]
Style = Literal["plain", "strong", "code", "number", "muted"]
RowKind = Literal["data", "group", "fold"]

SIGNS: dict[str, str] = {"error": "✗", "warning": "▲", "note": "ℹ", "fine": "✓"}
"""Meaning in signs as well as in colour."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in one style; ``tone`` says how serious it is."""

    text: str
    style: Style = "plain"
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell: lines under one another."""

    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A table column.

    Attributes:
        title: Its heading.
        align: Numbers are aligned to the right.
        wraps: Its text may be broken into lines.
        leads: Where there is no room for so many columns (text), it becomes a line above
            the others.
    """

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A table row.

    Attributes:
        cells: One for each column; for ``group`` and ``fold`` rows a single one that spans all.
        kind: ``data``; ``group`` announces the rows below; ``fold`` stands for rows left out.
        level: How deeply nested (a loop in a loop).
        starts: The row begins a new thing; others continue the thing above.
        tone: Severity of what the row shows.
    """

    cells: tuple[Cell, ...]
    kind: RowKind = "data"
    level: int = 0
    starts: bool = True
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or two."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headline, and small print under it."""

    headline: str
    tone: Tone
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """Code to write, or lines of the user's source."""

    text: str


@dataclass(frozen=True, slots=True)
class FindingCard:
    """A finding: labelled sentences, code to write, and the lines that it rests on."""

    title: str
    tone: Tone
    facts: tuple[tuple[str, str], ...] = ()
    code: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; ``notes`` follow it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph: DOT source for where pictures can be drawn, lines of text for elsewhere.

    Attributes:
        caption: What it is.
        dot: Source of the picture.
        fallback: The same in words.
        note: What of it is folded.
        coarser: The same picture with more and more folded, for where this one does not fit.
        firm: The reader asked for this much detail: it is shown even if it does not fit.
    """

    caption: str
    dot: str
    fallback: tuple[str, ...]
    note: str = ""
    coarser: tuple[Picture, ...] = ()
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One run in a chart: a line of numbers, or several for a tensor of several elements."""

    label: str
    lines: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers by step, of at most two runs.

    Attributes:
        caption: What the numbers are.
        across: What the steps are.
        curves: The runs.
        first: Number of the first step.
    """

    caption: str
    across: str
    curves: tuple[Curve, ...]
    first: int = 0


@dataclass(frozen=True, slots=True)
class Charts:
    """Small charts beside one another."""

    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that the reader opens; of those with one ``group`` only one is open at a time.

    ``opened`` ones are open from the beginning.
    """

    summary: str
    blocks: tuple[Block, ...]
    group: str = ""
    opened: bool = False


Block = Paragraph | Verdict | FindingCard | Table | Picture | Charts | Code | Fold


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading; ``folded`` ones start closed where that is possible."""

    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A whole report."""

    title: str
    sections: tuple[Section, ...]

"""The neutral view tree: every word that the reader sees, and no HTML or terminal in it.

``html.py`` and ``text.py`` only lay this out, so the two reports cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ipygradmagic.language import spoken

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
        leads: Where there is no room for so many columns, it becomes a line above the others.
        joins: Where there is still no room, its lines go below those of the first column left.
    """

    title: str
    align: Literal["left", "right"] = "left"
    wraps: bool = False
    leads: bool = False
    joins: bool = False


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
    """One run in a chart: a line of numbers, or several for a tensor of several elements.

    ``at`` has the number of the step of each point, if they are not all there.
    """

    label: str
    lines: tuple[tuple[float, ...], ...]
    at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that happened at a step: a sign for how serious it is, and its name."""

    at: int
    tone: Tone
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers by step, of at most two runs.

    Attributes:
        caption: What the numbers are.
        across: What the steps are.
        curves: The runs; a single one needs no label.
        first: Number of the first step.
        axis: Numbers of the steps that are known, in order, where some are not; what is
            missing between two of them is drawn as a gap.
        flags: Findings at the steps where they happened.
        span: Low and high end of the upright axis, where several charts share it.
        low: Drawn half as high.
        guide: A value that is common for such numbers: a line across, where it is in the span.
        ends: What the first and the last step are called, where they are no numbers.
    """

    caption: str
    across: str
    curves: tuple[Curve, ...]
    first: int = 0
    axis: tuple[int, ...] = ()
    flags: tuple[Flag, ...] = ()
    span: tuple[float, float] | None = None
    low: bool = False
    guide: float | None = None
    ends: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Charts:
    """Small charts beside one another."""

    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A column of a strip: an event, or what stands for events left out.

    Attributes:
        title: ``backward #3``, or ``× 297 more like this``.
        code: The same in a few characters, for text: ``B3``, ``×297``.
        line: Number of the line that did it.
        tone: Severity of a finding that points here.
        folds: It stands for events left out.
        word: What the letter of the code stands for: ``backward``.
    """

    title: str
    code: str
    line: str = ""
    tone: Tone = ""
    folds: bool = False
    word: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a gradient after an event.

    Attributes:
        name: Of the fate (``Fate.name``); empty where it is not known.
        sign: One or a few characters.
        words: ``4 accumulated, clipped``.
        note: What was done to it by hand, if anything was.
        touched: The event did something to it; otherwise it goes on as it was.
    """

    name: str = ""
    sign: str = ""
    words: str = ""
    note: str = ""
    touched: bool = False

    @property
    def full(self) -> bool:
        """There is something in the slot."""
        return self.name not in ("", "none", "zero")


@dataclass(frozen=True, slots=True)
class Life:
    """A row of a strip: one leaf, or several that fare alike; one mark for each stage."""

    label: str
    small: str
    start: Mark
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """What became of each gradient, event after event.

    Attributes:
        caption: What it is.
        lesson: What is to be seen in it, where something is; ``tone`` says how serious.
        tone: Of the lesson.
        place: Whose lines the numbers are: ``line of In [3]``.
        stages: The columns.
        lives: The rows.
        legend: Name of the fate, sign, word and meaning of every mark that occurs.
        notes: Findings by the stage that they point at; what is left out.
    """

    caption: str
    lesson: str
    tone: Tone
    place: str
    stages: tuple[Stage, ...]
    lives: tuple[Life, ...]
    legend: tuple[tuple[str, str, str, str], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """A tensor as a grid of numbers: ``title`` above, ``rows`` of its values.

    Where they are too many for a text, ``said`` is what they amount to.
    """

    title: str
    rows: tuple[tuple[float, ...], ...]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Heat:
    """A tensor before and after something: panels side by side with signs between them.

    Of a thumbnail, each number is the mean of a block; ``notes`` say of how many.
    """

    caption: str
    panels: tuple[Panel, ...]
    signs: tuple[str, ...]
    thumbnail: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that the reader opens; of those with one ``group`` only one is open at a time.

    ``opened`` ones are open from the beginning.
    """

    summary: str
    blocks: tuple[Block, ...]
    group: str = ""
    opened: bool = False


Block = Paragraph | Verdict | FindingCard | Table | Picture | Charts | Strip | Heat | Code | Fold


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading; ``folded`` ones start closed where that is possible.

    ``telling``: it points at something that is wrong, or odd.
    """

    title: str
    blocks: tuple[Block, ...]
    folded: bool = False
    telling: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A whole report.

    Attributes:
        lang: The language of its words, for those that laying it out adds.
    """

    title: str
    sections: tuple[Section, ...]
    lang: str = field(default_factory=spoken)

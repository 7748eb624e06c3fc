"""The strip as a picture, as lines of text, and in words.

Drawn by a template of ours: a grid has no layout to be computed. A gradient is a bar that goes on
from one event to the next for as long as there is something in the slot; what an event made of it
is a mark on the bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby

from ipygradmagic.language import tr
from ipygradmagic.render import words
from ipygradmagic.render.cells import ljust
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.shortening import distinct
from ipygradmagic.render.view import SIGNS, Life, Mark, Stage, Strip

ROW, FOOT, ENTRY = 26, 18, 19
LABELS = 6.7
"""Width of a character of a row's label, in pixels; of the smaller ones below it."""
SMALLS = 5.6
NARROW, WIDE, ROOM = 30.0, 54.0, 640.0
"""Width of a column: between these, so that all take about so much room."""
MOST_LABEL = 36
"""Longer labels of rows are shortened."""
SLANTED = 4.9
"""Height and width that a character of a slanted heading takes."""
BOLD = 1.15
"""How much wider a character of a bold heading is."""
MARGIN = 18
THICK = {"stale": 18, "broken": 18, "none": 0, "zero": 0, "": 0}
USUAL = 13
"""Thickness of the bar of a full slot; an empty one is a thin line."""
TOLD = 4
"""So many rows are told in the words for those who cannot see the picture."""


Entry = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Bar:
    """The slot from one event to the next: a bar if it is full, a line (``high`` 0) if empty."""

    name: str
    x: float
    y: float
    wide: float
    high: int


@dataclass(frozen=True, slots=True)
class Dot:
    """What an event made of a slot."""

    mark: Mark
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in pixels, for the template."""

    width: int
    height: int
    head: float
    right: float
    across: float
    bottom: float
    rows: tuple[tuple[float, Life], ...]
    stages: tuple[tuple[float, Stage], ...]
    bars: tuple[Bar, ...]
    dots: tuple[Dot, ...]
    entries: tuple[tuple[float, float, Entry], ...]


def drawing(strip: Strip) -> Drawing:
    """The strip in pixels."""
    labels = distinct([row.label for row in strip.lives], MOST_LABEL)
    strip = replace(
        strip, lives=tuple(replace(row, label=label) for row, label in zip(strip.lives, labels))
    )
    across = min(WIDE, max(NARROW, ROOM / len(strip.stages)))
    wide = [cell_len(row.label) * LABELS for row in strip.lives]
    wide += [cell_len(row.small) * SMALLS for row in strip.lives]
    left = 14 + max(*wide, cell_len(strip.place) * SMALLS)
    centres = [left + (i + 0.8) * across for i in range(len(strip.stages))]
    right = left + (len(strip.stages) + 0.5) * across
    head = MARGIN + SLANTED * max(map(_slanted, strip.stages))
    heights = [head + (i + 0.5) * ROW for i in range(len(strip.lives))]
    bottom = head + len(strip.lives) * ROW
    # the headings lean over to the right, the last one beyond the grid
    width = max(right, *(x + MARGIN + SLANTED * _slanted(s) for x, s in zip(centres, strip.stages)))
    entries, last = _entries(strip, width, bottom + FOOT + 22)
    bars = chain.from_iterable(
        _bars(row, strip.stages, y, left + 4, right, centres)
        for y, row in zip(heights, strip.lives)
    )
    dots = (
        Dot(mark, x, y)
        for y, row in zip(heights, strip.lives)
        for x, mark in zip(centres, row.marks)
        if mark.touched
    )
    # what a slot holds before the first event is marked, too: the legend explains the mark
    begun = (Dot(row.start, left + 12, y) for y, row in zip(heights, strip.lives) if row.start.name)
    return Drawing(
        round(max([width, *(x + _wide(entry) for x, _, entry in entries)])),
        round(last + 10),
        head,
        right,
        across,
        bottom,
        tuple(zip(heights, strip.lives)),
        tuple(zip(centres, strip.stages)),
        tuple(bars),
        (*begun, *dots),
        entries,
    )


def _slanted(stage: Stage) -> float:
    """Characters of a heading; those of stages left out are small, those of marked ones bold."""
    if stage.tone:
        return (cell_len(stage.title) + 2) * BOLD
    return cell_len(stage.title) * (0.85 if stage.folds else 1.0)


def _entries(
    strip: Strip, width: float, top: float
) -> tuple[tuple[tuple[float, float, Entry], ...], float]:
    """Where the entries of the legend stand, one after another as in a text; and the last line."""
    found = []
    x, y = 8.0, top
    for entry in strip.legend:
        if x > 8.0 and x + _wide(entry) > width:
            x, y = 8.0, y + ENTRY
        found.append((x, y, entry))
        x += _wide(entry)
    return tuple(found), y


def _wide(entry: Entry) -> float:
    return 46 + LABELS * 1.1 * cell_len(entry[2]) + SMALLS * cell_len(entry[3])


def _bars(
    row: Life, stages: Sequence[Stage], y: float, left: float, right: float, centres: list[float]
) -> Iterator[Bar]:
    """The bars of a row; where stages are left out there is a gap."""
    spans: list[tuple[str, float, float]] = []
    state, begin = row.start.name, left
    gap = (centres[1] - centres[0]) * 0.35 if len(centres) > 1 else 0.0
    for x, mark, stage in zip(centres, row.marks, stages):
        if stage.folds:
            spans.append((state, begin, x - gap))
            begin = x + gap
        else:
            spans.append((state, begin, x))
            begin = x
        state = mark.name
    spans.append((state, begin, right))
    for name, some in groupby(_merged(spans), key=lambda span: span[0]):
        for _, start, end in some:
            if name and end > start:
                yield Bar(name, start, y, end - start, THICK.get(name, USUAL))


def _merged(spans: Sequence[tuple[str, float, float]]) -> Iterator[tuple[str, float, float]]:
    """Stretches of one state that touch become one."""
    held = spans[0]
    for span in spans[1:]:
        if span[0] == held[0] and span[1] == held[2]:
            held = (held[0], held[1], span[2])
        else:
            yield held
            held = span
    yield held


# -- in text -------------------------------------------------------------------------------


def grid(strip: Strip, width: int) -> list[str]:
    """The strip as lines of text; stages that do not fit follow below."""
    names = distinct([row.label for row in strip.lives], max(12, width // 3))
    place = words.clean(strip.place, max(12, width // 3))
    label = max(cell_len(place), *map(cell_len, names))
    cells = [
        _cell_width(stage, [row.marks[i] for row in strip.lives])
        for i, stage in enumerate(strip.stages)
    ]
    lines: list[str] = []
    for begin, end in _pages(cells, max(12, width - label - 2)):
        some = range(begin, end)
        if lines:
            lines.append("")
        titles = "".join(_headed(strip.stages[i]).ljust(cells[i]) for i in some)
        places = "".join(strip.stages[i].line.ljust(cells[i]) for i in some)
        lines += [f"{'':{label}}  {titles}", f"{ljust(place, label)}  {places}"]
        for name, row in zip(names, strip.lives):
            marks = "".join(_textual(row, strip.stages, i, cells[i]) for i in some)
            lines.append(f"{ljust(name, label)}  {marks}{f'  ({row.small})' if row.small else ''}")
    return [line.rstrip() for line in lines]


def _headed(stage: Stage) -> str:
    return SIGNS.get(stage.tone, "") + stage.code


def _cell_width(stage: Stage, marks: Sequence[Mark]) -> int:
    return 1 + max(len(_headed(stage)), len(stage.line), *(cell_len(m.sign) for m in marks), 2)


def _pages(cells: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Columns that fit side by side."""
    begin, used = 0, 0
    for i, wide in enumerate(cells):
        if used + wide > room and i > begin:
            yield begin, i
            begin, used = i, 0
        used += wide
    yield begin, len(cells)


def _textual(row: Life, stages: Sequence[Stage], i: int, wide: int) -> str:
    """The mark, and the bar that goes on from it to the next column."""
    mark = row.marks[i]
    if stages[i].folds:
        return "⋯".ljust(wide)
    bar = "━" if mark.full else " "
    sign = mark.sign if mark.touched else bar if mark.name else "?"
    onward = bar if i + 1 < len(stages) and not stages[i + 1].folds else " "
    return sign + onward * (wide - len(sign))


def key(strip: Strip) -> list[str]:
    """What the letters and the marks mean."""
    kinds: dict[str, dict[str, None]] = {}
    for stage in strip.stages:
        if not stage.folds:
            kinds.setdefault(stage.code.rstrip("0123456789,?"), {})[stage.word] = None
    letters = " · ".join(f"{letter} {words.either(said)}" for letter, said in kinds.items())
    marks = " · ".join(f"{sign} {word}" for _, sign, word, _ in strip.legend)
    return [line for line in (letters, marks) if line]


# -- in words ------------------------------------------------------------------------------


def told(strip: Strip) -> str:
    """What the picture shows, for those who cannot see it."""
    said = [tr("{sentence}.", sentence=strip.caption)]
    if strip.lesson:
        said.append(strip.lesson)
    ranked = sorted(strip.lives, key=lambda row: not any(m.name == "stale" for m in row.marks))
    said += [_life_told(row, strip.stages) for row in ranked[:TOLD]]
    if ranked[TOLD:]:
        said.append(tr("And {number} more rows.", number=len(ranked) - TOLD))
    return words.sentences([*said, *(tr("{sentence}.", sentence=note) for note in strip.notes)])


def _life_told(row: Life, stages: Sequence[Stage]) -> str:
    steps = []
    for mark, stage in zip(row.marks, stages):
        if stage.folds:
            steps.append(stage.title)
        elif mark.touched:
            steps.append(tr("{state} after {event}", state=mark.words, event=stage.title))
    name = f"{row.label} ({row.small})" if row.small else row.label
    throughout = tr("{state} throughout", state=row.start.words or tr("not kept"))
    told = tr("{name}: {states}", name=name, states=words.phrases(steps) or throughout)
    return tr("{sentence}.", sentence=told)

"""Heat maps in words: a few numbers as they are, many by the largest of them and where it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ipygradmagic.language import tr
from ipygradmagic.record.grids import Grid
from ipygradmagic.record.grids import matrix as as_matrix
from ipygradmagic.render import words
from ipygradmagic.render.cells import ljust
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.view import Heat, Panel

DIGITS, MOST_TEXT = 3, 7


def short(value: float) -> str:
    """A number that fits its cell."""
    text = number(value, DIGITS)
    return text if len(text) <= MOST_TEXT else number(value, DIGITS - 1)


def said(grid: Grid) -> str:
    """From where to where, the largest, and what is broken, with the places as one would index."""
    finite = [i for i, v in enumerate(grid.values) if math.isfinite(v)]
    bad = [i for i, v in enumerate(grid.values) if not math.isfinite(v)]
    parts = []
    if bad:
        parts.append(_broken(grid, bad) if finite else tr("NaN or ∞ everywhere"))
    if finite:
        parts.append(_range(grid, finite))
    return words.clauses(parts)


def _broken(grid: Grid, bad: Sequence[int]) -> str:
    place = _place(grid, bad[0])
    where = tr("NaN or ∞ at {place}", place=place)
    if not grid.exact:
        where = tr("NaN or ∞ in {place}", place=place)
    if len(bad) == 1:
        return where
    return tr("{names} and {more} more", names=where, more=count(len(bad) - 1))


def _range(grid: Grid, finite: Sequence[int]) -> str:
    values = [grid.values[i] for i in finite]
    if not any(values):
        return tr("all zero") if len(finite) == len(grid.values) else tr("the others zero")
    largest = max(finite, key=lambda i: abs(grid.values[i]))
    low, high = (number(v, DIGITS) for v in (min(values), max(values)))
    said = {
        "low": low,
        "high": high,
        "largest": number(grid.values[largest], DIGITS),
        "place": _place(grid, largest),
    }
    if grid.exact:
        return tr("{low} to {high}, largest {largest} at {place}", **said)
    return tr("means {low} to {high}, largest {largest} at {place}", **said)


def _place(grid: Grid, i: int) -> str:
    """``[3, 7]``; of a block ``[8:16, 112:128]``; of a vector only the second."""
    sides = zip(divmod(i, grid.columns), grid.block, as_matrix(grid.shape))
    some = [
        str(at) if block == 1 else f"{at * block}:{min((at + 1) * block, n)}"
        for at, block, n in sides
    ]
    return f"[{', '.join(some if len(grid.shape) > 1 else some[1:])}]"


def grid(heat: Heat, width: int) -> list[str]:
    """The panels side by side where they fit, as lines of text; else one below another."""
    blocks = [_lines(panel) for panel in heat.panels]
    notes = list(heat.notes)
    if any(panel.said for panel in heat.panels):
        return [*_stacked(heat, blocks), *notes]
    tall = max(map(len, blocks))
    rows: list[list[str]] = [[] for _ in range(tall)]
    for j, block in enumerate(blocks):
        wide = max(map(cell_len, block))
        for i, row in enumerate(rows):
            row.append(ljust(block[i] if i < len(block) else "", wide))
            if j < len(heat.signs):
                row.append(heat.signs[j] if i == (tall + 1) // 2 else " ")
    lines = ["  ".join(row).rstrip() for row in rows]
    if max(map(cell_len, lines)) <= width:
        return [*lines, *notes]
    return [*_stacked(heat, blocks), *notes]


def _stacked(heat: Heat, blocks: Sequence[Sequence[str]]) -> list[str]:
    signs = ("", *(f"{sign} " for sign in heat.signs))
    return [
        f"{sign if i == 0 else ''}{line}"
        for sign, block in zip(signs, blocks)
        for i, line in enumerate(block)
    ]


def _lines(panel: Panel) -> list[str]:
    if panel.said:
        return [tr("{label}: {text}", label=panel.title, text=panel.said)]
    texts = [[short(v) for v in row] for row in panel.rows]
    wide = max(len(t) for row in texts for t in row)
    return [panel.title, *("[" + "  ".join(t.rjust(wide) for t in row) + "]" for row in texts)]


def told(heat: Heat) -> str:
    """The same for those who cannot see the picture: one panel after another."""
    blocks = [_lines(panel) for panel in heat.panels]
    return "\n".join([heat.caption, *_stacked(heat, blocks), *heat.notes])

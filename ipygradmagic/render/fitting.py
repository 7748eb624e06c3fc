"""A table as wide as a notebook cell in a narrow window: what does not fit beside goes above or below.

A page that is 800 pixels wide leaves a cell of JupyterLab some 600. A table that is wider scrolls,
and the last column, which says what a gradient holds, would be out of sight: it matters most.
"""

from __future__ import annotations

from dataclasses import replace

from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.view import Cell, Line, Row, Table

ROOM = 600.0
"""Pixels of a notebook cell."""
PADDING = 16.0
INDENT = 18.0
"""Pixels by which the first column is moved to the right below a line that leads."""
FIXED, SANS = 7.25, 6.6
"""Pixels of a character: of numbers and code, and of words, where it is a little more than most."""
LONG = 30
"""Longer lines that are no numbers are broken ..."""
BROKEN = 150.0
"""... at so many pixels; and those of columns that wrap at fewer: ..."""
WRAPPED = 130.0


def fitted(table: Table) -> tuple[Table, bool]:
    """The table, and whether its leading columns become lines above the rest.

    Where even that is too wide, the lines of a column that joins go below those of the first.
    """
    every = range(len(table.columns))
    leads = [i for i in every if table.columns[i].leads]
    if not leads or sum(_pixels(table, i) for i in every) <= ROOM:
        return table, False
    rest = [i for i in every if i not in leads]
    if sum(_pixels(table, i) for i in rest) + INDENT <= ROOM:
        return table, True
    return joined(table, rest[0]), True


def _pixels(table: Table, index: int) -> float:
    """Width of a column: that of its widest line, or of what a long one is broken into."""
    column = table.columns[index]
    cells = [row.cells[index] for row in table.rows if row.kind == "data"]
    lines = [line for cell in cells for line in cell.lines]
    most = WRAPPED if column.wraps else BROKEN
    widest = max((_line(line, most, wraps=column.wraps) for line in lines), default=0.0)
    return PADDING + max(FIXED * cell_len(column.title), widest)


def _line(line: Line, most: float, *, wraps: bool) -> float:
    wide = (FIXED if line.style in ("code", "number") else SANS) * cell_len(line.text)
    firm = line.style == "number" or not (wraps or cell_len(line.text) > LONG)
    return wide if firm else min(wide, most)


def joined(table: Table, first: int) -> Table:
    """The same without the columns that join; what they say is in the column ``first``."""
    below = [i for i, column in enumerate(table.columns) if column.joins]
    if not below:
        return table
    titles = " · ".join(table.columns[i].title for i in (first, *below))
    columns = list(table.columns)
    columns[first] = replace(columns[first], title=titles)
    rows = tuple(_row(row, first, below) for row in table.rows)
    return replace(
        table, columns=tuple(c for i, c in enumerate(columns) if i not in below), rows=rows
    )


def _row(row: Row, first: int, below: list[int]) -> Row:
    if row.kind != "data":
        return row
    lines = [line for i in (first, *below) for line in row.cells[i].lines]
    cells = [Cell(tuple(lines)) if i == first else cell for i, cell in enumerate(row.cells)]
    return replace(row, cells=tuple(c for i, c in enumerate(cells) if i not in below))

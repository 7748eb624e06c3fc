"""What a gradient holds is in sight in a cell 600 pixels wide."""

from __future__ import annotations

from dataclasses import replace

import records as r

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.render.fitting import fitted
from ipygradmagic.render.html import to_html
from ipygradmagic.render.report import report_view
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Cell, Column, Line, Row, Table


def table(*widths: int, leads: bool = True, joins: bool = False) -> Table:
    """A first column that leads, then numbers of so many characters, then one that may join."""
    columns = [Column("#", leads=leads), *(Column(f"c{i}") for i in range(len(widths)))]
    cells = [Cell((Line("1"),)), *(Cell((Line("9" * n, "number"),)) for n in widths)]
    last = Cell((Line("holds backward #1"),))
    return Table("", (*columns, Column("holds", wraps=True, joins=joins)), (Row((*cells, last)),))


def titles(one: Table) -> list[str]:
    return [column.title for column in one.columns]


def test_a_narrow_table_stays_as_it_is() -> None:
    narrow = table(5, 5)
    assert fitted(narrow) == (narrow, False)


def test_a_wider_one_is_led_by_lines() -> None:
    wide = table(28, 30, joins=True)
    assert fitted(wide) == (wide, True)


def test_the_widest_joins_what_matters_most_with_the_first_column() -> None:
    found, stacked = fitted(table(24, 30, 30, joins=True))
    assert stacked and titles(found) == ["#", "c0 · holds", "c1", "c2"]
    (row,) = found.rows
    assert [line.text for line in row.cells[1].lines] == ["9" * 24, "holds backward #1"]


def test_rows_that_span_all_columns_are_left_alone() -> None:
    wide = table(24, 30, 30, joins=True)
    fold = Row((Cell((Line("… 9 more"),)),), "fold")
    assert fitted(replace(wide, rows=(*wide.rows, fold)))[0].rows[1] == fold


def test_what_a_gradient_holds_comes_before_what_is_out_of_sight() -> None:
    """A model with large gradients, all three looks of them: the words stand at the left."""
    stale = Holds(2, 1, 2, 1, 1)
    change = Change(1, r.large(-1.5), r.large(2.5), True, r.large(0.5), holds=stale)
    info = TensorInfo(
        1, "model.weight", shape=(64, 128), holds=stale, value=r.large(), grad=r.large(2.5)
    )
    trace = r.trace_of([Event(1, "backward", 1, "backward", changes=(change,))], tensors=(info,))
    found, stacked = fitted(Timeline(trace, Options()).table())
    assert stacked and "gradient holds" in titles(found)[3]
    page = to_html(report_view(trace, Options()))
    timeline = page[page.index("in order; a row for each tensor") :]
    assert timeline.index("already used (stale)") < timeline.index("norm\u00a0")
    ends = page[page.index("Tensors at the end") :]
    assert ends.index("already used (stale)") < ends.index("norm\u00a0")

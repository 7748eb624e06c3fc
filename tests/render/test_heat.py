"""The heat map of what the first alarm is about."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import records as r

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence
from ipygradmagic.record.grids import Grid, GridAt
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.heat import heats
from ipygradmagic.render.heat_drawing import drawing
from ipygradmagic.render.heat_words import grid, said
from ipygradmagic.render.html import heated
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Fold, Heat, Panel

NUMBERS = (1.0, -2.0, 0.0, 0.5)
ALARM = replace(r.STALE, evidence=Evidence((4,), (), ("w",)))


def forgotten(values: tuple[float, ...] = NUMBERS, shape: tuple[int, ...] = (2, 2)) -> Trace:
    once, twice = r.one(*values), r.one(*(2 * v for v in values))
    mixed = Holds(2, 1, 2, 1, 1)
    events = [
        Event(1, "backward", 1, "b", changes=(Change(1, None, once, True, once),), signature=1),
        Event(2, "step", 1, "s", changes=(Change(1, once, once),), signature=2),
        Event(
            3,
            "backward",
            2,
            "b",
            changes=(Change(1, once, twice, True, once, holds=mixed),),
            signature=3,
        ),
        Event(
            4,
            "step",
            2,
            "s",
            changes=(Change(1, twice, twice, value_before=once, value_after=twice, holds=mixed),),
            signature=4,
        ),
    ]
    return r.trace_of(events, tensors=(TensorInfo(1, "w", shape=shape),), findings=(ALARM,))


def made(trace: Trace) -> tuple[Heat, ...]:
    return heats(Timeline(trace, Options()))


def picture(heat: Heat) -> str:
    svg = base64.b64decode(heated(heat)[0].partition(",")[2]).decode()
    ElementTree.fromstring(svg)
    return svg


def test_before_added_after_and_the_step():
    grad, value = made(forgotten())
    assert grad.caption == "w.grad at backward #2" and grad.signs == ("+", "=")
    assert [p.title for p in grad.panels] == ["before", "added", "after"]
    assert grad.panels[2].rows == ((2.0, -4.0), (0.0, 1.0))
    assert value.caption == "w at step #2" and value.signs == ("→",)


def test_what_was_derived_is_no_equation():
    trace = forgotten()
    third = trace.events[2]
    derived = replace(third.changes[0], added_exact=False)
    events = (*trace.events[:2], replace(third, changes=(derived,)), *trace.events[3:])
    assert made(replace(trace, events=events))[0].signs == ("+", "≈")


def test_none_where_there_is_nothing_to_draw():
    assert made(forgotten((1.0, 2.0), (2,))) == ()
    assert made(replace(forgotten(), findings=())) == ()
    trace = forgotten()
    unknown = Change(1, r.large(), r.large(), True, None)
    events = tuple(replace(e, changes=(unknown,)) for e in trace.events)
    assert made(replace(trace, events=events)) == ()
    assert made(forgotten((1j, 2j, 3j, 4j))) == ()  # type: ignore[arg-type]


def test_zero_is_the_middle_of_the_colours():
    squares = drawing(made(forgotten())[0]).squares
    after = {s.text: s for s in squares[-4:]}
    assert (after["2"].side, after["2"].depth) == ("plus", 0.5)
    assert (after["−4"].side, after["−4"].depth) == ("minus", 1.0)
    assert after["0"].side == "zero"
    assert drawing(made(forgotten())[0]).most_said == "4"


def test_nan_is_outlined_and_does_not_spoil_the_scale():
    heat = Heat("w", (Panel("after", ((math.nan, 1.0, -math.inf, 0.0),)),), ())
    sides = [s.side for s in drawing(heat).squares]
    assert sides == ["bad", "plus", "bad", "zero"] and drawing(heat).most == 1
    assert "NaN" in picture(heat) and "−∞" in picture(heat)


def test_vectors_are_laid_out_in_rows():
    (grad, _) = made(forgotten(tuple(map(float, range(16))), (16,)))
    assert [len(row) for row in grad.panels[0].rows] == [8, 8]
    svg = picture(grad)
    assert float(ElementTree.fromstring(svg).get("width")) < 1600 and len(svg) < 30_000
    assert "prefers-color-scheme:dark" in svg


@pytest.mark.parametrize("width", [30, 40, 100])
def test_the_text_fits(width):
    heat = made(forgotten((1.2345e-7, -3.0, 1e9, 0.1), (1, 4)))[0]
    lines = grid(heat, width)
    assert max(map(len, lines)) <= max(width, 42)
    assert "+" in "".join(lines) and "=" in "".join(lines)


def test_it_is_folded_under_the_strip():
    view = report_view(forgotten(), Options())
    (section,) = [s for s in view.sections if s.title == "What each gradient holds"]
    fold = section.blocks[1]
    assert (
        isinstance(fold, Fold) and fold.summary == "In numbers: w.grad at backward #2, w at step #2"
    )
    text = to_text(view, 100)
    lines = [line.strip() for heat in made(forgotten()) for line in grid(heat, 98)]
    assert len(lines) == 6 and all(line in text for line in lines)


def test_hostile_names():
    trace = forgotten()
    name = "<script>{{ 7 }}\x1b"
    finding = replace(ALARM, evidence=Evidence((4,), (), (name,)))
    trace = replace(trace, tensors=(replace(trace.tensors[0], name=name),), findings=(finding,))
    heat = made(trace)[0]
    assert "\x1b" not in heat.caption and "<script" not in picture(heat)


# -- larger than the record keeps of every event --------------------------------------------


def grid_of(rows: int, columns: int, block: tuple[int, int] = (1, 1), by: float = 1.0) -> Grid:
    values = tuple(by * (i - 3) for i in range(rows * columns))
    return Grid((rows * block[0], columns * block[1]), rows, columns, values, block)


def larger(block: tuple[int, int] = (1, 1), *, rows: int = 16, columns: int = 8) -> Trace:
    """The same bug with a matrix of which events have statistics only."""
    shape = (rows * block[0], columns * block[1])
    trace = forgotten()
    stale, step = trace.events[2], trace.events[3]
    deposit = Change(1, r.large(), r.large(), True, None, added_exact=False)
    moved = Change(1, r.large(), r.large(), value_before=r.large(), value_after=r.large())
    kept = [
        GridAt(3, 1, which, grid_of(rows, columns, block, by))
        for which, by in (("grad_before", 1.0), ("added", 1.0), ("grad_after", 2.0))
    ]
    kept += [
        GridAt(4, 1, "value_before", grid_of(rows, columns, block)),
        GridAt(4, 1, "value_after", grid_of(rows, columns, block, 0.5)),
    ]
    return replace(
        trace,
        events=(replace(stale, changes=(deposit,)), replace(step, changes=(moved,))),
        tensors=(replace(trace.tensors[0], shape=shape),),
        grids=tuple(kept),
    )


def test_a_matrix_has_its_numbers():
    grad, value = made(larger())
    assert grad.signs == ("+", "≈") and value.signs == ("→",) and not grad.thumbnail
    assert grad.panels[2].rows[0] == (-6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0)
    assert grad.notes == ("16 × 8 numbers",)
    assert grad.panels[2].said == "−6 to 248, largest 248 at [15, 7]"
    assert [len(p.rows) for p in value.panels] == [16, 16]
    assert all(square.text for square in drawing(grad).squares)


def test_a_thumbnail_has_colours_only():
    grad, _ = made(larger((4, 8), columns=16))
    assert grad.thumbnail and "each square is the mean of a block of 4 × 8" in grad.notes[0]
    assert grad.panels[0].said == "means −3 to 252, largest 252 at [60:64, 120:128]"
    lines = drawing(grad)
    assert len(lines.squares) == 3 * 256 and not any(square.text for square in lines.squares)
    assert {square.side for square in lines.squares} == {"plus", "minus", "zero"}
    assert "mean of a block" in picture(grad) and "504" in picture(grad)


@pytest.mark.parametrize("columns", [2, 7, 12, 16])
@pytest.mark.parametrize("by", [1e-320, 1e-9, 0.0999, 1.0, 3e38, 1e300])
def test_numbers_fit_their_squares(columns: int, by: float):
    panels = tuple(
        Panel(name, ((by,) * columns, (-by,) * columns, (by / 3,) * columns)) for name in "abc"
    )
    lines = drawing(Heat("w", panels, ("+", "=")))
    widest = max(len(square.text) for square in lines.squares)
    assert widest * lines.letters * 0.62 < lines.wide + 1 and lines.wide >= 22
    assert lines.width < 1200


def test_one_power_of_ten_is_written_for_all():
    heat = Heat(
        "w", (Panel("after", ((0.00237, -0.0004, 0.0, math.nan) * 4,) * 3),) * 3, ("+", "=")
    )
    lines = drawing(heat)
    assert [square.text for square in lines.squares[:4]] == ["24", "−4", "0", "NaN"]
    assert lines.notes[0][1] == "the numbers on the squares are times 10⁻⁴"
    wider = replace(heat, panels=(replace(heat.panels[0], rows=((0.00099996, -3e-5) * 7,)),) * 2)
    assert [square.text for square in drawing(wider).squares[:2]] == ["100", "−3"]


def test_blocks_with_nan_are_marked_and_named():
    grid = replace(grid_of(2, 2, (3, 3)), values=(0.5, math.nan, -math.inf, 0.0))
    trace = larger((3, 3), rows=2, columns=2)
    trace = replace(trace, grids=tuple(replace(g, grid=grid) for g in trace.grids))
    heat = made(trace)[0]
    assert heat.panels[0].said.startswith("NaN or ∞ in [0:3, 3:6] and 1 more; means 0 to 0.5")
    marks = [(s.side, s.text) for s in drawing(heat).squares[:4]]
    assert marks == [("plus", ""), ("bad", "×"), ("bad", "×"), ("zero", "")]
    assert "NaN or ∞ in the block" in picture(heat)


def test_words_for_nothing_but_zero_or_nan():
    nan, zero = (Grid((5, 5), 5, 5, (value,) * 25) for value in (math.nan, 0.0))
    assert said(nan) == "NaN or ∞ everywhere" and said(zero) == "all zero"
    assert said(Grid((17,), 1, 9, (0.0,) * 8 + (-2.0,), (1, 2))) == (
        "means −2 to 0, largest −2 at [16:17]"
    )


def test_the_shape_is_told_where_it_was_flattened():
    grid = Grid((8, 2, 3, 2), 8, 12, tuple(map(float, range(96))))
    trace = larger()
    info = replace(trace.tensors[0], shape=grid.shape)
    trace = replace(trace, tensors=(info,), grids=tuple(replace(g, grid=grid) for g in trace.grids))
    assert made(trace)[0].notes == ("(8, 2, 3, 2) seen as 8 × 12 numbers",)


def test_large_pictures_stay_light_and_text_short():
    for trace in (larger(columns=16), larger((4, 4), columns=16)):
        view = report_view(trace, Options())
        assert all(len(picture(heat)) < 60_000 for heat in made(trace))
        text = to_text(view, 100)
        assert all(line in text for heat in made(trace) for line in grid(heat, 98))
        assert all(len(grid(heat, 98)) <= 4 for heat in made(trace))


def test_grids_that_do_not_fit_are_left_out():
    trace = larger()
    assert made(replace(trace, grids=trace.grids[:2])) == ()
    other = replace(trace.grids[1], grid=grid_of(4, 4))
    assert len(made(replace(trace, grids=(trace.grids[0], other, *trace.grids[2:])))) == 1
    broken = tuple(replace(g, grid=replace(g.grid, columns=0)) for g in trace.grids)
    assert made(replace(trace, grids=broken)) == ()

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
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.heat import heats
from ipygradmagic.render.heat_drawing import drawing
from ipygradmagic.render.heat_words import grid
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

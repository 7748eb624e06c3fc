"""Curves of loss, gradients and steps, from hand-built records."""

from __future__ import annotations

import base64
import math
import re
import time
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import records as r

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.axes import GAP, LEFT, RIGHT, WIDTH, Axis, scale_of
from ipygradmagic.render.chart import drawing, lined, told
from ipygradmagic.render.curves import curves
from ipygradmagic.render.html import charted
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Chart, Charts, Curve, Paragraph

EXPLODING = Finding("exploding-gradient", "note", "t", "c", evidence=Evidence((22,)))


def charts(trace: Trace, **options: object) -> dict[str, Chart]:
    blocks = curves(Timeline(trace, Options(**options)))
    found = [chart for b in blocks if isinstance(b, Charts) for chart in b.charts]
    return {chart.caption: chart for chart in found}


def remarks(trace: Trace) -> str:
    blocks = curves(Timeline(trace, Options()))
    return " ".join(b.text for b in blocks if isinstance(b, Paragraph))


def picture(chart: Chart) -> str:
    uri, _ = charted(chart)
    svg = base64.b64decode(uri.partition(",")[2]).decode()
    ElementTree.fromstring(svg)
    return svg


def test_loss_norm_and_relative_step():
    found = charts(r.clean_by_hand(20))
    assert list(found) == ["Loss", "Gradient norm, w", "Relative step ‖Δw‖/‖w‖, w"]
    assert found["Loss"].curves[0].lines[0][0] == 64
    assert found["Gradient norm, w"].curves[0].lines[0][0] == 16
    # the first update takes w from 1 to 1 - 0.01 * -16
    ratio = found["Relative step ‖Δw‖/‖w‖, w"]
    assert ratio.across == "update"
    assert math.isclose(ratio.curves[0].lines[0][0], 0.16)


def test_the_step_of_a_large_tensor_is_not_guessed():
    found = charts(r.sgd(20))
    assert "Gradient norm, model.0.weight" in found
    assert not any("‖Δw‖" in name and "model.0.weight" in name for name in found)
    assert any("‖Δw‖" in name and "model.2.weight" in name for name in found)


def test_few_points_make_no_curve():
    assert curves(Timeline(r.clean_by_hand(4), Options())) == ()
    assert curves(Timeline(r.clean_by_hand(5), Options()))


def test_losses_of_two_lines_are_two_charts():
    events = [
        replace(e, where=r.at(7 if k % 2 else 6))
        for k, e in enumerate(e for e in r.by_hand(20) if e.kind == "backward")
    ]
    found = charts(r.trace_of(events, tensors=(TensorInfo(1, "w"),)))
    assert {"Loss at In [3], line 6", "Loss at In [3], line 7"} <= set(found)
    assert found["Loss at In [3], line 6"].curves[0].at == tuple(range(1, 21, 2))


def layered(blocks: int, passes: int = 8) -> Trace:
    events, infos = [], []
    for i in range(blocks * 2):
        infos.append(TensorInfo(i + 1, f"net.layers[{i // 2}].part{i % 2}"))
    for k in range(1, passes + 1):
        changes = tuple(
            Change(t.id, None, r.large(3.0 if t.id % 2 else 4.0), True, holds=Holds(1, k, k))
            for t in infos
        )
        events.append(
            Event(k, "backward", k, "backward", r.at(7), changes=changes, loss=1.0 / k, signature=1)
        )
    return r.trace_of(events, tensors=tuple(infos))


def test_many_leaves_are_joined_by_module():
    found = charts(layered(6))
    assert [c for c in found if "norm" in c] == [
        "Gradient norm, all 12 tensors",
        *(f"Gradient norm, net.layers[{i}] (2 tensors)" for i in range(6)),
    ]
    assert found["Gradient norm, net.layers[0] (2 tensors)"].curves[0].lines[0][0] == 5


def test_a_norm_that_is_not_known_makes_no_point():
    trace = layered(6)
    changes = trace.events[3].changes
    unread = replace(changes[0], grad_after=r.large(norm=None))
    events = list(trace.events)
    events[3] = replace(events[3], changes=(unread, *changes[1:]))
    curve = charts(replace(trace, events=tuple(events)))[
        "Gradient norm, net.layers[0] (2 tensors)"
    ].curves[0]
    assert 4 not in curve.at and len(curve.at) == 7


def test_what_was_not_kept_is_a_gap():
    trace = r.clean_by_hand(1000)
    trace = replace(trace, events=trace.events[:150] + trace.events[-150:])
    loss = charts(trace)["Loss"]
    assert loss.axis == (*range(1, 51), *range(951, 1001))
    made = drawing(loss)
    assert made is not None and len(made.holes) == 1 and len(made.lines[0]) == 2
    begin, end = made.holes[0]
    xs = [float(p.split(",")[0]) for piece in made.lines[0] for p in piece.split()]
    assert not [x for x in xs if begin + 0.1 < x < end - 0.1]
    assert end - begin > GAP / 2 * (WIDTH - LEFT - RIGHT)
    assert 'class="g"' in picture(loss)
    assert " " in lined(loss).split("  ")[0]
    assert "100 of 1,000 backward passes are kept" in remarks(trace)


def test_a_leaf_that_a_backward_does_not_reach_has_no_gap():
    events = [e for e in r.by_hand(40) if e.kind == "backward"]
    events = [e if k % 2 else replace(e, changes=()) for k, e in enumerate(events)]
    norm = charts(r.trace_of(events, tensors=(TensorInfo(1, "w"),)))["Gradient norm, w"]
    made = drawing(norm)
    assert made is not None and not made.holes and len(made.lines[0]) == 1


def test_findings_stand_where_they_happened():
    trace = replace(r.clean_by_hand(20), findings=(EXPLODING,))
    loss = charts(trace)["Loss"]
    (flag,) = loss.flags
    assert flag.at == 8 and "ℹ exploding-gradient (backward #8)" in told(loss)
    made = drawing(loss)
    assert made is not None and made.flags[0][0] == pytest.approx(Axis(range(1, 21)).x(8))
    assert 'class="x note"' in picture(loss)


def test_open_only_where_an_alarm_is_about_sizes():
    for findings, folded in (((EXPLODING,), False), ((r.STALE,), True), ((r.FINE,), True)):
        trace = replace(r.clean_by_hand(20), findings=findings)
        assert [
            s.folded for s in report_view(trace, Options()).sections if s.title == "Curves"
        ] == [folded]


def test_not_finite_is_marked_and_not_drawn():
    chart = Chart("Loss", "backward", (Curve("", ((1.0, 2.0, math.nan, math.nan, 3.0),)),), 1)
    made = drawing(chart)
    assert made is not None and len(made.lines[0]) == 2 and len(made.broken) == 1
    assert "NaN or ∞" in picture(chart) and "!!" in lined(chart)


def test_one_scale_for_charts_of_one_kind():
    found = charts(r.sgd(20))
    spans = {c.span for name, c in found.items() if "norm" in name}
    assert len(spans) == 1 and None not in spans


def test_rounding_is_a_flat_line():
    scale = scale_of([Curve("", ((2.2, 2.2000001, 2.1999999),))])
    assert scale is not None and scale.flat and len(scale.ticks()) == 1
    assert scale.y(2.2000001) == scale.y(2.1999999)


def test_a_zero_asks_for_a_linear_axis():
    scale = scale_of([Curve("", ((0.0, 2.0),))], (0.001, 2.0))
    assert scale is not None and not scale.logarithmic and math.isfinite(scale.y(0.0))


def test_text_and_alternative_text_say_the_same():
    view = report_view(replace(r.clean_by_hand(20), findings=(EXPLODING,)), Options())
    text = to_text(view, 200)
    for chart in charts(replace(r.clean_by_hand(20), findings=(EXPLODING,))).values():
        assert lined(chart) in text and lined(chart) in charted(chart)[1]
    assert text.partition("── Curves ──")[2].count("exploding-gradient (backward #8)") == 1


@pytest.mark.parametrize("name", ["<script>x</script>", "{{ 7 }}", "a\nb\x1b", "x" * 9999])
def test_hostile_names(name):
    finding = replace(EXPLODING, name=name)
    trace = r.trace_of(r.by_hand(20), tensors=(TensorInfo(1, name),), findings=(finding,))
    for chart in charts(trace).values():
        assert "<script" not in picture(chart) and len(chart.caption) < 100


def test_a_long_run_is_quick_and_small():
    trace = r.trace_of(r.by_hand(20_000), tensors=(TensorInfo(1, "w"),), ends=5000)
    begin = time.process_time()
    sizes = [len(picture(c)) for c in charts(trace).values()]
    assert time.process_time() - begin < 5
    assert len(sizes) == 3 and max(sizes) < 20_000
    assert re.search(r"of 20,000 backward passes", remarks(trace))

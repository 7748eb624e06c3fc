"""What a step used beside what the backward left, and deep models, from hand-built records."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
import records as r
import torch
from test_curves import charts, picture, remarks

from ipygradmagic import trace
from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.chart import drawing, told
from ipygradmagic.render.groups import Groups
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.timeline import Timeline


def stepped(
    rounds: int = 8,
    *,
    factor: float = 1.0,
    left: float | None = 1.0,
    earlier: float = 0.0,
    names: tuple[str, ...] = ("w",),
    **more: object,
) -> Trace:
    """A backward leaves norms of 30; the step uses ``factor`` of it and leaves ``left`` of that."""
    events = []
    for k in range(1, rounds + 1):
        deposits, uses = [], []
        for t in range(len(names)):
            norm, used = r.large(30.0), r.large(30.0 * factor)
            after = None if left is None else r.large(30.0 * factor * left)
            before = r.large(earlier) if earlier else None
            added = r.large(30.0 - earlier)
            deposits.append(Change(t, before, norm, True, added))
            value = r.large(2.0)
            uses.append(
                Change(t, used, after, left != 1.0, None, True, None, value, value, moved=0.004)
            )
        events.append(Event(2 * k - 1, "backward", k, "backward", r.at(7), changes=tuple(deposits)))
        events.append(Event(2 * k, "step", k, "SGD.step", r.at(10), changes=tuple(uses)))
    infos = tuple(TensorInfo(t, name) for t, name in enumerate(names))
    return r.trace_of(events, tensors=infos, **more)


def lines(trace: Trace, caption: str = "Gradient norm, w") -> dict[str, set[float]]:
    return {c.label: set(c.lines[0]) for c in charts(trace)[caption].curves}


def test_one_line_where_the_step_used_what_the_backward_left():
    trace = stepped()
    assert lines(trace) == {"": {30.0}}
    assert "The steps used the gradients as the last backward left them." in remarks(trace)


def test_what_a_step_used_after_clipping_is_a_second_line():
    trace = stepped(factor=1 / 30)
    assert lines(trace) == {"after backward": {30.0}, "used by step": {1.0}}
    said = remarks(trace)
    assert "what the step used" in said and "as the last backward left them" not in said
    svg = picture(charts(trace)["Gradient norm, w"])
    assert "used by step" in svg and ".c1{stroke:#0072b2;stroke-dasharray" in svg
    text = to_text(report_view(trace, Options()), 120)
    assert "after backward  " in text and "used by step    " in text


def test_a_step_that_clears_is_told():
    assert lines(stepped(left=None)) == {"after backward": {30.0}, "left by step": {0.0}}
    both = stepped(left=None, factor=0.1)
    assert set(lines(both)) == {"after backward", "used by step"}
    assert "The step itself changed the gradients of w, too." in remarks(both)


def test_what_a_backward_added_where_zero_grad_was_forgotten():
    trace = r.forgotten(20)
    assert set(lines(trace)) == {"after backward", "what it added"}
    assert "what each backward added" in remarks(trace)
    assert lines(stepped(earlier=10.0)) == {"after backward": {30.0}, "what it added": {20.0}}


def test_rounding_makes_no_second_line_and_neither_does_nan():
    assert set(lines(stepped(factor=1 + 1e-6))) == {""}
    broken = stepped()
    events = tuple(
        replace(
            e, changes=tuple(replace(c, grad_before=n, grad_after=n, added=n) for c in e.changes)
        )
        for e in broken.events
        for n in [r.large(math.nan)]
    )
    assert len(charts(replace(broken, events=events))["Gradient norm, w"].curves) == 1


def test_a_step_is_not_compared_with_a_backward_across_a_gap():
    """Of backward 5 the step of another round is kept: its norm must not be put there."""
    trace = stepped(20, factor=0.5)
    events = tuple(e for e in trace.events if not 10 <= e.index <= 13)
    used = charts(replace(trace, events=events))["Gradient norm, w"].curves[1]
    assert set(used.at) == {1, 2, 3, 4, *range(8, 21)}


def test_a_value_put_elsewhere_used_nothing():
    trace = stepped(factor=0.5)
    events = tuple(
        replace(e, kind="update", source="other") if e.kind == "step" else e for e in trace.events
    )
    assert set(lines(replace(trace, events=events))) == {""}


def test_all_tensors_together_only_where_every_backward_reached_them():
    trace = stepped(names=("a", "b"))
    assert lines(trace, "Gradient norm, all 2 tensors") == {"": {math.hypot(30, 30)}}
    events = tuple(
        replace(e, changes=e.changes[:1]) if e.number % 2 and e.kind == "backward" else e
        for e in trace.events
    )
    assert not any("all 2" in name for name in charts(replace(trace, events=events)))


def test_findings_stand_in_charts_of_two_lines_too():
    finding = Finding("exploding-gradient", "note", "t", "c", evidence=Evidence((6,)))
    trace = stepped(factor=0.1, findings=(finding,))
    chart = charts(trace)["Gradient norm, w"]
    assert told(chart)[-1] == "ℹ exploding-gradient (backward #3)"
    text = to_text(report_view(trace, Options()), 120)
    assert text.partition("── Curves ──")[2].count("exploding-gradient (backward") == 1


def test_a_clipped_loop_of_torch():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 30), torch.nn.Linear(30, 1))
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    with trace() as t:
        for _ in range(12):
            opt.zero_grad()
            net(torch.ones(3, 4)).mul(100).pow(2).sum().backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
    whole = charts(t.trace)["Gradient norm, all 4 tensors"]
    after, used = (c.lines[0] for c in whole.curves)
    assert min(after) > 5 and used == pytest.approx((1.0,) * 12, rel=1e-4)


# -- relative steps --------------------------------------------------------------------------


def test_the_relative_step_of_a_large_tensor_comes_from_the_record():
    found = charts(stepped())["Relative step ‖Δw‖/‖w‖, w"]
    assert set(found.curves[0].lines[0]) == {0.002}


def test_of_a_module_it_is_that_of_its_members_together():
    names = tuple(f"net.layers[{i}].{kind}" for i in range(5) for kind in ("w", "b"))
    found = charts(stepped(names=names))
    chart = found["Relative step ‖Δw‖/‖w‖, net.layers[0] (2 tensors)"]
    assert chart.curves[0].lines[0] == pytest.approx((0.002,) * 8)
    trace = stepped(names=names)
    unknown = tuple(
        replace(e, changes=(replace(e.changes[0], moved=None), *e.changes[1:]))
        for e in trace.events
    )
    left = charts(replace(trace, events=unknown))
    assert "Relative step ‖Δw‖/‖w‖, net.layers[0] (2 tensors)" not in left
    assert "Relative step ‖Δw‖/‖w‖, net.layers[1] (2 tensors)" in left


def test_the_timeline_says_how_far_a_value_went_whose_numbers_are_not_shown():
    text = to_text(report_view(stepped(1), Options()), 160)
    assert "moved 0.004" in text and "0.002 of norm" in text
    assert "moved" not in to_text(report_view(r.clean_by_hand(1), Options()), 160)


def test_what_is_not_known_is_said():
    trace = stepped(names=("small", "large"))
    events = tuple(
        replace(
            e,
            changes=(
                e.changes[0],
                replace(e.changes[1], moved=None, value_after=r.large(numel=65_537)),
            ),
        )
        if e.kind == "step"
        else e
        for e in trace.events
    )
    assert "How far a step moved large is not known" in remarks(replace(trace, events=events))
    assert "is not known" not in remarks(trace) and "estimated" not in remarks(trace)


def test_an_estimate_is_said_to_be_one():
    trace = stepped(names=("small", "large"))
    events = tuple(
        replace(e, changes=(e.changes[0], replace(e.changes[1], value_after=large)))
        if e.kind == "step"
        else e
        for large in [r.large(numel=65_537)]
        for e in trace.events
    )
    told = remarks(replace(trace, events=events))
    assert "more than 65,536 elements is estimated" in told and "is not known" not in told


def test_the_rule_of_thumb_is_drawn_where_it_is_near():
    trace = stepped()
    chart = charts(trace)["Relative step ‖Δw‖/‖w‖, w"]
    assert chart.guide == 1e-3 and chart.span == (0.001, 0.002)
    made = drawing(chart)
    assert made is not None and made.guide is not None and 'class="r"' in picture(chart)
    assert "rule of thumb" in remarks(trace)
    far = tuple(
        replace(e, changes=tuple(replace(c, moved=1.0) for c in e.changes)) for e in trace.events
    )
    assert charts(replace(trace, events=far))["Relative step ‖Δw‖/‖w‖, w"].guide is None
    assert "rule of thumb" not in remarks(replace(trace, events=far))
    assert "rule of thumb" not in remarks(r.clean_by_hand(20))  # no optimizer's step


# -- deep models -----------------------------------------------------------------------------


def deep(layers: int, decay: float = 0.1, rounds: int = 8) -> Trace:
    """The gradient shrinks by ``decay`` from each layer to the one before it."""
    infos = [TensorInfo(i, f"net.layers[{i}].weight") for i in range(layers)]
    events = [
        Event(
            k,
            "backward",
            k,
            "backward",
            r.at(7),
            changes=tuple(
                Change(i, None, r.large(decay ** (layers - i) * (1 if k < 5 else 2)), True)
                for i in range(layers)
            ),
        )
        for k in range(1, rounds + 1)
    ]
    return r.trace_of(events, tensors=tuple(infos[::-1]))  # met from the loss downwards


def test_a_deep_model_has_a_chart_over_its_layers():
    found = charts(deep(20, rounds=12))
    (name,) = [n for n in found if "over depth" in n]
    assert "20 layers" in name
    assert "least in net.layers[0], greatest in net.layers[19]" in name
    chart = found[name]
    first, last = (c.lines[0] for c in chart.curves)
    assert [c.label for c in chart.curves] == ["first backwards", "last backwards"]
    assert first[0] == pytest.approx(1e-20) and first[-1] == pytest.approx(0.1)
    assert last[0] == pytest.approx(2e-20)
    made = drawing(chart)
    assert made is not None and made.logarithmic
    assert (made.least, made.most) == ("…layers[0]", "…ayers[19]")
    assert "(from net.layers[0] to net.layers[19])" in told(chart)
    assert [n for n in found if n.startswith("Gradient norm, net")] == [
        "Gradient norm, net.layers[0].weight",
        "Gradient norm, net.layers[19].weight",
    ]
    assert "Of 20 layers those are shown one by one" in remarks(deep(20))
    assert not any("over depth" in n for n in charts(deep(8)))


def test_layers_without_any_gradient_are_told_and_not_drawn():
    found = charts(deep(20, decay=1e-30))
    (name,) = [n for n in found if "over depth" in n]
    assert "0 in 10 and not drawn there" in name
    assert len(found[name].curves[0].at) == 10
    assert picture(found[name])


def test_layers_go_by_their_numbers_or_as_the_optimizer_lists_them():
    names = ["head", *(f"net.h[{i}].w" for i in (10, 9, 2, 1, 0, 3, 4)), "embed", "norm"]
    trace = r.trace_of([], tensors=tuple(TensorInfo(i, n) for i, n in enumerate(names)))
    numbered = [f"net.h[{i}]" for i in (0, 1, 2, 3, 4, 9, 10)]
    assert list(Groups(Timeline(trace, Options())).members) == ["head", *numbered, "embed", "norm"]
    listed = replace(r.SGD, groups=(replace(r.SGD.groups[0], tensors=(8, 5, 9, 0)),))
    trace = replace(trace, optimizers=(listed,))
    assert list(Groups(Timeline(trace, Options())).members) == ["embed", *numbered, "norm", "head"]


def test_hostile_layers():
    names = tuple(f"<script>{{{{ 7 }}}}\n{'x' * 3000}{i}" for i in range(12))
    for chart in charts(stepped(names=names, factor=0.1)).values():
        assert "<script" not in picture(chart) and len(picture(chart)) < 20_000
        assert len(chart.caption) < 400 and all(len(line) < 400 for line in told(chart))


def test_a_thousand_layers_are_quick():
    trace = deep(1000, 0.99, rounds=20)
    begin = time.process_time()
    assert sum(len(picture(c)) for c in charts(trace).values()) < 60_000
    assert time.process_time() - begin < 5

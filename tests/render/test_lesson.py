"""The last change of a right, small run."""

from __future__ import annotations

from dataclasses import replace

import pytest
import records as r
import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.lesson import FEW, last_change
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Heat, Paragraph

GRAD = (1.0, -2.0, 0.5, 4.0)


def run(moved: tuple[float, ...], shape: tuple[int, ...] = (2, 2), tensors: int = 1) -> Trace:
    """One backward that finds an empty slot, and a step that moves a value of ones."""
    ones, grad = r.one(1.0, 1.0, 1.0, 1.0), r.one(*GRAD)
    after = r.one(*(1.0 + m for m in moved))
    known = range(1, tensors + 1)
    added = tuple(Change(i, None, grad, True, grad) for i in known)
    steps = tuple(Change(i, grad, grad, value_before=ones, value_after=after) for i in known)
    infos = tuple(TensorInfo(i, f"w{i}", shape=shape) for i in known)
    events = [
        Event(1, "backward", 1, "backward", changes=added, signature=1),
        Event(2, "step", 1, "SGD.step", changes=steps, signature=2),
    ]
    return r.trace_of(events, tensors=infos)


def lesson(trace: Trace) -> tuple[str, list[Heat]]:
    said, *heats = last_change(Timeline(trace, Options()))
    assert isinstance(said, Paragraph)
    return said.text, [heat for heat in heats if isinstance(heat, Heat)]


def test_the_move_is_so_many_times_the_gradient() -> None:
    said, (added, moved, value) = lesson(run(tuple(-0.1 * g for g in GRAD)))
    assert "backward #1 added to its gradient" in said
    assert "step #1 moved its value by −0.1 × that gradient" in said and "opposite" in said
    assert added.panels[-1].rows == ((1.0, -2.0), (0.5, 4.0))
    assert [n for row in moved.panels[0].rows for n in row] == pytest.approx(
        [-0.1, 0.2, -0.05, -0.4]
    )
    assert [p.title for p in value.panels] == ["before", "after"]


def test_a_move_of_another_kind_is_not_put_down_to_the_gradient() -> None:
    said, _ = lesson(run((-0.1, 0.1, -0.1, -0.1)))  # as Adam's first
    assert "moved its value." in said and "×" not in said


def test_only_a_small_run_that_is_right_has_one() -> None:
    right = run((-0.1,) * 4)
    assert last_change(Timeline(replace(right, findings=(r.STALE,)), Options())) == ()
    assert last_change(Timeline(run((-0.1,) * 4, (4,)), Options())) == ()
    assert last_change(Timeline(run((-0.1,) * 4, tensors=FEW + 1), Options())) == ()
    assert last_change(Timeline(run((0.0,) * 4), Options())) == ()
    assert lesson(run((-0.1,) * 4, tensors=FEW))[1]


def test_it_is_in_the_section_of_tensors_in_both_reports() -> None:
    view = report_view(run(tuple(-0.1 * g for g in GRAD)), Options())
    (section,) = [s for s in view.sections if s.title.startswith("Tensors")]
    assert section.folded and sum(isinstance(b, Heat) for b in section.blocks) == 3
    assert "moved its value by −0.1 × that gradient" in " ".join(to_text(view, 100).split())


@pytest.mark.parametrize(("width", "thumbnail"), [(8, False), (64, True)])
def test_a_network_without_a_fault(width: int, thumbnail: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with trace(graph=False) as t:
        for _ in range(40):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).pow(2).mean().backward()
            optimizer.step()
    said, heats = lesson(t.trace)
    assert "step #40 moved its value by −0.1 × that gradient" in said
    assert [heat.thumbnail for heat in heats] == [thumbnail] * 3
    assert len(t._repr_html_()) < 200_000

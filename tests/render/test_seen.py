"""What a look at the demos, as a stranger would look, found wrong in the pictures."""

from __future__ import annotations

import re
from collections.abc import Callable

import records as r
import torch
from test_frames import folds, one_weight, picture
from test_strip import made, one_leaf
from test_strip import picture as strip_svg
from torch import nn

from ipygradmagic import trace
from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding
from ipygradmagic.record.tensors import EMPTY, GroupInfo, OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import CellError, Trace
from ipygradmagic.render.graph_nodes import html_label, in_optimizer
from ipygradmagic.render.marks import found_by
from ipygradmagic.render.meeting import Group, Ties, lines, meeting_of
from ipygradmagic.render.meeting_dot import meeting_dot
from ipygradmagic.render.report import MAP, STRIP, report_view
from ipygradmagic.render.strip import drawing
from ipygradmagic.render.text import to_text


def traced(train: Callable[[], object]) -> Trace:
    torch.manual_seed(0)
    with trace() as t:
        train()
    return t.trace


def titles(run: Trace) -> list[str]:
    return [s.title for s in report_view(run, Options()).sections if s.title in (MAP, STRIP)]


def train(given: str, clear: bool = True, rounds: int = 3) -> None:
    """A body and a head; the optimizer is given one of them, or both."""
    body, head = nn.Linear(2, 2), nn.Linear(2, 1)
    modules = {"body": [body], "head": [head], "both": [body, head]}[given]
    opt = torch.optim.SGD([p for m in modules for p in m.parameters()], lr=0.01)
    for _ in range(rounds):
        if clear:
            opt.zero_grad()
        head(body(torch.ones(1, 2))).sum().backward()
        opt.step()


def swapped() -> Trace:
    """The optimizer has the first ``w``, the loss reaches the second."""
    infos = (TensorInfo(1, "w", generations=2), TensorInfo(2, "w", generations=2, reached=1))
    opt = OptimizerInfo("opt", "SGD", (GroupInfo((1,)),), 1)
    events = [
        Event(
            1,
            "backward",
            1,
            "backward",
            r.at(7),
            changes=(Change(2, None, r.one(1.0), True),),
            signature=1,
        ),
        Event(2, "step", 1, "SGD.step", r.at(8), actor="opt", signature=2),
    ]
    return r.trace_of(events, tensors=infos, optimizers=(opt,))


def test_an_optimizer_that_holds_the_old_tensor_does_not_meet_the_loss() -> None:
    found = lines(meeting_of(swapped()))
    assert any(line.startswith("w (new tensor): ") and "adds ×1" in line for line in found)
    assert "w (old tensor): nothing – no loss reaches it" in found


def test_a_gradient_that_nothing_could_use_yet_is_no_oddity() -> None:
    def only_backward() -> None:
        w = torch.ones(1, requires_grad=True)
        for _ in range(2):
            (w * 2).sum().backward()

    run = traced(only_backward)
    (line,) = lines(meeting_of(run))
    assert line.endswith("not used yet") and "–" in line
    assert "gm-odd" not in meeting_dot(meeting_of(run), run)


def test_the_picture_that_shows_the_fault_comes_first() -> None:
    assert titles(traced(lambda: train("head"))) == [MAP, STRIP]
    assert titles(traced(lambda: train("both", clear=False))) == [STRIP, MAP]
    assert titles(traced(lambda: train("both"))) == [STRIP, MAP]


def test_what_is_right_is_said_of_those_that_it_is_right_of() -> None:
    fine = [f.title for f in traced(lambda: train("head")).findings if f.severity == "fine"]
    assert any(title.startswith("head.weight and head.bias: 3 backward") for title in fine)
    fine = [f.title for f in traced(lambda: train("both")).findings if f.severity == "fine"]
    assert any(title.startswith("3 backward passes") for title in fine)


def test_the_line_that_clears_names_the_tensor() -> None:
    def twice() -> None:
        params = torch.ones(1, requires_grad=True)
        for _ in range(2):
            (params * 2).sum().backward()

    (code,) = [f.remedy.code for f in traced(twice).findings if f.remedy]
    assert code == "params.grad = None"


def test_the_call_that_failed_is_marked_and_not_the_one_that_freed_the_graph() -> None:
    run = one_leaf("B", "B")
    failed = Event(2, "backward", 2, "backward", r.at(9), error="RuntimeError: no", signature=2)
    found = Finding("freed-graph", "error", "freed", "", evidence=Evidence(events=(1,)))
    error = CellError("RuntimeError", "no", r.at(9), freed_by=1)
    strip = made(
        r.trace_of([run.events[0], failed], tensors=run.tensors, findings=(found,), error=error)
    )
    assert [stage.tone for stage in strip.stages] == ["", "error"]


def test_what_a_slot_held_at_first_has_a_mark_that_the_legend_explains() -> None:
    change = Change(1, r.one(3.0), None, True, holds=EMPTY)
    assert found_by(change).name == "old"  # nothing of this run came before
    event = Event(1, "zero_grad", 1, "zero_grad", r.at(3), changes=(change,))
    strip = made(r.trace_of([event], tensors=(TensorInfo(1, "w"),)))
    assert {dot.mark.name for dot in drawing(strip).dots} == {name for name, *_ in strip.legend}


def test_old_and_new_is_drawn_and_not_a_small_letter() -> None:
    svg = strip_svg(made(one_leaf("B", "U", "B", "E", "Z")))
    assert 'path class="mixed o"' in svg and "◐" not in svg and ".mixed.bar{fill:" in svg


def test_nothing_has_flowed_before_the_backward_and_the_loss_has_its_value() -> None:
    forward, backward, *_ = [picture(fold).dot for fold in folds(one_weight())]
    assert "#8a8a8a:#" not in forward and "#8a8a8a:#" in backward
    loss = next(line for line in forward.splitlines() if "gm-loss" in line)
    assert "value 1" in loss and "grad" not in loss
    assert re.search(r"value 1<.*grad 1<", next(x for x in backward.splitlines() if "gm-loss" in x))


def test_bold_labels_have_room_where_the_font_is_wider() -> None:
    long, short = "backbone[0].weight, backbone[0].bias", "w"
    assert f"\u00a0{long}\u00a0" in html_label(long, strong=["nobody uses it"])
    assert "\u00a0" not in html_label(short, strong=["nobody uses it"])


def test_an_optimizer_of_that_name_is_not_named_twice() -> None:
    assert in_optimizer(["optimizer"], 2) == "in optimizer"
    assert in_optimizer(["opt"], 2) == "in optimizer opt" and not in_optimizer([], 2)


def test_tensors_of_other_cells_are_counted_and_not_tabulated() -> None:
    others = tuple(TensorInfo(i, f"other{i}") for i in range(10, 30))
    run = r.forgotten(3)
    text = to_text(report_view(r.trace_of(run.events, tensors=(*run.tensors, *others)), Options()))
    assert "20 more tensors that this run left alone: other10" in text and "14 more" in text
    assert "other29" not in text


def test_leaves_that_never_meet_stand_in_one_column() -> None:
    dot = meeting_dot(meeting_of(swapped()), swapped())
    (column,) = re.findall(r"\{[^{}]*rank=same[^{}]*\}", dot)
    assert "g0" in column and "g1" in column


def test_long_names_of_one_module_do_not_make_the_map_wide() -> None:
    names = ("backbone[0].weight", "backbone[0].bias")
    assert Group(names, Ties()).label == "backbone[0].* (2 tensors)"
    assert Group(("net.weight", "net.bias"), Ties()).label == "net.weight, net.bias"
    assert Group(("a" * 30,), Ties()).label == "a" * 30


def test_in_a_terminal_of_80_columns_no_name_is_cut_in_two_and_no_line_is_longer() -> None:
    def forgotten() -> None:
        stack = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
        opt = torch.optim.Adam(stack.parameters(), lr=0.01)
        for _ in range(20):
            stack(torch.ones(8, 4)).pow(2).mean().backward()
            opt.step()

    text = to_text(report_view(traced(forgotten), Options()), 80)
    assert max(map(len, text.splitlines())) <= 80
    table = text.partition("── Timeline ──")[2].partition("── Curves ──")[0]
    assert table.count("stack[0].weight.grad ") >= 3 and "\n      gradient holds" in table

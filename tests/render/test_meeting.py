"""The meeting map says who adds to, uses and clears which gradients, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.layout import layout
from ipygradmagic.render.meeting import MOST_GROUPS, lines, meeting_of
from ipygradmagic.render.meeting_dot import meeting_dot
from ipygradmagic.render.report import report_view


def traced(train: Callable[[], object]) -> Trace:
    torch.manual_seed(0)
    with trace() as t:
        train()
    return t.trace


def forgotten() -> None:
    net = nn.Linear(2, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(20):
        loss = net(torch.ones(3, 2)).pow(2).mean()
        loss.backward()
        opt.step()


def by_hand() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(1.0, requires_grad=True)
    for _ in range(20):
        loss = (w + 2 * b) ** 2
        loss.backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
            b -= 0.01 * b.grad
        w.grad.zero_()
        b.grad = None


def gan(leak: bool) -> None:
    maker, judge = nn.Linear(2, 2), nn.Linear(2, 1)
    make, rate = (torch.optim.Adam(m.parameters()) for m in (maker, judge))
    for _ in range(6):
        fake = maker(torch.randn(4, 2))
        rate.zero_grad()
        d_loss = judge(fake if leak else fake.detach()).mean() - judge(torch.randn(4, 2)).mean()
        d_loss.backward(retain_graph=leak)
        rate.step()
        if not leak:
            make.zero_grad()
        g_loss = -judge(fake).mean()
        g_loss.backward()
        make.step()


def frozen() -> None:
    body, head, spare = nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(3, 3)
    opt = torch.optim.SGD([*head.parameters(), *spare.parameters()], lr=0.01)
    for _ in range(5):
        opt.zero_grad()
        head(body(torch.ones(1, 2))).sum().backward()
        opt.step()


def said(run: Trace) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in lines(meeting_of(run)))


def test_a_forgotten_zero_grad_is_a_leaf_that_nobody_clears() -> None:
    text = said(traced(forgotten))["net.weight, net.bias"]
    assert re.fullmatch(
        r"loss \(.*line \d+\) adds ×20; opt uses ×20 – ✗ stale-gradient, never cleared", text
    )


def test_lines_by_hand_act_like_optimizers() -> None:
    found = said(traced(by_hand))
    assert "adds ×20" in found["w"] and "uses ×20" in found["w"]
    assert "grad.zero_()" in found["w"] and "clears ×20" in found["w"]
    assert "grad = None" in found["b"] and "–" not in found["b"]


def test_of_a_gan_both_losses_reach_the_judge_and_only_a_leak_reaches_the_maker() -> None:
    right, wrong = said(traced(lambda: gan(False))), said(traced(lambda: gan(True)))
    assert right["judge.weight, judge.bias"].count("adds ×6") == 2
    assert right["maker.weight, maker.bias"].count("adds ×6") == 1
    assert not any("–" in text for text in right.values())
    assert wrong["maker.weight, maker.bias"].count("adds ×6") == 2
    assert "never cleared" in wrong["maker.weight, maker.bias"]


def test_what_only_one_side_knows_stands_out() -> None:
    run = traced(frozen)
    texts = list(said(run).values())
    assert sum("nobody uses it" in text for text in texts) == 1
    assert sum("no loss reaches it" in text for text in texts) == 1
    dot = meeting_dot(meeting_of(run), run)
    assert dot.count("gm-odd") == 2 and "owns, never uses" in dot


def test_a_large_model_is_one_node_and_many_groups_are_counted() -> None:
    def train() -> None:
        net = nn.Sequential(*[nn.Linear(4, 4) for _ in range(60)])
        opt = torch.optim.SGD(net.parameters(), lr=0.01)
        for _ in range(3):
            opt.zero_grad()
            net(torch.ones(1, 4)).sum().backward()
            opt.step()

    (line,) = lines(meeting_of(traced(train)))
    assert line.startswith("net.* (120 tensors)")

    def many() -> None:
        leaves = [torch.ones(1, requires_grad=True) for _ in range(20)]
        for k, leaf in enumerate(leaves):
            for _ in range(k + 1):
                (leaf * 2).sum().backward()

    meeting = meeting_of(traced(many))
    assert len(meeting.groups) == MOST_GROUPS and meeting.left == 8
    assert lines(meeting)[-1] == "… and 8 more groups of leaves"


@pytest.mark.parametrize("train", [forgotten, by_hand, frozen])
def test_the_picture_can_be_laid_out_and_is_small(train: Callable[[], object]) -> None:
    run = traced(train)
    svg = layout(meeting_dot(meeting_of(run), run))
    assert svg.startswith("<svg") and len(svg) < 20_000


def test_the_map_is_open_only_if_something_is_wrong() -> None:
    def section(run: Trace, **options: bool) -> list[bool]:
        view = report_view(run, Options(**options))
        return [s.folded for s in view.sections if s.title.startswith("Who adds")]

    assert section(traced(forgotten)) == [False]
    assert section(traced(by_hand)) == [True]
    assert section(traced(forgotten), graph=False) == []
    assert section(traced(lambda: torch.ones(1))) == []

"""Step by step: the graph after each event of the first two rounds."""

from __future__ import annotations

import re

import torch

from ipygradmagic import trace
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.frames import MOST_FRAMES, frames_of
from ipygradmagic.render.html import to_html
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.view import Fold, Picture

TEACH = Options(teach=True)


def one_weight(rounds: int = 3, clear: bool = True) -> Trace:
    w = torch.tensor(2.0, requires_grad=True)
    with trace(teach=True) as t:
        for _ in range(rounds):
            loss = (w * 3 - 5) ** 2
            loss.backward()
            w.data -= 0.01 * w.grad
            if clear:
                w.grad = None
    return t.trace


def folds(run: Trace) -> list[Fold]:
    return [block for block in frames_of(run) if isinstance(block, Fold)]


def picture(fold: Fold) -> Picture:
    (found,) = fold.blocks
    assert isinstance(found, Picture)
    return found


def test_two_rounds_event_by_event() -> None:
    found = folds(one_weight())
    titles = [re.sub(r" · .*", "", fold.summary) for fold in found]
    assert titles == [
        "Step 1 of 7: forward: the loss is known, no gradient yet",
        "Step 2 of 7: after backward #1",
        "Step 3 of 7: after update #1",
        "Step 4 of 7: after zero_grad #1",
        "Step 5 of 7: after backward #2",
        "Step 6 of 7: after update #2",
        "Step 7 of 7: after zero_grad #2",
    ]
    assert [fold.opened for fold in found] == [True] + [False] * 6
    assert len({fold.group for fold in found}) == 1 and found[0].group


def test_each_says_what_changed_and_draws_the_leaf_as_it_was() -> None:
    forward, backward, update, zero, *_ = [picture(fold) for fold in folds(one_weight())]
    assert backward.caption == "w.grad: None → 6, fresh"
    assert update.caption == "w: 2 → 1.94, w.grad stays 6, used"
    assert zero.caption == "w.grad: 6 → None"
    assert "value 2" in forward.dot and "grad None" in forward.dot
    assert "grad 6" in backward.dot and "fresh" in backward.dot
    assert "value 1.94" in update.dot and "used" in update.dot
    assert "grad None" in zero.dot


def test_numbers_at_operations_are_there_only_while_something_passes() -> None:
    forward, backward, update, *_ = [picture(fold).dot for fold in folds(one_weight())]
    assert "value 1" in forward and "grad 2" not in forward  # of sub
    assert "grad 2" in backward
    assert "grad 2" not in update


def test_what_is_stale_is_seen() -> None:
    found = [picture(fold) for fold in folds(one_weight(clear=False))]
    assert [p.caption for p in found][-2:] == [
        "w.grad: 6 → 10.92, old and new",
        "w: 1.94 → 1.8308, w.grad stays 10.92, stale",
    ]


def test_few_frames_and_a_small_report() -> None:
    leaves = [torch.tensor(1.0, requires_grad=True) for _ in range(20)]
    with trace(teach=True) as t:
        for _ in range(4):
            sum(leaves).backward()
            for leaf in leaves:
                leaf.grad.mul_(0.5)
                leaf.data -= leaf.grad
            for leaf in leaves:
                leaf.grad.zero_()
    found = folds(t.trace)
    assert 4 < len(found) <= MOST_FRAMES
    assert len(to_html(report_view(t.trace, TEACH))) < 1_000_000
    assert "and 14 more tensors" in picture(found[1]).caption


def test_the_report_opens_the_first_and_says_the_same_as_text() -> None:
    run = one_weight()
    html, text = to_html(report_view(run, TEACH)), to_text(report_view(run, TEACH))
    assert html.count('open style="margin') == 1 and "Step by step" in html
    assert "Step 3 of 7: after update #1" in text and "w: 2 → 1.94" in text
    assert "Step by step" not in to_text(report_view(run, Options()))
    assert frames_of(Trace()) == ()

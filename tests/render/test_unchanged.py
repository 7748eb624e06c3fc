"""What a row says of the leaves that an event left alone."""

from __future__ import annotations

import re

import records as r
import torch
from test_report import rows
from torch import nn

from ipygradmagic import trace
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import GroupInfo, OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace


def run(unchanged: int, away: int) -> Trace:
    """A step on two of three leaves, the third being another optimizer's that steps, too."""
    tensors = [TensorInfo(i, f"mine.{i}") for i in (1, 2, 3)]
    tensors += [TensorInfo(10 + i, f"old.{i}") for i in range(away)]
    both = Change(1, r.one(1.0), r.one(1.0)), Change(2, r.one(1.0), r.one(1.0))
    step = Event(1, "step", 1, "SGD.step", changes=both, unchanged=unchanged)
    optimizer = OptimizerInfo("opt", "SGD", (GroupInfo((1, 2, 3)),), 1)
    return r.trace_of([step], tensors=tuple(tensors), optimizers=(optimizer,))


def last(trace: Trace) -> str:
    return rows(trace)[-1]


def test_leaves_of_earlier_cells_are_not_counted() -> None:
    assert "1 unchanged" in last(run(unchanged=1, away=0))
    assert "1 unchanged" in last(run(unchanged=6, away=5))


def test_one_that_is_gone_by_the_end_is_not_counted_either() -> None:
    assert "1 unchanged" in last(run(unchanged=9, away=5))


def test_one_that_came_later_does_not_make_it_less_than_none() -> None:
    assert not re.search(r"\d unchanged", " ".join(rows(run(unchanged=2, away=5))))


def test_a_model_of_an_earlier_run_is_not_counted() -> None:
    old = nn.Linear(2, 2)
    with trace():
        old(torch.ones(1, 2)).sum().backward()
    w = torch.tensor(1.0, requires_grad=True)
    v = torch.tensor(1.0, requires_grad=True)
    with trace() as t:
        (w * 2).backward()
        (v * 2).backward()
    counted = [event.unchanged for event in t.events]
    assert counted == [2 + 1, 2 + 1]  # the event counts all that are known
    said = str(t)
    assert "1 unchanged" in said and "3 unchanged" not in said
    assert old.weight.grad is not None

"""Level ``events``: what happened and the verdict, without the numbers of what an optimizer steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.errors import OptionError


def train(rounds: int, *, clear: bool = True, poison: int = -1, level: str = "events"):
    torch.manual_seed(0)
    model = nn.Linear(8, 8)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with trace(level=level) as t:
        for i in range(rounds):
            loss = model(torch.ones(2, 8)).pow(2).mean()
            if i == poison:
                loss = loss * float("nan")
            loss.backward()
            optimizer.step()
            if clear:
                optimizer.zero_grad()
    return t


def test_the_first_rounds_are_read_and_the_later_ones_are_not() -> None:
    t = train(6)
    before = [c.grad_after for e in t.events[:3] for c in e.changes if c.grad_after]
    later = [c.grad_after for e in t.events[6:] for c in e.changes if c.grad_after]
    assert before and all(s.norm is not None for s in before)
    assert later and all(s.norm is None for s in later)
    assert "not read" in str(t) and any("Level events" in note for note in t.trace.notes)


def test_the_verdict_is_that_of_the_full_level() -> None:
    quick, full = (train(6, clear=False, level=level) for level in ("events", "full"))
    assert [f.title for f in quick.findings] == [f.title for f in full.findings]
    assert quick.findings[0].name == "stale-gradient"


def test_the_end_is_read() -> None:
    assert all(t.value and t.value.norm for t in train(6).tensors if t.kind == "leaf")


def test_a_loss_that_is_not_finite_is_reason_to_read() -> None:
    t = train(6, poison=4)
    (found,) = [f for f in t.findings if f.name == "nonfinite-gradient"]
    assert "backward #5" in found.title


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(OptionError, match="full, events"), trace(level="none"):
        pass

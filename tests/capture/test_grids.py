"""Numbers of middle-sized tensors: kept for the first incidents, and for nothing else."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.capture import harvest
from ipygradmagic.capture.grids import MOST, condensed
from ipygradmagic.record.grids import GridAt
from ipygradmagic.record.trace import Trace


def trained(
    model: nn.Module, inputs: int, rounds: int = 4, *, clear: bool = False, poison: int = -1
) -> tuple[Trace, list[torch.Tensor]]:
    """Without ``zero_grad``, unless ``clear``; and the first parameter's gradients."""
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    with trace() as t:
        for i in range(rounds):
            if clear:
                optimizer.zero_grad()
            loss = model(torch.randn(4, inputs)).pow(2).mean()
            if i == poison:
                loss = loss + next(model.parameters())[3, 5] * float("inf") * 0
            loss.backward()
            seen.append(next(model.parameters()).grad.clone())
            optimizer.step()
    return t.trace, seen


def named(found: Trace, name: str) -> dict[str, GridAt]:
    (number,) = [t.id for t in found.tensors if t.name == name]
    return {g.which: g for g in found.grids if g.tensor == number}


@pytest.mark.parametrize("rounds", [2, 30])
def test_the_numbers_of_the_first_stale_step(rounds: int) -> None:
    found, grads = trained(nn.Linear(8, 16), 8, rounds)
    grids = named(found, "model.weight")
    assert set(grids) == {"grad_before", "added", "grad_after", "value_before", "value_after"}
    for which, expected in (
        ("grad_before", grads[0]),
        ("grad_after", grads[1]),
        ("added", grads[1].double() - grads[0].double()),
    ):
        grid = grids[which].grid
        assert (grid.rows, grid.columns, grid.exact, grid.shape) == (16, 8, True, (16, 8))
        assert list(grid.values) == expected.flatten().tolist()
    (stale,) = [i for i in found.ledger.incidents if i.kind == "stale"]
    assert grids["value_before"].event == stale.first_event
    event = found.event(grids["grad_after"].event)
    assert event is not None and (event.kind, event.number) == ("backward", 2)
    step = [np.array(grids[which].grid.values) for which in ("value_before", "value_after")]
    assert np.allclose(step[0] - step[1], 0.1 * grads[1].flatten().numpy(), atol=1e-6)


def test_beyond_sixteen_there_are_means_of_blocks() -> None:
    found, grads = trained(nn.Linear(256, 128), 256)
    grid = named(found, "model.weight")["grad_after"].grid
    assert (grid.rows, grid.columns, grid.block, grid.exact) == (16, 16, (8, 16), False)
    means = grads[1].double().reshape(16, 8, 16, 16).mean(dim=(1, 3))
    assert np.allclose(grid.values, means.flatten().tolist(), rtol=1e-9)
    vector = named(found, "model.bias")["grad_after"].grid
    assert (vector.rows, vector.columns, vector.block) == (1, 16, (1, 8))


@pytest.mark.parametrize("shape", [(17,), (1, 100), (100, 3), (33, 161), (16, 2, 3, 4)])
def test_unequal_blocks_at_the_edges(shape: tuple[int, ...]) -> None:
    rows = shape[0] if len(shape) > 1 else 1
    numbers = np.random.default_rng(0).normal(size=(rows, math.prod(shape) // rows))
    grid = condensed(numbers, shape)
    high, wide = grid.block
    assert grid.rows <= 16 and grid.columns <= 16
    expected = [
        numbers[i : i + high, k : k + wide].mean()
        for i in range(0, rows, high)
        for k in range(0, numbers.shape[1], wide)
    ]
    assert np.allclose(grid.values, expected) and len(expected) == grid.rows * grid.columns


def test_a_block_with_nan_says_so_and_a_large_one_does_not() -> None:
    numbers = np.full((32, 32), 1e308)
    numbers[5, 7], numbers[20, 20] = np.nan, -np.inf
    grid = condensed(numbers, (32, 32))
    broken = {i: v for i, v in enumerate(grid.values) if not math.isfinite(v)}
    assert set(broken) == {2 * 16 + 3, 10 * 16 + 10} and broken[170] == -math.inf


def test_nan_in_one_weight() -> None:
    found, _ = trained(nn.Linear(8, 16), 8, clear=True, poison=2)
    grids = named(found, "model.weight")
    assert "grad_before" not in grids
    values = grids["grad_after"].grid.values
    assert [i for i, v in enumerate(values) if v != v] == [3 * 8 + 5]


def test_without_incidents_it_is_the_last_change() -> None:
    found, grads = trained(nn.Linear(8, 16), 8, clear=True)
    grids = named(found, "model.weight")
    assert {g.tensor for g in found.grids} == {grids["grad_after"].tensor}
    assert list(grids["grad_after"].grid.values) == grads[-1].flatten().tolist()
    step = found.event(grids["value_before"].event)
    assert step is not None and (step.kind, step.number) == ("step", 4)
    value = [np.array(grids[which].grid.values) for which in ("value_before", "value_after")]
    assert np.allclose(value[0] - value[1], 0.1 * grads[-1].flatten().numpy(), atol=1e-6)


def test_a_large_model_has_none_of_its_last_change() -> None:
    model = nn.Sequential(*[nn.Linear(20, 20) for _ in range(5)])
    found, _ = trained(model, 20, clear=True)
    assert found.grids == ()


def test_there_are_few_however_large_the_model() -> None:
    model = nn.Sequential(*[nn.Linear(20, 20) for _ in range(12)])
    found, _ = trained(model, 20, 40)
    assert found.ledger.incidents and 0 < len(found.grids) <= MOST
    events = {g.event for g in found.grids}
    assert len(events) <= 2 and all(len(g.grid.values) <= 256 for g in found.grids)
    assert len({g.tensor for g in found.grids}) <= 2


def test_tensors_that_were_only_measured_have_none() -> None:
    found, _ = trained(nn.Linear(300, 300, bias=False), 300, 3)
    assert found.ledger.incidents and found.grids == ()


def test_there_and_back() -> None:
    found, _ = trained(nn.Linear(8, 16), 8)
    plain = json.loads(json.dumps(found.to_dict()))
    assert found.grids and Trace.from_dict(plain).grids == found.grids
    del plain["grids"]
    assert Trace.from_dict(plain).grids == ()


def test_a_fault_costs_only_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no memory left on the device")

    monkeypatch.setattr(harvest, "grids", broken)
    found, _ = trained(nn.Linear(8, 16), 8)
    assert found.grids == () and found.events and found.ledger.incidents
    assert any("no memory left" in warning for warning in found.warnings)


def test_levels_and_streams(tmp_path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(8, 16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    counts = []
    for options in ({"level": "events"}, {"save": str(tmp_path / "saved.jsonl")}):
        with trace(**options) as t:
            for i in range(12):
                if i < 8:
                    optimizer.zero_grad()
                model(torch.ones(2, 8)).pow(2).mean().backward()
                optimizer.step()
        assert any(i.kind == "stale" for i in t.trace.ledger.incidents)
        counts.append(len(t.trace.grids))
        assert not t.trace.warnings and str(t)
    assert counts == [0, 5]  # of unread tensors there are no copies

"""Teaching notes what passes through a small graph, changes nothing, and leaves nothing behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.capture.teaching import MOST_NODES, Teaching
from ipygradmagic.record.trace import Trace


def numbers(run: Trace) -> dict[str, tuple[object, object]]:
    found = {}
    for node in run.graphs[0].nodes:
        value, grad = (s.values if s is not None else None for s in (node.value, node.grad))
        found[node.label] = value, grad
    return found


def test_the_blackboard_of_one_weight() -> None:
    w, x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0), torch.tensor(5.0)
    with trace(teach=True) as t:
        loss = (w * x + 1 - y) ** 2
        loss.backward()
    found = numbers(t.trace)
    assert found["pow"] == ((4.0,), (1.0,))
    assert found["sub"] == ((2.0,), (4.0,))
    assert found["mul"] == ((6.0,), (4.0,))
    assert found["w"] == (None, None)  # a leaf has its own row
    assert Trace.from_dict(t.to_dict()).graphs == t.trace.graphs


def test_without_teaching_no_number_is_noted() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    with trace() as t:
        (w * 3).backward()
    assert numbers(t.trace)["mul"] == (None, None)


def test_large_results_and_large_graphs_are_left_out() -> None:
    w = torch.ones(40, requires_grad=True)
    with trace(teach=True) as t:
        (w * 2).sum().backward()
        v = w
        for _ in range(MOST_NODES):
            v = v + 1
        v.sum().backward()
    assert numbers(t.trace)["mul"] == (None, None) and numbers(t.trace)["sum"][0] == (80.0,)
    assert all(node.grad is None for node in t.trace.graphs[1].nodes)


def train(lines: list[float]) -> list[torch.Tensor]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    opt = torch.optim.Adam(net.parameters())
    for _ in range(4):
        opt.zero_grad()
        loss = net(torch.randn(5, 2)).pow(2).mean()
        loss.backward()
        opt.step()
        lines.append(loss.item())
    return list(net.parameters())


def test_the_run_is_as_without_and_nothing_stays() -> None:
    plain: list[float] = []
    traced: list[float] = []
    expected = train(plain)
    with trace(teach=True) as t:
        result = train(traced)
        hooks = [node.grad for node in t.trace.graphs]
    assert not hooks and plain == traced
    assert all(torch.equal(a, b) for a, b in zip(expected, result, strict=True))
    assert not torch._C._len_torch_function_stack() and t.trace.warnings == ()


def test_a_mode_that_the_code_leaves_open_stays() -> None:
    mode = torch.overrides.BaseTorchFunctionMode()
    w = torch.tensor(1.0, requires_grad=True)
    try:
        with trace(teach=True):
            torch._C._push_on_torch_function_stack(mode)
            (w * 2).backward()
        assert torch._C._len_torch_function_stack() == 1
    finally:
        assert torch._C._pop_torch_function_stack() is mode


def test_an_error_leaves_no_mode() -> None:
    with pytest.raises(RuntimeError), trace(teach=True):
        torch.ones(2).backward()
    assert not torch._C._len_torch_function_stack()


def test_a_fault_of_ours_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Teaching, result: torch.Tensor) -> None:
        raise RuntimeError("our own fault")

    monkeypatch.setattr(Teaching, "_remember", broken)
    w = torch.tensor(1.0, requires_grad=True)
    with trace(teach=True) as t:
        (w * 2).backward()
    assert w.grad is not None and any("our own fault" in text for text in t.trace.warnings)

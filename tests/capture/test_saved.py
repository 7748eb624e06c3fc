"""``saved`` says what each operation keeps for the backward, and unpacks nothing to find out."""

from __future__ import annotations

import torch
from torch.utils.checkpoint import checkpoint

from ipygradmagic import grad_state, trace
from ipygradmagic.record.graph import Saved
from ipygradmagic.record.trace import Trace


def kept(run: Trace) -> dict[str, tuple[Saved, ...]]:
    return {node.label: node.saved for node in run.graphs[0].nodes if node.kind == "operation"}


def test_what_operations_keep() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    m = torch.ones(2, 30, requires_grad=True)
    with trace(saved=True) as t:
        ((w * 3).exp().sum() + m.pow(2).sum()).backward()
    found = kept(t.trace)
    (result,) = found["exp"]
    assert (result.name, result.shape) == ("result", (2,)) and result.value is not None
    assert result.value.values is not None and abs(result.value.values[0] - 20.0855) < 1e-3
    assert found["pow"] == (Saved("self", (2, 30)),)  # too large for its numbers
    assert found["sum"] == ()
    assert Trace.from_dict(t.to_dict()).graphs == t.trace.graphs


def test_only_where_it_was_asked_for() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with trace() as t:
        w.exp().sum().backward()
    assert kept(t.trace)["exp"] == ()
    loss = w.exp().sum()
    assert "keeps result" in dot(grad_state(graph=loss, saved=True))
    assert "keeps result" not in dot(grad_state(graph=loss))


def dot(report: object) -> str:
    return str(getattr(report, "view"))


def test_hooks_of_the_user_are_not_called() -> None:
    calls: list[str] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        return tensor

    def unpack(tensor: torch.Tensor) -> torch.Tensor:
        calls.append("unpacked")
        return tensor

    w = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: ("packed", pack(t)), lambda p: unpack(p[1])
    ):
        loss = w.exp().sum()
    with trace(saved=True) as t:
        assert not calls
        loss.backward()
    assert calls == ["unpacked"]
    assert kept(t.trace)["exp"] == (Saved("result"),)


def test_checkpoints_run_as_without() -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    x = torch.ones(2, 3)
    checkpoint(net, x, use_reentrant=False).sum().backward()
    expected = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    net.zero_grad()
    with trace(saved=True) as t:
        checkpoint(net, x, use_reentrant=False).sum().backward()
    assert all(torch.equal(a, p.grad) for a, p in zip(expected, net.parameters(), strict=True))
    assert t.trace.warnings == ()

"""Every function of the capture room fails in turn: the training is bit for bit the same."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
import torch
import torch.utils.checkpoint
from torch import nn

import ipygradmagic.capture
from ipygradmagic import trace

BORDER = {
    # What torch calls, or what calls torch: without them there is no call of the user's either.
    "BackwardWatch.around",
    "BackwardWatch._steadily",
    "BackwardWatch._over",
    "HandWatch.around",
    "HandWatch._clipping",
    "HandWatch.around_attribute",
    "HandWatch.around_module_toggle",
    "HandWatch.around_swap",
    "OptimizerWatch.around_zero",
    "OptimizerWatch.before_step",
    "OptimizerWatch.after_step",
    "OptimizerWatch.made",
    "HandWatch.retained",
    "StrictBackward.around",
    "StrictHand.around",
    "StrictHand.around_attribute",
    "StrictOptimizers.around_zero",
    "StrictOptimizers.before_step",
    "StrictOptimizers.after_step",
    # What stops a strict trace; all that it asks stands behind the guard.
    "Gate.check",
    "Gate.check_step",
    # A few plain assignments, on which swap_tensors depends: it refuses weak references.
    "Leaf.loosen",
    "Discovery.forget",
    # The guard itself, and what stands before it on the quick path of every in-place method.
    "Watch.guard",
    "Watch.light",
    "Watch.quiet",
    "_Guard._part",
    "Teams.give_up",
    "Watch.fault",
    "Watch.halt",
    "_Local.unshield",
    "HandWatch.touches",
    "OptimizerWatch.working",
    "Teams.owns",
    "Team.owns",
    "Steady.departs",
    "Steady.arrives",
    "Steady.write",
    "Lane.before_backward",
    "Lane.after_backward",
    "Lane.before_step",
    "Lane.after_step",
    "Lane.before_zero",
    "Lane.after_zero",
    # A few plain assignments, when a trace starts.
    "Steady._forget",
    "SteadyTeams._forget",
    # What starts and stops: a trace that cannot start says so before anything of the user's runs.
    "Tracer.start",
    "Tracer.stop",
    "Tracer.stale",
    "Tracer.abandon",
    "Tracer._restore",
    "Tracer._record",
    "Tracer._let_go",
    "Tracer._watchers",
    "Interception.install",
    "Interception.restore",
}


def functions() -> Iterator[tuple[type, str]]:
    for module in pkgutil.iter_modules(ipygradmagic.capture.__path__):
        room = importlib.import_module(f"ipygradmagic.capture.{module.name}")
        for kind in vars(room).values():
            if not inspect.isclass(kind) or kind.__module__ != room.__name__:
                continue
            for name, member in vars(kind).items():
                plain = getattr(member, "__func__", member)
                if inspect.isfunction(plain) and not name.startswith("__"):
                    if kind.__name__ != "Interception" and f"{kind.__name__}.{name}" not in BORDER:
                        yield kind, name


ALL = sorted(set(functions()), key=lambda f: (f[0].__name__, f[1]))


def train() -> list[torch.Tensor]:
    """A program that goes through as many of our functions as one program can."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 30), nn.Dropout(0.3), nn.Linear(30, 1))
    quick = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    slow = torch.optim.LBFGS([torch.ones(2, requires_grad=True)], max_iter=3)
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    rates = torch.optim.lr_scheduler.StepLR(quick, 2)
    x, v = torch.randn(4, 2), slow.param_groups[0]["params"][0]

    def closure() -> torch.Tensor:
        slow.zero_grad()
        loss = (v * v).sum()
        loss.backward()
        return loss

    for i in range(3):
        rates.step()
        quick.zero_grad(set_to_none=bool(i))
        middle = model(x * w)
        middle.retain_grad()
        torch.utils.checkpoint.checkpoint(model, x * w, use_reentrant=True).sum().backward()
        middle.pow(2).mean().backward(retain_graph=True)
        torch.autograd.grad(middle.sum(), w)
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        quick.step()
        slow.step(closure)
        with torch.no_grad():
            w -= 0.1 * w.grad
            w[0] = 0.5
        w.data = w.data - 0.1 * w.grad
        w.grad.data = w.grad.data * 2
        w.grad = w.grad.clone() if i % 2 else None
        model[0].weight.requires_grad_(False)
        model[0].weight.requires_grad = True
        model.zero_grad()
        w = (w.detach() * 2).requires_grad_()
    torch.utils.swap_tensors(model[2].bias, nn.Parameter(torch.ones(1)))
    quick.add_param_group({"params": [w]})
    del middle  # while it keeps its gradient, nothing is steady
    a, plain = torch.ones(1, requires_grad=True), nn.Linear(2, 1)
    steady = torch.optim.SGD(plain.parameters(), lr=0.1)
    for _ in range(9):
        (a * a).sum().backward()
        a.data -= 0.1 * a.grad
        a.grad.zero_()
    for _ in range(9):
        steady.zero_grad()
        plain(x).sum().backward()
        nn.utils.clip_grad_norm_(plain.parameters(), 0.1)
        steady.step()
    return [p.detach().clone() for p in model.parameters()] + [
        w.detach(),
        v.detach(),
        a.detach(),
        plain.weight.detach(),
        torch.rand(1),
    ]


PLAIN = train()


def same(results: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(PLAIN, results, strict=True))


def test_the_program_itself_is_traced_without_a_fault() -> None:
    with trace() as t:
        results = train()
    assert same(results) and t.trace.warnings == ()
    kinds = {"backward", "step", "zero_grad", "edit", "update", "freeze", "unfreeze", "rebind"}
    assert kinds <= {event.kind for event in t.events}


USED: set[str] = set()


@pytest.mark.parametrize(("kind", "name"), ALL, ids=lambda v: getattr(v, "__name__", v))
def test_a_fault_anywhere_changes_nothing(kind: type, name: str, monkeypatch) -> None:
    calls: list[int] = []

    def broken(*_: object, **__: object) -> None:
        calls.append(1)
        raise RuntimeError("our own fault")

    member = inspect.getattr_static(kind, name)
    monkeypatch.setattr(
        kind, name, staticmethod(broken) if isinstance(member, staticmethod) else broken
    )
    t = trace(strict=kind.__module__.endswith(".strict"))
    with t:
        results = train()
    assert same(results)
    if calls:
        USED.add(f"{kind.__name__}.{name}")
        assert any("our own fault" in w for w in t.trace.warnings), "a fault that nobody hears of"
    assert str(t)


def test_most_functions_were_reached() -> None:
    """Otherwise the tests above would prove little (they must have run in this process)."""
    if len(USED) > 1:
        assert len(USED) > 0.6 * len(ALL), sorted({f"{k.__name__}.{n}" for k, n in ALL} - USED)

"""What stands between the user's line and torch: shells around optimizers, empty closures, a library."""

from __future__ import annotations

import os
import sysconfig

import pytest
import torch
from torch import nn

from ipygradmagic import grad_state, trace

LIBRARY = '''
class Momentum:
    """An optimizer that derives from nothing."""

    def __init__(self, params):
        self.params = list(params)
        self.average = {p: 0 for p in self.params}

    def step(self):
        for p in self.params:
            self.average[p] = 0.9 * self.average[p] + p.grad
            p.data.mul_(0.999)
            p.data.add_(self.average[p], alpha=-0.01)

    def zero_grad(self):
        for p in self.params:
            p.grad.zero_()

def fit(optimizer, loss_of, rounds, clear):
    for _ in range(rounds):
        loss_of().backward()
        torch.nn.utils.clip_grad_norm_(optimizer.params, 0.1)
        optimizer.step()
        if clear:
            optimizer.zero_grad()
'''


def library() -> dict:
    """A module that is installed beside torch, as far as file names tell."""
    found = {"torch": torch}
    file = os.path.join(sysconfig.get_paths()["purelib"], "momentum.py")
    exec(compile(LIBRARY, file, "exec"), found)
    return found


def fitted(clear: bool):
    lib = library()
    torch.manual_seed(0)
    model = nn.Linear(5, 5)
    optimizer = lib["Momentum"](model.parameters())
    with trace() as t:
        lib["fit"](optimizer, lambda: model(torch.ones(2, 5)).pow(2).mean(), 4, clear)
    return t


def test_an_optimizer_of_a_library_steps_once_a_round() -> None:
    t = fitted(clear=True)
    assert [f.name for f in t.findings] == ["zeroed"]
    assert [(e.kind, e.label) for e in t.events[:4]] == [
        ("backward", "backward"),
        ("edit", "clip_grad_norm_"),
        ("update", "Momentum.step"),
        ("zero_grad", "Momentum.zero_grad"),
    ]
    assert {e.source for e in t.events if e.kind == "update"} == {"gradient"}


def test_that_optimizer_is_not_cleared() -> None:
    assert [f.name for f in fitted(clear=False).findings if f.alarm] == ["stale-gradient"]


def test_parameters_far_below_their_variable_have_its_name() -> None:
    model: nn.Module = nn.Linear(1, 1)
    for _ in range(10):
        model = nn.Sequential(model)
    with trace() as t:
        model(torch.ones(1, 1)).sum().backward()
    assert {x.name for x in t.tensors if x.kind == "leaf"} == {
        "model" + "[0]" * 10 + f".{kind}" for kind in ("weight", "bias")
    }


class Shell(torch.optim.Optimizer):
    """Passes its calls on, as accelerate's does."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def step(self, closure=None):
        return self.optimizer.step(closure)


def test_an_optimizer_in_a_shell_is_called_after_it() -> None:
    model = nn.Linear(1, 1)
    opt = Shell(torch.optim.SGD(model.parameters(), lr=0.1))
    with trace() as t:
        model(torch.ones(1, 1)).sum().backward()
        opt.step()
    assert [e.actor for e in t.events if e.kind == "step"] == ["opt"]


def test_a_closure_that_brings_no_gradient_is_none() -> None:
    model = nn.Linear(5, 5)
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    with trace() as t:
        for _ in range(3):
            opt.zero_grad()
            model(torch.ones(2, 5)).pow(2).mean().backward()
            opt.step(lambda: None)
    assert [f.name for f in t.findings] == ["zeroed"]
    assert [e.kind for e in t.events] == ["zero_grad", "backward", "step"] * 3


class HalfBuilt(torch.optim.Optimizer):
    """Its ``__init__`` has forgotten its base class."""

    def __init__(self, params) -> None:
        self.params = list(params)


class Refusing(torch.optim.Optimizer):
    """A shell with nothing in it, which says so in its own way."""

    def __init__(self) -> None:
        pass

    def __getattr__(self, name):
        raise RuntimeError(f"prepare() comes first, then {name}")


@pytest.mark.parametrize("level", ["events", "full"])
def test_an_optimizer_without_groups_is_passed_over(level: str) -> None:
    model = nn.Linear(1, 1)
    half, empty = HalfBuilt(model.parameters()), Refusing()
    opt = torch.optim.SGD(model.parameters(), lr=0.1)
    with trace(level=level) as t:
        for _ in range(6):
            model(torch.ones(1, 1)).sum().backward()
            opt.step()
            opt.zero_grad()
            with pytest.raises((AttributeError, RuntimeError)):
                half.zero_grad()
            with pytest.raises((AttributeError, RuntimeError)):
                empty.zero_grad()
    assert t.trace.warnings == () and [f.name for f in t.findings] == ["zeroed"]
    counts = t.trace.counts()
    assert counts["backward"] == counts["step"] == 6
    assert [o.name for o in t.trace.optimizers] == ["opt"]
    said = str(grad_state())
    assert "SGD" in said and "could not" not in said and "half" not in said

"""Many generations of one name, and tensors that are no leaves (names: ``test_roads_names``)."""

from __future__ import annotations

import importlib
import runpy
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from ipygradmagic import trace as tracing
from ipygradmagic.record.trace import Trace
from tests.capture.programs import alarms, run

TWO_MODELS = """
    import torch
    model = torch.nn.Linear(3, 1)
    probe = torch.nn.Linear(3, 1)
    opt = torch.optim.SGD(model.parameters(), 0.1)
    def train():
        for _ in range(3):
            probe.zero_grad()
            probe(torch.ones(2, 3)).sum().backward()
            opt.zero_grad()
            model(torch.ones(2, 3)).sum().backward()
            opt.step()
"""
FIT = """
    opt = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        opt.zero_grad()
        model(torch.ones(2, 3, dtype=model.weight.dtype)).sum().backward()
        opt.step()
"""
BOTH = {"model.weight", "model.bias"}


def _leaves(trace: Trace) -> set[str]:
    return {t.name for t in trace.tensors if t.kind == "leaf"}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Writes a module that can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, source: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(source))
        return path

    return write


def test_globals_of_an_imported_module(module: Callable[[str, str], Path]) -> None:
    module("its_own_globals", TWO_MODELS)
    mine = importlib.import_module("its_own_globals")
    with tracing() as t:
        mine.train()
    assert _leaves(t.trace) == {"model.weight", "model.bias", "probe.weight", "probe.bias"}
    assert all(x.registered for x in t.tensors)
    assert not alarms(t.trace)


def test_globals_of_a_script(module: Callable[[str, str], Path]) -> None:
    path = module("a_script_of_its_own", TWO_MODELS + "    train()\n")
    with tracing() as t:
        runpy.run_path(str(path))
    assert _leaves(t.trace) == {"model.weight", "model.bias", "probe.weight", "probe.bias"}
    assert not alarms(t.trace)


def test_equal_names_of_two_modules_are_told_apart(module: Callable[[str, str], Path]) -> None:
    for name in ("one_of_two", "two_of_two"):
        module(name, TWO_MODELS)
    one, two = map(importlib.import_module, ("one_of_two", "two_of_two"))
    with tracing() as t:
        one.train()
        two.train()
    theirs = {f"{m}.{k}" for m in ("model", "probe") for k in ("weight", "bias")}
    assert _leaves(t.trace) == theirs | {f"two_of_two.{n}" for n in theirs}
    assert not t.trace.counts().get("rebind")
    assert not alarms(t.trace)


def test_master_weights_in_a_script(module: Callable[[str, str], Path]) -> None:
    path = module(
        "master_weights_script",
        """
        import torch
        model = torch.nn.Linear(3, 1).bfloat16()
        master = [p.detach().clone().float().requires_grad_() for p in model.parameters()]
        opt = torch.optim.SGD(master, 0.1)
        for _ in range(3):
            model.zero_grad()
            model(torch.ones(2, 3).bfloat16()).float().sum().backward()
            for mp, p in zip(master, model.parameters()):
                mp.grad = p.grad.float()
            opt.step()
            for mp, p in zip(master, model.parameters()):
                p.data.copy_(mp.data)
        """,
    )
    with tracing() as t:
        runpy.run_path(str(path))
    assert _leaves(t.trace) == {*BOTH, "master[0]", "master[1]"}
    assert not alarms(t.trace)


@pytest.mark.parametrize("cast", ["to('cpu')", "float()", "double()", "bfloat16()"])
def test_a_model_that_is_cast_before_it_is_bound_in_a_function(cast: str) -> None:
    body = textwrap.indent(textwrap.dedent(FIT), "    ")
    trace = run(f"def train():\n    model = nn.Linear(3, 1).{cast}{body}train()")
    assert _leaves(trace) == BOTH and not trace.counts().get("rebind")


def test_a_model_that_is_cast_by_a_helper_function() -> None:
    body = textwrap.indent(textwrap.dedent(FIT), "    ")
    helper = "def cast(m): return m.double()\n"
    trace = run(f"{helper}def train():\n    model = cast(nn.Linear(3, 1)){body}train()")
    assert _leaves(trace) == BOTH and not trace.counts().get("rebind")


def test_a_model_that_a_function_makes_casts_and_hands_back() -> None:
    helper = "def make():\n    m = nn.Linear(3, 1)\n    m.double()\n    return m\n"
    trace = run(f"{helper}model = make()\n{textwrap.dedent(FIT)}")
    assert _leaves(trace) == BOTH and not trace.counts().get("rebind")


def test_a_function_that_is_called_again_keeps_its_name() -> None:
    trace = run(
        """
        def once(net):
            net.zero_grad()
            net(torch.ones(2, 3)).sum().backward()
        def main():
            nets = [nn.Linear(3, 1)]
            for _ in range(3):
                once(nets[0])
        main()
        """
    )
    assert _leaves(trace) == {"net.weight", "net.bias"}


def test_a_trainer_that_casts_its_model() -> None:
    trace = run(
        """
        class T:
            def __init__(self):
                self.net = nn.Linear(3, 1).to("cpu")
                self.opt = torch.optim.SGD(self.net.parameters(), 0.1)
            def fit(self):
                for _ in range(3):
                    self.opt.zero_grad()
                    self.net(torch.ones(2, 3)).sum().backward()
                    self.opt.step()
        def main():
            T().fit()
        main()
        """
    )
    assert _leaves(trace) == {"self.net.weight", "self.net.bias"}


def test_five_thousand_generations_of_one_name_are_bounded() -> None:
    trace = run(
        """
        def loop(params):
            for epoch in range(5000):
                loss = ((params - 3) ** 2).mean()
                loss.backward()
                params = (params - 0.01 * params.grad).detach().requires_grad_()
            return params
        params = loop(torch.zeros(2, requires_grad=True))
        """
    )
    assert trace.total == 10_000
    assert {t.name for t in trace.tensors if t.kind == "leaf"} == {"params"}
    (book,) = trace.ledger.books
    assert book.leaves == 5000 and book.rebinds == 5000


def test_retained_non_leaf_and_plain_non_leaf() -> None:
    trace = run(
        "w = torch.ones(2, requires_grad=True)\ny = w * 2\nz = y.sum()\ny.retain_grad()\nz.backward()"
    )
    found = {t.name: t.kind for t in trace.tensors}
    assert found == {"w": "leaf", "y": "retained", "z": "non-leaf"}

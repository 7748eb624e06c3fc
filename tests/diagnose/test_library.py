"""What is proposed where a library's loop does it all: words, and no line that is not the user's."""

from __future__ import annotations

import os
import sysconfig

import pytest

from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Trace
from tests.capture.programs import run

LIBRARY = '''
import torch

class Trainer:
    """A loop with a few hooks."""

    def fit(self, model, rounds=4, optimizer=None):
        self.optimizer = optimizer or torch.optim.Adam(model.parameters())
        for _ in range(rounds):
            self.train_batch(model)

    def train_batch(self, model):
        self.before()
        model(torch.ones(2, 5)).pow(2).mean().backward()
        self.between()
        self.optimizer.step()
        self.after()

    def before(self):
        pass

    def between(self):
        pass

    def after(self):
        self.optimizer.zero_grad()

def backward(loss):
    loss.backward()

def by_hand(model, rounds):
    for _ in range(rounds):
        model(torch.ones(2, 5)).pow(2).mean().backward()
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-0.1)
'''
FORGETS = """
class Mine(Trainer):
    def after(self):
        pass
"""


def traced(code: str, setup: str = "") -> Trace:
    """The trace of a cell after a setup; the library lies beside torch."""
    lib: dict[str, object] = {}
    file = os.path.join(sysconfig.get_paths()["purelib"], "trainers.py")
    exec(compile(LIBRARY, file, "exec"), lib)
    namespace = {name: lib[name] for name in ("Trainer", "backward", "by_hand")}
    exec(f"import torch\nfrom torch import nn\n{setup}\nmodel = nn.Linear(5, 5)", namespace)
    return run(code, namespace)


def found(trace: Trace, name: str) -> Finding:
    return next(f for f in trace.findings if f.name == name)


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("Mine().fit(model)", "fit"),
        ("opt = torch.optim.SGD(model.parameters(), 0.1)\nMine().fit(model, optimizer=opt)", "fit"),
        ("by_hand(model, 3)", "by_hand"),
    ],
)
def test_a_library_that_is_kept_from_clearing(code: str, function: str) -> None:
    remedy = found(traced(code, FORGETS), "stale-gradient").remedy
    assert remedy is not None
    assert remedy.text.startswith(f"The loop belongs to {function}(), which should clear")
    assert (remedy.code, remedy.edit, remedy.diff) == ("", None, "")


def test_a_library_that_clears_too_early() -> None:
    between = "class Mine(Trainer):\n    between = Trainer.after\n"
    remedy = found(traced("Mine().fit(model)", between), "cleared-before-step").remedy
    assert remedy is not None
    assert remedy.text.startswith("The loop belongs to fit(), which decides on the order")
    assert (remedy.code, remedy.edit, remedy.diff) == ("", None, "")


@pytest.mark.parametrize("named", [False, True])
def test_what_was_there_before_the_loop(named: bool) -> None:
    given = ", optimizer=opt" if named else ""
    code = f"""
    {"opt = torch.optim.SGD(model.parameters(), 0.1)" if named else ""}
    model(torch.ones(1, 5)).sum().backward()
    Trainer().fit(model{given})
    """
    remedy = found(traced(code), "leftover-before-first-step").remedy
    assert remedy is not None and remedy.text == "Clear the gradients before fit() is called."
    assert remedy.code == ("opt.zero_grad()" if named else "model.zero_grad()")


def test_a_loop_of_the_users_own_around_calls_of_a_library() -> None:
    code = """
    opt = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        backward(model(torch.ones(2, 5)).pow(2).mean())
        opt.step()
    """
    remedy = found(traced(code), "stale-gradient").remedy
    assert remedy is not None and remedy.code == "opt.zero_grad()" and remedy.edit is not None

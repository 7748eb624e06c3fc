"""Leaves are called what the user calls them, wherever they live."""

from __future__ import annotations

import pytest

from tests.capture.programs import run

CASES = [
    ("w = torch.ones(2, requires_grad=True)\nw.sum().backward()", {"w"}),
    ("params = [torch.ones(2, requires_grad=True)]\nparams[0].sum().backward()", {"params[0]"}),
    ("p = {'w': torch.ones(2, requires_grad=True)}\np['w'].sum().backward()", {"p['w']"}),
    (
        "model = nn.Sequential(nn.Linear(1, 1))\nmodel(torch.ones(1)).sum().backward()",
        {"model[0].weight", "model[0].bias"},
    ),
    (
        "class Net(nn.Module):\n  def __init__(self):\n    super().__init__()\n    self.linear = nn.Linear(1, 1)\n"
        "model = Net()\nmodel.linear(torch.ones(1)).sum().backward()",
        {"model.linear.weight", "model.linear.bias"},
    ),
    (
        "layers = [nn.Linear(1, 1) for _ in range(2)]\nlayers[1](torch.ones(1)).sum().backward()",
        {"layers[1].weight", "layers[1].bias"},
    ),
    (
        "def f():\n  params = torch.ones(2, requires_grad=True)\n  params.sum().backward()\nf()",
        {"params"},
    ),
    (
        "class A:\n  def __init__(self): self.w = torch.ones(1, requires_grad=True)\n"
        "  def go(self): self.w.sum().backward()\na = A()\na.go()",
        {"a.w"},
    ),
    (
        "def f():\n  class A: pass\n  a = A(); a.w = torch.ones(1, requires_grad=True)\n  a.w.sum().backward()\nf()",
        {"a.w"},
    ),
    ("权重 = torch.ones(1, requires_grad=True)\n权重.sum().backward()", {"权重"}),
    (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n  w: object\n"
        "p = P(torch.ones(1, requires_grad=True))\np.w.sum().backward()",
        {"p.w"},
    ),
    (
        "fs = [lambda x=torch.ones(1, requires_grad=True): x.sum()]\nfs[0]().backward()",
        {"‹unnamed 1 #1›"},
    ),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_names(source: str, expected: set[str]) -> None:
    trace = run(source)
    reached = {t.name for t in trace.tensors if t.kind == "leaf" and t.reached}
    assert reached == expected


def test_two_names_for_one_tensor_are_both_kept() -> None:
    trace = run("w = torch.ones(1, requires_grad=True)\nalias = w\nw.sum().backward()")
    (leaf,) = [t for t in trace.tensors if t.kind == "leaf"]
    assert {leaf.name, *leaf.aliases} == {"w", "alias"}


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

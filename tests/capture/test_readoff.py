"""Gradients that are read into something else before they are cleared have not been thrown away."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from ipygradmagic import trace

_PROGRAM = """
import torch

torch.manual_seed(0)
w = torch.nn.Parameter(torch.randn(3))
optimizer = torch.optim.SGD([w], lr=0.1)
store, total, by_name = [], torch.zeros(3), {{}}

class Book:
    def __init__(self):
        self.sum, self.norms = 0, []
    def take(self, p):
        self.sum = self.sum + p.grad
    def note(self, p):
        self.norms.append(p.grad.norm())
    def put_by(self, g):
        self.sum = self.sum + g
    def measure(self, g):
        self.norms.append(g.norm().item())

def gradient():
    return w.grad.clone()

def backward():
    (w * torch.randn(3)).sum().backward()

book = Book()
for epoch in range(4):
    optimizer.zero_grad()
    for i in range(5):
        backward()
{reading}
        if i % 2 == 1:
            optimizer.step()
            optimizer.zero_grad()
"""

_KEPT = (
    "total += w.grad",
    "total.add_(w.grad, alpha=0.1)",
    "store.append(w.grad.clone())",
    "by_name['w'] = w.grad.detach().cpu().numpy().copy()",
    "g = w.grad.clone(); total = total + g; store.append(total)",
    "store += [p.grad.clone() for p in [w]]",
    "for p in [w]:\n    if p.grad is not None:\n        total += p.grad ** 2",
    "for p in [w]:\n    if p.grad is None:\n        continue\n    total += p.grad ** 2",
    "for g in [w.grad]:\n    total += g",
    "with torch.no_grad():\n    total.mul_(0.9).add_(w.grad)",
    "book.take(w)",
    "book.put_by(w.grad)",
    "gradient()",
    "if i % 2:\n    total += w.grad\nelse:\n    store.append(w.grad.clone())",
    "store.append(torch.stack([w.grad, w.grad]).mean(0))",
)
_NOT_KEPT = (
    "pass",
    "print(w.grad.norm())",
    "store.append(w.grad.norm().item())",
    "store.append(w.grad.norm())",
    "by_name['w'] = w.grad.abs().max()",
    "total += w.grad.mean()",
    "store.append(torch.norm(torch.stack([p.grad.norm() for p in [w]])))",
    "g = w.grad.clone(); print(g)",
    "if i > 90:\n    total += w.grad",
    "if i % 2:\n    store.append(w.grad.clone())",
    "w.grad.mul_(1.0)",
    "w.grad = w.grad * 1.0",
    "book.note(w)",
    "book.measure(w.grad)",
    "keep = lambda: store.append(w.grad.clone())",
    "store.append(w.grad is None)",
    "torch.nn.utils.clip_grad_norm_([w], 1e9)",
)


def _told(tmp_path: Path, reading: str) -> bool:
    path = tmp_path / "program.py"
    path.write_text(_PROGRAM.format(reading=textwrap.indent(reading, " " * 8)))
    code = compile(path.read_text(), str(path), "exec")
    with trace() as recorded:
        exec(code, {"__name__": "__main__"})
    return any(f.name == "discarded-contribution" and f.alarm for f in recorded.findings)


@pytest.mark.parametrize("reading", _KEPT)
def test_kept(tmp_path: Path, reading: str) -> None:
    assert not _told(tmp_path, reading)


@pytest.mark.parametrize("reading", _NOT_KEPT)
def test_not_kept(tmp_path: Path, reading: str) -> None:
    assert _told(tmp_path, reading)

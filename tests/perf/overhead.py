"""Prints traced/untraced time ratios: ``python -m tests.perf.overhead [rounds]``.

Chunks of plain and traced steps alternate in one process in random order; the ratio is that
of the medians, with the quartiles of the paired ratios as spread. Peers are measured in a
later issue; this one guards against getting slower without noticing.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import nn

from ipygradmagic import trace


def w1() -> tuple[Callable[[], None], int]:
    """Two scalar parameters, hand-written SGD."""
    w = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    x, y = torch.randn(16), torch.randn(16)

    def step() -> None:
        loss = ((w * x + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w.sub_(0.01 * w.grad)
            b.sub_(0.01 * b.grad)
        w.grad.zero_()
        b.grad.zero_()

    return step, 1000


def _module(
    model: nn.Module, x: torch.Tensor, optimizer: torch.optim.Optimizer
) -> Callable[[], None]:
    def step() -> None:
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()

    return step


def w2() -> tuple[Callable[[], None], int]:
    """MLP 3 x 256, batch 64, Adam."""
    model = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    return _module(model, torch.randn(64, 64), torch.optim.Adam(model.parameters())), 150


def w3() -> tuple[Callable[[], None], int]:
    """CNN of about a million parameters."""
    model = nn.Sequential(
        nn.Conv2d(3, 64, 3, 2),
        nn.ReLU(),
        nn.Conv2d(64, 128, 3, 2),
        nn.ReLU(),
        nn.Conv2d(128, 256, 3),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, 10),
    )
    return _module(
        model, torch.randn(8, 3, 32, 32), torch.optim.SGD(model.parameters(), lr=0.01)
    ), 10


def w4() -> tuple[Callable[[], None], int]:
    """Transformer encoder of about ten million parameters, AdamW."""
    layer = nn.TransformerEncoderLayer(384, 6, 1536, batch_first=True, dropout=0.0)
    model = nn.TransformerEncoder(layer, 5)
    return _module(model, torch.randn(4, 32, 384), torch.optim.AdamW(model.parameters())), 2


def w5() -> tuple[Callable[[], None], int]:
    """200 small layers, SGD: 400 tensors."""
    model = nn.Sequential(*[nn.Linear(16, 16) for _ in range(200)])
    return _module(model, torch.randn(8, 16), torch.optim.SGD(model.parameters(), lr=0.001)), 30


def w6() -> tuple[Callable[[], None], int]:
    """A hundred million parameters in three tensors, SGD."""
    model = nn.Sequential(nn.Linear(5000, 10000, bias=False), nn.Linear(10000, 5000))
    return _module(model, torch.randn(4, 5000), torch.optim.SGD(model.parameters(), lr=0.001)), 1


def chunk(step: Callable[[], None], steps: int, traced: bool) -> float:
    if traced:
        with trace(namespace={}, graph=False):
            begin = time.perf_counter()
            for _ in range(steps):
                step()
            return time.perf_counter() - begin
    begin = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - begin


def measure(
    make: Callable[[], tuple[Callable[[], None], int]], rounds: int
) -> tuple[float, float, float]:
    step, steps = make()
    chunk(step, steps, traced=False)
    chunk(step, steps, traced=True)
    plain: list[float] = []
    traced: list[float] = []
    for _ in range(rounds):
        for kind in random.sample((False, True), 2):
            (traced if kind else plain).append(chunk(step, steps, kind))
    pairs = sorted(t / p for t, p in zip(traced, plain))
    low, high = pairs[len(pairs) // 4], pairs[(3 * len(pairs)) // 4]
    return statistics.median(traced) / statistics.median(plain), low, high


def main() -> None:
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    print(f"torch {torch.__version__}, one thread, {rounds} paired chunks")
    print(f"{'workload':60s} ratio  (quartiles)")
    for make in (w1, w2, w3, w4, w5, w6):
        ratio, low, high = measure(make, rounds)
        print(f"{make.__name__} {make.__doc__:57s} {ratio:5.2f}  ({low:.2f}-{high:.2f})")


if __name__ == "__main__":
    main()

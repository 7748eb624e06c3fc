"""Prints traced/untraced time ratios: ``python -m tests.perf.overhead [rounds] [workloads] [tools]``.

For each workload, chunks of plain steps and of steps under every tool alternate in one process
in random order; a ratio is that of the medians, with the quartiles of the paired ratios as
spread. The first steps of a chunk, in which a tool does what it does once (naming, the first
copies, learning what a round is), are not timed; nor is the making of the report. "Reading alone"
and "wrappers alone" are parts of ours, "and checks" the wrappers with the least that every event
has to be asked: ours cannot come below reading and checks together, nor level ``events`` below
the checks, without leaving something out. Peers that are not installed are left out: ``pip install
wandb tensorboard`` for all of them.
"""

from __future__ import annotations

import gc
import importlib.util
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType, SimpleNamespace
from typing import Any

import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.capture.intercept import Interception
from ipygradmagic.capture.snapshot import look
from ipygradmagic.capture.teams import GRAD, VERSION, Layout, Pack

WARM_UP = 10
"""Steps of every chunk before the clock starts: by then ours has learned what a round is."""


@dataclass(frozen=True)
class Workload:
    """Steps to be timed, how many make a chunk, and the model that they train."""

    step: Callable[[], None]
    steps: int
    model: nn.Module


class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(1.0))
        self.b = nn.Parameter(torch.tensor(0.0))


def w1() -> Workload:
    """Two scalar parameters, hand-written SGD."""
    model = Line()
    w, b = model.w, model.b
    x, y = torch.randn(16), torch.randn(16)

    def step() -> None:
        loss = ((w * x + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w.sub_(0.01 * w.grad)
            b.sub_(0.01 * b.grad)
        w.grad.zero_()
        b.grad.zero_()

    return Workload(step, 1000, model)


def _module(
    model: nn.Module, x: torch.Tensor, optimizer: torch.optim.Optimizer, steps: int
) -> Workload:
    def step() -> None:
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()

    return Workload(step, steps, model)


def w2() -> Workload:
    """MLP 3 x 256, batch 64, Adam."""
    model = nn.Sequential(
        nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    return _module(model, torch.randn(64, 64), torch.optim.Adam(model.parameters()), 300)


def w3() -> Workload:
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
        model, torch.randn(8, 3, 32, 32), torch.optim.SGD(model.parameters(), lr=0.01), 20
    )


def w4() -> Workload:
    """Transformer encoder of about ten million parameters, AdamW."""
    layer = nn.TransformerEncoderLayer(384, 6, 1536, batch_first=True, dropout=0.0)
    model = nn.TransformerEncoder(layer, 5)
    return _module(model, torch.randn(4, 32, 384), torch.optim.AdamW(model.parameters()), 4)


def w5() -> Workload:
    """200 small layers, SGD: 400 tensors."""
    model = nn.Sequential(*[nn.Linear(16, 16) for _ in range(200)])
    return _module(model, torch.randn(8, 16), torch.optim.SGD(model.parameters(), lr=0.001), 60)


def w6() -> Workload:
    """A hundred million parameters in three tensors, SGD."""
    model = nn.Sequential(nn.Linear(5000, 10000, bias=False), nn.Linear(10000, 5000))
    return _module(model, torch.randn(4, 5000), torch.optim.SGD(model.parameters(), lr=0.001), 3)


@contextmanager
def plain(model: nn.Module) -> Iterator[Callable[[], None]]:
    yield lambda: None


@contextmanager
def ours(model: nn.Module) -> Iterator[Callable[[], None]]:
    with trace(namespace={"model": model}, graph=False):
        yield lambda: None


@contextmanager
def events(model: nn.Module) -> Iterator[Callable[[], None]]:
    with trace(namespace={"model": model}, graph=False, level="events"):
        yield lambda: None


@contextmanager
def anomaly(model: nn.Module) -> Iterator[Callable[[], None]]:
    with torch.autograd.set_detect_anomaly(True):
        yield lambda: None


@contextmanager
def naive(model: nn.Module) -> Iterator[Callable[[], None]]:
    """Seven statistics of every gradient, the way most people write it."""
    seen: list[tuple[float, ...]] = []

    def hook(grad: torch.Tensor) -> None:
        rest = (grad.min().item(), grad.max().item(), (grad == 0).sum().item())
        bad = torch.isnan(grad).sum().item()
        deviation = grad.std(unbiased=False).item()
        seen.append((grad.norm().item(), grad.mean().item(), deviation, *rest, bad))

    handles = [p.register_hook(hook) for p in model.parameters()]
    yield seen.clear
    for handle in handles:
        handle.remove()


@contextmanager
def tensorboard(model: nn.Module) -> Iterator[Callable[[], None]]:
    from torch.utils.tensorboard import SummaryWriter

    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:

        def after() -> None:
            for name, parameter in model.named_parameters():
                if parameter.grad is not None:
                    writer.add_histogram(name, parameter.grad)

        yield after


@contextmanager
def wandb_watch(model: nn.Module) -> Iterator[Callable[[], None]]:
    import wandb

    with tempfile.TemporaryDirectory() as folder:
        quiet = wandb.Settings(mode="offline", silent=True, console="off")
        run = wandb.init(dir=folder, settings=quiet)
        run.watch(model, log="gradients", log_freq=1)
        yield lambda: run.log({})
        run.unwatch(model)
        run.finish()


@contextmanager
def reading(model: nn.Module) -> Iterator[Callable[[], None]]:
    """What ours cannot do without: one look at the gradients, and one at the values, kept a while.

    (A loop by hand has each value read before and after it is written.)
    """
    parameters = list(model.parameters())
    layout = Layout([p.shape for p in parameters])
    kept: deque[object] = deque(maxlen=12)
    by_hand = len(parameters) == 2

    def after() -> None:
        grads = [p.grad for p in parameters if p.grad is not None]
        if by_hand:
            kept.append([look(t) for t in (*grads, *parameters, *parameters)])
            return
        with torch.no_grad():
            packs = [Pack(layout, tensors, torch.float32) for tensors in (grads, parameters)]
        kept.append((packs[0].finite, packs))

    yield after


@contextmanager
def wrappers(model: nn.Module) -> Iterator[Callable[[], None]]:
    """The wrappers that ours puts around torch, with nobody behind them."""
    nobody: Any = SimpleNamespace(before_step=lambda *_: None, after_step=lambda *_: None)
    patches = Interception(nobody, nobody, nobody, nobody)
    patches.install()
    patches.backward = patches.optimizers = patches.hand = patches.calls = None
    yield lambda: None
    patches.restore()


@contextmanager
def checks(model: nn.Module) -> Iterator[Callable[[], None]]:
    """The wrappers, and before and after each event the least that tells whether it is the next.

    That is the way to the line, and for each leaf which gradient it has, and the version counters:
    below this a level without reading cannot come. (By hand: the one leaf that is written.)
    """
    leaves = list(model.parameters())

    def check(some: Sequence[torch.Tensor]) -> None:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and frame.f_lasti >= 0:
            frame = frame.f_back
        grads = list(map(GRAD, some))
        list(map(id, grads))
        list(map(VERSION, [grad for grad in grads if grad is not None]))
        list(map(VERSION, some))

    def event(original: Callable[..., Any], *args: Any) -> Any:
        check(leaves)
        result = original(*args)
        check(leaves)
        return result

    def backward(engine: Any, outputs: Any, args: Any, kwargs: Any) -> Any:
        return event(lambda: engine(outputs, *args, **kwargs))

    def write(name: str, original: Any, target: Any, args: Any, kwargs: Any) -> Any:
        check((target,))
        return original(target, *args, **kwargs)

    def step(*_: Any) -> None:
        watch.away = not watch.away
        check(leaves)

    watch = SimpleNamespace(away=False, noting=True, local=SimpleNamespace(quiet=0))
    passes: Any = SimpleNamespace(around=backward)
    steps: Any = SimpleNamespace(
        before_step=step,
        after_step=step,
        around_zero=lambda original, owner, args, kwargs: event(original, owner, *args),
    )
    hand: Any = SimpleNamespace(
        watch=watch,
        steady=SimpleNamespace(write=write),
        aliased=lambda tensor: None,
        around_attribute=lambda tensor, name, act, *_: act(),
    )
    patches = Interception(passes, steps, hand, None)  # type: ignore[arg-type]
    patches.install()
    yield lambda: None
    patches.restore()


TOOLS = {
    "ours": (ours, ""),
    "level events": (events, ""),
    "reading alone": (reading, ""),
    "wrappers alone": (wrappers, ""),
    "and checks": (checks, ""),
    "anomaly mode": (anomaly, ""),
    "naive hook": (naive, ""),
    "TensorBoard": (tensorboard, "tensorboard"),
    "wandb.watch": (wandb_watch, "wandb"),
}


def chunk(work: Workload, tool: Callable[..., Any]) -> float:
    """Seconds of its steps; the first ones, run from the same line, are not timed."""
    begin = 0.0
    with tool(work.model) as after:
        for i in range(WARM_UP + work.steps):
            if i == WARM_UP:
                gc.collect()  # what the chunk before has left behind is not this one's
                begin = time.perf_counter()
            work.step()
            after()
        return time.perf_counter() - begin


def measure(
    work: Workload, tools: dict[str, Callable[..., Any]], rounds: int
) -> dict[str, tuple[float, float, float]]:
    """Ratio, lower and upper quartile for each tool."""
    every = {"plain": plain, **tools}
    times: dict[str, list[float]] = {name: [] for name in every}
    for round_ in range(rounds + 1):
        for name in random.sample(sorted(every), len(every)):
            seconds = chunk(work, every[name])
            if round_:  # the first one warms up
                times[name].append(seconds)
    found = {}
    for name in tools:
        pairs = sorted(t / p for t, p in zip(times[name], times["plain"]))
        low, high = pairs[len(pairs) // 4], pairs[(3 * len(pairs)) // 4]
        found[name] = statistics.median(times[name]) / statistics.median(times["plain"]), low, high
    return found


def main() -> None:
    torch.set_num_threads(1)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    wanted = sys.argv[2].split(",") if len(sys.argv) > 2 else ["w1", "w2", "w3", "w4", "w5", "w6"]
    tools = {
        name: tool
        for name, (tool, needs) in TOOLS.items()
        if (not needs or importlib.util.find_spec(needs))
        and (len(sys.argv) < 4 or name in sys.argv[3].split(","))
    }
    print(f"torch {torch.__version__}, one thread, median of {rounds} chunks (quartiles)")
    print(" " * 4 + "".join(f"{name:>22s}" for name in tools))
    for make in (w1, w2, w3, w4, w5, w6):
        if make.__name__ not in wanted:
            continue
        torch.manual_seed(0)  # (a loop that has converged to zero gradients is another loop)
        found = measure(make(), tools, rounds)
        cells = (f"{ratio:.2f} ({low:.2f}-{high:.2f})" for ratio, low, high in found.values())
        print(f"{make.__name__:4s}" + "".join(f"{cell:>22s}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()

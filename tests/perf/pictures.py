"""Times pictures against torchviz and torchview: ``python -m tests.perf.pictures``.

Each gets the same model and loss and makes an SVG with the same layout program; of five turns the
quickest counts (what was slow is not tried again), and nothing is remembered in between. The peers are not
among the test dependencies (``pip install --no-deps torchviz torchview``); one that is not
installed is said to be missing. Neither folds, so their layouts are cut off after ``PATIENCE``.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ipygradmagic.capture.autograd import graph_of
from ipygradmagic.render import layout
from ipygradmagic.render.drawing import drawn
from ipygradmagic.render.layout import find_program
from ipygradmagic.render.pictures import picture_of
from ipygradmagic.render.scene import Scene

PATIENCE = 20.0
"""Seconds for one layout of a peer's."""
TURNS, SLOW = 5, 1.0
"""How often each is timed, unless the first time took more than so many seconds."""


class Recurrent(nn.Module):
    """A cell, unrolled."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps, self.cell = steps, nn.LSTMCell(4, 8)

    def forward(self, x: Tensor) -> Tensor:
        """The last state."""
        state = None
        for _ in range(self.steps):
            state = self.cell(x, state)
        return state[0]


class Transformer(nn.Module):
    """An embedding, blocks, a head."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 32)
        block = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.encoder = nn.TransformerEncoder(block, blocks, enable_nested_tensor=False)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Scores."""
        return self.head(self.encoder(self.embed(x)))


def deep(layers: int) -> nn.Module:
    """Linear layers with an activation each."""
    return nn.Sequential(*(m for _ in range(layers) for m in (nn.Linear(4, 4), nn.Tanh())))


MODELS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "MLP, 3 layers": (lambda: deep(3), torch.randn(2, 4)),
    "MLP, 30 layers": (lambda: deep(30), torch.randn(2, 4)),
    "LSTM, 30 steps": (lambda: Recurrent(30), torch.randn(2, 4)),
    "transformer, 12 blocks": (lambda: Transformer(12), torch.randn(2, 5, 4)),
    "MLP, 1000 layers": (lambda: deep(1000), torch.randn(2, 4)),
    "LSTM, 2000 steps": (lambda: Recurrent(2000), torch.randn(2, 4)),
}


def ours(model: nn.Module, x: Tensor) -> str:
    """Walk, fold, lay out."""
    names = {id(p): (n, i) for i, (n, p) in enumerate(model.named_parameters())}
    loss = model(x).sum()
    begin = time.perf_counter()
    graph = graph_of([loss], ["loss"], lambda leaf: names[id(leaf)])
    walked = time.perf_counter() - begin
    found = drawn(picture_of(Scene.of(graph, (), ()), "loss"))
    total = time.perf_counter() - begin
    shown = found.picture.dot.count(" [label=")
    return f"{total:8.3f} s (walk {walked:.3f}; {len(graph.nodes)} nodes, {shown} drawn)"


def _laid_out(dot: Any, begin: float) -> str:
    made = time.perf_counter() - begin
    nodes = sum("[label=" in line and "->" not in line for line in dot.body)
    try:
        program = str(find_program())
        source = str(dot.source).encode()
        subprocess.run([program, "-Tsvg"], input=source, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"{made:8.3f} s + layout over {PATIENCE:g} s ({nodes} drawn)"
    return f"{time.perf_counter() - begin:8.3f} s ({nodes} drawn)"


def torchviz(model: nn.Module, x: Tensor) -> str:
    """``make_dot`` of the loss."""
    loss = model(x).sum()
    module = importlib.import_module("torchviz")
    begin = time.perf_counter()
    return _laid_out(module.make_dot(loss, params=dict(model.named_parameters())), begin)


def torchview(model: nn.Module, x: Tensor) -> str:
    """``draw_graph`` of the model; it runs the model itself, which is part of its time."""
    module = importlib.import_module("torchview")
    begin = time.perf_counter()
    return _laid_out(module.draw_graph(model, input_data=x, depth=9).visual_graph, begin)


def _tried(draw: Callable[[nn.Module, Tensor], str], model: nn.Module, x: Tensor) -> str:
    if draw is not ours and importlib.util.find_spec(draw.__name__) is None:
        return "not installed"
    found: list[str] = []
    try:
        while len(found) < TURNS and not (found and float(found[0].split()[0]) > SLOW):
            layout._DONE.clear()
            found.append(draw(model, x))
    except Exception as fault:
        return f"{type(fault).__name__}: {str(fault)[:40]}"
    return min(found)  # (numbers of one width)


def main() -> None:
    """Print the table."""
    torch.manual_seed(0)
    print(f"layout by {find_program()}")
    for name, (make, x) in MODELS.items():
        model = make()
        for draw in (ours, torchviz, torchview):
            print(f"{name:24}{draw.__name__:12}{_tried(draw, model, x)}", flush=True)


if __name__ == "__main__":
    main()

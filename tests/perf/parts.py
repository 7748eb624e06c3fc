"""What each check of a steady loop by hand costs: ``python -m tests.perf.parts [rounds] [level]``.

Workload W1, plain, traced, and traced with one check left out after the loop was learned, take
turns in one process; printed is what a step takes less without it (lower quartiles). Without
any, what is left is the way through Python's wrappers, and appending numbers to a list. A check
that is left out here is one that some test of ``tests/capture/test_steady.py`` fails without.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import torch

from ipygradmagic import trace
from ipygradmagic.capture import express, steady
from tests.perf.overhead import WARM_UP, w1

STEPS = 400


def _noted(self: Any, name: str, original: Callable[..., Any], target: Any, args: Any, kw: Any):
    write, _ = self._expects[self._at]
    result = original(target, *args, **kw)
    self._at += 1
    if not write.empties:
        self._values += (1.0, 1.0)
    return result


def _arrived(self: Any) -> bool:
    self._values += (1.0, 1.0)
    return True


def _yes(*_: object) -> bool:
    return True


BEFORE = (steady.Steady, "_expected", _yes)
AFTER = (steady.Steady, "_arrived", _arrived)
WRITES = (steady.Steady, "write", _noted)
LOSS = (steady, "loss_of", lambda outputs: 1.0)
PARTS: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "how the line was reached": ((steady, "same_stack", _yes),),
    "which leaves the graph reaches": ((express.Express, "same_graph", _yes),),
    "the number of the loss": (LOSS,),
    "all before a backward": (BEFORE,),
    "all after a backward": (AFTER,),
    "all around the writes": (WRITES,),
    "everything": (BEFORE, AFTER, WRITES, LOSS),
}


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    level = sys.argv[2] if len(sys.argv) > 2 else "full"
    work = w1()
    times: dict[str, list[float]] = {name: [] for name in ("plain", "traced", *PARTS)}
    for _ in range(rounds):
        for name in random.sample(sorted(times), len(times)):
            with ExitStack() as stack:
                if name != "plain":
                    stack.enter_context(
                        trace(namespace={"model": work.model}, graph=False, level=level)
                    )
                begin = 0.0
                for i in range(WARM_UP + 2 + STEPS):
                    if i == WARM_UP:
                        for owner, what, how in PARTS.get(name, ()):
                            stack.enter_context(patch.object(owner, what, how))
                    if i == WARM_UP + 2:
                        gc.collect()
                        begin = time.thread_time()
                    work.step()
                times[name].append((time.thread_time() - begin) / STEPS * 1e6)
    low = {name: sorted(some)[len(some) // 4] for name, some in times.items()}
    print(f"plain {low['plain']:.0f} µs, traced {low['traced']:.0f} µs: "
          f"{low['traced'] / low['plain']:.2f}; without")  # fmt: skip
    for name in PARTS:
        less = low["traced"] - low[name]
        print(f"  {name:32s} {less:5.1f} µs less, {low[name] / low['plain']:.2f}")


if __name__ == "__main__":
    main()

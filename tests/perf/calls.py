"""Prints what a step costs beyond plain, function by function: ``python -m tests.perf.calls w2 300``.

Both runs are under cProfile, which makes small functions look dearer than they are: read the
numbers of calls, and the order. A third argument, ``events``, is the level.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from ipygradmagic import trace
from tests.perf import overhead

WARM_UP = 30
"""Steps before the clock starts: by then a loop is steady."""
SHOWN = 40

Counts = dict[tuple[str, int, str], tuple[int, float]]


def profile(step: Callable[[], None], steps: int) -> Counts:
    """Calls and seconds (without those of its callees) of every function."""
    for _ in range(WARM_UP):
        step()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(steps):
        step()
    profiler.disable()
    found = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    return {key: (calls, seconds) for key, (_, calls, seconds, _, _) in found.items()}


def main() -> None:
    torch.set_num_threads(1)
    work = getattr(overhead, sys.argv[1] if len(sys.argv) > 1 else "w2")()
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else work.steps
    level = sys.argv[3] if len(sys.argv) > 3 else "full"
    plain = profile(work.step, steps)
    with trace(namespace={"model": work.model}, graph=False, level=level):
        traced = profile(work.step, steps)
    rows = []
    for key, (calls, seconds) in traced.items():
        before = plain.get(key, (0, 0.0))
        rows.append(((seconds - before[1]) / steps * 1e6, (calls - before[0]) / steps, key))
    rows.sort(reverse=True)
    for micros, calls, (file, line, name) in rows[:SHOWN]:
        place = f"{Path(file).name}:{line}" if line else "C"
        print(f"{micros:8.1f} us {calls:7.1f} calls  {place:24s} {name}")
    ours = [row for row in rows if "ipygradmagic" in row[2][0]]
    print(f"{sum(r[0] for r in ours):8.1f} us {sum(r[1] for r in ours):7.1f} calls  ours, together")
    print(f"{sum(r[0] for r in rows):8.1f} us {sum(r[1] for r in rows):7.1f} calls  in all")


if __name__ == "__main__":
    main()

"""Many traced cells in one shell: ``python -m tests.perf.cells [count]``; nothing may pile up.

Prints resident memory and the number of objects known to the garbage collector at ten points.
IPython 9 keeps every displayed output in ``history_manager.outputs`` (a kernel's does not pass
there); that is emptied after each cell, so that what is left is ours. The same cells without the
magic are run first for comparison.
"""

from __future__ import annotations

import contextlib
import gc
import io
import sys
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from tests.perf.long import resident

SETUP = """
import torch
torch.set_num_threads(1)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
"""
CELL = """
w = torch.ones(2, requires_grad=True)
for _ in range(3):
    optimizer.zero_grad()
    (model(torch.ones(3, 2) * w)).pow(2).mean().backward()
    optimizer.step()
"""


def cell(shell: Any, magic: str = "%%trace_grad") -> None:
    """Run the cell; what it prints is thrown away."""
    with contextlib.redirect_stdout(io.StringIO()):
        result = shell.run_cell(f"{magic}{CELL}")
    assert result.success
    getattr(shell.history_manager, "outputs", {}).clear()


def counted() -> int:
    """Objects that the garbage collector knows."""
    gc.collect()
    return len(gc.get_objects())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    shell: Any = InteractiveShell.instance(colors="nocolor")
    shell.run_cell(SETUP)
    shell.extension_manager.load_extension("ipygradmagic")
    for magic in ("#", "%%trace_grad"):
        print(f"cells that begin with {magic}\n{'cell':>6s} {'MiB':>8s} {'objects':>9s}")
        for i in range(count):
            cell(shell, magic)
            if (i + 1) % max(1, count // 10) == 0:
                print(f"{i + 1:6d} {resident():8.1f} {counted():9d}", flush=True)


if __name__ == "__main__":
    main()

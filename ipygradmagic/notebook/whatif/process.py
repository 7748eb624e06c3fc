"""A process of its own from start to end, with all that it has started itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ipygradmagic.notebook.whatif.plan import Plan, output_file

GRACE = 10.0
"""Seconds that a process has left, after its cell was interrupted, to write down what it knows."""
_START = """\
import json, sys
sys.path[:] = json.load(open(sys.argv[1] + "/plan.json", encoding="utf-8"))["path"]
from ipygradmagic.notebook.whatif.child import main
main(sys.argv[1])
"""


def rehearse(plan: Plan, folder: Path) -> tuple[float, int | None]:
    """Run the plan to its end or to its time limit.

    Whatever happens, nothing of it runs on afterwards.

    Returns:
        How many seconds it took, and its exit status; None if it had to be killed.
    """
    plan.write(folder)
    began = time.perf_counter()
    with output_file(folder).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )
        status = None
        try:
            with _interruptible(), suppress(subprocess.TimeoutExpired):
                status = process.wait(plan.limit + GRACE)
        finally:
            _end(process)
    return time.perf_counter() - began, status


def _environment() -> dict[str, str]:
    """As here; sets iterate alike in both processes, and figures need no window."""
    return {**os.environ, "PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of it: also workers that outlived it."""
    if sys.platform == "win32":
        if process.poll() is None:
            command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C through: while a cell with ``await`` ends, ipykernel would keep it."""
    previous = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or previous is None:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)

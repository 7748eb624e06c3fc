"""The process of its own: runs the cells of a plan in a shell of its own, the last one traced.

What only acts on the outside world and is there already is not done again: shell commands whose
output is not used (``!pip install``), and windows. Everything else repeats.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

from ipygradmagic.notebook.cell import FirstLine, Preparation
from ipygradmagic.notebook.whatif.plan import (
    SEED,
    Plan,
    Step,
    events_file,
    finals_file,
    progress_file,
    verdict_file,
)
from ipygradmagic.record.ledger import LedgerReport
from ipygradmagic.record.trace import Trace

MOST_FINAL = 5_000_000
"""Elements of the leaves whose last values are handed back."""
_SCRIPTS = ("bash", "sh", "script", "system", "sx", "cmd", "pypy", "perl", "ruby", "writefile")


class QuietShell(InteractiveShell):  # type: ignore[misc,unused-ignore]
    """A shell that opens no window and starts no command for its effect alone."""

    def enable_gui(self, gui: object = None) -> None:
        """No event loop is integrated: nobody looks."""

    def enable_matplotlib(self, gui: object = None) -> tuple[str, str]:
        """Figures go nowhere."""
        return "agg", "agg"

    def system(self, cmd: str) -> None:
        """``!command``: what it did to the disk is there already."""
        print(f"(not run again: !{cmd})")

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> object:
        """The same for ``%%bash`` and its like, and for ``%%writefile``."""
        if magic_name in _SCRIPTS:
            print(f"(not run again: %%{magic_name})")
            return None
        return super().run_cell_magic(magic_name, line, cell)  # type: ignore[no-untyped-call]


class Child:
    """Runs the plan, and writes down how far it has come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plan = Plan.read(folder / "plan.json")
        self._out_of_time = threading.Event()
        self._runs = 0

    def run(self) -> int:
        """The exit status: 0 if the cell has run to its end, else 1."""
        threading.Thread(target=self._watch, daemon=True).start()
        from ipygradmagic.capture.rehearsal import seed

        seed(SEED, self._plan.threads)
        shell = _shell(self._plan)
        for step in self._plan.steps:
            self.tell(cell=step.number, traced=step.traced, printed=_printed())
            result = self._traced(shell, step) if step.traced else _run(shell, step)
            if self._out_of_time.is_set():
                self.tell(cut=step.number)
                return 1
            if not result.success:
                self.tell(failed=step.number, **_error(result))
                return 1
        self.tell(done=True)
        return 0

    def _traced(self, shell: InteractiveShell, step: Step) -> ExecutionResult:
        from ipygradmagic.api import Session
        from ipygradmagic.options import Options

        file = events_file(self._folder, self._runs)
        self._runs += 1
        session = Session(
            Options(graph=False, save=str(file), ignore=self._plan.ignore),
            namespace=shell.user_ns,
            title=f"In [{step.number}]",
            cell_of=lambda name: _cell_of(shell, name),
        )
        session.start()
        result = None
        try:
            result = _run(shell, step)
        finally:
            self._keep_values()
            self._keep(session.stop(None if result is None else _raised(result)))
        return result

    def _keep(self, trace: Trace) -> None:
        """The verdict."""
        small = replace(trace, events=(), pattern=(), graphs=(), grids=(), ledger=LedgerReport())
        verdict_file(self._folder).write_text(json.dumps(small.to_dict()), encoding="utf-8")

    def _keep_values(self) -> None:
        """What the leaves have become; the books know them only while the trace runs."""
        from ipygradmagic.api import last_values

        values = last_values(MOST_FINAL)
        arrays = {f"v{i}": value for i, value in enumerate(values.values())}
        with finals_file(self._folder).open("wb") as file:
            np.savez(file, names=np.array(list(values), dtype=str), **arrays)  # type: ignore[arg-type]

    def _watch(self) -> None:
        """Interrupt the cell when its time is over; end at once when nobody waits for us."""
        began, parent = time.monotonic(), os.getppid()
        while True:
            time.sleep(min(1.0, self._plan.limit))
            if os.getppid() != parent:
                _end_all()
            if time.monotonic() - began >= self._plan.limit and not self._out_of_time.is_set():
                self._out_of_time.set()
                _thread.interrupt_main()

    def tell(self, **what: object) -> None:
        """Write down how far it has come."""
        with progress_file(self._folder).open("a", encoding="utf-8") as file:
            file.write(json.dumps(what, default=str) + "\n")


def _shell(plan: Plan) -> InteractiveShell:
    shell: Any = QuietShell.instance(colors="nocolor")
    shell.history_manager.enabled = False  # these are not the user's inputs
    shell.extension_manager.loaded.add("ipygradmagic")  # the first line of a traced cell is ours
    shell.input_transformers_cleanup.append(FirstLine())
    shell.ast_transformers.append(Preparation())
    for name in ("trace_grad", "grad_state"):
        shell.register_magic_function(
            _plain(shell) if name == "trace_grad" else _nothing, "line", name
        )
    return shell  # type: ignore[no-any-return]


def _plain(shell: InteractiveShell) -> Any:
    """``%trace_grad statement`` of an earlier cell runs untraced."""

    def trace_grad(line: str) -> None:
        from ipygradmagic.notebook.arguments import split_statement
        from ipygradmagic.notebook.magics import GradMagics, parser_of

        _, statement = split_statement(parser_of(GradMagics, "trace_grad"), line)
        exec(shell.transform_cell(statement), shell.user_ns)  # type: ignore[no-untyped-call]

    return trace_grad


def _printed() -> int:
    """How many bytes of output there are by now."""
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fstat(1).st_size


def _nothing(line: str) -> None:
    """``%grad_state`` only looks."""


def _run(shell: InteractiveShell, step: Step) -> ExecutionResult:
    shell.execution_count = step.number
    result: ExecutionResult = shell.run_cell(step.source)  # type: ignore[no-untyped-call]
    return result


def _cell_of(shell: InteractiveShell, filename: str) -> str | None:
    number = getattr(shell.compile, "_filename_map", {}).get(filename)
    return None if number is None else f"In [{number}]"


def _raised(result: ExecutionResult) -> BaseException | None:
    error = result.error_in_exec
    return result.error_before_exec if error is None else error


def _error(result: ExecutionResult) -> dict[str, object]:
    error = _raised(result)
    return {"type": type(error).__name__, "message": str(error)[:2000]}


def _end_all() -> None:
    """End this process and all that it has started."""
    if sys.platform != "win32":
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main(folder: str) -> None:
    """Run the plan in this folder, and leave: threads and workers of the cells do not keep us."""
    child = Child(Path(folder))
    os.chdir(child._plan.cwd)
    status = 1
    try:
        status = child.run()
    except KeyboardInterrupt:  # out of time between two cells
        child.tell(cut=True)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

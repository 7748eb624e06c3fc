"""Run a program of the benchmark, plain or traced, cell by cell in one namespace."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import linecache
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed

from ipygradmagic.api import Session, forget
from ipygradmagic.options import Options
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Trace
from tests.bench.corpus import Cell, Program
from tests.programs_harness import Fingerprint, Run, rng, seed


@dataclass
class Done(Run):
    """What one run of a program left behind; ``traces`` in the order of its traced cells."""

    traces: list[Trace] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """Of all cells."""
        return [f for t in self.traces for f in t.findings]

    @property
    def alarms(self) -> list[Finding]:
        """Errors and warnings."""
        return [f for f in self.findings if f.alarm]


def run(program: Program, *, traced: bool) -> Done:
    """Run a program in a fresh namespace; an exception ends it, as it ends Run All."""
    done = Done()
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(program.path)}
    out = io.StringIO()
    forget()
    seed()
    labels: dict[str, str] = {}
    with _torch_as_it_was(), _shown(program), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.redirect_stdout(out):
            try:
                for n, cell in enumerate(program.cells, 1):
                    labels[cell.file] = f"In [{n}]"
                    _run_cell(cell, namespace, labels, done, traced and cell.traced)
            except (Exception, KeyboardInterrupt, SystemExit) as error:
                done.error = f"{type(error).__name__}: {error}"
    done.rng = rng()
    done.printed = out.getvalue()
    done.warned = [f"{w.category.__name__}: {w.message} ({w.lineno})" for w in caught]
    look = Fingerprint()
    for name, value in namespace.items():
        if not name.startswith("__"):
            _without_ids(value)
            done.names[name] = look.of(value)
    namespace.clear()
    return done


def _without_ids(value: object) -> None:
    """A scaler that an error stopped midway knows its optimizers by ``id()``, anew in each run."""
    if isinstance(value, torch.amp.GradScaler) and value.is_enabled():
        states: Any = value._per_optimizer_states
        value._per_optimizer_states = dict(enumerate(states.values()))  # type: ignore[assignment]


def _run_cell(
    cell: Cell, namespace: dict[str, Any], labels: dict[str, str], done: Done, traced: bool
) -> None:
    code = compile(cell.text, cell.file, "exec")
    if not traced:
        exec(code, namespace)
        return
    notebook = cell.file.startswith("<")
    session = Session(
        Options(),
        namespace=namespace,
        title=labels[cell.file],
        cell_of=labels.get if notebook else None,
    )
    session.start()
    error: BaseException | None = None
    try:
        exec(code, namespace)
    except BaseException as raised:
        error = raised
        raise
    finally:
        done.traces.append(session.stop(error))


@contextlib.contextmanager
def _shown(program: Program) -> Iterator[None]:
    """The text of cells where ``linecache`` finds it, as IPython puts it there."""
    cells = {c.file: c.text for c in program.cells if c.file.startswith("<")}
    for file, text in cells.items():
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    yield
    for file in cells:
        linecache.cache.pop(file, None)


@contextlib.contextmanager
def _torch_as_it_was() -> Iterator[None]:
    """What buggy programs switch off is switched on again."""
    try:
        yield
    finally:
        torch.set_grad_enabled(True)
        torch.__future__.set_overwrite_module_params_on_conversion(False)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


@functools.cache
def traced(program: Program) -> Done:
    """The traced run, made once."""
    return run(program, traced=True)


@functools.cache
def plain(program: Program) -> Done:
    """The untraced run, made once."""
    return run(program, traced=False)


def quiet() -> None:
    """One thread, so that sums have one order; nothing old in the way of the collector."""
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    assert sys.stdout is not None

"""What is kept does not grow, and nothing that the traced code does can break the trace."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
import weakref
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

import ipygradmagic
from ipygradmagic import trace
from ipygradmagic.api import forget
from ipygradmagic.capture import recorder, tracer
from ipygradmagic.notebook.memory import MOST
from tests.conftest import patched
from tests.perf import cells
from tests.perf.long import train as long_run

PACKAGE = os.path.dirname(ipygradmagic.__file__) + os.sep


# -- bounded -------------------------------------------------------------------------------


def test_a_long_run_keeps_little_and_knows_the_first_and_last_time(monkeypatch) -> None:
    monkeypatch.setattr(recorder, "HEAD", 300)
    monkeypatch.setattr(recorder, "TAIL", 300)
    sizes = []
    for rounds in (600, 3000):
        forget()  # a leaf of the run before would be counted as unchanged
        t, first, last = long_run(rounds)
        (stale,) = [i for i in t.trace.ledger.incidents if i.kind == "stale"]
        assert (stale.count, stale.first_event, stale.last_event) == (5, first, last)
        assert t.trace.total == 3 * rounds - 5
        sizes.append((len(t.events), len(t.tensors), len(str(t).splitlines())))
    short, long = sizes
    assert long[0] <= short[0] + 20 < 700 and long[1] == short[1] and long[2] <= short[2] + 10


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.history_manager.enabled = False
    shell.extension_manager.load_extension("ipygradmagic")
    shell.run_cell(cells.SETUP)
    yield shell
    shell.extension_manager.unload_extension("ipygradmagic")
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def test_cells_pile_nothing_up(shell) -> None:
    for _ in range(MOST + 5):  # until the last traces that are remembered are so many
        cells.cell(shell)
    begin = cells.counted()
    for _ in range(30):
        cells.cell(shell)
    assert cells.counted() - begin < 30  # not one object a cell


def test_the_users_tensors_die_without_the_garbage_collector(shell) -> None:
    """No cycle of ours holds them: reference counts alone let them go."""
    cells.cell(shell)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            cells.cell(shell)
            w, gradient = weakref.ref(shell.user_ns["w"]), weakref.ref(shell.user_ns["w"].grad)
            shell.user_ns["w"] = None
            assert w() is None and gradient() is None
    finally:
        gc.enable()


# -- interrupted ---------------------------------------------------------------------------


class Interrupter:
    """Raises KeyboardInterrupt at the k-th line or call of ours, as a signal would."""

    def __init__(self, k: int) -> None:
        self.left, self.came = k, False

    def __call__(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event in ("line", "call"):
            self.left -= 1
            if self.left == -1:
                self.came = True
                raise KeyboardInterrupt
        return self


def steps(w: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
    for _ in range(2):
        (w * w).sum().backward()
        w.grad.mul_(0.5)
        optimizer.step()
        optimizer.zero_grad()
        w.data -= 0.1


def interrupted(k: int, *, at_end: bool) -> bool:
    """Trace a run into which Ctrl-C comes; at its end for the second time. Whether it came."""
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    signal = Interrupter(k)
    before = sys.gettrace()
    try:
        if not at_end:
            sys.settrace(signal)
        with trace():
            steps(w, optimizer)
            sys.settrace(signal)
            if at_end:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return signal.came


@pytest.mark.parametrize("at_end", [True, False], ids=["a second time", "once"])
def test_ctrl_c_anywhere_in_our_code_leaves_torch_as_it_was(at_end: bool) -> None:
    """The first eighty places one by one, then some of the others.

    At the first instruction of ``__exit__`` Python cannot hold it back (nor, in this test, at the
    ``try`` on its first line): then the next trace puts torch in order. Everywhere else torch is
    in order at once.
    """
    pristine, lost = patched(), 0
    for k in [*range(80), *range(80, 8000, 97 if at_end else 397)]:
        came = interrupted(k, at_end=at_end)
        if tracer._RUNNING:
            lost += 1
            with trace():
                pass
        assert patched().keys() == pristine.keys(), k
        assert all(v is pristine[name] for name, v in patched().items()), k
        assert torch._C._is_torch_function_enabled() and torch.is_grad_enabled()
        assert not tracer._RUNNING
        if not came:
            break
    assert lost <= 2
    w = torch.ones(2, requires_grad=True)
    with trace() as t:
        steps(w, torch.optim.SGD([w], lr=0.1))
    assert t.trace.total == 10 and t.trace.warnings == ()


def test_a_trace_whose_end_was_lost_is_ended_by_the_next() -> None:
    def lost() -> None:
        block = trace(title="lost")
        kept.append(block)  # its owner lives on; only the function is over
        with block:
            sys.settrace(Interrupter(0))

    kept: list[object] = []
    before = sys.gettrace()
    with pytest.raises(KeyboardInterrupt):
        lost()
    sys.settrace(before)
    assert tracer._RUNNING
    with trace() as t:
        steps(w := torch.ones(2, requires_grad=True), torch.optim.SGD([w], lr=0.1))
    assert t.trace.total == 10 and not tracer._RUNNING


def test_an_interrupt_at_the_end_of_a_cell_is_made_good_by_the_next(shell, monkeypatch) -> None:
    from ipygradmagic.notebook.tracing import Run

    finish = Run.finish

    def late(run: Run, error: BaseException | None = None) -> None:
        monkeypatch.setattr(Run, "finish", finish)
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "finish", late)
    shell.run_cell("%%trace_grad\nx = 1")
    assert tracer._RUNNING
    shell.run_cell("y = 2")
    assert not tracer._RUNNING
    assert shell.run_cell(
        "%%trace_grad -o t\nw = torch.ones(1, requires_grad=True); w.sum().backward()"
    )
    assert shell.user_ns["t"].total == 1


class Stops(torch.autograd.Function):
    """Ctrl-C in the backward of a function of the user's own."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        raise KeyboardInterrupt


def test_ctrl_c_in_the_backward_of_a_function() -> None:
    w = torch.ones(2, requires_grad=True)
    t = trace()
    with pytest.raises(KeyboardInterrupt), t:
        (w * 2).sum().backward()
        Stops.apply(w).sum().backward()
    assert [e.error or "" for e in t.events] == ["", "KeyboardInterrupt: "]
    assert w.grad.tolist() == [2.0, 2.0] and t.trace.warnings == ()


# -- odd programs --------------------------------------------------------------------------


def test_module_to_in_swap_mode_is_as_without_us() -> None:
    def convert() -> list[torch.Tensor]:
        torch.manual_seed(0)
        model = nn.Linear(2, 1)
        model(torch.ones(1, 2)).sum().backward()
        model.to(torch.float64)
        torch.utils.swap_tensors(model.bias, nn.Parameter(torch.ones(1, dtype=torch.float64)))
        model(torch.ones(1, 2, dtype=torch.float64)).sum().backward()
        return [model.weight.detach(), model.weight.grad, model.bias.detach(), model.bias.grad]

    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        plain = convert()
        with trace() as t:
            traced = convert()
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
    assert all(torch.equal(a, b) for a, b in zip(plain, traced))
    assert t.trace.counts()["backward"] == 2 and t.trace.warnings == ()


def test_a_module_of_the_users_is_reloaded(tmp_path: Path, monkeypatch) -> None:
    source = "import torch\ndef step(w):\n    (w * {}).sum().backward()\n"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "mine_reloaded.py").write_text(source.format(2))
    mine = importlib.import_module("mine_reloaded")
    w = torch.ones(1, requires_grad=True)
    with trace() as t:
        mine.step(w)
        (tmp_path / "mine_reloaded.py").write_text("\n\n" + source.format(30))
        importlib.invalidate_caches()
        importlib.reload(mine).step(w)
    assert w.grad.tolist() == [32.0] and t.trace.warnings == ()
    assert [e.where.line for e in t.events if e.where] == [3, 5]


def test_two_threads_run_backward_on_one_tensor() -> None:
    w = torch.ones(2, requires_grad=True)

    def work() -> None:
        for _ in range(50):
            (w * 2).sum().backward()

    with trace() as t:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
    assert t.trace.warnings == () and t.trace.total >= 50
    assert "several threads" in str(t).replace("\n", " ") or t.trace.counts()["backward"] == 100


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "raise KeyboardInterrupt", "1 / 0"])
def test_a_cell_that_ends_early_trains_as_far_as_without_us(shell, end: str, capsys) -> None:
    body = f"torch.manual_seed(0)\nw = torch.rand(2, requires_grad=True)\n(w * w).sum().backward()\n{end}"
    shell.run_cell(f"#\n{body}")
    plain = shell.user_ns["w"].grad
    result = shell.run_cell(f"%%trace_grad -o t\n{body}")
    assert not result.success and torch.equal(shell.user_ns["w"].grad, plain)
    assert shell.user_ns["t"].counts()["backward"] == 1
    assert "The code stopped with" in capsys.readouterr().out


def test_the_extension_is_unloaded_inside_the_cell(shell, capsys) -> None:
    body = "w = torch.ones(1, requires_grad=True)\n(w * 3).sum().backward()\n"
    done = shell.run_cell(f"%%trace_grad\n{body}%unload_ext ipygradmagic\n(w * 4).sum().backward()")
    assert done.success and shell.user_ns["w"].grad.tolist() == [7.0]
    assert not tracer._RUNNING and "1 backward" in capsys.readouterr().out
    shell.extension_manager.load_extension("ipygradmagic")

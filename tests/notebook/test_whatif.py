"""``--what-if`` with real processes: as written, as patched, and whatever may go wrong."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch

from ipygradmagic.notebook import tracing
from ipygradmagic.notebook.whatif import compare, process, results
from ipygradmagic.notebook.whatif.plan import Plan, Step

IMPORTS = "import torch\nfrom torch import nn\n_ = torch.manual_seed(0)"
DATA = "x = torch.linspace(-1, 1, 16)[:, None]\ny = 3 * x + 0.5"
MODEL = "model = nn.Linear(1, 1)\nopt = torch.optim.SGD(model.parameters(), lr=0.1)"
LOOP = """\
for i in range({n}):
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    opt.step()
    {more}"""
CELL = "%%trace_grad --no-graph --what-if\n" + LOOP.format(n=30, more="")


@pytest.fixture
def session(bare):
    """Run cells; returns what the last one printed, and its result."""
    bare.run_line_magic("load_ext", "ipygradmagic")

    def run(*cells: str):
        for cell in cells:
            out = io.StringIO()
            with redirect_stdout(out), redirect_stderr(out):
                result = bare.run_cell(cell, store_history=True)
        return out.getvalue(), result

    return run


@pytest.fixture
def kept(monkeypatch):
    """The comparisons that were made, and the state around them."""
    found: list[object] = []
    original = compare.what_if

    def what_if(shell, trace, **settings):
        before = state(shell)
        found.append(original(shell, trace, **settings))
        after = state(shell)
        assert before.keys() == after.keys() and all(
            torch.equal(before[k], after[k]) for k in before
        ), "the session was touched"
        return found[-1]

    monkeypatch.setattr(compare, "what_if", what_if)
    return found


def state(shell) -> dict[str, torch.Tensor]:
    model = shell.user_ns["model"]
    tensors = {n: p.detach().clone() for n, p in model.named_parameters()}
    tensors |= {f"{n}.grad": p.grad.clone() for n, p in model.named_parameters()}
    return tensors | {"rng": torch.get_rng_state()}


def test_the_patched_cell_ends_lower_and_nothing_of_the_session_is_touched(session, bare, kept):
    told, result = session(
        IMPORTS,
        "import asyncio\nasync def data():\n    return 0.5\noffset = await data()",
        "%%time\nx = torch.linspace(-1, 1, 16)[:, None]\ny = 3 * x + offset",
        "!echo never again",
        "%%trace_grad\nk = 1",
        MODEL,
        "unrelated = 1 / 3",
        "broken = nothing",
        CELL,
    )
    assert result.success
    comparison = kept[0]
    assert comparison.cells == (1, 2, 3, 6)
    written, patched = comparison.written.losses[0].rows, comparison.patched.losses[0].rows
    assert len(written) == len(patched) == 30
    assert written[0] == patched[0]
    assert patched[-1][0] < 0.2 * written[-1][0]
    assert written[-1][0] == pytest.approx(bare.user_ns["loss"].item(), rel=1e-6)
    assert comparison.like_yours is True
    assert {f.name for f in comparison.written.findings} >= {"stale-gradient"}
    assert {f.severity for f in comparison.patched.findings} == {"fine"}
    paths = {s.name: s for s in comparison.written.paths}
    assert paths["model.weight"].last[0] == bare.user_ns["model"].weight.item()
    assert dict(comparison.distances)["model.weight"] > 0.1
    assert "Effects on files and over the network repeat" in told
    assert "as patched it ends at" in told and "As patched: nothing wrong found" in told
    assert "never again" not in told


def test_earlier_runs_of_the_cell_come_first_and_are_patched_too(session, kept):
    body = LOOP.format(n=2, more="")
    session(IMPORTS, DATA, MODEL, body, "%%trace_grad --what-if --no-graph\n" + body)
    comparison = kept[0]
    assert comparison.repeated == (4,)
    assert len(comparison.written.losses[0].rows) == 4
    assert {f.severity for f in comparison.patched.findings} == {"fine"}
    assert comparison.like_yours is True


# -- one process ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def limit() -> float:
    """Time enough for the imports on this machine as it is now, and a little more."""
    began = time.perf_counter()
    command = [sys.executable, "-c", "import IPython.core.interactiveshell, ipygradmagic.api"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    return 2 * (time.perf_counter() - began) + 2


def rehearsed(folder: Path, *cells: str, limit: float = 30.0):
    steps = [Step(n, cell) for n, cell in enumerate(cells[:-1], 1)]
    steps.append(Step(len(cells), cells[-1], traced=True))
    plan = Plan(tuple(steps), tuple(sys.path), str(folder), limit, threads=1)
    seconds, status = process.rehearse(plan, folder)
    return results.read(plan, folder, seconds, status, {})


def test_an_error_shows_the_curve_so_far_and_its_last_words(tmp_path):
    cell = LOOP.format(n=9, more="if i == 2: raise ValueError('<b>no</b>')")
    run = rehearsed(tmp_path, IMPORTS, DATA + "\nprint('long ago')", MODEL, cell)
    assert (run.ending, run.cell, run.error) == ("failed", 4, "ValueError: <b>no</b>")
    assert run.steps == 3
    assert run.tail.endswith("ValueError: <b>no</b>") and "long ago" not in run.tail


def test_the_time_limit_ends_a_cell_that_will_not_be_interrupted_politely(tmp_path, limit):
    loop = textwrap.indent(LOOP.format(n=10**6, more="time.sleep(0.05)"), "    ")
    cell = f"import time\ntry:\n{loop}\nexcept KeyboardInterrupt:\n    print('swallowed')"
    run = rehearsed(tmp_path, IMPORTS, DATA, MODEL, cell, limit=limit)
    assert (run.ending, run.cell) == ("cut", 4)
    assert run.steps > 3 and len(run.losses[0].rows) == run.steps
    assert run.findings is not None
    assert limit <= run.seconds < limit + process.GRACE


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_that_ignores_everything_is_killed_with_its_children(
    tmp_path, limit, monkeypatch
):
    monkeypatch.setattr(process, "GRACE", 0.5)
    cell = (
        "import signal, subprocess, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '600'])\nopen('pid', 'w').write(str(child.pid))\n"
        + LOOP.format(n=10**6, more="time.sleep(0.02)")
    )
    run = rehearsed(tmp_path, IMPORTS, DATA, MODEL, cell, limit=limit)
    assert run.ending == "cut" and run.findings is None
    assert run.steps > 3  # what it wrote while it ran is readable
    assert is_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_whose_kernel_was_killed_ends(tmp_path):
    cell = "import os, time\nopen('part', 'w').write(str(os.getpid()))\nos.rename('part', 'pid')"
    Plan((Step(1, cell + "\ntime.sleep(600)"),), tuple(sys.path), str(tmp_path), 500).write(
        tmp_path
    )
    kernel = (
        "import sys, pathlib\nfrom ipygradmagic.notebook.whatif import plan, process\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "process.rehearse(plan.Plan.read(folder / 'plan.json'), folder)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", kernel, str(tmp_path)], env=env)
    for _ in range(600):
        if (tmp_path / "pid").exists():
            break
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert is_gone(int((tmp_path / "pid").read_text()))


def is_gone(pid: int) -> bool:
    """Within some seconds; a dead process whose status nobody has asked for is gone, too."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


def test_an_earlier_cell_that_fails_is_told(tmp_path):
    run = rehearsed(tmp_path, IMPORTS, "name = input()", MODEL)
    assert (run.ending, run.cell) == ("unbuilt", 2)
    assert run.error.startswith("EOFError")


def test_a_process_that_leaves_is_told(tmp_path):
    run = rehearsed(tmp_path, "import os\nos._exit(7)")
    assert run.ending == "failed" and "exit status 7" in run.error


# -- without a comparison ------------------------------------------------------------------


@pytest.fixture
def no_process(monkeypatch):
    def refuse(*_args, **_settings):
        raise AssertionError("a process was started")

    monkeypatch.setattr(compare, "rehearse", refuse)


def test_a_name_that_cannot_be_rebuilt_is_told(session, bare, no_process):
    bare.push({"secret": 1})
    cell = CELL.replace("range(30)", "range(30 * secret)")
    told, result = session(IMPORTS, DATA, MODEL, cell)
    assert result.success
    assert "--what-if: cannot rebuild secret (used in In [4], line 2)" in told


def test_without_a_patch_there_is_nothing_to_compare(session, no_process):
    told, _ = session(
        IMPORTS, DATA, MODEL, CELL.replace("    loss.b", "    opt.zero_grad()\n    loss.b")
    )
    assert compare.NOTHING in told


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%trace_grad --what-if print(1)", "--what-if is for a whole cell"),
        ("%%trace_grad --what-if --time-limit 0\nprint(1)", "--time-limit needs a number"),
        ("%%trace_grad --what-if --time-limit nan\nprint(1)", "--time-limit needs a number"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(session, cell, said):
    told, result = session(cell)
    assert said in told and not result.success and "\n1\n" not in told


def test_a_fault_of_ours_leaves_the_cell_alone(session, monkeypatch):
    def broken(*_args, **_settings):
        raise OSError("no space left")

    monkeypatch.setattr(compare, "rehearse", broken)
    told, result = session(IMPORTS, DATA, MODEL, CELL)
    assert result.success
    assert "could not compare the cell with its patch (OSError: no space left)" in told


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_stops_the_process_and_the_cell_has_run(session, bare, monkeypatch):
    started: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen

    def popen(*args, **settings):
        started.append(original(*args, **settings))
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        return started[-1]

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    told, result = session(IMPORTS, DATA, MODEL, CELL)
    assert result.success and "Forgotten zero_grad" in told
    assert compare.STOPPED in told
    assert len(started) == 1 and started[0].poll() is not None
    assert bare.user_ns["loss"].item() > 0


def test_an_interrupted_cell_is_not_run_again(session, no_process):
    cell = CELL + "\n    if i == 3: raise KeyboardInterrupt"
    told, result = session(IMPORTS, DATA, MODEL, cell)
    assert not result.success and compare.INTERRUPTED in told


def test_the_option_is_off_by_default():
    assert tracing.Request.__dataclass_fields__["what_if"].default is False

"""``--diff``: which two runs are compared."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from ipygradmagic.notebook.diff import body, last_pair, similar
from ipygradmagic.notebook.memory import Memory
from ipygradmagic.options import Options
from ipygradmagic.record.events import Event
from ipygradmagic.record.trace import Trace

LOOP = "for x in data:\n    loss = f(x)\n    loss.backward()\n    opt.step()"
FIXED = LOOP.replace("    loss.b", "    opt.zero_grad()\n    loss.b")


def test_a_cell_and_its_fixed_version(run) -> None:
    run("data = ()")
    run(f"%%trace_grad\n{LOOP}")
    run("%%trace_grad\nsomething_else = 1\nand_more = 2")
    run(f"%%trace_grad --rows 9\n{FIXED}")
    r = run("%trace_grad --diff")
    assert r.ok and f"REPORT difference In [2] In [4] {(LOOP, FIXED)}" in r.out


def test_a_later_run_of_another_cell_is_no_hindrance(run) -> None:
    run("data = ()")
    run(f"%%trace_grad\n{LOOP}")
    run(f"%%trace_grad\n{LOOP}")
    run("%%trace_grad\nplot = 1")
    assert "In [2] In [3]" in run("%trace_grad --diff").out


def test_watched_cells_and_statements_count(run, api) -> None:
    api.events[:] = [Event(1, "step", 1, "step")]
    run("%trace_grad --on")
    run("x = 1")
    run("x = 1")
    run("%trace_grad --off")
    api.events.clear()
    assert "In [2] In [3] ('x = 1', 'x = 1')" in run("%trace_grad --diff").out
    run("%trace_grad y = 3")
    run("%trace_grad y = 3")
    assert "('y = 3', 'y = 3')" in run("%trace_grad --diff").out


def test_nothing_to_compare_is_told(run) -> None:
    run(f"%%trace_grad\n{LOOP}")
    r = run("%trace_grad --diff")
    assert isinstance(r.error, UsageError) and "nothing to compare" in r.err
    r = run("%%trace_grad --diff\n1")
    assert isinstance(r.error, UsageError) and "own: %trace_grad --diff" in r.err


def test_the_latest_earlier_one_is_taken() -> None:
    memory = Memory()
    for name, code in (("a", LOOP), ("b", LOOP), ("c", "other = 1"), ("d", FIXED)):
        memory.add(Trace(notes=(name,)), Options(), code)
    pair = last_pair(memory)
    assert pair is not None and [run.trace.notes[0] for run in pair] == ["b", "d"]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (LOOP, FIXED, True),
        (LOOP, f"\n{LOOP}\n\n", True),
        (LOOP, "import torch", False),
        ("", "", True),
        ("x = 1", "x = 2", False),
    ],
)
def test_similar(one, other, alike) -> None:
    assert similar(one, other) is alike


def test_the_line_of_the_magic_is_no_code() -> None:
    assert body("\n%%trace_grad --rows 9\nx = 1\n") == "x = 1" == body("x = 1")

"""The table of the magic strategy, measured again: a real kernel, its messages."""

from __future__ import annotations

import re
import time

import nbformat
import pytest
from conftest import FAKE
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.kernel import LIMIT, Kernel

SETUP = FAKE + "\n%load_ext ipygradmagic\n%colors nocolor"


@pytest.fixture(scope="module")
def kernel(kernel_env):
    k = Kernel(kernel_env, SETUP)
    yield k
    k.close()


def traced(kernel, body, magic="%%trace_grad", **how):
    r = kernel.run(f"{magic}\n{body}", **how)
    r.report = [d for d in r.shown if "REPORT" in d.get("text/plain", "")]
    assert kernel.run("assert not fake_api.running").status == "ok"
    return r


def test_result_then_report_with_both_forms(kernel):
    r = traced(kernel, "print('out')\n6 * 7")
    assert r.status == "ok" and r.value == "42"
    assert r.kinds == ["stream", "execute_result", "display_data"]
    assert set(r.report[0]) == {"text/html", "text/plain"}
    assert f"In [{r.count}]" in r.report[0]["text/html"]


def test_semicolon(kernel):
    r = traced(kernel, "6 * 7;")
    assert r.status == "ok" and r.value is None and r.report


BODIES = {
    "plain": "x = 1\n\ndef f():\n    return 1 / 0\n\nf()",
    "multi-line": "x = '''a\n  b'''\nassert not (\n    x\n)",
    "await": "import asyncio\nawait asyncio.sleep(0)\n1 / 0",
    "time": "x = 0\n%time 1 / x",
    "shell": "!true\nundefined_name",
    "class": "class A:\n    def g(self):\n        raise KeyError(self)\n\nA.g(3)",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_failure_is_the_cells_failure(kernel, body):
    """Same status, same traceback with the same lines, right In[n]; a report comes too."""
    plain, ours = kernel.run("#\n" + body), traced(kernel, body)
    assert (ours.status, ours.ename) == (plain.status, plain.ename) == ("error", plain.ename)
    words = ours.trace.replace(f"In[{ours.count}]", f"In[{plain.count}]")
    assert words.replace("#%%trace_grad", "#") == plain.trace
    assert f"Cell In[{ours.count}], line " in ours.trace and len(ours.report) == 1


def test_syntax_error(kernel):
    plain, ours = kernel.run("#\nx = = 1"), traced(kernel, "x = = 1")
    assert ours.status == "error" and not ours.report
    assert ours.trace.replace(f"In[{ours.count}]", f"In[{plain.count}]") == plain.trace


def test_await(kernel):
    r = traced(kernel, "import asyncio\nx = await asyncio.sleep(0.01, 5)\nx")
    assert r.status == "ok" and r.value == "5" and r.report


def test_magics_and_shell_inside(kernel):
    r = traced(kernel, "%time z = 3\n!echo from-shell\nz")
    assert r.status == "ok" and r.value == "3"
    assert "Wall time" in r.printed and "from-shell" in r.printed


def test_time_below_and_above(kernel):
    below = traced(kernel, "q = 1\nq + 1", magic="%%trace_grad\n%%time")
    above = traced(kernel, "q = 1\nq + 1", magic="%%time\n%%trace_grad")
    for r in (below, above):
        assert r.status == "ok" and r.value == "2" and len(r.report) == 1
        assert "Wall time" in r.printed
    assert traced(kernel, "1/0", magic="%%time\n%%trace_grad").status == "error"


def test_future_import_and_strings(kernel):
    body = "from __future__ import annotations\ndef f(a: no): ...\ns = '''\n  x\n'''\n"
    body += "f.__annotations__, s"
    assert traced(kernel, body).value == r"({'a': 'no'}, '\n  x\n')"


@pytest.mark.parametrize(
    "body",
    [
        "import time\nfor i in range(600):\n    time.sleep(0.05)\nprint('end')",
        "while True:\n    pass",
        "import asyncio\nfor i in range(600):\n    await asyncio.sleep(0.05)",
    ],
    ids=["sleep", "busy", "await"],
)
def test_interrupt(kernel, body):
    body = "print('ready', flush=True)\n" + body
    start = time.monotonic()
    plain = kernel.run(body, interrupt_after="ready")
    ours = traced(kernel, body, interrupt_after="ready")
    assert time.monotonic() - start < 25
    assert (ours.status, ours.ename) == (plain.status, plain.ename)
    assert ours.status == "error" and len(ours.report) == 1 and "end" not in ours.printed
    assert ours.ename in ours.report[0]["text/plain"]


def test_wrong_option_is_an_error_before_anything_runs(kernel):
    r = traced(kernel, "print('ran')", magic="%%trace_grad --rowz 3")
    assert r.status == "error" and r.ename == "UsageError" and "ran" not in r.printed
    assert "did you mean --rows" in r.printed and r.trace.count("\n") < 3


def test_our_fault_leaves_the_cell_alone(kernel):
    kernel.run("fake_api.fail['stop'] = RuntimeError('our fault')")
    r = kernel.run("%%trace_grad\n6 * 7")
    kernel.run("fake_api.fail.clear()")
    assert r.status == "ok" and r.value == "42" and "our fault" in r.printed


def test_formats(kernel):
    assert set(traced(kernel, "1", magic="%%trace_grad --format text").shown[0]) == {"text/plain"}
    assert set(traced(kernel, "1", magic="%%trace_grad --format html").shown[0]) == {"text/html"}


def test_line_magic_and_state(kernel):
    r = traced(kernel, "%trace_grad 6 * 7", magic="x = 3")
    assert r.value == "42" and len(r.report) == 1
    r = traced(kernel, "%grad_state x", magic="x = 3")
    assert len(r.report) == 1 and "['x']" in r.report[0]["text/plain"]


def test_same_numbers_of_cells_in_report_and_traceback(kernel):
    kernel.run("def helper():\n    fake_api.mark()\n    1 / 0")
    r = traced(kernel, "\nfake_api.mark()\nhelper()")
    seen = kernel.run("fake_api.sessions[-1].where").value
    in_trace = re.findall(r"Cell In\[(\d+)\], line (\d+)", r.trace)
    assert in_trace == [(str(r.count), "4"), (str(int(in_trace[1][0])), "3")]
    assert seen == f"[('In [{r.count}]', 3), ('In [{in_trace[1][0]}]', 2)]"


def test_notebook_stops_at_the_failing_cell(kernel_env):
    cells = [FAKE + "\n%load_ext ipygradmagic", "%%trace_grad\nx = 1\n1 / 0", "print('reached')"]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    client = NotebookClient(nb, timeout=LIMIT, kernel_name="python3")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        client.execute(env=kernel_env)
    assert [o["output_type"] for o in nb.cells[1].outputs] == ["error", "display_data"]
    assert not nb.cells[2].outputs

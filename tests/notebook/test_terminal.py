"""Terminal IPython, driven as a person drives it."""

from __future__ import annotations

import sys

import pytest
from conftest import FAKE
from rich.cells import cell_len

pexpect = pytest.importorskip("pexpect")

START = f"import warnings; {FAKE}; get_ipython().run_line_magic('load_ext', 'ipygradmagic')"


@pytest.fixture
def ipython(kernel_env):
    def start(*arguments: str):
        command = ["-m", "IPython", "--no-banner", "--no-confirm-exit", "--colors=nocolor"]
        env = {**kernel_env, "TERM": "dumb"}
        child = pexpect.spawn(
            sys.executable,
            [*command, *arguments],
            env=env,
            encoding="utf8",
            timeout=20,
            dimensions=(60, 97),
        )
        children.append(child)
        return child

    children: list = []
    yield start
    for child in children:
        child.close(force=True)


def type_cell(child, *lines: str) -> None:
    """``%%`` cells end with two blank lines in the simple prompt, ours as any other."""
    for line in ("%%trace_grad", *lines, ""):
        child.sendline(line)
        child.expect(r"\.\.\.: ")
    child.sendline("")


def test_cells_typed_line_by_line(ipython):
    child = ipython("--simple-prompt")
    child.expect(r"In \[1\]: ")
    child.sendline(START)
    child.expect(r"In \[2\]: ")
    type_cell(child, "x = 6", "x * 7")
    child.expect(r"Out\[2\]: 42")
    child.expect(r"REPORT In \[2\] None width=97")
    child.expect(r"In \[3\]: ")
    type_cell(child, "x = 1", "1 / 0")
    child.expect(r"Cell In\[3\], line 3")
    child.expect("REPORT In .3. ZeroDivisionError")
    child.expect(r"In \[4\]: ")
    type_cell(child, "import asyncio", "await asyncio.sleep(0, 11)")
    child.expect(r"Out\[4\]: 11")
    child.expect(r"REPORT In \[4\]")
    child.expect(r"In \[5\]: ")
    type_cell(child, "import time; print('rea' + 'dy')", "time.sleep(30)")
    child.expect("ready")
    child.sendintr()
    child.expect("KeyboardInterrupt")
    child.expect(r"REPORT In \[5\] KeyboardInterrupt")
    child.expect(r"In \[6\]: ")


def test_the_real_prompt(ipython):
    child = ipython()
    child.expect("In .*1.*: ")
    child.sendline(START + "; print('load' + 'ed')")
    child.expect("loaded")
    child.send("%%trace_grad\rx = 6\r")
    child.send("x * 7\r\r\r")
    child.expect("REPORT In .2. None width=97")


def test_a_file_of_cells(ipython, tmp_path):
    """``ipython file.ipy`` runs silently: such a cell announces only that it has ended."""
    script = tmp_path / "s.ipy"
    script.write_text(START + "\nget_ipython().run_cell('%%trace_grad\\nx = 1')\nprint('en' 'd')\n")
    child = ipython(str(script))
    child.expect(r"REPORT")
    child.expect("end")


FORGOTTEN = (
    "w = torch.ones(2, requires_grad=True)",
    "end = time.monotonic() + 1.6",
    "while time.monotonic() < end:",
    "    (w * 2).sum().backward()",
    "    w.data -= 0.001 * w.grad",
    "    time.sleep(0.02)",
)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_real_report_fits_and_has_no_codes(ipython, columns):
    """No line is wider than the terminal, nothing is coloured, and no live line comes in between."""
    child = ipython("--simple-prompt")
    child.setwinsize(60, columns)
    child.expect(r"In \[1\]: ")
    child.sendline("import time, torch; get_ipython().run_line_magic('load_ext', 'ipygradmagic')")
    child.expect(r"In \[2\]: ")
    type_cell(child, *FORGOTTEN)
    child.expect(r"In \[3\]: ", timeout=40)
    assert "\x1b" not in child.before and "Tracing:" not in child.before
    assert child.before.count("The gradients are wrong") == 1
    report = child.before[child.before.index("✗ The gradients are wrong") :].splitlines()
    assert len(report) > 20 and "Forgotten zero_grad" in report[3]
    assert max(cell_len(line) for line in report) <= columns
    assert max(cell_len(line) for line in report) > columns - 20  # the room is used


def test_help_and_completion(ipython):
    child = ipython("--simple-prompt")
    child.expect(r"In \[1\]: ")
    child.sendline("%load_ext ipygradmagic")
    child.expect(r"In \[2\]: ")
    child.sendline("%trace_grad?")
    child.expect(r"In \[3\]: ")
    for words in ("%trace_grad", "--teach", "--strict", "--what-if", "zero_grad"):
        assert words in child.before
    completed = "get_ipython().complete('%trace_grad --wh')[1]"
    child.sendline(completed)
    child.expect(r"\['--what-if'\]")

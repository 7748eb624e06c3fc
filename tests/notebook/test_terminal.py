"""Terminal IPython, driven as a person drives it."""

from __future__ import annotations

import sys

import pytest
from conftest import FAKE

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

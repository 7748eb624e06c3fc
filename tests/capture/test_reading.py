"""A line that reads a gradient is told only where something proves that it ran."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

import pytest
import torch

from ipygradmagic import trace
from tests.capture.programs import alarms, run

BEGIN = "w = torch.ones(2, requires_grad=True)\nfor i in range(2):\n  h = w * 2\n"
PASS = "  h.sum().backward()\n"

RAN = {
    "after the backward in its block": PASS + "  g = h.grad",
    "before the backward": "  g = h.grad\n" + PASS,
    "behind a block that was entered": PASS + "  if i > 5:\n    i += 1\n  g = h.grad",
    "inside with": PASS + "  with torch.no_grad():\n    g = h.grad",
    "tried": PASS + "  try:\n    g = h.grad\n  except TypeError:\n    pass",
    "behind a loop that breaks": PASS + "  for k in range(3):\n    break\n  g = h.grad",
    "at the end of the cell": PASS + "print(h.grad)",
    "its norm, first of two values": PASS + "  g = h.grad or 0",
}
NOT_PROVEN = {
    "in a branch": PASS + "  if i > 5:\n    print(h.grad)",
    "behind a way out": PASS + "  if i < 5:\n    continue\n  g = h.grad",
    "in a function that nobody calls": PASS + "def show():\n  print(h.grad)",
    "only if there is one": PASS + "  if h.grad is not None:\n    print(h.grad)",
    "second of two values": PASS + "  g = i > 5 and h.grad",
    "one of two values": PASS + "  g = h.grad if i > 5 else None",
    "in a lambda": PASS + "  g = lambda: h.grad",
    "in a loop over nothing": PASS + "  for k in range(i - 5):\n    g = h.grad",
    "if something goes wrong": PASS + "  try:\n    pass\n  except TypeError:\n    g = h.grad",
    "behind a return": "def go():\n"
    + "".join(f"  {line}\n" for line in (BEGIN + PASS).splitlines())
    + "    return\n  print(h.grad)\ngo()",
}


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("rest", RAN.values(), ids=RAN)
def test_a_line_that_ran(rest: str) -> None:
    assert alarms(run(BEGIN + rest)) == {"non-leaf-grad"}


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize("rest", NOT_PROVEN.values(), ids=NOT_PROVEN)
def test_a_line_that_need_not_have_run(rest: str) -> None:
    assert alarms(run(BEGIN + rest)) == set()


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_what_an_exception_cut_off_did_not_run() -> None:
    rest = PASS + "  1 / 0\n  g = h.grad"
    assert alarms(run(BEGIN + rest, raises=ZeroDivisionError)) == set()


def test_what_stands_behind_the_traced_block_has_not_run_yet() -> None:
    """In a script the text goes on after the ``with`` block."""
    source = """
        w = torch.ones(2, requires_grad=True)
        with trace(namespace={}) as t:
            for i in range(2):
                h = w * 2
                h.sum().backward()
        seen = [f.name for f in t.trace.findings if f.alarm]
        print(h.grad)
        """
    text = textwrap.dedent(source)
    linecache.cache["<script>"] = (len(text), None, text.splitlines(True), "<script>")
    names: dict[str, Any] = {"torch": torch, "trace": trace}
    code = compile(text.replace("namespace={}", "namespace=globals()"), "<script>", "exec")
    with pytest.warns(UserWarning, match="The .grad attribute"):
        exec(code, names)
    assert names["seen"] == []

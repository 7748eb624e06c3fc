"""``trace()`` and ``grad_state()`` called in a cell, without the extension: in IPython and in marimo."""

from __future__ import annotations

import sys
import types

from ipygradmagic.capture.cells import cell_namer

SETUP = """
import torch
from ipygradmagic import grad_state, trace
w = torch.ones(2, requires_grad=True)
"""
CELL = """with trace() as t:
    for i in range(3):
        (w * 2).sum().backward()
        w.data -= 0.1 * w.grad
"""


def test_a_block_in_a_cell_names_the_cell(bare) -> None:
    bare.run_cell(SETUP, store_history=True)
    bare.run_cell(CELL, store_history=True)
    trace = bare.user_ns["t"]
    assert [place.place for place in trace.findings[0].evidence.lines][0] == "In [2], line 4"
    assert "In [2], line 3" in str(trace)


def test_the_state_is_shown_as_a_report(bare) -> None:
    bare.run_cell(SETUP, store_history=True)
    bare.run_cell(CELL, store_history=True)
    bare.run_cell("state = grad_state(w)", store_history=True)
    shown, _ = bare.display_formatter.format(bare.user_ns["state"])
    assert "<table" in shown["text/html"] and "In [2], line 3" in shown["text/html"]
    assert "from In [2], line 3" in shown["text/plain"] and "View(" not in shown["text/plain"]


def test_marimos_cells_have_their_names(monkeypatch) -> None:
    monkeypatch.setattr("ipygradmagic.capture.cells._ipython_cells", dict)
    monkeypatch.delitem(sys.modules, "marimo", raising=False)
    assert cell_namer() is None
    monkeypatch.setitem(sys.modules, "marimo", types.ModuleType("marimo"))
    cell_of = cell_namer()
    assert cell_of is not None
    assert cell_of("/tmp/marimo_12/__marimo__cell_Hbol_.py") == "cell Hbol"
    assert cell_of("__marimo__cell_Hbol_") == "cell Hbol" and cell_of("/home/me/train.py") is None

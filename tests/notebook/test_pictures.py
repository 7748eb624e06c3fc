"""Options of pictures, typed in a cell, over the real recorder."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

LOOP = """import torch
w = torch.ones(2, requires_grad=True)
for i in range(3):
    loss = (w * 2).sum()
    loss.backward()
"""


@pytest.fixture
def shell(bare):
    """A shell over the real recorder."""
    bare.run_line_magic("load_ext", "ipygradmagic")
    return bare


def test_a_picture_is_saved_and_one_backward_is_shown(shell, tmp_path, capsys):
    line = f"--graph 2 --depth 1 --save-graph '{tmp_path}/a graph.svg'"
    assert shell.run_cell(f"%%trace_grad {line}\n{LOOP}").success
    said = capsys.readouterr().out
    assert "Right after backward #2" in said and "＋ 2 accumulated" in said
    assert "2 accumulated" in (tmp_path / "a graph.svg").read_text()


def test_the_picture_of_a_state_is_saved(shell, tmp_path, capsys):
    shell.run_cell(LOOP)
    assert shell.run_cell(f"%grad_state --graph loss --save-graph {tmp_path}/now.dot").success
    assert (tmp_path / "now.dot").read_text().startswith("digraph")
    failed = shell.run_cell(f"%grad_state --save-graph {tmp_path}/other.dot")
    assert isinstance(failed.error_in_exec, UsageError)
    assert "--graph loss" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--save-graph there.svg", "exists already"),
        ("--save-graph nowhere/a.svg", "there is no folder"),
        ("--save-graph a.pdf", ".svg, .png or .dot"),
        ("--save-graph a.svg --no-graph", "switched off"),
        ("--depth 0", "outermost modules"),
        ("--depth few", "invalid int value"),
        ("--graph 0", "number of a backward"),
    ],
)
def test_what_cannot_be_is_refused_before_the_cell_runs(
    shell, tmp_path, monkeypatch, capsys, options, says
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.svg").write_text("mine")
    result = shell.run_cell(f"%%trace_grad {options}\nran = True")
    assert isinstance(result.error_in_exec, UsageError) and says in capsys.readouterr().err
    assert "ran" not in shell.user_ns
    assert (tmp_path / "there.svg").read_text() == "mine"


def test_a_picture_that_cannot_be_saved_costs_nothing_else(shell, tmp_path, capsys):
    assert shell.run_cell(f"%%trace_grad --save-graph {tmp_path}/a.svg\nran = 6 * 7").success
    shown = capsys.readouterr()
    assert shell.user_ns["ran"] == 42 and "no graph to save" in shown.err

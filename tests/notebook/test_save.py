"""``--save`` in cells: where the file goes, what is refused, and what Tab offers."""

from __future__ import annotations

import json

import pytest
from IPython.core.error import UsageError

from ipygradmagic.errors import OptionError

LOOP = "import torch\nw = torch.ones(2, requires_grad=True)\nfor i in range(3):\n    (w * 2).sum().backward()"


@pytest.fixture
def shell(bare):
    """A shell over the real recorder."""
    bare.run_line_magic("load_ext", "ipygradmagic")
    return bare


def rows(path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("line", ["--save {}", "--save={}", "--save '{}'"])
def test_a_cell_is_saved_and_the_report_says_where(shell, tmp_path, capsys, line) -> None:
    path = tmp_path / "run.jsonl"
    assert shell.run_cell(f"%%trace_grad {line.format(path)}\n{LOOP}", store_history=True).success
    found = rows(path)
    assert [(r["cell"], r["line"]) for r in found] == [("In [1]", 5)] * 3
    said = " ".join(capsys.readouterr().out.split())
    assert "saved to" in said and "run.jsonl: 3 rows, 3 events" in said


def test_blanks_in_the_name_of_the_file(shell, tmp_path) -> None:
    shell.run_cell(f"%%trace_grad --save '{tmp_path}/my run.jsonl'\n{LOOP}")
    shell.run_cell(f"%trace_grad --save '{tmp_path}/my line.jsonl' (w * 2).sum().backward()")
    assert len(rows(tmp_path / "my run.jsonl")) == 3 and len(rows(tmp_path / "my line.jsonl")) == 1


def test_a_cell_that_fails_is_saved(shell, tmp_path) -> None:
    result = shell.run_cell(f"%%trace_grad --save {tmp_path}/run.jsonl\n{LOOP}\n1/0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert len(rows(tmp_path / "run.jsonl")) == 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("there.jsonl", "exists already"),
        ("nowhere/run.jsonl", "there is no folder"),
        ("run.csv", "no known format"),
        ("", "expected one argument"),
    ],
)
@pytest.mark.parametrize("form", ["%%trace_grad {}\nran = True", "%trace_grad {} ran = True"])
def test_what_cannot_be_is_refused_before_the_cell_runs(
    shell, tmp_path, capsys, monkeypatch, name, says, form
) -> None:
    if not name and "\n" not in form:
        return  # there, the statement's first word is the file
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.jsonl").write_text("mine")
    result = shell.run_cell(form.format(f"--save {name}"))
    shown = capsys.readouterr()
    assert isinstance(result.error_in_exec, UsageError) and says in shown.err
    assert "Traceback" not in shown.out + shown.err and "ran" not in shell.user_ns
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith("l")] == ["there.jsonl"]
    assert shell.run_cell(f"%%trace_grad --save again.jsonl\n{LOOP}").success
    assert len(rows(tmp_path / "again.jsonl")) == 3


def test_the_refusal_is_the_users_also_under_time(run, api, ip) -> None:
    """Sources lent to ``%%time`` are taken back, and the next cell is traced as ever."""
    import linecache

    api.fail["start"] = OptionError("exists already")
    r = run("%%time\n%%trace_grad --save run.jsonl\nran = True")
    assert isinstance(r.error, UsageError) and "exists already" in r.err
    assert "ran" not in ip.user_ns and "<timed exec>" not in linecache.cache
    api.fail.clear()
    assert run("%%trace_grad\n6 * 7").value == 42 and len(api.reports) == 1


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_tab(ip, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()

    def complete(text: str) -> list[str]:
        return list(ip.Completer.complete(line_buffer=text, cursor_pos=len(text))[1])

    assert complete("%%trace_grad --sa") == ["--save", "--save-graph", "--saved"]
    assert "runs/" in complete("%%trace_grad --save ru")
    assert "--save" not in complete("%grad_state --s")

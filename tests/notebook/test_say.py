"""``--explain``, ``--ignore`` and ``--strict`` in cells, at the prompt and from the shell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from ipygradmagic.errors import GradientLifecycleError

ROOT = Path(__file__).parents[2]
LEAF = "import torch\nw = torch.ones(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=0.1)\n"
LOOP = "for i in range(3):\n    w.sum().backward()\n    opt.step()"


@pytest.fixture
def shell(bare):
    """A shell over the real recorder."""
    bare.run_line_magic("load_ext", "ipygradmagic")
    bare.run_cell(LEAF, store_history=True)
    return bare


def plain(text: str) -> str:
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", text).split())


# -- explain -----------------------------------------------------------------------------


def test_a_page_is_shown_without_torch_and_without_a_trace(run, api) -> None:
    r = run("%trace_grad --explain stale-gradient")
    assert r.ok and not api.sessions
    assert "── Why it matters ──" in r.out and "── Right ──" in r.out
    assert "# gradmagic: ignore[stale-gradient]" in r.out


def test_a_page_is_published_as_html_and_text(bare, monkeypatch) -> None:
    from ipygradmagic.notebook import publish

    shown: list[dict[str, str]] = []
    monkeypatch.setattr(publish, "display", lambda bundle, raw: shown.append(bundle))
    bare.run_line_magic("load_ext", "ipygradmagic")
    for form, kinds in (("auto", {"text/html", "text/plain"}), ("text", {"text/plain"})):
        bare.run_line_magic("trace_grad", f"--explain accumulation --format {form}")
        assert set(shown[-1]) == kinds
    assert "<pre" in shown[0]["text/html"] and "accumulation" in shown[0]["text/plain"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%trace_grad --explain stale-gradeint", "did you mean stale-gradient"),
        ("%trace_grad --explain", "expected one argument"),
        ("%trace_grad --explain zeroed ran = 1", "line of its own: %trace_grad --explain zeroed"),
        ("%%trace_grad --explain zeroed\nran = 1", "line of its own: %trace_grad --explain zeroed"),
    ],
)
def test_a_wrong_wish_is_told(run, ip, line, says) -> None:
    r = run(line)
    assert isinstance(r.error, UsageError) and says in plain(r.err) and "ran" not in ip.user_ns


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_tab_completes_the_names(ip) -> None:
    def complete(text: str) -> list[str]:
        return list(ip.Completer.complete(line_buffer=text, cursor_pos=len(text))[1])

    assert complete("%trace_grad --explain sta") == ["stale-gradient", "stale-optimizer"]
    assert complete("%%trace_grad --ignore zer") == ["zeroed"]
    assert complete("%%trace_grad --ignore zeroed,clo") == ["zeroed,closure"]
    assert complete("%%trace_grad --str") == ["--strict"]
    assert "--ignore" not in complete("%grad_state --i")


# -- ignore ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("--ignore zeroed", ("zeroed",)),
        ("--ignore zeroed,closure", ("zeroed", "closure")),
        ("--ignore zeroed --ignore=closure", ("zeroed", "closure")),
        ("", ()),
    ],
)
def test_the_names_reach_the_session_and_no_other(run, api, line, names) -> None:
    run(f"%%trace_grad {line}\n1")
    run("%%trace_grad --strict\n1")
    assert [s.options.ignore for s in api.sessions] == [names, ()]
    assert [s.options.strict for s in api.sessions] == [False, True]


@pytest.mark.parametrize("form", ["%%trace_grad {}\nran = True", "%trace_grad {} ran = True"])
def test_an_unknown_name_is_refused_before_the_cell_runs(shell, capsys, form) -> None:
    result = shell.run_cell(form.format("--ignore stale-gradeint"))
    shown = capsys.readouterr()
    assert isinstance(result.error_in_exec, UsageError) and "ran" not in shell.user_ns
    assert "did you mean stale-gradient" in shown.err and "Traceback" not in shown.out + shown.err
    assert shell.run_cell("%%trace_grad\n1").success


def test_a_comment_in_a_cell_silences(shell, capsys) -> None:
    shell.run_cell(f"%%trace_grad\n{LOOP}  # gradmagic: ignore[stale-gradient]", store_history=True)
    said = plain(capsys.readouterr().out)
    assert "✓ Nothing else wrong found." in said
    assert "Silenced: stale-gradient at In [2], line 4, by the comment at In [2], line 4." in said


def test_a_comment_in_a_function_of_an_earlier_cell_and_one_that_is_misspelt(shell, capsys) -> None:
    train = "def train():\n    " + LOOP.replace("\n", "\n    ")
    shell.run_cell(train + "  # gradmagic: ignore[stale-gradient]", store_history=True)
    shell.run_cell("%%trace_grad\ntrain()  # gradmagic: ignore[stale]", store_history=True)
    said = plain(capsys.readouterr().out)
    assert "Silenced: stale-gradient at In [2], line 4, by the comment at In [2], line 4." in said
    assert "The comment at In [3], line 2 silences nothing: no finding is called 'stale'" in said


# -- strict ------------------------------------------------------------------------------


def test_a_strict_cell_stops_at_its_line_and_reports(shell, capsys) -> None:
    result = shell.run_cell(f"%%trace_grad --strict -o t\n{LOOP}", store_history=True)
    assert isinstance(result.error_in_exec, GradientLifecycleError)
    shown = plain(capsys.readouterr().out)
    trace, _, told = shown.partition("✗ A strict trace stopped the code at In [2], line 4.")
    assert "Cell In[2], line 4" in trace and "----> 4 opt.step()" in trace
    assert "optimizer.py" not in trace and "strict.py" not in trace and "hidden" not in trace
    assert "GradientLifecycleError: Forgotten zero_grad: opt.step() #2 at In [2], line 4" in trace
    assert "[stale-gradient]" in told and "Timeline" in told
    assert shell.user_ns["w"].tolist() == pytest.approx([0.9, 0.9]) and shell.user_ns["i"] == 1
    last = sys.last_traceback
    while last.tb_next is not None:
        last = last.tb_next
    assert last.tb_frame.f_code.co_name == "<module>"  # %debug starts there


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_every_way_to_show_a_traceback(shell, capsys, mode) -> None:
    shell.run_line_magic("xmode", mode)
    shell.run_cell(f"%%trace_grad --strict\n{LOOP}")
    trace = plain(capsys.readouterr().out).partition("A strict trace")[0]
    shell.run_line_magic("xmode", "Context")
    assert "GradientLifecycleError: Forgotten zero_grad" in trace and "strict.py" not in trace


def test_the_line_magic_and_time(shell, capsys) -> None:
    shell.run_cell("w.sum().backward(); opt.step(); w.sum().backward()", store_history=True)
    result = shell.run_cell("%trace_grad --strict [opt.step() for _ in range(1)]")
    assert result.success  # of unknown origin: a warning, no error
    shell.run_cell("opt.zero_grad()")
    capsys.readouterr()
    shell.run_cell(f"%%time\n%%trace_grad --strict\n{LOOP}", store_history=True)
    trace = plain(capsys.readouterr().out).partition("A strict trace")[0]
    assert "opt.step()" in trace and "strict.py" not in trace and "optimizer.py" not in trace


def test_after_unloading_nothing_is_left(shell) -> None:
    assert hasattr(GradientLifecycleError, "_render_traceback_")
    shell.extension_manager.unload_extension("ipygradmagic")
    assert not hasattr(GradientLifecycleError, "_render_traceback_")


# -- from the shell ----------------------------------------------------------------------


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(LEAF + LOOP + "\nprint('ran to its end')\n")
    return path


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "ipygradmagic", *map(str, arguments)]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True)


def test_a_strict_script(script) -> None:
    done = command("--strict", script)
    assert done.returncode == 1 and "ran to its end" not in done.stdout
    assert "A strict trace stopped the code at train.py, line 6" in plain(done.stdout)
    frames = re.findall(r'File ".*?(\w+\.py)", line (\d+)', done.stderr)
    assert frames[-1] == ("train.py", "6") and "ipygradmagic.errors.Gradient" in done.stderr


def test_a_script_whose_findings_are_silenced(script) -> None:
    done = command("--strict", "--ignore", "zeroed,stale-gradient", script)
    assert done.returncode == 0 and "ran to its end" in done.stdout
    assert "Silenced: stale-gradient at train.py, line 6" in plain(done.stdout)
    done = command("--ignore", "stale-gradeint", script)
    assert done.returncode == 2 and "did you mean stale-gradient" in done.stderr
    assert "ran to its end" not in done.stdout


def test_a_page_in_the_shell() -> None:
    done = command("--explain", "clip-after-step")
    assert done.returncode == 0 and "clip_grad_norm_" in done.stdout
    done = command("--explain", "clip")
    assert done.returncode == 2 and "no finding is called 'clip'" in done.stderr
    done = command()
    assert done.returncode == 2 and "file" in done.stderr


def test_options_hold_for_a_notebook_where_its_cells_do_not_say(tmp_path) -> None:
    cells = ["%load_ext ipygradmagic\n" + LEAF, "%%trace_grad\n" + LOOP, "print('ran to its end')"]
    book = {
        "nbformat": 4,
        "cells": [{"cell_type": "code", "source": cell, "metadata": {}} for cell in cells],
    }
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(book))
    done = command("--strict", path)
    assert done.returncode == 1 and "ran to its end" not in done.stdout
    done = command("--strict", "--ignore", "stale-gradient,zeroed", "--lang", "zh", path)
    assert done.returncode == 0 and "ran to its end" in done.stdout
    assert "没有发现其他问题" in done.stdout and "stale-gradient" in done.stdout
    done = command("--html", tmp_path / "out.html", path)
    assert done.returncode == 2 and "cells say their own" in done.stderr


def test_a_scripts_report_as_a_page_in_chinese(script, tmp_path) -> None:
    page = tmp_path / "out.html"
    done = command("--lang", "zh", "--level", "events", "--html", page, script)
    assert (
        done.returncode == 0 and "ran to its end" in done.stdout and "忘了 zero_grad" in done.stdout
    )
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>") and '<html lang="zh">' in html and "忘了" in html
    assert "旧梯度" in command("--lang", "zh", "--explain", "stale-gradient").stdout

"""A traced cell does what the cell does, in an in-process shell."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError


def test_report_after_output_and_result(run, api):
    r = run("%%trace_grad\nprint('hello')\n6 * 7")
    assert r.ok and r.value == 42
    assert r.out.index("hello") < r.out.index("42") < r.out.index("REPORT In [1]")
    assert not api.running


def test_semicolon_silences(run):
    r = run("%%trace_grad\n6 * 7;")
    assert r.ok and "42" not in r.out and "REPORT" in r.out


def test_names_land_in_the_namespace_and_nothing_else(run, ip):
    run("1")
    before = set(ip.user_ns)
    run("%%trace_grad\na = 1\ndef f(): return a\nclass C: x = f()")
    assert {n for n in set(ip.user_ns) - before if not n.startswith("_i")} == {"a", "f", "C"}


@pytest.mark.parametrize("way", ["last_expr", "all", "none", "last_expr_or_assign"])
def test_interactivity_settings_are_honoured(run, ip, way):
    ip.ast_node_interactivity = way
    plain, traced = run("11\nb = 22"), run("%%trace_grad\n11\nb = 22")
    shown = [line.split(": ", 1)[-1] for line in plain.out.splitlines()]
    assert [line.split(": ", 1)[-1] for line in traced.out.splitlines()][: len(shown)] == shown
    assert plain.value == traced.value


@pytest.mark.parametrize(
    "body",
    [
        "x = 1\n\ndef f(a):\n    y = a\n    return y / 0\n\nf(\n    x,\n)\n",
        "x = '''a\n  b\n'''\nraise ValueError(x)",
        "1/0",
        "import asyncio\nawait asyncio.sleep(0)\n1/0",
        "%time 1/0",
        "if True:\n    x = (1,\n",
        "x = 1\nreturn x",
        "for i in 1:\n  pass\n   pass",
        "class A:\n    @property\n    def p(self): return self.q\nA().p",
    ],
)
def test_same_traceback_one_line_down(run, body):
    """Line numbers count the magic's line, everything else is the same."""

    plain, traced = run("#\n" + body), run("%%trace_grad\n" + body)
    assert not traced.ok
    assert type(plain.error) is type(traced.error)
    assert said(plain.error) == said(traced.error)
    words = traced.out.replace("In[2]", "In[1]").replace("#%%trace_grad", "#")
    words = words.partition("REPORT")[0]
    assert without_times(words) == without_times(plain.out)


def said(error: BaseException) -> str:
    """The message; a SyntaxError's own text names the file."""
    return error.msg if isinstance(error, SyntaxError) else str(error)


def without_times(text: str) -> list[str]:
    return [line for line in text.strip().splitlines() if "time" not in line]


def test_traceback_shows_the_magic_not_our_call(run):
    out = run("%%trace_grad --rows 7\n1/0").out
    assert "#%%trace_grad --rows 7" in out and "__import__" not in out


def test_syntax_error_has_the_cells_line(run, api):
    r = run("%%trace_grad\nx = 1\ny = = 2\n")
    assert r.error.lineno == 3 and r.error.text.strip() == "y = = 2"
    assert not api.sessions


def test_await(run, api):
    r = run("%%trace_grad\nimport asyncio\nawait asyncio.sleep(0, 5)")
    assert r.value == 5 and len(api.sessions) == 1


def test_future_import_and_multiline_string(run):
    r = run(
        "%%trace_grad\n'doc'\nfrom __future__ import annotations\n"
        "def f(a: nowhere): pass\ns = '''1\n  2\n\t3'''\n(f.__annotations__, s)"
    )
    assert r.value == ({"a": "nowhere"}, "1\n  2\n\t3")


def test_magics_and_shell_inside(run):
    r = run("%%trace_grad\n%time z = 3\nout = !echo hi\n%who_ls\nz, out[0]")
    assert r.value == (3, "hi") and "Wall time" in r.out


@pytest.mark.parametrize("other", ["%%time", "%%capture --no-display", "%%time\n"])
def test_cell_magics_below_and_above(run, api, other):
    below = run(f"%%trace_grad\n{other}\nq = 1\nprint('run')\nq + 1")
    above = run(f"{other}\n%%trace_grad\nq = 1\nprint('run')\nq + 1")
    assert below.ok and above.ok and len(api.sessions) == 2
    assert not api.running


def test_time_above_with_future_import_and_error(run, api):
    r = run("%%time\n%%trace_grad\nfrom __future__ import annotations\n1/0")
    assert isinstance(r.error, ZeroDivisionError)
    assert "#%%trace_grad" in r.out and "----> 3 1/0" in r.out
    r = run("%%time\nx = 1\n1/0")
    assert "#%%trace_grad" not in r.out  # the lent source was taken back


def test_lines_under_time_belong_to_this_cell(run, api):
    run("%%time\n%%trace_grad\nimport fake_api\nfake_api.mark()")
    assert api.sessions[0].where == [("In [1]", 3)]


def test_timeit_above_is_one_trace(run, api):
    r = run("%%timeit -n 3 -r 2\n%%trace_grad\nx = 1")
    assert len(api.reports) == 1 and "running already" not in r.err


def test_prun_above(run, api):
    r = run("%%prun -q\n%%trace_grad\nx = 1")
    assert r.ok and len(api.reports) == 1


def test_title_and_cell_numbers(run, api):
    run("import fake_api\ndef helper():\n    fake_api.mark()")
    run("%%trace_grad\n\nfake_api.mark()\nhelper()")
    assert api.sessions[0].title == "In [2]"
    assert api.sessions[0].where == [("In [2]", 3), ("In [1]", 3)]
    assert api.sessions[0].cell_of("/usr/lib/foo.py") is None


@pytest.mark.parametrize("body", ["# only a comment", "\n\n#", "pass", '"""text"""'])
def test_bodies_without_effect(run, api, body):
    r = run("%%trace_grad\n" + body)
    assert r.ok and len(api.reports) == 1


def test_without_body_like_other_cell_magics(run, api):
    r = run("%%trace_grad")
    assert isinstance(r.error, UsageError) and "body is empty" in r.err and not api.sessions
    assert run("%%trace_grad\n\n").ok  # blank lines are a body, for IPython


@pytest.mark.parametrize("start", ["\n\n", "  \n", "\t\n\n"])
def test_leading_blank_lines(run, start):
    assert "REPORT" in run(start + "%%trace_grad\nx = 1").out


def test_leading_comment_like_other_cell_magics(run):
    ours, theirs = run("# hi\n%%trace_grad\nx = 1"), run("# hi\n%%time\nx = 1")
    assert type(ours.error) is type(theirs.error) is UsageError


def test_indented_and_prompted_cells(run):
    assert run("    %%trace_grad\n    x = 1\n    x").value == 1
    assert run(">>> %%trace_grad\n>>> x = 2\n>>> x").value == 2


def test_cells_run_by_the_cell_do_not_end_its_trace(run, api):
    r = run(
        "%%trace_grad\nip = get_ipython()\nimport fake_api\n"
        "ip.run_cell('')\nip.run_cell('1+1')\nip.run_cell('1/0')\nip.run_cell('2', silent=True)\n"
        "ip.run_cell('%%trace_grad\\n3')\nfake_api.mark()"
    )
    assert "running already" in r.err
    assert api.sessions[0].where == [("In [1]", 9)] and len(api.reports) == 1


def test_trace_inside_a_cell_that_is_not_traced(run, api):
    run("ip = get_ipython()\nr = ip.run_cell('%%trace_grad\\n1')\nimport fake_api\nfake_api.mark()")
    assert len(api.reports) == 1 and api.sessions[0].where == []


def test_silent_cell(run, api):
    assert run("%%trace_grad\nx = 1", silent=True, store_history=False).ok
    assert len(api.reports) == 1 and not api.running


def test_end_that_was_never_announced(ip, api):
    """ipykernel skips post_run_cell when a cancelled cell leaves it without a result."""
    from IPython.core.interactiveshell import ExecutionInfo

    from ipygradmagic.notebook.extension import begin

    ip.events.trigger("pre_execute")
    ip.events.trigger("pre_run_cell", ExecutionInfo("", True, False, True, None))
    exec("begin('')", {"begin": begin})
    ip.events.trigger("post_execute")
    assert api.running
    ip.events.trigger("pre_execute")
    assert not api.running and len(api.reports) == 1
    ip.events.trigger("post_execute")


def test_history_keeps_what_was_typed(run, ip):
    run("%%trace_grad\nx = 1")
    assert ip.history_manager.input_hist_raw[-1] == "%%trace_grad\nx = 1"


def test_terminal_goes_on_reading_until_a_blank_line(ip):
    check = ip.input_transformer_manager.check_complete
    for magic in ("%%trace_grad", "%%time"):
        assert check(magic)[0] == "incomplete"
        assert check(magic + "\nx = 1")[0] == "incomplete"
        assert check(magic + "\nx = 1\n\n")[0] == "complete"


def test_error_is_handed_to_the_session(run, api):
    run("%%trace_grad\nraise KeyError('k')")
    assert repr(api.sessions[0].error) == "KeyError('k')"
    run("%%trace_grad\nraise KeyboardInterrupt")
    assert type(api.sessions[1].error) is KeyboardInterrupt
    run("%%trace_grad\nraise SystemExit")
    assert type(api.sessions[2].error) is SystemExit
    assert len(api.reports) == 3


@pytest.mark.parametrize("where", ["init", "start", "stop", "report", "html", "text"])
def test_a_fault_of_ours_is_a_warning(run, api, where):
    api.fail[where] = RuntimeError("our fault")
    r = run("%%trace_grad\nprint('ran')\n6 * 7")
    assert r.ok and r.value == 42 and "ran" in r.out
    assert "our fault" in r.err and r.err.count("\n") == 1


def test_api_that_cannot_be_imported(run, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ipygradmagic.api", None)
    r = run("%%trace_grad\n6 * 7")
    assert r.value == 42 and "could not" in r.err


def test_interrupt_while_the_report_is_made(run, api):
    api.fail["report"] = KeyboardInterrupt()
    r = run("%%trace_grad\n6 * 7")
    assert r.ok and "no report" in r.err

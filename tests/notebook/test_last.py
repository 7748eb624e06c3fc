"""``--last``: what was reported before, shown again or given to a variable."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from ipygradmagic.notebook import memory
from ipygradmagic.notebook.memory import MOST, Memory
from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.trace import Trace


def test_a_bare_line_shows_the_report_once(run, api) -> None:
    run("%%trace_grad --rows 9\n1")
    r = run("%trace_grad --last")
    assert r.ok and r.value is None and r.out.count("REPORT In [1]") == 1 and "Out[" not in r.out
    assert api.reports[-1].options.rows == 9
    run("%trace_grad --last --rows 12 --no-graph")
    assert (api.reports[-1].options.rows, api.reports[-1].options.graph) == (12, False)


@pytest.mark.parametrize("cell", ["%trace_grad --last\nx = 1", "if 1:\n    %trace_grad --last\n2"])
def test_in_the_middle_of_a_cell_it_is_shown_too(run, cell) -> None:
    run("%%trace_grad\n1")
    assert run(cell).out.count("REPORT In [1]") == 1


def test_what_is_used_is_handed_over_and_not_shown(run, ip, api) -> None:
    run("%%trace_grad\n1")
    r = run("t = %trace_grad --last")
    assert isinstance(ip.user_ns["t"], Trace) and "REPORT" not in r.out
    assert run("await_ = [get_ipython().run_line_magic('trace_grad', '--last')]").ok
    assert ip.user_ns["await_"] == [ip.user_ns["t"]]
    run("%%trace_grad\n2")
    run("both = %trace_grad --last 2")
    assert [t.meta.title for t in ip.user_ns["both"]] == ["In [1]", "In [4]"]
    run("%trace_grad --last 1 -o one")
    assert [t.meta.title for t in ip.user_ns["one"]] == ["In [4]"]


def test_the_last_three_the_oldest_first(run, api) -> None:
    for i in range(4):
        run(f"%%trace_grad\n{i}")
    out = run("%trace_grad --last 3").out
    places = [out.find(f"REPORT In [{i}]") for i in (1, 2, 3, 4)]
    assert places[0] == -1 and -1 < places[1] < places[2] < places[3]
    assert "4 of the 9 asked for" in run("%trace_grad --last 9").out


def test_statements_and_failed_cells_are_remembered_too(run, ip) -> None:
    run("%trace_grad x = 1")
    assert "REPORT In [1]" in run("%trace_grad --last").out
    run("%%trace_grad\n1/0")
    assert "REPORT In [3] ZeroDivisionError" in run("%trace_grad --last").out


def test_so_many_are_kept(run, ip) -> None:
    for i in range(MOST + 2):
        run(f"%%trace_grad\n{i}")
    run(f"ts = %trace_grad --last {MOST + 5}")
    titles = [t.meta.title for t in ip.user_ns["ts"]]
    assert len(titles) == MOST and titles[0] == "In [3]"


def test_large_ones_push_others_out_but_two_stay(monkeypatch) -> None:
    monkeypatch.setattr(memory, "MOST_ROWS", 10)
    kept = Memory()
    event = Event(1, "step", 1, "step", changes=(Change(1),) * 4)
    for i in range(4):
        kept.add(Trace(events=(event,), total=i), Options(), "")
    assert [run.trace.total for run in kept.last(9)] == [2, 3]
    kept.add(Trace(events=(event,) * 9, total=4), Options(), "")
    assert [run.trace.total for run in kept.last(9)] == [3, 4]
    for i in range(5, 9):
        kept.add(Trace(total=i), Options(), "")
    assert [run.trace.total for run in kept.last(9)] == [5, 6, 7, 8]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%trace_grad --last", "nothing is traced yet"),
        ("t = %trace_grad --last 2", "nothing is traced yet"),
        ("%trace_grad --last 0", "give 1 or more"),
        ("%trace_grad --last x = 1", "own: %trace_grad --last"),
        ("%trace_grad --last 3 ran = 1", "own: %trace_grad --last 3"),
        ("%%trace_grad --last\nran = 1", "own: %trace_grad --last"),
        ("%%trace_grad --on\nran = 1", "own: %trace_grad --on"),
        ("%trace_grad --lats", "did you mean --last?"),
        ("%trace_grad --of", "did you mean --off?"),
    ],
)
def test_a_wrong_wish_is_told(run, ip, line, says) -> None:
    r = run(line)
    assert isinstance(r.error, UsageError) and says in r.err and "ran" not in ip.user_ns


def test_forgotten_with_the_extension(run, ip) -> None:
    run("%%trace_grad\n1")
    run("%reload_ext ipygradmagic")
    assert "nothing is traced yet" in run("%trace_grad --last").err


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_tab_completes_them(ip) -> None:
    def complete(text: str) -> list[str]:
        return list(ip.Completer.complete(line_buffer=text, cursor_pos=len(text))[1])

    assert complete("%trace_grad --las") == ["--last"]
    assert set(complete("%trace_grad --o")) == {"--output", "--on", "--off"}
    assert complete("%trace_grad --di") == ["--diff"]
    assert complete("t = %trace_grad --las") == ["--last"]

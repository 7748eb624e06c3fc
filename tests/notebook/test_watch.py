"""``--on`` and ``--off``: every cell is traced, and nothing is heard but alarms."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from ipygradmagic.notebook import watch
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Finding

BAD = Finding("stale-gradient", "error", "Forgotten zero_grad.", "because")
NOTE = Finding("unreached-leaf", "note", "A leaf.", "because")


@pytest.fixture
def watched(run, api):
    """Like ``run``, under a watch."""
    assert watch.ON in run("%trace_grad --on").out
    yield run
    assert not api.running


def test_a_quiet_cell_is_traced_and_nothing_is_said(watched, api) -> None:
    r = watched("6 * 7")
    assert r.value == 42 and r.out == "Out[2]: 42\n" and not r.err
    assert [s.title for s in api.sessions] == ["In [2]"] and not api.reports


def test_only_alarms_are_told(watched, api) -> None:
    api.findings[:] = [NOTE]
    assert "REPORT" not in watched("x = 1").out
    api.findings[:] = [BAD]
    r = watched("x = 2")
    assert "REPORT In [3]" in r.out and api.reports[-1].what == "alarm"


def test_lines_have_the_number_of_their_cell(watched, api) -> None:
    watched("import fake_api")
    watched("\n\nx = 0\nfake_api.mark()")
    watched("%%time\nfake_api.mark()")
    # what %%time runs has no cell in Python's own tracebacks either
    assert [s.where for s in api.sessions[1:]] == [[("In [3]", 2)], [(None, 1)]]


def test_the_last_report_is_there_whatever_the_watch_said(watched, api) -> None:
    api.events[:] = [Event(1, "backward", 1, "backward")]
    watched("loss = 1")
    api.events.clear()
    watched("print()")  # of which there is nothing to remember
    assert "REPORT In [2]" in watched("%trace_grad --last").out


def test_options_go_for_every_cell(run, api, ip) -> None:
    run("%trace_grad --on --level events --ignore zeroed -o t")
    run("1")
    run("2")
    assert [(s.options.level, s.options.ignore) for s in api.sessions] == [
        ("events", ("zeroed",))
    ] * 2
    run("%trace_grad --off")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--save run.jsonl", "--save is for one cell"),
        ("--fix", "--fix is for one cell"),
        ("--what-if", "--what-if is for one cell"),
        ("--ignore zeroeded", "did you mean zeroed"),
    ],
)
def test_what_cannot_go_for_every_cell(run, api, line, says) -> None:
    r = run(f"%trace_grad --on {line}")
    assert isinstance(r.error, UsageError) and says in " ".join(r.err.split())
    run("1")
    assert not api.sessions


def test_on_and_off_twice(watched, api) -> None:
    assert watch.AGAIN in watched("%trace_grad --on").out
    watched("1")
    assert watch.OFF in watched("%trace_grad --off").out
    count = len(api.sessions)
    assert watch.NOT_ON in watched("%trace_grad --off").out
    watched("1")
    assert len(api.sessions) == count


def test_off_tells_what_its_own_cell_did(watched, api) -> None:
    api.findings[:] = [BAD]
    assert "REPORT In [2]" in watched("x = 1\n%trace_grad --off\ny = 2").out
    assert len(api.reports) == 1


@pytest.mark.parametrize(
    "cell",
    [
        "1 / 0",
        "x = = 1",
        "%nosuch",
        "import asyncio\nawait asyncio.sleep(0, 5)",
        "%time 3 * 4",
        "!echo hello",
        "%%capture c\nprint(1)",
        "'last';",
        "def f():\n    raise KeyError(1)\n\nf()",
        "%%bash\necho 1",
        "raise KeyboardInterrupt",
        "",
        "get_ipython().run_cell('2 + 2').result",
    ],
)
def test_a_cell_is_as_without_us(run, api, cell) -> None:
    import re

    run("pass")  # so that both are the second of their kind

    def plain(text: str) -> str:
        text = re.sub(r"[\d.e+-]+ (ns|[µμu]s|ms|s)\b", "N s", text)
        return re.sub(r"\d+", "N", text)

    without = run(cell)
    run("%trace_grad --on")
    with_us = run(cell)
    run("%trace_grad --off")
    assert type(without.error) is type(with_us.error) and without.ok == with_us.ok
    assert without.value == with_us.value
    assert plain(with_us.out) == plain(without.out)
    assert plain(with_us.err) == plain(without.err)
    assert not api.running


def test_traced_cells_and_statements_have_the_way(watched, api) -> None:
    r = watched("%%trace_grad\n7")
    assert r.value == 7 and r.out.count("REPORT In [2]") == 1 and "already" not in r.err
    r = watched("x = 1\n%trace_grad x + 1\n")
    assert r.out.count("REPORT In [3]") == 1 and "already" not in r.err
    first, statement, rest = api.sessions[-3:]
    assert first.gives_way and statement.gives_way is None and rest.gives_way
    r = watched("%%time\n%%trace_grad\n8")
    assert r.out.count("REPORT In [4]") == 1 and "already" not in r.err


def test_a_cell_in_a_cell_belongs_to_the_outer_one(watched, api) -> None:
    watched("get_ipython().run_cell('1')\n2")
    assert len(api.sessions) == 1
    watched("get_ipython().run_cell('%%trace_grad\\n1')\n2")
    assert [s.gives_way is None for s in api.sessions] == [False, False, True, False]


def test_unload_and_reset_under_watch(watched, api, ip) -> None:
    watched("%reset -f")
    watched("1")
    assert len(api.sessions) == 2
    watched("%unload_ext ipygradmagic")
    assert not api.running
    watched("1")
    assert len(api.sessions) == 3
    watched("%load_ext ipygradmagic")
    watched("1")
    assert len(api.sessions) == 3


@pytest.mark.parametrize("where", ["init", "start", "stop"])
def test_a_fault_of_ours_is_a_line(watched, api, where) -> None:
    api.fail[where] = RuntimeError("our fault")
    r = watched("6 * 7")
    assert r.value == 42 and "our fault" in r.err and "Traceback" not in r.out + r.err
    api.fail.clear()


def test_a_trace_left_open_elsewhere_is_no_reason_to_speak(watched, api) -> None:
    stray = api.Session(None, namespace={})
    stray.start()
    r = watched("1")
    assert r.out == "Out[2]: 1\n" and not r.err
    stray.abandon()

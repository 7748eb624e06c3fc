"""Silenced findings are no alarm, and never gone without a word."""

from __future__ import annotations

import json
import linecache
import textwrap

import pytest

from ipygradmagic import Trace, trace
from ipygradmagic.api import report
from ipygradmagic.capture.comments import ignores
from ipygradmagic.diagnose.silence import divide
from ipygradmagic.errors import OptionError
from ipygradmagic.record.findings import Evidence, Finding, Ignore
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Meta
from tests.capture.programs import alarms, run

LEAF = "w = torch.ones(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=0.1)\n"
FORGETS = LEAF + "for i in range(3):\n  w.sum().backward()\n  opt.step()"


def said(t: Trace) -> str:
    return " ".join(report(t).text(120).split())


# -- comments ----------------------------------------------------------------------------


def wishes(source: str) -> list[tuple[tuple[str, ...], int, int, int]]:
    """Names, line, first and last line of the statement, for each comment."""
    name = "<comments>"
    source = textwrap.dedent(source)
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    found = list(ignores([name], lambda file, line: SourceLocation(file, line)))
    del linecache.cache[name]
    return [(i.names, i.where.line if i.where else 0, i.first, i.last) for i in found]


@pytest.mark.parametrize(
    ("comment", "names"),
    [
        ("# gradmagic: ignore[stale-gradient]", ("stale-gradient",)),
        ("#gradmagic:ignore[ a , b ]  because", ("a", "b")),
        ("# gradmagic: ignore [a]", ("a",)),
        ("# noqa  # gradmagic: ignore[a]  # and more", ("a",)),
        ("# gradmagic: ignore", ()),
        ("# gradmagic: ignore, it is meant", ()),
        ("# gradmagic: ignore[]", ("ignore[]",)),
        ("# gradmagic: ignore[a", ("ignore[a",)),
        ("# gradmagic: ignroe[a]", ("ignroe[a]",)),
        ("# gradmagic: ignore-all", ("ignore-all",)),
    ],
)
def test_what_a_comment_asks_for(comment: str, names: tuple[str, ...]) -> None:
    assert wishes(f"x = 1\ny = 2  {comment}\n") == [(names, 2, 2, 2)]


@pytest.mark.parametrize(
    "source",
    ["x = '# gradmagic: ignore'", 's = """\n# gradmagic: ignore[a]\n"""', "# ask gradmagic", ""],
)
def test_what_is_no_comment_is_not_taken_for_one(source: str) -> None:
    assert wishes(source) == []


def test_a_comment_is_for_all_lines_of_its_statement() -> None:
    source = """
    f(
        1,  # gradmagic: ignore[a]
        2,
    )
    for i in x:  # gradmagic: ignore[b]
        g(i)
    # gradmagic: ignore[c]
    h()  # gradmagic: ignore[d]
    """
    assert wishes(source) == [
        (("a",), 3, 2, 5),
        (("b",), 6, 6, 6),
        (("c",), 8, 8, 8),
        (("d",), 9, 9, 9),
    ]


def test_source_that_cannot_be_read_to_its_end_counts_up_to_there() -> None:
    assert wishes("x = 1  # gradmagic: ignore[a]\ny = (\n") == [(("a",), 1, 1, 1)]
    assert wishes("x = 1  # gradmagic: ignore[a]\n  y = 2\n z = 3\n")[:1] == [(("a",), 1, 1, 1)]


# -- what they do ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "line"), [("[stale-gradient]", 5), ("[zeroed, stale-gradient]", 4), ("", 5), ("", 4)]
)
def test_a_comment_on_any_evidence_line_silences(wish: str, line: int) -> None:
    lines = FORGETS.splitlines()
    lines[line - 1] += f"  # gradmagic: ignore{wish}"
    t = run("\n".join(lines))
    assert alarms(t) == set() and [s.finding.name for s in t.silenced] == ["stale-gradient"]
    assert "✓ Nothing else wrong found." in said(t) and t.notes == ()
    place = f"by the comment at {t.silenced[0].by.where.place}"
    assert (
        f"Silenced: stale-gradient at {t.silenced[0].finding.evidence.lines[0].place}, {place}."
        in said(t)
    )
    assert "Silenced: stale-gradient" in report(t).html()
    assert Trace.from_dict(json.loads(json.dumps(t.to_dict()))) == t


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_comment_elsewhere_does_not(line: int) -> None:
    lines = FORGETS.splitlines()
    lines[line - 1] += "  # gradmagic: ignore[stale-gradient]"
    assert alarms(run("\n".join(lines))) == {"stale-gradient"}


def test_only_the_named_finding_is_silenced() -> None:
    source = (
        FORGETS
        + "  # gradmagic: ignore[reused-gradient]\nopt.step(); opt.step(); opt.step(); opt.step()"
    )
    t = run(source)
    assert "stale-gradient" in alarms(t) and not t.silenced


def test_a_bare_comment_leaves_exonerations_alone() -> None:
    source = "w = torch.ones(2, requires_grad=True)\nfor i in range(3):\n  w.sum().backward()\n  w = (w - w.grad).detach().requires_grad_()"
    assert [s.finding.name for s in run(source + "  # gradmagic: ignore").silenced] == []
    named = run(source + "  # gradmagic: ignore[rebinding]")
    assert [s.finding.name for s in named.silenced] == ["rebinding"]
    assert "✓ Nothing wrong found." in said(named)


def test_a_misspelt_comment_is_told_in_the_notes() -> None:
    t = run(FORGETS + "  # gradmagic: ignore[stale-gradeint]")
    assert alarms(t) == {"stale-gradient"}
    assert "silences nothing: no finding is called 'stale-gradeint'" in said(t)
    assert "line 5" in t.notes[0] and "did you mean stale-gradient" in t.notes[0]


def test_a_comment_in_an_earlier_cell_counts_where_the_finding_names_that_line() -> None:
    namespace: dict[str, object] = {}
    run(LEAF + "w.sum().backward()  # gradmagic: ignore[left-over-from-earlier-cell]", namespace)
    t = run("for i in range(3):\n  w.sum().backward()\n  opt.step()\n  opt.zero_grad()", namespace)
    assert alarms(t) == set()
    assert [s.finding.name for s in t.silenced] == ["left-over-from-earlier-cell"]


# -- the option --------------------------------------------------------------------------


def test_the_option() -> None:
    for ignore in ("stale-gradient", ("stale-gradient", "zeroed"), ["stale-gradient"]):
        t = run(FORGETS, ignore=ignore)
        assert alarms(t) == set() and [s.finding.name for s in t.silenced] == ["stale-gradient"]
        assert "by the ignore option." in said(t)


def test_an_unknown_name_is_refused_before_anything_runs() -> None:
    with pytest.raises(OptionError, match="did you mean stale-gradient"):
        run("ran = 1/0", ignore="stale-gradeint")
    with trace():  # torch is not left patched, and no trace is left running
        pass


def test_a_hand_built_trace() -> None:
    def finding(name: str, line: int) -> Finding:
        place = SourceLocation("a.py", line)
        return Finding(name, "warning", "t", "c", evidence=Evidence(lines=(place,)))

    findings = [finding("stale-gradient", n) for n in range(1, 10)]
    here = SourceLocation("a.py", 2)
    some = Trace(comments=(Ignore((), here, 1, 3), Ignore((), SourceLocation("b.py", 5), 5, 5)))
    told, silenced = divide(some, findings)
    assert [f.evidence.lines[0].line for f in told] == list(range(4, 10))
    assert [s.by.where for s in silenced] == [here] * 3
    every = Trace(meta=Meta(ignore=("stale-gradient",)))
    told, silenced = divide(every, findings)
    assert told == () and len(silenced) == 9
    shown = " ".join(report(Trace(silenced=silenced)).text(100).split())
    assert shown.count("stale-gradient at a.py") == 6 and "and 3 more" in shown

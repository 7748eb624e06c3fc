"""Every finding has a page, and what the pages say of their examples is so."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from ipygradmagic.diagnose.diagnosis import DIAGNOSES
from ipygradmagic.diagnose.explain import names, page
from ipygradmagic.diagnose.raised import _MISUSES
from ipygradmagic.errors import OptionError
from ipygradmagic.record.pages import Page
from ipygradmagic.render.page import page_view
from ipygradmagic.render.shown import Report
from tests.diagnose.examples import RAISES, trace_of

every = pytest.mark.parametrize("name", names())
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{said}")
    for said in ("The .grad attribute", ".*empty generator", r"Detected call of `lr_scheduler")
]


def given() -> set[str]:
    """The names that the rules give."""
    found: set[str] = set()
    for module in {inspect.getmodule(rule) for rule in DIAGNOSES}:
        assert module is not None
        tree = ast.parse(inspect.getsource(module))
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id == "Finding":
                name = {k.arg: k.value for k in call.keywords}["name"]
                if ast.unparse(name) != "found.name":  # of a table, below
                    found.add(ast.literal_eval(name))
    return found | {m.name for m in _MISUSES}


def test_every_name_that_a_rule_gives_has_a_page_and_no_other_has() -> None:
    assert given() == set(names())


@every
def test_a_page_is_complete_and_its_examples_can_be_copied(name: str) -> None:
    one = page(name)
    assert all((one.what, one.why, one.silence, one.wrong.title, one.right.title))
    for example in (one.wrong, one.right):
        compile(example.code, name, "exec")
        assert "import torch" in example.code
        assert len(example.code.splitlines()) <= 20
        assert max(map(len, example.code.splitlines())) <= 76
    assert one.wrong.code != one.right.code


@every
def test_the_wrong_example_gets_exactly_this_finding(name: str) -> None:
    findings = trace_of(page(name).wrong.code).findings
    said = [f.name for f in findings if f.severity != "fine"]
    fine = [f.name for f in findings if f.severity == "fine"]
    assert said == [name] or (said == [] and name in fine), findings


@every
def test_the_right_example_raises_no_alarm(name: str) -> None:
    trace = trace_of(page(name).right.code)
    assert not [f for f in trace.findings if f.alarm]
    assert name == "zeroed" or name not in {f.name for f in trace.findings}


def commented(one: Page) -> str:
    """The wrong example with the comment that the page shows."""
    code, _, comment = one.comment.partition("  # ")
    lines = one.wrong.code.splitlines()
    at = next(i for i, line in enumerate(lines) if line.partition("  #")[0].strip() == code)
    raises = RAISES.search(lines[at])
    lines[at] = f"{lines[at].partition('  #')[0]}  # {comment}{raises[0] if raises else ''}"
    return "\n".join(lines)


@every
def test_it_can_be_silenced_as_the_page_says(name: str) -> None:
    one = page(name)
    trace = trace_of(one.wrong.code, ignore=name)
    assert name not in {f.name for f in trace.findings}
    assert [s.finding.name for s in trace.silenced] == [name]
    if one.comment:
        trace = trace_of(commented(one))
        assert name not in {f.name for f in trace.findings}
        assert [s.finding.name for s in trace.silenced] == [name] and trace.notes == ()
    else:
        findings = trace_of(one.wrong.code).findings
        assert not next(f for f in findings if f.name == name).evidence.lines


@every
def test_the_page_reads_the_same_as_text_and_as_html(name: str) -> None:
    one = page(name)
    report = Report(page_view(one))
    text, html = report.text(90), report.html()
    assert max(map(len, text.splitlines())) <= 100
    for said in (one.what, one.why, one.silence):
        assert "".join(said.split()) in "".join(text.split())
    for line in one.wrong.code.splitlines():
        assert line in text
    assert re.search(r"<(style|script|link)|\sid=|class=|https?:", html) is None
    assert (one.wrong.title in html and f"ignore[{name}]" in html) or not one.comment
    assert "color:" not in html  # text is inherited, so that it fits light and dark


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("stale-gradeint", "did you mean stale-gradient"),
        ("Stale-Gradient", "did you mean stale-gradient"),
        ("../pages/zeroed", "the findings are: accumulation, "),
        ("", "the findings are: accumulation, "),
    ],
)
def test_an_unknown_name_is_told_what_is_near(wanted: str, says: str) -> None:
    with pytest.raises(OptionError, match=re.escape(f"no finding is called {wanted!r}")) as error:
        page(wanted)
    assert says in str(error.value)

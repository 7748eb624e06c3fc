from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import records as r

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.state import State
from ipygradmagic.record.tensors import GroupInfo, Holds, OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import report
from ipygradmagic.render.html import to_html
from ipygradmagic.render.report import NOTHING, report_view, state_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Strip, Table, View

HOSTILE = [
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "x" * 10_000,
    "🔥w👩‍👩‍👧",
    "a\nb\r\n\x00\x1b[31m",
    "\"'><img src=x onerror=alert(1)>",
    "back\\slash\\n\\N",
    "[bold]rich[/bold] :smile:",
    "\ue000\u202e\ud800",
]
VOID = {"br", "img", "hr"}


class Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag == "img":
            self.words.append(dict(attrs).get("alt") or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(html: str) -> Balance:
    parser = Balance()
    parser.feed(html)
    parser.close()
    assert not parser.open
    return parser


def tokens(text: str) -> set[str]:
    return set(re.findall(r"[^\s─]+", text.replace("\u00a0", " ")))


def hostile(name: str) -> Trace:
    where = SourceLocation(f"{name}.py", 3, name, name)
    card = Finding(
        name, "error", name, name, name, Remedy(name, name), Evidence((1,), (where,), (name,))
    )
    change = Change(1, None, r.one(1.0), True, r.one(1.0), holds=Holds(1, 1, 1, origin=where))
    event = Event(
        1,
        "backward",
        1,
        name,
        where,
        name,
        name,
        (change,),
        3,
        (name,),
        None,
        1.0,
        0,
        None,
        name,
        name,
        1,
    )
    info = TensorInfo(1, name, (name,), owners=(name,), reached=1, holds=Holds(1, 1, 1))
    return r.trace_of(
        [event],
        tensors=(info,),
        findings=(card,),
        graphs=(r.graph_of({1: name}, (name,)),),
        optimizers=(replace(r.SGD, name=name, cls=name),),
        notes=(name,),
        warnings=(name,),
    )


ALL = {
    "forgotten": r.forgotten(),
    "clean": r.clean_by_hand(),
    "sgd": r.sgd(),
    "failed": r.failed(),
    "short": r.clean_by_hand(3),
    "nothing": Trace(),
}


@pytest.fixture(params=ALL)
def view(request: pytest.FixtureRequest) -> View:
    return report_view(ALL[request.param], Options())


def test_html_is_well_formed_and_plain(view):
    seen = parsed(to_html(view))
    assert not seen.seen & {"script", "style", "svg", "iframe", "input"}
    assert not {"id", "onclick"} & {name for name, _ in seen.attributes}


def without_strips(view: View) -> View:
    """A strip is a picture in HTML and a grid of marks in text: test_strip.py compares those."""
    sections = [
        replace(s, blocks=tuple(b for b in s.blocks if not isinstance(b, Strip)))
        for s in view.sections
    ]
    return replace(view, sections=tuple(sections))


def test_html_and_text_say_the_same(view):
    view = without_strips(view)
    assert tokens(" ".join(parsed(to_html(view)).words)) == tokens(to_text(view, 600))


def test_state_says_the_same_in_html_and_text():
    view = state_view(r.state(), Options())
    assert tokens(" ".join(parsed(to_html(view)).words)) == tokens(to_text(view, 600))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names(name):
    view = report_view(hostile(name), Options())
    seen = parsed(to_html(view))
    assert "script" not in seen.seen
    assert not any(key.startswith("on") for key, _ in seen.attributes)
    text = to_text(view, 100)
    assert "\x1b" not in text and "\ue000" not in text
    text.encode()


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_text_loses_nothing_when_narrow(view, width):
    view = without_strips(view)
    letters = lambda s: sorted(re.sub(r"[\s─]", "", s))  # noqa: E731
    wide, narrow = to_text(view, 400), to_text(view, width)
    assert letters(wide) == letters(narrow)
    assert max(map(len, narrow.split("\n"))) <= width


def test_the_verdict_comes_first_and_findings_follow():
    text = to_text(report_view(r.forgotten(), Options()))
    lines = text.split("\n")
    assert lines[0] == "✗ The gradients are wrong: 1 error."
    assert lines[1] == "  300 backward · 300 update · In [3] · 1 tensor · 0.12 s"
    assert text.index("[stale-gradient]") < text.index("Timeline") < text.index("Graph")


def test_nothing_to_say_is_one_line():
    assert to_text(report_view(Trace(), Options())) == f"ℹ {NOTHING}"
    assert to_text(state_view(State(), Options())) == "ℹ No tensor here requires grad."


def test_a_clean_run_is_folded_and_an_alarm_is_not():
    folded = {s.title: s.folded for s in report_view(r.sgd(), Options()).sections}
    assert folded["Timeline"] and folded["Graph"]
    folded = {s.title: s.folded for s in report_view(r.forgotten(), Options()).sections}
    assert not folded["Timeline"] and not folded["Graph"]


def test_an_error_of_the_code_is_told_with_what_came_before():
    text = to_text(report_view(r.failed(), Options()), 300)
    assert "The code stopped with RuntimeError at In [3], line 9: Trying to backward" in text
    assert "freed, by backward #1 at In [3], line 7" in text
    assert "in no optimizer" in text and "never reached" in text


def test_a_failing_section_leaves_a_placeholder(monkeypatch):
    def broken(*_: object) -> Table:
        raise ZeroDivisionError("ouch")

    monkeypatch.setattr(Timeline, "table", broken)
    with pytest.raises(ZeroDivisionError):
        report_view(r.forgotten(), Options())
    monkeypatch.setattr(report, "RAISE_FAULTS", False)
    text = to_text(report_view(r.forgotten(), Options()))
    assert "could not be shown (ZeroDivisionError: ouch)" in text
    assert "stale-gradient" in text and "Graph" in text


# -- timeline ------------------------------------------------------------------------------


def rows(trace: Trace, **options: object) -> list[str]:
    table = Timeline(trace, Options(**options)).table()
    return [" | ".join(" ".join(x.text for x in c.lines) for c in row.cells) for row in table.rows]


def test_ten_rounds_are_shown_in_full():
    backwards = [e for e in r.by_hand(10) if e.kind == "backward"]
    events = [replace(e, index=i) for i, e in enumerate(backwards, 1)]
    shown = rows(r.trace_of(events, tensors=(r.W,)))
    assert len(shown) == 10
    assert shown[0] == (
        "1 | backward #1 loss 64 | In [3], line 7 loss.backward() | w.grad | None | −16 | −16 | backward #1"
    )


def test_an_update_shows_value_and_gradient():
    first = rows(r.clean_by_hand(1))[1:3]
    assert first[0].endswith("| w | 1 |  | 1.16 | ")
    assert first[1].endswith("| w.grad | −16 |  | unchanged | backward #1, used")


def test_a_long_run_fits_a_screen():
    events = r.by_hand(5000)
    assert len(rows(r.trace_of(events, 1000))) <= 40
    assert any("more rounds alike" in row for row in rows(r.trace_of(events, 1000)))


def test_a_million_events_fit_a_screen():
    trace = replace(r.clean_by_hand(), pattern=(1, 2, 3) * 333_333, total=999_999)
    shown = rows(trace)
    assert len(shown) <= 40
    assert any("numbers not kept" in row for row in shown)


def test_irregular_runs_are_cut_in_the_middle():
    pattern = tuple((i * i * 7919) % 11 % 3 + 1 for i in range(2000))
    shown = rows(replace(r.clean_by_hand(), pattern=pattern, total=2000), rows=12)
    assert len(shown) <= 16


def test_the_event_that_an_alarm_points_at_is_shown():
    finding = replace(r.STALE, evidence=Evidence((301,)))
    shown = rows(replace(r.forgotten(), findings=(finding,)))
    assert any(row.startswith("✗\u00a0301 ") for row in shown)


def test_many_tensors_show_the_most_telling_first():
    dull = [Change(i, r.one(1.0), r.one(1.0), holds=Holds(1, 1, 1)) for i in range(2, 400)]
    stale = Change(400, r.one(1.0), r.one(1.0), holds=Holds(2, 1, 2, 1, 1))
    event = Event(1, "backward", 1, "backward", changes=(*dull, stale), unchanged=12)
    known = tuple(TensorInfo(i, f"w.{i}") for i in range(2, 413))
    owner = OptimizerInfo("opt", "SGD", (GroupInfo(tuple(range(2, 413))),), 1)
    shown = rows(r.trace_of([event], tensors=known, optimizers=(owner,)))
    assert len(shown) == 5
    assert "stale" in shown[3]
    assert "+ 395 more tensors alike · 12 unchanged" in shown[4]


def test_names_restrict_tensors_but_not_findings():
    options = Options(names=("model.0.*", "nope"))
    text = to_text(report_view(r.sgd(findings=(r.STALE,)), options), 200)
    assert "model.2.weight.grad" not in text
    assert "No tensor is called “nope”. The names are: model.0.weight" in text
    assert "stale-gradient" in text


def test_derived_contributions_are_marked():
    change = Change(1, r.one(1.0), r.one(3.0), True, r.one(2.0), added_exact=False)
    mean = Change(1, r.large(), r.large(), True, added_mean=0.5)
    shown = rows(r.trace_of([Event(1, "backward", 1, "backward", changes=(change, mean))]))
    assert "≈\u00a0+2" in shown[0] and "≈\u00a0mean\u00a00.5" in shown[1]


def test_remarks_of_an_event():
    event = Event(
        1,
        "update",
        1,
        "data -=",
        via="lib.f",
        source="unknown",
        inside="LBFGS.step",
        missed=("b",),
        error="ValueError: no",
    )
    (row,) = rows(r.trace_of([event]))
    for said in (
        "via lib.f",
        "update of unknown source",
        "inside LBFGS.step",
        "nothing to consume for: b",
        "raised ValueError: no",
        "line not known",
    ):
        assert said in row


def test_a_rebound_name():
    infos = tuple(replace(r.W, id=i, generation=i, generations=5000) for i in (1, 3))
    change = Change(3, None, None, value_before=r.one(1.0), value_after=r.one(2.0))
    trace = r.trace_of([Event(1, "rebind", 1, "w =", changes=(change,))], tensors=infos)
    assert "w is now another leaf generation 3" in rows(trace)[0]
    assert "w (5,000 leaves; this is the last)" in to_text(report_view(trace, Options()), 200)

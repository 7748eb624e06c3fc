"""The report in Chinese: no English sentence is left in it, and its lines fit their width."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape

import pytest
import records as r

from ipygradmagic.language import speaking
from ipygradmagic.options import Options
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Trace
from ipygradmagic.render.alarm import Alarm, alarm_view
from ipygradmagic.render.cells import wrapped
from ipygradmagic.render.diff import diff_view
from ipygradmagic.render.html import led, to_html
from ipygradmagic.render.report import report_view, state_view
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.telling import page
from ipygradmagic.render.text import to_text
from ipygradmagic.render.view import View

SENTENCE = re.compile(r"(?:\b[A-Za-z][a-z']*,? ){3}[A-Za-z][a-z']*\b")
CODE = re.compile(r"<style>.*?</style>|<code.*?</code>|<pre.*?</pre>|style=\"[^\"]*\"", re.DOTALL)
IMAGE = re.compile(r'src="data:image/svg\+xml;base64,([^"]*)"')


def plain(trace: Trace) -> Trace:
    """What diagnoses and PyTorch say is put into Chinese by others, or never."""
    findings = tuple(
        replace(f, title="梯度有误：第 3 行。", cause="原因。", consequence="后果。", remedy=None)
        for f in trace.findings
    )
    error = replace(trace.error, message="出错") if trace.error is not None else None
    return replace(trace, findings=findings, error=error)


def several() -> Trace:
    stale = replace(r.STALE, name="clip-each-backward", severity="warning")
    return r.sgd(40, (stale,))


def run(make: Callable[[], Trace]) -> View:
    return report_view(plain(make()), Options())


def state() -> View:
    now = r.state()
    return state_view(
        replace(now, tensors=tuple(replace(t, odd="") for t in now.tensors)), Options()
    )


def compared() -> View:
    return diff_view(plain(r.forgotten(9)), plain(r.clean_by_hand(9)), ("a = 1", "a = 2"))


MAKERS: dict[str, Callable[[], View]] = {
    "forgotten": lambda: run(r.forgotten),
    "short": lambda: run(lambda: r.forgotten(3)),
    "clean": lambda: run(r.clean_by_hand),
    "sgd": lambda: run(r.sgd),
    "several": lambda: run(several),
    "failed": lambda: run(r.failed),
    "teaching": lambda: report_view(plain(r.forgotten(3)), Options(teach=True)),
    "state": state,
    "compared": compared,
}


@pytest.fixture(params=MAKERS)
def made(request: pytest.FixtureRequest) -> View:
    with speaking("zh"):
        return MAKERS[request.param]()


def pictures(html: str) -> Iterator[str]:
    for found in IMAGE.findall(html):
        yield base64.b64decode(found).decode()


def said(markup: str) -> str:
    """Words of markup, and of its alternative texts."""
    bare = CODE.sub(" ", IMAGE.sub("", markup))
    alts = re.findall(r'alt="([^"]*)"', bare)
    return unescape("\n".join([re.sub(r"<[^>]*>", "\n", bare), *alts]))


def test_no_english_sentence_is_left_in_the_text(made: View) -> None:
    assert SENTENCE.findall(to_text(made, 2000)) == []
    assert re.search("[\u4e00-\u9fff]", to_text(made))


def test_no_english_sentence_is_left_in_html_alternatives_and_pictures(made: View) -> None:
    html = to_html(made)
    drawn = list(pictures(html))
    assert drawn
    for markup in (html, *drawn):
        assert SENTENCE.findall(said(markup)) == []


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_keep_to_the_width_in_columns_of_a_terminal(made: View, width: int) -> None:
    assert [line for line in to_text(made, width).splitlines() if cell_len(line) > width] == []


def test_nothing_stays_chinese_when_the_same_trace_is_shown_in_english_afterwards() -> None:
    trace = r.sgd()
    shown = []
    for lang in ("en", "zh", "en"):
        with speaking(lang):
            view = report_view(trace, Options())
        shown.append((to_text(view), to_html(view)))
    assert shown[0] == shown[2] != shown[1]
    assert not re.search("[\u4e00-\u9fff]", "".join(shown[2]))


def test_laying_out_does_not_ask_which_language_is_spoken_by_then() -> None:
    with speaking("zh"):
        view = report_view(plain(r.sgd()), Options())
        expected = to_text(view), to_html(view)
    with speaking("en"):
        assert (to_text(view), to_html(view)) == expected


def test_a_page_says_its_language() -> None:
    trace = r.sgd()
    html = page(replace(trace, meta=replace(trace.meta, lang="zh")))
    assert '<html lang="zh">' in html and "由 ipygradmagic 生成" in html


def test_an_alarm_is_chinese_around_the_finding() -> None:
    trace = plain(r.forgotten(9))
    trace = replace(trace, findings=(*trace.findings, replace(trace.findings[0], name="other")))
    with speaking("zh"):
        alarm = Alarm(alarm_view(trace), report_view(trace, Options()))
    assert SENTENCE.findall(alarm.text()) == [] and "另有 1 条诊断：other" in alarm.text()
    assert "梯度有误 [stale-gradient]" in alarm.text()
    assert SENTENCE.findall(said(alarm.html())) == []


def test_the_clause_that_leads_a_title_ends_at_either_colon() -> None:
    assert led("忘记清零：第 3 行。") == ("忘记清零：", "第 3 行。")
    assert led("Forgotten: line 3.") == ("Forgotten:", " line 3.")
    assert led("a:b") == ("a:b", "")


def test_chinese_is_broken_between_characters_but_not_before_a_mark() -> None:
    text = "梯度在 backward 之后没有清零，第 12 行又用了一次（共 3 次）。"
    for width in range(12, 40):
        lines = wrapped(text, width)
        assert max(map(cell_len, lines)) <= width
        assert not [line for line in lines if line[0] in "，。）" or line[-1] == "（"]
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(wrapped(text, 30)) == 3, "no line ends early for want of a blank"


def test_a_word_longer_than_the_line_is_cut() -> None:
    assert wrapped("见 " + "w" * 25, 10) == ["见", "w" * 10, "w" * 10, "w" * 5]


def test_findings_are_told_by_name_whatever_the_language() -> None:
    trace = plain(r.forgotten(9))
    assert isinstance(trace.findings[0], Finding)
    with speaking("zh"):
        text = to_text(report_view(trace, Options()))
    assert "[stale-gradient]" in text and "backward #1" in text and "None" in text

"""Two traced runs side by side, and what a watch says of one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import Summary, TensorInfo
from ipygradmagic.record.trace import CellError, Meta, Trace
from ipygradmagic.render import report
from ipygradmagic.render.alarm import HINT, Alarm, alarm_view
from ipygradmagic.render.diff import diff_view
from ipygradmagic.render.report import report_view
from ipygradmagic.render.shown import Report

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\n" + "😀" * 3000
STALE = Finding("stale-gradient", "error", "Forgotten zero_grad: in line 7.", "because")
LOST = Finding("loss-not-a-number", "warning", "The loss is lost.", "because")


@pytest.fixture(autouse=True)
def faults_are_raised(monkeypatch) -> None:
    monkeypatch.setattr(report, "RAISE_FAULTS", True)


def event(index: int, kind: str, number: int, line: int, text: str, **more: object) -> Event:
    where = SourceLocation("c", line, text=text, cell="In [1]")
    label = "SGD.step" if kind == "step" else kind
    return Event(index, kind, number, label, where, signature=line, **more)


def made(title: str, losses: tuple[float, ...], clear: bool, *findings: Finding) -> Trace:
    events: list[Event] = []
    for n, loss in enumerate(losses, 1):
        if clear:
            events.append(event(len(events) + 1, "zero_grad", n, 4, "opt.zero_grad()"))
        grad = Summary.of_values((3.0 * n, 4.0 * n))
        change = Change(1, None, grad, True)
        i = len(events) + 1
        events.append(event(i, "backward", n, 5, "loss.backward()", loss=loss, changes=(change,)))
        events.append(event(i + 1, "step", n, 6, "opt.step()"))
    return Trace(
        events=tuple(events),
        total=len(events),
        pattern=tuple(e.signature for e in events),
        tensors=(TensorInfo(1, "w", shape=(2,)),),
        findings=findings,
        meta=Meta(title),
    )


BEFORE = made("In [2]", (4.0, 3.0, 5.0), False, STALE)
AFTER = made("In [3]", (4.0, 2.0, 1.0), True)
CODES = ("a\nloss.backward()\nopt.step()", "a\nopt.zero_grad()\nloss.backward()\nopt.step()")


def text(before: Trace = BEFORE, after: Trace = AFTER, codes: tuple[str, str] = CODES) -> str:
    return " ".join(Report(diff_view(before, after, codes)).text(110).split())


def test_a_mended_cell() -> None:
    said = text()
    assert "✓ Mended: stale-gradient of In [2] is gone; nothing wrong found in In [3]." in said
    assert "Last loss: 5 (backward #3) in In [2], 1 (backward #3) in In [3]." in said
    assert "✓ gone: Forgotten zero_grad: in line 7. [stale-gradient]" in said


def test_what_is_new_and_what_is_still_there() -> None:
    after = replace(AFTER, findings=(STALE, LOST))
    said = text(BEFORE, after)
    assert "✗ From In [2] to In [3], new: loss-not-a-number; still there: stale-gradient." in said
    assert "▲ new: The loss is lost." in said and "✗ still: Forgotten" in said
    assert "▲ From In [3] to In [2], gone: stale-gradient; new: loss-not-a-number" in text(
        replace(AFTER, findings=(STALE,)), replace(BEFORE, findings=(LOST,))
    )
    assert "✓ Nothing wrong found, neither in In [3] nor in In [2]." in text(
        AFTER, replace(BEFORE, findings=())
    )


def test_the_events_are_matched_by_line_and_counted() -> None:
    said = text()
    assert "zero_grad opt.zero_grad() – 3 new" in said
    assert "backward loss.backward() 3 3" in said and "SGD.step opt.step() 3 3" in said
    assert "In [2]: 3 × (backward → SGD.step)" in said
    assert "In [3]: 3 × (zero_grad → backward → SGD.step)" in said
    assert "opt.step() 3 2 less often" in text(BEFORE, made("In [3]", (1.0, 2.0), False))


def test_events_that_were_not_kept_count_too() -> None:
    kept = replace(BEFORE, events=BEFORE.events[:2], pattern=(5, 6) * 500, total=1000)
    said = text(kept)
    assert "loss.backward() 500 3 less often" in said and "500 × (backward → SGD.step)" in said


def test_the_code_that_changed() -> None:
    assert "+opt.zero_grad()" in text()
    assert "ran the same code" in text(codes=(CODES[0], CODES[0]))


def test_the_curves_lie_over_one_another() -> None:
    view = diff_view(BEFORE, AFTER, CODES)
    charts = next(s for s in view.sections if s.title == "Curves").blocks[0].charts
    assert [c.caption for c in charts] == ["Loss", "Gradient norm, w"]
    assert [(c.label, c.lines) for c in charts[0].curves] == [
        ("In [2]", ((4.0, 3.0, 5.0),)),
        ("In [3]", ((4.0, 2.0, 1.0),)),
    ]
    assert charts[1].curves[0].lines == ((5.0, 10.0, 15.0),)
    assert Report(view).html().count("data:image/svg+xml") == 2


def test_runs_without_numbers_and_runs_that_failed() -> None:
    error = CellError("RuntimeError", "no\nway")
    said = text(Trace(meta=Meta("In [1]")), Trace(meta=Meta("In [1]"), error=error))
    assert "before: nothing happened" in said and "▲ after ended with RuntimeError: no way" in said
    assert "Curves" not in said
    nan = made("In [2]", (math.nan, math.inf, math.nan), False)
    assert "Last loss: NaN" in text(nan, nan)


def test_a_hostile_program_is_shown_and_stays_small() -> None:
    bad = replace(STALE, title=HOSTILE)
    before = replace(made(HOSTILE, (1.0, 2.0), True, bad), tensors=(TensorInfo(1, HOSTILE),))
    shown = Report(diff_view(before, AFTER, (HOSTILE, "x")))
    html = shown.html()
    assert "<script" not in html and "49" not in html.split("7*7")[0][-5:] and len(html) < 300_000
    alarm = Alarm(alarm_view(before), report_view(before, Options())).html()
    assert "<script" not in alarm and "{{ 7*7 }}" in alarm


def test_the_alarm_is_short_with_the_report_folded_below() -> None:
    trace = replace(BEFORE, findings=(STALE, LOST))
    alarm = Alarm(alarm_view(trace), report_view(trace, Options()))
    assert alarm.text(200).split("\n") == [
        "✗ In [2]: Forgotten zero_grad [stale-gradient]",
        "  in line 7.",
        "  1 more finding: loss-not-a-number",
        f"  {HINT}",
    ]
    html = alarm.html()
    line, details = html.split("<details", 1)
    assert "Forgotten zero_grad" in line and "The loss is lost" not in line
    assert "The report of In [2]" in details and "The loss is lost" in details
    assert html.count("<div") == html.count("</div>") and "<style" not in html

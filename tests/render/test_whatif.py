"""Two runs side by side, from hand-built records."""

from __future__ import annotations

import base64
import html.parser
import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ipygradmagic.record.findings import Finding
from ipygradmagic.record.whatif import Comparison, Rehearsal, Series
from ipygradmagic.render.chart import drawing, scale_of, spark, thinned
from ipygradmagic.render.shown import Report
from ipygradmagic.render.view import Chart, Curve
from ipygradmagic.render.whatif import whatif_view

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}\n\x1b[31m'\"&]]>" + "😀" * 300


def rows(*values: float) -> tuple[tuple[float, ...], ...]:
    return tuple((v,) for v in values)


def run(*losses: float, **more: object) -> Rehearsal:
    found = (Series("loss.backward()", rows(*losses), 3),) if losses else ()
    path = (Series("w", ((0.0, 1.0), (1.0, 2.0))),)
    settings = {"losses": found, "paths": path, "steps": len(losses), "findings": (), "cell": 4}
    return Rehearsal(**{"ending": "done", "seconds": 2.0, **settings, **more})


def compared(written: Rehearsal, patched: Rehearsal, **more: object) -> Comparison:
    settings = {"cells": (1, 2), "repeated": (), "change": "+ opt.zero_grad()", "limit": 60.0}
    return Comparison(**{"number": 4, **settings, "written": written, "patched": patched, **more})


def text(written: Rehearsal, patched: Rehearsal, **more: object) -> str:
    shown = Report(whatif_view(compared(written, patched, **more))).text(100)
    return " ".join(shown.split())


def test_the_headline_says_what_the_bug_costs():
    said = text(run(4.0, 2.0), run(4.0, 0.25))
    assert (
        "✓ As written the loss ends at 2 after 2 backward passes; as patched it ends at 0.25."
        in said
    )


def test_a_loss_that_is_nan_as_written_is_worse():
    assert "✓ As written the loss ends at NaN" in text(run(4.0, math.nan), run(4.0, 0.25))
    assert "ℹ As written" in text(run(4.0, 0.25), run(4.0, math.nan))


def test_it_is_told_since_when_a_loss_is_lost():
    said = text(run(4.0, math.inf, math.nan, math.nan), run(4.0, 3.0, 2.0, 1.0))
    assert "ends at NaN (not finite since backward #2) after 4 backward passes" in said


def test_rivals_are_not_judged_by_who_is_lower():
    two = (Series("d.backward()", rows(1, 2), 3), Series("g.backward()", rows(3, 4), 7))
    lower = (replace(two[0], rows=rows(1, 1)), two[1])
    assert "ℹ As written the loss of line 3 ends at 2" in text(run(losses=two), run(losses=lower))


def test_runs_that_go_alike_cost_nothing():
    said = text(run(4.0, 2.0), run(4.0, 2.0000001))
    assert "The bug cost nothing measurable in this run" in said
    stopped = run(4.0, 2.0, ending="failed", error="EOFError: no")
    said = text(stopped, stopped)
    assert "As far as they came, both runs go alike." in said and "nothing measurable" not in said


def test_a_run_that_was_cut_is_compared_where_both_came_to():
    said = text(run(4.0, 3.0, 2.5, ending="cut"), run(4.0, 1.0))
    assert (
        "stands at 3 after 2 backward passes, as far as both came; as patched it stands at 1"
        in said
    )
    assert "As written: stopped by the time limit of 60 s, after 3 backward passes." in said


def test_an_earlier_cell_that_could_not_be_rebuilt():
    gone = run(ending="unbuilt", cell=2, error="NameError: k", losses=(), paths=())
    said = text(gone, gone)
    assert "There is nothing to compare" in said
    assert "Both: In [2], an earlier cell that it needs, ended with NameError: k" in said
    slow = replace(gone, ending="cut", error="")
    assert "the time limit of 60 s ran out in In [2], an earlier cell" in text(slow, slow)


def test_what_is_still_wrong_as_patched_is_told():
    alarm = Finding("stale-gradient", "error", "It is still wrong", "because")
    assert "▲ As patched, something is still wrong: It is still wrong [stale-gradient]" in text(
        run(4.0, 2.0), run(4.0, 1.0, findings=(alarm,))
    )
    note = replace(alarm, severity="note")
    assert "As patched: nothing wrong found." in text(
        run(4.0, 2.0), run(4.0, 1.0, findings=(note,))
    )
    cut = text(run(4.0, 2.0), run(4.0, 1.0, findings=(note,), ending="cut"))
    assert "As patched: nothing wrong found until then." in cut
    killed = text(run(4.0, 2.0), run(4.0, 1.0, findings=None, ending="cut"))
    assert "nothing wrong found" not in killed  # nobody knows


def test_distances_are_shown():
    assert re.search(r"│?w .* 7\.25", text(run(4.0, 2.0), run(4.0, 1.0), distances=(("w", 7.25),)))


def test_two_losses_are_told_apart():
    two = (Series("d.backward()", rows(1, 2), 3), Series("g.backward()", rows(3, 4), 7))
    said = text(run(losses=two), run(losses=two[:1]))
    assert "Loss at each backward at line 3" in said and "loss at line 7" in said


def test_without_a_loss_the_distance_speaks():
    said = text(run(), run(paths=(Series("w", rows(1, 5)),)), distances=(("w", 3.0), ("v", 4.0)))
    assert "the parameters end 5 apart" in said


def test_hostile_text_stays_text():
    bad = (Series(HOSTILE, rows(1, 2), 3), Series(HOSTILE + "2", rows(1, 3), 4))
    hostile = run(losses=bad, paths=bad, error=HOSTILE, ending="failed", tail=HOSTILE)
    report = Report(whatif_view(compared(hostile, run(1.0), change=HOSTILE)))
    page = report.html()
    assert "<script" not in page and "\x1b" not in page and "\x1b" not in report.text(80)
    tags = Tags()
    tags.feed(page)
    assert not tags.open and set(tags.seen) <= SAFE


def test_every_picture_has_words_and_is_well_formed():
    page = Report(whatif_view(compared(run(4.0, 2.0), run(4.0, 0.01)))).html()
    pictures = re.findall(r'<img alt="([^"]*)" [^>]*base64,([^"]*)"', page)
    assert len(pictures) == 2
    for alt, data in pictures:
        assert "as written" in alt and "as patched" in alt and "→" in alt
        assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")
    assert "<svg" not in page and "<style" not in page


SAFE = {"div", "span", "pre", "img", "table", "caption", "thead", "tbody", "tr", "th", "td", "code"}


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


# -- charts --------------------------------------------------------------------------------


def chart(*lines: tuple[float, ...]) -> Chart:
    return Chart("c", "update", tuple(Curve(str(i), (line,)) for i, line in enumerate(lines)))


def points(of: Chart) -> list[list[tuple[float, float]]]:
    found = drawing(of)
    assert found is not None
    pieces = [piece for curve in found.lines for piece in curve]
    return [[tuple(map(float, p.split(","))) for p in piece.split()] for piece in pieces]


def test_a_line_falls_from_left_to_right():
    ((first, last),) = points(chart((1.0, 0.0)))
    assert first[0] < last[0] and first[1] < last[1]  # y counts from the top


def test_a_line_is_broken_where_it_is_not_finite():
    assert len(points(chart((1.0, 2.0, math.nan, 3.0, 4.0)))) == 2


@pytest.mark.parametrize("lines", [(), ((),), ((math.nan, math.inf),)])
def test_without_a_number_there_is_no_drawing(lines):
    assert drawing(chart(*lines)) is None


@pytest.mark.parametrize("line", [(5.0,), (5.0, 5.0), (0.0, 0.0), (-1e308, 1e308), (1e-320, 1e300)])
def test_extremes_stay_inside(line):
    for piece in points(chart(line)):
        assert all(0 <= x <= 285 and 0 <= y <= 180 for x, y in piece)


def test_the_scale_is_logarithmic_for_large_ratios_only():
    assert scale_of(chart((1.0, 100.0)).curves).logarithmic
    assert not scale_of(chart((1.0, 10.0)).curves).logarithmic
    assert not scale_of(chart((-1.0, 100.0)).curves).logarithmic


def test_a_long_line_keeps_its_spikes():
    line = [0.0] * 100_000
    line[31_234] = 9.0
    kept = thinned(line)
    assert len(kept) < 500 and (31_234, 9.0) in kept and kept[0][0] == 0 and kept[-1][0] == 99_999


def test_sparks():
    scale = scale_of(chart((0.0, 7.0)).curves)
    assert spark((0.0, 3.5, 7.0, math.nan), scale, 4) == "▁▅█!"
    assert len(spark([1.0] * 1000, scale, 2000)) == 16

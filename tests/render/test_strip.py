"""The lifecycle strip, from hand-built records."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import records as r

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import html, lifecycle
from ipygradmagic.render.paths import block, coarsest_needed, kind, root
from ipygradmagic.render.report import report_view
from ipygradmagic.render.strip import drawing, grid, told
from ipygradmagic.render.text import to_text
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import Mark, Strip


def made(trace: Trace, **options: object) -> Strip:
    found = lifecycle.strip(Timeline(trace, Options(**options)))
    assert found is not None
    return found


def picture(strip: Strip) -> str:
    uri, _ = html.stripped(strip)
    return base64.b64decode(uri.partition(",")[2]).decode()


def rounds(*acts: str, leaf: int = 1, edited: str = "") -> list[Event]:
    """A gradient by what is done to it: B(ackward), U(pdate), E(dit), Z(ero)."""
    events: list[Event] = []
    grad, holds, passes = None, Holds(), 0
    for n, act in enumerate(acts, 1):
        before = grad
        if act == "B":
            passes += 1
            stale = holds.used
            grad = r.one(float(n))
            holds = Holds(holds.count + 1, holds.first or passes, passes, holds.used, stale)
        elif act == "U":
            holds = replace(holds, used=holds.count)
        elif act == "E":
            grad, holds = r.one(float(n) / 2), replace(holds, note=edited)
        elif act == "Z":
            grad, holds = None, Holds()
        kinds = {"B": "backward", "U": "update", "E": "edit", "Z": "zero_grad"}
        number = 1 + sum(e.kind == kinds[act] for e in events)
        change = Change(leaf, before, grad, act != "U", holds=holds)
        where = r.at({"B": 7, "U": 8, "E": 9, "Z": 11}[act])
        label = "clip_grad_norm_" if edited == "clipped" and act == "E" else act
        signature = hash((act, min(holds.count - holds.stale, 5), bool(holds.stale)))
        events.append(
            Event(n, kinds[act], number, label, where, changes=(change,), signature=signature)
        )
    return events


def one_leaf(*acts: str, **more: str) -> Trace:
    return r.trace_of(rounds(*acts, **more), tensors=(TensorInfo(1, "w"),))


def signs(strip: Strip) -> list[str]:
    return [m.sign if m.touched else "-" for m in strip.lives[0].marks]


def test_a_forgotten_zero_grad_never_empties():
    strip = made(r.forgotten(30))
    assert signs(strip) == ["1", "○", "◐", "▲", "-", "▲", "▲"]
    assert strip.tone == "error"
    assert strip.lesson == (
        "w: used at update #1, never emptied, then backward #2 added to it, and update #2 used it again."
    )
    (fold,) = [s for s in strip.stages if s.folds]
    assert fold.title == "× 27 more like this" and fold.code == "×27"
    bars = [b for b in drawing(strip).bars if b.name == "stale"]
    assert len(bars) == 2, "one bar up to the fold and one after it: never interrupted"


def test_accumulation_counts_up_and_is_no_alarm():
    strip = made(one_leaf(*"BBBBUZ" * 5))
    assert signs(strip)[:6] == ["1", "2", "3", "4", "○", "·"]
    assert not strip.lesson and not strip.tone
    assert {name for name, *_ in strip.legend} == {"none", "fresh", "summed", "used"}
    assert "stale" not in {b.name for b in drawing(strip).bars}


def test_what_an_event_leaves_alone_goes_on_as_a_bar():
    first, second = rounds(*"BUZ"), rounds(*"B", leaf=2)
    events = [
        replace(second[0], index=1),
        *(replace(e, index=e.index + 1, signature=e.signature + 1) for e in first),
    ]
    infos = (TensorInfo(1, "w"), TensorInfo(2, "b"))
    strip = made(r.trace_of(events, tensors=infos))
    marks = strip.lives[1].marks
    assert [m.touched for m in marks] == [True, False, False, False]
    assert {m.name for m in marks} == {"fresh"}
    (bar,) = [b for b in drawing(strip).bars if b.y > strip_middle(strip) and b.name == "fresh"]
    assert bar.wide > 3 * drawing(strip).across
    assert re.search(r"^b +1━+$", "\n".join(grid(strip, 100)), re.M)


def strip_middle(strip: Strip) -> float:
    heights = [y for y, _ in drawing(strip).rows]
    return sum(heights) / len(heights)


def test_clipping_is_told_in_mark_word_and_heading():
    strip = made(one_leaf(*"BEU", edited="clipped"))
    assert signs(strip) == ["1", "1′", "○′"]
    assert [s.title for s in strip.stages] == ["backward #1", "clip #1", "update #1"]
    assert "fresh, clipped after clip #1" in told(strip)
    assert any("clipped" in entry for entry in strip.legend)


def test_a_gradient_from_before_the_trace():
    change = Change(1, r.one(1.0), r.one(3.0), True, holds=Holds(2, 1, 1, earlier=1))
    event = Event(1, "backward", 1, "backward", r.at(7), changes=(change,), signature=1)
    strip = made(r.trace_of([event], tensors=(TensorInfo(1, "w"),)))
    assert strip.lives[0].start.name == "old"
    assert drawing(strip).bars[0].name == "old"


def test_a_leaf_that_nothing_reaches_stays_none():
    infos = (TensorInfo(1, "w"), TensorInfo(9, "lost", owners=("opt",)))
    events = [replace(e, actor="opt") if e.kind == "update" else e for e in rounds(*"BU")]
    strip = made(r.trace_of(events, tensors=infos))
    assert {m.name for m in strip.lives[1].marks} == {"none"}
    assert "lost: None throughout" in told(strip)


def test_leaves_of_earlier_cells_stay_out_unless_asked_for():
    old = TensorInfo(9, "old", grad=r.one(1.0), holds=Holds(2, 1, 2, 2, 1), owners=("other",))
    trace = replace(r.sgd(5), tensors=(old, *r.sgd(5).tensors))
    assert "old" not in [row.label for row in made(trace).lives]
    (row,) = made(trace, names=("old",)).lives
    assert {m.name for m in row.marks} == {"stale"} and not made(trace).lesson


def test_a_leaf_that_a_finding_is_about_has_a_row():
    finding = Finding("unreached-leaf", "note", "t", "c", evidence=Evidence((), (), ("lost",)))
    infos = (TensorInfo(1, "w"), TensorInfo(9, "lost"))
    trace = r.trace_of(rounds(*"BU"), tensors=infos, findings=(finding,))
    assert [row.label for row in made(trace).lives] == ["w", "lost"]


def test_what_the_diagnosis_allows_is_no_lesson():
    strip = made(replace(r.forgotten(30), findings=(r.FINE,)))
    assert "stale" in {m.name for m in strip.lives[0].marks}
    assert not strip.lesson and not strip.tone


def test_what_was_not_kept_is_not_invented():
    events = rounds(*"BUZ" * 100)
    trace = replace(r.trace_of(events, tensors=(TensorInfo(1, "w"),)), events=tuple(events[:9]))
    strip = made(trace)
    after = [m for s, m in zip(strip.stages, strip.lives[0].marks) if "not kept" in s.title]
    assert after and all(m == Mark() for m in after)
    assert "?" in grid(strip, 100)[-1]
    # a mark at the right end would have to come from an event that was kept
    assert max(d.x for d in drawing(strip).dots) < drawing(strip).stages[-1][0] - 1


def test_after_a_gap_the_state_is_not_carried_on():
    events = rounds(*"BU", *"BUZ" * 100)
    other = rounds(*"B", leaf=2)[0]
    kept = (*events[:5], replace(other, index=301, number=200), replace(other, index=302))
    trace = replace(
        r.trace_of(events, tensors=(TensorInfo(1, "w"), TensorInfo(2, "b"))), events=kept
    )
    assert made(trace).lives[0].marks[-1] == Mark()


def test_findings_stand_at_their_column():
    strip = made(r.forgotten(30))
    (flagged,) = [s for s in strip.stages if s.tone]
    assert flagged.title == "update #2" and flagged.tone == "error"
    assert "update #2 used it again" in strip.lesson and not strip.notes  # said once
    assert "✗ update #2" in picture(strip) and "✗U2" in grid(strip, 100)[0]


def test_a_finding_deep_in_a_loop_is_shown():
    finding = Finding("odd", "warning", "t", "c", evidence=Evidence((451,)))
    trace = replace(r.clean_by_hand(), findings=(finding,))
    strip = made(trace)
    assert [s.title for s in strip.stages if s.tone == "warning"] == ["backward #151"]
    assert sum(s.folds for s in strip.stages) == 2


def test_optimizers_are_named_where_there_are_several():
    trace = r.sgd(5)
    second = replace(trace.optimizers[0], name="other")
    assert "step #1" in [s.title for s in made(trace).stages]
    titles = [s.title for s in made(replace(trace, optimizers=(*trace.optimizers, second))).stages]
    assert "opt.step #1" in titles and "opt.zero_grad #1" in titles


def test_a_leak_is_told():
    full, both = Holds(1, 1, 1), Holds(2, 1, 2)
    kinds = [("backward", "", full), ("step", "opt_g", None), ("backward", "", both)]
    kinds.append(("step", "opt_d", replace(both, used=2)))
    events = [
        Event(
            n,
            act,
            1 + n // 3,
            act,
            r.at(7),
            actor=actor or None,
            changes=(Change(1, None, r.one(1.0), True, holds=holds),) if holds else (),
            signature=n,
        )
        for n, (act, actor, holds) in enumerate(kinds, 1)
    ]
    trace = r.trace_of(
        events,
        tensors=(TensorInfo(1, "D.weight"),),
        optimizers=(replace(r.SGD, name="opt_g"), replace(r.SGD, name="opt_d")),
        findings=(Finding("leaked-gradient", "warning", "t", "c", evidence=Evidence((4,))),),
    )
    assert made(trace).lesson == (
        "D.weight: what backward #1 left there stays through opt_g.step #1, "
        "and backward #2 adds to it."
    )
    assert made(trace).tone == "warning"
    assert not made(replace(trace, findings=(r.FINE,))).lesson


def test_only_the_tensors_asked_for():
    assert [x.label for x in made(r.sgd(), names=("*.bias",)).lives] == [
        "model.0.bias",
        "model.2.bias",
    ]


def test_a_series_without_a_pattern_is_cut():
    acts = "".join("B" * (1 + (k * k) % 7) + "UZ" for k in range(60))
    strip = made(one_leaf(*acts))
    assert len(strip.stages) <= lifecycle.EARLY + lifecycle.LATE + lifecycle.AROUND + 3
    assert strip.stages[0].title == "backward #1"
    assert strip.stages[-1].title == "zero_grad #60"


# -- many tensors --------------------------------------------------------------------------


def many(n: int, odd: int = -1, passes: int = 4) -> Trace:
    """``n`` leaves in 12 blocks, of which one may never be zeroed."""
    names = [f"net.layers[{i % 12}].part{i // 12}.weight" for i in range(n)]
    events: list[Event] = []
    for k in range(passes):
        for kind_, signature in (("backward", 1), ("step", 2), ("zero_grad", 3)):
            changes = []
            for i in range(n):
                stale = i == odd and k > 0
                count = k + 1 if i == odd else 1
                used = count if kind_ == "step" else count - 1
                holds = Holds(count, 1, k + 1, used, (count - 1) * stale)
                if kind_ == "zero_grad" and i != odd:
                    holds = Holds()
                if kind_ != "zero_grad" or i != odd:
                    grad = None if kind_ == "zero_grad" else r.large()
                    changes.append(Change(i + 1, r.large(), grad, kind_ != "step", holds=holds))
            n_event = len(events) + 1
            events.append(
                Event(
                    n_event,
                    kind_,
                    k + 1,
                    kind_,
                    r.at(7),
                    changes=tuple(changes),
                    signature=signature,
                )
            )
    infos = tuple(TensorInfo(i + 1, name) for i, name in enumerate(names))
    return r.trace_of(events, tensors=infos)


def test_leaves_that_fare_alike_share_a_row():
    (row,) = made(many(144)).lives
    assert row.label == "net.layers[*] × 12" and row.small == "144 tensors"


def test_the_one_that_was_forgotten_has_its_own_row():
    strip = made(replace(many(144, odd=17), findings=(r.STALE,)))
    assert [x.label for x in strip.lives] == ["net.layers[*] × 12", "net.layers[5].part1.weight"]
    assert strip.lives[0].small == "143 of 144 tensors"
    assert strip.lesson.startswith("net.layers[5].part1.weight: used at step #1, never emptied")


def test_three_thousand_tensors_are_quick_and_low():
    trace = many(3000, odd=5)
    begin = time.process_time()
    strip = made(trace)
    svg = picture(strip)
    assert time.process_time() - begin < 5
    assert len(strip.lives) <= 16 and len(svg) < 20_000


def test_more_lives_than_rows_keeps_the_grave_ones():
    infos = tuple(TensorInfo(i, f"w{i}") for i in range(1, 23))
    events = []
    for i in range(1, 23):
        stale = Holds(2, 1, 2, 2, 1) if i == 22 else Holds(1, i, i)
        change = Change(i, None, r.one(1.0), True, holds=stale)
        events.append(Event(i, "backward", i, "backward", r.at(7), changes=(change,), signature=i))
    strip = made(r.trace_of(events, tensors=infos))
    assert len(strip.lives) == 16
    assert any(m.name == "stale" for row in strip.lives for m in row.marks)
    assert any("more row" in note for note in strip.notes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("net.layers[3].norm.bias", ("net.layers[3]", "net.layers[*]", "net")),
        ("net.layers.3.norm.bias", ("net.layers.3", "net.layers.*", "net")),
        ("net.head.weight", ("net.head", "net.head", "net")),
        ("ws[4]", ("ws[4]", "ws[*]", "ws")),
        ("w", ("w", "w", "w")),
    ],
)
def test_places_of_tensors(name, expected):
    assert (block(name), kind(name), root(name)) == expected


def test_names_are_joined_no_more_than_needed():
    names = [f"net.layers[{i}].weight" for i in range(9)] + ["net.head.weight"]
    assert coarsest_needed(names, (str, block, kind, root), 10) is str
    assert coarsest_needed(names, (str, block, kind, root), 2) is kind


# -- picture and text ----------------------------------------------------------------------


def test_the_picture_is_well_formed_small_and_themed():
    svg = picture(made(r.sgd()))
    root_ = ElementTree.fromstring(svg)
    assert "prefers-color-scheme:dark" in svg and len(svg) < 60_000
    assert float(root_.get("width")) < 1000
    inside = [float(x) for x in re.findall(r' x="(-?[\d.]+)"', svg)]
    assert 0 <= min(inside) and max(inside) <= float(root_.get("width"))


@pytest.mark.parametrize(
    "name", ["<script>x</script>", "{{ 7 }}", "a\nb\x1b", "\"'><&", "x" * 9999]
)
def test_hostile_names(name):
    trace = r.trace_of(rounds(*"BUBU"), tensors=(TensorInfo(1, name),))
    svg = picture(made(trace))
    ElementTree.fromstring(svg)
    assert "<script" not in svg and len(svg) < 20_000
    assert "\x1b" not in told(made(trace))


@pytest.mark.parametrize("width", [40, 60, 100])
def test_the_text_fits_and_has_every_mark(width):
    view = report_view(r.sgd(), Options())
    strip = made(r.sgd())
    lines = to_text(view, width).split("\n")
    assert max(map(len, lines)) <= width
    begin = next(i for i, line in enumerate(lines) if strip.caption in line)
    end = next(i for i, line in enumerate(lines) if "B backward" in line)
    said = "\n".join(lines[begin:end])
    touched = [m for row in strip.lives for m in row.marks if m.touched]
    assert said.count("○") == sum(m.sign == "○" for m in touched)
    assert said.count("⋯") == len(strip.lives)


def test_picture_words_and_text_tell_the_same_marks():
    strip = made(r.forgotten(30))
    for mark, stage in zip(strip.lives[0].marks, strip.stages):
        assert stage.folds or f"{mark.words} after {stage.title}" in told(strip)
    dots = [dot.mark for dot in drawing(strip).dots]
    assert dots[0] == strip.lives[0].start  # what it held at first is marked, too
    assert len(dots) == 1 + sum(m.touched for m in strip.lives[0].marks)


def test_it_is_open_only_where_there_is_something_to_see():
    calm = {s.title: s.folded for s in report_view(r.clean_by_hand(), Options()).sections}
    bad = [s for s in report_view(r.forgotten(), Options()).sections if s.title]
    assert calm["What each gradient holds"]
    assert bad[0].title == "What each gradient holds" and not bad[0].folded


def test_half_a_million_events_take_no_time():
    trace = r.trace_of(r.by_hand(1000), tensors=(TensorInfo(1, "w"),))
    trace = replace(trace, total=300_000, pattern=trace.pattern * 100)
    timeline = Timeline(trace, Options())
    begin = time.process_time()
    strip = lifecycle.strip(timeline)
    assert time.process_time() - begin < 5
    assert strip is not None and "× 99,997 more like this" in [s.title for s in strip.stages]

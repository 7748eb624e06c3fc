"""Which moment a picture shows, how fates look, what fits, and what is saved."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest
import records as r

from ipygradmagic.errors import LayoutUnavailableError, OptionError
from ipygradmagic.options import Options
from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.record.tensors import EMPTY, Holds, TensorInfo
from ipygradmagic.render import drawing, layout
from ipygradmagic.render.drawing import drawn
from ipygradmagic.render.fates import FATES
from ipygradmagic.render.graph import graph_dot
from ipygradmagic.render.graph_nodes import outline
from ipygradmagic.render.html import to_html
from ipygradmagic.render.moments import states_after, telling
from ipygradmagic.render.pictures import scenes_of, trace_pictures
from ipygradmagic.render.report import report_view
from ipygradmagic.render.saving import refuse_existing, save
from ipygradmagic.render.scene import LeafState, Scene
from ipygradmagic.render.text import to_text
from ipygradmagic.render.view import Paragraph, Picture, Section, View


def test_leaves_are_as_they_were_right_after_the_event():
    trace = r.forgotten(3)
    first, later = states_after(trace, 1)[1], states_after(trace, 3)[1]
    assert first.words == "● fresh" and later.words == "◐ old and new"
    assert first.value == r.one(1.0) and later.value != first.value  # the update lies between
    assert later.grad == trace.events[2].changes[0].grad_after


def test_a_leaf_that_is_touched_later_only_is_as_it_was_found():
    events = r.by_hand(1)
    late = replace(
        events[0], index=2, changes=(replace(events[0].changes[0], tensor=9, grad_before=r.one(3)),)
    )
    states = states_after(r.trace_of([events[0], late]), 1)
    assert states[9].grad == r.one(3) and states[9].words == "◇ left over"
    fresh = replace(late, changes=(replace(late.changes[0], grad_before=None),))
    assert states_after(r.trace_of([events[0], fresh]), 1)[9].holds == EMPTY


def test_the_picture_is_of_the_first_pass_that_went_wrong():
    trace = r.forgotten(5)
    trace = replace(trace, graphs=(replace(trace.graphs[0], event=1),))
    found = telling(trace, trace.graphs[0])
    assert found is not None and (found.kind, found.number) == ("update", 2)
    quiet = replace(trace, findings=())
    found = telling(quiet, trace.graphs[0])
    assert found is not None and found.number == 1
    said = to_text(report_view(trace, Options()))
    assert "Right after update #2" in said and "graph from backward #1" in said
    assert "▲ stale: old gradients" in said and "fresh:" not in said  # the legend has what appears


def test_one_backward_can_be_asked_for():
    trace = r.forgotten(5)
    ((title, scene),) = scenes_of(trace, 4)
    assert title.startswith("Right after backward #4")
    state = scene.state(1)
    assert state is not None and state.grad == trace.events[6].changes[0].grad_after
    blocks = trace_pictures(trace, Options(backward=99))
    assert isinstance(blocks[0], Paragraph) and "no backward #99" in blocks[0].text
    assert any(isinstance(b, Picture) for b in blocks)


def test_a_gradient_of_two_losses_says_so():
    events = r.by_hand(2, zeroing=False)
    other = replace(
        events[2], where=r.at(8), changes=(replace(events[2].changes[0], holds=Holds(2, 1, 2)),)
    )
    states = states_after(r.trace_of([events[0], replace(other, index=2)]), 2)
    assert states[1].mixed and not states_after(r.forgotten(3), 3)[1].mixed


def test_fates_differ_without_colour():
    """Outline, mark and word: no two fates agree in all, and outlines tell the bad from the good."""
    looks = {}
    for fate in FATES:
        look = {k: v for k, v in outline(fate).items() if k not in ("class", "color", "fillcolor")}
        looks[fate.name] = (fate.mark, fate.word, tuple(sorted(look.items())))
    assert len({mark for mark, _, _ in looks.values()}) == len(FATES)
    bad, good = looks["stale"][2], looks["fresh"][2]
    assert len({bad, good, looks["broken"][2], looks["none"][2], looks["summed"][2]}) == 5


def test_each_leaf_wears_its_fate():
    states = {
        1: LeafState(r.one(1), r.one(2), Holds(2, 1, 2)),
        2: LeafState(r.one(1), None, EMPTY),
        3: LeafState(r.one(1), r.one(float("nan")), Holds(1, 1, 1)),
    }
    infos = [TensorInfo(i, f"p{i}") for i in states]
    dot = graph_dot(r.graph_of({i: f"p{i}" for i in states}), infos, (), states)
    for name, kind in (("n1001", "gm-summed"), ("n1002", "gm-none"), ("n1003", "gm-broken")):
        (line,) = re.findall(rf"^\s*{name} \[.*$", dot, re.M)
        assert f'class="{kind}"' in line
    assert "＋ 2 accumulated" in dot and "✗ NaN" in dot and "peripheries=2" in dot


def test_inputs_without_gradient_are_dead_ends():
    graph = r.graph_of({1: "w"})
    nodes = tuple(replace(n, blind=2) if n.label == "sub" else n for n in graph.nodes)
    dot = graph_dot(replace(graph, nodes=nodes), ())
    assert "⊣ no grad ×2" in dot and len(re.findall(r"-> n3 .*dotted", dot)) == 1
    assert "no grad" not in graph_dot(graph, ())


def test_a_picture_that_does_not_fit_is_drawn_coarser(monkeypatch):
    fine = Picture(
        "x", "digraph { rankdir=LR; " + "->".join("abcdefghijklmnopqrstuvwxyz") + "}", ("f",)
    )
    coarse = Picture("x", "digraph { a -> b }", ("c",), "Folded")
    assert drawn(replace(fine, coarser=(coarse,))).picture is coarse
    asked = replace(fine, coarser=(coarse,), firm=True)
    found = drawn(asked)
    assert found.picture is asked and found.large  # shown as asked, and also at its natural size
    assert not drawn(coarse).large
    page = to_html(View("", (Section("", (asked,)),)))
    assert page.count("<img") == 2 and "overflow-x:auto" in page and "max-width:100%" in page
    assert to_html(View("", (Section("", (coarse,)),))).count("<img") == 1


def test_a_layout_that_takes_too_long_is_tried_folded_then_given_up(monkeypatch):
    tried = []

    def slow(dot, limit):
        tried.append((dot, limit))
        raise LayoutUnavailableError("too long")

    monkeypatch.setattr(drawing, "layout", slow)
    picture = Picture("x", "1", (), coarser=tuple(Picture("x", d, ()) for d in "234"))
    found = drawn(picture)
    assert not found.uri and found.reason == "too long"
    assert tried == [("1", drawing.LONGEST), ("2", drawing.LONGEST / 2)]


def slow(monkeypatch, seconds):
    """Layouts that take so many seconds of a clock that nobody waits for; their limits."""
    now, limits = [0.0], []

    def laid(dot, limit):
        limits.append(limit)
        wanted = seconds(dot)
        now[0] += min(wanted, limit)
        if wanted > limit:
            raise LayoutUnavailableError(f"The layout took longer than {limit:g} s.")
        return '<svg width="9pt" height="9pt" viewBox="0 0 9 9"></svg>'

    monkeypatch.setattr(drawing, "layout", laid)
    monkeypatch.setattr(drawing, "perf_counter", lambda: now[0])
    return now, limits


def several(n):
    fine = [Picture(f"{i}", f"fine {i}", (f"told {i}",)) for i in range(n)]
    return tuple(replace(p, coarser=(Picture("", f"coarse {p.caption}", ()),)) for p in fine)


def test_all_pictures_of_a_report_together_take_a_limited_time(monkeypatch):
    now, limits = slow(monkeypatch, lambda dot: 60.0)
    page = to_html(View("", (Section("", several(40)),)))
    assert now[0] <= drawing.WHOLE and limits[0] == drawing.LONGEST
    assert len(limits) < 20 and "<img" not in page and "told 39" in page
    assert page.count(drawing.hurried()) == 1


def test_later_pictures_are_drawn_coarser(monkeypatch):
    now, _ = slow(monkeypatch, lambda dot: 1.2 if dot.startswith("fine") else 0.01)
    page = to_html(View("", (Section("", several(12)),)))
    assert now[0] <= drawing.WHOLE and page.count("<img") == 12
    assert page.count(drawing.hurried()) == 1
    assert page.index("<img") < page.index(drawing.hurried())  # the first one was in time


def test_pictures_in_time_are_not_spoken_of(monkeypatch):
    slow(monkeypatch, lambda dot: 0.03)
    page = to_html(View("", (Section("", several(12)),)))
    assert page.count("<img") == 12 and "together" not in page


def test_advice_on_layout_programs_is_given_once(monkeypatch):
    def none(dot, limit):
        raise LayoutUnavailableError("pip install graphviz-pure")

    monkeypatch.setattr(drawing, "layout", none)
    page = to_html(View("", (Section("", several(3)),)))
    assert page.count("pip install") == 1 and "told 2" in page


def test_a_layout_is_not_made_twice_whatever_its_limit(monkeypatch):
    calls = []
    monkeypatch.setattr(layout, "_called", lambda *given: calls.append(given) or b"<svg></svg>")
    for limit in (2.0, 1.0, 0.3):
        layout._run("dot", "digraph { once }", limit)
    assert len(calls) == 1
    for i in range(2 * layout.MOST_DONE):
        layout._run("dot", f"digraph {{ n{i} }}", 2.0)
    assert len(layout._DONE) == layout.MOST_DONE


def test_hostile_names_stay_text():
    evil = '<script>alert(1)</script>{{ 7*7 }}\n\\N"' + "x" * 10_000
    graph = r.graph_of({i: f"{evil}.{i}.w" for i in range(1, 200)})
    infos = [TensorInfo(i, f"{evil}.{i}.w") for i in range(1, 200)]
    page = to_html(
        report_view(r.trace_of(r.by_hand(2), tensors=tuple(infos), graphs=(graph,)), Options())
    )
    images = [base64.b64decode(i).decode() for i in re.findall(r"svg\+xml;base64,([^\"]+)", page)]
    assert images and all(i.endswith("</svg>") and len(i) < 200_000 for i in images)
    for text in (page, *images):
        assert "<script" not in text and "&lt;script" in text


@pytest.mark.parametrize("kind", ["svg", "png", "dot"])
def test_a_picture_can_be_saved(tmp_path, kind):
    file = tmp_path / f"graph.{kind.upper()}"
    ((title, scene),) = scenes_of(r.forgotten(3), 2)
    save(scene, title, str(file))
    content = file.read_bytes()
    start = {"svg": b"<?xml", "png": b"\x89PNG", "dot": b"digraph"}[kind]
    assert content.startswith(start) and len(content) > 500
    if kind != "png":
        assert "a backward on top of what" in content.decode()  # the legend is in it
    with pytest.raises(OptionError, match="exists already"):
        save(scene, title, str(file))
    with pytest.raises(OptionError, match="exists already"):
        refuse_existing(str(file))
    with pytest.raises(OptionError, match="no folder"):
        refuse_existing(str(tmp_path / "none" / "a.svg"))
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"save_graph": "a.jpg"}, r"\.svg, \.png or \.dot"),
        ({"save_graph": "a.svg", "graph": False}, "switched off"),
        ({"depth": 0}, "1 \\(the outermost modules\\)"),
        ({"backward": 0}, "from 1"),
    ],
)
def test_options_that_do_not_fit(options, says):
    with pytest.raises(OptionError, match=says):
        Options(**options)


def test_frozen_leaves_of_an_optimizer_say_so():
    frozen = TensorInfo(3, "c", requires_grad=False)
    opt = r.OptimizerInfo("opt", "SGD", (r.GroupInfo((1, 3)),))
    scene = Scene.of(r.graph_of({1: "a"}), (TensorInfo(1, "a"), frozen), (opt,))
    assert scene.remark(3) == "frozen: requires_grad=False" and not scene.remark(1)
    assert Scene.of(Graph((Node(0, "loss", "l"),), ()), (), ()).fates() == []


def test_a_leaf_that_nobody_knows_is_not_said_to_be_unreached():
    graph = Graph((Node(0, "loss", "l"), Node(1, "leaf", "‹unnamed›")), (r.Edge(1, 0),))
    assert "never reached" not in graph_dot(graph, ())

from __future__ import annotations

import re

import pytest
import records as r

from ipygradmagic.errors import LayoutUnavailableError
from ipygradmagic.options import Options
from ipygradmagic.record.graph import Edge, Graph, Node
from ipygradmagic.record.tensors import GroupInfo, OptimizerInfo, TensorInfo
from ipygradmagic.render import html, layout
from ipygradmagic.render.condense import condense
from ipygradmagic.render.graph import graph_dot, graph_lines
from ipygradmagic.render.html import to_html
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text

A = TensorInfo(1, "a", reached=1, grad=r.one(2.0), value=r.one(1.0))
B = TensorInfo(2, "b", reached=1)
C = TensorInfo(3, "c", reached=0)
OPT = OptimizerInfo("opt", "SGD", (GroupInfo((1, 3), (("lr", "0.1"),)),))


def test_the_leaves_are_the_meeting_point():
    dot = graph_dot(r.graph_of({1: "a", 2: "b"}), (A, B, C), (OPT,))
    edges = set(re.findall(r"^\s*(\w+) -> (\w+)", dot, re.M))
    assert {("n1", "n0"), ("n1001", "n4"), ("n1002", "n4")} <= edges  # as data flows
    assert {("o0_0", "n1001"), ("o0_0", "u3")} <= edges
    assert dot.count("in no optimizer") == 1 and dot.count("∅ never reached") == 1
    assert "grad 2" in dot and "value 1" in dot


def test_the_graph_in_words():
    assert graph_lines(r.graph_of({1: "a", 2: "b"}), (A, B, C), (OPT,)) == (
        "loss ← mean ← pow ← sub ← mul ← a (grad 2, in optimizer opt)",
        "loss ← mean ← pow ← sub ← mul ← b (grad None, in no optimizer)",
        "(no path from this loss) c (grad None, in optimizer opt, never reached)",
    )


def test_an_optimizer_of_other_tensors_stays_out():
    other = OptimizerInfo("other", "Adam", (GroupInfo((2,)),))
    dot = graph_dot(r.graph_of({1: "a"}), (A, B), (OPT, other))
    assert "other" not in dot


def chain(n: int) -> Graph:
    return r.graph_of({1: "w"}, tuple(f"op{i}" for i in range(n)))


def test_long_chains_fold():
    small = condense(chain(900))
    assert len(small.groups) <= 6
    assert {g.label for g in small.groups} == {"loss", "… 900 operations", "w"}
    (line,) = graph_lines(chain(900), ())
    assert "operations …" in line and len(line) < 200


def wide(n: int) -> Graph:
    """A comb: a chain of additions, each with a leaf of its own, and shortcuts."""
    nodes, edges = [Node(0, "loss", "loss")], []
    for i in range(1, n + 1):
        nodes.append(Node(i, "operation", "add", "AddBackward0"))
        edges.append(Edge(i, i - 1))
        leaf = Node(n + i, "leaf", f"encoder.layers.{i}.weight", shape=(3,), tensor=i)
        nodes.append(leaf)
        edges.append(Edge(leaf.id, i))
    return Graph(tuple(nodes), tuple(edges), 1)


def test_ten_thousand_nodes_are_condensed_without_recursion():
    dot = graph_dot(wide(5000), (), ())
    assert len(re.findall(r"^\s*n\d+ \[", dot, re.M)) <= 150
    assert "encoder.layers.1…5000  × 5,000" in dot
    assert len(graph_lines(wide(5000), ())) <= 14


def test_pictures_are_clean_and_follow_the_theme():
    svg = layout.layout(graph_dot(r.graph_of({1: 'a<b>&"\\N'}), (), ()))
    assert svg.startswith("<svg") and svg.endswith("</svg>")
    assert "prefers-color-scheme:dark" in svg
    assert "<title>" not in svg and "<!--" not in svg and 'id="' not in svg
    assert "a&lt;b&gt;&amp;&quot;\\N" in svg
    width = re.match(r'<svg width="(\d+)pt"', svg)
    assert width is not None and int(width.group(1)) <= layout.WIDEST


def test_without_a_layout_program_the_graph_comes_as_text(monkeypatch):
    monkeypatch.setattr(layout, "find_program", lambda: None)
    with pytest.raises(LayoutUnavailableError, match="pip install graphviz-pure"):
        layout.layout("digraph {}")
    page = to_html(report_view(r.forgotten(3), Options()))
    assert 'alt="loss' not in page  # the other pictures need no layout program
    assert "loss ← mean ← pow ← sub ← mul ← w" in page and "graphviz-pure" in page


def test_a_layout_that_takes_too_long(monkeypatch):
    monkeypatch.setattr(layout, "find_program", lambda: "/bin/cat")
    with pytest.raises(LayoutUnavailableError, match="cat failed"):
        layout.layout("digraph { slow }")
    with pytest.raises(LayoutUnavailableError, match="longer than 0 s"):
        layout.layout("digraph { late }", timeout=0)


def test_system_dot_is_preferred_and_the_wheel_is_found_beside_python(monkeypatch, tmp_path):
    for name in ("dot", "graphviz-pure"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert layout.find_program() == str(tmp_path / "dot")
    (tmp_path / "dot").unlink()
    monkeypatch.setattr(layout.sysconfig, "get_path", lambda _: str(tmp_path))
    assert layout.find_program() == str(tmp_path / "graphviz-pure")


def test_several_graphs_open_one_at_a_time():
    trace = r.trace_of(
        r.by_hand(3), tensors=(A,), graphs=tuple(r.graph_of({i: "a" * i}) for i in (1, 2, 3))
    )
    page = to_html(report_view(trace, Options()))
    names = re.findall(r'<details name="(gm-[0-9a-f]{8})"', page)
    assert len(names) == 2 and len(set(names)) == 1
    assert "Picture 2 of 3" in to_text(report_view(trace, Options()))


def test_no_graph_where_none_is_wanted():
    assert "Graph" not in to_text(report_view(r.forgotten(), Options(graph=False)))
    assert html.TEMPLATES.is_dir()

"""Dead ends in the picture and in its words."""

from __future__ import annotations

from dataclasses import replace

import records as r

from ipygradmagic.record.graph import DeadEnd, Frozen, Graph
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.render.graph import graph_dot, graph_lines

HOSTILE = "<script>alert(1)</script>{{\n😀"


def graph(*ends: DeadEnd, blind: int = 1, **more: object) -> Graph:
    """A chain of operations, the last of which has these ends."""
    plain = r.graph_of({1: "model.head.weight"}, ("sum", "mul"))
    nodes = tuple(
        replace(n, ends=ends, blind=blind) if n.label == "mul" else n for n in plain.nodes
    )
    return replace(plain, nodes=nodes, **more)  # type: ignore[arg-type]


INFOS = (TensorInfo(1, "model.head.weight"),)


def test_each_is_named_and_the_others_are_counted() -> None:
    found = graph(
        DeadEnd("fc.weight", "frozen", (8, 4)), DeadEnd("d", "detached", (3,), "w"), blind=4
    )
    dot, lines = graph_dot(found, INFOS), " ".join(graph_lines(found, INFOS))
    for said in ("fc.weight (8, 4), frozen", "d (3,), detached from w"):
        assert f"⊣ {said}" in dot and f"{said}: an input of mul" in lines
    assert "⊣ no grad ×2" in dot


def test_many_are_cut() -> None:
    found = graph(*(DeadEnd(f"x{i}", "data") for i in range(40)), blind=40)
    assert "⊣ x2, data" in graph_dot(found, INFOS) and "x3," not in graph_dot(found, INFOS)
    assert "⊣ no grad ×37" in graph_dot(found, INFOS)
    assert len(graph_lines(found, INFOS)) < 12


def test_without_a_name_the_shape_is_told() -> None:
    dot = graph_dot(graph(DeadEnd("", "unknown", (32, 8))), INFOS)
    assert "⊣ no grad (32, 8)" in dot and "×" not in dot.partition("no grad")[2][:12]


def test_frozen_modules_stand_beside_the_leaves() -> None:
    found = graph(frozen=(Frozen("model.backbone", 60),))
    dot, lines = graph_dot(found, INFOS), " ".join(graph_lines(found, INFOS))
    assert "model.backbone" in dot and "60 tensors" in dot and "frozen: requires_grad=False" in dot
    assert "model.backbone, 60 tensors: no gradient flows there" in lines


def test_one_that_is_drawn_by_its_weight_is_not_drawn_twice() -> None:
    end = DeadEnd("model.backbone.weight", "frozen", (2, 2))
    found = graph(end, frozen=(Frozen("model.backbone", 2), Frozen("model.back", 1)))
    dot = graph_dot(found, INFOS)
    assert "2 tensors" not in dot and "1 tensor" in dot


def test_hostile_names_are_escaped() -> None:
    found = graph(DeadEnd(HOSTILE, "data", (1,)), frozen=(Frozen(HOSTILE, 1),))
    dot = graph_dot(found, INFOS)
    assert "<script>" not in dot and "&lt;script&gt;" in dot
    assert "\n" not in "".join(graph_lines(found, INFOS))

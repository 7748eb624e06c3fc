"""Which optimizer steps what, in pictures that have no arrows for it."""

from __future__ import annotations

import records as r
from test_modules import layered

from ipygradmagic.record.graph import Graph
from ipygradmagic.record.tensors import GroupInfo, OptimizerInfo, TensorInfo
from ipygradmagic.render.graph import dot_of, fold, graph_dot
from ipygradmagic.render.graph_text import lines_of
from ipygradmagic.render.scene import Scene


def optimizer(name: str, *tensors: int) -> OptimizerInfo:
    return OptimizerInfo(name, "SGD", (GroupInfo(tensors),), 1)


def scene(graph: Graph, *optimizers: OptimizerInfo) -> Scene:
    leaves = [n for n in graph.nodes if n.kind == "leaf"]
    infos = [TensorInfo(n.tensor or 0, n.label, reached=1) for n in leaves]
    return Scene.of(graph, infos, optimizers)


def folded(*optimizers: OptimizerInfo) -> tuple[str, str]:
    """Picture and words of sixty layers; each has two tensors, the first of them number 0."""
    given = scene(layered(60), *optimizers)
    small = next(fold(given))
    return dot_of(given, small), " ".join(lines_of(given, small))


def test_a_block_says_whose_it_is() -> None:
    dot, lines = folded(optimizer("opt", *range(120)))
    assert "× 60" in dot and "in optimizer opt<" in dot and "in optimizer opt)" in lines
    assert "gm-own" not in dot


def test_layers_of_two_optimizers_stay_apart() -> None:
    dot, lines = folded(optimizer("slow", *range(60)), optimizer("fast", *range(60, 120)))
    for name in ("slow", "fast"):
        assert f"in optimizer {name}<" in dot and f"in optimizer {name})" in lines
    assert dot.count("× 30") == 2


def test_a_part_is_counted() -> None:
    dot, lines = folded(optimizer("opt", *range(0, 120, 2)))
    assert "in optimizer opt (60 of 120)" in dot and "in optimizer opt (60 of 120)" in lines
    assert "60 in no optimizer" in dot


def test_few_leaves_have_arrows_and_many_have_words() -> None:
    for leaves, arrows in ((4, True), (30, False)):
        graph = r.graph_of({i: f"w{i}" for i in range(1, leaves + 1)})
        given = scene(graph, optimizer("opt", *range(1, leaves + 1)))
        dot = graph_dot(graph, tuple(given.infos.values()), given.optimizers)
        assert ("gm-own" in dot) is arrows and ("in optimizer opt" in dot) is not arrows

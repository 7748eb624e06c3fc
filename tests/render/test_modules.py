"""Folding by module path, on graphs built by hand."""

from __future__ import annotations

import time

import records as r

from ipygradmagic.record.graph import Edge, Graph, Node
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.render.condense import MOST_NODES, foldings
from ipygradmagic.render.drawing import drawn
from ipygradmagic.render.graph import dot_of, fold
from ipygradmagic.render.homes import homes
from ipygradmagic.render.modules import tokens, tree_of
from ipygradmagic.render.pictures import picture_of
from ipygradmagic.render.scene import Scene


def layered(layers: int, *, name: str = "net.layers.{}.fc.", steps: int = 1) -> Graph:
    """``layers`` times: addmm of a bias, what came before and a transposed weight; then relu."""
    nodes, edges = [], []

    def add(kind: str, label: str, *below: int, tensor: int | None = None) -> int:
        nodes.append(Node(len(nodes), kind, label, tensor=tensor, shape=(4, 4)))
        edges.extend(Edge(b, len(nodes) - 1) for b in below)
        return len(nodes) - 1

    last: list[int] = []
    leaves = {}
    for i in range(layers):
        path = name.format(i)
        leaves[i] = [add("leaf", f"{path}{kind}", tensor=2 * i + j) for j, kind in enumerate("wb")]
    for _ in range(steps):
        for i in range(layers):
            weight, bias = leaves[i]
            turned = add("operation", "t", weight)
            product = add("operation", "addmm", bias, *last, turned)
            last = [add("operation", "relu", product)]
    add("loss", "loss", add("operation", "mean", *last))
    return Graph(tuple(nodes), tuple(edges))


def test_names_are_paths():
    assert tokens("layers[2].bias") == ("layers", "2", "bias")
    assert tokens("w") == ("w",) and tokens("...") == ("...",)
    assert len(tokens(".".join("a" * 5000))) <= 24


def test_equal_neighbours_in_a_list_are_one():
    names = [f"net.{i}.{kind}" for i in (0, 2, 4, 6) for kind in "wb"]
    tree = tree_of((i, n, "odd" if n == "net.4.b" else "") for i, n in enumerate(names))
    assert [p.module[-1] for p in tree.places.values()][::2] == ["0…2", "0…2", "4", "6"]
    assert tree.times == {("net", "0…2"): 2}


def test_a_number_of_ten_thousand_digits_is_only_a_name():
    tree = tree_of([(0, f"net.{'9' * 10_000}.w", ""), (1, "net.1.w", "")])
    assert tree.depth == 2 and not tree.times


def test_operations_are_of_the_module_whose_leaves_they_read():
    graph = layered(2)
    at = homes(
        graph, tree_of((n.id, n.label, n.id) for n in graph.nodes if n.tensor is not None).places
    ).paths
    found = [(n.label, at[n.id][2:3]) for n in graph.nodes[4:]]
    assert found == [
        *(("t", ("0",)), ("addmm", ("0",)), ("relu", ("0",))),
        *(("t", ("1",)), ("addmm", ("1",))),
        *(("relu", ()), ("mean", ()), ("loss", ())),  # after the last module
    ]


def test_a_thousand_layers_are_one_frame():
    small = next(foldings(layered(1000)))
    (module,) = (g for g in small.groups if g.module)
    assert module.module == ("net", "layers", "0…999", "fc") and len(module.leaves) == 2000
    assert small.times == {("net", "layers", "0…999"): 1000}
    dot = dot_of(Scene.of(layered(1000), (), ()), small)
    assert "net.layers.0…999  × 1,000" in dot and "subgraph cluster_" in dot


def test_depth_opens_and_closes():
    closed = next(foldings(layered(60), depth=1))
    assert [g.module for g in closed.groups if g.module] == [("net",)]
    opened = next(foldings(layered(3), depth=9))  # deeper than there is: all modules open
    assert opened.level == 4
    assert next(foldings(layered(3))).level is None  # small: nothing is folded


def test_layers_that_differ_in_fate_stay_apart():
    graph = layered(100)
    infos = [
        TensorInfo(
            t, f"t{t}", grad=r.one(float("nan")) if t == 140 else r.one(1.0), holds=r.Holds(1, 1, 1)
        )
        for t in range(200)
    ]
    scene = Scene.of(graph, infos, ())
    runs = {g.module[2]: g for g in next(fold(scene)).groups if g.module}
    assert list(runs) == ["0…69", "70", "71…99"]
    picture = picture_of(scene, "x")
    assert "gm-broken" in picture.dot and "✗ NaN or infinite ×1, ● fresh ×1" in picture.dot
    assert picture.fallback[0].startswith("loss ← … ← net.layers.70.fc (2 tensors, ✗ NaN")
    assert "502 nodes drawn as" in picture.note and "--depth" in picture.note


def test_tensors_without_modules_are_joined_by_operation():
    small = next(foldings(layered(2, name="w{}", steps=500)))
    assert len(small.groups) <= MOST_NODES
    joined = max(small.groups, key=lambda g: len(g.nodes))
    assert joined.label.startswith("…") and len(joined.nodes) > 2000


def test_large_graphs_are_folded_and_laid_out_in_time():
    for graph in (layered(1000), layered(1, name="cell.", steps=2000), layered(4, steps=2000)):
        begin = time.process_time()
        found = drawn(picture_of(Scene.of(graph, (), ()), "x"))
        assert found.uri and len(found.uri) < 60_000
        assert time.process_time() - begin < 5


def test_every_picture_has_at_most_so_many_nodes():
    for graph in (layered(200), layered(40, name="a{0}.b{0}.c."), layered(3000, name="w{}")):
        for small in foldings(graph):
            assert len(small.groups) <= MOST_NODES

"""The graph as a picture (DOT source).

Data flows down, from the leaves to the loss; the gradient flows back up the same edges, beside
the data. Optimizers stand above the leaves, where the gradients end up: that is how ``step()``
knows about a loss that it was never told of.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

import graphviz

from ipygradmagic.language import tr
from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.condense import Condensed, Group, foldings
from ipygradmagic.render.ends import ends_said
from ipygradmagic.render.graph_nodes import (
    GREY,
    LOSS,
    MOST_LABEL,
    ODD,
    OPTIMIZER,
    add_group,
    add_leaf,
    end_label,
    html_label,
    optimizer_label,
    painted,
)
from ipygradmagic.render.graph_text import graph_lines, not_walked
from ipygradmagic.render.layout import layout
from ipygradmagic.render.modules import Path
from ipygradmagic.render.numbers import count
from ipygradmagic.render.scene import FROZEN, LeafState, Scene, owned

MOST_UNREACHED = 8
MOST_DEAD_ENDS = 60
"""Pictures of more nodes do without the inputs that take no gradient."""
MOST_OWNED = 12
"""Pictures of more leaves do without arrows from optimizers: the words stay."""
_BOTH_WAYS = {"dir": "both", "color": f"{GREY}:{LOSS}"}
"""Two rails: data down, the gradient up."""
_FORWARD = {"color": GREY}
_DATA_ONLY = {"color": GREY, "style": "dotted"}


def graph_dot(
    graph: Graph,
    infos: Trace | Sequence[TensorInfo],
    optimizers: Sequence[OptimizerInfo] = (),
    states: Mapping[int, LeafState] | None = None,
) -> str:
    """DOT source of the picture of one graph, as detailed as there is room for."""
    scene = Scene.of(graph, infos, optimizers, states)
    return dot_of(scene, next(fold(scene)))


def fold(scene: Scene, depth: int | None = None) -> Iterator[Condensed]:
    """The graph of a scene, with more and more joined; leaves of different fate stay apart, and
    those of different optimizers."""

    def sign(node: Node) -> Hashable:
        tensor = node.tensor
        return scene.fate(tensor), scene.remark(tensor), scene.owners(tensor)

    return foldings(scene.graph, sign, depth)


def dot_of(scene: Scene, small: Condensed) -> str:
    """DOT source of a graph that has been made small enough."""
    dot = graphviz.Digraph(
        graph_attr={
            "bgcolor": "transparent",
            "ranksep": "0.28",
            "nodesep": "0.2",
            "pad": "0.1",
            "fontname": "Helvetica",
            "fontsize": "10",
        },
        node_attr={
            "fontname": "Helvetica",
            "fontsize": "10",
            "height": "0.3",
            "margin": "0.22,0.05",
        },
        edge_attr={"arrowsize": "0.6"},
    )
    scene = replace(scene, arrows=_few_leaves(small, scene))
    _add_groups(dot, small, scene)
    for tail, head in small.edges:  # as the gradient flows; drawn as the data does
        order = {"constraint": "false"} if (tail, head) in small.back else {}
        rails = _BOTH_WAYS if scene.flowed else _FORWARD
        dot.edge(f"n{head}", f"n{tail}", **rails, **order)
    if small.level is None and len(small.groups) <= MOST_DEAD_ENDS:
        _add_dead_ends(dot, small)
    if scene.graph.truncated:
        text = not_walked(scene.graph.truncated)
        dot.node("more", html_label(text), shape="plaintext", **{"class": "gm-op"})
    unreached = _add_unreached(dot, scene)
    _align(dot, small, [*dict.fromkeys(unreached.values()), *_add_frozen(dot, scene)])
    if scene.arrows:
        _add_optimizers(dot, scene, small, unreached)
    return str(dot.source)


def _add_groups(dot: graphviz.Digraph, small: Condensed, scene: Scene) -> None:
    """The nodes; those inside of a repeated module in a frame that says how often."""
    framed: dict[Path, list[Group]] = {}
    for group in small.groups:
        runs = [
            group.module[:i] for i in range(1, len(group.module)) if group.module[:i] in small.times
        ]
        framed.setdefault(runs[-1] if runs else (), []).append(group)
    for i, (path, groups) in enumerate(framed.items()):
        if not path:
            for group in groups:
                add_group(dot, group, scene, times=_times(group, small))
            continue
        title = f"{words.clean('.'.join(path), MOST_LABEL)}  × {count(small.times[path])}"
        look = {"color": GREY, "style": "rounded,dashed", "margin": "10", "labeljust": "l"}
        label = html_label(title)
        with dot.subgraph(name=f"cluster_{i}", graph_attr={"label": label, **look}) as frame:
            for group in groups:
                add_group(frame, group, scene, ".".join(path), times=_times(group, small))


def _times(group: Group, small: Condensed) -> int:
    return small.times.get(group.module, 1) if group.module else 1


def _add_dead_ends(dot: graphviz.Digraph, small: Condensed) -> None:
    """Where data comes in that takes no gradient: a short dotted arrow from who it is, if known."""
    for group in small.groups:
        said = ends_said(group.nodes)
        if said:
            key = f"d{group.id}"
            look = {"shape": "plaintext", "fontsize": "8", "height": "0.1", "margin": "0.02"}
            dot.node(key, end_label(said), **look, **{"class": "gm-dead"})
            dot.edge(key, f"n{group.id}", **_DATA_ONLY)


def _add_frozen(dot: graphviz.Digraph, scene: Scene) -> list[str]:
    """Modules that take no gradient, of models of which another part does; one node for all."""
    modules = scene.frozen()
    if not modules:
        return []
    look = {"shape": "box", "style": "rounded,dotted", "color": GREY, **{"class": "gm-dead"}}
    names = words.listed((m.name for m in modules), 2)
    tensors = words.tensors(sum(m.tensors for m in modules))
    dot.node("f", html_label(names, tensors, strong=[f"⊣ {tr(FROZEN)}"]), **look)
    return ["f"]


def _add_unreached(dot: graphviz.Digraph, scene: Scene) -> dict[int, str]:
    """Leaves that only an optimizer knows; many of them share one node."""
    tensors = scene.unreached()
    if len(tensors) > MOST_UNREACHED:
        look = {"shape": "box", "style": "dashed,filled", **painted("odd", ODD)}
        remarks = sorted({tr(scene.remark(t)) for t in tensors})
        names = words.listed((words.tensor_name(scene.infos.get(t), t) for t in tensors), 2)
        text = words.tensors(len(tensors))
        dot.node("u", html_label(text, names, strong=["∅ " + tr("not reached"), *remarks]), **look)
        return dict.fromkeys(tensors, "u")
    for tensor in tensors:
        info = scene.infos.get(tensor)
        name = words.clean(words.tensor_name(info, tensor), MOST_LABEL)
        add_leaf(dot, f"u{tensor}", name, tensor, info.shape if info else None, scene)
    return {t: f"u{t}" for t in tensors}


def _align(dot: graphviz.Digraph, small: Condensed, others: Sequence[str]) -> None:
    """Put what the loss misses on one level with the last leaf that it reaches."""
    leaves = [f"n{g.id}" for g in small.groups if g.nodes[0].kind == "leaf" and not g.module]
    if leaves and others:
        with dot.subgraph(graph_attr={"rank": "same"}) as level:
            for name in [leaves[-1], *others]:
                level.node(name)


def _few_leaves(small: Condensed, scene: Scene) -> bool:
    """Arrows from optimizers to so many nodes can be followed with the eye."""
    if small.level is not None:
        return False
    places = sum(any(n.tensor is not None for n in group.nodes) for group in small.groups)
    unreached = scene.unreached()
    return places + (len(unreached) if len(unreached) <= MOST_UNREACHED else 1) <= MOST_OWNED


def _add_optimizers(
    dot: graphviz.Digraph, scene: Scene, small: Condensed, unreached: Mapping[int, str]
) -> None:
    """Optimizer groups above the leaves, each with arrows to the leaves that it owns."""
    places = dict(unreached)
    for group in small.groups:
        for node in group.nodes:
            if node.tensor is not None:
                places[node.tensor] = f"n{group.id}"
    for i, optimizer in enumerate(scene.optimizers):
        targets = {places[t] for t in owned(optimizer) if t in places}
        if not targets:
            continue
        for j, given in enumerate(optimizer.groups):
            key = f"o{i}_{j}"
            look = {"shape": "box", "style": "filled", "penwidth": "2"}
            dot.node(key, optimizer_label(optimizer, j), **look, **painted("opt", OPTIMIZER))
            for target in dict.fromkeys(places[t] for t in given.tensors if t in places):
                dot.edge(key, target, style="dashed", color=OPTIMIZER, **{"class": "gm-own"})


__all__ = ["Scene", "dot_of", "fold", "graph_dot", "graph_lines", "layout"]

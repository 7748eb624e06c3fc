"""The graph as a picture (DOT source) and as lines of text.

Loss and operations are on one side, optimizers on the other; the leaves are where they meet,
which is how ``step()`` knows about a loss that it was never told of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import graphviz

from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.condense import Condensed, Group, children, condense, distances
from ipygradmagic.render.layout import layout
from ipygradmagic.render.numbers import brief, count, shape_words

MOST_LINES = 12
MOST_STEPS = 10
MOST_UNREACHED = 12
MOST_LABEL = 40


@dataclass(frozen=True)
class Scene:
    """A graph with the tensors and optimizers that belong to it."""

    graph: Graph
    infos: Mapping[int, TensorInfo]
    optimizers: tuple[OptimizerInfo, ...]

    @classmethod
    def of(
        cls,
        graph: Graph,
        infos: Trace | Sequence[TensorInfo],
        optimizers: Sequence[OptimizerInfo],
    ) -> Scene:
        """Leave out optimizers that have to do with other graphs only."""
        tensors = infos.tensors if isinstance(infos, Trace) else infos
        known = {t.id: t for t in tensors}
        here = {n.tensor for n in graph.nodes if n.tensor is not None}

        def concerns(optimizer: OptimizerInfo) -> bool:
            owned = _owned(optimizer)
            return any(t in here or t not in known or not known[t].reached for t in owned)

        return cls(graph, known, tuple(o for o in optimizers if concerns(o)))

    def reached(self) -> set[int]:
        """Ids of the tensors that this loss reaches."""
        return {n.tensor for n in self.graph.nodes if n.tensor is not None}

    def unreached(self) -> list[int]:
        """Ids of the tensors that an optimizer owns and this loss does not reach."""
        reached = self.reached()
        owned = (t for o in self.optimizers for t in _owned(o))
        return [t for t in dict.fromkeys(owned) if t not in reached]

    def owners(self, tensor: int | None) -> list[str]:
        """Names of the optimizers that own it."""
        return [words.short(o.name) for o in self.optimizers if tensor in _owned(o)]

    def remark(self, tensor: int | None) -> str:
        """What is amiss with a leaf: only one side has it."""
        if tensor not in self.reached():
            info = self.infos.get(tensor or 0)
            return "never reached" if info is None or not info.reached else "not by this loss"
        if self.optimizers and not self.owners(tensor):
            return "in no optimizer"
        return ""


def graph_dot(
    graph: Graph, infos: Trace | Sequence[TensorInfo], optimizers: Sequence[OptimizerInfo] = ()
) -> str:
    """DOT source of the picture of one graph."""
    scene = Scene.of(graph, infos, optimizers)
    small = condense(graph)
    dot = graphviz.Digraph(
        graph_attr={"bgcolor": "transparent", "ranksep": "0.3", "nodesep": "0.2", "pad": "0.1"},
        node_attr={
            "fontname": "Helvetica",
            "fontsize": "10",
            "height": "0.3",
            "margin": "0.14,0.05",
        },
        edge_attr={"arrowsize": "0.6"},
    )
    for group in small.groups:
        _add_group(dot, group, scene)
    for tail, head in small.edges:
        dot.edge(f"n{tail}", f"n{head}")
    if graph.truncated:
        text = f"… {words.plural(graph.truncated, 'more node')} not walked"
        dot.node("more", _html(text), shape="plaintext", **{"class": "gm-op"})
    unreached = _add_unreached(dot, scene)
    _align(dot, small, unreached)
    _add_optimizers(dot, scene, small, unreached)
    return str(dot.source)


def graph_lines(
    graph: Graph, infos: Trace | Sequence[TensorInfo], optimizers: Sequence[OptimizerInfo] = ()
) -> tuple[str, ...]:
    """The graph in words: how the gradient gets from the loss to each leaf."""
    scene = Scene.of(graph, infos, optimizers)
    parents = _parents(graph)
    nodes = {n.id: n for n in graph.nodes}
    leaves = [n for n in graph.nodes if n.kind == "leaf"]
    lines = [
        f"{_path(n, nodes, parents)} {_facts(scene, n.tensor)}".rstrip()
        for n in leaves[:MOST_LINES]
    ]
    if len(leaves) > MOST_LINES:
        left = len(leaves) - MOST_LINES
        lines.append(f"… and {words.plural(left, 'more leaf', 'more leaves')}")
    if graph.truncated:
        lines.append(f"… {words.plural(graph.truncated, 'more node')} not walked")
    unreached = scene.unreached()
    for tensor in unreached[:MOST_LINES]:
        name = words.tensor_name(scene.infos.get(tensor), tensor)
        lines.append(f"(no path from this loss) {name} {_facts(scene, tensor)}")
    if len(unreached) > MOST_LINES:
        lines.append(
            f"… and {count(len(unreached) - MOST_LINES)} more that this loss never reaches"
        )
    return tuple(lines) or ("The loss is connected to no leaf.",)


def _owned(optimizer: OptimizerInfo) -> set[int]:
    return {t for group in optimizer.groups for t in group.tensors}


def _facts(scene: Scene, tensor: int | None) -> str:
    info = scene.infos.get(tensor) if tensor is not None else None
    facts = [] if info is None else [f"grad {brief(info.grad, info.shape)}"]
    owners = scene.owners(tensor)
    if owners:
        facts.append(f"in optimizer {words.listed(owners, 3)}")
    remark = scene.remark(tensor)
    if remark:
        facts.append(remark)
    return f"({', '.join(facts)})" if facts else ""


def _parents(graph: Graph) -> dict[int, int]:
    """For each node the one before it on a shortest way from the loss."""
    below = children(graph)
    far = distances(graph, below)
    found: dict[int, int] = {}
    for node in far:
        for child in below[node]:
            if far[child] == far[node] + 1:
                found.setdefault(child, node)
    return found


def _path(leaf: Node, nodes: Mapping[int, Node], parents: Mapping[int, int]) -> str:
    names, here = [_label(leaf)], leaf.id
    while here in parents:
        here = parents[here]
        names.append(_label(nodes[here]))
    names.reverse()
    if len(names) > MOST_STEPS:
        cut = len(names) - MOST_STEPS + 1
        names[MOST_STEPS // 2 : MOST_STEPS // 2 + cut] = [f"… {words.plural(cut, 'operation')} …"]
    return " ← ".join(names)


def _label(node: Node) -> str:
    return words.clean(node.label or node.kind, MOST_LABEL)


# -- the picture ---------------------------------------------------------------------------


def _html(title: str, *small: str, remark: str = "") -> str:
    """An HTML-like label: a title, small lines, and a remark that stands out."""
    lines = [f"<b>{_escaped(title)}</b>" if small or remark else _escaped(title)]
    lines += [f'<font point-size="9">{_escaped(s)}</font>' for s in small if s]
    if remark:
        lines.append(f'<b><font point-size="9">{_escaped(remark)}</font></b>')
    return f"<{'<br/>'.join(lines)}>"


def _escaped(text: str) -> str:
    # Graphviz takes a backslash and N for the name of the node, even in HTML-like labels
    return escape(words.clean(text, 2 * MOST_LABEL)).replace("\\", "\\\\") or " "


def _add_group(dot: graphviz.Digraph, group: Group, scene: Scene) -> None:
    node = group.single
    name = f"n{group.id}"
    if node is not None and node.kind == "leaf":
        _add_leaf(dot, name, _label(node), node.tensor, node.shape, scene)
    elif node is None and group.nodes[0].kind == "leaf":
        remarks = {scene.remark(n.tensor) for n in group.nodes} - {""}
        remark = f"some {sorted(remarks)[0]}" if remarks else ""
        dot.node(
            name, _html(group.label, remark=remark), shape="box", style="rounded", **_cls("leaf")
        )
    elif node is not None and node.kind == "loss":
        said = "" if _label(node) == "loss" else "the loss"
        dot.node(name, _html(_label(node), said), shape="box", penwidth="2", **_cls("loss"))
    elif node is None or node.kind == "more":
        text = group.label or "… not walked"
        dot.node(name, _html(text), shape="plaintext", **_cls("op"))
    else:
        size = shape_words(node.shape) if node.shape else ""
        text = f"{_label(node)} {size}".rstrip()
        dot.node(name, _html(text), shape="box", style="rounded", **_cls("op"))


def _add_leaf(
    dot: graphviz.Digraph,
    name: str,
    label: str,
    tensor: int | None,
    shape: Sequence[int] | None,
    scene: Scene,
) -> None:
    info = scene.infos.get(tensor) if tensor is not None else None
    remark = scene.remark(tensor)
    small = [shape_words(shape)] if shape else []
    if info is not None:
        if info.value is not None:
            small.append(f"value {brief(info.value, info.shape)}")
        small.append(f"grad {brief(info.grad, info.shape)}")
    style = "rounded,dashed" if remark else "rounded"
    width = "2" if remark else "1.4"
    kind = "odd" if remark else "leaf"
    label_html = _html(label, *small, remark=remark)
    dot.node(name, label_html, shape="box", style=style, penwidth=width, **_cls(kind))


def _cls(kind: str) -> dict[str, str]:
    return {"class": f"gm-{kind}"}


def _add_unreached(dot: graphviz.Digraph, scene: Scene) -> dict[int, str]:
    """Leaves that only an optimizer knows; many of them share one node."""
    tensors = scene.unreached()
    if len(tensors) > MOST_UNREACHED:
        text = f"{words.plural(len(tensors), 'tensor')}"
        dot.node("u", _html(text, remark="not reached"), shape="box", style="dashed", **_cls("odd"))
        return dict.fromkeys(tensors, "u")
    for tensor in tensors:
        info = scene.infos.get(tensor)
        name = words.clean(words.tensor_name(info, tensor), MOST_LABEL)
        _add_leaf(dot, f"u{tensor}", name, tensor, info.shape if info else None, scene)
    return {t: f"u{t}" for t in tensors}


def _align(dot: graphviz.Digraph, small: Condensed, unreached: Mapping[int, str]) -> None:
    """Put the leaves that the loss misses on one level with the last that it reaches."""
    leaves = [f"n{g.id}" for g in small.groups if g.nodes[0].kind == "leaf"]
    if leaves and unreached:
        with dot.subgraph(graph_attr={"rank": "same"}) as level:
            for name in [leaves[-1], *dict.fromkeys(unreached.values())]:
                level.node(name)


def _add_optimizers(
    dot: graphviz.Digraph, scene: Scene, small: Condensed, unreached: Mapping[int, str]
) -> None:
    """Optimizer groups below the leaves, each with arrows up to the leaves it owns."""
    places = dict(unreached)
    for group in small.groups:
        for node in group.nodes:
            if node.tensor is not None:
                places[node.tensor] = f"n{group.id}"
    for i, optimizer in enumerate(scene.optimizers):
        for j, owned in enumerate(optimizer.groups):
            key = f"o{i}_{j}"
            dot.node(key, _optimizer_label(optimizer, j), shape="box", penwidth="2", **_cls("opt"))
            for target in dict.fromkeys(places[t] for t in owned.tensors if t in places):
                # written leaf → group, and drawn backwards, so that the leaf stands above
                dot.edge(target, key, dir="back", style="dashed", **_cls("own"))


def _optimizer_label(optimizer: OptimizerInfo, group: int) -> str:
    name = words.clean(optimizer.name, MOST_LABEL)
    cls = words.clean(optimizer.cls, MOST_LABEL)
    which = f", group {group + 1}" if len(optimizer.groups) > 1 else ""
    settings = [f"{k} {v}" for k, v in optimizer.groups[group].settings if k == "lr"]
    return _html(name, f"{'' if cls == name else cls + ' '}optimizer{which}", *settings)


__all__ = ["Scene", "graph_dot", "graph_lines", "layout"]

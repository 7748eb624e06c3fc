"""The graph as lines of text: what is read aloud, and where no picture can be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ipygradmagic.language import ntr, tr
from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.condense import Condensed, Group, children, distances, operations
from ipygradmagic.render.ends import end_lines
from ipygradmagic.render.fates import BROKEN, OLD, STALE
from ipygradmagic.render.graph_nodes import fates_said, in_optimizer, label_of, owners_said
from ipygradmagic.render.numbers import brief, count
from ipygradmagic.render.scene import FROZEN, SEVERAL_LINES, LeafState, Scene, worst

MOST_LINES = 12
MOST_STEPS = 10
BAD = (BROKEN, STALE, OLD)
"""What is wrong is said first."""


def graph_lines(
    graph: Graph,
    infos: Trace | Sequence[TensorInfo],
    optimizers: Sequence[OptimizerInfo] = (),
    states: Mapping[int, LeafState] | None = None,
) -> tuple[str, ...]:
    """The graph in words: how the gradient gets from the loss to each leaf."""
    return lines_of(Scene.of(graph, infos, optimizers, states))


def lines_of(scene: Scene, small: Condensed | None = None) -> tuple[str, ...]:
    """The same for a scene; of a picture that is folded, a line for each module.

    Args:
        scene: What the picture is about.
        small: What of it is drawn, if not all is.
    """
    if small is not None and any(g.module for g in small.groups):
        lines = _block_lines(scene, small)
    else:
        lines = _leaf_lines(scene)
    if scene.graph.truncated:
        lines.append(not_walked(scene.graph.truncated))
    unreached = scene.unreached()
    for tensor in unreached[:MOST_LINES]:
        name = words.tensor_name(scene.infos.get(tensor), tensor)
        facts = _facts(scene, tensor)
        lines.append(tr("(no path from this loss) {name} {facts}", name=name, facts=facts))
    if len(unreached) > MOST_LINES:
        left = count(len(unreached) - MOST_LINES)
        lines.append(tr("… and {number} more that this loss never reaches", number=left))
    frozen = scene.frozen()
    if frozen:
        names = words.listed((m.name for m in frozen), 4)
        said = tr(
            "({remark}) {names}, {tensors}: no gradient flows there",
            remark=tr(FROZEN),
            names=names,
            tensors=words.tensors(sum(m.tensors for m in frozen)),
        )
        lines.append(said)
    return tuple(lines) or (tr("The loss is connected to no leaf."),)


def not_walked(n: int) -> str:
    """What of a very large graph was not looked at."""
    return ntr("… {n:,} more node not walked", "… {n:,} more nodes not walked", n)


def _more_leaves(n: int) -> str:
    return ntr("… and {n:,} more leaf", "… and {n:,} more leaves", n)


def _leaf_lines(scene: Scene) -> list[str]:
    parents = _parents(scene.graph)
    nodes = {n.id: n for n in scene.graph.nodes}
    leaves = [n for n in scene.graph.nodes if n.kind == "leaf"]
    leaves.sort(key=lambda n: _rank(scene, (n,)))
    lines = [
        f"{_path(n, nodes, parents)} {_facts(scene, n.tensor)}".rstrip()
        for n in leaves[:MOST_LINES]
    ]
    if len(leaves) > MOST_LINES:
        lines.append(_more_leaves(len(leaves) - MOST_LINES))
    return lines + end_lines(scene.graph)


def _block_lines(scene: Scene, small: Condensed) -> list[str]:
    blocks = [g for g in small.groups if g.leaves]
    blocks.sort(key=lambda g: _rank(scene, g.leaves))
    lines = [_block(scene, g, small) for g in blocks[:MOST_LINES]]
    left = sum(len(g.leaves) for g in blocks[MOST_LINES:])
    if left:
        lines.append(_more_leaves(left))
    return lines


def _block(scene: Scene, group: Group, small: Condensed) -> str:
    runs = [
        small.times[p]
        for i in range(len(group.module))
        if (p := group.module[: i + 1]) in small.times
    ]
    times = f" × {count(runs[-1])}" if runs else ""
    said = fates_said(group.leaves, scene)
    n, owners = words.tensors(len(group.leaves)), owners_said(group.leaves, scene)
    facts = words.phrases(x for x in (n, said, owners) if x)
    return f"loss ← … ← {words.short(group.label)}{times} ({facts})"


def _rank(scene: Scene, leaves: Sequence[Node]) -> int:
    found = worst(scene.fate(n.tensor) for n in leaves)
    return BAD.index(found) if found in BAD else len(BAD)


def _facts(scene: Scene, tensor: int | None) -> str:
    state = scene.state(tensor)
    info = scene.infos.get(tensor or 0)
    facts = []
    if state is not None:
        facts.append(f"grad {brief(state.grad, info.shape if info else ())}")
        facts += [state.words] if state.grad is not None and state.words else []
        facts += [tr(SEVERAL_LINES)] if state.mixed else []
    owners = scene.owners(tensor)
    if owners:
        facts.append(in_optimizer(owners, 3))
    remark = scene.remark(tensor)
    if remark:
        facts.append(tr(remark))
    return f"({words.phrases(facts)})" if facts else ""


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
    names, here = [label_of(leaf)], leaf.id
    while here in parents:
        here = parents[here]
        names.append(label_of(nodes[here]))
    names.reverse()
    if len(names) > MOST_STEPS:
        cut = len(names) - MOST_STEPS + 1
        names[MOST_STEPS // 2 : MOST_STEPS // 2 + cut] = [f"{operations(cut)} …"]
    return " ← ".join(names)

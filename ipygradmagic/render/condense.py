"""Making a large graph small enough to look at.

An autograd graph may have ten thousand nodes; a picture of more than some 150 says nothing.
Chains of operations become one node, then everything far from the loss does, and leaves are
joined by the beginning of their names. All walks are iterative.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.render.words import plural

MOST_NODES = 150
MOST_LEAVES = 40
NEAR = 40
"""Operations nearest to the loss that are kept when chains alone do not suffice."""


@dataclass(frozen=True, slots=True)
class Group:
    """One node of the picture: a node of the graph, or several joined."""

    id: int
    nodes: tuple[Node, ...]
    label: str

    @property
    def single(self) -> Node | None:
        """The node that it stands for, if it is only one."""
        return self.nodes[0] if len(self.nodes) == 1 else None


@dataclass(frozen=True, slots=True)
class Condensed:
    """A graph of groups. Edges run as the gradient flows: from the loss to the leaves."""

    groups: tuple[Group, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Work:
    """Which group each node is in, while groups are being joined."""

    graph: Graph
    home: dict[int, int] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)

    def size(self) -> int:
        return len(set(self.home.values()))


def condense(graph: Graph, most: int = MOST_NODES) -> Condensed:
    """At most about ``most`` nodes with the same loss, leaves and connections."""
    work = _Work(graph, {n.id: n.id for n in graph.nodes})
    leaves = sum(n.kind == "leaf" for n in graph.nodes)
    if len(graph.nodes) > most:
        _join_chains(work)
        if leaves > MOST_LEAVES:
            _join_leaves(work)
        if work.size() > most:
            _join_far(work)
    return _finish(work)


def children(graph: Graph) -> dict[int, list[int]]:
    """For each node the nodes that its gradient flows on to."""
    found: dict[int, list[int]] = {n.id: [] for n in graph.nodes}
    for edge in graph.edges:
        if edge.source in found and edge.target in found:
            found[edge.target].append(edge.source)
    return found


def distances(graph: Graph, below: Mapping[int, list[int]]) -> dict[int, int]:
    """Steps from the loss (or the first node) to each node it reaches, nearest first."""
    starts = [n.id for n in graph.nodes if n.kind == "loss"] or [n.id for n in graph.nodes[:1]]
    found = dict.fromkeys(starts, 0)
    queue = deque(starts)
    while queue:
        here = queue.popleft()
        for child in below[here]:
            if child not in found:
                found[child] = found[here] + 1
                queue.append(child)
    return found


def prefix(name: str) -> str:
    """What leaves are joined by: ``encoder.layers.3.weight`` → ``encoder.layers``."""
    parts = name.replace("[", ".").split(".")
    kept = parts[: max(1, min(2, len(parts) - 1))]
    return ".".join(kept)


def _join_chains(work: _Work) -> None:
    """Runs of operations with one way in and one way out become one group."""
    below = children(work.graph)
    above: dict[int, list[int]] = {n: [] for n in below}
    for parent, targets in below.items():
        for target in targets:
            above[target].append(parent)
    plain = {
        n.id
        for n in work.graph.nodes
        if n.kind == "operation" and len(below[n.id]) == 1 and len(above[n.id]) == 1
    }
    for node in work.graph.nodes:
        if node.id in plain and above[node.id][0] not in plain:
            _join_chain(work, node.id, below, plain)


def _join_chain(work: _Work, head: int, below: Mapping[int, list[int]], plain: set[int]) -> None:
    chain, here = [head], below[head][0]
    while here in plain and here != head:
        chain.append(here)
        here = below[here][0]
    if len(chain) > 2:
        _join(work, chain, f"… {plural(len(chain), 'operation')}")


def _join_leaves(work: _Work) -> None:
    groups: dict[str, list[int]] = {}
    for node in work.graph.nodes:
        if node.kind == "leaf":
            groups.setdefault(prefix(node.label), []).append(node.id)
    for name, members in groups.items():
        if len(members) > 1:
            _join(work, members, f"{name}.* ({plural(len(members), 'tensor')})")
    left = [m for members in groups.values() if len(members) == 1 for m in members]
    many = list(groups.items())[MOST_LEAVES:]
    spare = [m for _, members in many for m in members]
    if len(groups) > MOST_LEAVES and (left or spare):
        _join(work, spare, f"… {plural(len(spare), 'more leaf', 'more leaves')}")


def _join_far(work: _Work) -> None:
    """All operations but those nearest to the loss become one group."""
    reached = distances(work.graph, children(work.graph))
    operations = {n.id for n in work.graph.nodes if n.kind in ("operation", "more")}
    near: dict[int, None] = {}
    for node in reached:
        if node in operations and len(near) < NEAR:
            near[work.home[node]] = None
    far = [n for n in operations if work.home[n] not in near]
    if far:
        _join(work, far, f"… {plural(len(far), 'operation')}")


def _join(work: _Work, members: Iterable[int], label: str) -> None:
    listed = list(members)
    group = listed[0]
    for member in listed:
        work.home[member] = group
    work.labels[group] = label


def _finish(work: _Work) -> Condensed:
    members: dict[int, list[Node]] = {}
    for node in work.graph.nodes:
        members.setdefault(work.home[node.id], []).append(node)
    groups = tuple(
        Group(key, tuple(nodes), work.labels.get(key, "") if len(nodes) > 1 else nodes[0].label)
        for key, nodes in members.items()
    )
    pairs = (
        (work.home[e.target], work.home[e.source])
        for e in work.graph.edges
        if e.source in work.home and e.target in work.home
    )
    return Condensed(groups, tuple(dict.fromkeys((a, b) for a, b in pairs if a != b)))

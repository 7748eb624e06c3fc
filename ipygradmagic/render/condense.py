"""Making a large graph small enough to look at.

An autograd graph may have ten thousand nodes; a picture of more than some 150 says nothing.
Operations and leaves are joined by module, as deep as there is room; where names tell of no
modules, chains of operations become one node, then everything far from the loss does, and
leaves are joined by the beginning of their names. All walks are iterative.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ipygradmagic.language import ntr
from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.render.homes import Homes, homes
from ipygradmagic.render.modules import Path, Tree, tree_of
from ipygradmagic.render.numbers import count
from ipygradmagic.render.words import tensors

MOST_NODES = 150
MOST_LEAVES = 40
NEAR = 12
"""Operations nearest to the loss that are kept when chains alone do not suffice."""
MOST_KINDS = 2
"""Kinds of operations that the label of a joined node lists."""
Sign = Callable[[Node], Hashable]


@dataclass(frozen=True, slots=True)
class Group:
    """One node of the picture: a node of the graph, or several joined.

    Attributes:
        id: That of one of its nodes.
        nodes: What it stands for.
        label: Words for it; of a module, its path.
        module: Path of the module that it is, if it is one.
    """

    id: int
    nodes: tuple[Node, ...]
    label: str
    module: Path = ()

    @property
    def single(self) -> Node | None:
        """The node that it stands for, if it is only one."""
        return self.nodes[0] if len(self.nodes) == 1 else None

    @property
    def leaves(self) -> tuple[Node, ...]:
        """The leaves among its nodes."""
        return tuple(n for n in self.nodes if n.kind == "leaf")


@dataclass(frozen=True, slots=True)
class Condensed:
    """A graph of groups. Edges run as the gradient flows: from the loss to the leaves.

    Attributes:
        groups: The nodes of the picture.
        edges: Pairs of their ids.
        level: How many levels of modules are open; None if nothing is joined by module.
        back: Those edges that lead from one of several equal modules on to the next: against
            the order of the picture.
        times: For module paths that end in a run of equal modules, how many they are.
    """

    groups: tuple[Group, ...]
    edges: tuple[tuple[int, int], ...]
    level: int | None = None
    times: Mapping[Path, int] = field(default_factory=dict)
    back: frozenset[tuple[int, int]] = frozenset()


@dataclass(slots=True)
class _Work:
    """Which group each node is in, while groups are being joined."""

    graph: Graph
    home: dict[int, int] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    modules: dict[int, Path] = field(default_factory=dict)

    def size(self) -> int:
        return len(set(self.home.values()))

    def free(self, node: Node) -> bool:
        """Is it still on its own?"""
        return self.home[node.id] == node.id and node.id not in self.labels


def foldings(
    graph: Graph, sign: Sign = lambda node: None, depth: int | None = None, most: int = MOST_NODES
) -> Iterator[Condensed]:
    """The graph, and the same with more and more joined; the first has as much as there is room for.

    Args:
        graph: What was walked.
        sign: What two leaves must agree in, beside name and shape, to be drawn as one.
        depth: Levels of modules to open; None opens all that there is room for.
        most: Nodes that there is room for.
    """
    if depth is None and len(graph.nodes) <= most:
        yield condense(graph, most)
    leaves = [n for n in graph.nodes if n.kind == "leaf"]
    tree = tree_of((n.id, n.label, (n.shape, sign(n))) for n in leaves)
    at = homes(graph, tree.places)
    last: Condensed | None = None
    for level in range(min(tree.depth, depth or tree.depth), 0, -1):
        small = _by_module(graph, tree, at, level, most)
        if len(small.groups) <= most and (last is None or len(small.groups) < len(last.groups)):
            last = small
            yield small
    if last is None and (depth is not None or len(graph.nodes) > most):
        yield condense(graph, most)


def condense(graph: Graph, most: int = MOST_NODES) -> Condensed:
    """At most about ``most`` nodes with the same loss, leaves and connections, without modules."""
    work = _Work(graph, {n.id: n.id for n in graph.nodes})
    _shrink(work, most)
    return _finish(work)


def _by_module(graph: Graph, tree: Tree, at: Homes, level: int, most: int) -> Condensed:
    """One node for each module whose path has ``level`` steps or fewer."""
    work = _Work(graph, {n.id: n.id for n in graph.nodes})
    members: dict[Path, list[int]] = {}
    for node in graph.nodes:
        path = at.paths.get(node.id, ())[:level]
        if path and node.kind != "loss":
            members.setdefault(path, []).append(node.id)
    for path, ids in members.items():
        _join(work, ids, ".".join(path))
        work.modules[ids[0]] = path
    _shrink(work, most)
    small = _finish(work)
    back = _back(small, at)
    return replace(small, level=level, times=tree.times, back=back)


def _shrink(work: _Work, most: int) -> None:
    """Join what is left, if it is too much."""
    if work.size() <= most:
        return
    _join_chains(work)
    if sum(n.kind == "leaf" and work.free(n) for n in work.graph.nodes) > MOST_LEAVES:
        _join_leaves(work)
    if work.size() > most:
        _join_far(work)


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


def operations(n: int) -> str:
    """What stands for so many of them."""
    return ntr("… {n:,} operation", "… {n:,} operations", n)


def kinds(nodes: Iterable[Node]) -> str:
    """Which operations these are: ``addmm ×4,000, tanh ×2,000, …``."""
    tally = Counter(n.label for n in nodes if n.kind == "operation").most_common()
    said = [name if n == 1 else f"{name} ×{count(n)}" for name, n in tally[:MOST_KINDS]]
    return ", ".join(said + ["…"] * (len(tally) > MOST_KINDS))


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
        if n.kind == "operation"
        and work.free(n)
        and len(below[n.id]) == 1
        and len(above[n.id]) == 1
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
        _join(work, chain, operations(len(chain)))


def _join_leaves(work: _Work) -> None:
    groups: dict[str, list[int]] = {}
    for node in work.graph.nodes:
        if node.kind == "leaf" and work.free(node):
            groups.setdefault(prefix(node.label), []).append(node.id)
    for name, members in groups.items():
        if len(members) > 1:
            _join(work, members, f"{name}.* ({tensors(len(members))})")
    left = [m for members in groups.values() if len(members) == 1 for m in members]
    many = list(groups.items())[MOST_LEAVES:]
    spare = [m for _, members in many for m in members]
    if len(groups) > MOST_LEAVES and (left or spare):
        _join(work, spare, ntr("… {n:,} more leaf", "… {n:,} more leaves", len(spare)))


def _join_far(work: _Work) -> None:
    """All operations but those nearest to the loss become one group."""
    reached = distances(work.graph, children(work.graph))
    own = {n.id: n for n in work.graph.nodes if n.kind in ("operation", "more")}
    open_to_it = {i for i in own if work.home[i] not in work.modules}
    near: dict[int, None] = {}
    for node in reached:
        if node in open_to_it and len(near) < NEAR:
            near[work.home[node]] = None
    far = [n for n in own if n in open_to_it and work.home[n] not in near]
    if far:
        _join(work, far, operations(len(far)))


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
        Group(
            key,
            tuple(nodes),
            work.labels.get(key, "") if len(nodes) > 1 else nodes[0].label,
            work.modules.get(key, ()) if len(nodes) > 1 else (),
        )
        for key, nodes in members.items()
    )
    pairs = (
        (work.home[e.target], work.home[e.source])
        for e in work.graph.edges
        if e.source in work.home and e.target in work.home
    )
    edges = tuple(dict.fromkeys((a, b) for a, b in pairs if a != b))
    return Condensed(groups, edges)


def _back(small: Condensed, at: Homes) -> frozenset[tuple[int, int]]:
    """The edges whose data comes from a group that begins later."""
    begins = {
        g.id: min((at.turn[n.id] for n in g.nodes if n.id in at.turn), default=-1)
        for g in small.groups
    }
    return frozenset((a, b) for a, b in small.edges if begins[b] > begins[a])

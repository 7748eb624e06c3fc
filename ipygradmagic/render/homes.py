"""Which module each operation of a graph belongs to, told by the leaves that it reads.

autograd knows nothing of modules, but ``encoder.layers.3.linear1.weight`` does. An operation
that reads a leaf (itself, or through a transpose or a view of it) is of that leaf's module;
one that reads none (an activation, an addition) is of the module whose result came last. What
follows the last module, up to the loss, belongs to none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from ipygradmagic.record.graph import Graph
from ipygradmagic.render.modules import Path, Place

NOWHERE: Path = ()
LIGHT = frozenset(
    (
        *("t", "transpose", "permute", "view", "unsafeView", "reshapeAlias", "expand", "alias"),
        *("squeeze", "unsqueeze", "select", "slice", "narrow", "split", "splitWithSizes"),
        *("unbind", "asStrided", "toCopy", "clone", "diagonal"),
    )
)
"""Operations that show a leaf in another way; what reads their result reads the leaf."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Where the nodes of a graph belong.

    Attributes:
        paths: For each node the path of its module; of none: the empty path.
        turn: When each operation has its turn, as data flows; without those that show a leaf
            in another way, which could run as soon as there is a leaf.
    """

    paths: dict[int, Path]
    turn: dict[int, int]


def homes(graph: Graph, places: Mapping[int, Place]) -> Homes:
    """Find the module of every node.

    Args:
        graph: What was walked.
        places: Where each leaf of it is, by node id.
    """
    inputs, outputs = _neighbours(graph)
    rank = _in_order(inputs, outputs)
    nodes = {n.id: n for n in graph.nodes}
    found = {n: place.module for n, place in places.items()}
    close, readers = set(places), set[int]()
    for number in rank:
        if number in places:
            continue
        given = inputs[number]
        near = [i for i in given if i in close]
        if near:
            readers.add(number)
            found[number] = max((found[i] for i in near), key=len)
            if len(given) == 1 and nodes[number].label in LIGHT:
                close.add(number)
        else:
            last = max(given, key=rank.__getitem__, default=None)
            found[number] = found.get(last, NOWHERE) if last is not None else NOWHERE
    for number in _after_last(list(rank), outputs, readers, set(places)):
        found[number] = NOWHERE
    return Homes(found, {n: turn for n, turn in rank.items() if n not in close})


def _in_order(inputs: Mapping[int, list[int]], outputs: Mapping[int, list[int]]) -> dict[int, int]:
    """Positions of the nodes as data flows: each after all that it reads."""
    missing = {n: len(given) for n, given in inputs.items()}
    queue = deque(n for n, m in missing.items() if not m)
    order = []
    while queue:
        here = queue.popleft()
        order.append(here)
        for there in outputs[here]:
            missing[there] -= 1
            if not missing[there]:
                queue.append(there)
    return {number: i for i, number in enumerate(order)}


def _neighbours(graph: Graph) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """For each node what it reads, and what reads it."""
    inputs: dict[int, list[int]] = {n.id: [] for n in graph.nodes}
    outputs: dict[int, list[int]] = {n.id: [] for n in graph.nodes}
    for edge in graph.edges:
        if edge.source in inputs and edge.target in inputs:
            inputs[edge.target].append(edge.source)
            outputs[edge.source].append(edge.target)
    return inputs, outputs


def _after_last(
    order: list[int], outputs: Mapping[int, list[int]], readers: set[int], leaves: set[int]
) -> set[int]:
    """Operations from which no way to the loss passes by one that reads a leaf."""
    after: set[int] = set()
    for number in reversed(order):
        if number in leaves or number in readers:
            continue
        if all(there in after for there in outputs[number]):
            after.add(number)
    return after

"""An autograd graph to plain nodes and edges, without recursion and without keeping it alive."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from torch import Tensor

from ipygradmagic.capture.deadends import Surroundings, saved_by, saved_fields
from ipygradmagic.capture.leaves import ACCUMULATE, GradNode, root_of
from ipygradmagic.capture.snapshot import look, summary
from ipygradmagic.record.graph import Edge, Frozen, Graph, Node, Saved
from ipygradmagic.record.tensors import SMALL

LIMIT = 40_000
"""Nodes beyond this many are counted, not described: a picture of them is folded by module."""
MOST_ENDED = 200
"""Of a graph of more nodes, single inputs are not drawn."""
_READABLE = re.compile(r"(Backward\d*|Grad)$")
NameOf = Callable[[Tensor], "tuple[str, int | None]"]


def readable(function: str) -> str:
    """``AddmmBackward0`` → ``addmm``; a custom function keeps its own name."""
    plain = _READABLE.sub("", function.rsplit("::", 1)[-1]) or function
    return plain[:1].lower() + plain[1:] if plain[:1].isupper() else plain


def graph_of(
    outputs: Sequence[Tensor],
    labels: Sequence[str],
    name_of: NameOf,
    title: str = "",
    numbers: dict[GradNode, int] | None = None,
    saved: bool = False,
    around: Surroundings | None = None,
) -> Graph:
    """The graph below ``outputs``, breadth first; ``name_of`` gives a leaf's name and id.

    ``numbers`` is filled with the number of each node; ``saved`` asks for what operations keep, and
    ``around`` knows whose the inputs are that take no gradient.
    """
    nodes: list[Node] = []
    edges: list[Edge] = []
    numbers = {} if numbers is None else numbers
    queue: deque[GradNode] = deque()
    truncated = 0
    for output, label in zip(outputs, labels):
        root = root_of(output)
        if root is None:
            continue
        loss = len(nodes)
        nodes.append(Node(loss, "loss", label, shape=tuple(output.shape)))
        if root not in numbers:
            numbers[root] = -1
            queue.append(root)
            _number(root, numbers, nodes, name_of)
        edges.append(Edge(numbers[root], loss))
    while queue:
        node = queue.popleft()
        if type(node) is ACCUMULATE:
            continue
        for nxt, _ in node.next_functions:
            if nxt is None:
                continue
            if nxt not in numbers:
                if len(nodes) >= LIMIT and type(nxt) is not ACCUMULATE:
                    truncated += 1
                    continue
                _number(nxt, numbers, nodes, name_of)
                queue.append(nxt)
            edges.append(Edge(numbers[nxt], numbers[node]))
    if saved:
        for node, place in numbers.items():
            if nodes[place].kind == "operation":
                nodes[place] = replace(nodes[place], saved=tuple(_saved(node)))
    frozen = _dead_ends(nodes, numbers, around) if around is not None else ()
    return Graph(tuple(nodes), tuple(edges), title=title, truncated=truncated, frozen=frozen)


def _dead_ends(
    nodes: list[Node], numbers: dict[GradNode, int], around: Surroundings
) -> tuple[Frozen, ...]:
    """Name the inputs that take no gradient; of a graph too large to show them, only modules."""
    for node, place in numbers.items() if len(nodes) <= MOST_ENDED else ():
        if nodes[place].kind == "operation":
            ends = around.ends(node)
            if ends:
                nodes[place] = replace(nodes[place], ends=ends)
    return around.frozen(
        cast(Tensor, getattr(node, "variable"))  # noqa: B009
        for node in numbers
        if type(node) is ACCUMULATE
    )


def _number(
    node: GradNode, numbers: dict[GradNode, int], nodes: list[Node], name_of: NameOf
) -> None:
    place = numbers[node] = len(nodes)
    if type(node) is ACCUMULATE:
        leaf = cast(Tensor, getattr(node, "variable"))  # noqa: B009
        name, number = name_of(leaf)
        nodes.append(Node(place, "leaf", name, shape=tuple(leaf.shape), tensor=number))
    else:
        function = node.name()
        label = readable(function)
        # an input that takes no gradient has no node here; that there was one is all that is left
        blind = sum(nxt is None for nxt, _ in node.next_functions)
        shape = _shape(node)
        nodes.append(Node(place, "operation", label, function=function, shape=shape, blind=blind))


def _saved(node: GradNode) -> Iterator[Saved]:
    """What an operation keeps."""
    for name, kept in saved_by(node, saved_fields(node)):
        if isinstance(kept, Tensor):
            small = kept.numel() <= SMALL
            yield Saved(name, tuple(kept.shape), summary(look(kept)) if small else None)
        elif kept is not None:
            yield Saved(name)


def _shape(node: GradNode) -> tuple[int, ...] | None:
    """Shape of the operation's first result, which is that of the gradient it receives."""
    metadata = getattr(node, "_input_metadata", None)
    try:
        return tuple(int(n) for n in metadata[0].shape) if metadata else None
    except (RuntimeError, AttributeError, TypeError, ValueError):
        return None

"""Which leaves a loss reaches: an iterative walk of the autograd graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, cast

import torch
from torch import Tensor


class GradNode(Protocol):
    """What is used of ``torch.autograd.graph.Node``."""

    @property
    def next_functions(self) -> tuple[tuple[GradNode | None, int], ...]:
        """The nodes that this one hands gradients to."""
        ...

    def register_prehook(self, fn: object) -> torch.utils.hooks.RemovableHandle:
        """Call ``fn(grad_outputs)`` before the node runs."""
        ...

    def name(self) -> str:
        """autograd's own name."""
        ...


def _accumulate_type() -> type:
    leaf = torch.zeros((), requires_grad=True)
    node = torch.autograd.graph.get_gradient_edge(leaf).node
    return type(node)


ACCUMULATE: type = _accumulate_type()
"""The class of the nodes at which leaves receive their gradient."""


@dataclass(slots=True)
class Reach:
    """What a backward will reach.

    Attributes:
        leaves: The leaf tensors with their ``AccumulateGrad`` nodes, in order of discovery.
        nodes: All nodes.
    """

    leaves: list[tuple[Tensor, GradNode]] = field(default_factory=list)
    nodes: set[GradNode] = field(default_factory=set)


def root_of(output: Tensor) -> GradNode | None:
    """The node at which a backward from ``output`` starts (a leaf's own accumulator)."""
    if output.grad_fn is not None:
        return cast(GradNode, output.grad_fn)
    if output.requires_grad:
        return cast(GradNode, torch.autograd.graph.get_gradient_edge(output).node)
    return None


def reach(outputs: Iterable[Tensor]) -> Reach:
    """Walk from the outputs to every leaf; a deep graph does not overflow the stack."""
    stack = [n for n in map(root_of, outputs) if n is not None]
    seen = set(stack)
    found = Reach(nodes=seen)
    leaves: list[GradNode] = []
    while stack:
        node = stack.pop()
        if type(node) is ACCUMULATE:
            leaves.append(node)
            continue
        for nxt, _ in node.next_functions:
            if nxt is not None and nxt not in seen:
                seen.add(nxt)
                stack.append(nxt)
    found.leaves = [(cast(Tensor, getattr(n, "variable")), n) for n in leaves]  # noqa: B009
    return found


def sequence_range(outputs: Iterable[Tensor], limit: int = 5000) -> tuple[int, int]:
    """Smallest and largest sequence number of the graph's operations; (-1, -1) if unknown."""
    numbers = sequence_numbers(outputs, limit)
    return (min(numbers), max(numbers)) if numbers else (-1, -1)


def sequence_numbers(outputs: Iterable[Tensor], limit: int) -> list[int]:
    """Sequence numbers of the graph's operations, of ``limit`` nodes at most."""
    stack = [n for n in map(root_of, outputs) if n is not None]
    seen = set(stack)
    numbers: list[int] = []
    while stack and len(seen) < limit:
        node = stack.pop()
        number = getattr(node, "_sequence_nr", None)
        if type(node) is not ACCUMULATE and callable(number):
            numbers.append(int(number()))
        for nxt, _ in node.next_functions:
            if nxt is not None and nxt not in seen:
                seen.add(nxt)
                stack.append(nxt)
    return numbers

"""An autograd graph as plain nodes and edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipygradmagic.record.tensors import Summary

NodeKind = Literal["loss", "operation", "leaf", "more"]
EndKind = Literal["frozen", "data", "detached", "unknown"]


@dataclass(frozen=True, slots=True)
class Saved:
    """A tensor that an operation keeps for the backward.

    Attributes:
        name: What autograd calls it: ``self``, ``other``, ``mat1``, ``result``.
        shape: None where a hook has packed it away.
        value: Its numbers, if it is small.
    """

    name: str
    shape: tuple[int, ...] | None = None
    value: Summary | None = None


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """An input of an operation that takes no gradient, and that the operation keeps.

    Attributes:
        name: What the user calls it; empty where that is not known for certain.
        kind: ``frozen`` (a parameter with ``requires_grad=False``), ``data`` (any other tensor),
            ``detached`` (it lies in the memory of one that requires grad), ``unknown``.
        shape: Its shape.
        source: Whom it was detached from, where it has a name of its own.
    """

    name: str
    kind: EndKind
    shape: tuple[int, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A module none of whose ``tensors`` parameters requires grad, beside others that do."""

    name: str
    tensors: int


@dataclass(frozen=True, slots=True)
class Node:
    """One node: the loss, an operation, or a leaf where a gradient ends up.

    Attributes:
        id: Stable within its graph.
        kind: ``loss``, ``operation``, ``leaf``; ``more`` stands for what was not walked.
        label: Readable name: ``addmm``, or the name of the tensor.
        function: autograd's own name (``AddmmBackward0``), for operations.
        shape: Shape of the operation's result or of the leaf, None if unknown.
        tensor: Id of the leaf (``TensorInfo.id``).
        value: Result of the operation, where the trace teaches and it is small.
        grad: Gradient of the loss by that result, likewise.
        blind: How many inputs of the operation take no gradient: data, constants, what was
            detached or frozen.
        ends: Those of them that are known.
        saved: What the operation keeps for the backward, where that was asked for.
    """

    id: int
    kind: NodeKind
    label: str
    function: str = ""
    shape: tuple[int, ...] | None = None
    tensor: int | None = None
    value: Summary | None = None
    grad: Summary | None = None
    blind: int = 0
    ends: tuple[DeadEnd, ...] = ()
    saved: tuple[Saved, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """Data flows from ``source`` to ``target`` (node ids); the gradient flows back."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph of one backward.

    Attributes:
        nodes, edges: In the order of the walk, the loss first.
        event: Index of the backward event it belongs to; 0 for ``%grad_state --graph``.
        title: Words for its heading.
        truncated: How many nodes were left out because the graph was larger than the limit.
        frozen: Modules that take no gradient, of models of which another part is in the graph.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    event: int = 0
    title: str = ""
    truncated: int = 0
    frozen: tuple[Frozen, ...] = ()

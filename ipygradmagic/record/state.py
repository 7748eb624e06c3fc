"""What ``%grad_state`` found: the tensors of a namespace at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from ipygradmagic.record.findings import Finding
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo


@dataclass(frozen=True, slots=True)
class TensorState:
    """One tensor now.

    Attributes:
        info: Name, shape, value, grad, owners and what the gradient holds.
        since: The line that last changed its gradient, where a trace saw it.
        odd: What is odd about it, in words; empty if nothing is.
    """

    info: TensorInfo
    since: SourceLocation | None = None
    odd: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """The state of the gradients of a namespace.

    Attributes:
        tensors: Every tensor that requires grad, leaves first.
        optimizers: Every optimizer of the namespace.
        findings: What is worth saying about them together.
        graph: The graph of the tensor that was asked for.
        others: How many tensors of the namespace do not require grad.
        warnings: What could not be looked at.
    """

    tensors: tuple[TensorState, ...] = ()
    optimizers: tuple[OptimizerInfo, ...] = ()
    findings: tuple[Finding, ...] = ()
    graph: Graph | None = None
    others: int = 0
    warnings: tuple[str, ...] = ()

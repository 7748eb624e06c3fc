"""What passes through a small graph, for teaching: the number at every operation, forward and back.

Autograd keeps neither the results of all operations nor the gradients of non-leaves. While a trace
teaches, a function mode notes small results as they are made, and hooks on the nodes of a graph
that is going to be drawn note what arrives there in the backward; the hooks are removed after it. This
is dear, and only done where it was asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ipygradmagic.capture.leaves import ACCUMULATE, GradNode
from ipygradmagic.capture.snapshot import look, summary
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.tensors import SMALL, Summary

MOST_RESULTS = 512
"""So many results are remembered until a backward comes; each keeps its graph alive."""
MOST_NODES = 60
"""A larger graph has no numbers at its operations: nobody could read them."""
Numbers = dict[int, Summary]


class Teaching(TorchFunctionMode):
    """Remembers the small results of operations that are part of a graph.

    Args:
        fault: Told of an error of ours.
    """

    def __init__(self, fault: Callable[[Exception], None]) -> None:
        super().__init__()
        self._fault = fault
        self._results: OrderedDict[GradNode, Summary] = OrderedDict()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call the function, and look at what it returns."""
        __tracebackhide__ = True
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and torch.is_grad_enabled():
            try:
                self._remember(result)
            except Exception as error:
                self._fault(error)
        return result

    def _remember(self, result: Tensor) -> None:
        with torch._C.DisableTorchFunction():
            node = cast("GradNode | None", result.grad_fn)
            if node is None or result.numel() > SMALL:
                return
            found = summary(look(result))
            if found is not None:
                self._results[node] = found
            while len(self._results) > MOST_RESULTS:
                self._results.popitem(last=False)

    def enter(self) -> None:
        """Begin to see the calls of this thread."""
        torch._C._push_on_torch_function_stack(self)

    def leave(self) -> None:
        """See no more; modes that were entered since and not left stay."""
        others: list[Any] = []
        while torch._C._len_torch_function_stack():
            mode = torch._C._pop_torch_function_stack()
            if mode is self:
                break
            others.append(mode)
        for mode in reversed(others):
            torch._C._push_on_torch_function_stack(mode)
        self._results.clear()

    def listen(self, nodes: Mapping[GradNode, int]) -> Lesson | None:
        """Hear what arrives at these nodes; None if there are too many of them."""
        if len(nodes) > MOST_NODES:
            return None
        values = {number: self._results[n] for n, number in nodes.items() if n in self._results}
        return Lesson(nodes, values)

    def forget(self) -> None:
        """A backward is over: its graph need not be kept for us."""
        self._results.clear()


class Lesson:
    """The numbers at the operations of one graph.

    Args:
        nodes: Their numbers in the drawn graph.
        values: Results of the forward, where they were small.
    """

    def __init__(self, nodes: Mapping[GradNode, int], values: Numbers) -> None:
        self._values = values
        self._arrived: Numbers = {}
        operations = {n: node for node, n in nodes.items() if type(node) is not ACCUMULATE}
        self._handles = [node.register_prehook(self._hears(n)) for n, node in operations.items()]

    def _hears(self, number: int) -> Callable[[Sequence[Tensor | None]], None]:
        def hear(arrived: Sequence[Tensor | None]) -> None:
            given = [tensor for tensor in arrived if tensor is not None]
            if len(given) == 1 and given[0].numel() <= SMALL:
                found = summary(look(given[0]))
                if found is not None:
                    self._arrived[number] = found

        return hear

    def told(self, graph: Graph) -> Graph:
        """The graph with these numbers; nothing of ours stays at its nodes."""
        for handle in self._handles:
            handle.remove()
        nodes = (
            replace(node, value=self._values.get(node.id), grad=self._arrived.get(node.id))
            if node.kind == "operation"
            else node
            for node in graph.nodes
        )
        return replace(graph, nodes=tuple(nodes))

"""What a picture of a graph is about: the graph, its leaves at one moment, their optimizers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ipygradmagic.language import mark
from ipygradmagic.record.graph import Frozen, Graph
from ipygradmagic.record.tensors import Holds, OptimizerInfo, Summary, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.fates import (
    BROKEN,
    FRESH,
    MIXED,
    NONE,
    OLD,
    STALE,
    SUMMED,
    UNKNOWN,
    USED,
    ZERO,
    Fate,
    fate,
    fate_words,
)

WORST_FIRST = (BROKEN, STALE, OLD, MIXED, NONE, ZERO, UNKNOWN, SUMMED, USED, FRESH)
"""Which of several fates a reader has to see."""

SEVERAL_LINES = mark("from different lines")
FROZEN = mark("frozen: requires_grad=False")


@dataclass(frozen=True, slots=True)
class LeafState:
    """A leaf at one moment.

    Attributes:
        value, grad: What it was and had.
        holds: What the gradient held; None where nobody kept books.
        mixed: It held contributions of several backward lines.
    """

    value: Summary | None = None
    grad: Summary | None = None
    holds: Holds | None = None
    mixed: bool = False

    @property
    def fate(self) -> Fate | None:
        """What became of its gradient, where that is known."""
        if self.holds is None and self.grad is not None:
            return None
        return fate(self.grad, self.holds or Holds())

    @property
    def words(self) -> str:
        """The fate with its mark: ``▲ stale``."""
        found = self.fate
        if found is None:
            return ""
        return f"{found.mark} {fate_words(self.grad, self.holds or Holds())}"


@dataclass(frozen=True)
class Scene:
    """A graph with the tensors and optimizers that belong to it, at one moment.

    Where it is drawn without ``arrows`` from optimizers to their leaves, words say whose they are.
    Before the backward no gradient has ``flowed``.
    """

    graph: Graph
    infos: Mapping[int, TensorInfo]
    optimizers: tuple[OptimizerInfo, ...]
    states: Mapping[int, LeafState] = field(default_factory=dict)
    reached: frozenset[int] = frozenset()
    owned_by: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    arrows: bool = True
    flowed: bool = True

    @classmethod
    def of(
        cls,
        graph: Graph,
        infos: Trace | Sequence[TensorInfo],
        optimizers: Sequence[OptimizerInfo],
        states: Mapping[int, LeafState] | None = None,
    ) -> Scene:
        """Leave out optimizers that have to do with other graphs only.

        Args:
            graph: What was walked.
            infos: The tensors that are known.
            optimizers: Those that were seen.
            states: The leaves at the moment of the picture; at the end if not given.
        """
        tensors = infos.tensors if isinstance(infos, Trace) else infos
        known = {t.id: t for t in tensors}
        here = frozenset(n.tensor for n in graph.nodes if n.tensor is not None)

        def concerns(optimizer: OptimizerInfo) -> bool:
            return any(
                t in here or t not in known or not known[t].reached for t in owned(optimizer)
            )

        at_end = {t.id: LeafState(t.value, t.grad, t.holds) for t in tensors}
        kept = tuple(o for o in optimizers if concerns(o))
        owners: dict[int, tuple[str, ...]] = {}
        for optimizer in kept:
            for tensor in owned(optimizer):
                owners[tensor] = (*owners.get(tensor, ()), words.short(optimizer.name))
        return cls(graph, known, kept, {**at_end, **(states or {})}, here, owners)

    def unreached(self) -> list[int]:
        """Ids of the tensors that an optimizer owns and this loss does not reach."""
        return [t for t in self.owned_by if t not in self.reached]

    def owners(self, tensor: int | None) -> tuple[str, ...]:
        """Names of the optimizers that own it."""
        return self.owned_by.get(tensor or 0, ())

    def state(self, tensor: int | None) -> LeafState | None:
        """The leaf at the moment of the picture; None if nothing is known of it."""
        return self.states.get(tensor or 0)

    def fate(self, tensor: int | None) -> Fate | None:
        """What became of its gradient, where that is known."""
        state = self.state(tensor)
        return state.fate if state is not None else None

    def remark(self, tensor: int | None) -> str:
        """What is amiss with a leaf: only one side has it. To be shown by ``tr``, if it is not empty."""
        if tensor is None:  # a leaf of the graph that nothing else is known of
            return ""
        info = self.infos.get(tensor)
        if tensor not in self.reached:
            if info is not None and not info.requires_grad:
                return FROZEN
            never = info is None or not info.reached
            return mark("never reached") if never else mark("not by this loss")
        if self.optimizers and not self.owners(tensor):
            return mark("in no optimizer")
        return ""

    def frozen(self) -> list[Frozen]:
        """Modules that take no gradient, without those whose tensors are drawn one by one."""
        ends = [end.name for node in self.graph.nodes for end in node.ends]
        drawn = [*ends, *(self.infos[t].name for t in self.unreached() if t in self.infos)]
        return [
            m
            for m in self.graph.frozen
            if not any(name.startswith((f"{m.name}.", f"{m.name}[")) for name in drawn)
        ]

    def fates(self) -> list[Fate]:
        """The fates that appear in the picture, worst first."""
        shown = [*self.reached, *self.unreached()]
        found = {self.fate(t) for t in shown}
        return [f for f in WORST_FIRST if f in found]


def owned(optimizer: OptimizerInfo) -> list[int]:
    """Ids of an optimizer's tensors, each once."""
    return list(dict.fromkeys(t for group in optimizer.groups for t in group.tensors))


def worst(fates: Iterable[Fate | None]) -> Fate | None:
    """The one that a reader has to see."""
    found = set(fates)
    return next((f for f in WORST_FIRST if f in found), None)

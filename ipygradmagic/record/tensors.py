"""Tensors as the record knows them: who they are, and what one look at them found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from ipygradmagic.record.source import SourceLocation

SMALL = 16
"""Up to this many elements, every number of a tensor is kept."""
COPIED = 65_536
"""Up to this many elements, a tensor is copied whole when it is looked at; of larger ones, a few
blocks."""

Number = float | complex
UNREAD = "not read"
"""In place of a layout: a tensor of which level ``events`` keeps no numbers."""
TensorKind = Literal["leaf", "retained", "non-leaf"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What one look at one tensor found. Unknown numbers are ``None``, never invented.

    Attributes:
        numel: How many elements the tensor has.
        values: All elements in row-major order if ``numel <= SMALL``, else ``None``.
        norm: Euclidean norm. For a sampled tensor, that of the sample scaled by
            ``sqrt(numel / sample size)``.
        mean, min, max: Over all elements (over the sample if ``sampled``); for complex
            tensors ``mean`` is the mean magnitude, ``min`` and ``max`` are magnitudes.
        zeros: How many elements are exactly zero.
        nan, inf: How many elements are NaN, or infinite of either sign.
        zero: Every element is exactly zero. Exact even if ``sampled``.
        sampled: The statistics come from a sample of the elements.
        layout: ``"strided"``, ``"sparse"``, ``"meta"`` ...: why numbers may be missing.
    """

    numel: int
    values: tuple[Number, ...] | None = None
    norm: float | None = None
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    zeros: int | None = None
    nan: int = 0
    inf: int = 0
    zero: bool = False
    sampled: bool = False
    layout: str = "strided"

    @classmethod
    def of_values(cls, values: tuple[Number, ...], layout: str = "strided") -> Summary:
        """Summary of a small tensor from all of its numbers."""
        if not values:
            return cls(0, (), 0.0, None, None, None, 0, layout=layout)
        real = complex not in map(type, values)
        sizes = cast(Sequence[float], values) if real else [abs(v) for v in values]
        zeros = values.count(0)
        nan = inf = 0
        if not math.isfinite(sum(sizes)):  # seldom: only then are the culprits counted
            nan = sum(v != v for v in values)
            inf = sum(map(math.isinf, sizes))
        broken = nan > 0
        return cls(
            numel=len(values),
            values=values,
            norm=math.nan if broken else math.hypot(*sizes),
            mean=math.nan if broken else _mean(sizes),
            min=math.nan if broken else min(sizes),
            max=math.nan if broken else max(sizes),
            zeros=zeros,
            nan=nan,
            inf=inf,
            zero=zeros == len(values),
            layout=layout,
        )

    @property
    def finite(self) -> bool:
        """No element is NaN or infinite, as far as was looked."""
        return not self.nan and not self.inf


def _mean(sizes: Sequence[float]) -> float:
    try:
        return math.fsum(sizes) / len(sizes)
    except (OverflowError, ValueError):  # inf - inf, or a sum beyond the largest float
        return math.nan


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor that took part in a trace.

    Attributes:
        id: Stable number of the tensor, across cells; events refer to it.
        name: What the user calls it: ``w``, ``model.linear.weight``, ``layers[2].bias``.
        aliases: Other names that denote the same tensor.
        generation: 1 for the first leaf of that name, 2 for the leaf that replaced it ...
        generations: How many leaves had that name by the end of the trace.
        kind: ``leaf``; ``retained`` for a non-leaf with ``retain_grad``; ``non-leaf`` for one
            whose gradient PyTorch does not keep.
        shape, dtype, device: As torch says them, without the ``torch.`` prefix.
        requires_grad: At the end of the trace.
        parameter: It is an ``nn.Parameter``.
        registered: It is among ``parameters()`` of a module that was seen, or not a Parameter.
        data: It was an input of ``torch.autograd.grad``: differentiated by, not trained.
        owners: Optimizers that own it, by name, as of its last look.
        alive: It still existed at the end of the trace.
        reached: How many backward passes deposited into it during the trace.
        value, grad: The last look at its value and gradient (``grad`` is None where it was None).
        holds: What its gradient held at the end of the trace.
        made: For a non-leaf, the operation that made it (``mul``); None for a leaf.
        asked: The user's code asks for ``.grad`` of this non-leaf (the line), else None.
        older: This non-leaf was there already when the trace began.
        born: The line that bound it to its name, where known.
        module: The outermost module with a name that registers it; "" for none.
    """

    id: int
    name: str
    aliases: tuple[str, ...] = ()
    generation: int = 1
    generations: int = 1
    kind: TensorKind = "leaf"
    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    device: str = "cpu"
    requires_grad: bool = True
    parameter: bool = False
    registered: bool = True
    data: bool = False
    owners: tuple[str, ...] = ()
    alive: bool = True
    reached: int = 0
    value: Summary | None = None
    grad: Summary | None = None
    holds: Holds | None = None
    made: str | None = None
    asked: SourceLocation | None = None
    older: bool = False
    born: SourceLocation | None = None
    module: str = ""


@dataclass(frozen=True, slots=True)
class Holds:
    """Which contributions a gradient holds.

    Attributes:
        count: How many contributions; 0 is an empty slot.
        first, last: Numbers of the first and last backward among them (``backward #first``);
            0 where none of this trace is among them.
        used: How many of them an update has consumed already.
        stale: How many of them had been consumed when a newer one arrived on top.
        earlier: How many come from before this trace.
        unknown: How many came while nobody was looking.
        origin: Where the oldest of them comes from, if that is before this trace.
        note: ``scaled``, ``clipped``, ``edited`` or "" : what was done to them by hand.
    """

    count: int = 0
    first: int = 0
    last: int = 0
    used: int = 0
    stale: int = 0
    earlier: int = 0
    unknown: int = 0
    origin: SourceLocation | None = None
    note: str = ""


EMPTY = Holds()
"""An empty slot."""


@dataclass(frozen=True, slots=True)
class GroupInfo:
    """One parameter group of an optimizer: its tensors and its hyperparameters in words."""

    tensors: tuple[int, ...]
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OptimizerInfo:
    """An optimizer that was seen: what the user calls it, its class, its groups, its steps.

    ``made`` is the line that made it, if that was during the trace.
    """

    name: str
    cls: str
    groups: tuple[GroupInfo, ...] = ()
    steps: int = 0
    made: SourceLocation | None = None

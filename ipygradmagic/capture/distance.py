"""How far an event moved a value: the norm of the difference, from what was kept of before and after.

The norms before and after do not tell it (a vector that turns keeps its norm), so it needs all
elements. Those were copied while the code ran, for tensors of up to ``snapshot.MIDDLE`` elements;
the difference is taken when the record is made, and of a whole team at once. Of larger tensors a
few blocks were copied, which a distance is estimated from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ipygradmagic.capture.snapshot import Copy, Look, Measured, Part
from ipygradmagic.record.tensors import Number

_Array = np.ndarray[Any, np.dtype[np.float64]]


class Distances:
    """The distances of one event; the copies of a team are compared once for all of its members."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], list[float]] = {}

    def between(self, before: Look, after: Look) -> float | None:
        """‖after − before‖ in float64; None unless elements of both were kept, as many.

        Of tensors that were not copied whole it is an estimate: the root of the mean squared
        difference of the copied blocks, times that of the number of elements. It is not made
        where fewer than half of the blocks moved (an embedding of which a few rows were used).
        """
        if isinstance(before, tuple) and isinstance(after, tuple):
            return _of_numbers(before, after) if len(before) == len(after) else None
        if isinstance(before, Part) and isinstance(after, Part) and before.numel == after.numel:
            return self._of_parts(before, after)
        if isinstance(before, Measured) and isinstance(after, Measured):
            return _of_blocks(before, after)
        return None

    def _of_parts(self, before: Part, after: Part) -> float:
        old, new = before.copy, after.copy
        if before.which != after.which or list(old.sizes) != list(new.sizes):
            return _norms(_difference(before.data, after.data), (before.numel,))[0]
        key = (id(old), id(new))  # the looks of the event keep both alive
        if key not in self._known:
            self._known[key] = _of_copies(old, new)
        return self._known[key][before.which]


def _of_numbers(before: tuple[Number, ...], after: tuple[Number, ...]) -> float:
    if len(before) == 1 and isinstance(before[0], float) and isinstance(after[0], float):
        return abs(after[0] - before[0])
    moved = [new - old for old, new in zip(before, after)]
    return math.hypot(*[n.real for n in moved], *[n.imag for n in moved])


def _of_blocks(before: Measured, after: Measured) -> float | None:
    old, new = before.blocks, after.blocks
    whole, its = before.of or before.numel, after.of or after.numel
    if old is None or new is None or whole != its:
        return None
    moved = _difference(old, new)
    if 2 * int(moved.any(axis=1).sum()) < len(moved):
        return None
    with np.errstate(all="ignore"):
        return float(np.sqrt((moved * moved).mean() * whole))


def _of_copies(before: Copy, after: Copy) -> list[float]:
    return _norms(_difference(before.data, after.data), before.sizes)


def _difference(before: torch.Tensor, after: torch.Tensor) -> _Array:
    with np.errstate(all="ignore"):
        found: _Array = after.double().cpu().numpy() - before.double().cpu().numpy()
    return found


def _norms(data: _Array, sizes: Sequence[int]) -> list[float]:
    """Of consecutive parts."""
    starts = np.cumsum([0, *sizes[:-1]])
    with np.errstate(all="ignore"):
        squares = np.add.reduceat(data * data, starts)
        norms: list[float] = np.sqrt(squares).tolist()
    return norms

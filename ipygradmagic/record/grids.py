"""A few tensors in numbers: those that a heat map shows, at the moments when something went wrong.

Of most tensors the record has statistics only, which are small and can be kept for every event.
What an incident did to a matrix is seen in its numbers; so the record has these, too, for the
first event of a few incidents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SIDE = 16
"""A grid has at most this many rows and columns."""
FEW = 4
"""A run whose last update changes more matrices is not small."""

Which = Literal["grad_before", "added", "grad_after", "value_before", "value_after"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The numbers of a tensor as a matrix, or the means of its blocks.

    Attributes:
        shape: Of the tensor; its first dimension are the rows, all others the columns, and a vector
            is one row.
        rows, columns: Of the grid; at most ``SIDE``.
        values: Row by row. NaN or infinite where a number (of the block) is.
        block: How many rows and columns of the tensor one number stands for. The blocks at the right
            and lower edge may be smaller.
    """

    shape: tuple[int, ...]
    rows: int
    columns: int
    values: tuple[float, ...]
    block: tuple[int, int] = (1, 1)

    @property
    def exact(self) -> bool:
        """Every number of the tensor is there, not only means."""
        return self.block == (1, 1)


@dataclass(frozen=True, slots=True)
class GridAt:
    """Which look it is that a grid shows.

    Attributes:
        event: Index of the event.
        tensor: Id of the tensor.
        which: The look, by its name in ``Change``. ``added`` may be derived (after - before) where
            ``Change.added`` is None.
        grid: The numbers.
    """

    event: int
    tensor: int
    which: Which
    grid: Grid


def matrix(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of a tensor that is laid out flat."""
    return (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (1, math.prod(shape))


def wide(shape: Sequence[int]) -> bool:
    """Too large for its numbers: seen as means of blocks."""
    return max(matrix(shape)) > SIDE

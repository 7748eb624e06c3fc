"""The two axes of a line chart: values to pixels upwards, steps to pixels across."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ipygradmagic.render.numbers import number
from ipygradmagic.render.view import Curve

WIDTH, HEIGHT, LOW = 285, 180, 112
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 24, 24
LOGARITHMIC = 50.0
"""Positive values that differ by more than this factor are drawn on a logarithmic axis."""
GAP = 0.06
"""Part of the axis that stands for steps of which nothing is known, however many."""
SAME = 1e-5
"""Values that differ by no more than this part of themselves differ by rounding."""
MOST_LABEL = 7


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    logarithmic: bool
    height: int = HEIGHT

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return TOP + (1 - self.part(value)) * (self.height - TOP - BOTTOM)

    @property
    def flat(self) -> bool:
        """All values are the same, but for rounding."""
        return math.isclose(self.low, self.high, rel_tol=SAME)

    def part(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        low, high, here = self.low, self.high, value
        if self.logarithmic:
            low, high, here = math.log10(low), math.log10(high), math.log10(value)
        return 0.5 if self.flat else (here / 2 - low / 2) / (high / 2 - low / 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Pixels and label of the low end, the middle and the high end."""
        low, high = self.low, self.high
        if self.flat:
            return [(self.y(low), _label(low))]
        middle = math.sqrt(low) * math.sqrt(high) if self.logarithmic else low / 2 + high / 2
        return [(self.y(v), _label(v)) for v in (low, middle, high)]


def _label(value: float) -> str:
    """A number that fits beside the axis."""
    text = number(value, 3)
    return text if len(text) <= MOST_LABEL else number(value, 2)


def scale_of(
    curves: Iterable[Curve], span: tuple[float, float] | None = None, height: int = HEIGHT
) -> Scale | None:
    """The scale that shows all of them (or the whole span); None if there is no finite number."""
    values = [v for curve in curves for line in curve.lines for v in line if math.isfinite(v)]
    if not values:
        return None
    low, high = span or (min(values), max(values))
    wide = low > 0 and high / low > LOGARITHMIC
    # a zero has no place on a logarithmic axis; the scale is linear where one occurs
    return Scale(low, high, wide and min(values) > 0, height)


@dataclass(frozen=True)
class Axis:
    """Where the steps stand that are known; between others there is a gap of fixed width."""

    steps: Sequence[int]

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """Positions in ``steps`` before which some are missing."""
        return tuple(i for i, (a, b) in enumerate(pairwise(self.steps), 1) if b - a > 1)

    def run(self, step: int) -> int:
        """Number of the unbroken run of steps that this one is in."""
        return bisect_right(self.gaps, bisect_right(self.steps, step) - 1)

    def x(self, step: int) -> float:
        """Pixels from the left; a step that is not known stands at the nearest before it."""
        wide = GAP * len(self.steps)
        last = len(self.steps) - 1 + wide * len(self.gaps)
        position = max(0, bisect_right(self.steps, step) - 1)
        here = position + wide * bisect_right(self.gaps, position)
        return LEFT + here * (WIDTH - LEFT - RIGHT) / max(1.0, last)

    def holes(self) -> list[tuple[float, float]]:
        """Where each gap begins and ends."""
        return [(self.x(self.steps[i - 1]), self.x(self.steps[i])) for i in self.gaps]

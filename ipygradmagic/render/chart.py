"""Line charts of two runs: as an SVG that fits light and dark, as a row of blocks for text.

Drawn by a template of ours: two lines, two axes and a legend ask for no plotting library, and a
user's matplotlib has settings of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.view import Chart, Curve

WIDTH, HEIGHT = 285, 180
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 24, 24
POINTS = 240
"""A longer curve is drawn by the least and the greatest value of every stretch."""
LOGARITHMIC = 50.0
"""Positive values that differ by more than this factor are drawn on a logarithmic axis."""
BLOCKS = "▁▂▃▄▅▆▇█"
SPARKS = 32


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    logarithmic: bool

    def y(self, value: float) -> float:
        """Pixels from the top."""
        return TOP + (1 - self.part(value)) * (HEIGHT - TOP - BOTTOM)

    def part(self, value: float) -> float:
        """0 at the low end, 1 at the high end."""
        low, high, here = self.low, self.high, value
        if self.logarithmic:
            low, high, here = math.log10(low), math.log10(high), math.log10(value)
        return 0.5 if high == low else (here / 2 - low / 2) / (high / 2 - low / 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Pixels and label of the low end, the middle and the high end."""
        low, high = self.low, self.high
        if low == high:
            return [(self.y(low), number(low, 3))]
        middle = math.sqrt(low) * math.sqrt(high) if self.logarithmic else low / 2 + high / 2
        return [(self.y(v), number(v, 3)) for v in (low, middle, high)]


def scale_of(curves: Iterable[Curve]) -> Scale | None:
    """The scale that shows all of them; None if there is no finite number."""
    values = [v for curve in curves for line in curve.lines for v in line if math.isfinite(v)]
    if not values:
        return None
    low, high = min(values), max(values)
    wide = low > 0 and high / low > LOGARITHMIC
    return Scale(low, high, wide)


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws.

    Attributes:
        lines: The lines of each curve as points of a polyline.
        ticks: Of the upright axis.
        most: Label of the right end.
        logarithmic: Said on the axis.
    """

    lines: tuple[tuple[str, ...], ...]
    ticks: tuple[tuple[float, str], ...]
    most: str
    logarithmic: bool


def drawing(chart: Chart) -> Drawing | None:
    """The chart in pixels; None if there is no number to draw."""
    scale = scale_of(chart.curves)
    if scale is None:
        return None
    longest = max(len(line) for curve in chart.curves for line in curve.lines)
    lines = tuple(
        tuple(piece for line in curve.lines for piece in _pieces(line, longest, scale))
        for curve in chart.curves
    )
    return Drawing(lines, tuple(scale.ticks()), count(longest - 1 + chart.first), scale.logarithmic)


def _pieces(line: Sequence[float], longest: int, scale: Scale) -> list[str]:
    """Points of the polylines of one line, which is broken where it is not finite."""
    across = (WIDTH - LEFT - RIGHT) / max(1, longest - 1)
    pieces: list[list[str]] = [[]]
    for i, value in thinned(line):
        if not math.isfinite(value):
            pieces.append([])
            continue
        pieces[-1].append(f"{LEFT + i * across:.1f},{scale.y(value):.1f}")
    # a single point becomes a dash, which a line cap makes visible
    return [" ".join(piece if len(piece) > 1 else piece * 2) for piece in pieces if piece]


def thinned(line: Sequence[float]) -> list[tuple[int, float]]:
    """Position and value of the points to draw."""
    if len(line) <= POINTS:
        return list(enumerate(line))
    each = math.ceil(2 * len(line) / POINTS)
    kept = {0, len(line) - 1}
    for start in range(0, len(line), each):
        stretch = range(start, min(start + each, len(line)))
        finite = [i for i in stretch if math.isfinite(line[i])]
        kept |= (
            {min(finite, key=line.__getitem__), max(finite, key=line.__getitem__)}
            if finite
            else {start}
        )
    return [(i, line[i]) for i in sorted(kept)]


def spark(line: Sequence[float], scale: Scale | None, longest: int) -> str:
    """The line as blocks; ``!`` where it is not finite."""
    if not line or scale is None:
        return ""
    width = max(1, round(SPARKS * len(line) / longest)) if longest > SPARKS else len(line)
    signs = []
    for i in range(width):
        value = line[round(i * (len(line) - 1) / max(1, width - 1))]
        level = round(scale.part(value) * (len(BLOCKS) - 1)) if math.isfinite(value) else -1
        signs.append(BLOCKS[level] if level >= 0 else "!")
    return "".join(signs)


def told(chart: Chart) -> list[str]:
    """The chart in lines of text, one for each curve."""
    scale = scale_of(chart.curves)
    longest = max((len(line) for curve in chart.curves for line in curve.lines), default=0)
    wide = max((len(curve.label) for curve in chart.curves), default=0)
    found = []
    for curve in chart.curves:
        for line in curve.lines:
            blocks = spark(line, scale, longest)
            found.append(f"{curve.label.ljust(wide)}  {blocks}  {ends(line)}")
    return found + (["(the scale is logarithmic)"] if scale and scale.logarithmic else [])


def ends(line: Sequence[float]) -> str:
    """``2.302 → 0.012``."""
    if not line:
        return "–"
    first, last = number(line[0]), number(line[-1])
    return first if len(line) == 1 else f"{first} → {last}"

"""Line charts: as an SVG that fits light and dark, as a row of blocks for text.

Drawn by a template of ours: two lines, two axes and a legend ask for no plotting library, and a
user's matplotlib has settings of its own. What was not recorded is a gap, never a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ipygradmagic.language import tr
from ipygradmagic.render.axes import HEIGHT, LOW, Axis, Scale, scale_of
from ipygradmagic.render.cells import ljust
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.view import SIGNS, Chart, Curve, Flag

POINTS = 240
"""A longer curve is drawn by the least and the greatest value of every stretch."""
BLOCKS = "▁▂▃▄▅▆▇█"
SPARKS = 32
MOST_END = 10
"""Characters of the name at an end of the axis; of a module's the last ones tell most."""
LEGEND = 26
LETTER, LETTERS = 6, 11
"""Pixels of a letter across, about, and upwards."""
FLAGGED = 14
"""Flags closer together than this many pixels are drawn as one."""


def axis_of(chart: Chart) -> Axis:
    """The axis that all curves of a chart share."""
    if chart.axis:
        return Axis(chart.axis)
    longest = max((len(line) for curve in chart.curves for line in curve.lines), default=0)
    return Axis(range(chart.first, chart.first + longest))


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the template draws.

    Attributes:
        lines: The lines of each curve as points of a polyline.
        ticks: Of the upright axis.
        least, most: Labels of the left and the right end.
        logarithmic: Said on the axis.
        height: Of the whole.
        holes: Where nothing is known, from and to.
        broken: Where values are not finite, from and to.
        flags: Findings.
        guide: Where the guide is, and its label.
    """

    lines: tuple[tuple[str, ...], ...]
    ticks: tuple[tuple[float, str], ...]
    least: str
    most: str
    logarithmic: bool
    height: int
    holes: tuple[tuple[float, float], ...]
    broken: tuple[tuple[float, float], ...]
    flags: tuple[tuple[float, Flag], ...]
    guide: tuple[float, str] | None


def drawing(chart: Chart) -> Drawing | None:
    """The chart in pixels; None if there is no number to draw."""
    height = LOW if chart.low else HEIGHT
    scale = scale_of(chart.curves, chart.span, height)
    if scale is None:
        return None
    axis = axis_of(chart)
    lines = tuple(
        tuple(piece for points in _points(curve, chart) for piece in _pieces(points, axis, scale))
        for curve in chart.curves
    )
    broken = {
        stretch
        for curve in chart.curves
        for points in _points(curve, chart)
        for stretch in _broken(points, axis)
    }
    return Drawing(
        lines,
        tuple(scale.ticks()),
        *_ends(chart, axis),
        scale.logarithmic,
        height,
        tuple(axis.holes()),
        tuple(sorted(broken)),
        tuple(_flags(chart, axis)),
        _guide(chart.guide, scale),
    )


def _ends(chart: Chart, axis: Axis) -> tuple[str, str]:
    """Labels of the two ends of the axis."""
    if chart.ends is None:
        return count(axis.steps[0]), count(axis.steps[-1])
    first, last = (e if len(e) <= MOST_END else f"…{e[1 - MOST_END :]}" for e in chart.ends)
    return first, last


def _guide(guide: float | None, scale: Scale) -> tuple[float, str] | None:
    """The line across, unless it would be outside of the chart or on a line of the axis."""
    if guide is None or scale.flat or not scale.low <= guide <= scale.high:
        return None
    y = scale.y(guide)
    clear = all(abs(y - tick) >= LETTERS for tick, _ in scale.ticks())
    return y, number(guide) if clear else ""


def legend(chart: Chart) -> list[tuple[int, str]]:
    """Pixels from the left, and label of each curve."""
    found, x = [], LEGEND
    for curve in chart.curves:
        if curve.label:
            found.append((x, curve.label))
            x += max(110, 44 + LETTER * cell_len(curve.label))
    return found


Points = Sequence[tuple[int, float]]


def _points(curve: Curve, chart: Chart) -> Iterator[Points]:
    """Step and value of each point, a series for each line of the curve."""
    for line in curve.lines:
        yield list(zip(curve.at or range(chart.first, chart.first + len(line)), line))


def _pieces(points: Points, axis: Axis, scale: Scale) -> list[str]:
    """Points of the polylines of one line, which is broken where it is not known or not finite."""
    pieces = []
    places = (
        (axis.run(step), math.isfinite(value), step, value) for step, value in _thinned(points)
    )
    for (_, finite), some in groupby(places, key=lambda place: place[:2]):
        if finite:
            piece = [f"{axis.x(step):.1f},{scale.y(value):.1f}" for _, _, step, value in some]
            # a single point becomes a dash, which a line cap makes visible
            pieces.append(" ".join(piece if len(piece) > 1 else piece * 2))
    return pieces


def _broken(points: Points, axis: Axis) -> Iterator[tuple[float, float]]:
    for finite, some in groupby(points, key=lambda point: math.isfinite(point[1])):
        if not finite:
            steps = [step for step, _ in some]
            yield axis.x(steps[0]), axis.x(steps[-1])


def _apart(places: Iterable[float]) -> Iterator[float]:
    """Of signs that would cover one another only the first."""
    last = -math.inf
    for x in sorted(places):
        if x - last >= FLAGGED:
            yield x
            last = x


def _flags(chart: Chart, axis: Axis) -> Iterator[tuple[float, Flag]]:
    first: dict[float, Flag] = {}
    for flag in chart.flags:
        first.setdefault(axis.x(flag.at), flag)
    for x in _apart(first):
        yield x, first[x]


def _thinned(points: Points) -> Points:
    """The points to draw."""
    return [points[i] for i, _ in thinned([value for _, value in points])]


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
    """The chart in lines of text, one for each line that is drawn, then the findings."""
    return [*sparks(chart), *(flagged(chart, flag) for flag in chart.flags)]


def sparks(chart: Chart) -> list[str]:
    """Every line as a row of blocks with its ends."""
    if alone(chart):
        return [lined(chart)]
    scale = scale_of(chart.curves, chart.span)
    longest = max((len(line) for curve in chart.curves for line in curve.lines), default=0)
    wide = max((cell_len(curve.label) for curve in chart.curves), default=0)
    found = []
    for curve in chart.curves:
        for line in curve.lines:
            blocks = _runs(curve, line, chart, scale, longest)
            found.append(f"{ljust(curve.label, wide)}  {blocks}  {ends(line)}")
    if chart.ends is not None:
        found.append(tr("(from {first} to {last})", first=chart.ends[0], last=chart.ends[1]))
    return found + ([tr("(the scale is logarithmic)")] if scale and scale.logarithmic else [])


def _runs(
    curve: Curve, line: Sequence[float], chart: Chart, scale: Scale | None, longest: int
) -> str:
    """The line as blocks; a space stands where steps are not known."""
    axis = axis_of(chart)
    runs = groupby(zip(curve.at or axis.steps, line), key=lambda point: axis.run(point[0]))
    return " ".join(spark([v for _, v in some], scale, longest) for _, some in runs)


def alone(chart: Chart) -> bool:
    """Its only curve has no label: the caption says it all."""
    return len(chart.curves) == 1 and not chart.curves[0].label


def lined(chart: Chart) -> str:
    """A chart of one curve in one line of text."""
    scale = scale_of(chart.curves, chart.span)
    (curve,) = chart.curves
    (line,) = curve.lines
    said = f"{_runs(curve, line, chart, scale, len(line))}  {ends(line)}"
    return f"{said} {tr('(log)')}" if scale and scale.logarithmic else said


def flagged(chart: Chart, flag: Flag) -> str:
    """A finding and where it happened."""
    return f"{SIGNS[flag.tone]} {flag.name} ({chart.across} #{count(flag.at)})"


def ends(line: Sequence[float]) -> str:
    """``2.302 → 0.012``."""
    if not line:
        return "–"
    first, last = number(line[0]), number(line[-1])
    return first if len(line) == 1 else f"{first} → {last}"

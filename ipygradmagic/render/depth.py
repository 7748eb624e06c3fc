"""A deep model in one chart: a number of each layer, from the first to the last.

What vanishes or explodes does so along the layers: one sees it in the slope of this line, not in
twenty charts of one layer each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from statistics import median

from ipygradmagic.language import tr
from ipygradmagic.render import words
from ipygradmagic.render.paths import kind
from ipygradmagic.render.series import Series, curve
from ipygradmagic.render.view import Chart

MANY = 8
"""More layers than this have a chart over depth."""
SOME = 5
"""The median of so many points is the beginning, or the end, of a run."""
_DIGITS = re.compile(r"(\d+)")


def in_depth(groups: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Numbered layers in the order of their numbers, whichever was met first."""
    first: dict[str, int] = {}
    for place, group in enumerate(groups):
        first.setdefault(_series_of(group), place)
    ordered = sorted(groups, key=lambda g: (first[_series_of(g)], _numbers(g)))
    return {group: groups[group] for group in ordered}


def _series_of(group: str) -> str:
    """What the layers of one series share: ``net.layers[3]`` → ``net.layers[*]``, ``fc12`` → ``fc#``."""
    return _DIGITS.sub("#", kind(f"{group}."))


def _numbers(group: str) -> list[int]:
    return [int(digits[:18]) for digits in _DIGITS.findall(group)]


def over_depth(
    what: str, act: str, series: Mapping[str, Series], groups: Mapping[str, object]
) -> Iterator[Chart]:
    """The chart of a deep model: the beginning and the end of the run. None for a shallow one."""
    if len(series) <= MANY:
        return
    layers = [group for group in groups if group in series]
    curves = []
    first, last = tr("first {act}s", act=act), tr("last {act}s", act=act)
    for label, part in ((first, slice(SOME)), (last, slice(-SOME, None))):
        points = {i: _middle(list(series[g].values())[part]) for i, g in enumerate(layers, 1)}
        known = {i: value for i, value in points.items() if value > 0}
        if known:
            curves.append(curve(label, known))
    if curves:
        yield Chart(
            _caption(what, layers, series),
            tr("layer"),
            tuple(curves),
            1,
            tuple(range(1, len(layers) + 1)),
            low=True,
            ends=(words.short(layers[0]), words.short(layers[-1])),
        )


def _caption(what: str, layers: list[str], series: Mapping[str, Series]) -> str:
    """With the least and the greatest layer at the end of the run, and those that have nothing."""
    ends = {g: _middle(list(series[g].values())[-SOME:]) for g in layers}
    found = tr("{what} over depth, {number} layers", what=what, number=len(layers))
    some = [g for g in layers if ends[g] > 0 and math.isfinite(ends[g])]
    if some:
        least, most = min(some, key=ends.__getitem__), max(some, key=ends.__getitem__)
        said = {"what": found, "least": words.short(least), "most": words.short(most)}
        zero = sum(ends[g] == 0 for g in layers)
        if zero:
            return tr(
                "{what} (in the end least in {least}, greatest in {most}, 0 in {zero} and not "
                "drawn there)",
                **said,
                zero=zero,
            )
        return tr("{what} (in the end least in {least}, greatest in {most})", **said)
    return found


def extremes(series: Mapping[str, Series]) -> list[str]:
    """The first, the last, and those with the least and the greatest numbers at the end of the run."""
    ends = {g: _middle(list(some.values())[-SOME:]) for g, some in series.items()}
    layers = list(series)
    finite = [g for g in layers if math.isfinite(ends[g])] or layers
    chosen = {layers[0], layers[-1], min(finite, key=ends.__getitem__)}
    chosen.add(max(finite, key=ends.__getitem__))
    return [g for g in layers if g in chosen]


def _middle(values: list[float]) -> float:
    """The median of those that are finite; NaN if none is."""
    finite = [v for v in values if math.isfinite(v)]
    return median(finite) if finite else math.nan

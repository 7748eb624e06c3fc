"""Heat maps in pixels: every number a square, whose colour says how far from zero it is.

Squares are as wide as the page allows. Where their numbers do not fit as they are, all of them
become whole numbers times one power of ten, which is written below; a thumbnail has colours only. Squares of
one colour are one path, which takes a quarter of the bytes that a rectangle for each would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ipygradmagic.language import tr
from ipygradmagic.render.heat_words import DIGITS, short
from ipygradmagic.render.numbers import number
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.view import Heat, Panel

PAGE = 1050
"""Pixels that all squares of a row may take together."""
WIDEST, NARROWEST, DOT = 58, 22, 16
HIGH, LOW = 24, 18
BETWEEN, TOP, LEFT = 34, 24, 8
LEGEND, LINE = 40, 16
LARGE, MIDDLE, SMALL = 12, 11, 9
"""Sizes of the letters on a square."""
ROOMY = 30
"""From this width on, a square has room for three digits and a sign, otherwise for two."""
SHADES = 20
"""So many steps from zero to the greatest number."""
LETTER = 0.62
"""Width of a letter in parts of its size."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Square:
    """A number at its place: how dark its colour is, and on which side of zero."""

    x: int
    y: int
    text: str
    side: str
    depth: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in pixels, for the template.

    Attributes:
        wide, high, letters: Of every square, and of what is written on it.
        titles, signs: Above and between the panels, with their places.
        squares: The numbers, panel by panel.
        base: Path of the ground that the colours are laid on.
        colours: Side, depth and path of the squares of each colour.
        notes: Lines below, with their heights.
        scale: Where the scale ends, from the top.
        most: The number at its ends; 0 if there is none to draw.
    """

    width: int
    height: int
    wide: int
    high: int
    letters: int
    titles: tuple[tuple[int, str], ...]
    signs: tuple[tuple[int, int, str], ...]
    squares: tuple[Square, ...]
    base: str
    colours: tuple[tuple[str, float, str], ...]
    notes: tuple[tuple[int, str], ...]
    scale: int
    most: float
    most_said: str


@dataclass(frozen=True, slots=True)
class _Style:
    """How large the squares are, and what is written on them."""

    wide: int
    high: int
    letters: int = SMALL
    power: int | None = None
    written: bool = True

    def text(self, value: float) -> str:
        """What is written on the square of a number."""
        if not self.written:
            return "" if math.isfinite(value) else "×"
        if self.power is None or not math.isfinite(value) or not value:
            return short(value)
        return number(round(_scaled(value, self.power)))

    def notes(self, bad: bool) -> list[str]:
        """What has to be known to read the squares."""
        if not self.written:
            return [tr("× in a dashed square: NaN or ∞ in the block")] if bad else []
        if not self.power:
            return []
        power = f"10{str(self.power).translate(RAISED)}"
        return [tr("the numbers on the squares are times {power}", power=power)]


def _style(heat: Heat, most: float) -> _Style:
    if heat.thumbnail:
        return _Style(DOT, DOT, written=False)
    across = sum(_across(panel) for panel in heat.panels)
    wide = max(min(PAGE // across, WIDEST), NARROWEST)
    texts = (short(value) for panel in heat.panels for row in panel.rows for value in row)
    if max(map(len, texts)) * LARGE * LETTER < wide - 2:
        return _Style(wide, HIGH, LARGE)
    if wide >= ROOMY:
        return _Style(wide, LOW, MIDDLE, _power(most, 3))
    return _Style(wide, LOW, SMALL, _power(most, 2))


def _power(most: float, digits: int) -> int:
    """Of ten, such that the largest number has so many digits before the point."""
    if not most:
        return 0
    power = math.floor(math.log10(most)) + 1 - digits
    return power + (round(_scaled(most, power)) >= 10.0**digits)


def _scaled(value: float, power: int) -> float:
    """(In two steps, as the power itself may be none that a float can hold.)"""
    half = power // 2
    return value / 10.0**half / 10.0 ** (power - half)


def _across(panel: Panel) -> int:
    return max(map(len, panel.rows))


def drawing(heat: Heat) -> Drawing:
    """The panels side by side, of one scale with zero in its middle."""
    values = [v for panel in heat.panels for row in panel.rows for v in row]
    finite = [abs(v) for v in values if math.isfinite(v)]
    most = max(finite, default=0.0)
    style = _style(heat, most)
    rows = max(len(panel.rows) for panel in heat.panels)
    titles, signs = [], []
    squares: list[Square] = []
    x, base = LEFT, ""
    for i, panel in enumerate(heat.panels):
        titles.append((x, panel.title))
        squares += _squares(panel, x, style, most)
        base += "".join(
            _rectangle(x, TOP + j * style.high, len(row) * style.wide, style.high)
            for j, row in enumerate(panel.rows)
        )
        x += _across(panel) * style.wide
        if i < len(heat.signs):
            signs.append((x + BETWEEN // 2, TOP + rows * style.high // 2 + 6, heat.signs[i]))
            x += BETWEEN
    said = (*heat.notes, *style.notes(len(finite) < len(values)))
    scale = TOP + rows * style.high + (LEGEND if most else 8)
    notes = tuple((scale + 12 + LINE * i, note) for i, note in enumerate(said))
    return Drawing(
        width=round(max(x + LEFT, 240, *(cell_len(note) * 6.5 + LEFT for note in ("", *said)))),
        height=scale + LINE * len(notes) + (4 if notes else 0),
        wide=style.wide,
        high=style.high,
        letters=style.letters,
        titles=tuple(titles),
        signs=tuple(signs),
        squares=tuple(squares),
        base=base,
        colours=_colours(squares, style),
        notes=notes,
        scale=scale,
        most=most,
        most_said=number(most, DIGITS),
    )


def _squares(panel: Panel, left: int, style: _Style, most: float) -> Sequence[Square]:
    return [
        Square(
            left + k * style.wide,
            TOP + j * style.high,
            style.text(value),
            *_shade(value, most),
        )
        for j, row in enumerate(panel.rows)
        for k, value in enumerate(row)
    ]


def _colours(squares: Sequence[Square], style: _Style) -> tuple[tuple[str, float, str], ...]:
    paths: dict[tuple[str, float], str] = {}
    for one in squares:
        depth = one.depth and max(round(one.depth * SHADES) / SHADES, 1 / SHADES)
        inset = 2 if one.side == "bad" else 0
        path = _rectangle(
            one.x + inset, one.y + inset, style.wide - 2 * inset, style.high - 2 * inset
        )
        paths[one.side, depth] = paths.get((one.side, depth), "") + path
    found = [(side, depth, path) for (side, depth), path in paths.items()]
    return tuple(sorted(found, key=lambda f: f[0] == "bad"))  # its outline lies on top


def _rectangle(x: int, y: int, wide: int, high: int) -> str:
    return f"M{x} {y}h{wide}v{high}h-{wide}z"


def _shade(value: float, most: float) -> tuple[str, float]:
    """Which side of zero, and how far from it, as parts of the greatest number."""
    if not math.isfinite(value):
        return "bad", 1.0
    if not value or not most:
        return "zero", 0.0
    return ("plus" if value > 0 else "minus"), round(abs(value) / most, 2)

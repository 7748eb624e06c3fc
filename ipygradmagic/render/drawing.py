"""The picture that is shown: as detailed as it fits a cell, and is laid out in time."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from time import perf_counter

from ipygradmagic.errors import LayoutUnavailableError
from ipygradmagic.language import tr
from ipygradmagic.render.layout import LONGEST, WIDEST, layout, natural, unfitted
from ipygradmagic.render.view import Picture

WIDE = 1.3 * WIDEST
"""Points. A wider picture, scaled down to the cell, has letters too small to read."""
TALL = 1300.0
"""Points: about two screens."""
LARGEST = 190_000
"""Characters of an SVG."""
WHOLE = 2 * LONGEST
"""Seconds for the layouts of all pictures of a report together."""
LEAST = 0.1
"""With less than that no layout is begun."""
GROUND = (
    "<style>:root{background:#fff}"
    "@media (prefers-color-scheme:dark){:root{background:#111}}</style>"
)
"""Those of JupyterLab's light and dark theme, where it is not to be seen."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of a picture.

    Attributes:
        picture: The one that was drawn, itself or a coarser one.
        uri: The image; empty if there is none.
        large: The image at its natural size, where it was scaled down.
        reason: Why there is no image, or not the one that there would be with more time; empty
            where the report has said so before.
    """

    picture: Picture
    uri: str = ""
    large: str = ""
    reason: str = ""


def hurried() -> str:
    """What is said where the time for pictures is over."""
    return tr(
        "The pictures of a report may take {seconds} s together, and no more time was left: from "
        "here on they are drawn with more folded, or told in words.",
        seconds=f"{WHOLE:g}",
    )


class Easel:
    """Draws the pictures of one report, which all together may take a few seconds.

    Each may take half of the time that is left. So the first is drawn as one alone would be, and
    none of many large ones keeps the reader from the report: they are drawn with more folded, or
    told in words, and the first of them says why.
    """

    def __init__(self) -> None:
        self._left = WHOLE
        self._said: set[str] = set()

    def drawn(self, picture: Picture) -> Drawn:
        """Lay a picture out; one that takes too long, or does not fit, is tried with more folded."""
        spare, reason, most, late = "", "", LONGEST, False
        shown = picture
        tried = (picture, *picture.coarser)
        if hurried() in self._said:  # what is left goes to those that take least
            tried = tried[-1:]
        for one in tried:
            limit = min(most, self._left / 2)
            late = late or limit < most
            if limit < LEAST:
                break
            try:
                svg = self._laid_out(one.dot, limit)
            except LayoutUnavailableError as fault:
                reason = reason or str(fault)
                if most < LONGEST:
                    break
                most = LONGEST / 2
                continue
            if one.firm or _excess(svg) <= 1:
                return self._found(one, svg, hurried() if late and reason else "")
            if not spare or _excess(svg) < _excess(spare):
                shown, spare = one, svg
        if spare:
            return self._found(shown, spare, hurried() if late and reason else "")
        return Drawn(picture, reason=self._once(hurried() if late else reason))

    def _laid_out(self, dot: str, limit: float) -> str:
        began = perf_counter()
        try:
            return layout(dot, limit)
        finally:
            self._left -= perf_counter() - began

    def _found(self, picture: Picture, svg: str, reason: str) -> Drawn:
        scaled = natural(svg)[0] > 1.05 * WIDEST
        large = data_uri(unfitted(svg)) if scaled else ""
        return Drawn(picture, data_uri(svg), large, self._once(reason))

    def _once(self, reason: str) -> str:
        """What the report has said already is not said again."""
        if reason in self._said:
            return ""
        self._said.add(reason)
        return reason


def drawn(picture: Picture) -> Drawn:
    """A picture that is alone in its report."""
    return Easel().drawn(picture)


def _excess(svg: str) -> float:
    """How many times larger than there is room for."""
    width, height = natural(svg)
    return max(width / WIDE, height / TALL, len(svg) / LARGEST)


def data_uri(svg: str) -> str:
    """An SVG as the source of an image.

    It brings the ground that its letters were chosen for: where a page does not follow the system's
    dark mode (nbconvert's HTML), the picture does all the same, and was white on white.
    """
    tag = svg.index(">", svg.index("<svg")) + 1
    grounded = f"{svg[:tag]}{GROUND}{svg[tag:]}"
    encoded = base64.b64encode(grounded.encode("utf-8", "replace")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"

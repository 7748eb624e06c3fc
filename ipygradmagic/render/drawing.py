"""The picture that is shown: as detailed as it fits a cell, and is laid out in time."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from ipygradmagic.errors import LayoutUnavailableError
from ipygradmagic.render.layout import LONGEST, WIDEST, layout, natural, unfitted
from ipygradmagic.render.view import Picture

WIDE = 1.3 * WIDEST
"""Points. A wider picture, scaled down to the cell, has letters too small to read."""
TALL = 1300.0
"""Points: about two screens."""
LARGEST = 190_000
"""Characters of an SVG."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of a picture.

    Attributes:
        picture: The one that was drawn, itself or a coarser one.
        uri: The image; empty if there is none.
        large: The image at its natural size, where it was scaled down.
        reason: Why there is no image.
    """

    picture: Picture
    uri: str = ""
    large: str = ""
    reason: str = ""


def drawn(picture: Picture) -> Drawn:
    """Lay a picture out; one that takes too long, or does not fit, is tried with more folded."""
    spare, reason, limit = "", "", LONGEST
    shown = picture
    for one in (picture, *picture.coarser):
        try:
            svg = layout(one.dot, limit)
        except LayoutUnavailableError as fault:
            reason = reason or str(fault)
            if limit < LONGEST:
                break
            limit = LONGEST / 2
            continue
        if one.firm or _excess(svg) <= 1:
            return _found(one, svg)
        if not spare or _excess(svg) < _excess(spare):
            shown, spare = one, svg
    return _found(shown, spare) if spare else Drawn(picture, reason=reason)


def _found(picture: Picture, svg: str) -> Drawn:
    scaled = natural(svg)[0] > 1.05 * WIDEST
    return Drawn(picture, data_uri(svg), data_uri(unfitted(svg)) if scaled else "")


def _excess(svg: str) -> float:
    """How many times larger than there is room for."""
    width, height = natural(svg)
    return max(width / WIDE, height / TALL, len(svg) / LARGEST)


def data_uri(svg: str) -> str:
    """An SVG as the source of an image."""
    encoded = base64.b64encode(svg.encode("utf-8", "replace")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"

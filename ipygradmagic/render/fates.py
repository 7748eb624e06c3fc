"""What became of a gradient, in one word and one mark: the same in every picture and table.

Every state differs from every other by its mark, its word, and the line around it, so that colour
only helps.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipygradmagic.language import mark, tr
from ipygradmagic.record.tensors import Holds, Summary
from ipygradmagic.render import words
from ipygradmagic.render.numbers import count
from ipygradmagic.render.view import Tone


@dataclass(frozen=True, slots=True)
class Fate:
    """A state that a gradient can be in.

    Attributes:
        name: Of its colour class (``gm-fresh``) in pictures.
        mark: One character, there in every common font.
        word: What a reader calls it; to be shown by ``tr``, as ``tells``.
        line: Style of the line around it, as Graphviz names it.
        width: Of that line, in points.
        tells: What it means, for the legend.
    """

    name: str
    mark: str
    word: str
    line: str
    width: float
    tells: str


NONE = Fate("none", "·", "None", "dotted", 1.0, mark(".grad is None"))
ZERO = Fate("zero", "0", mark("zero"), "solid", 1.0, mark("emptied, or a backward of exact zeros"))
FRESH = Fate("fresh", "●", mark("fresh"), "solid", 1.4, mark("one backward, not used yet"))
SUMMED = Fate(
    "summed", "＋", mark("accumulated"), "solid", 2.0, mark("several backwards, none used yet")
)
USED = Fate(
    "used", "○", mark("used"), "solid", 1.0, mark("an update has used it; not cleared since")
)
MIXED = Fate(
    "mixed",
    "◐",
    mark("old and new"),
    "bold",
    2.4,
    mark("a backward on top of what an update has used"),
)
STALE = Fate(
    "stale", "▲", mark("stale"), "bold", 3.0, mark("old gradients were used again with newer ones")
)
OLD = Fate("old", "◇", mark("left over"), "dashed", 2.0, mark("from before this run"))
BROKEN = Fate("broken", "✗", mark("NaN or infinite"), "bold", 3.0, mark("not a number any more"))
UNKNOWN = Fate("unknown", "?", mark("by hand"), "dashed", 1.4, mark("set by hand, or not known"))
FATES = (NONE, ZERO, FRESH, SUMMED, USED, MIXED, STALE, OLD, BROKEN, UNKNOWN)

# Okabe-Ito marks; each reaches 3:1 on white and on #111
COLOURS = {
    "none": "#8a8a8a",
    "zero": "#8a8a8a",
    "fresh": "#009e73",
    "summed": "#0072b2",
    "used": "#8a8a8a",
    "mixed": "#0072b2",
    "stale": "#d55e00",
    "old": "#cc79a7",
    "broken": "#d55e00",
    "unknown": "#8a8a8a",
}
"""One for each fate."""


def fate(grad: Summary | None, holds: Holds) -> Fate:
    """The state of a gradient that looks like this and holds this."""
    if grad is None:
        return NONE
    if not grad.finite:
        return BROKEN
    if holds.stale:
        return _used_again(holds)
    if grad.zero and not holds.count:
        return ZERO
    if holds.count and holds.used >= holds.count:
        return USED
    if holds.earlier:
        return OLD
    if not holds.count:
        return UNKNOWN
    if holds.count > 1:
        return SUMMED
    return ZERO if grad.zero else FRESH


def _used_again(holds: Holds) -> Fate:
    """Old and new together are harmless as long as they are cleared before the next update (a GAN)."""
    return STALE if holds.used >= holds.count else MIXED


def stale_mark(holds: Holds) -> tuple[str, Tone]:
    """Mark and colour, in a table, of a gradient that holds what was used; as in the pictures."""
    if not holds.stale:
        return "", ""
    return f"{STALE.mark} ", "error" if _used_again(holds) is STALE else "warning"


def fate_words(grad: Summary | None, holds: Holds) -> str:
    """The same with its number and what was done by hand: ``4 accumulated, clipped``."""
    found = fate(grad, holds)
    said = tr(found.word)
    if found is SUMMED:
        said = tr("{number} accumulated", number=count(holds.count))
    if not holds.note or found in (NONE, ZERO):
        return said
    return words.phrases((said, words.by_hand(holds)))

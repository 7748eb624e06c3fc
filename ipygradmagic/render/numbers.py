"""Numbers as an engineer writes them: few significant digits, a true minus sign."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ipygradmagic.language import ptr, tr
from ipygradmagic.record.tensors import UNREAD, Number, Summary
from ipygradmagic.render.view import Line

DIGITS = 4
ALONE = 6
"""A tensor of one element has room for more digits than the elements of a larger one."""
NBSP = "\u00a0"
SHORT = 3
"""A vector up to this length is shown on one line, a longer one on several."""
MOST_BRIEF = 3
"""Where room is short, a vector longer than this is shown by its norm and range."""


def number(value: Number, digits: int = DIGITS) -> str:
    """``−47.06``, ``0.001``, ``1.2e−7``, ``NaN``, ``1+2j``."""
    if isinstance(value, complex):
        sign = "−" if math.copysign(1, value.imag) < 0 else "+"
        return f"{number(value.real, digits)}{sign}{number(abs(value.imag), digits)}j"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value + 0.0:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = int(exponent)
        text = str(round(value)) if 0 <= power < 6 else f"{mantissa}e{power}"
    return text.replace("-", "−")


def numbers(values: Sequence[Number]) -> list[str]:
    """The elements of one tensor."""
    digits = ALONE if len(values) == 1 else DIGITS
    return [number(v, digits) for v in values]


def count(value: int) -> str:
    """A whole number with thousands separated: ``15,000``."""
    return f"{value:,}"


def shape_words(shape: Sequence[int]) -> str:
    """``scalar`` for no dimensions, else ``(64, 128)`` as torch prints it."""
    if not shape:
        return tr("scalar")
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def summary_lines(
    summary: Summary | None, shape: Sequence[int] = (), *, tight: bool = False
) -> tuple[Line, ...]:
    """A look at a tensor: all its numbers if it is small, else norm, mean and range.

    Args:
        summary: The look; None where there was no tensor to look at.
        shape: Shape of the tensor, for how its numbers are laid out.
        tight: Room is short: at most norm, range and what is broken.
    """
    if summary is None:
        return (Line("None", "number", "muted"),)
    if summary.values is not None and not (tight and len(summary.values) > MOST_BRIEF):
        return _values(summary.values, shape)
    return _statistics(summary, tight)


def brief(summary: Summary | None, shape: Sequence[int] = ()) -> str:
    """The same in one short phrase, for a node of a picture."""
    if summary is None:
        return "None"
    if summary.values is not None and len(summary.values) <= SHORT:
        texts = numbers(summary.values)
        return texts[0] if not shape and len(texts) == 1 else f"[{', '.join(texts)}]"
    if summary.zero:
        return tr("all zero")
    flags = [line.text for line in _flags(summary, True) if line.tone == "error"]
    norm = (
        [tr("norm {number}", number=number(summary.norm))]
        if summary.norm is not None
        else [_unknown(summary)]
    )
    return ptr("between phrases", ", ").join(norm + flags)


def _values(values: tuple[Number, ...], shape: Sequence[int]) -> tuple[Line, ...]:
    texts = numbers(values)
    if not shape and len(texts) == 1:
        return (_number_line(texts[0]),)
    if not texts:
        return (Line(f"[] {tr('no elements')}", "number", "muted"),)
    width = max(map(len, texts))
    padded = [t.rjust(width, NBSP) for t in texts] if len(texts) > 1 else texts
    if len(shape) == 2 and shape[0] > 1 and 0 < shape[1] <= 4:
        rows = [padded[i : i + shape[1]] for i in range(0, len(padded), shape[1])]
        return _bracketed([f"[{_join(r)}]" for r in rows])
    if len(padded) <= SHORT:  # may bend where there is no room: paper does not scroll
        return _bracketed([", ".join(padded)])
    each = 2 if len(padded) <= 8 else 4
    rows = [padded[i : i + each] for i in range(0, len(padded), each)]
    return _bracketed([_join(r) for r in rows])


def _bracketed(rows: list[str]) -> tuple[Line, ...]:
    last = len(rows) - 1
    return tuple(
        _number_line(("[" if i == 0 else NBSP) + row + ("]" if i == last else ","))
        for i, row in enumerate(rows)
    )


def firm(text: str) -> str:
    """The same, never broken into lines."""
    return text.replace(" ", NBSP)


def _join(texts: Sequence[str]) -> str:
    return f",{NBSP}".join(texts)


def _number_line(text: str) -> Line:
    broken = "NaN" in text or "∞" in text
    return Line(text, "number", "error" if broken else "")


def _unknown(summary: Summary) -> str:
    if summary.layout == UNREAD:
        return tr("not read")
    if summary.layout == "strided":
        return tr("not readable")
    return tr("{layout}: no numbers", layout=summary.layout)


def _statistics(summary: Summary, tight: bool) -> tuple[Line, ...]:
    if summary.numel == 0:
        return (Line(tr("no elements"), "number", "muted"),)
    if summary.zero:
        return (Line(tr("all zero"), "number"),)
    lines = []
    if summary.norm is not None:
        lines.append(_number_line(firm(tr("norm {number}", number=number(summary.norm)))))
    if summary.mean is not None and not tight:
        lines.append(Line(firm(tr("mean {number}", number=number(summary.mean))), "number"))
    if summary.min is not None and summary.max is not None:
        span = f"{number(summary.min)}{NBSP}… {number(summary.max)}"
        lines.append(Line(span, "number"))
    return tuple(lines or [Line(_unknown(summary), "number", "muted")]) + _flags(summary, tight)


def _flags(summary: Summary, tight: bool) -> tuple[Line, ...]:
    lines = []
    if summary.nan:
        lines.append(Line(tr("{number} NaN", number=count(summary.nan)), "number", "error"))
    if summary.inf:
        lines.append(Line(tr("{number} infinite", number=count(summary.inf)), "number", "error"))
    if summary.zeros and not tight:
        lines.append(Line(tr("{number} zeros", number=count(summary.zeros)), "number", "muted"))
    if summary.sampled:
        lines.append(Line(tr("sampled"), "number", "muted"))
    return tuple(lines)

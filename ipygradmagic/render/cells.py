"""Text in columns of a terminal, of which a Chinese character takes two.

A Chinese sentence has blanks only beside what is written in Latin letters, but may be broken
nearly everywhere: rich would break it at those few blanks. Pictures reckon with the same columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipygradmagic.render.rich_parts import cell_len

_CLOSING = r"，。、；：？！）」』”’》】…%％)\]}.,;:"
_OPENING = "（「『“‘《【"
_WIDE = r"\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECE = re.compile(rf" +|[{_OPENING}]*(?:第 [\d,]+ [{_WIDE}]|[{_WIDE}]|[^ {_WIDE}]+)[{_CLOSING}]*")
"""Blanks, one wide character (or 第 3 行), or a run of others; with the marks that stay beside it."""
_ONLY_WIDE = re.compile(f"[{_WIDE}]")


def ljust(text: str, wide: int) -> str:
    """The text with blanks up to so many columns."""
    return text + " " * (wide - cell_len(text))


def chinese(text: str) -> bool:
    """It has characters between which a line may end, though there is no blank."""
    return _ONLY_WIDE.search(text) is not None


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many columns; they end between characters, but no line begins with a
    mark that closes, nor ends with one that opens."""
    lines = [""]
    for piece in _pieces(text, width):
        if cell_len(lines[-1]) + cell_len(piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece if lines[-1] or len(lines) == 1 else piece.lstrip()
    return [line.rstrip() for line in lines]


def _pieces(text: str, width: int) -> Iterator[str]:
    """What stays together; a word that is longer than a line is cut."""
    for found in _PIECE.finditer(text):
        piece = found.group()
        while cell_len(piece) > width and piece.strip():
            cut = next(
                i for i in range(len(piece), 0, -1) if i == 1 or cell_len(piece[:i]) <= width
            )
            yield piece[:cut]
            piece = piece[cut:]
        yield piece

"""``# gradmagic: ignore[...]`` comments in the code that ran: cells and files alike."""

from __future__ import annotations

import io
import linecache
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator

from ipygradmagic.record.findings import Ignore
from ipygradmagic.record.source import SourceLocation

_MARK = "gradmagic:"
_COMMENT = re.compile(r"#\s*gradmagic:\s*(?P<wish>[^#]*)")
_WISH = re.compile(r"ignore(?:\s*\[(?P<names>[^\[\]]+)\]|(?![\w-])(?!\s*\[))")


def ignores(files: Iterable[str], place: Callable[[str, int], SourceLocation]) -> Iterator[Ignore]:
    """What the comments of these files ask for.

    Args:
        files: As Python knows them; the source is taken from ``linecache``, where IPython puts
            that of its cells.
        place: The location of a line of a file.
    """
    for file in files:
        lines = linecache.getlines(file)
        if any(_MARK in line for line in lines):
            for comment, line, first, last in _comments("".join(lines)):
                yield Ignore(_names(comment), place(file, line), first, last)


def _comments(source: str) -> Iterator[tuple[str, int, int, int]]:
    """Each comment of ours, its line, and the first and last line of its statement."""
    found: list[tuple[str, int]] = []
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                match = _COMMENT.search(token.string)
                if match is not None:
                    found.append((match["wish"], token.start[0]))
            elif token.type == tokenize.NEWLINE or (token.type == tokenize.NL and not first):
                for wish, line in found:
                    yield wish, line, first or line, token.start[0]
                found, first = [], 0
            elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
                first = first or token.start[0]
    except (tokenize.TokenError, SyntaxError):  # a file that has changed since it ran
        return


def _names(wish: str) -> tuple[str, ...]:
    """The names in brackets; none for all; what is no such wish, as if it were a name."""
    match = _WISH.match(wish)
    if match is None:
        return (wish.strip(),)
    return tuple(name.strip() for name in (match["names"] or "").split(",") if name.strip())

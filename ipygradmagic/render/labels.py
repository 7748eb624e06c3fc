"""Labels of nodes in a picture, as Graphviz wants them, with everything of the user's escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ipygradmagic.render import words

MOST_LABEL = 40


def label(title: str, *small: str, remarks: Iterable[str] = ()) -> str:
    """An HTML-like label: a title, small lines, and remarks that stand out."""
    odd = [remark for remark in remarks if remark]
    lines = [f"<b>{escaped(title)}</b>" if small or odd else escaped(title)]
    lines += [f'<font point-size="9">{escaped(s)}</font>' for s in small if s]
    lines += [f'<b><font point-size="9">{escaped(remark)}</font></b>' for remark in odd]
    return f"<{'<br/>'.join(lines)}>"


def escaped(text: str) -> str:
    """Text that Graphviz takes for nothing but text."""
    # a backslash and N would be the name of the node, even in HTML-like labels
    return escape(words.clean(text, 2 * MOST_LABEL)).replace("\\", "\\\\") or " "


def marked(kind: str) -> dict[str, str]:
    """The attribute by which :mod:`layout` gives a node or an edge its colours."""
    return {"class": f"gm-{kind}"}

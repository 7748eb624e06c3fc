"""Inputs that take no gradient, in words: whose they are, where that is known."""

from __future__ import annotations

from collections.abc import Sequence

from ipygradmagic.language import mark, tr
from ipygradmagic.record.graph import DeadEnd, Graph, Node
from ipygradmagic.render import words
from ipygradmagic.render.numbers import count, shape_words

MOST_ENDS = 3
"""Of one operation; the others are counted."""
MOST_SAID = 6
"""Of a graph, in text."""
NONE = mark("no grad")
KINDS = {"frozen": mark("frozen"), "data": mark("data"), "detached": mark("detached")}


def ends_said(nodes: Sequence[Node]) -> list[str]:
    """``x (32, 4), data`` for each input that is known, and how many others take no gradient."""
    ends = dict.fromkeys(end for node in nodes for end in node.ends)
    said = [end_words(end) for end in list(ends)[:MOST_ENDS]]
    left = sum(max(len(n.ends), n.blind) for n in nodes) - sum(len(n.ends) for n in nodes)
    left += len(ends) - len(said)
    if left:
        said.append(tr(NONE) if left == 1 else f"{tr(NONE)} ×{count(left)}")
    return said


def end_words(end: DeadEnd) -> str:
    """``fc.weight (8, 4), frozen``; ``d (3,), detached from w``; ``no grad (32, 8)``."""
    size = f" {shape_words(end.shape)}" if end.shape else ""
    if end.kind == "unknown":
        return f"{tr(NONE)}{size}"
    kind = tr(KINDS[end.kind])
    if end.source:
        kind = tr("{kind} from {name}", kind=kind, name=words.short(end.source))
    return words.phrases((f"{words.short(end.name)}{size}", kind))


def end_lines(graph: Graph) -> list[str]:
    """The same for a text: who is known, then the operations with others."""
    named = {
        (end_words(end), node.label): end for node in graph.nodes for end in node.ends if end.name
    }
    lines = [
        tr("(no grad) {input}: an input of {operation}", input=said, operation=words.short(label))
        for said, label in list(named)[:MOST_SAID]
    ]
    more = len(named) - len(lines)
    if more:
        lines.append(tr("… and {number} more inputs that take no gradient", number=count(more)))
    known = {node.id: sum(bool(end.name) for end in node.ends) for node in graph.nodes}
    others = dict.fromkeys(n.label for n in graph.nodes if n.blind > known[n.id])
    if others:
        said = tr(
            "(no grad) an input of {operations}: no gradient flows there",
            operations=words.listed(others, 5),
        )
        lines.append(said)
    return lines

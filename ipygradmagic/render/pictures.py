"""Graphs of a trace or a state as pictures for the view."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

from ipygradmagic.record.graph import Graph
from ipygradmagic.record.state import State
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.graph import graph_dot, graph_lines
from ipygradmagic.render.numbers import count
from ipygradmagic.render.view import Block, Fold, Paragraph, Picture

MOST_PICTURES = 8
"""Each costs some kilobytes of the notebook and some milliseconds of layout."""
LEGEND = (
    "The gradient flows along the arrows: from the loss through the operations to the leaves. "
    "An optimizer only knows its leaves: it reads their .grad there."
)


def trace_pictures(trace: Trace) -> tuple[Block, ...]:
    """The pictures of a trace; of several, all but the first are opened by the reader."""
    pictures = [
        _picture(g, _title(trace, g), trace.tensors, trace.optimizers)
        for g in trace.graphs[:MOST_PICTURES]
    ]
    if len(pictures) == 1:
        return (pictures[0], Paragraph(LEGEND, "muted"))
    # the name is shared by the whole page: it must not close another report's pictures
    group = f"gm-{zlib.crc32(''.join(p.dot for p in pictures).encode('utf-8', 'replace')):08x}"
    folds: list[Block] = [
        Fold(f"Picture {i} of {len(pictures)}: {p.caption}", (replace(p, caption=""),), group)
        for i, p in enumerate(pictures, 1)
    ]
    left = len(trace.graphs) - len(pictures)
    if left > 0:
        folds.append(Paragraph(f"{words.plural(left, 'more graph')} not drawn", "muted"))
    return (*folds, Paragraph(LEGEND, "muted"))


def state_pictures(state: State) -> tuple[Block, ...]:
    """The picture that was asked for, if one was."""
    if state.graph is None:
        return ()
    infos = [t.info for t in state.tensors]
    title = words.prose(state.graph.title)
    return (_picture(state.graph, title, infos, state.optimizers), Paragraph(LEGEND, "muted"))


def _title(trace: Trace, graph: Graph) -> str:
    if graph.title:
        return words.prose(graph.title)
    event = trace.event(graph.event)
    if event is None:
        return f"Graph of event {count(graph.event)}"
    where = f", {words.place(event.where)}" if event.where else ""
    return f"{event.kind} #{count(event.number)}{where}"


def _picture(
    graph: Graph,
    title: str,
    infos: Sequence[TensorInfo],
    optimizers: Sequence[OptimizerInfo],
) -> Picture:
    return Picture(
        title, graph_dot(graph, infos, optimizers), graph_lines(graph, infos, optimizers)
    )

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
from ipygradmagic.render.meeting import lines, meeting_of
from ipygradmagic.render.meeting_dot import meeting_dot
from ipygradmagic.render.numbers import count
from ipygradmagic.render.view import Block, Fold, Paragraph, Picture

MOST_PICTURES = 8
"""Each costs some kilobytes of the notebook and some milliseconds of layout."""
LEGEND = (
    "The gradient flows along the arrows: from the loss through the operations to the leaves. "
    "An optimizer only knows its leaves: it reads their .grad there."
)

MEET = (
    "A loss adds to the gradients of the leaves that it reaches; an optimizer, or a line by hand, uses "
    "and clears those that it knows. They meet only there."
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
    titles = [f"Picture {i} of {len(pictures)}: {p.caption}" for i, p in enumerate(pictures, 1)]
    blocks: list[Block] = [replace(p, caption=t) for p, t in zip(pictures[:1], titles)]
    blocks += [Fold(t, (replace(p, caption=""),), group) for p, t in zip(pictures[1:], titles[1:])]
    left = len(trace.graphs) - len(pictures)
    if left > 0:
        blocks.append(Paragraph(f"{words.plural(left, 'more graph')} not drawn", "muted"))
    return (*blocks, Paragraph(LEGEND, "muted"))


def meeting_picture(trace: Trace) -> Picture | None:
    """Where losses and optimizers meet; None if nothing was added to any gradient."""
    meeting = meeting_of(trace)
    if not any(group.ties.adds for group in meeting.groups):
        return None
    return Picture(MEET, meeting_dot(meeting, trace), lines(meeting))


def state_pictures(state: State) -> tuple[Block, ...]:
    """The picture that was asked for, if one was."""
    if state.graph is None:
        return ()
    infos = [t.info for t in state.tensors]
    title = words.prose(state.graph.title)
    return (_picture(state.graph, title, infos, state.optimizers), Paragraph(LEGEND, "muted"))


def _title(trace: Trace, graph: Graph) -> str:
    event = trace.event(graph.event)
    title = words.prose(graph.title)
    if event is None:
        return title or f"Graph of event {count(graph.event)}"
    where = words.place(event.where)
    named = title or f"{event.kind} #{count(event.number)}"
    return named if not where or where in named else f"{named} · {where}"


def _picture(
    graph: Graph,
    title: str,
    infos: Sequence[TensorInfo],
    optimizers: Sequence[OptimizerInfo],
) -> Picture:
    return Picture(
        title, graph_dot(graph, infos, optimizers), graph_lines(graph, infos, optimizers)
    )

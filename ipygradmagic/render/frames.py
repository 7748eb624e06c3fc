"""The graph at successive events, to click through: forward, backward, update, zero, and again."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

from ipygradmagic.language import mark, tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.fates import fate_words
from ipygradmagic.render.graph import dot_of, fold
from ipygradmagic.render.graph_text import lines_of
from ipygradmagic.render.moments import states_after
from ipygradmagic.render.numbers import brief, count
from ipygradmagic.render.scene import Scene
from ipygradmagic.render.view import Block, Fold, Paragraph, Picture

MOST_FRAMES = 12
MOST_DRAWN = 240
"""Nodes in all frames together: each takes up to 3 kB of the notebook."""
MOST_LEAVES = 6
"""Of an event that changed more leaves, the rest is counted."""
HINT = mark("Open one after the other: each shows the graph right after an event.")


def frames_of(trace: Trace) -> tuple[Block, ...]:
    """A fold for each event of the first two rounds; nothing if no graph was kept."""
    if not trace.graphs:
        return ()
    frames = list(_frames(trace))
    # the name is shared by the whole page: it must not close another report's frames
    text = "".join(picture.dot for _, picture in frames)
    group = f"gm-{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
    folds = [
        Fold(
            tr("Step {i} of {number}: {title}", i=i, number=len(frames), title=title),
            (picture,),
            group,
            opened=i == 1,
        )
        for i, (title, picture) in enumerate(frames, 1)
    ]
    return (Paragraph(tr(HINT), "muted"), *folds)


def _frames(trace: Trace) -> Iterator[tuple[str, Picture]]:
    first = _with_loss(trace.graphs[0])
    yield tr("forward: the loss is known, no gradient yet"), _forward(trace, first)
    graph = first
    for event in _events(trace, first):
        own = next((g for g in trace.graphs if g.event == event.index), None)
        graph = _with_loss(own) if own else _without_numbers(graph)
        yield _title(event), _after(trace, graph, event)


def _events(trace: Trace, first: Graph) -> list[Event]:
    """From the first pass of the graph's line up to, but without, its third."""
    start = trace.event(first.event)
    if start is None:
        return []
    found: list[Event] = []
    passes, most = 0, max(2, min(MOST_FRAMES, MOST_DRAWN // len(first.nodes)) - 1)
    for event in trace.events:
        if event.index < start.index:
            continue
        again = event.kind == "backward" and event.continues is None
        if again and event.where == start.where:
            passes += 1
        gap = bool(found) and event.index != found[-1].index + 1
        if passes > 2 or gap or len(found) == most:
            break
        found.append(event)
    return found


def _with_loss(graph: Graph) -> Graph:
    """The loss is the result of the operation that made it, and has its numbers."""
    made = {edge.target: edge.source for edge in graph.edges}
    by_id = {node.id: node for node in graph.nodes}

    def told(node: Node) -> Node:
        last = by_id.get(made.get(node.id, -1)) if node.kind == "loss" else None
        if last is None or last.kind != "operation":
            return node
        return replace(node, value=last.value, grad=last.grad, shape=last.shape)

    return replace(graph, nodes=tuple(told(node) for node in graph.nodes))


def _forward(trace: Trace, graph: Graph) -> Picture:
    nodes = tuple(replace(node, grad=None) for node in graph.nodes)
    scene = _scene(trace, replace(graph, nodes=nodes), graph.event - 1)
    said = tr("The forward has built the graph; backward will go through it from the loss.")
    return _drawn(said, replace(scene, flowed=False))


def _after(trace: Trace, graph: Graph, event: Event) -> Picture:
    infos = {info.id: info for info in trace.tensors}
    said = [_told(change, infos.get(change.tensor)) for change in event.changes[:MOST_LEAVES]]
    left = len(event.changes) - len(said)
    if left > 0:
        said.append(tr("and {tensors}", tensors=words.more_tensors(left)))
    return _drawn(words.clauses(s for s in said if s), _scene(trace, graph, event.index))


def _drawn(caption: str, scene: Scene) -> Picture:
    small = next(fold(scene))
    return Picture(caption, dot_of(scene, small), lines_of(scene, small))


def _scene(trace: Trace, graph: Graph, index: int) -> Scene:
    return Scene.of(graph, trace, trace.acting(), states_after(trace, index))


def _without_numbers(graph: Graph) -> Graph:
    """The pass is over: what went through it is gone, and what was kept for it."""
    gone = tuple(replace(node, value=None, grad=None, saved=()) for node in graph.nodes)
    return replace(graph, nodes=gone)


def _title(event: Event) -> str:
    where = words.place(event.where)
    code = words.code(event.where.text) if event.where else ""
    said = tr("after {event}", event=f"{event.kind} #{count(event.number)}")
    return " · ".join(s for s in (said, where, code) if s)


def _told(change: Change, info: TensorInfo | None) -> str:
    """What happened to one tensor: ``w: 2 → 2.24, w.grad: −24, used``."""
    name, shape = words.tensor_name(info, change.tensor), info.shape if info else ()
    said = []
    if change.value_after is not None and change.value_before != change.value_after:
        before, after = (brief(v, shape) for v in (change.value_before, change.value_after))
        said.append(f"{name}: {before} → {after}")
    after, state = brief(change.grad_after, shape), fate_words(change.grad_after, change.holds)
    named = after if state == after else words.phrases((after, state))
    if change.grad_changed:
        said.append(f"{name}.grad: {brief(change.grad_before, shape)} → {named}")
    elif change.grad_after is not None:
        said.append(tr("{name}.grad stays {state}", name=name, state=named))
    return words.phrases(said)

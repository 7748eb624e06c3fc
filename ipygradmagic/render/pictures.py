"""Graphs of a trace or a state as pictures for the view."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ipygradmagic.language import mark, ntr, tr
from ipygradmagic.options import Options
from ipygradmagic.record.events import Event
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.state import State
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.condense import Condensed
from ipygradmagic.render.fates import Fate
from ipygradmagic.render.graph import MOST_DEAD_ENDS, dot_of, fold
from ipygradmagic.render.graph_text import lines_of
from ipygradmagic.render.moments import passes_of, states_after, telling
from ipygradmagic.render.numbers import count
from ipygradmagic.render.scene import WORST_FIRST, Scene
from ipygradmagic.render.view import Block, Fold, Paragraph, Picture

MOST_PICTURES = 8
"""Each costs some kilobytes of the notebook and some milliseconds of layout."""
FITTING = 20
"""A picture of so few nodes fits; to make coarser ones would take as long as its layout."""
LEGEND = mark(
    "Data flows along the grey arrows, from the leaves to the loss; the gradient flows back along "
    "the pink ones. An optimizer only knows its leaves: it reads their .grad there."
)

NO_GRAD = mark(
    "⊣ a dead end: no gradient flows there; one without a name is data, a constant, or what was "
    "detached or frozen"
)


def trace_pictures(trace: Trace, options: Options | None = None) -> tuple[Block, ...]:
    """The pictures of a trace; of several, all but the first are opened by the reader."""
    options = options or Options()
    scenes = scenes_of(trace, options.backward)
    if not scenes:
        return ()
    blocks: list[Block] = []
    if options.backward is not None and not _known(trace, options.backward):
        text = tr(
            "There is no backward #{number} whose gradients were kept.",
            number=count(options.backward),
        )
        blocks.append(Paragraph(text, "note"))
    shown = scenes[:MOST_PICTURES]
    pictures = [picture_of(scene, title, options.depth) for title, scene in shown]
    blocks += _one_open(pictures)
    left = len(scenes) - len(pictures)
    if left > 0:
        text = ntr("{n:,} more graph not drawn", "{n:,} more graphs not drawn", left)
        blocks.append(Paragraph(text, "muted"))
    return (*blocks, *_legend([scene for _, scene in shown]))


def state_pictures(state: State, options: Options | None = None) -> tuple[Block, ...]:
    """The picture that was asked for, if one was."""
    scene = state_scene(state)
    if scene is None:
        return ()
    title = words.prose(scene.graph.title)
    picture = picture_of(scene, title, options.depth if options else None)
    return (picture, *_legend([scene]))


def scenes_of(trace: Trace, backward: int | None = None) -> list[tuple[str, Scene]]:
    """Titles and scenes of the graphs of a trace.

    Args:
        trace: Whose.
        backward: Number of the backward to show, alone: the graph of its line, with the
            gradients as they were after it. None shows every line.
    """
    asked = [(g, _numbered(trace, g, backward)) for g in trace.graphs if backward is not None]
    chosen = [pair for pair in asked if pair[1] is not None][:1]
    found = []
    for graph, event in chosen or [(g, telling(trace, g)) for g in trace.graphs]:
        states = states_after(trace, event.index) if event is not None else None
        scene = Scene.of(graph, trace, trace.acting(), states)
        found.append((_title(trace, graph, event), scene))
    return found


def state_scene(state: State) -> Scene | None:
    """What the picture of a state is about; None if none was asked for."""
    if state.graph is None:
        return None
    return Scene.of(state.graph, [t.info for t in state.tensors], state.optimizers)


def picture_of(scene: Scene, title: str, depth: int | None = None) -> Picture:
    """The picture of a scene, with coarser ones for where it does not fit."""
    pictures = []
    for small in fold(scene, depth):
        lines = lines_of(scene, small)
        pictures.append(Picture(title, dot_of(scene, small), lines, _folded(small, scene)))
        if len(small.groups) <= FITTING:
            break
    return replace(pictures[0], coarser=tuple(pictures[1:]), firm=depth is not None)


def legend_lines(fates: Iterable[Fate]) -> list[str]:
    """The fates that appear, with what they mean."""
    found = set(fates)
    return [
        tr("{label}: {text}", label=f"{f.mark} {tr(f.word)}", text=tr(f.tells))
        for f in WORST_FIRST
        if f in found
    ]


def _legend(scenes: Sequence[Scene]) -> Iterator[Paragraph]:
    lines = legend_lines(f for scene in scenes for f in scene.fates())
    small = [s.graph for s in scenes if len(s.graph.nodes) <= MOST_DEAD_ENDS]
    if any(n.blind or n.ends for graph in small for n in graph.nodes):
        lines.append(tr(NO_GRAD))
    if lines:
        yield Paragraph(" · ".join(lines), "muted")
    yield Paragraph(tr(LEGEND), "muted")


def _one_open(pictures: list[Picture]) -> list[Block]:
    """The first picture, and the others to open one at a time."""
    if len(pictures) == 1:
        return [pictures[0]]
    # the name is shared by the whole page: it must not close another report's pictures
    group = f"gm-{zlib.crc32(''.join(p.dot for p in pictures).encode('utf-8', 'replace')):08x}"
    titles = [
        tr("Picture {i} of {number}: {title}", i=i, number=len(pictures), title=p.caption)
        for i, p in enumerate(pictures, 1)
    ]
    blocks: list[Block] = [replace(p, caption=t) for p, t in zip(pictures[:1], titles)]
    blocks += [Fold(t, (replace(p, caption=""),), group) for p, t in zip(pictures[1:], titles[1:])]
    return blocks


def _known(trace: Trace, number: int) -> bool:
    return any(_numbered(trace, graph, number) for graph in trace.graphs)


def _numbered(trace: Trace, graph: Graph, number: int | None) -> Event | None:
    """The pass with that number, if it is one of the graph's line."""
    return next((e for e in passes_of(trace, graph) if e.number == number), None)


def _title(trace: Trace, graph: Graph, event: Event | None) -> str:
    own = trace.event(graph.event)
    if event is None:
        untitled = tr("Graph of event {number}", number=count(graph.event))
        return words.prose(graph.title) or untitled
    where = words.place(event.where)
    named = tr("Right after {event}", event=f"{event.kind} #{count(event.number)}")
    said = f"{named} · {where}" if where else named
    if own is not None and own is not event:
        said = tr(
            "{title} (graph from {event})", title=said, event=f"backward #{count(own.number)}"
        )
    return said


def _folded(small: Condensed, scene: Scene) -> str:
    """What of the graph is not drawn one by one."""
    total = len(scene.graph.nodes)
    if len(small.groups) == total:
        return ""
    said = tr(
        "Folded: {total} nodes drawn as {number}",
        total=count(total),
        number=count(len(small.groups)),
    )
    if small.level is None:
        return tr("{sentence}.", sentence=said)
    modules = sum(bool(g.module) for g in small.groups)
    if not modules:
        return tr("{sentence}.", sentence=said)
    levels = ntr(
        "{n:,} level of module names open (--depth)",
        "{n:,} levels of module names open (--depth)",
        small.level,
    )
    repeated = any(g.module[:i] in small.times for g in small.groups for i in range(1, 25))
    whole = tr("{sentence}.", sentence=words.phrases((said, levels)))
    if not repeated:
        return whole
    return words.sentences((whole, tr("Equal modules are drawn once, × how many.")))

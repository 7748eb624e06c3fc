"""The meeting map as DOT source: losses on the left, leaves in the middle, users on the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import graphviz

from ipygradmagic.language import mark, ntr, tr
from ipygradmagic.record.tensors import OptimizerInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.fates import COLOURS, FRESH, STALE
from ipygradmagic.render.graph_nodes import LOSS, OPTIMIZER, html_label, painted
from ipygradmagic.render.meeting import (
    MOST_ACTORS,
    Actor,
    Group,
    Meeting,
    done_by,
    lines,
    times,
)
from ipygradmagic.render.view import Picture

_LOSS = {"style": "filled", "penwidth": "2", **painted("loss", LOSS)}
_USER = {"style": "filled", "penwidth": "2", **painted("opt", OPTIMIZER)}
CAPTION = mark(
    "A loss adds to the gradients of the leaves that it reaches; an optimizer, or a line by hand, uses "
    "and clears those that it knows. They meet only there."
)


def meeting_picture(meeting: Meeting, trace: Trace) -> Picture:
    """Where losses and optimizers meet."""
    return Picture(tr(CAPTION), meeting_dot(meeting, trace), lines(meeting))


def meeting_dot(meeting: Meeting, trace: Trace) -> str:
    """DOT source of the map."""
    dot = graphviz.Digraph(
        graph_attr={
            "bgcolor": "transparent",
            "rankdir": "LR",
            "ranksep": "0.9",
            "nodesep": "0.25",
            "pad": "0.1",
        },
        node_attr={
            "fontname": "Helvetica",
            "fontsize": "10",
            "margin": "0.26,0.06",
            "shape": "box",
        },
        edge_attr={"arrowsize": "0.6", "fontname": "Helvetica", "fontsize": "9"},
    )
    infos = {optimizer.name: optimizer for optimizer in trace.optimizers}
    losses, users = meeting.actors("loss"), meeting.actors("optimizer", "hand")
    names = _draw_actors(dot, "l", losses, infos) | _draw_actors(dot, "u", users, infos)
    for optimizer in _idle(meeting, trace.acting(), users):
        key = f"i{len(names)}"
        actor = Actor("optimizer", optimizer.name)
        names[actor] = key
        dot.node(key, _actor_label(actor, infos), **_USER)
    for i, group in enumerate(meeting.groups):
        _draw_group(dot, f"g{i}", group, names)
    with dot.subgraph(graph_attr={"rank": "same"}) as middle:  # also those that only one side knows
        for i in range(len(meeting.groups)):
            middle.node(f"g{i}")
    if meeting.left:
        dot.node(
            "more",
            html_label(ntr("… {n:,} more group", "… {n:,} more groups", meeting.left)),
            shape="plaintext",
        )
    return str(dot.source)


def _draw_actors(
    dot: graphviz.Digraph, prefix: str, actors: Sequence[Actor], infos: Mapping[str, OptimizerInfo]
) -> dict[Actor, str]:
    """Their nodes; of many, the last one stands for the rest."""
    names: dict[Actor, str] = {}
    look = _LOSS if prefix == "l" else _USER
    for i, actor in enumerate(actors[:MOST_ACTORS]):
        names[actor] = f"{prefix}{i}"
        dot.node(names[actor], _actor_label(actor, infos), **look)
    rest = actors[MOST_ACTORS:]
    if rest:
        said = html_label(ntr("… {n:,} more line", "… {n:,} more lines", len(rest)))
        dot.node(f"{prefix}more", said, **look)
        names |= dict.fromkeys(rest, f"{prefix}more")
    return names


def _actor_label(actor: Actor, infos: Mapping[str, OptimizerInfo]) -> str:
    title = words.short(actor.title)
    if actor.role == "loss":
        return html_label(f"{title}.backward()" if actor.title else "backward()", actor.where)
    if actor.role == "hand":
        return html_label(title, actor.where)
    info = infos.get(actor.title)
    if info is None:
        return html_label(title, tr("optimizer"))
    return html_label(title, tr("{cls} optimizer", cls=words.short(info.cls)))


def _idle(
    meeting: Meeting, optimizers: Sequence[OptimizerInfo], users: Sequence[Actor]
) -> list[OptimizerInfo]:
    """Optimizers that own some of the leaves and did nothing to any."""
    acted = {actor.title for actor in users}
    owners = {name for group in meeting.groups for name in group.ties.owners}
    return [o for o in optimizers if o.name in owners and o.name not in acted]


def _draw_group(dot: graphviz.Digraph, key: str, group: Group, names: Mapping[Actor, str]) -> None:
    ties, remarks = group.ties, group.ties.remarks()
    style, width = ("rounded,dashed,filled", "2") if remarks else ("rounded,filled", "1.4")
    dot.node(
        key,
        html_label(group.label, ties.plainly(), strong=remarks),
        style=style,
        penwidth=width,
        **painted("odd" if remarks else "leaf", COLOURS[(STALE if remarks else FRESH).name]),
    )
    for actor, n in ties.adds.items():
        dot.edge(names[actor], key, label=f" {tr('adds {times}', times=times(n))} ", color=LOSS)
    for actor in dict.fromkeys((*ties.uses, *ties.clears)):
        # written leaf → user, and drawn backwards, so that losses and users stand on two sides
        style = "solid" if ties.uses[actor] else "dashed"
        said = f" {done_by(actor, group)} "
        dot.edge(key, names[actor], label=said, dir="back", style=style, color=OPTIMIZER)
    for actor, name in names.items():
        owns = actor.role == "optimizer" and actor.title in ties.owners
        if owns and not ties.uses[actor] and not ties.clears[actor]:
            said = " " + tr("owns, never uses") + " "
            dot.edge(key, name, label=said, dir="back", style="dotted", color=OPTIMIZER)

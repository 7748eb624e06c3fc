"""What the reader has to know about the curves, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipygradmagic.language import mark, ntr, tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.tensors import COPIED
from ipygradmagic.render import words
from ipygradmagic.render.groups import Groups
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.series import MOVES, Norms
from ipygradmagic.render.view import Chart

COMMON = 1e-3
"""Rule of thumb for an update as a part of the weights (A. Karpathy, CS231n notes: "somewhere
around 1e-3")."""
LABELS = {
    "used": mark("used by {act}"),
    "left": mark("left by {act}"),
    "added": mark("what it added"),
}
"""Of the second line of a chart of gradient norms."""
SAID = {
    "used": mark(
        "The broken lines are what the {act} used, where the gradients were changed after the "
        "backward (clipped, unscaled, edited)."
    ),
    "left": mark(
        "The broken lines are what the {act} left, where it changed the gradients itself."
    ),
    "added": mark(
        "The broken lines are what each backward added, where .grad held something already."
    ),
}


def about_steps(found: Norms, groups: Groups) -> Iterator[str]:
    """Whether the steps used what the backward left, and left what they used."""
    acts = [act for act in MOVES if act in found.moves.values()]
    if acts and not found.other.get("used"):
        if len(acts) == 1:
            yield tr("The {act}s used the gradients as the last backward left them.", act=acts[0])
        else:
            yield tr(
                "The {one}s and {other}s used the gradients as the last backward left them.",
                one=acts[0],
                other=acts[1],
            )
    drawn = {found.second(group) for group in groups.members}
    for name, said in SAID.items():
        if name in drawn:
            yield tr(said, act=words.either(acts) if acts else "")
    left = found.other.get("left", set())
    hidden = [g for g in groups.members if g in left and found.second(g) != "left"]
    if hidden:
        names = words.listed(hidden)
        yield tr("The step itself changed the gradients of {names}, too.", names=names)


def about_ratios(events: Iterable[Event], groups: Groups, charts: Sequence[Chart]) -> Iterator[str]:
    """The rule of thumb, and which tensors have no curve."""
    if any(chart.guide is not None for chart in charts):
        yield tr(
            "A step of about {part} of the weights' norm is a common rule of thumb (the "
            "broken grey line); much longer ones tend to be unstable, much shorter ones slow.",
            part=number(COMMON),
        )
    sampled, unknown = _large(events)
    if any(tensor in sampled for tensor in groups.of):
        yield tr(
            "How far a step moved tensors of more than {number} elements is estimated from "
            "a few evenly spaced blocks of each.",
            number=count(COPIED),
        )
    names = [groups.names[t] for t in groups.of if t in unknown]
    if names:
        yield tr(
            "How far a step moved {names} is not known: too few of the blocks that "
            "were looked at moved at all.",
            names=words.listed(names),
        )


def _large(events: Iterable[Event]) -> tuple[set[int], set[int]]:
    """Large tensors of which it was estimated how far they moved, and of which that is unknown."""
    sampled: set[int] = set()
    unknown: set[int] = set()
    for event in events:
        for change in event.changes if event.kind in MOVES else ():
            after = change.value_after
            if after is not None and after.numel > COPIED and after.norm is not None:
                (unknown if change.moved is None else sampled).add(change.tensor)
    return sampled, unknown


def about_layers(groups: Groups, charts: Sequence[Chart]) -> Iterator[str]:
    """Which layers of a deep model are shown one by one."""
    if any(chart.ends is not None for chart in charts):
        yield ntr(
            "Of {n:,} layer those are shown one by one that are the first, the last, the least and "
            "the greatest.",
            "Of {n:,} layers those are shown one by one that are the first, the last, the least "
            "and the greatest.",
            len(groups.members),
        )

"""What the reader has to know about the curves, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipygradmagic.record.events import Event
from ipygradmagic.record.tensors import COPIED
from ipygradmagic.render import words
from ipygradmagic.render.groups import Groups
from ipygradmagic.render.numbers import number
from ipygradmagic.render.series import MOVES, Norms
from ipygradmagic.render.view import Chart

COMMON = 1e-3
"""Rule of thumb for an update as a part of the weights (A. Karpathy, CS231n notes: "somewhere
around 1e-3")."""
LABELS = {"used": "used by {act}", "left": "left by {act}", "added": "what it added"}
"""Of the second line of a chart of gradient norms."""
SAID = {
    "used": "The broken lines are what the {act} used, where the gradients were changed after the "
    "backward (clipped, unscaled, edited).",
    "left": "The broken lines are what the {act} left, where it changed the gradients itself.",
    "added": "The broken lines are what each backward added, where .grad held something already.",
}


def about_steps(found: Norms, groups: Groups) -> Iterator[str]:
    """Whether the steps used what the backward left, and left what they used."""
    acts = [act for act in MOVES if act in found.moves.values()]
    if acts and not found.other.get("used"):
        named = " and ".join(f"{act}s" for act in acts)
        yield f"The {named} used the gradients as the last backward left them."
    drawn = {found.second(group) for group in groups.members}
    for name, said in SAID.items():
        if name in drawn:
            yield said.format(act=" or ".join(acts))
    left = found.other.get("left", set())
    hidden = [g for g in groups.members if g in left and found.second(g) != "left"]
    if hidden:
        yield f"The step itself changed the gradients of {words.listed(hidden)}, too."


def about_ratios(events: Iterable[Event], groups: Groups, charts: Sequence[Chart]) -> Iterator[str]:
    """The rule of thumb, and which tensors have no curve."""
    if any(chart.guide is not None for chart in charts):
        yield (
            f"A step of about {number(COMMON)} of the weights' norm is a common rule of thumb (the "
            "broken grey line); much longer ones tend to be unstable, much shorter ones slow."
        )
    sampled, unknown = _large(events)
    if any(tensor in sampled for tensor in groups.of):
        yield (
            f"How far a step moved tensors of more than {COPIED:,} elements is estimated from "
            "a few evenly spaced blocks of each."
        )
    names = [groups.names[t] for t in groups.of if t in unknown]
    if names:
        yield (
            f"How far a step moved {words.listed(names)} is not known: too few of the blocks that "
            "were looked at moved at all."
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
        yield (
            f"Of {words.plural(len(groups.members), 'layer')} those are shown one by one that are "
            "the first, the last, the least and the greatest."
        )

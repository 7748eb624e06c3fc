"""Incidents: what the books noticed, joined over tensors and rounds while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from ipygradmagic.record.source import SourceLocation

IncidentKind = Literal[
    "stale",
    "decayed",
    "reused",
    "reused-part",
    "reused-later",
    "leaked",
    "leftover",
    "first-window",
    "empty-step",
    "cleared-before-step",
    "discarded",
    "partial-window",
    "nonfinite",
    "nonfinite-used",
    "clip-after-step",
    "clip-again",
    "clip-scaled",
    "clip-nothing",
    "clip-nobody",
    "early-schedule",
    "skipped",
    "growing-graph",
    "kept-graphs",
    "mock-freeze",
]
_BY_DEPOSIT = ("leaked", "discarded", "partial-window")
"""Of these kinds there is one incident for each line of backward, too."""
MOST_NAMES = 400
"""An incident names at most this many tensors; ``tensor_count`` has the full number."""

Locate = Callable[[int], "SourceLocation | None"]
Kept = Callable[[int, int], bool]
NameOf = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something the books noticed, joined over tensors and rounds.

    Attributes:
        kind: What was noticed.
        count: At how many events.
        first_event, last_event: Indices of the first and last of them.
        where: Line of the update (or of the clearing edit) that it was noticed at.
        deposited: Line of the backward whose contribution is concerned.
        other: A second telling line: the clearing, or the other backward.
        origin: Where the gradient came from, if from before this trace.
        actor: Optimizer concerned, or "" for code by hand.
        tensors: Names of the tensors, in order of appearance.
        tensor_count: How many tensors.
        number: Number of the first such step or update among its kind.
        oldest, newest: Numbers of the backward passes that were mixed, the first time; 0 if
            from before this trace.
        repeats: For ``reused`` and ``reused-part`` (some tensors of an optimizer, while others had
            something new): the longest series of repeats without a new deposit. (``reused-later``:
            an earlier trace had used all of it, at ``origin``.) For
            ``cleared-before-step``: how many updates used a gradient of these tensors after all. For
            ``leaked``: how many other optimizers the loss trains whose deposit came last. For
            ``leftover``: how many contributions more than any later update the first one used; 0 if
            no other followed (``oldest``: how many it used). For
            ``discarded``: how many contributions of that line were consumed. For ``clip-again``:
            how many gradients the clipping changed. For ``clip-nothing`` and ``clip-nobody``: at
            how many other calls the line clipped something. For ``clip-nobody``, ``oldest`` is 1 if
            an exhausted iterator was seen. For ``early-schedule``: how often the line was passed
            again after a step (``oldest``: without another step in between). For
            ``clip-after-step``: 1 if it was done by hand. For
            ``skipped``: how many of the steps that a GradScaler was asked for it took (``oldest``: the
            longest series of skipped ones). For
            ``growing-graph``: operations in the largest graph (``oldest`` is 1 if it stopped
            growing meanwhile). For
            ``kept-graphs``: how many rounds.
    """

    kind: IncidentKind
    count: int
    first_event: int
    last_event: int
    where: SourceLocation | None = None
    deposited: SourceLocation | None = None
    other: SourceLocation | None = None
    origin: SourceLocation | None = None
    actor: str = ""
    tensors: tuple[str, ...] = ()
    tensor_count: int = 0
    number: int = 0
    oldest: int = 0
    newest: int = 0
    repeats: int = 0


@dataclass(slots=True)
class Open:
    """An incident being collected."""

    kind: IncidentKind
    first_event: int
    last_event: int
    site: int
    deposited: int
    other: int
    origin: SourceLocation | None
    actor: str
    number: int
    oldest: int
    newest: int
    count: int = 1
    repeats: int = 0
    event_before: int = 0
    leaves: dict[int, str] = field(default_factory=dict)
    leaf_count: int = 0
    seen: set[int] = field(default_factory=set)

    def copy(self) -> Open:
        """The same, to be collected further on its own."""
        return replace(self, leaves=dict(self.leaves), seen=set(self.seen))


class Incidents:
    """Collects incidents: one for each kind, line and optimizer, however often it happens.

    Args:
        name_of: What a leaf is called.
    """

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self._open: dict[tuple[object, ...], Open] = {}
        self.members: dict[int, list[int]] = {}
        """The leaves behind a number that stands for several (``Ledger.bond``)."""

    def clear(self) -> None:
        """Forget them all."""
        self._open.clear()
        self.members.clear()

    def copy(self) -> Incidents:
        """The same ones, to be collected further on their own."""
        other = Incidents(self._name_of)
        other._open = {key: found.copy() for key, found in self._open.items()}
        other.members = dict(self.members)
        return other

    def opened(self) -> tuple[Open, ...]:
        """All of them, as they are being collected."""
        return tuple(self._open.values())

    def take_back(self, found: Open) -> None:
        """Its last time was none; without any it is gone."""
        if found.count > 1:
            found.count -= 1
            found.last_event = found.event_before
        else:
            self.drop(found)

    def drop(self, gone: Open) -> None:
        """It was none at all."""
        self._open = {key: o for key, o in self._open.items() if o is not gone}

    def note(
        self,
        kind: IncidentKind,
        event: int,
        leaf: int,
        site: int,
        *,
        actor: str = "",
        number: int = 0,
        deposited: int = -1,
        other: int = -1,
        oldest: int = 0,
        newest: int = 0,
        origin: SourceLocation | None = None,
    ) -> Open:
        """It happened (again): at an event, to a leaf, at a line."""
        key = (kind, site, actor, deposited if kind in _BY_DEPOSIT else -1, origin)
        found = self._open.get(key)
        if found is None:
            found = self._open[key] = Open(
                kind, event, event, site, deposited, other, origin, actor, number, oldest, newest
            )
        elif found.last_event != event:
            found.count += 1
            found.event_before, found.last_event = found.last_event, event
        self.name_leaf(found, leaf)
        return found

    def add(self, kind: IncidentKind, event: int, site: int, actor: str = "") -> Open:
        """Something that concerns a call rather than one leaf."""
        found = Open(kind, event, event, site, -1, -1, None, actor, 0, 0, 0)
        self._open[(kind, site, actor, len(self._open))] = found
        return found

    def name_leaf(self, found: Open, leaf: int) -> None:
        """The leaf is concerned too (or the leaves, if the number stands for several)."""
        if leaf in self.members:
            if leaf not in found.seen:
                found.seen.add(leaf)
                for one in self.members[leaf]:
                    self.name_leaf(found, one)
        elif leaf not in found.leaves:
            found.leaf_count += 1
            if len(found.leaves) < MOST_NAMES:
                found.leaves[leaf] = self._name_of(leaf)

    def names(self, found: Open, leaf: int) -> bool:
        """Whether the leaf is among those concerned."""
        return self.members.get(leaf, [leaf])[0] in found.leaves

    def closed(self, locate: Locate) -> tuple[Incident, ...]:
        """The records, in order of first occurrence."""
        ordered = sorted(self._open.values(), key=lambda o: o.first_event)
        return tuple(self._close(o, locate) for o in ordered)

    def _close(self, found: Open, locate: Locate) -> Incident:
        names = dict.fromkeys(self._name_of(leaf) or old for leaf, old in found.leaves.items())
        return Incident(
            kind=found.kind,
            count=found.count,
            first_event=found.first_event,
            last_event=found.last_event,
            where=locate(found.site),
            deposited=locate(found.deposited),
            other=locate(found.other),
            origin=found.origin,
            actor=found.actor,
            tensors=tuple(names),
            tensor_count=max(len(names), 1) if len(names) < MOST_NAMES else found.leaf_count,
            number=found.number,
            oldest=found.oldest,
            newest=found.newest,
            repeats=found.repeats,
        )

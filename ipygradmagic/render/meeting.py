"""Who puts something into which gradients, who uses it, and who clears it: the meeting map.

A loss and an optimizer never hear of each other; they meet at the leaves. Leaves to which the same
lines did the same are one node, so the map of a large model is as small as that of a small one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ipygradmagic.language import mark, ntr, tr
from ipygradmagic.record.events import Event
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.numbers import count
from ipygradmagic.render.view import SIGNS

MOST_ACTORS = 8
"""Losses, and likewise optimizers and lines by hand; more of them are counted."""
MOST_GROUPS = 12
NAMED = 3
"""So many leaves of a group are named one by one, ..."""
MOST_NAMED = 28
"""... if that takes no more characters: a wide node makes the whole map small."""
OLD, NEW = mark("(old tensor)"), mark("(new tensor)")
"""Two leaves of one name, of which the optimizer holds the first and the loss reaches the second."""
NOBODY = mark("nobody uses it")


@dataclass(frozen=True, slots=True)
class Actor:
    """A line that adds to gradients, an optimizer, or a line by hand that uses or clears them.

    Attributes:
        role: ``loss``, ``optimizer``, or ``hand``.
        title: Its name, or the call.
        where: Its line; "" for an optimizer.
    """

    role: str
    title: str
    where: str = ""


@dataclass(slots=True)
class Ties:
    """What was done to one leaf (all leaves of one name), how often, by whom, and what is wrong.

    ``early``: nothing in the whole run uses any gradient, so that it is no wonder here.
    """

    adds: Counter[Actor] = field(default_factory=Counter)
    uses: Counter[Actor] = field(default_factory=Counter)
    clears: Counter[Actor] = field(default_factory=Counter)
    owners: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    early: bool = False

    def key(self) -> tuple[object, ...]:
        """Leaves with one key are drawn as one."""
        done = [tuple(c.items()) for c in (self.adds, self.uses, self.clears)]
        return (*done, self.owners, self.alarms)

    def remarks(self) -> list[str]:
        """What is odd about it."""
        said = list(self.alarms)
        if not self.adds:
            said.append(tr("no loss reaches it"))
        if not self.uses and not self.owners and not self.early:
            said.append(tr(NOBODY))
        if sum(self.adds.values()) > 1 and self.uses and not self.clears:
            said.append(tr("never cleared"))
        return said

    def plainly(self) -> str:
        """What is so, and not odd."""
        return tr("not used yet") if self.early and self.adds else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Leaves with the same ties."""

    names: tuple[str, ...]
    ties: Ties

    @property
    def label(self) -> str:
        """Their names, or what these have in common."""
        common = {name.rpartition(".")[0] or name for name in self.names}
        named = words.commas(words.short(name) for name in self.names[:NAMED])
        brief = len(named) <= MOST_NAMED or len(common) > 1 or len(self.names) == 1
        if len(self.names) <= NAMED and brief:
            return named
        tensors = words.tensors(len(self.names))
        if len(common) == 1:
            return f"{words.short(common.pop())}.* ({tensors})"
        roots = dict.fromkeys(name.replace("[", ".").split(".")[0] for name in self.names)
        if len(roots) < len(self.names):
            return f"{words.listed([f'{root}.*' for root in roots], NAMED)} ({tensors})"
        return words.listed(self.names, NAMED)


@dataclass(frozen=True, slots=True)
class Meeting:
    """The map.

    Attributes:
        groups: In the order in which their first leaf was seen.
        left: How many groups are not shown.
    """

    groups: tuple[Group, ...]
    left: int = 0

    def actors(self, *roles: str) -> list[Actor]:
        """Those with these roles that do something to a group, in order."""
        found: dict[Actor, None] = {}
        for group in self.groups:
            for some in (group.ties.adds, group.ties.uses, group.ties.clears):
                found.update(dict.fromkeys(a for a in some if a.role in roles))
        return list(found)


def meeting_of(trace: Trace) -> Meeting:
    """The map of a run; of events that look alike, those that were kept speak for all."""
    names = _names(trace)
    infos = {info.id: info for info in trace.tensors}
    classes = {optimizer.name: optimizer.cls for optimizer in trace.optimizers}
    often = Counter(trace.pattern) or Counter(event.signature for event in trace.events)
    ties: defaultdict[str, Ties] = defaultdict(Ties)
    for info in trace.tensors:
        if info.kind == "leaf" and info.reached:
            ties[names[info.id]]
    for optimizer in trace.acting():
        for tensor in (t for owned in optimizer.groups for t in owned.tensors):
            ties[names.get(tensor, words.unnamed(tensor))].owners += (optimizer.name,)
    seen: set[int] = set()
    for event in trace.events:
        for change in event.changes:
            leaf = infos.get(change.tensor)
            if leaf is not None and leaf.kind != "leaf":
                continue
            one = ties[names.get(change.tensor, words.unnamed(change.tensor))]
            if event.signature not in seen:
                _tie(one, event, often[event.signature], classes)
        seen.add(event.signature)
    for finding in trace.findings:
        for called in finding.evidence.tensors if finding.alarm else ():
            name = called if called in ties else f"{called} {tr(NEW)}"
            if name in ties:
                ties[name].alarms += (f"{SIGNS[finding.severity]} {words.short(finding.name)}",)
    grouped: dict[tuple[object, ...], list[str]] = {}
    early = not any(one.uses or one.owners for one in ties.values())
    for name, one in ties.items():
        one.early = early
        if one.adds or one.uses or one.owners:
            grouped.setdefault(one.key(), []).append(name)
    groups = [Group(tuple(names), ties[names[0]]) for names in grouped.values()]
    return Meeting(tuple(groups[:MOST_GROUPS]), len(groups) - len(groups[:MOST_GROUPS]))


def _names(trace: Trace) -> dict[int, str]:
    """What each tensor goes by: leaves that follow one another under one name are one.

    Except where the optimizer holds an earlier one than the loss reaches: they never meet, and a
    map that made them one would show the opposite of what is wrong.
    """
    owned = {t for o in trace.acting() for given in o.groups for t in given.tensors}
    reached = {c.tensor for e in trace.events if e.kind == "backward" for c in e.changes}
    missed: defaultdict[str, set[int]] = defaultdict(set)
    met: defaultdict[str, set[int]] = defaultdict(set)
    for info in trace.tensors:
        if info.generations > 1 and info.kind == "leaf":
            if info.id in reached:
                met[info.name].add(info.id)
            elif info.id in owned:
                missed[info.name].add(info.id)
    names = {}
    for info in trace.tensors:
        apart = missed[info.name] and met[info.name] and not met[info.name] & owned
        which = tr(OLD if info.id in missed[info.name] else NEW) if apart else ""
        names[info.id] = " ".join(s for s in (_name(info), which) if s)
    return names


def _name(info: TensorInfo) -> str:
    return info.name or words.unnamed(info.id)


def _tie(ties: Ties, event: Event, times: int, classes: dict[str, str]) -> None:
    actor = event.actor or ""
    where = words.place(event.where)
    if event.kind == "backward" and event.continues is None:
        ties.adds[Actor("loss", actor or "loss", where)] += times
    elif event.kind == "step":
        ties.uses[Actor("optimizer", actor or event.label)] += times
    elif event.kind in ("update", "rebind") and event.source == "gradient":
        ties.uses[Actor("hand", event.label, where)] += times
    elif event.kind == "zero_grad":
        known = Actor("optimizer", actor)
        by = known if actor in classes else Actor("hand", words.event_call(event), where)
        ties.clears[by] += times


def times(n: int) -> str:
    """``×300``."""
    return f"×{count(n)}"


def done_by(actor: Actor, group: Group) -> str:
    """What the actor does to the leaves of a group, with numbers."""
    ties = group.ties
    said = []
    if ties.adds[actor]:
        said.append(tr("adds {times}", times=times(ties.adds[actor])))
    if ties.uses[actor]:
        said.append(tr("uses {times}", times=times(ties.uses[actor])))
    if ties.clears[actor]:
        said.append(tr("clears {times}", times=times(ties.clears[actor])))
    return words.phrases(said)


def lines(meeting: Meeting) -> tuple[str, ...]:
    """The map in words, a line for each group of leaves."""
    said = []
    for group in meeting.groups:
        by: Iterable[Actor] = dict.fromkeys(
            (*group.ties.adds, *group.ties.uses, *group.ties.clears)
        )
        done = words.clauses(f"{_called(actor)} {done_by(actor, group)}" for actor in by)
        odd = words.phrases(group.ties.remarks()) or group.ties.plainly()
        line = tr("{label}: {text}", label=group.label, text=done or tr("nothing"))
        said.append(f"{line} – {odd}" if odd else line)
    if meeting.left:
        more = ntr(
            "… and {n:,} more group of leaves", "… and {n:,} more groups of leaves", meeting.left
        )
        said.append(more)
    return tuple(said)


def _called(actor: Actor) -> str:
    title = words.short(actor.title)
    return f"{title} ({actor.where})" if actor.where else title

"""The events of a steady loop, recorded for whole teams of leaves.

A backward, a step or a ``zero_grad`` that is seen again, of an optimizer or at a line where it
has been recorded leaf by leaf before, is checked against what it did then: the same leaves, all
of them changed in the same way, nothing else touched in between. If so, the team's gradients
are read at once and booked once. Wherever anything is otherwise, nothing is recorded here and
the watchers do it leaf by leaf, from the same state: this is a short cut and decides
nothing. All of it is called under :meth:`Watch.light`.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from ipygradmagic.capture.books import Leaf, grad_key
from ipygradmagic.capture.leaves import GradNode, reach
from ipygradmagic.capture.owners import groups_of
from ipygradmagic.capture.recorder import MANY, RawChange, RawEvent, fill_added
from ipygradmagic.capture.snapshot import Look, dense, is_finite, is_zero, look
from ipygradmagic.capture.source import Here
from ipygradmagic.capture.teams import GRAD, MOST_READ, VERSION, Pack, Team, Way, ordinary
from ipygradmagic.capture.watch import BackwardPass, StepCall, Watch
from ipygradmagic.record.events import Kind
from ipygradmagic.record.tensors import SMALL, Holds

WALKED = 32
"""The graph is walked at every so-many-th backward of a line whose graph seems to be the same."""
MOST_SOLOS = 64
"""So many leaves are recorded here one by one."""
REMEMBERED = 256
"""So many past passes are remembered, to say which of them freed a graph."""
MOST_WAYS = 1000
"""So many lines and optimizers are remembered."""
_Key = TypeVar("_Key")


class Share(NamedTuple):
    """What an event did to one team; None stands for gradients that are None."""

    team: Team
    before: Pack | None
    after: Pack | None
    holds: Holds
    value_before: Pack | None = None
    value_after: Pack | None = None


Found = tuple[Leaf, Tensor | None, tuple[int, int], Look]
"""A leaf, its gradient after a backward (None if it is gone by now), its key, and a look at it."""


class Part(NamedTuple):
    """What an event did to one team, before it is booked."""

    team: Team
    before: Pack | None
    after: Pack | None
    value_before: Pack | None = None
    value_after: Pack | None = None


class Entry(NamedTuple):
    """An event that concerned whole teams, before it is booked.

    Attributes:
        kind, label, actor: What it is called, and who did it.
        here: Where.
        way: Its teams, and the order in which it lists their leaves.
        parts: What it did to each team.
        missed: Names of leaves that had nothing to be used.
        loss: That a backward started from.
        heard: What was added to small gradients that held something.
        number: Of the operation that made the loss.
        how: What was done to the gradients by an edit.
        changed: Whether that changed any number (of every gradient, or of none).
    """

    kind: Kind
    label: str
    actor: str
    here: Here
    way: Way
    parts: list[Part]
    missed: tuple[str, ...] = ()
    loss: float | None = None
    heard: Mapping[int, list[Look]] = {}
    number: int = 0
    how: str = ""
    changed: bool = True


class TeamEvent(RawEvent):
    """An event that concerned whole teams; its changes are told apart when somebody asks."""

    __slots__ = ("_changes", "_size", "changed", "heard", "order", "shares")

    def __init__(self, index: int, kind: Kind, number: int, label: str, here: Here) -> None:
        self._changes: list[RawChange] | None = []
        self.shares: list[Share] = []
        self.order: list[tuple[int, int]] = []
        self.heard: Mapping[int, list[Look]] = {}
        self.changed = True
        self._size = 1, 0
        super().__init__(index, kind, number, label, here)

    @property
    def changes(self) -> list[RawChange]:
        """One for each leaf, as if it had been recorded by itself."""
        if self._changes is None:
            apart = [self._apart(share) for share in self.shares]
            self._changes = [apart[k][i] for k, i in self.order if apart[k]]
        return self._changes

    @changes.setter
    def changes(self, changes: list[RawChange]) -> None:
        self._changes = changes

    def told(self, shares: list[Share], order: list[tuple[int, int]]) -> None:
        """What happened, in teams."""
        self.shares, self.order, self._changes = shares, order, None
        teams = [s.team for s in shares if s.before is not None or s.after is not None]
        copies = sum(t.layout.kept for t in teams if t.read)
        self._size = sum(len(t.leaves) for t in teams) + 1, copies

    def _apart(self, share: Share) -> list[RawChange]:
        team, kind = share.team, self.kind
        nothing: list[Look] = [None] * len(team.leaves)
        if share.before is None and share.after is None:
            return []
        before, after, old, new = [
            pack.looks() if pack is not None else nothing
            for pack in (share.before, share.after, share.value_before, share.value_after)
        ]
        changes: list[RawChange] = []
        for i, leaf in enumerate(team.leaves):
            change = RawChange(leaf, before[i], after[i], changed=kind != "step" and self.changed)
            change.value_before, change.value_after, change.holds = old[i], new[i], share.holds
            if kind == "backward":
                fill_added(change, self.heard.get(leaf.id))
            changes.append(change)
        return changes

    def short(self) -> tuple[object, ...] | None:
        """What tells its signature, without looking at single leaves."""
        if self.error is not None or self.continues is not None:
            return None
        parts = [
            (
                s.team.book,
                min(s.holds.count - s.holds.stale, MANY),
                s.holds.stale > 0,
                s.holds.note,
                s.holds.earlier > 0,
                s.before is None,
                s.after is None,
            )
            for s in self.shares
        ]
        return (self.kind, self.site, self.label, self.actor, self.missed, tuple(parts))

    def size(self) -> tuple[int, int]:
        """Changes, and elements of copied tensors."""
        return self._size

    def reduce(self) -> None:
        """Make the statistics now and let go of copies."""
        super().reduce()
        self.shares = [Share(share.team, None, None, share.holds) for share in self.shares]


class Express:
    """Records whole teams, or says that it cannot.

    Attributes:
        past: The last passes: index of the event, and number of the operation that made the loss.
        notes: Asked whether an entry of teams is kept by somebody else, to be booked later.
        booked: Told of one that has been booked.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.past: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self.notes: Callable[[Entry], bool] = lambda entry: False
        self.booked: Callable[[Entry, TeamEvent], None] = lambda entry, event: None
        self._lines: dict[int, Way] = {}
        self._steps: dict[int, Way] = {}
        self._zeros: dict[tuple[int, int], Way] = {}
        self._edits: dict[int, Way] = {}

    # -- learning ----------------------------------------------------------------------

    def learn_backward(self, current: BackwardPass, number: int) -> None:
        """A backward was recorded leaf by leaf."""
        first = current.first
        if first is None or first.index != self.watch.recorder.total:
            self._lines.pop(current.here.site, None)  # something happened within
            return
        leaves = [c.leaf.id for c in first.changes]
        if set(leaves) != set(current.reached):
            self._lines.pop(current.here.site, None)
            return
        known = self._lines.get(current.here.site)
        delta = number - known.number if known is not None else 0
        way = Way(leaves, current.actor, number=number, delta=delta)
        _remember(self._lines, current.here.site, way)

    def learn_step(self, call: StepCall) -> None:
        """A step was recorded leaf by leaf: its leaves may be one team from now on."""
        watch, optimizer = self.watch, call.optimizer
        if call.closure or watch.local.steps or watch.local.passes or not watch.alone():
            return
        owned = [leaf for leaf, _ in call.owned]
        way = Way([leaf.id for leaf in owned], call.name, weakref.ref(optimizer))
        way.given = parameters(optimizer)
        _remember(self._steps, id(optimizer), way)
        watch.teams.propose(id(optimizer), owned)
        watch.teams.make(watch.recorder.next)

    def learn_zero(self, owner: Any, name: str, site: int, leaves: Sequence[Leaf]) -> None:
        """A ``zero_grad`` was recorded leaf by leaf."""
        way = Way([leaf.id for leaf in leaves], name, weakref.ref(owner))
        if isinstance(owner, torch.optim.Optimizer):
            way.given = parameters(owner)
        _remember(self._zeros, (id(owner), site), way)

    # -- backward ----------------------------------------------------------------------

    def before_backward(self, outputs: Sequence[Tensor], args: Any) -> BackwardPass | None:
        """A pass that may be recorded by teams; None if it must be leaf by leaf."""
        watch = self.watch
        if len(outputs) != 1 or any(args[2:4]) or watch.books.retained or not self._calm():
            return None
        here = watch.sources.here()
        way = self._lines.get(here.site)
        if way is None or not self._found(way) or not self.same_graph(way, outputs):
            return None
        for leaf in way.solos:
            tensor = leaf.tensor()
            if tensor is None or tensor._version != leaf.version:
                return None
            if leaf.key != grad_key(tensor.grad) or leaf.exposed:
                return None
            if leaf.numel <= SMALL and look(tensor) != leaf.value:
                return None
        if not watch.teams.untouched(still=way.teams):
            return None
        current = BackwardPass(here, {}, way=way)
        current.actor, current.loss = way.actor, loss_of(outputs)
        if not watch.teams.read and current.loss is not None and not math.isfinite(current.loss):
            return None  # now it is worth reading
        current.teams, current.solos = list(way.teams), list(way.solos)
        self._listen(current, outputs)
        watch.passes.append(current)
        return current

    def same_graph(self, way: Way, outputs: Sequence[Tensor]) -> bool:
        """Whether this loss reaches the same leaves as the last one of its line.

        As many new operations since the last one make the same graph, where they lead to
        the same leaves (which is checked after the backward); every now and then, and when the
        number is another one, the graph is walked.
        """
        root = outputs[0].grad_fn
        if root is None:
            return False
        number = root._sequence_nr()
        delta, way.number = number - way.number, number
        if delta == way.delta and way.trusted < WALKED:
            way.trusted += 1
            return True
        way.delta, way.trusted = delta, 0
        found = reach(outputs).leaves
        return {id(tensor) for tensor, _ in found} == set(way.places)

    def _listen(self, current: BackwardPass, outputs: Sequence[Tensor]) -> None:
        """Hear what is added to small gradients that hold something."""
        small = [leaf for leaf in current.solos if leaf.numel <= SMALL and leaf.grad is not None]
        full = [leaf for leaf in small if not is_zero(leaf.grad)]
        for team in current.teams:
            if team.grads is not None and team.layout.small and not team.grads.zero:
                looks = team.grads.looks()
                full += [team.leaves[i] for i in team.layout.small if not is_zero(looks[i])]
        if full:
            nodes = {id(tensor): node for tensor, node in reach(outputs).leaves}
            for leaf in full:
                self._hear(current, leaf, nodes[leaf.place])

    def _hear(self, current: BackwardPass, leaf: Leaf, node: GradNode) -> None:
        heard = current.captured[leaf.id] = []

        def listen(gradients: Any) -> None:
            if gradients and gradients[0] is not None:
                with self.watch.light():
                    heard.append(look(gradients[0]))

        current.handles.append(node.register_prehook(listen))

    def after_backward(self, current: BackwardPass) -> bool:
        """Record the pass; False if it must be done leaf by leaf."""
        if current.teams:
            return self._after_teams(current)
        return bool(current.solos) and self._after_solos(current)

    def _after_solos(self, current: BackwardPass) -> bool:
        """A few leaves with histories of their own (those of a loop written by hand)."""
        watch = self.watch
        found: list[Found] = []
        for leaf in current.solos:
            tensor = leaf.tensor()
            grad = tensor.grad if tensor is not None else None
            if grad is None or grad.__class__ is not Tensor:
                return False
            key, slot = (id(grad), grad._version), watch.books.slot_of(grad)
            mine = slot is None or slot.id == leaf.slot
            if key == leaf.key or not mine or (slot is None) != (leaf.slot is None):
                return False
            if slot is not None and len(slot.holders) > 1:
                return False
            after = look(grad)
            if not is_finite(after):
                return False
            found.append((leaf, grad, key, after))
        for handle in current.handles:
            handle.remove()
        number = current.way.number if current.way is not None else 0
        current.first = self.book_solos(current, found, number)
        return True

    def book_solos(self, current: BackwardPass, found: Sequence[Found], number: int) -> RawEvent:
        """A pass that deposited into a few leaves, each in a buffer of its own.

        ``number`` is that of the operation that made the loss.
        """
        watch = self.watch
        event = watch.recorder.begin("backward", "backward", current.here)
        event.loss, event.actor = current.loss, current.actor
        site, ledger = event.site, watch.ledger
        for leaf, grad, key, after in found:
            if leaf.slot is None and grad is not None:
                leaf.slot = watch.books.slot_for(leaf, grad).id
            if leaf.slot is None:
                continue
            ledger.deposit(leaf.id, leaf.slot, event.index, event.number, site)
            change = RawChange(leaf, leaf.grad, after)
            fill_added(change, current.captured.get(leaf.id))
            change.holds = ledger.holds(leaf.slot)
            leaf.grad, leaf.key, leaf.since = after, key, None
            leaf.reached += 1
            event.changes.append(change)
        watch.everyone_else(event)
        watch.recorder.finish(event)
        self.past.append((event.index, number))
        return event

    def _after_teams(self, current: BackwardPass) -> bool:
        way = current.way
        if way is None:
            return False
        parts = deposited(current.teams)
        if parts is None:
            return False
        for handle in current.handles:
            handle.remove()
        given = (current.loss, current.captured, way.number)
        self._tell(
            Entry(
                "backward", "backward", current.actor, place(current.here), way, parts, (), *given
            )
        )
        return True

    # -- step --------------------------------------------------------------------------

    def before_step(
        self,
        optimizer: torch.optim.Optimizer,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        shell: FrameType | None,
    ) -> bool:
        """Whether the step that begins may be recorded by teams; it is on the list then."""
        if any(args[1:]) or kwargs or not self._calm():
            return False
        if getattr(optimizer, "found_inf", None) is not None:
            return False
        call = self._before_step(optimizer, shell)
        if call is None:
            return False
        self.watch.local.steps.append(call)
        self.watch.away = is_torchs(optimizer)
        return True

    def _before_step(
        self, optimizer: torch.optim.Optimizer, shell: FrameType | None
    ) -> StepCall | None:
        watch = self.watch
        way = self._steps.get(id(optimizer))
        if way is None or not self._found(way, optimizer):
            return None
        few = len(watch.books.leaves) <= MOST_READ
        if not watch.teams.untouched(still=way.teams if few else ()):
            return None
        here = watch.sources.here()
        watch.recorder.close_bursts()
        call = StepCall(optimizer, way.actor, here, watch.recorder.next, [], [], shell)
        call.way, call.teams = way, [(team, team.values) for team in way.teams]
        return call

    def after_step(self, call: StepCall) -> bool:
        """Whether the step has been recorded."""
        watch = self.watch
        watch.away = False
        if not call.teams or call.closures or not watch.teams.made:
            return False
        if call.way is None or call.way.generation != watch.teams.generation:
            return False
        optimizer = call.optimizer
        if getattr(optimizer, "found_inf", None) is not None:
            return False
        torchs_own = is_torchs(optimizer)
        taken: list[Pack | None] = []
        tensors_of: list[list[Tensor]] = []
        missed: list[str] = []
        for team, _ in call.teams:
            tensors = team.tensors()
            if tensors is None:
                return False
            if not torchs_own and not team.untouched(tensors):
                return False
            tensors_of.append(tensors)
            if team.grads is None:
                if not torchs_own or not team.unmoved(tensors):
                    return False
                missed += [leaf.name for leaf in team.leaves]
                taken.append(None)
            else:
                taken.append(team.pack(tensors))
        parts = []
        for (team, old), new, tensors in zip(call.teams, taken, tensors_of):
            if new is not None:
                team.put(tensors, new)
            parts.append(Part(team, team.grads, team.grads, old, new))
        label = f"{type(optimizer).__name__}.step"
        at = place(call.here)
        self._tell(Entry("step", label, call.name, at, call.way, parts, tuple(missed)))
        return True

    # -- zero_grad ---------------------------------------------------------------------

    def before_zero(self, owner: Any) -> tuple[Way, Here] | None:
        """A ``zero_grad`` that may be recorded by teams; None if it must be leaf by leaf."""
        if not self._calm():
            return None
        watch = self.watch
        here = watch.sources.here()
        way = self._zeros.get((id(owner), here.site))
        if way is None or not self._found(way, owner):
            return None
        large = len(watch.books.leaves) > MOST_READ
        if not watch.teams.untouched(but=way.teams if large else ()):
            return None
        return way, here

    def after_zero(self, owner: Any, ticket: tuple[Way, Here]) -> bool:
        """Whether the ``zero_grad`` has been recorded."""
        watch = self.watch
        way, here = ticket
        if not watch.teams.made or way.generation != watch.teams.generation:
            return False
        taken: list[tuple[list[Tensor], Pack] | None] = []
        for team in way.teams:
            tensors = team.tensors()
            if tensors is None:
                return False
            grads = list(map(GRAD, tensors))
            empty = [grad is None for grad in grads]
            if all(empty):
                taken.append(None)
                continue
            if team.grads is None or any(empty) or list(map(id, grads)) != team.grad_ids:
                return False
            pack = team.pack(grads, emptied=True)
            if not pack.zero:
                return False
            taken.append((grads, pack))
        parts = []
        for team, new in zip(way.teams, taken):
            parts.append(Part(team, team.grads, new[1] if new is not None else None))
            if new is not None:
                team.take(*new)
            elif team.grads is not None:
                team.drop()
        label = f"{type(owner).__name__}.zero_grad"
        self._tell(Entry("zero_grad", label, way.actor, place(here), way, parts))
        return True

    # -- clipping ----------------------------------------------------------------------

    def before_edit(self, targets: Sequence[Tensor], here: Here) -> Way | None:
        """All gradients that there are will be edited at once; None if leaf by leaf.

        (A model at a time, or a dtype at a time, is one event of several calls.)
        """
        teams = [team for team in self.watch.teams.made if team.grads is not None]
        if not teams or not self.watch.teams.read or not self._calm():
            return None
        ids = list(map(id, targets))
        way = self._edits.get(here.site)
        if way is None or way.generation != self.watch.teams.generation or way.teams != teams:
            at = {g: (k, i) for k, team in enumerate(teams) for i, g in enumerate(team.grad_ids)}
            order = [at[g] for g in ids if g in at]
            way = Way([], "", generation=self.watch.teams.generation, teams=teams, order=order)
            _remember(self._edits, here.site, way)
        if [way.teams[k].grad_ids[i] for k, i in way.order] != ids:
            del self._edits[here.site]
            return None
        whole = sum(len(team.leaves) for team in teams) == len(ids)
        return way if whole and self.watch.teams.untouched() else None

    def after_edit(self, way: Way, here: Here, label: str, how: str) -> bool:
        """Whether the edit has been recorded."""
        parts, taken, changed = [], [], set[bool]()
        for team in way.teams:
            tensors = team.tensors()
            grads = list(map(GRAD, tensors)) if tensors is not None else []
            if list(map(id, grads)) != team.grad_ids or team.grads is None:
                return False
            pack = team.pack(grads)
            changed.update(pack.differs(team.grads))
            if len(changed) != 1 or not pack.finite or pack.zero:
                return False
            parts.append(Part(team, team.grads, pack))
            taken.append((team, grads, pack))
        for team, grads, pack in taken:
            team.take(grads, pack)
        at = place(here)
        self._tell(Entry("edit", label, "", at, way, parts, how=how, changed=changed.pop()))
        return True

    # -- all ---------------------------------------------------------------------------

    def _tell(self, entry: Entry) -> None:
        if not self.notes(entry):
            self.booked(entry, self.book(entry))

    def book(self, entry: Entry) -> TeamEvent:
        """Enter it into the ledger, and make an event of it."""
        watch, ledger, kind = self.watch, self.watch.ledger, entry.kind
        event = watch.recorder.begin(kind, entry.label, entry.here, TeamEvent)
        assert isinstance(event, TeamEvent)
        tell(event, entry)
        index, site, number = event.index, event.site, event.number
        if kind == "step":
            books = [(part.team.book, part.team.book) for part in entry.parts]
            ledger.step(entry.actor, books, index, site, number, began=index)
        shares = []
        for team, before, after, *values in entry.parts:
            book = team.book
            if kind == "backward":
                ledger.deposit(book, book, index, number, site)
            elif kind == "zero_grad" and after is not None:
                ledger.clear(book, book, index, site)
            elif kind == "zero_grad" and before is not None:
                ledger.detach(book, book, index, site)
            elif kind == "edit":
                ledger.edit(book, book, index, site, entry.how, number, changed=entry.changed)
            shares.append(Share(team, before, after, ledger.holds(book), *values))
        event.told(shares, entry.way.order)
        if kind != "edit":
            event.unchanged = max(0, len(watch.books.leaves) - event.size()[0] + 1)
        watch.recorder.finish(event)
        watch.teams.used += 1
        if kind == "backward":
            self.past.append((index, entry.number))
        return event

    def _calm(self) -> bool:
        """Nothing else is going on: no other thread, no pass, no step, no mode, no death."""
        watch = self.watch
        local = watch.local
        return (
            not local.steps
            and not local.passes
            and not local.quiet
            and not watch.books.deaths()
            and not watch.discovery.births
            and watch.alone()
            and not torch._C._len_torch_function_stack()
            and not torch._C._len_torch_dispatch_stack()
        )

    def _found(self, way: Way, owner: Any = None) -> bool:
        """Whether teams of now consist of exactly the leaves of this way, and are the owner's."""
        teams = self.watch.teams
        given: list[int] | None = None
        if owner is not None:
            if way.owner is None or way.owner() is not owner:
                return False
            if isinstance(owner, torch.optim.Optimizer):
                given = parameters(owner)
                if given != way.given:
                    return False
        if not teams.made:
            return self._found_solos(way)
        if way.generation != teams.generation:
            way.generation = teams.generation
            way.teams, way.order, way.places, way.solos = [], [], [], []
            covering = teams.covering(way.leaves)
            if covering is not None and (given is None or self._known(given) == way.leaves):
                way.teams, way.order = covering
                way.places = [way.teams[k].places[i] for k, i in way.order]
        return bool(way.teams)

    def _found_solos(self, way: Way) -> bool:
        """The same where nobody is in a team: the leaves themselves, if they are few."""
        if way.generation != -1:
            way.generation = -1
            way.teams, way.order, way.places, way.solos = [], [], [], []
            known = self.watch.books.leaves
            leaves = [known[i] for i in way.leaves if i in known]
            alive = [leaf.tensor() for leaf in leaves]
            plain = all(t is not None and ordinary(t) for t in alive)
            if plain and len(leaves) == len(way.leaves) <= MOST_SOLOS:
                way.solos = leaves
                way.places = [leaf.place for leaf in leaves]
        return bool(way.solos)

    def _known(self, places: Sequence[int]) -> list[int]:
        """The leaves at these identities."""
        by_place = self.watch.books.by_place
        return [by_place[place].id for place in places if place in by_place]


def tell(event: TeamEvent, entry: Entry) -> None:
    """What an event says that does not hang on the books."""
    event.actor = entry.actor if entry.kind != "edit" else None
    event.missed, event.loss = entry.missed, entry.loss
    event.heard, event.changed = entry.heard, entry.changed


def place(here: Here) -> Here:
    """The same without the frame, whose variables would live on with it."""
    return Here(here.site, None, here.via)


def is_torchs(optimizer: torch.optim.Optimizer) -> bool:
    """An optimizer of torch's own that calls nobody else's hooks: it writes no gradient."""
    if not type(optimizer).__module__.startswith("torch.optim."):
        return False
    return not (optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks)


def parameters(optimizer: torch.optim.Optimizer) -> list[int]:
    """Identities of all its parameters, in order."""
    groups = groups_of(optimizer) or []
    if len(groups) == 1:
        return list(map(id, groups[0]["params"]))
    return [id(p) for group in groups for p in group["params"]]


def loss_of(outputs: Sequence[Tensor]) -> float | None:
    """The number that a backward starts from, if it is one number."""
    if len(outputs) != 1 or outputs[0].numel() != 1:
        return None
    loss = outputs[0]
    if loss.__class__ is Tensor and loss.is_floating_point() and dense(loss):
        return float(loss.item())
    value = look(loss)
    first = value[0] if isinstance(value, tuple) and value else None
    return float(first) if isinstance(first, (int, float)) else None


def _remember(ways: dict[_Key, Way], key: _Key, way: Way) -> None:
    if len(ways) >= MOST_WAYS:
        ways.clear()
    ways[key] = way


def deposited(teams: Sequence[Team]) -> list[Part] | None:
    """What a backward left in teams, which have it now; None if it must be looked at leaf by leaf."""
    taken: list[tuple[list[Tensor], Pack]] = []
    for team in teams:
        grads = _all_changed(team)
        if grads is None:
            return None
        pack = team.pack(grads)
        if not pack.finite:
            return None
        taken.append((grads, pack))
    parts = []
    for team, (grads, pack) in zip(teams, taken):
        parts.append(Part(team, team.grads, pack))
        team.reached += 1
        team.take(grads, pack)
    return parts


def _all_changed(team: Team) -> list[Tensor] | None:
    """The gradients, if every one of them is new or was written; they are ordinary tensors."""
    tensors = team.tensors()
    if tensors is None:
        return None
    grads = list(map(GRAD, tensors))
    if set(map(type, grads)) != {Tensor}:
        return None
    if team.grads is not None:
        ids, versions = map(id, grads), map(VERSION, grads)
        seen = zip(team.grad_ids, team.grad_versions)
        if any(now == then for now, then in zip(zip(ids, versions), seen)):
            return None
    return grads

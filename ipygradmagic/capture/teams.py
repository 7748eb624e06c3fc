"""Leaves that go through everything together are watched, and booked, as one.

In a training loop all parameters of an optimizer receive, are used and are emptied in the same
events, so they have one history, and what is kept of each can be kept once. A :class:`Team` is
such a set of leaves: its gradients are read into one flat copy, and the ledger books it under one
number. Whoever wants to know about a single leaf has the teams *parted* first: each leaf then
has its own fields, slot and account again, as if it had never been in a team. Every section of
ours that is guarded does so, which is what makes the short cuts of :mod:`express` safe.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.books import Books, Leaf, grad_key, grad_of, storage_of
from ipygradmagic.capture.patience import Patience
from ipygradmagic.capture.snapshot import (
    EXACT,
    MIDDLE,
    Copy,
    Look,
    Measured,
    Part,
    Unread,
    dense,
    join,
    kept,
    look,
    measure,
)
from ipygradmagic.record.tensors import SMALL

MOST_TEAMS = 8
"""Leaves of one optimizer with more histories than this are left alone."""
MOST_READ = 64
"""Up to this many tensors, small ones are read even where nothing says that they changed."""
LONGEST_WAIT = 10_000
"""Events after which teams are tried again at the latest, if they never last."""

GRAD = attrgetter("grad")
VERSION = attrgetter("_version")
NONE = type(None)


class Layout:
    """Where the tensors of a team lie in a flat copy of them; large ones are measured instead.

    Tensors that differ in their first dimension only lie side by side: torch joins those as they
    are, in a third of the time that it takes to flatten each.

    Args:
        shapes: Of each.
    """

    __slots__ = (
        "copied",
        "copies",
        "counts",
        "groups",
        "kept",
        "large",
        "places",
        "sizes",
        "small",
        "starts",
    )

    def __init__(self, shapes: Sequence[Sequence[int]]) -> None:
        self.sizes = sizes = list(map(math.prod, shapes))
        self.large = [i for i, n in enumerate(sizes) if n > MIDDLE]
        alike: dict[object, list[int]] = {}
        for i, shape in enumerate(shapes):
            if sizes[i] <= MIDDLE:
                alike.setdefault(tuple(shape[1:]) if shape else None, []).append(i)
        self.groups = list(alike.values())
        self.copied = [i for group in self.groups for i in group]
        self.starts: dict[int, int] = {}
        self.places: dict[int, int] = {}
        self.copies = 0
        self.kept = sum(map(kept, sizes))
        for k, i in enumerate(self.copied):
            self.starts[i], self.places[i] = self.copies, k
            self.copies += sizes[i]
        self.small = [i for i in self.copied if sizes[i] <= SMALL]
        self.counts = [sizes[i] for i in self.copied]


class Pack:
    """Looks at all tensors of a team, taken at one moment.

    Args:
        layout: Where each of them goes.
        tensors: They; nothing to leave them unread.
        dtype: Theirs.
        emptied: They were filled with zeros just now.
    """

    __slots__ = ("_looks", "copy", "emptied", "large", "layout", "read")

    def __init__(
        self,
        layout: Layout,
        tensors: Sequence[Tensor],
        dtype: torch.dtype,
        emptied: bool = False,
    ) -> None:
        self.layout = layout
        self.emptied = emptied
        self.read = bool(tensors)
        self.copy: Copy | None = None
        self.large: dict[int, Measured] = {}
        self._looks: list[Look] | None = None
        if not tensors:
            return
        if layout.copied:
            data = join([[tensors[i] for i in group] for group in layout.groups])
            if data.dtype is not dtype or data.numel() != layout.copies:
                raise LookupError("a team's tensors are not what they were")
            self.copy = Copy(data, layout.counts)
        self.large = {i: measure(tensors[i]) for i in layout.large}

    @property
    def finite(self) -> bool:
        """No element of any is NaN or infinite."""
        good = self.copy is None or self.copy.finite
        return good and all(m.finite for m in self.large.values())

    @property
    def zero(self) -> bool:
        """All of them are zero."""
        if not self.read:
            return self.emptied
        good = self.copy is None or self.copy.zero
        return good and all(m.zero for m in self.large.values())

    def differs(self, other: Pack) -> Iterator[bool]:
        """Whether they are other numbers than those: of each tensor, or of all at once."""
        if self.copy is not None and other.copy is not None:
            mine, its = self.copy.data, other.copy.data
            firsts = torch.tensor([s for s in self.layout.starts.values() if s < len(mine)])
            if torch.equal(mine, its):
                yield False
            elif bool((mine[firsts] != its[firsts]).all()):
                yield True
            else:
                counts = self.layout.counts
                spans = zip(torch.split(mine, counts), torch.split(its, counts))
                yield from (not torch.equal(a, b) for a, b in spans)
        yield from (self.large[i] != other.large[i] for i in self.layout.large)

    def looks(self) -> list[Look]:
        """One for each tensor."""
        if self._looks is None:
            self._looks = [self._look(i) for i in range(len(self.layout.sizes))]
        return self._looks

    def _look(self, i: int) -> Look:
        if not self.read:
            return Unread(self.layout.sizes[i], self.emptied)
        if self.copy is None or i in self.large:
            return self.large[i]
        start, n = self.layout.starts[i], self.layout.sizes[i]
        if n <= SMALL:
            return tuple(self.copy.data[start : start + n].tolist())
        return Part(self.copy, self.layout.places[i], start)


class Team:
    """Leaves with one history, and what was last seen of them.

    Attributes:
        leaves: Its members.
        book: The number that stands for them in the ledger.
        grads: The gradients as last seen; None while every one of them is None.
        values: The parameters as last seen.
        reached: Deposits since it was made.
    """

    __slots__ = (
        "_addresses",
        "_dead",
        "book",
        "dtype",
        "grad_ids",
        "grad_versions",
        "grads",
        "layout",
        "leaves",
        "places",
        "reached",
        "read",
        "refs",
        "value_versions",
        "values",
    )

    def __init__(self, pairs: Sequence[tuple[Leaf, Tensor]], read: bool = True) -> None:
        self.read = read
        self.leaves = [leaf for leaf, _ in pairs]
        self._dead: list[object] = []
        self.refs = [weakref.ref(tensor, self._dead.append) for _, tensor in pairs]
        self.places = [id(tensor) for _, tensor in pairs]
        self.layout = Layout([tensor.shape for _, tensor in pairs])
        self.dtype = pairs[0][1].dtype
        self.book = self.reached = 0
        tensors = [tensor for _, tensor in pairs]
        self.values = self.pack(tensors)
        self.value_versions = list(map(VERSION, tensors))
        self.grads: Pack | None = None
        self._addresses: set[int] | None = None
        self.grad_ids: list[int] = []
        self.grad_versions: list[int] = []
        grads = list(map(GRAD, tensors))
        if grads[0] is not None:
            self.take(grads, self.pack(grads))

    def tensors(self) -> list[Tensor] | None:
        """The members, if all of them live."""
        return None if self._dead else [ref() for ref in self.refs]  # type: ignore[misc]

    def pack(self, tensors: Sequence[Tensor], emptied: bool = False) -> Pack:
        """Looks at the members' gradients or values.

        Raises:
            LookupError: They are not of the dtype and sizes that they were of.
        """
        return Pack(self.layout, tensors if self.read else (), self.dtype, emptied)

    def take(self, grads: Sequence[Tensor], pack: Pack) -> None:
        """These are the gradients now."""
        self.grads, self._addresses = pack, None
        self.grad_ids, self.grad_versions = list(map(id, grads)), list(map(VERSION, grads))

    def drop(self) -> None:
        """Every gradient is None now."""
        self.grads, self.grad_ids, self.grad_versions = None, [], []
        self._addresses = None

    def owns(self, address: int, again: bool = False) -> bool:
        """Whether the storage at this address is that of a member's gradient (look ``again``)."""
        if self._addresses is None or again:
            grads = map(GRAD, self.tensors() or ())
            self._addresses = {storage_of(grad) for grad in grads if grad is not None}
        return address in self._addresses

    def put(self, tensors: Sequence[Tensor], pack: Pack) -> None:
        """These are the values now."""
        self.values, self.value_versions = pack, list(map(VERSION, tensors))

    def stands(self, values: bool) -> bool:
        """Whether all is as it was last seen: the members live, their gradients are untouched,
        and the version counters of their ``values`` have not moved (if these are asked for)."""
        if self._dead:
            return False
        tensors = [ref() for ref in self.refs]
        grads = list(map(GRAD, tensors))
        if self.grads is None:
            still = set(map(type, grads)) == {NONE}
        else:
            still = list(map(id, grads)) == self.grad_ids
            still = still and list(map(VERSION, grads)) == self.grad_versions
        if not still:
            return False
        return not values or list(map(VERSION, tensors)) == self.value_versions

    def untouched(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the gradients are the tensors that were last seen, at the same versions."""
        grads = list(map(GRAD, tensors))
        if self.grads is None:
            return all(grad is None for grad in grads)
        if list(map(id, grads)) != self.grad_ids:
            return False
        return list(map(VERSION, grads)) == self.grad_versions

    def unmoved(self, tensors: Sequence[Tensor]) -> bool:
        """Whether the parameters' version counters stand where they stood."""
        return list(map(VERSION, tensors)) == self.value_versions


@dataclass(slots=True)
class Way:
    """The leaves of one event, and where the teams of now have them.

    Attributes:
        leaves: Their ids, in the order in which the event lists them.
        actor: Name of the optimizer, the module, or the losses.
        owner: The optimizer or module.
        generation: Of the teams that ``teams`` and ``order`` are about.
        teams: Those that consist of exactly these leaves; empty if there are none such.
        order: For each leaf the team and the place in it.
        solos: The leaves themselves, while nobody is in a team.
        places: Identities of the leaves' tensors, in the same order.
        given: Identities of all parameters of the optimizer, leaves or not.
        number: Sequence number of the last loss's ``grad_fn``.
        delta: By how much it had grown since the one before.
        trusted: Backwards since the graph was last walked.
    """

    leaves: list[int]
    actor: str
    owner: weakref.ref[Any] | None = None
    generation: int = 0
    teams: list[Team] = field(default_factory=list)
    order: list[tuple[int, int]] = field(default_factory=list)
    solos: list[Leaf] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    number: int = 0
    delta: int = 0
    trusted: int = 0


class Teams:
    """The teams of one trace: made, asked, parted.

    Args:
        books: The leaves and slots, with the ledger.

    Attributes:
        made: Those of now.
        read: Whether their numbers are read, or only their events told (level ``events``).
        generation: How many times they were made.
        used: Events that were told by them since.
    """

    def __init__(self, books: Books) -> None:
        self.books = books
        self.read = True
        self.made: list[Team] = []
        self.generation = 0
        self.used = 0
        self._others: list[Leaf] = []
        self._candidates: dict[int, list[Leaf]] = {}
        self._patience = Patience(LONGEST_WAIT)
        self._over = False  # memory of a leaf or a gradient was handed out

    # -- making ------------------------------------------------------------------------

    def propose(self, owner: int, leaves: Sequence[Leaf]) -> None:
        """These leaves may go together: one optimizer has stepped them."""
        if len(leaves) > 1:
            self._candidates[owner] = list(leaves)

    def make(self, event: int) -> None:
        """Bond the leaves that have one history by now, unless that failed a short while ago."""
        if self.made or self._over or not self._candidates or not self._patience.ready(event):
            return
        try:
            self._make()
        except Exception:
            self.part(event)
            raise
        if not self.made:
            self._patience.failed(event)

    def _make(self) -> None:
        taken: set[int] = set()
        for leaves in self._candidates.values():
            pairs = [(leaf, leaf.tensor()) for leaf in leaves if leaf.id not in taken]
            some = [(leaf, t) for leaf, t in pairs if t is not None and self._eligible(leaf, t)]
            taken.update(leaf.id for leaf, _ in some)
            groups = self._groups(some)
            if len(groups) <= MOST_TEAMS:
                for group in groups:
                    self._bond(group)
        members = {leaf.id for team in self.made for leaf in team.leaves}
        self._others = [leaf for leaf in self.books.leaves.values() if leaf.id not in members]
        self.generation += 1
        self.used = 0

    def _eligible(self, leaf: Leaf, tensor: Tensor) -> bool:
        """An ordinary leaf with an ordinary gradient, or none, in memory of its own."""
        if leaf.kind != "leaf" or leaf.undo is not None or not leaf.numel:
            return False
        if self.books.leaves.get(leaf.id) is not leaf or not ordinary(tensor):
            return False
        grad = tensor.grad
        if grad is None or leaf.slot is None:
            return grad is None and leaf.slot is None and leaf.key is None
        slot = self.books.slots.get(leaf.slot)
        alone = slot is not None and slot.holders == {leaf.id} and grad_key(grad) == leaf.key
        return alone and ordinary(grad) and grad.dtype is tensor.dtype

    def _groups(self, pairs: list[tuple[Leaf, Tensor]]) -> list[list[tuple[Leaf, Tensor]]]:
        kinds: dict[object, list[tuple[Leaf, Tensor]]] = {}
        for leaf, tensor in pairs:
            kind = (tensor.dtype, tensor.device, leaf.key is None, tuple(leaf.owners))
            kinds.setdefault(kind, []).append((leaf, tensor))
        found: list[list[tuple[Leaf, Tensor]]] = []
        for some in kinds.values():
            alike = self.books.ledger.alike([(leaf.id, leaf.slot) for leaf, _ in some])
            found += [[some[i] for i in places] for places in alike]
        return found

    def _bond(self, pairs: list[tuple[Leaf, Tensor]]) -> None:
        try:
            with torch.no_grad():
                team = Team(pairs, self.read)
        except LookupError:
            return
        if team.grads is not None and not team.grads.finite:
            return
        team.book = self.books.ledger.bond([(leaf.id, leaf.slot) for leaf in team.leaves])
        for leaf in team.leaves:
            self.books.let_go(leaf)
        self.made.append(team)

    # -- parting -----------------------------------------------------------------------

    def part(self, event: int) -> None:
        """Every leaf has its own fields, slot and account again."""
        made = self.give_up()
        self._patience.lasted(self.used, event)
        for team in made:
            self._part(team)

    def renounce(self) -> None:
        """No more teams: something may change that cannot be told without reading."""
        self._over = True

    def give_up(self) -> list[Team]:
        """No team any more, and no weak reference left (``swap_tensors`` refuses those)."""
        made, self.made = self.made, []
        for team in made:
            team.refs.clear()
        return made

    def _part(self, team: Team) -> None:
        grads = team.grads.looks() if team.grads is not None else [None] * len(team.leaves)
        values = team.values.looks()
        for i, leaf in enumerate(team.leaves):
            leaf.grad, leaf.value, leaf.version = grads[i], values[i], team.value_versions[i]
            leaf.key = leaf.slot = None
            if team.grads is not None:
                leaf.key = team.grad_ids[i], team.grad_versions[i]
                leaf.slot = self.books.slot_seen(leaf, team.grad_ids[i]).id
            if team.reached:
                leaf.reached += team.reached
                leaf.since = None
        self.books.ledger.part(team.book, [(leaf.id, leaf.slot) for leaf in team.leaves])

    # -- asking ------------------------------------------------------------------------

    def untouched(self, but: Iterable[Team] = (), still: Sequence[Team] = ()) -> bool:
        """Whether every known gradient is as it was last seen, except perhaps those of ``but``.

        The parameters of ``still`` have to stand where they stood, too.
        """
        for team in self.made:
            if team not in but and not team.stands(team in still):
                return False
        others = self._others if self.made else self.books.leaves.values()
        return all(_unchanged(leaf, self._over) for leaf in others)

    def owns(self, address: int) -> bool:
        """Whether a member's gradient lies in the storage at this address."""
        return any(team.grads is not None and team.owns(address) for team in self.made)

    def covering(self, leaves: Sequence[int]) -> tuple[list[Team], list[tuple[int, int]]] | None:
        """The teams that consist of exactly these leaves, and where among them each one is."""
        at = {leaf.id: (k, i) for k, t in enumerate(self.made) for i, leaf in enumerate(t.leaves)}
        order = [at.get(leaf) for leaf in leaves]
        places = [place for place in order if place is not None]
        wanted = list(dict.fromkeys(k for k, _ in places))
        members = sum(len(self.made[k].leaves) for k in wanted)
        if len(places) < len(order) or members != len(order) or not order:
            return None
        return [self.made[k] for k in wanted], [(wanted.index(k), i) for k, i in places]


def ordinary(tensor: Tensor) -> bool:
    """A dense tensor of real numbers, of torch's own classes."""
    return tensor.__class__ in EXACT and dense(tensor) and tensor.numel() > 0


def _unchanged(leaf: Leaf, read: bool) -> bool:
    """The gradient is the tensor that was last seen, at the same version (and numbers)."""
    tensor = leaf.tensor()
    if tensor is None:
        return False
    grad = grad_of(leaf, tensor)
    if grad_key(grad) != leaf.key:
        return False
    return not read or leaf.numel > SMALL or look(grad) == leaf.grad

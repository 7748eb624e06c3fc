"""Which tensor is which, across cells: stable numbers for leaves and for gradient buffers.

During a trace a leaf is known by a weak reference. A live weak reference makes
``torch.utils.swap_tensors`` raise (Python's and C++'s alike), so between traces none is kept:
there a leaf is known by its address and a gradient by a weak reference to its *storage*,
which no swap minds. The books therefore never claim that a gradient is the one they know
unless its very memory is.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Protocol, cast

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef as _TorchStorageWeakRef

from ipygradmagic.capture.snapshot import Look
from ipygradmagic.record.ledger import Ledger
from ipygradmagic.record.source import SourceLocation

GradKey = tuple[int, int] | None
MOST_SPARE = 4096
"""Slots that were given back and are kept for the next gradients."""


class StorageWeakRef(Protocol):
    """What is used of torch's weak reference to a storage."""

    cdata: int

    def expired(self) -> bool:
        """The memory is gone."""
        ...


def storage_of(tensor: Tensor) -> int:
    """Address of the StorageImpl behind a tensor; 0 if it has none that can be told."""
    try:
        return int(torch._C._storage_address(tensor))  # type: ignore[attr-defined]
    except (RuntimeError, NotImplementedError, AttributeError, TypeError):
        return 0


def overlap(one: Tensor, other: Tensor) -> bool:
    """Whether two dense tensors of one storage share memory (True where it can't be told)."""
    try:
        a, b = one.data_ptr(), other.data_ptr()
        if a == b and one.numel() and other.numel():
            return True
        return a < b + _extent(other) and b < a + _extent(one)
    except (RuntimeError, NotImplementedError):
        return True


def span_of(tensor: Tensor) -> tuple[int, int]:
    """From the first address of a tensor's memory to behind its last; all, if it can't be told."""
    try:
        start = tensor.data_ptr()
        return start, start + max(_extent(tensor), 1)
    except (RuntimeError, NotImplementedError, ValueError):
        return 0, 1 << 64


def _extent(tensor: Tensor) -> int:
    if not tensor.numel():
        return 0
    steps = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride()))
    return (steps + 1) * tensor.element_size()


def grad_key(grad: Tensor | None) -> GradKey:
    """Identity and version of a gradient: unequal keys mean that it changed."""
    if grad is None:
        return None
    try:
        return id(grad), grad._version
    except RuntimeError:  # made under inference_mode: no version counter
        return id(grad), -1


def grad_of(leaf: Leaf, tensor: Tensor) -> Tensor | None:
    """``tensor.grad``, without the warning that torch gives for a non-leaf."""
    if not leaf.parameter and not _keeps_grad(tensor):
        return None
    return tensor.grad


def _keeps_grad(tensor: Tensor) -> bool:
    try:
        return tensor.is_leaf or tensor.retains_grad
    except (RuntimeError, ValueError):
        return False


class Leaf:
    """A tensor that owns a ``.grad`` slot, and what was last seen of it."""

    __slots__ = (
        "_died",
        "_ref",
        "aliases",
        "asked",
        "born",
        "data",
        "device",
        "dtype",
        "exposed",
        "generation",
        "grad",
        "id",
        "key",
        "kind",
        "name",
        "numel",
        "owners",
        "parameter",
        "place",
        "reached",
        "registered",
        "requires_grad",
        "shape",
        "since",
        "slot",
        "thread",
        "undo",
        "undone_by",
        "value",
        "version",
        "was",
    )

    def __init__(
        self,
        number: int,
        tensor: Tensor,
        kind: str = "leaf",
        died: Callable[[weakref.ref[Tensor]], object] | None = None,
    ) -> None:
        self.id = number
        self._died = died
        self.kind = kind
        self.name = ""
        self.aliases: tuple[str, ...] = ()
        self.generation = 1
        self.parameter = isinstance(tensor, torch.nn.Parameter)
        self.registered = not self.parameter
        self.owners: dict[str, None] = {}
        self.reached = 0
        self.born = -1
        self.asked = -1
        self.place = id(tensor)
        self.grad: Look = None
        self.value: Look = None
        self.key: GradKey = None
        self.version = 0
        self.slot: int | None = None
        self.since: SourceLocation | None = None
        self.undo: Look = None  # the value before the last update by hand
        self.undone_by = 0  # the site of that update
        self.exposed = False  # its memory was handed out: its version proves nothing
        self.data = False  # an input of torch.autograd.grad
        self.thread = 0  # the thread that last worked on it; 0 is none
        self.was: StorageWeakRef | None = None
        self.bind(tensor)

    def bind(self, tensor: Tensor) -> None:
        """Point at the live tensor (weakly) and take over its outward facts."""
        self._ref: weakref.ref[Tensor] | None = weakref.ref(tensor, self._died)
        self.place = id(tensor)
        self.describe(tensor)

    def describe(self, tensor: Tensor) -> None:
        """Shape, dtype, device as they are now."""
        lazy = torch.nn.parameter.is_lazy(tensor)
        self.shape = () if lazy else tuple(tensor.shape)
        self.numel = 0 if lazy else tensor.numel()
        self.dtype = str(tensor.dtype).removeprefix("torch.")
        self.device = str(tensor.device)
        self.requires_grad = tensor.requires_grad

    def tensor(self) -> Tensor | None:
        """The tensor, if it is alive and a trace is running."""
        return self._ref() if self._ref is not None else None

    def loosen(self) -> None:
        """Drop the weak reference."""
        self._ref = None


class Slot:
    """A gradient buffer: the leaves that share it.

    One storage may hold several: the backward of ``torch.cat`` hands out pieces of one gradient.

    Attributes:
        address: Of the storage; 0 if it cannot be told.
        span: First and last address of the buffer in it.
    """

    __slots__ = ("address", "holders", "id", "span", "version", "weak")

    def __init__(self, number: int, address: int) -> None:
        self.id = number
        self.address = address
        self.span = (0, 0)
        self.holders: set[int] = set()
        self.version = 0
        self.weak: StorageWeakRef | None = None


class Books:
    """Leaves and slots by identity, and the ledger of what they hold."""

    def __init__(self) -> None:
        self.leaves: dict[int, Leaf] = {}
        self.by_place: dict[int, Leaf] = {}
        self.slots: dict[int, Slot] = {}
        self.by_address: dict[int, list[Slot]] = {}
        self.values: dict[int, list[Leaf]] = {}
        self.generations: dict[str, int] = {}
        self.retired: dict[int, str] = {}
        self.retained: set[int] = set()
        self.ledger = Ledger(self.name_of)
        self._dead: list[object] = []
        self._spare: list[Slot] = []
        self._next_leaf = 1
        self._next_slot = 1

    # -- leaves ------------------------------------------------------------------------

    def find(self, tensor: Tensor) -> Leaf | None:
        """The leaf of a tensor, if it is known."""
        leaf = self.by_place.get(id(tensor))
        return leaf if leaf is not None and leaf.tensor() is tensor else None

    def add(self, tensor: Tensor, kind: str = "leaf") -> Leaf:
        """Open the books for a tensor, or reopen them for one known from an earlier trace."""
        leaf = self.by_place.get(id(tensor))
        if leaf is not None and leaf._ref is None and self._same(leaf, tensor):
            leaf.bind(tensor)
        else:
            leaf = Leaf(self._next_leaf, tensor, kind, self._dead.append)
            self._next_leaf += 1
            self.leaves[leaf.id] = leaf
            self.by_place[id(tensor)] = leaf
        if leaf.kind == "retained":
            self.retained.add(leaf.id)
        self._lies(leaf, tensor)
        return leaf

    @staticmethod
    def _same(leaf: Leaf, tensor: Tensor) -> bool:
        """Whether what now lies at a leaf's address can be that leaf.

        Its own memory, or its gradient's, proves it; without either an equal address may be a
        newly made tensor, so the books are not reopened.
        """
        if leaf.was is not None and not leaf.was.expired():
            now = _weak_storage(tensor)
            return now is not None and leaf.was.cdata == now.cdata
        return False

    def name_of(self, leaf_id: int) -> str:
        """What a leaf is called, also after its death."""
        leaf = self.leaves.get(leaf_id)
        return leaf.name if leaf is not None else self.retired.get(leaf_id, "")

    def rename(self, leaf: Leaf, name: str) -> None:
        """Give a leaf its name and its generation among those of that name."""
        if leaf.name == name and name in self.generations:
            return
        leaf.name = name
        leaf.generation = self.generations.get(name, 0) + 1
        self.generations[name] = leaf.generation

    def alive(self) -> list[tuple[Leaf, Tensor]]:
        """Every known leaf whose tensor is alive."""
        pairs = [(leaf, leaf._ref()) for leaf in self.leaves.values() if leaf._ref is not None]
        return [(leaf, tensor) for leaf, tensor in pairs if tensor is not None]

    def deaths(self) -> bool:
        """Whether a leaf has died that is not buried yet."""
        return bool(self._dead)

    def bury(self) -> None:
        """Close the books of leaves that died; their totals stay under their names."""
        if not self._dead:
            return
        self._dead.clear()
        dead = [leaf for leaf in self.leaves.values() if leaf.tensor() is None]
        for leaf in dead:
            self.ledger.forget(leaf.id)
            self.let_go(leaf)
            del self.leaves[leaf.id]
            self.retained.discard(leaf.id)
            if self.by_place.get(leaf.place) is leaf:
                del self.by_place[leaf.place]
            if len(self.retired) < 50_000:
                self.retired[leaf.id] = leaf.name
        if dead:
            gone = {leaf.id for leaf in dead}
            kept = {a: [x for x in some if x.id not in gone] for a, some in self.values.items()}
            self.values = {address: some for address, some in kept.items() if some}

    # -- slots -------------------------------------------------------------------------

    def slot_for(self, leaf: Leaf, grad: Tensor) -> Slot:
        """The slot of a gradient that ``leaf`` now points at; a new one if its memory is new."""
        address, span = storage_of(grad), span_of(grad)
        slot = self._slot_at(address, span)
        if slot is not None and leaf.id not in slot.holders and not self._still_there(slot):
            self._dissolve(slot)
            slot = None
        if slot is None:
            slot = self._open_slot(address, span)
        slot.holders.add(leaf.id)
        return slot

    def slot_of(self, grad: Tensor) -> Slot | None:
        """The slot in whose memory a tensor lies, if there is one."""
        address = storage_of(grad)
        return self._slot_at(address, span_of(grad)) if address in self.by_address else None

    def _slot_at(self, address: int, span: tuple[int, int]) -> Slot | None:
        for slot in self.by_address.get(address, ()) if address else ():
            if slot.span[0] < span[1] and span[0] < slot.span[1]:
                return slot
        return None

    def slot_seen(self, leaf: Leaf, grad_id: int) -> Slot:
        """A slot for the gradient that was last seen under this identity.

        If another one is there by now, the memory of the one that was seen cannot be told.
        """
        tensor = leaf.tensor()
        grad = tensor.grad if tensor is not None else None
        if grad is not None and id(grad) == grad_id:
            slot = self.slot_for(leaf, grad)
        else:
            slot = self._open_slot(0)
            slot.holders.add(leaf.id)
        return slot

    def _open_slot(self, address: int, span: tuple[int, int] = (0, 0)) -> Slot:
        slot = self._fresh(address)
        slot.span = span
        self._next_slot += 1
        self.slots[slot.id] = slot
        if address:
            self.by_address.setdefault(address, []).append(slot)
        return slot

    def _fresh(self, address: int) -> Slot:
        """A slot; one that was given back where possible (new ones cost garbage collection)."""
        if not self._spare:
            return Slot(self._next_slot, address)
        slot = self._spare.pop()
        slot.id, slot.address, slot.version, slot.weak = self._next_slot, address, 0, None
        return slot

    def let_go(self, leaf: Leaf) -> None:
        """``leaf`` points at no slot any more."""
        slot, leaf.slot = leaf.slot, None
        if slot is not None:
            self.leave(leaf, slot)

    def leave(self, leaf: Leaf, number: int) -> None:
        """``leaf`` does not point at this slot any more; without a leaf it is none.

        (At its address there may soon be a tensor that is no gradient.)
        """
        slot = self.slots.get(number)
        if slot is None:
            return
        slot.holders.discard(leaf.id)
        if not slot.holders:
            self._dissolve(slot)
            if len(self._spare) < MOST_SPARE:
                self._spare.append(slot)

    def is_gradient(self, address: int) -> bool:
        """Whether some known leaf's gradient lies there now (a dead one's place may be reused)."""
        return any(self._still_there(slot) for slot in self.by_address.get(address, ()))

    def _still_there(self, slot: Slot) -> bool:
        """Some holder's gradient still lies at the slot's address (else it was reused)."""
        for holder in slot.holders:
            leaf = self.leaves.get(holder)
            tensor = leaf.tensor() if leaf is not None else None
            grad = tensor.grad if tensor is not None else None
            if grad is not None and storage_of(grad) == slot.address:
                return True
        return False

    def _dissolve(self, slot: Slot) -> None:
        self.slots.pop(slot.id, None)
        some = self.by_address.get(slot.address, [])
        if slot in some:
            some.remove(slot)
            if not some:
                del self.by_address[slot.address]

    def moved(self, leaf: Leaf, tensor: Tensor, before: int) -> None:
        """The leaf's value now lies in other memory."""
        self.moves(leaf, before)
        self._lies(leaf, tensor)

    def moves(self, leaf: Leaf, before: int) -> None:
        """The leaf's value will not be in this memory any more: soon something else may be."""
        old = self.values.get(before)
        if old is not None and leaf in old:
            old.remove(leaf)
            if not old:
                del self.values[before]

    def _lies(self, leaf: Leaf, tensor: Tensor) -> None:
        here = self.values.setdefault(storage_of(tensor), [])
        if leaf not in here:
            here.append(leaf)

    # -- between traces ----------------------------------------------------------------

    def open(self) -> None:
        """A trace begins."""
        self.ledger.begin()
        self.retired.clear()
        self.generations.clear()

    def close(self) -> None:
        """A trace ends: keep what can be recognised later, without weak references to tensors."""
        for leaf, tensor in self.alive():
            leaf.was = _weak_storage(tensor)
            grad = tensor.grad if leaf.slot is not None else None
            slot = self.slots.get(leaf.slot) if leaf.slot is not None else None
            if slot is not None and grad is not None:
                slot.weak = _weak_storage(grad)
                slot.version = (leaf.key or (0, 0))[1]
        self._dead.append(None)  # look at every leaf, also at those that a swap has loosened
        self.bury()
        self.values.clear()
        for leaf in self.leaves.values():
            leaf.loosen()
            leaf.owners = {}
            leaf.reached = leaf.thread = 0
            leaf.born = leaf.asked = -1

    def discard_unclaimed(self) -> None:
        """Forget leaves of earlier traces whose memory is gone."""
        for leaf in tuple(self.leaves.values()):
            if leaf._ref is None and (leaf.was is None or leaf.was.expired()):
                self.ledger.forget(leaf.id)
                self.let_go(leaf)
                del self.leaves[leaf.id]
                self.retained.discard(leaf.id)
                if self.by_place.get(leaf.place) is leaf:
                    del self.by_place[leaf.place]


def _weak_storage(tensor: Tensor) -> StorageWeakRef | None:
    try:
        make = cast(Callable[[object], StorageWeakRef], _TorchStorageWeakRef)
        return make(tensor.untyped_storage())
    except (RuntimeError, NotImplementedError):
        return None

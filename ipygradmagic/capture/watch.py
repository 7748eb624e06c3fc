"""What all watchers share: the books, the recorder, a look at a gradient, and a guard.

Every watcher calls torch's own function exactly once, whatever happens around it. What we do
before and after runs under :meth:`Watch.guard`, which turns a fault of ours into a warning of
the report.
"""

from __future__ import annotations

import threading
import traceback
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from ipygradmagic.capture.books import Books, Leaf, grad_key, grad_of, storage_of
from ipygradmagic.capture.discovery import Discovery, Rebinding
from ipygradmagic.capture.owners import optimizer_info
from ipygradmagic.capture.recorder import RawChange, RawEvent, Recorder
from ipygradmagic.capture.snapshot import Look, Unread, is_finite, is_zero, look, look_all
from ipygradmagic.capture.source import CellOf, Here, Sources
from ipygradmagic.capture.teams import MOST_READ, Pack, Team, Teams, Way
from ipygradmagic.language import mark
from ipygradmagic.record.events import Kind, Source
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.tensors import SMALL, OptimizerInfo

if TYPE_CHECKING:
    from ipygradmagic.capture.lane import Lane

THREADS_NOTE = mark(
    "several threads ran backward at the same time; a gradient that two of them share is booked "
    "with the pass that ended last"
)
_TOLERANCE = 1e-4
MOST_FAULTS = 5
"""Faults of ours are reported up to this many; more of them are counted."""


@dataclass(slots=True, eq=False)
class BackwardPass:
    """A backward that is running."""

    here: Here
    reached: dict[int, tuple[Leaf, Tensor]]
    thread: int = field(default_factory=threading.get_ident)
    actor: str = ""
    loss: float | None = None
    graph: int | None = None
    first: RawEvent | None = None
    new_sums: bool = False
    captured: dict[int, list[Look]] = field(default_factory=dict)
    handles: list[torch.utils.hooks.RemovableHandle] = field(default_factory=list)
    nodes: list[object] = field(default_factory=list)
    """Where the leaves receive, kept: a pass within reaches the same ones, with our hooks on them."""
    way: Way | None = None
    teams: list[Team] = field(default_factory=list)
    solos: list[Leaf] = field(default_factory=list)

    def unfold(self) -> None:
        """Leaf by leaf, what was begun by teams."""
        for leaf in (*self.solos, *(leaf for team in self.teams for leaf in team.leaves)):
            tensor = leaf.tensor()
            if tensor is not None:
                self.reached[leaf.id] = (leaf, tensor)
        self.solos = []
        self.teams = []


@dataclass(slots=True, eq=False)
class StepCall:
    """An optimizer's step that is running."""

    optimizer: torch.optim.Optimizer
    name: str
    here: Here
    began: int
    owned: list[tuple[Leaf, Tensor]]
    values: list[Look]
    shell: FrameType | None
    closure: bool = False
    """It was given a closure."""
    closures: int = 0
    """How often that one has brought gradients."""
    in_closure: int = 0
    returned: RawEvent | None = None
    """The last return of the closure, until it is known what the step made of it."""
    way: Way | None = None
    teams: list[tuple[Team, Pack]] = field(default_factory=list)
    failure: str = "the step did not finish"
    """What to say if it raises."""

    def unfold(self) -> None:
        """Leaf by leaf, what was begun by teams."""
        if not self.teams or self.way is None:
            return
        apart = [(team.leaves, values.looks()) for team, values in self.teams]
        for k, i in self.way.order:
            leaves, values = apart[k]
            tensor = leaves[i].tensor()
            if tensor is not None:
                self.owned.append((leaves[i], tensor))
                self.values.append(values[i])
        self.teams = []


class _Local(threading.local):
    """Per thread: whether watchers look away, and which calls are running."""

    def __init__(self) -> None:
        self.quiet = 0
        self.depth = 0
        self.shield: AbstractContextManager[object] | None = None
        self.modes: ExitStack | None = None
        self.steps: list[StepCall] = []
        self.passes: list[BackwardPass] = []

    def unshield(self) -> None:
        """User modes and subclasses see everything again."""
        if self.modes is not None:
            self.modes.close()
            self.modes = None
        if self.shield is not None:
            self.shield.__exit__(None, None, None)
            self.shield = None


class _Quiet:
    """Watchers of this thread look away; may be nested."""

    __slots__ = ("_local",)

    def __init__(self, local: _Local) -> None:
        self._local = local

    def __enter__(self) -> None:
        self._local.quiet += 1

    def __exit__(self, *_: object) -> None:
        self._local.quiet -= 1


class _Guard:
    """One thread at a time, looking away from itself; an ``Exception`` is noted, not raised."""

    __slots__ = ("_watch",)

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        local = self._watch.local
        quiet, depth = local.quiet, local.depth
        self._watch.lock.acquire()
        try:
            local.quiet = quiet + 1
            local.depth = depth + 1
            if depth == 0:  # user modes and subclasses do not see our reads
                if local.shield is not None:
                    local.unshield()  # where Ctrl-C cut an ``__exit__`` short
                local.shield = shield = torch._C.DisableTorchFunction()
                shield.__enter__()
                if torch._C._len_torch_dispatch_stack():
                    local.modes = modes = ExitStack()
                    modes.enter_context(_disable_current_modes())
                self._watch.away = False
                if self._watch.busy:
                    self._watch.halt()
                if self._watch.teams.made or self._watch.passes:
                    self._part()
        except BaseException:  # Ctrl-C: nobody will call ``__exit__``
            local.quiet, local.depth = quiet, depth
            if not depth:
                local.unshield()
            self._watch.lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: object, tb: object) -> bool:
        local = self._watch.local
        local.quiet -= 1
        local.depth -= 1
        try:
            if local.depth == 0:
                local.unshield()
        finally:
            self._watch.lock.release()
        if isinstance(error, Exception):
            self._watch.fault(error)
            return True
        return False

    def _part(self) -> None:
        try:
            self._watch.part()
        except Exception as error:
            self._watch.teams.give_up()
            self._watch.fault(error)


class _Light:
    """A guard for what does not look at single leaves: no team is parted."""

    __slots__ = ("_watch",)

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __enter__(self) -> None:
        self._watch.lock.acquire()
        try:
            if self._watch.noting:
                self._watch.halt()
        except BaseException:  # Ctrl-C: nobody will call ``__exit__``
            self._watch.lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: object, tb: object) -> bool:
        self._watch.lock.release()
        if isinstance(error, Exception):
            self._watch.failed(error)
            return True
        return False


class Watch:
    """The shared state of one trace."""

    def __init__(
        self, books: Books, namespace: Mapping[str, object], cell_of: CellOf | None
    ) -> None:
        self.books = books
        self.ledger = books.ledger
        self.sources = Sources(cell_of)
        self.recorder = Recorder()
        self.discovery = Discovery(books, self.sources, namespace)
        self.teams = Teams(books)
        self.local = _Local()
        self.lock = threading.RLock()
        self.graphs: list[Graph] = []
        self.optimizers: dict[int, tuple[weakref.ref[torch.optim.Optimizer], OptimizerInfo]] = {}
        self.built: dict[int, tuple[weakref.ref[torch.optim.Optimizer], int]] = {}
        self.notes: dict[str, int] = {}
        self.warnings: list[str] = []
        self.faults = 0
        self.running = True
        self.passes: list[BackwardPass] = []
        self.threads: list[int] = []
        self._only = 0
        self.away = False
        """torch itself is writing, and what it does is recorded as a whole: do not even ask."""
        self.busy = False
        """Something is being learned, or noted instead of booked: call ``halt`` before looking."""
        self.noting = False
        """A loop by hand is being noted: nobody else may book meanwhile."""
        self.lane: Lane | None = None
        """Knows which event a steady loop with optimizers brings next."""
        self.halts: list[Callable[[], None]] = []
        self.noted: list[Callable[[], tuple[Counter[Kind], float | None]]] = []
        """Of those that note or put aside: how many events of each kind, and the last loss."""
        self.due: Callable[[], None] | None = None
        """What somebody wants to be done before the next backward."""
        self._guard = _Guard(self)
        self._light = _Light(self)
        self._quiet = _Quiet(self.local)

    # -- guarding ----------------------------------------------------------------------

    def guard(self) -> _Guard:
        """Ours: one thread at a time, and a fault becomes a warning instead of an error."""
        return self._guard

    def part(self) -> None:
        """Somebody looks at single leaves: every one has its own fields and accounts again."""
        if self.teams.made:
            self.teams.part(self.recorder.next)
        for current in self.passes:
            current.unfold()

    def halt(self) -> None:
        """What was only noted of steady loops is told and booked."""
        self.busy = False
        for one in self.halts:
            try:
                one()
            except Exception as error:
                self.fault(error)

    def light(self) -> _Light:
        """For the short cuts; they say by a ``LookupError`` that it must be done leaf by leaf."""
        return self._light

    def fault(self, error: BaseException) -> None:
        """Note a fault of ours."""
        self.faults += 1
        if self.faults <= MOST_FAULTS:
            last = traceback.extract_tb(error.__traceback__)[-1:]
            place = f" ({last[0].name}, line {last[0].lineno})" if last else ""
            self.warnings.append(
                f"ipygradmagic could not record something: {type(error).__name__}: {error}{place}. "
                "Your code was not affected; please report this."
            )

    def failed(self, error: Exception) -> None:
        """A short cut cannot be taken (a ``LookupError``), or has a fault."""
        if not isinstance(error, LookupError):
            self.fault(error)

    def quiet(self) -> _Quiet:
        """Theirs, but part of something that is being recorded as a whole."""
        return self._quiet

    def note(self, what: str) -> None:
        """Count a fact about the run that is no event."""
        self.notes[what] = self.notes.get(what, 0) + 1

    def remember(self, optimizer: torch.optim.Optimizer, name: str) -> None:
        """An optimizer acted: keep its record, not the optimizer."""
        known = self.optimizers.get(id(optimizer))
        if known is None or known[0]() is not optimizer:
            info = optimizer_info(self.books, optimizer, name)
            self.optimizers.pop(id(optimizer), None)  # the new one is the last
            if info is not None:
                self.optimizers[id(optimizer)] = (weakref.ref(optimizer), info)

    def built_at(self, optimizer: torch.optim.Optimizer) -> int:
        """The site that made an optimizer; -1 if that was not during this trace."""
        ref, site = self.built.get(id(optimizer), (None, -1))
        return site if ref is not None and ref() is optimizer else -1

    def alive_optimizers(self) -> list[torch.optim.Optimizer]:
        """Those that acted and still exist."""
        found = (ref() for ref, _ in self.optimizers.values())
        return [o for o in found if o is not None]

    # -- leaves ------------------------------------------------------------------------

    def meet(
        self, tensors: Sequence[Tensor], here: Here, *, whole: bool = False, named: bool = False
    ) -> None:
        """Adopt the new leaves among ``tensors`` and record the rebindings that they reveal."""
        self.rebind(self.discovery.meet(tensors, here, whole=whole, named=named), here)

    def rebind(self, moved: list[Rebinding], here: Here) -> None:
        """Record leaves that took over another leaf's name."""
        self.adopt_fresh()
        for one in moved:
            self._rebind(one, here)

    def newborn(self, here: Here) -> None:
        """Record which names have moved to leaves that were made since the last event."""
        if self.discovery.births:
            self.rebind(self.discovery.settle(here.frame), here)

    def _rebind(self, one: Rebinding, here: Here) -> None:
        site = one.site if one.site >= 0 else here.site
        spot = Here(site, None, None)
        event = self.recorder.burst("rebind", "rebind", spot, one.new)
        source: Source = "other" if one.derived is False else "unknown"
        if one.derived:
            source = "gradient"
        event.source = event.source or source
        old, new = one.old, one.new
        slot = old.slot
        tensor = new.tensor()
        new.value = look(tensor) if tensor is not None else None
        if one.derived and not self._of_nothing(old, old.value, new.value):
            used = self.ledger.update(old.id, slot, event.index, site, event.number, "rebind")
            if used and not is_finite(old.grad):
                self.ledger.nonfinite(old.id, event.index, site, event.number, used=True)
        change = RawChange(new, old.grad, new.grad, changed=not same(old.grad, new.grad))
        change.value_before, change.value_after = old.value, new.value
        change.holds = self.ledger.holds(new.slot)
        event.changes.append(change)

    def adopt_fresh(self) -> None:
        """First looks at leaves that were just met."""
        fresh, self.discovery.fresh = self.discovery.fresh, []
        for leaf in fresh:
            tensor = leaf.tensor()
            if tensor is not None:
                self._adopt(leaf, tensor)

    def _adopt(self, leaf: Leaf, tensor: Tensor) -> None:
        grad = tensor.grad
        leaf.grad, leaf.key = look(grad), grad_key(grad)
        leaf.value = look(tensor)
        leaf.version = version_of(tensor)
        old = self.books.slots.get(leaf.slot) if leaf.slot is not None else None
        if old is not None and not _same_memory(old.weak, old.address, grad):
            self.ledger.detach(leaf.id, old.id, 0, -1)
            self.books.let_go(leaf)
            old = None
        if grad is None:
            return
        if old is not None:
            if grad._version != old.version:  # changed while nobody was looking
                self.ledger.clear(leaf.id, old.id, 0, -1)
                if not is_zero(leaf.grad):
                    self.ledger.found(leaf.id, old.id)
            return
        slot = self.books.slot_for(leaf, grad)
        leaf.slot = slot.id
        self.ledger.attach(leaf.id, slot.id, unknown=not is_zero(leaf.grad))

    # -- gradients ---------------------------------------------------------------------

    def observe(self, leaves: Sequence[tuple[Leaf, Tensor]]) -> list[RawChange]:
        """Look again at the gradients that may have changed; returns those that did.

        Identity and version tell cheaply that nothing changed; small gradients are read all
        the same, because a write through numpy leaves no trace on either (not in a model of
        many tensors, where that would cost more than all the rest).
        """
        read = SMALL if len(leaves) <= MOST_READ else -1
        suspects: list[tuple[Leaf, Tensor | None, tuple[int, int] | None]] = []
        for leaf, tensor in self.mine(leaves):
            grad = tensor.grad if leaf.parameter else grad_of(leaf, tensor)
            if grad is None:
                if leaf.key is not None:
                    suspects.append((leaf, None, None))
                continue
            key = grad_key(grad)
            if leaf.numel <= read or key != leaf.key:
                suspects.append((leaf, grad, key))
        if not suspects:
            return []
        changes: list[RawChange] = []
        looks = look_all([grad for _, grad, _ in suspects])
        for (leaf, _, key), after in zip(suspects, looks):
            if key == leaf.key and isinstance(leaf.grad, Unread):
                leaf.grad = after  # read for the first time
            elif key != leaf.key or not same(leaf.grad, after):
                changes.append(RawChange(leaf, leaf.grad, after))
                leaf.grad, leaf.key = after, key
        return changes

    def claim(self, leaves: Iterable[Leaf]) -> None:
        """This thread works on these leaves from now on."""
        if self.alone():
            return
        me = threading.get_ident()
        for leaf in leaves:
            leaf.thread = me

    def alone(self) -> bool:
        """No other thread has worked on anything yet; the first one owns what was known then."""
        me = threading.get_ident()
        if me == self._only:
            return True
        if me not in self.threads:
            self.threads.append(me)
            if len(self.threads) == 2:
                for leaf in self.books.leaves.values():
                    leaf.thread = leaf.thread or self.threads[0]
        self._only = me if len(self.threads) == 1 else 0
        return bool(self._only)

    def mine(self, leaves: Sequence[tuple[Leaf, Tensor]]) -> Sequence[tuple[Leaf, Tensor]]:
        """Those of the leaves that no other living thread works on.

        Neither the engine nor torch's reference counts wait for a reader in another thread: to
        look at its gradients could crash the process.
        """
        if self.alone():
            return leaves
        me = threading.get_ident()
        if all(leaf.thread in (0, me) for leaf, _ in leaves) and len(self.passes) <= 1:
            return leaves
        others = {t.ident for t in threading.enumerate()} - {me}
        written = {i for p in self.passes if p.thread != me for i in p.reached}
        self.notes.setdefault(THREADS_NOTE, 1)
        return [x for x in leaves if x[0].thread not in others and x[0].id not in written]

    def unseen(self, here: Here) -> None:
        """Record what happened to gradients since the last event without being noticed."""
        self.newborn(here)
        known = self.books.alive()
        if self.local.passes:
            skipped = {i for p in self.local.passes for i in p.reached}
            known = [(f, t) for f, t in known if f.id not in skipped]
        keys = {leaf.id: leaf.key for leaf, _ in known}
        for change in self.observe(known):
            leaf = change.leaf
            tensor = leaf.tensor()
            old = keys[leaf.id]
            written = old is None or leaf.key is None or old[0] != leaf.key[0]
            if not written and same(change.before, change.after):
                continue  # a neighbour in the same memory was written: they share a version
            if tensor is not None:
                self.settle(change, tensor, here, "by a way that is not followed", "edited")

    def moved(self, leaves: Iterable[tuple[Leaf, Tensor]], here: Here) -> None:
        """Record values that changed by a way that is not followed (``out=``, numpy, C++).

        Not all of those leave a trace on the version: small values are read all the same, and
        those whose memory was handed out.
        """
        pairs = list(leaves)
        read = SMALL if len(pairs) <= MOST_READ else -1
        for leaf, tensor in pairs:
            version = version_of(tensor)
            if version == leaf.version and leaf.numel > read and not leaf.exposed:
                continue
            after, before = look(tensor), leaf.value
            old, leaf.version, leaf.value = leaf.version, version, after
            if before is None or same(before, after):
                continue
            if version == old and isinstance(before, Unread):
                continue
            source: Source = "gradient" if proportional(before, after, leaf.grad) else "unknown"
            self.update(leaf, source, here, "by a way that is not followed", before, after)

    def update(
        self,
        leaf: Leaf,
        source: Source,
        here: Here,
        label: str,
        before: Look,
        after: Look,
        part: bool = False,
    ) -> RawEvent:
        """Book a value that was written by hand; one that is put back undoes the last update."""
        if self._put_back(leaf, source, here, before, after):
            source = "other"  # put back to what it was, however that was computed
            self.ledger.undo(leaf.id, leaf.slot, self.recorder.next)
            leaf.undo = None
        event = self.recorder.burst("update", label, here, leaf, part)
        event.source = source if event.source in (None, source) else "gradient"
        change = RawChange(leaf, leaf.grad, leaf.grad, changed=False)
        change.value_before, change.value_after = before, after
        nothing = self._of_nothing(leaf, before, after) and not self._of_clones(here)
        if source == "gradient" and nothing:
            self.ledger.idle(leaf.id, event.index, event.site, event.number)
        elif source == "gradient":
            if not is_finite(leaf.grad):
                self.ledger.nonfinite(leaf.id, event.index, event.site, event.number, used=True)
            at = (event.index, event.site, event.number)
            if self.ledger.update(leaf.id, leaf.slot, *at, "update"):
                leaf.undo, leaf.undone_by = before, here.site
        change.holds = self.ledger.holds(leaf.slot)
        self.join(event, change)
        self.everyone_else(event)
        return event

    def _put_back(self, leaf: Leaf, source: Source, here: Here, before: Look, after: Look) -> bool:
        """The value is again what it was before the last update.

        It is not put back where the same line has used a newer gradient: a rate that is too high
        makes a value swing between two, and so does rounding at the end of a descent.
        """
        if leaf.undo is None or not same(after, leaf.undo) or same(before, after):
            return False
        if source != "gradient" or here.site != leaf.undone_by:
            return True
        held = self.ledger.holds(leaf.slot)
        return held.count == held.used or self._of_clones(here)

    def _of_nothing(self, leaf: Leaf, before: Look, after: Look) -> bool:
        """A gradient that was emptied in place moves nothing: an update by it uses nothing."""
        if leaf.slot is None or not is_zero(leaf.grad) or not same(before, after):
            return False
        return not self.ledger.holds(leaf.slot).count

    def _of_clones(self, here: Here) -> bool:
        """The statement computes from clones of gradients that were taken before."""
        return self.discovery.derivation.of_others(here.site, here.frame)

    def settle(
        self,
        change: RawChange,
        tensor: Tensor,
        here: Here,
        label: str,
        how: str,
        part: bool = False,
    ) -> RawEvent:
        """Book a gradient that was changed by hand: cleared, replaced or edited."""
        leaf = change.leaf
        grad = grad_of(leaf, tensor)
        cleared = grad is None or is_zero(change.after)
        event = self.recorder.burst("zero_grad" if cleared else "edit", label, here, leaf, part)
        if grad is None:
            self.detach(leaf, event)
        elif cleared:
            self.resettle(leaf, grad, event, derived=False, empty=True)
            self.ledger.clear(leaf.id, leaf.slot or 0, event.index, event.site)
        else:
            if how == "gathered":
                self.ledger.gather(leaf.id)
                how = "edited"
            self.resettle(leaf, grad, event, derived=how != "assigned by hand")
            if how != "assigned by hand":
                at = (event.index, event.site, how, event.number)
                changed = change.changed
                self.ledger.edit(leaf.id, leaf.slot or 0, *at, changed=changed)
        change.holds = self.ledger.holds(leaf.slot)
        self.join(event, change)
        self.share(leaf, event)
        return event

    def resettle(
        self, leaf: Leaf, grad: Tensor, event: RawEvent, *, derived: bool, empty: bool = False
    ) -> None:
        """``leaf.grad`` is this tensor now: find its slot, hand its contributions over."""
        old = leaf.slot
        slot = self.books.slot_for(leaf, grad)
        if slot.id == old and derived:
            return
        if slot.id != old and old is not None:
            self.books.leave(leaf, old)
        leaf.slot = slot.id
        at = (event.index, event.site)
        self.ledger.assign(leaf.id, old, slot.id, *at, derived=derived, empty=empty)

    def detach(self, leaf: Leaf, event: RawEvent) -> None:
        """``leaf.grad`` is None now."""
        if leaf.slot is not None:
            self.ledger.detach(leaf.id, leaf.slot, event.index, event.site)
            self.books.let_go(leaf)

    def share(self, leaf: Leaf, event: RawEvent) -> None:
        """Other leaves that point at the same buffer saw the same change."""
        slot = self.books.slots.get(leaf.slot) if leaf.slot is not None else None
        if slot is None or len(slot.holders) < 2:
            return
        for other in slot.holders - {leaf.id}:
            twin = self.books.leaves.get(other)
            tensor = twin.tensor() if twin is not None else None
            if twin is None or tensor is None:
                continue
            for change in self.observe([(twin, tensor)]):
                change.holds = self.ledger.holds(twin.slot)
                self.join(event, change)

    @staticmethod
    def join(event: RawEvent, change: RawChange) -> None:
        """Add a change to its event; a leaf that comes again keeps its first *before*."""
        known = event.change_of(change.leaf.id)
        if known is None:
            event.add(change)
            return
        known.after, known.holds = change.after, change.holds
        known.changed = known.changed or change.changed
        if change.value_after is not None:
            known.value_before = known.value_before or change.value_before
            known.value_after = change.value_after

    def everyone_else(self, event: RawEvent) -> None:
        """Count the known leaves that the event left alone."""
        event.unchanged = max(0, len(self.books.leaves) - len(event.changes))


def version_of(tensor: Tensor) -> int:
    """The version counter; -1 for tensors made in inference mode."""
    try:
        return tensor._version
    except (RuntimeError, ValueError):
        return -1


def same(one: Look, other: Look) -> bool:
    """Equal looks, where NaN equals NaN."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        if one == other:
            return True
        for a, b in zip(one, other):
            if a != b and not (a != a and b != b):
                return False
        return len(one) == len(other)
    return one == other


def _same_memory(weak: object, address: int, grad: Tensor | None) -> bool:
    """Whether a gradient is the buffer that was known by a weak storage reference."""
    expired: Callable[[], bool] | None = getattr(weak, "expired", None)
    if grad is None or expired is None or expired():
        return False
    return storage_of(grad) == address


def proportional(before: Look, after: Look, grad: Look) -> bool:
    """Whether after - before is a multiple of the gradient, for small tensors."""
    if not (isinstance(before, tuple) and isinstance(after, tuple) and isinstance(grad, tuple)):
        return False
    if not len(before) == len(after) == len(grad) or not grad:
        return False
    moves = [a - b for a, b in zip(after, before)]
    size, scale = max(map(abs, grad)), max(map(abs, moves))
    if not size or not scale or size != size or scale != scale:
        return False
    k = max(range(len(grad)), key=lambda i: abs(grad[i]))
    ratio = moves[k] / grad[k]
    rounding = _TOLERANCE * scale + 1e-6 * max(map(abs, after))
    return all(abs(m - ratio * g) <= rounding for m, g in zip(moves, grad))

"""Backward passes, seen at the one place through which all of them go.

``torch.autograd._engine_run_backward`` is called by ``Tensor.backward``, by
``torch.autograd.backward`` however imported, by ``autograd.grad`` and ``torch.func``, and by
re-entrant checkpointing inside another backward; its keyword ``accumulate_grad`` tells a
backward, which deposits, from a grad, which does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ipygradmagic.capture import names
from ipygradmagic.capture.autograd import graph_of
from ipygradmagic.capture.books import Leaf, grad_of, storage_of
from ipygradmagic.capture.deadends import Surroundings
from ipygradmagic.capture.discovery import is_open_leaf
from ipygradmagic.capture.express import Express, loss_of
from ipygradmagic.capture.leaves import GradNode, reach, root_of, sequence_range
from ipygradmagic.capture.recorder import RawChange, RawEvent, fill_added
from ipygradmagic.capture.snapshot import Look, is_finite, is_zero, look
from ipygradmagic.capture.source import Here
from ipygradmagic.capture.steady import Steady
from ipygradmagic.capture.steady_teams import SteadyTeams
from ipygradmagic.capture.teaching import Lesson, Teaching
from ipygradmagic.capture.watch import BackwardPass, Watch
from ipygradmagic.language import mark
from ipygradmagic.record.tensors import SMALL

_Arrival = Callable[[BaseException | None], BackwardPass | None]
MOST_GRAPHS = 6
"""Pictures are kept for at most this many backward lines."""
TAUGHT = 2
"""So many passes of a line are drawn where the trace teaches."""
GRAD_NOTE = mark("torch.autograd.grad (or torch.func) returned gradients; it changes no .grad slot")


class BackwardWatch:
    """Records backward passes."""

    def __init__(self, watch: Watch, graphs: bool = True) -> None:
        self.watch = watch
        self.express = Express(watch)
        self.freed_by: int | None = None
        self.before: Callable[[], None] = lambda: None
        self.kept: Callable[[Sequence[Tensor]], None] = lambda outputs: None
        self.saved = False
        self.teaching: Teaching | None = None
        self._lesson: Lesson | None = None
        self._graphs = graphs
        self._drawn: dict[int, int] = {}
        self._actors: dict[int, str] = {}
        self._passes = self.express.past
        self.steady = Steady(watch, self.express)
        SteadyTeams(watch, self.express)

    def around(self, run: Callable[..., Any], outputs: Any, args: Any, kwargs: Any) -> Any:
        """Run the engine once, watching."""
        __tracebackhide__ = True
        watch = self.watch
        if not kwargs.get("accumulate_grad", True):
            with watch.guard():
                watch.note(GRAD_NOTE)
                self._mark_inputs(args[3] if len(args) > 3 else ())
            return run(outputs, *args, **kwargs)
        if watch.due is not None and not watch.local.passes:
            watch.due()
        if watch.noting and self.steady.departs(outputs, args):
            return self._steadily(self.steady.arrives, run, outputs, args, kwargs)
        lane = watch.lane
        if lane is not None and lane.before_backward(outputs, args):
            return self._steadily(lane.after_backward, run, outputs, args, kwargs)
        outer = watch.local.passes[-1] if watch.local.passes else None
        if outer is None and len(args) > 2 and args[1] and not args[2]:  # retain_graph alone
            with watch.light():
                self.kept(outputs)
        current: BackwardPass | None = None
        if outer is None:
            with watch.light():
                current = self.express.before_backward(outputs, args)
                if current is not None and current.solos and self.steady.begins(current, args):
                    watch.passes.remove(current)
                    current = None
        if watch.noting and self.steady.departs(outputs, args):
            return self._steadily(self.steady.arrives, run, outputs, args, kwargs)
        if current is None:
            with watch.guard():
                if outer is not None:  # re-entrant checkpointing: part of the pass around it
                    self._reach_more(outer, outputs)
                else:
                    current = self._begin(outputs)
                    current.new_sums = bool(args[2]) if len(args) > 2 else False
                    watch.passes.append(current)
        if current is None:
            return run(outputs, *args, **kwargs)
        watch.local.passes.append(current)
        error: BaseException | None = None
        try:
            return run(outputs, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._over(current, outputs, error)

    def _steadily(
        self, arrives: _Arrival, run: Callable[..., Any], outputs: Any, args: Any, kwargs: Any
    ) -> Any:
        """One more backward of a steady loop, whose end ``arrives`` is told of."""
        __tracebackhide__ = True
        error: BaseException | None = None
        try:
            return run(outputs, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            current = arrives(error)
            if current is not None:
                self._over(current, outputs, error)

    def _over(self, current: BackwardPass, outputs: Any, error: BaseException | None) -> None:
        """The engine has returned, or raised."""
        watch = self.watch
        done = False
        if error is None and current.way is not None:
            with watch.light():
                done = self.express.after_backward(current)
                if done:
                    watch.passes.remove(current)
                    if current.first is not None:
                        self.steady.deposited(current.first)
        if not done:
            with watch.guard():
                watch.passes.remove(current)
                self._end(current, outputs, error)
        if current in watch.local.passes:
            watch.local.passes.remove(current)

    def _mark_inputs(self, inputs: Any) -> None:
        """Leaves that a loss is differentiated by (PINNs, penalties) are data, not parameters."""
        given = inputs if isinstance(inputs, (tuple, list)) else ()
        tensors = [t for t in given if isinstance(t, Tensor)]
        strangers = [t for t in tensors if self.watch.books.find(t) is None and is_open_leaf(t)]
        if strangers:
            self.watch.meet(strangers, self.watch.sources.here())
        for tensor in tensors:  # a view that requires grad is known once a backward has reached it
            leaf = self.watch.books.find(tensor)
            if leaf is not None:
                leaf.data = True

    @property
    def past(self) -> tuple[tuple[int, int], ...]:
        """The last passes: index of the event, and sequence number of the loss's operation."""
        return tuple(self._passes)

    # -- before ------------------------------------------------------------------------

    def _begin(self, outputs: Sequence[Tensor]) -> BackwardPass:
        watch = self.watch
        self.before()
        here = watch.sources.here()
        found = reach(outputs)
        watch.recorder.close_bursts()
        watch.meet([tensor for tensor, _ in found.leaves], here, whole=True)
        watch.unseen(here)
        watch.recorder.close_bursts()
        watch.books.bury()
        current = BackwardPass(here, {})
        self._expect(current, found.leaves)
        self._expect_retained(current, found.nodes)
        watch.moved(watch.mine(list(current.reached.values())), here)
        watch.recorder.close_bursts()
        current.actor = self._name_loss(outputs, here)
        current.loss = loss_of(outputs)
        current.graph = self._draw(outputs, here, current.actor)
        return current

    def _reach_more(self, current: BackwardPass, outputs: Sequence[Tensor]) -> None:
        found = reach(outputs)
        self.watch.meet([tensor for tensor, _ in found.leaves], current.here, named=True)
        self._expect(current, found.leaves)

    def _expect(self, current: BackwardPass, found: list[tuple[Tensor, GradNode]]) -> None:
        """Note the leaves that will receive something; listen where it will be added to more."""
        known = (self.watch.books.find(tensor) for tensor, _ in found)
        self.watch.claim(leaf for leaf in known if leaf is not None)
        for tensor, node in found:
            leaf = self.watch.books.find(tensor)
            if leaf is None or leaf.id in current.reached:
                continue
            current.reached[leaf.id] = (leaf, tensor)
            current.nodes.append(node)
            if leaf.grad is not None and leaf.numel <= SMALL and not is_zero(leaf.grad):
                heard: list[Look] = []
                current.captured[leaf.id] = heard
                current.handles.append(node.register_prehook(self._listener(heard)))

    def _expect_retained(self, current: BackwardPass, nodes: set[GradNode]) -> None:
        """Non-leaves that keep their gradient receive theirs on the way."""
        for number in self.watch.books.retained:
            leaf = self.watch.books.leaves.get(number)
            tensor = leaf.tensor() if leaf is not None else None
            if leaf is not None and tensor is not None and root_of(tensor) in nodes:
                self.watch.claim([leaf])
                current.reached[number] = (leaf, tensor)

    def _listener(self, heard: list[Look]) -> Callable[[Any], None]:
        """Hears what is about to be accumulated, after all of the user's own hooks."""

        def listen(gradients: Any) -> None:
            with self.watch.guard():
                if gradients and gradients[0] is not None:
                    heard.append(look(gradients[0]))

        return listen

    def _name_loss(self, outputs: Sequence[Tensor], here: Here) -> str:
        known = self._actors.get(here.site)
        if known is None:
            some = [names.in_frames(o, here.frame)[0] or "" for o in outputs]
            known = self._actors[here.site] = ", ".join(s for s in some if s)
        return known

    def _draw(self, outputs: Sequence[Tensor], here: Here, actor: str) -> int | None:
        """Keep the graph of the first pass of every backward line, of the first two to teach."""
        watch = self.watch
        drawn = self._drawn.get(here.site, 0)
        most = TAUGHT if self.teaching is not None else 1
        if drawn < most and self._graphs and len(watch.graphs) < MOST_GRAPHS:
            labels = actor.split(", ") if actor else []
            labels += ["loss"] * (len(outputs) - len(labels))
            self._drawn[here.site] = drawn + 1
            numbers: dict[GradNode, int] = {}
            around = Surroundings(watch.discovery.namespace, here.frame, watch.discovery.found)
            graph = graph_of(outputs, labels, self._leaf_label, "", numbers, self.saved, around)
            watch.graphs.append(graph)
            if self.teaching is not None:
                self._lesson = self.teaching.listen(numbers)
            return len(watch.graphs) - 1
        return None

    def _leaf_label(self, tensor: Tensor) -> tuple[str, int | None]:
        leaf = self.watch.books.find(tensor)
        return (leaf.name, leaf.id) if leaf is not None else ("leaf", None)

    # -- after -------------------------------------------------------------------------

    def flush(self) -> None:
        """Book what the running pass has deposited so far: something is about to happen in it."""
        for current in self.watch.local.passes:
            self._book(current, last=False)

    def _end(
        self, current: BackwardPass, outputs: Sequence[Tensor], error: BaseException | None
    ) -> None:
        for handle in current.handles:
            handle.remove()
        if self._lesson is not None and current.graph is not None:
            self.watch.graphs[current.graph] = self._lesson.told(self.watch.graphs[current.graph])
            self._lesson = None
        if self.teaching is not None:
            self.teaching.forget()
        if error is not None:
            self._explain(outputs, error)
        self._book(current, last=True, error=error)
        root = root_of(outputs[0]) if outputs else None
        number = getattr(root, "_sequence_nr", None)
        if error is None and callable(number) and current.first is not None:
            self._passes.append((current.first.index, int(number())))
            self.express.learn_backward(current, int(number()))

    def _explain(self, outputs: Sequence[Tensor], error: BaseException) -> None:
        if "through the graph a second time" in str(error):
            low, high = sequence_range(outputs)
            guilty = [index for index, number in self._passes if low <= number <= high]
            self.freed_by = guilty[-1] if guilty else None

    def _book(
        self, current: BackwardPass, *, last: bool, error: BaseException | None = None
    ) -> None:
        watch = self.watch
        if current.new_sums:
            self._notice_sums(current)
        changes = watch.observe(list(current.reached.values()))
        if not changes and not (last and current.first is None):
            return
        event = watch.recorder.begin("backward", "backward", current.here)
        if current.first is not None:
            watch.recorder.counts["backward"] -= 1
            event.number = current.first.number
            event.continues = current.first.index
        else:
            current.first = event
            event.loss, event.graph, event.actor = current.loss, current.graph, current.actor
        if error is not None:
            event.error = f"{type(error).__name__}: {error}"
        event.changes = list(changes)
        for change in changes:
            self._deposit(change, current, event)
        event.inside = _inside(watch)
        watch.everyone_else(event)
        watch.recorder.finish(event)

    def _notice_sums(self, current: BackwardPass) -> None:
        """``create_graph`` puts every sum into a new tensor, to which Python may give an old id."""
        for leaf, tensor in self.watch.mine(list(current.reached.values())):
            slot = self.watch.books.slots.get(leaf.slot) if leaf.slot is not None else None
            grad = grad_of(leaf, tensor)
            if slot is not None and grad is not None and storage_of(grad) != slot.address:
                leaf.key = None

    def _deposit(self, change: RawChange, current: BackwardPass, booked: RawEvent) -> None:
        watch, event, number = self.watch, booked.index, booked.number
        leaf = change.leaf
        tensor = leaf.tensor()
        grad = tensor.grad if tensor is not None else None
        if grad is None:
            return
        slot = watch.books.slot_for(leaf, grad)
        if slot.id != leaf.slot:
            self._move(leaf, slot.id, event, current.here.site)
        watch.ledger.deposit(leaf.id, slot.id, event, number, current.here.site)
        leaf.reached += 1
        leaf.since = None
        heard, shared = current.captured.get(leaf.id), False
        if len(slot.holders) > 1:
            shared = any(i in current.reached for i in slot.holders - {leaf.id})
            heard = None if shared else heard
            self._share(slot.holders - current.reached.keys(), heard, booked)
        fill_added(change, heard)
        change.exact = change.exact and not shared
        change.holds = watch.ledger.holds(slot.id)
        if not is_finite(change.after):
            watch.ledger.nonfinite(leaf.id, event, current.here.site, number, used=False)

    def _share(self, holders: set[int], heard: list[Look] | None, booked: RawEvent) -> None:
        """Leaves that this pass does not reach, but whose gradient is the buffer of one that it does."""
        watch = self.watch
        known = (watch.books.leaves.get(holder) for holder in sorted(holders))
        pairs = [(leaf, tensor) for leaf in known if leaf and (tensor := leaf.tensor()) is not None]
        for change in watch.observe(pairs):
            fill_added(change, heard)
            change.holds = watch.ledger.holds(change.leaf.slot)
            booked.changes.append(change)

    def _move(self, leaf: Leaf, slot: int, event: int, site: int) -> None:
        """The sum lies in a new buffer (``create_graph``): what the old one held came along."""
        watch = self.watch
        if leaf.slot is not None:
            watch.books.leave(leaf, leaf.slot)
            at = (event, site)
            watch.ledger.assign(leaf.id, leaf.slot, slot, *at, derived=True, empty=True)
        leaf.slot = slot


def _inside(watch: Watch) -> str | None:
    steps = watch.local.steps
    return f"{type(steps[-1].optimizer).__name__}.step" if steps else None

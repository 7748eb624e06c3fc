"""The events that a steady loop is expected to bring next, checked in one place.

While :mod:`steady_teams` puts entries aside, it knows which event comes next: of what kind, by
whom, reached by which frames, and how the gradients stand before and after it. Here that is
looked at directly, without asking for the place, the way and the leaves anew. What is seen, and
what is left behind if it turns out to be something else, is the same as in :mod:`express`, whose
functions take over wherever one of these says no.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from threading import get_ident
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.express import (
    Entry,
    Express,
    Part,
    deposited,
    is_torchs,
    loss_of,
    parameters,
)
from ipygradmagic.capture.rounds import Stack, same_stack, stack_of
from ipygradmagic.capture.shells import SHELL
from ipygradmagic.capture.source import Here
from ipygradmagic.capture.teams import GRAD, MOST_READ, NONE, Pack, Way
from ipygradmagic.capture.watch import BackwardPass, StepCall, Watch
from ipygradmagic.record.events import Kind

_functions = torch._C._len_torch_function_stack
_dispatches = torch._C._len_torch_dispatch_stack


@dataclass(slots=True, eq=False)
class Station:
    """One event of the round.

    Attributes:
        model: The entry that it made in the last round that was booked.
        full: For each team, whether it has gradients after the event.
        stack: How it is reached; None until it was seen once.
    """

    model: Entry
    full: list[bool]
    stack: Stack | None = None


class Lane:
    """Looks whether the event that is expected is the one that comes.

    Args:
        watch: The shared state.
        express: Whose checks these are.
        entries: Of one round.
        put: Puts an entry of the expected kind aside.
    """

    def __init__(
        self,
        watch: Watch,
        express: Express,
        entries: Sequence[Entry],
        put: Callable[[Entry], None],
    ) -> None:
        self.at = 0
        self._watch = watch
        self._express = express
        self._lock = watch.lock
        self._local = watch.local
        self._put = put
        self._thread = get_ident()
        self._stations = [Station(e, [p.after is not None for p in e.parts]) for e in entries]
        self._call: StepCall | None = None
        self._current: BackwardPass | None = None

    def _station(self, kind: Kind, owner: object, frame: FrameType | None) -> Station | None:
        """The station of this event, if it is the one that comes next and nothing is otherwise."""
        watch, local = self._watch, self._local
        station = self._stations[self.at]
        model, way = station.model, station.model.way
        if model.kind != kind or (way.owner() if way.owner is not None else None) is not owner:
            return None
        if local.steps or local.passes or local.quiet or get_ident() != self._thread:
            return None
        if watch.books._dead or watch.discovery.births or _functions() or _dispatches():
            return None
        if way.generation != watch.teams.generation:
            return None
        if station.stack is None or not same_stack(frame, station.stack):
            station.stack = stack_of(frame)  # known again from the next time on
            return None
        few = len(watch.books.leaves) <= MOST_READ
        still = way.teams if kind == "backward" or (kind == "step" and few) else ()
        but = way.teams if kind == "zero_grad" and not few else ()
        return station if watch.teams.untouched(but, still) else None

    def _fits(self, station: Station) -> bool:
        """Whether the teams have gradients where they had some before this event."""
        parts = zip(station.model.way.teams, station.model.parts)
        return all((team.grads is None) is (part.before is None) for team, part in parts)

    # -- backward ----------------------------------------------------------------------

    def before_backward(self, outputs: Sequence[Tensor], args: Sequence[Any]) -> bool:
        """Whether the pass that begins is the one that is expected; it is on the lists then.

        Call it directly from the wrapper around backward.
        """
        with self._lock:
            try:
                if len(outputs) != 1 or any(args[1:4]) or self._watch.books.retained:
                    return False
                station = self._station("backward", None, sys._getframe(2))
                if station is None or not self._fits(station):
                    return False
                way = station.model.way
                for team in way.teams:
                    if team.grads is not None and not team.grads.zero:
                        return False  # what is added must be heard
                loss = loss_of(outputs)
                if not self._watch.teams.read and (loss is None or not isfinite(loss)):
                    return False
                if not self._express.same_graph(way, outputs):
                    return False
                model = station.model
                current = BackwardPass(model.here, {}, self._thread, model.actor, loss)
                current.way, current.teams = way, list(way.teams)
            except Exception as error:
                self._watch.failed(error)
                return False
            self._watch.passes.append(current)
            self._local.passes.append(current)
            self._current = current
            return True

    def after_backward(self, error: BaseException | None) -> BackwardPass | None:
        """The pass is over: None if it is recorded, else the pass, to be recorded in full."""
        current, self._current = self._current, None
        if error is None and current is not None:
            with self._lock:
                try:
                    if self._deposited(current):
                        self._watch.passes.remove(current)
                        self._local.passes.remove(current)
                        return None
                except Exception as fault:
                    self._watch.failed(fault)
        return current

    def _deposited(self, current: BackwardPass) -> bool:
        if not self._open() or current.way is None:
            return False
        parts = deposited(current.teams)
        if parts is None:
            return False
        self._done(parts, current.loss, current.way.number)
        return True

    # -- step --------------------------------------------------------------------------

    def before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Whether the step that begins is the one that is expected; it is on the list then.

        Call it directly from the hook.
        """
        with self._lock:
            try:
                shell = sys._getframe(2)
                if any(args[1:]) or kwargs or shell.f_code is not SHELL:
                    return False
                if getattr(optimizer, "found_inf", None) is not None or not is_torchs(optimizer):
                    return False
                station = self._station("step", optimizer, shell.f_back)
                if station is None or not self._fits(station):
                    return False
                model, way = station.model, station.model.way
                if parameters(optimizer) != way.given or model.missed:
                    return False
                began = self._watch.recorder.next
                call = StepCall(optimizer, model.actor, model.here, began, [], [], shell)
                call.way, call.teams = way, [(team, team.values) for team in way.teams]
            except Exception as error:
                self._watch.failed(error)
                return False
            self._local.steps.append(call)
            self._call = call
            self._watch.away = True
            return True

    def after_step(self) -> bool:
        """Whether the step has been recorded. Call it directly from the hook."""
        call, steps = self._call, self._local.steps
        if call is None or sys._getframe(2) is not call.shell:
            return False
        self._call, self._watch.away = None, False
        if len(steps) != 1 or steps[0] is not call:
            return False
        with self._lock:
            try:
                if not self._stepped(call):
                    return False
            except Exception as error:
                self._watch.failed(error)
                return False
            steps.pop()
            return True

    def _stepped(self, call: StepCall) -> bool:
        if not self._open() or getattr(call.optimizer, "found_inf", None) is not None:
            return False
        taken: list[tuple[list[Tensor], Pack]] = []
        for team, _ in call.teams:
            tensors = team.tensors()
            if tensors is None:
                return False
            taken.append((tensors, team.pack(tensors)))
        parts = []
        for (team, old), (tensors, new) in zip(call.teams, taken):
            team.put(tensors, new)
            parts.append(Part(team, team.grads, team.grads, old, new))
        self._done(parts, None, 0)
        return True

    # -- zero_grad ---------------------------------------------------------------------

    def before_zero(self, owner: Any) -> tuple[Way, Here] | None:
        """The ``zero_grad`` that begins, if it is the one that is expected.

        Call it directly from the function around it.
        """
        with self._lock:
            try:
                station = self._station("zero_grad", owner, sys._getframe(2))
                if station is None or not self._fits(station):
                    return None
                way = station.model.way
                if isinstance(owner, torch.optim.Optimizer) and parameters(owner) != way.given:
                    return None
                return way, station.model.here
            except Exception as error:
                self._watch.failed(error)
                return None

    def after_zero(self) -> bool:
        """Whether the ``zero_grad`` has been recorded."""
        with self._lock:
            try:
                return self._open() and self._emptied()
            except Exception as error:
                self._watch.failed(error)
                return False

    def _emptied(self) -> bool:
        station = self._stations[self.at]
        taken: list[tuple[list[Tensor], Pack] | None] = []
        for team, full in zip(station.model.way.teams, station.full):
            tensors = team.tensors()
            if tensors is None:
                return False
            grads = list(map(GRAD, tensors))
            if not full:
                if set(map(type, grads)) != {NONE}:
                    return False
                taken.append(None)
                continue
            if list(map(id, grads)) != team.grad_ids:
                return False
            pack = team.pack(grads, emptied=True)
            if not pack.zero:
                return False
            taken.append((grads, pack))
        parts = []
        for team, new in zip(station.model.way.teams, taken):
            parts.append(Part(team, team.grads, new[1] if new is not None else None))
            if new is not None:
                team.take(*new)
            elif team.grads is not None:
                team.drop()
        self._done(parts, None, 0)
        return True

    # -- all ---------------------------------------------------------------------------

    def _open(self) -> bool:
        """Nobody has looked, and so booked what was put aside, since the event began."""
        return self._watch.lane is self

    def _done(self, parts: list[Part], loss: float | None, number: int) -> None:
        model = self._stations[self.at].model
        kind, label, actor, here, way = model[:5]
        self._put(Entry(kind, label, actor, here, way, parts, (), loss, {}, number))

"""Events: the things that touch gradients or parameters, one record each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipygradmagic.record.brief import change_line, event_line
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import EMPTY, Holds, Summary

Kind = Literal["backward", "step", "zero_grad", "edit", "update", "rebind", "freeze", "unfreeze"]
KINDS: tuple[Kind, ...] = (
    "backward",
    "step",
    "zero_grad",
    "edit",
    "update",
    "rebind",
    "freeze",
    "unfreeze",
)
Source = Literal["gradient", "other", "unknown"]


@dataclass(frozen=True, slots=True)
class Change:
    """What one event did to one tensor.

    ``grad_before + added = grad_after`` in every row that has ``added``.

    Attributes:
        tensor: Id of the tensor (``TensorInfo.id``).
        grad_before, grad_after: Looks at the gradient; None where ``.grad`` is None.
        grad_changed: Whether the event changed the gradient at all.
        added: What this backward deposited; None for events that deposit nothing, and for a
            gradient of more than 16 elements on top of an earlier one (``added_mean`` and
            ``added_norm`` are known there).
        added_exact: ``added`` was captured; otherwise it was derived as after - before.
        added_mean: Mean of what was added, from the means before and after, where ``added``
            is None.
        added_norm: Norm of what was added, there: that of ``grad_after - grad_before``, taken as
            ``moved`` is.
        value_before, value_after: Looks at the value; both None if the event leaves values be.
        holds: What the gradient holds after the event.
        moved: Euclidean norm of ``value_after - value_before``, in the value's own unit, in
            float64: of all elements, or, of more than 65,536, estimated from 64 evenly spaced
            blocks of 16 (root of the mean square, times that of the number of elements). None
            where there is no value before and after, where they have other sizes (a rebind), and
            for an estimate where fewer than half of the blocks moved.
    """

    tensor: int
    grad_before: Summary | None = None
    grad_after: Summary | None = None
    grad_changed: bool = False
    added: Summary | None = None
    added_exact: bool = True
    added_mean: float | None = None
    value_before: Summary | None = None
    value_after: Summary | None = None
    holds: Holds = EMPTY
    moved: float | None = None
    added_norm: float | None = None

    def __repr__(self) -> str:
        return change_line(self)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that touched gradients or parameters.

    Attributes:
        index: 1-based position in the trace.
        kind: See ``KINDS``.
        number: 1-based count of events of this kind (``backward #3``); a continued backward
            repeats its number.
        label: What was called, in API words: ``backward``, ``SGD.step``, ``grad.zero_()``,
            ``data -=``, ``clip_grad_norm_``.
        where: The innermost line of the user's own code.
        via: A library function that stands between that line and the event.
        actor: Name of the optimizer or module that acted, or of the loss of a backward.
        changes: One entry for each tensor that the event changed or consumed.
        unchanged: How many other known tensors it left alone.
        missed: Names of tensors that the actor owns and that had nothing to consume (steps).
        source: For an update or rebind: was the new value computed from a gradient?
        loss: The scalar that was backpropagated.
        graph: Index into ``Trace.graphs`` of this backward's picture, if it was kept.
        continues: Index of the backward that this event continues (a step ran inside it).
        inside: Label of the step during which it happened (closures, hooks).
        error: ``Type: message`` if the call raised.
        signature: Events that look the same share it; loops are folded by it.
    """

    index: int
    kind: Kind
    number: int
    label: str
    where: SourceLocation | None = None
    via: str | None = None
    actor: str | None = None
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    missed: tuple[str, ...] = ()
    source: Source | None = None
    loss: float | None = None
    graph: int | None = None
    continues: int | None = None
    inside: str | None = None
    error: str | None = None
    signature: int = 0

    def __repr__(self) -> str:
        return event_line(self)

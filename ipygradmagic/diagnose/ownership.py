"""Who owns what: leaves that the loss and the optimizers do not agree about."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ipygradmagic.diagnose.flow import loss_is_a_leaf
from ipygradmagic.diagnose.words import joined, lines, listed
from ipygradmagic.language import ntr, tr
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo
from ipygradmagic.record.trace import Trace

_ROOT = re.compile(r"\w+")
_USUAL = {
    "Adam": {"lr": "0.001", "betas": "(0.9, 0.999)"},
    "AdamW": {"lr": "0.001", "betas": "(0.9, 0.999)", "weight_decay": "0.01"},
    "NAdam": {"lr": "0.002", "betas": "(0.9, 0.999)"},
    "RAdam": {"lr": "0.001", "betas": "(0.9, 0.999)"},
    "Adamax": {"lr": "0.002", "betas": "(0.9, 0.999)"},
    "RMSprop": {"lr": "0.01"},
    "Adagrad": {"lr": "0.01"},
    "SGD": {},
}
"""What torch's optimizers take where nothing is said, of what the record has."""


def stale_optimizer(trace: Trace) -> Iterator[Finding]:
    """The optimizer still holds a leaf that another one has replaced."""
    for optimizer in _stepped(trace):
        pairs = list(_replaced(trace, optimizer))
        if not pairs:
            continue
        new = list(dict.fromkeys(b.name for _, b in pairs))
        yield Finding(
            name="stale-optimizer",
            severity="error",
            title=_still_holds(optimizer, pairs),
            cause=tr(
                "An optimizer keeps the tensors that it was given. Binding the name to a new "
                "tensor (or replacing a layer) afterwards does not tell the optimizer."
            ),
            consequence=tr(
                "{names} never moves; step() works on a tensor that nobody uses.", names=listed(new)
            ),
            remedy=Remedy(
                tr(
                    "Make the optimizer after the tensors have their final form, and update them in place."
                ),
                _made_again(trace, optimizer, pairs),
            ),
            evidence=Evidence(
                events=_first_step(trace, optimizer),
                lines=lines(*(b.born for _, b in pairs), _step_line(trace, optimizer)),
                tensors=tuple(new),
                count=len(pairs),
            ),
        )


def _made_again(
    trace: Trace, optimizer: OptimizerInfo, pairs: list[tuple[TensorInfo, TensorInfo]]
) -> str:
    """The line that makes the optimizer anew: from the whole module where it is one that it trains."""
    old, new = {a.id for a, _ in pairs}, [b for _, b in pairs]
    wanted = [*new, *(t for t in _owned(trace, optimizer) if t.id not in old)]
    made = f"{optimizer.name} = torch.optim.{optimizer.cls}"
    module = new[0].module
    whole = {t.id for t in trace.tensors if t.module == module and t.requires_grad}
    if module and whole == {t.id for t in wanted if t.requires_grad}:
        return f"{made}({', '.join([f'{module}.parameters()', *_settings(optimizer)])})"
    names = list(dict.fromkeys(b.name for b in new))
    return f"{made}([{', '.join(names[:4])}], ...)"


def _settings(optimizer: OptimizerInfo) -> Iterator[str]:
    """What the optimizer was given beside the tensors, as far as the record says."""
    if len(optimizer.groups) != 1:
        yield "..."
        return
    settings = dict(optimizer.groups[0].settings)
    usual = _USUAL.get(optimizer.cls, {})
    began = settings.pop("initial_lr", "")
    if began:
        settings["lr"] = began
    for name in sorted({*settings, *usual}, key=lambda name: name != "lr"):
        value = settings.get(name, "0")  # what is zero or off is not in the record
        if value != usual.get(name):
            yield f"{name}={value}"


def _still_holds(optimizer: OptimizerInfo, pairs: list[tuple[TensorInfo, TensorInfo]]) -> str:
    """What it holds and what the loss reaches, by the names that are known."""
    old = [a.name for a, _ in pairs if not _nameless(a)]
    lost = [(a, b) for a, b in pairs if _nameless(a)]
    if not lost:
        return tr(
            "{optimizer} still holds the old {names}: the loss reaches a newer tensor of that name, "
            "which is in no optimizer.",
            optimizer=optimizer.name,
            names=listed(old),
        )
    shapes = ["×".join(map(str, a.shape)) or tr("a number") for a, _ in lost[:4]]
    held = ntr(
        "{n} tensor that no variable denotes any more ({shapes})",
        "{n} tensors that no variable denotes any more ({shapes})",
        len(lost),
        shapes=joined(shapes + ["…"] * (len(lost) > 4)),
    )
    named = [tr("the old {name}", name=name) for name in old]
    return ntr(
        "{optimizer} still holds {held}: the loss reaches {names} of the same shape, which is in no "
        "optimizer.",
        "{optimizer} still holds {held}: the loss reaches {names} of the same shapes, which are in no "
        "optimizer.",
        len(lost),
        optimizer=optimizer.name,
        held=listed([*named, held]),
        names=listed(list(dict.fromkeys(b.name for _, b in pairs))),
    )


def holds_replaced(trace: Trace, name: str) -> bool:
    """Whether an optimizer holds leaves that others have replaced."""
    return any(o.name == name and any(_replaced(trace, o)) for o in _stepped(trace))


def _replaced(trace: Trace, optimizer: OptimizerInfo) -> Iterator[tuple[TensorInfo, TensorInfo]]:
    """(owned but unreached, reached but unowned) pairs that belong together.

    They have one name; or the old ones have lost theirs, and *each* of those has its like among
    the new ones. Tensors that are given their gradients by hand (A3C's shared model, float32 master
    weights) are in use, whatever the loss reaches.
    """
    owned = [t for t in _owned(trace, optimizer) if not t.reached and t.requires_grad]
    orphans = [
        t
        for t in trace.tensors
        if t.kind == "leaf" and t.reached and not _ever_owned(trace, t) and not _unnamed(t)
    ]
    if not owned or not orphans:
        return
    fed = _fed(trace)
    owned = [t for t in owned if t.id not in fed]
    lost = [t for t in owned if _nameless(t)]
    named = list(_matched([t for t in owned if not _nameless(t)], orphans, by_name=True))
    yield from named
    taken = {new.id for _, new in named}
    pairs = list(_matched(lost, [t for t in orphans if t.id not in taken], by_name=False))
    if len(pairs) == len(lost):
        yield from pairs


def _matched(
    owned: list[TensorInfo], orphans: list[TensorInfo], *, by_name: bool
) -> Iterator[tuple[TensorInfo, TensorInfo]]:
    """Each old tensor with the first new one of its name, or of its shape, that is left."""
    left = list(orphans)
    for old in owned:
        for new in left:
            if new.id != old.id and (new.name == old.name if by_name else new.shape == old.shape):
                left.remove(new)
                yield old, new
                break


def _fed(trace: Trace) -> set[int]:
    """Tensors that no backward of their own reaches, and that were given a gradient all the same."""
    changes = ((e.kind, c) for e in trace.events for c in e.changes if c.grad_changed)
    return {
        c.tensor
        for kind, c in changes
        if kind in ("edit", "backward") and c.grad_after is not None and not c.grad_after.zero
    }


def _unnamed(tensor: TensorInfo) -> bool:
    return tensor.name.startswith("‹")


def _nameless(tensor: TensorInfo) -> bool:
    """No variable leads to it, except perhaps through an optimizer."""
    return _unnamed(tensor) or _is_handle(tensor.name)


def _is_handle(name: str) -> bool:
    return "param_groups" in name


def unowned_leaf(trace: Trace) -> Iterator[Finding]:
    """Reached by the loss, but in no optimizer and never updated."""
    if not _stepped(trace):
        return
    replaced = {b.id for o in _stepped(trace) for _, b in _replaced(trace, o)}
    orphans = [
        t
        for t in trace.tensors
        if t.kind == "leaf" and t.reached and not _ever_owned(trace, t) and t.id not in replaced
    ]
    orphans = [t for t in orphans if _never_used(trace, t.name)]
    likely = [t for t in orphans if _forgotten(trace, t)]
    known = {t.id for t in likely}
    giver = _given_by_hand(trace)
    for some, severity in (
        (likely, "warning"),
        ([t for t in orphans if t.id not in known], "note"),
    ):
        names = list(dict.fromkeys(t.name for t in some))
        if not names or (severity == "note" and not any(t.parameter for t in some)):
            continue
        yield Finding(
            name="unowned-leaf",
            severity="warning" if severity == "warning" else "note",
            title=ntr(
                "{names} received gradients, but is in no optimizer and never updated.",
                "{names} received gradients, but are in no optimizer and never updated.",
                len(names),
                names=listed(names),
            ),
            cause=_why_unowned(trace, some, giver if severity == "note" else ""),
            consequence=(
                ntr(
                    "It never changes, and gradients pile up in it.",
                    "Each of them never changes, and gradients pile up in it.",
                    len(names),
                )
                if severity == "warning"
                else _if_intended(giver)
            ),
            remedy=Remedy(_advice(giver if severity == "note" else "")),
            evidence=Evidence(
                lines=lines(
                    *(t.born for t in some[:3]), *_owner_lines(trace), _backward_line(trace)
                ),
                tensors=tuple(names),
                count=len(names),
            ),
        )


def _forgotten(trace: Trace, tensor: TensorInfo) -> bool:
    """Signs that a leaf was meant to be trained.

    A Parameter that its module does not register, or that nothing reaches but the graph (made
    anew in ``forward``), can never be in ``model.parameters()``. A leaf made by hand that takes
    two or more contributions beside bare leaves that are trained was forgotten; an input whose
    gradient is looked at (FGSM, saliency) is a new leaf in each round, or is cleared, or is larger
    than each of the bare leaves that are trained: it has a row for every sample.
    """
    if tensor.parameter:
        if _unnamed(tensor):
            return _made_anew(trace, tensor)
        return not tensor.registered and _has_trained_kin(trace, tensor)
    bare = [t for o in _stepped(trace) for t in _owned(trace, o) if not t.parameter]
    largest = max((math.prod(t.shape) for t in bare), default=-1)
    if tensor.data or math.prod(tensor.shape) > largest:
        return False
    book = next((b for b in trace.ledger.books if b.name == tensor.name), None)
    if book is None or book.leaves > 1 or book.clears or book.consumptions:
        return False
    return tensor.reached >= 2 and _same_backward(trace, tensor)


def _has_trained_kin(trace: Trace, tensor: TensorInfo) -> bool:
    """Some tensor of the same object is in an optimizer; a fixed network hidden in a list has none.

    A leaf without a name, made anew in ``forward``, has no kin to look for.
    """
    root = _ROOT.match(tensor.name)
    if root is None:
        return True
    owned = (t for o in _stepped(trace) for t in _owned(trace, o))
    return any(_ROOT.match(t.name) and t.name.startswith(root.group()) for t in owned)


def _same_backward(trace: Trace, tensor: TensorInfo) -> bool:
    """Some backward reached this leaf together with one that an optimizer owns."""
    owned = {i for o in _stepped(trace) for g in o.groups for i in g.tensors}
    for event in trace.events:
        if event.kind == "backward":
            ids = {c.tensor for c in event.changes}
            if tensor.id in ids and ids & owned:
                return True
    return False


def _made_anew(trace: Trace, tensor: TensorInfo) -> bool:
    """One of several like it without a name, each reached once: ``forward`` makes them.

    One that lives on is only out of sight: whether its module registers it cannot be told.
    """
    if tensor.reached != 1:
        return False
    alike = (t for t in trace.tensors if _unnamed(t) and t.parameter and t.shape == tensor.shape)
    once = [t for t in alike if t.reached == 1]
    return len(once) > 1 and not all(t.alive for t in once)


def _given_by_hand(trace: Trace) -> str:
    """The optimizer, if there is one, whose tensors are given their gradients by hand."""
    fed = _fed(trace)
    for optimizer in _stepped(trace):
        if any(not t.reached and t.id in fed for t in _owned(trace, optimizer)):
            return optimizer.name
    return ""


def _why_unowned(trace: Trace, some: list[TensorInfo], giver: str) -> str:
    if giver:
        return tr(
            "{optimizer} steps other tensors, which are given their gradients by hand; these may be "
            "where those gradients are computed.",
            optimizer=giver,
        )
    if any(t.parameter and not t.registered and not _out_of_sight(trace, t) for t in some):
        return tr(
            "These layers are not registered in their module (a plain list or dict, or made inside "
            "forward()), so model.parameters() does not list them."
        )
    if any(t.parameter and not t.registered for t in some):
        return tr("No variable leads to them, so what they belong to is not known.")
    if any(t.parameter for t in some):
        return tr("The optimizer was given only a part of the model's parameters.")
    return tr("The optimizer was not given this tensor.")


def _out_of_sight(trace: Trace, tensor: TensorInfo) -> bool:
    return _unnamed(tensor) and not _made_anew(trace, tensor)


def _if_intended(giver: str) -> str:
    if giver:
        return tr("None, if its gradients are the ones that are handed over.")
    return tr("If that is intended, switching requires_grad off saves the work.")


def _advice(giver: str) -> str:
    if giver:
        return tr(
            "Nothing is to be done if the gradients that are handed over come from here. A tensor "
            "that is to be trained itself belongs in an optimizer."
        )
    return tr(
        "Give the optimizer every tensor that is to be trained; register layers in "
        "nn.ModuleList or nn.ParameterList instead of a plain list."
    )


def unreached_leaf(trace: Trace) -> Iterator[Finding]:
    """In an optimizer that steps, but never reached by any backward."""
    if loss_is_a_leaf(trace):
        return
    replaced = {a.id for o in _stepped(trace) for a, _ in _replaced(trace, o)}
    for optimizer in _stepped(trace):
        owned = [t for t in _owned(trace, optimizer) if t.requires_grad]
        dead = [t for t in owned if not t.reached and t.grad is None and t.id not in replaced]
        if not dead or not trace.counts().get("backward") or optimizer.steps < 2:
            continue
        names = list(dict.fromkeys(t.name for t in dead))
        every = len(dead) == len(owned)
        if every and any(i.kind == "empty-step" for i in trace.ledger.incidents):
            severity = "warning"
        else:
            severity = "note"
        yield Finding(
            name="unreached-leaf",
            severity="warning" if severity == "warning" else "note",
            title=ntr(
                "{n} tensor of {optimizer} ({names}) was never reached by a backward: grad is None.",
                "{n} tensors of {optimizer} ({names}) were never reached by a backward: grad is None.",
                len(dead),
                optimizer=optimizer.name,
                names=listed(names),
            ),
            cause=tr(
                "The loss does not depend on it: the layer is not used in forward(), the graph is "
                "cut on the way (detach, .data, .item()), or it belongs to another model."
            ),
            consequence=tr("It keeps its initial value."),
            remedy=Remedy(
                tr("Check that the loss is computed from it, without a detach on the way.")
            ),
            evidence=Evidence(
                lines=lines(_step_line(trace, optimizer)), tensors=tuple(names), count=len(dead)
            ),
        )


def _stepped(trace: Trace) -> list[OptimizerInfo]:
    return [o for o in trace.optimizers if o.steps]


def _owned(trace: Trace, optimizer: OptimizerInfo) -> list[TensorInfo]:
    ids = {i for g in optimizer.groups for i in g.tensors}
    return [t for t in trace.tensors if t.id in ids]


def _ever_owned(trace: Trace, tensor: TensorInfo) -> bool:
    ids = {i for o in trace.optimizers for g in o.groups for i in g.tensors}
    return tensor.id in ids or bool(tensor.owners)


def _never_used(trace: Trace, name: str) -> bool:
    return all(not b.consumptions for b in trace.ledger.books if b.name == name)


def _first_step(trace: Trace, optimizer: OptimizerInfo) -> tuple[int, ...]:
    steps = (e.index for e in trace.events if e.kind == "step" and e.actor == optimizer.name)
    return tuple(i for i in (next(steps, 0),) if i)


def _step_line(trace: Trace, optimizer: OptimizerInfo) -> SourceLocation | None:
    steps = (e.where for e in trace.events if e.kind == "step" and e.actor == optimizer.name)
    return next(steps, None)


def _owner_lines(trace: Trace) -> Iterator[SourceLocation | None]:
    """Where the first optimizer was made, and where it steps."""
    for optimizer in _stepped(trace)[:1]:
        yield optimizer.made
        yield _step_line(trace, optimizer)


def _backward_line(trace: Trace) -> SourceLocation | None:
    return next((e.where for e in trace.events if e.kind == "backward"), None)

"""Contributions that met where they should not have, and those that rightly did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ipygradmagic.diagnose import patch
from ipygradmagic.diagnose.words import (
    at,
    evidence_of,
    grads,
    lines,
    listed,
    nth_backward,
    nth_update,
    of_kind,
    times,
    total,
)
from ipygradmagic.language import ntr, tr
from ipygradmagic.record.findings import Edit, Evidence, Finding, Remedy
from ipygradmagic.record.ledger import Incident, LeafBook
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Trace

GUILTY = ("stale", "decayed", "leaked", "reused-part", "reused-later")
"""Incidents after which a gradient is not called right."""
MOST_CLEARED = 3


def stale_gradient(trace: Trace) -> Iterator[Finding]:
    """A contribution consumed again together with a newer one: a forgotten ``zero_grad``."""
    for incident in of_kind(trace, "stale"):
        old = nth_backward(incident.oldest) if incident.oldest else _earlier(incident.origin)
        newer = nth_backward(incident.newest) if incident.newest else tr("a newer one")
        title = ntr(
            "Forgotten zero_grad: {update}{at} used an old gradient again: {grads} still held {old}, "
            "which an earlier update had already used, when {newer} was added.",
            "Forgotten zero_grad: {update}{at} used old gradients again: {grads} still held {old}, "
            "which an earlier update had already used, when {newer} was added.",
            incident.tensor_count,
            update=nth_update(incident),
            at=at(incident.where),
            grads=grads(incident),
            old=old,
            newer=newer,
        )
        if incident.count > 1:
            title += tr(" It happened {times}.", times=times(incident.count))
        yield Finding(
            name="stale-gradient",
            severity="error",
            title=title,
            cause=tr(
                "backward() adds to .grad, it does not replace it. Nothing cleared the gradient "
                "between one update and the next backward, so every update uses all earlier "
                "gradients again."
            ),
            consequence=tr(
                "The steps follow a sum of old and new gradients: they grow too long and point in "
                "the wrong direction, as if the learning rate were far too high."
            ),
            remedy=_clear_remedy(trace, incident),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def _earlier(origin: SourceLocation | None) -> str:
    if origin is None:
        return tr("an earlier one")
    return tr("that of an earlier run ({place})", place=origin.place)


def _clear_remedy(trace: Trace, incident: Incident) -> Remedy:
    backward, used = incident.deposited, incident.where
    alone = _only_user(trace, incident)
    early = alone and _one_backward_each(trace, incident)
    before: Edit | None = None
    after: Edit | None = None
    if incident.actor:
        code = f"{incident.actor}.zero_grad()"
        said = tr("Clear the gradients once in every round, after the step{at}.", at=at(used))
        before = patch.clear_before_backward(backward, used) if early else None
        after = patch.clear_after_step(used) if alone else None
    else:
        name = incident.tensors[0] if incident.tensors else "w"
        code = f"{name}.grad = None" if "‹" not in name else "p.grad = None"
        said = tr("Clear the gradients once in every round, after the update{at}.", at=at(used))
        before = patch.drop_before_backward(backward, used, incident.tensors) if early else None
        after = patch.clear_after_update(used, incident.tensors) if alone else None
    if before is not None or (incident.actor and after is None):
        said = tr(
            "Clear the gradients once in every round, before the backward{at}.", at=at(backward)
        )
    return Remedy(said, code, before or after)


def _one_backward_each(trace: Trace, incident: Incident) -> bool:
    """Never do two backward passes reach these tensors between two of the updates."""
    ids, since = _ids(trace, incident), 0
    for event in trace.events:
        if not any(change.tensor in ids for change in event.changes):
            continue
        if event.kind == "backward" and event.continues is None:
            since += 1
            if since > 1:
                return False
        elif event.kind in ("step", "update") and _same_line(event.where, incident.where):
            since = 0
    return True


def _ids(trace: Trace, incident: Incident) -> set[int]:
    names = set(incident.tensors)
    return {t.id for t in trace.tensors if t.name in names}


def _same_line(one: SourceLocation | None, other: SourceLocation | None) -> bool:
    return (
        one is not None and other is not None and (one.file, one.line) == (other.file, other.line)
    )


def _only_user(trace: Trace, incident: Incident) -> bool:
    """No other line updates these tensors: where two do, one may be meant to reuse."""
    ids = _ids(trace, incident)
    for event in trace.events:
        uses = event.kind == "step" or (event.kind in ("update", "rebind"))
        if uses and event.source != "other" and not _same_line(event.where, incident.where):
            if any(change.tensor in ids for change in event.changes):
                return False
    return True


def decayed_gradient(trace: Trace) -> Iterator[Finding]:
    """Old gradient kept on purpose, scaled down by hand."""
    for incident in of_kind(trace, "decayed"):
        yield Finding(
            name="decayed-gradient",
            severity="note",
            title=tr(
                "Each update{at} also uses a scaled part of earlier gradients, kept in {grads}.",
                at=at(incident.where),
                grads=grads(incident),
            ),
            cause=tr(
                "The gradient is multiplied by hand after each update instead of being cleared, so "
                "it works as a momentum buffer. If that was the plan, all is well."
            ),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def leftover(trace: Trace) -> Iterator[Finding]:
    """A gradient from before this cell, or from a one-off backward, mixed into the first step.

    Several cells may fill one window on purpose. So the left-over gradient is a warning if it makes
    the first window of this code larger than all later ones; without a later one, a note.
    """
    for incident in of_kind(trace, "leftover"):
        if incident.origin:
            title = tr(
                "The first update{at} also used a gradient from {place}, which {grads} already held "
                "when this code started.",
                at=at(incident.where),
                place=incident.origin.place,
                grads=grads(incident),
            )
        else:
            title = tr(
                "The first update{at} also used a gradient of unknown origin, which {grads} already "
                "held when this code started.",
                at=at(incident.where),
                grads=grads(incident),
            )
        yield Finding(
            name="left-over-from-earlier-cell",
            severity="warning" if incident.repeats else "note",
            title=title,
            cause=tr(
                "The gradient was not cleared before the loop began. Running a cell again, or out "
                "of order, leaves the earlier run's gradient in place."
            ),
            consequence=tr("The first step goes in a direction that mixes old and new gradients."),
            remedy=Remedy(
                tr("Clear the gradients before the loop."),
                _clearing(incident.actor, incident.tensors),
            ),
            evidence=evidence_of(incident, incident.where, incident.deposited, incident.origin),
        )
    for incident in of_kind(trace, "first-window"):
        yield Finding(
            name="leftover-before-first-step",
            severity="warning",
            title=tr(
                "The first update used a gradient that a one-off backward{at} had left in {grads}.",
                at=at(incident.deposited),
                grads=grads(incident),
            ),
            cause=tr(
                "A backward before the loop (a warm-up, a check) deposited a gradient that was not "
                "cleared before the first round."
            ),
            consequence=tr("The first step is too long."),
            remedy=Remedy(
                tr("Clear the gradients before the loop begins."),
                _clearing(incident.actor or _holder(trace, incident), incident.tensors),
            ),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def discarded_contribution(trace: Trace) -> Iterator[Finding]:
    """Contributions cleared before anything used them, from a line whose others are used.

    A note where the line that clears them does nothing else: it was written to throw away what a
    condition has found unfit. (One that comes round regularly also clears what was used, or nothing.)
    """
    for incident in of_kind(trace, "discarded"):
        lost, used = incident.count, incident.repeats
        if lost < 2 or lost < used:
            continue
        meant = 0 < _clearings(trace, incident.where) <= max(lost, _lost_before(trace, incident))
        yield Finding(
            name="discarded-contribution",
            severity="note" if meant else "warning",
            title=tr(
                "{lost} of {all} contributions of the backward{deposited} were cleared{at} before any "
                "update had used them.",
                lost=lost,
                all=lost + used,
                deposited=at(incident.deposited),
                at=at(incident.where),
            ),
            cause=tr("The gradients are cleared more often than the parameters are updated."),
            consequence=tr("Most of the computed gradients are thrown away; nothing accumulates."),
            remedy=Remedy(tr("Clear the gradients once for each update, not for each backward.")),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


def _lost_before(trace: Trace, incident: Incident) -> int:
    """How many contributions all leaves of such a name have lost, if there were several."""
    books = (b for b in trace.ledger.books if b.name in incident.tensors and b.leaves > 1)
    return max((b.discarded for b in books), default=0)


def _clearings(trace: Trace, where: SourceLocation | None) -> int:
    """How many events at this line cleared gradients, or would have."""
    here = {e.signature for e in trace.events if e.kind == "zero_grad" and e.where == where}
    return sum(signature in here for signature in trace.pattern)


def uncleared_gradient(trace: Trace) -> Iterator[Finding]:
    """A used gradient has had a newer one added; the next update would use both."""
    some = [
        t
        for t in trace.tensors
        if t.alive and t.reached and t.holds is not None and t.holds.stale and t.holds.earlier
    ]
    if any(True for _ in of_kind(trace, "stale")) or total(trace, "step"):
        return
    if some:
        names = [f"{t.name}.grad" for t in some]
        origin = next((t.holds.origin for t in some if t.holds and t.holds.origin), None)
        yield Finding(
            name="uncleared-gradient",
            severity="note",
            title=ntr(
                "{grads} holds a gradient that an update has already used, and a newer one on top of "
                "it: the next update would use the old one again.",
                "{grads} hold a gradient that an update has already used, and a newer one on top of "
                "it: the next update would use the old one again.",
                len(names),
                grads=listed(names),
            ),
            cause=tr("Nothing cleared the gradient between the update and this backward."),
            remedy=Remedy(tr("Clear it before the backward."), f"{some[0].name}.grad = None"),
            evidence=Evidence(lines=lines(origin), tensors=tuple(t.name for t in some)),
        )


def _clearing(optimizer: str | None, names: Sequence[str]) -> str:
    """The line that empties these gradients."""
    if optimizer:
        return f"{optimizer}.zero_grad()"
    return " = ".join([*(f"{name}.grad" for name in names[:MOST_CLEARED] or ("w",)), "None"])


def _holder(trace: Trace, incident: Incident) -> str:
    """What a variable denotes and has a ``zero_grad`` for all these tensors; "" if nothing does."""
    tensors = [t for t in trace.tensors if t.name in incident.tensors]
    unnamed = {o.name for o in trace.optimizers if o.name == o.cls}
    common = [{*t.owners} - unnamed for t in tensors]
    owners = set.intersection(*common) if common else set()
    modules = {t.module for t in tensors}
    return min(owners, default="") or (modules.pop() if len(modules) == 1 else "")


def growing_sum(trace: Trace) -> Iterator[Finding]:
    """Several backward passes that nothing consumed or cleared: the beginner's surprise."""
    moved = {t.name for t in trace.tensors if t.kind == "non-leaf"}  # the name: to a result
    books = [
        b
        for b in trace.ledger.books
        if b.pending > 1 and not b.consumptions and b.leaves == 1 and b.name not in moved
    ]
    if not books or total(trace, "step") or total(trace, "update"):
        return
    most = max(b.pending for b in books)
    yield Finding(
        name="growing-sum",
        severity="note",
        title=ntr(
            "{grads} now holds the sum of {most} backward passes: backward() accumulates.",
            "{grads} now hold the sum of {most} backward passes: backward() accumulates.",
            len(books),
            grads=listed([f"{b.name}.grad" for b in books]),
            most=most,
        ),
        cause=tr(
            "Each backward adds to .grad what it computed; nothing used or cleared the gradient "
            "in between. That is how gradients are accumulated on purpose."
        ),
        remedy=Remedy(
            tr("To see one pass alone, clear the gradient before it."),
            _clearing("", [b.name for b in books]),
        ),
        evidence=Evidence(
            lines=lines(next((e.where for e in trace.events if e.kind == "backward"), None)),
            tensors=tuple(b.name for b in books),
            count=most,
        ),
    )


def partial_window(trace: Trace) -> Iterator[Finding]:
    """An accumulation window cut short by a clearing: its contributions are lost."""
    for incident in of_kind(trace, "partial-window"):
        yield Finding(
            name="discarded-contribution",
            severity="warning" if incident.count > 1 else "note",
            title=tr(
                "A window of accumulated gradients was cleared{at} before any update had used it "
                "({times}).",
                at=at(incident.where),
                times=times(incident.count),
            ),
            cause=tr(
                "Several backward passes are collected for one update, but the gradients are also "
                "cleared at a time when a window is not full, such as the start of an epoch."
            ),
            consequence=tr("The batches of that window do not contribute to training."),
            remedy=Remedy(tr("Clear only after an update, or step once more before clearing.")),
            evidence=evidence_of(incident, incident.where, incident.deposited),
        )


# -- exonerations ----------------------------------------------------------------------


def accumulation(trace: Trace) -> Iterator[Finding]:
    """Several backward passes for one update, each used once."""
    books = [b for b in _clean_books(trace) if b.largest > 1 and not b.rebinds]
    mixed = {name for _, _, names in _passes_for_others(trace) for name in names}
    books = [b for b in books if b.name not in mixed]
    if not books:
        return
    small, large = min(b.smallest for b in books), max(b.largest for b in books)
    size = large if small == large else tr("{small} to {large}", small=small, large=large)
    yield Finding(
        name="accumulation",
        severity="fine",
        title=_whose(trace, books)
        + tr(
            "{size} backward passes per update, each used exactly once: gradient accumulation, not a "
            "forgotten zero_grad.",
            size=size,
        )
        + _rest(books),
        cause=tr("The gradients are cleared after each update, so no contribution is used twice."),
        evidence=Evidence(tensors=tuple(b.name for b in books)),
    )


def _whose(trace: Trace, books: list[LeafBook]) -> str:
    """``judge.weight: `` where other gradients did not fare so well, and nothing where all did."""
    good = {b.name for b in books}
    ill = any(b.deposits and not b.consumptions for b in trace.ledger.books)
    ill = ill or any(n not in good for i in of_kind(trace, *GUILTY) for n in i.tensors)
    return tr("{names}: ", names=listed([b.name for b in books])) if ill else ""


def _rest(books: list[LeafBook]) -> str:
    """What the last update has left over."""
    left = max(b.pending for b in books)
    if not left:
        return ""
    return ntr(
        " The last {n} has not been used yet.", " The last {n} have not been used yet.", left
    )


def unfinished_window(trace: Trace) -> Iterator[Finding]:
    """The code ends with less than a window of accumulated gradients, which no update has used."""
    books = [
        b
        for b in _clean_books(trace)
        if b.consumptions > 1 and 0 < b.pending < b.smallest == b.largest and not b.rebinds
    ]
    if books and trace.error is None:
        left, size = max(b.pending for b in books), max(b.largest for b in books)
        last = [e.where for e in trace.events if e.kind == "backward"][-1:]

        yield Finding(
            name="discarded-contribution",
            severity="note",
            title=ntr(
                "The last backward pass has not been used by any update: the code ended in the middle "
                "of a window of {size}.",
                "The last {n} backward passes have not been used by any update: the code ended in the "
                "middle of a window of {size}.",
                left,
                size=size,
            ),
            cause=tr(
                "There is an update after every {size} backward passes, and the number of passes is no "
                "multiple of {size}.",
                size=size,
            ),
            consequence=tr(
                "What was computed last does not count, unless an update is still to come."
            ),
            remedy=Remedy(tr("Step once more after the loop, for what is left.")),
            evidence=Evidence(lines=lines(*last), tensors=tuple(b.name for b in books), count=left),
        )


def pass_for_others(trace: Trace) -> Iterator[Finding]:
    """A backward that was made for an input's gradient also fills the parameters, and a step uses it.

    A note: adversarial training may want both.
    """
    for where, leaf, names in _passes_for_others(trace):
        yield Finding(
            name="leaked-gradient",
            severity="note",
            title=tr(
                "The backward{at} is there for {leaf}.grad, and what it left in {grads} was used "
                "together with another loss's.",
                at=at(where),
                leaf=leaf,
                grads=listed([f"{n}.grad" for n in names]),
            ),
            cause=tr(
                "backward() deposits into every leaf that the loss depends on. Between this pass and the "
                "update nothing cleared the gradients of the parameters."
            ),
            consequence=tr("The update also follows what was computed for the input."),
            remedy=Remedy(
                tr("Ask for the one gradient only, or clear the others before the real loss."),
                f"torch.autograd.grad(loss, {leaf})",
            ),
            evidence=Evidence(lines=lines(where), tensors=tuple(names)),
        )


_ForOther = tuple[SourceLocation | None, str, list[str]]


def _passes_for_others(trace: Trace) -> list[_ForOther]:
    """Lines of backward that also reach a leaf which no optimizer owns, and the names mixed with them.

    Mixed are the tensors of optimizers that use several passes at once, if another line reaches them
    without that leaf.
    """
    windows = {b.name for b in _clean_books(trace) if b.largest > 1}
    owned = {t.id: t.name for t in trace.tensors if t.owners and t.name in windows}
    loose = {t.id: t.name for t in trace.tensors if t.kind == "leaf" and not t.owners}
    loose = {number: name for number, name in loose.items() if name.isidentifier()}
    reached: dict[SourceLocation | None, tuple[set[int], set[int]]] = {}
    for event in trace.events:
        if event.kind == "backward":
            mine, other = reached.setdefault(event.where, (set(), set()))
            mine.update(c.tensor for c in event.changes if c.tensor in owned)
            other.update(c.tensor for c in event.changes if c.tensor in loose)
    plain = {n for mine, other in reached.values() if not other for n in mine}
    return [
        (where, loose[min(other)], list(dict.fromkeys(owned[n] for n in sorted(mine & plain))))
        for where, (mine, other) in reached.items()
        if other and mine & plain
    ]


def rebinding(trace: Trace) -> Iterator[Finding]:
    """The name is bound to a new leaf in every round, whose gradient starts empty."""
    names = [b.name for b in _clean_books(trace) if b.rebinds > 0 and b.leaves > 1]
    if names:
        place = next((e.where for e in trace.events if e.kind == "rebind" and e.where), None)
        yield Finding(
            name="rebinding",
            severity="fine",
            title=ntr(
                "No zeroing is needed: the name {names} is bound to a new leaf in every round, and a "
                "new leaf's grad is None.",
                "No zeroing is needed: the names {names} are bound to a new leaf in every round, and a "
                "new leaf's grad is None.",
                len(names),
                names=listed(names),
            ),
            cause=tr("The old leaf, with the gradient that it held, is left behind."),
            evidence=Evidence(lines=lines(place), tensors=tuple(names)),
        )


def closure(trace: Trace) -> Iterator[Finding]:
    """Several backward passes inside one ``step(closure)``."""
    if trace.ledger.closures and not _any_stale(trace):
        count = trace.ledger.closures
        yield Finding(
            name="closure",
            severity="fine",
            title=ntr(
                "{n} closure evaluation inside step(): each cleared the gradients and used its own.",
                "{n} closure evaluations inside step(): each cleared the gradients and used its own.",
                count,
            ),
            cause=_calls_said(trace),
        )


def _calls_said(trace: Trace) -> str:
    """How often a step has called its closure, as far as the events that were kept tell."""
    actor, most = _most_calls(trace)
    if most < 2:
        return tr("step() called the closure once, and used the gradients that it had computed.")
    return tr(
        "{optimizer} called the closure up to {n} times within one step.", optimizer=actor, n=most
    )


def _most_calls(trace: Trace) -> tuple[str, int]:
    """The optimizer whose step called its closure most often, and how often that was.

    A closure that is called once is no event of its own: its return is the step.
    """
    calls: Counter[str] = Counter()
    best, before = ("", 0), 0
    for event in trace.events:
        if event.index != before + 1:
            calls.clear()  # some were not kept: who knows of which step
        before = event.index
        if event.kind != "step":
            continue
        actor = event.actor or ""
        if event.label.endswith(" closure"):
            calls[actor] += 1
            best = max(best, (actor, calls[actor]), key=lambda pair: pair[1])
        else:
            calls[actor] = 0
    return best


def zeroed(trace: Trace) -> Iterator[Finding]:
    """The everyday loop: every contribution used exactly once, then cleared."""
    books = [b for b in _clean_books(trace) if b.consumptions and b.largest == 1 and not b.rebinds]
    if any(b.deposits for b in books) and not _any_stale(trace):
        passes, updates = max(b.deposits for b in books), max(b.consumptions for b in books)
        cleared = sum(b.clears for b in books)
        yield Finding(
            name="zeroed",
            severity="fine",
            title=_whose(trace, books) + _all_used(passes, updates, cleared > 1),
            cause=tr("Nothing stale: the ledger followed every contribution from deposit to use."),
            evidence=Evidence(tensors=tuple(b.name for b in books)),
        )


def _all_used(passes: int, updates: int, cleared: bool) -> str:
    """That no gradient was used twice, and, where there are as many updates, none was left out."""
    of = {
        "passes": ntr("{n} backward pass", "{n} backward passes", passes),
        "updates": ntr("{n} update", "{n} updates", updates),
    }
    if passes == updates and cleared:
        return tr(
            "{passes}, {updates}: every gradient was used exactly once, and cleared before the next "
            "one.",
            **of,
        )
    if passes == updates:
        return tr("{passes}, {updates}: every gradient was used exactly once.", **of)
    if cleared:
        return tr(
            "{passes}, {updates}: no gradient was used twice, and cleared before the next one.",
            **of,
        )
    return tr("{passes}, {updates}: no gradient was used twice.", **of)


def _any_stale(trace: Trace) -> bool:
    return any(True for _ in of_kind(trace, "stale", "decayed"))


def _clean_books(trace: Trace) -> list[LeafBook]:
    """Books of names without any incident of use."""
    guilty = {n for i in of_kind(trace, *GUILTY) for n in i.tensors}
    return [b for b in trace.ledger.books if b.name not in guilty and b.consumptions]

"""What a trace would be if it ended now, read without leaving a mark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ipygradmagic.capture.harvest import harvest
from ipygradmagic.capture.watch import Watch
from ipygradmagic.record.incidents import Open
from ipygradmagic.record.ledger import Ledger
from ipygradmagic.record.trace import Meta, Trace

Sign = tuple[object, ...]
"""Something that may be, or come of, an error; those that are equal look the same."""


def so_far(watch: Watch, ledger: Ledger, meta: Meta) -> Trace:
    """The trace up to here, by another ledger. Call it under a guard."""
    with _instead(watch, ledger.trial()):
        return harvest(watch, meta, None, None)


def sign_of(found: Open) -> Sign:
    """What kind of incident it is, and where."""
    return found.kind, found.site, found.actor, found.deposited


@contextmanager
def _instead(watch: Watch, ledger: Ledger) -> Iterator[None]:
    """With another ledger; what harvesting looks up anew is put back as it was."""
    kept = watch.ledger
    seen = [(leaf, leaf.value, leaf.grad, dict(leaf.owners)) for leaf, _ in watch.books.alive()]
    watch.ledger = ledger
    try:
        yield
    finally:
        watch.ledger = kept
        for leaf, value, grad, owners in seen:
            leaf.value, leaf.grad, leaf.owners = value, grad, owners

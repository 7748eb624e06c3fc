"""The marks of a strip: the state of a gradient, what the marks mean, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipygradmagic.record.events import Change
from ipygradmagic.record.tensors import EMPTY, Holds, Summary
from ipygradmagic.render import words
from ipygradmagic.render.fates import (
    BROKEN,
    FATES,
    FRESH,
    MIXED,
    NONE,
    OLD,
    STALE,
    SUMMED,
    USED,
    ZERO,
    Fate,
    fate,
    fate_words,
)
from ipygradmagic.render.view import Life, Mark, Stage

MOST_DIGITS = 2
EDITED = "′"
"""Beside the mark of a gradient that was scaled, clipped or edited by hand."""
AWAY = Mark()
"""Where the state is not known."""


def mark_of(grad: Summary | None, holds: Holds) -> Mark:
    """The state of a gradient that looks like this and holds this."""
    found = fate(grad, holds)
    return Mark(found.name, _sign(found, holds), fate_words(grad, holds))


def _sign(found: Fate, holds: Holds) -> str:
    sign = found.mark
    if found in (FRESH, SUMMED) and len(str(holds.count)) <= MOST_DIGITS:
        sign = str(holds.count)
    return sign + EDITED if holds.note and found not in (NONE, ZERO) else sign


def found_by(change: Change) -> Mark:
    """The state that the first change of a leaf found."""
    grad = change.grad_before
    if grad is None or not change.grad_changed:
        return mark_of(grad, change.holds if grad is not None else EMPTY)
    if grad.zero:
        return Mark(ZERO.name, ZERO.mark, ZERO.word)
    state = OLD if grad.finite else BROKEN  # nothing of this run came before
    return Mark(state.name, state.mark, state.word)


def legend(rows: Sequence[Life]) -> Iterator[tuple[str, str, str, str]]:
    """Name, sign, word and meaning of every mark that occurs."""
    marks = [m for row in rows for m in (row.start, *row.marks)]
    present = {m.name for m in marks}
    for one in FATES:
        if one.name in present:
            sign = {FRESH.name: "1", SUMMED.name: "2 3 …"}.get(one.name, one.mark)
            yield one.name, sign, one.word, one.tells
    if any(EDITED in m.sign for m in marks):
        notes = {m.words.rpartition(", ")[2] for m in marks if EDITED in m.sign}
        yield "", f"1{EDITED}", " or ".join(sorted(notes)), "by hand, after the backward"


def lesson(rows: Sequence[Life], stages: Sequence[Stage]) -> str:
    """What is to be seen, in a sentence: the first row that goes wrong, and how many do too."""
    for state in (BROKEN, STALE):
        wrong = [row for row in rows if any(m.name == state.name and m.touched for m in row.marks)]
        if wrong:
            marks = wrong[0].marks
            at = next(i for i, m in enumerate(marks) if m.name == state.name and m.touched)
            rest = f" (and {words.plural(len(wrong) - 1, 'more row')})" if wrong[1:] else ""
            who, then = f"{wrong[0].label}{rest}", stages[at].title
            if state is BROKEN:
                return f"{who}: not a number after {then}."
            added = _last(marks[:at], MIXED)
            used = _last(marks[:added], USED)
            once = f"used at {stages[used].title}, " if used >= 0 else "used, "
            more = f"{stages[added].title} added to it, and " if added >= 0 else ""
            return f"{who}: {once}never emptied, then {more}{then} used it again."
    return ""


def _last(marks: Sequence[Mark], state: Fate) -> int:
    """Where the last of them is that an event left in this state; -1 if none is."""
    found = [i for i, m in enumerate(marks) if m.name == state.name and m.touched]
    return found[-1] if found else -1


def leak(rows: Sequence[Life], stages: Sequence[Stage]) -> str:
    """Where a gradient sits through another optimizer's step until a backward adds to it."""
    for row in rows:
        last = -1
        for i, mark in enumerate(row.marks):
            if stages[i].folds or not mark.touched:
                continue
            steps = [s.title for s in stages[last + 1 : i] if ".step" in s.title and last >= 0]
            if steps and row.marks[last].name == FRESH.name and mark.name == SUMMED.name:
                first, then = stages[last].title, stages[i].title
                return (
                    f"{row.label}: what {first} left there stays through {steps[0]}, "
                    f"and {then} adds to it."
                )
            last = i
    return ""

"""The marks of a strip: the state of a gradient, what the marks mean, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipygradmagic.language import ntr, tr
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
    note = words.by_hand(holds) if _by_hand(found, holds) else ""
    return Mark(found.name, _sign(found, holds), fate_words(grad, holds), note)


def _by_hand(found: Fate, holds: Holds) -> bool:
    return bool(holds.note) and found not in (NONE, ZERO)


def _sign(found: Fate, holds: Holds) -> str:
    sign = found.mark
    if found in (FRESH, SUMMED) and len(str(holds.count)) <= MOST_DIGITS:
        sign = str(holds.count)
    return sign + EDITED if _by_hand(found, holds) else sign


def found_by(change: Change) -> Mark:
    """The state that the first change of a leaf found."""
    grad = change.grad_before
    if grad is None or not change.grad_changed:
        return mark_of(grad, change.holds if grad is not None else EMPTY)
    if grad.zero:
        return Mark(ZERO.name, ZERO.mark, tr(ZERO.word))
    state = OLD if grad.finite else BROKEN  # nothing of this run came before
    return Mark(state.name, state.mark, tr(state.word))


def legend(rows: Sequence[Life]) -> Iterator[tuple[str, str, str, str]]:
    """Name, sign, word and meaning of every mark that occurs."""
    marks = [m for row in rows for m in (row.start, *row.marks)]
    present = {m.name for m in marks}
    for one in FATES:
        if one.name in present:
            sign = {FRESH.name: "1", SUMMED.name: "2 3 …"}.get(one.name, one.mark)
            yield one.name, sign, tr(one.word), tr(one.tells)
    notes = {m.note for m in marks if m.note}
    if notes:
        by_hand = tr("by hand, after the backward")
        yield "", f"1{EDITED}", words.either(sorted(notes)), by_hand


def lesson(rows: Sequence[Life], stages: Sequence[Stage]) -> str:
    """What is to be seen, in a sentence: the first row that goes wrong, and how many do too."""
    for state in (BROKEN, STALE):
        wrong = [row for row in rows if any(m.name == state.name and m.touched for m in row.marks)]
        if wrong:
            marks = wrong[0].marks
            at = next(i for i, m in enumerate(marks) if m.name == state.name and m.touched)
            who, then = _who(wrong), stages[at].title
            if state is BROKEN:
                return tr("{rows}: not a number after {event}.", rows=who, event=then)
            return _used_again(who, stages, marks, at)
    return ""


def _who(rows: Sequence[Life]) -> str:
    if not rows[1:]:
        return rows[0].label
    return ntr(
        "{row} (and {n:,} more row)",
        "{row} (and {n:,} more rows)",
        len(rows) - 1,
        row=rows[0].label,
    )


def _used_again(who: str, stages: Sequence[Stage], marks: Sequence[Mark], at: int) -> str:
    """The sentence on a gradient that was used, never emptied, and used again at a stage."""
    added = _last(marks[:at], MIXED)
    used = _last(marks[:added], USED)
    said = {
        "rows": who,
        "then": stages[at].title,
        "used": stages[used].title,
        "added": stages[added].title,
    }
    if used >= 0 and added >= 0:
        return tr(
            "{rows}: used at {used}, never emptied, then {added} added to it, and {then} used it "
            "again.",
            **said,
        )
    if added >= 0:
        return tr(
            "{rows}: used, never emptied, then {added} added to it, and {then} used it again.",
            **said,
        )
    if used >= 0:
        return tr("{rows}: used at {used}, never emptied, then {then} used it again.", **said)
    return tr("{rows}: used, never emptied, then {then} used it again.", **said)


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
                return tr(
                    "{row}: what {first} left there stays through {step}, and {then} adds to it.",
                    row=row.label,
                    first=first,
                    step=steps[0],
                    then=then,
                )
            last = i
    return ""

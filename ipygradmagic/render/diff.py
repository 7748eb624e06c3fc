"""Two traced runs of a cell side by side: what was found, what happened, and how the numbers went.

The runs are two that the user made, such as before and after a fix; nothing is run again. Events are
matched by what they are and by the text of their line, because lines move when a cell is changed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.folding import Folded, fold
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.series import Series, curve, norms
from ipygradmagic.render.view import (
    Block,
    Cell,
    Chart,
    Charts,
    Code,
    Column,
    Line,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    Verdict,
    View,
)

MOST_LOSSES = 2
MOST_TENSORS = 3
MOST_ROWS = 16
MOST_PARTS = 12
ENOUGH = 2
"""Fewer points make no curve."""
CAVEAT = (
    "Each run began where the session stood then: unless the cell makes its parameters anew, the two "
    "start from different values. --what-if compares from one start."
)

Kind = tuple[str, str]
"""What an event is, and the text of its line."""


def diff_view(before: Trace, after: Trace, codes: tuple[str, str]) -> View:
    """Everything that is said about the two runs.

    Args:
        before, after: The runs.
        codes: Of the two, as the user wrote them.
    """
    sections = [
        Section("What changed", (_verdict(before, after), *_findings(before, after))),
        Section("Code", (_change(codes, _titles(before, after)),)),
        Section("Events", tuple(_events(before, after))),
    ]
    charts = tuple(_charts(before, after))
    if charts:
        sections.append(Section("Curves", (Charts(charts),)))
    sections.append(Section("", (Paragraph(CAVEAT, "muted"),)))
    return View(" → ".join(_titles(before, after)), tuple(sections))


def _titles(before: Trace, after: Trace) -> tuple[str, str]:
    """What to call the runs; a statement that is run twice in one cell has one title."""
    one, other = (words.clean(t.meta.title, 40) for t in (before, after))
    return (one or "before", other or "after") if one != other else ("before", "after")


# -- in words ------------------------------------------------------------------------------


def _alarms(trace: Trace) -> dict[str, Finding]:
    """By name: the first of each."""
    found: dict[str, Finding] = {}
    for finding in trace.findings:
        if finding.alarm:
            found.setdefault(finding.name, finding)
    return found


def _verdict(before: Trace, after: Trace) -> Verdict:
    was, now = _alarms(before), _alarms(after)
    gone, new = was.keys() - now.keys(), now.keys() - was.keys()
    titles = _titles(before, after)
    tone: Tone = "fine"
    if not was and not now:
        said = f"Nothing wrong found, neither in {titles[0]} nor in {titles[1]}."
    elif not now:
        gone_now = f"{_listed(was)} of {titles[0]} {'is' if len(was) == 1 else 'are'} gone"
        said = f"Mended: {gone_now}; nothing wrong found in {titles[1]}."
    else:
        tone = "error" if any(f.severity == "error" for f in now.values()) else "warning"
        parts = [f"gone: {_listed(gone)}"] if gone else []
        parts += [f"new: {_listed(new)}"] if new else []
        both = was.keys() & now.keys()
        parts += [f"still there: {_listed(both)}"] if both else []
        said = f"From {titles[0]} to {titles[1]}, {'; '.join(parts)}."
    return Verdict(said, tone, tuple(_losses_said(before, after)))


def _listed(names: Iterable[str]) -> str:
    return words.listed((words.short(n) for n in sorted(names)), 6)


def _losses_said(before: Trace, after: Trace) -> Iterator[str]:
    """The loss backpropagated last, in both."""
    last = [[e for e in t.events if e.loss is not None][-1:] for t in (before, after)]
    if last[0] and last[1]:
        (one,), (other,) = last
        assert one.loss is not None and other.loss is not None
        titles = _titles(before, after)
        yield (
            f"Last loss: {number(one.loss)} (backward #{count(one.number)}) in {titles[0]}, "
            f"{number(other.loss)} (backward #{count(other.number)}) in {titles[1]}."
        )


def _findings(before: Trace, after: Trace) -> Iterator[Block]:
    was, now = _alarms(before), _alarms(after)
    for name, finding in was.items():
        if name not in now:
            yield Paragraph(f"gone: {_said(finding)}", "fine")
    for name, finding in now.items():
        yield Paragraph(f"{'still' if name in was else 'new'}: {_said(finding)}", finding.severity)
    for title, trace in zip(_titles(before, after), (before, after)):
        if trace.error is not None:
            message = words.clean(" ".join(trace.error.message.split()), 160)
            yield Paragraph(f"{title} ended with {trace.error.type}: {message}", "warning")


def _said(finding: Finding) -> str:
    return f"{words.prose(finding.title)} [{words.short(finding.name)}]"


def _change(codes: tuple[str, str], titles: tuple[str, str]) -> Block:
    """The lines that differ, with their neighbours."""
    one, other = (words.block(code).splitlines() for code in codes)
    found = list(difflib.unified_diff(one, other, *titles, lineterm="", n=2))
    if not found:
        return Paragraph(f"{titles[0]} and {titles[1]} ran the same code.", "note")
    return Code("\n".join(line for line in found[2:] if not line.startswith("@@")))


# -- event by event ------------------------------------------------------------------------


def _events(before: Trace, after: Trace) -> Iterator[Block]:
    titles = _titles(before, after)
    counts = [_counts(trace) for trace in (before, after)]
    kinds = list(dict.fromkeys([*counts[1], *counts[0]]))
    rows = [_row(kind, counts[0].get(kind, 0), counts[1].get(kind, 0)) for kind in kinds]
    left = len(rows) - MOST_ROWS
    notes = (f"… {words.plural(left, 'more line')}",) if left > 0 else ()
    columns = (
        Column("event", wraps=True),
        Column("line", wraps=True),
        Column(titles[0], "right"),
        Column(titles[1], "right"),
        Column("change"),
    )
    yield Table("How often each line did what", columns, tuple(rows[:MOST_ROWS]), notes)
    for title, trace in zip(titles, (before, after)):
        yield Paragraph(f"{title}: {_order(trace)}")


def _counts(trace: Trace) -> dict[Kind, int]:
    """How often each kind of event happened, kept or not."""
    kind_of = _by_signature(trace)
    found: dict[Kind, int] = {}
    for signature in trace.pattern or [e.signature for e in trace.events]:
        kind = kind_of.get(signature, ("other", ""))
        found[kind] = found.get(kind, 0) + 1
    return found


def _by_signature(trace: Trace) -> dict[int, Kind]:
    """The first events of every signature are always kept."""
    return {e.signature: _kind(e) for e in reversed(trace.events)}


def _kind(event: Event) -> Kind:
    named = event.kind if event.kind in ("backward", "zero_grad") else event.label
    return words.short(named or event.kind), words.code(event.where.text) if event.where else ""


def _row(kind: Kind, one: int, other: int) -> Row:
    change = ""
    if not one or not other:
        change = "new" if other else "gone"
    elif one != other:
        change = "more often" if other > one else "less often"
    cells = (
        Line(kind[0], "strong"),
        Line(kind[1], "code"),
        Line(count(one) if one else "–", "number"),
        Line(count(other) if other else "–", "number"),
        Line(change, "strong" if change in ("new", "gone") else "plain"),
    )
    return Row(tuple(Cell((line,)) for line in cells))


def _order(trace: Trace) -> str:
    """``3 × (zero_grad → backward → SGD.step)``."""
    kind_of = {s: kind[0] for s, kind in _by_signature(trace).items()}
    said = [kind_of.get(s, "other") for s in trace.pattern or [e.signature for e in trace.events]]
    known = list(dict.fromkeys(said))
    numbers = {name: i for i, name in enumerate(known)}
    folded = fold([numbers[name] for name in said])
    return _spelt(folded, folded.text, known) or "nothing happened"


def _spelt(folded: Folded, text: str, known: list[str]) -> str:
    parts = []
    for symbol in text[:MOST_PARTS]:
        loop = folded.loops.get(symbol)
        if loop is None:
            parts.append(known[ord(symbol)])
        else:
            parts.append(f"{count(loop.rounds)} × ({_spelt(folded, loop.body, known)})")
    if len(text) > MOST_PARTS:
        parts.append("…")
    return " → ".join(parts)


# -- curve by curve ------------------------------------------------------------------------


def _charts(before: Trace, after: Trace) -> Iterator[Chart]:
    titles = _titles(before, after)
    losses = [_losses(trace) for trace in (before, after)]
    texts = list(dict.fromkeys([*losses[0], *losses[1]]))
    several = len(texts) > 1
    for text in texts[:MOST_LOSSES]:
        caption = f"Loss, {text}" if several else "Loss"
        yield from _chart(caption, titles, [found.get(text, {}) for found in losses])
    sizes = [_norms(trace) for trace in (before, after)]
    names = [name for name in sizes[1] if name in sizes[0]]
    for name in names[: MOST_TENSORS + 1]:
        caption = f"Gradient norm, {words.short(name)}" if name else "Gradient norm, all tensors"
        yield from _chart(caption, titles, [found[name] for found in sizes])


def _losses(trace: Trace) -> dict[str, Series]:
    """By the text of the line."""
    found: dict[str, Series] = {}
    for event in trace.events:
        if event.kind == "backward" and event.loss is not None and not event.continues:
            text = words.code(event.where.text) if event.where else ""
            found.setdefault(text, {})[event.number] = event.loss
    return found


def _norms(trace: Trace) -> dict[str, Series]:
    """As each backward left them: of all leaves together under an empty name, then of each."""
    names = {t.id: t.name for t in trace.tensors if t.kind != "non-leaf" and not t.data}
    together = norms(trace.events, lambda tensor: "" if tensor in names else None).after
    each = norms(trace.events, names.get).after
    found = {"": together.series("")} if together.even("") and len(names) > 1 else {}
    return found | {name: each.series(name) for name in dict.fromkeys(names.values())}


def _chart(caption: str, titles: tuple[str, str], found: list[Series]) -> Iterator[Chart]:
    """One curve over the other, if there is something to draw of both."""
    if any(len(series) < ENOUGH for series in found):
        return
    axis = tuple(sorted({n for series in found for n in series}))
    curves = tuple(map(curve, titles, found))
    yield Chart(caption, "backward", curves, 1, axis)

"""Two traced runs of a cell side by side: what was found, what happened, and how the numbers went.

The runs are two that the user made, such as before and after a fix; nothing is run again. Events are
matched by what they are and by the text of their line, because lines move when a cell is changed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from ipygradmagic.language import mark, ntr, tr
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
CAVEAT = mark(
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
        Section(tr("What changed"), (_verdict(before, after), *_findings(before, after))),
        Section(tr("Code"), (_change(codes, _titles(before, after)),)),
        Section(tr("Events"), tuple(_events(before, after))),
    ]
    charts = tuple(_charts(before, after))
    if charts:
        sections.append(Section(tr("Curves"), (Charts(charts),)))
    sections.append(Section("", (Paragraph(tr(CAVEAT), "muted"),)))
    return View(" → ".join(_titles(before, after)), tuple(sections))


def _titles(before: Trace, after: Trace) -> tuple[str, str]:
    """What to call the runs; a statement that is run twice in one cell has one title."""
    one, other = (words.clean(t.meta.title, 40) for t in (before, after))
    if one == other:
        return tr("before"), tr("after")
    return one or tr("before"), other or tr("after")


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
        said = tr(
            "Nothing wrong found, neither in {before} nor in {after}.",
            before=titles[0],
            after=titles[1],
        )
    elif not now:
        said = ntr(
            "Mended: {names} of {before} is gone; nothing wrong found in {after}.",
            "Mended: {names} of {before} are gone; nothing wrong found in {after}.",
            len(was),
            names=_listed(was),
            before=titles[0],
            after=titles[1],
        )
    else:
        tone = "error" if any(f.severity == "error" for f in now.values()) else "warning"
        parts = [tr("gone: {names}", names=_listed(gone))] if gone else []
        parts += [tr("new: {names}", names=_listed(new))] if new else []
        both = was.keys() & now.keys()
        parts += [tr("still there: {names}", names=_listed(both))] if both else []
        said = tr(
            "From {before} to {after}, {list}.",
            before=titles[0],
            after=titles[1],
            list=words.clauses(parts),
        )
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
        yield tr(
            "Last loss: {one} in {before}, {other} in {after}.",
            one=f"{number(one.loss)} (backward #{count(one.number)})",
            before=titles[0],
            other=f"{number(other.loss)} (backward #{count(other.number)})",
            after=titles[1],
        )


def _findings(before: Trace, after: Trace) -> Iterator[Block]:
    was, now = _alarms(before), _alarms(after)
    for name, finding in was.items():
        if name not in now:
            yield Paragraph(tr("gone: {names}", names=_said(finding)), "fine")
    for name, finding in now.items():
        said = tr("new: {names}", names=_said(finding))
        if name in was:
            said = tr("still: {names}", names=_said(finding))
        yield Paragraph(said, finding.severity)
    for title, trace in zip(_titles(before, after), (before, after)):
        if trace.error is not None:
            message = words.clean(" ".join(trace.error.message.split()), 160)
            error = f"{trace.error.type}: {message}"
            yield Paragraph(tr("{run} ended with {error}", run=title, error=error), "warning")


def _said(finding: Finding) -> str:
    return f"{words.prose(finding.title)} [{words.short(finding.name)}]"


def _change(codes: tuple[str, str], titles: tuple[str, str]) -> Block:
    """The lines that differ, with their neighbours."""
    one, other = (words.block(code).splitlines() for code in codes)
    found = list(difflib.unified_diff(one, other, *titles, lineterm="", n=2))
    if not found:
        said = tr("{before} and {after} ran the same code.", before=titles[0], after=titles[1])
        return Paragraph(said, "note")
    return Code("\n".join(line for line in found[2:] if not line.startswith("@@")))


# -- event by event ------------------------------------------------------------------------


def _events(before: Trace, after: Trace) -> Iterator[Block]:
    titles = _titles(before, after)
    counts = [_counts(trace) for trace in (before, after)]
    kinds = list(dict.fromkeys([*counts[1], *counts[0]]))
    rows = [_row(kind, counts[0].get(kind, 0), counts[1].get(kind, 0)) for kind in kinds]
    left = len(rows) - MOST_ROWS
    notes = (ntr("… {n:,} more line", "… {n:,} more lines", left),) if left > 0 else ()
    columns = (
        Column(tr("event"), wraps=True),
        Column(tr("line"), wraps=True),
        Column(titles[0], "right"),
        Column(titles[1], "right"),
        Column(tr("change")),
    )
    yield Table(tr("How often each line did what"), columns, tuple(rows[:MOST_ROWS]), notes)
    for title, trace in zip(titles, (before, after)):
        yield Paragraph(tr("{label}: {text}", label=title, text=_order(trace)))


def _counts(trace: Trace) -> dict[Kind, int]:
    """How often each kind of event happened, kept or not."""
    kind_of = _by_signature(trace)
    found: dict[Kind, int] = {}
    for signature in trace.pattern or [e.signature for e in trace.events]:
        kind = kind_of.get(signature, (tr("other"), ""))
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
        change = tr("new") if other else tr("gone")
    elif one != other:
        change = tr("more often") if other > one else tr("less often")
    cells = (
        Line(kind[0], "strong"),
        Line(kind[1], "code"),
        Line(count(one) if one else "–", "number"),
        Line(count(other) if other else "–", "number"),
        Line(change, "plain" if one and other else "strong"),
    )
    return Row(tuple(Cell((line,)) for line in cells))


def _order(trace: Trace) -> str:
    """``3 × (zero_grad → backward → SGD.step)``."""
    kind_of = {s: kind[0] for s, kind in _by_signature(trace).items()}
    said = [
        kind_of.get(s, tr("other")) for s in trace.pattern or [e.signature for e in trace.events]
    ]
    known = list(dict.fromkeys(said))
    numbers = {name: i for i, name in enumerate(known)}
    folded = fold([numbers[name] for name in said])
    return _spelt(folded, folded.text, known) or tr("nothing happened")


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
        caption = tr("{what}, {name}", what=tr("Loss"), name=text) if several else tr("Loss")
        yield from _chart(caption, titles, [found.get(text, {}) for found in losses])
    sizes = [_norms(trace) for trace in (before, after)]
    names = [name for name in sizes[1] if name in sizes[0]]
    for name in names[: MOST_TENSORS + 1]:
        what = words.short(name) or tr("all tensors")
        caption = tr("Gradient norm, {name}", name=what)
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

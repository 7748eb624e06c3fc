"""What the bug costs: two runs of a cell, as written and as patched, as a view."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from ipygradmagic.language import mark, tr
from ipygradmagic.record.whatif import Comparison, Rehearsal, Series
from ipygradmagic.render import words
from ipygradmagic.render.chart import ends
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.view import (
    Block,
    Cell,
    Chart,
    Charts,
    Code,
    Column,
    Curve,
    Line,
    Paragraph,
    Row,
    Section,
    Table,
    Tone,
    Verdict,
    View,
)

WRITTEN, PATCHED = mark("as written"), mark("as patched")
SAME = 1e-5
"""Relative difference up to which two float32 runs count as alike."""
MOST_LOSSES = 4
MOST_PATHS = 6
MOST_ROWS = 16

Pair = tuple[Series, Series]


def whatif_view(comparison: Comparison) -> View:
    """Everything that is said about the two runs."""
    blocks: list[Block] = [_verdict(comparison)]
    blocks += _endings(comparison)
    blocks += [Paragraph(*_remains(comparison.patched))] if comparison.patched.findings else []
    sections = [Section(tr("What if"), tuple(blocks))]
    losses, paths = pairs(comparison, "losses"), pairs(comparison, "paths")
    charts = [_loss_chart(p, len(losses) > 1) for p in losses[:MOST_LOSSES]]
    charts += [_path_chart(p) for p in _widest(paths, comparison)[:MOST_PATHS]]
    if charts:
        sections.append(Section("", (Charts(tuple(charts)), _table(losses, paths, comparison))))
    sections.append(Section("", tuple(_circumstances(comparison))))
    return View(
        tr("{label}: {text}", label=tr("What if"), text=f"In [{comparison.number}]"),
        tuple(sections),
    )


def pairs(comparison: Comparison, which: str) -> list[Pair]:
    """The series of both runs that belong together; an empty one where a run has none."""
    written = {(s.line, s.name): s for s in getattr(comparison.written, which)}
    patched = {(s.line, s.name): s for s in getattr(comparison.patched, which)}
    keys = dict.fromkeys([*written, *patched])
    none = [Series(name, (), line) for line, name in keys]
    return [(written.get(k, n), patched.get(k, n)) for k, n in zip(keys, none)]


# -- in words ------------------------------------------------------------------------------


def _verdict(comparison: Comparison) -> Verdict:
    headline, tone = _headline(comparison)
    return Verdict(headline, tone)


def _headline(comparison: Comparison) -> tuple[str, Tone]:
    losses, paths = pairs(comparison, "losses"), pairs(comparison, "paths")
    both = [pair for pair in losses if pair[0].rows and pair[1].rows]
    if not any(s.rows for pair in losses + paths for s in pair):
        said = tr("There is nothing to compare: neither run came to a loss or an update.")
        return said, "warning"
    if _alike(losses + paths) and not _whole(comparison):
        return tr("As far as they came, both runs go alike."), "note"
    if _alike(losses + paths):
        said = tr("The bug cost nothing measurable in this run: both runs go alike.")
        return said, "note"
    if not both:
        return _apart(comparison), "note"
    main = max(both, key=lambda pair: min(len(pair[0].rows), len(pair[1].rows)))
    return _by_loss(main, len(both) > 1)


def _whole(comparison: Comparison) -> bool:
    return comparison.written.ending == comparison.patched.ending == "done"


def _by_loss(pair: Pair, several: bool) -> tuple[str, Tone]:
    written, patched = pair
    n = min(len(written.rows), len(patched.rows))
    here = written.rows[n - 1][0], patched.rows[n - 1][0]
    name = tr("the loss")
    if several and written.line:
        name = tr("the loss of line {line}", line=written.line)
    fields = {
        "loss": name,
        "written": _reached(written, n),
        "patched": _reached(patched, n),
        "passes": words.passes(n),
    }
    if len(written.rows) == len(patched.rows):
        said = tr(
            "As written {loss} ends at {written} after {passes}; as patched it ends at {patched}.",
            **fields,
        )
    else:
        said = tr(
            "As written {loss} stands at {written} after {passes}, as far as both came; as patched "
            "it stands at {patched}.",
            **fields,
        )
    better = math.isfinite(here[1]) and not here[0] <= here[1]
    if close(*here):
        said = words.sentences((said, tr("The parameters take different paths.")))
    return said, "fine" if better and not several else "note"  # rivals do not both get lower


def _reached(series: Series, n: int) -> str:
    """The loss at backward *n*; if it is lost, since when."""
    here = number(series.rows[n - 1][0])
    broken = next((i for i, row in enumerate(series.rows[:n], 1) if not math.isfinite(row[0])), n)
    if broken == n:
        return here
    since = f"backward #{count(broken)}"
    return tr("{loss} (not finite since {event})", loss=here, event=since)


def _apart(comparison: Comparison) -> str:
    far = math.hypot(*(d for _, d in comparison.distances)) if comparison.distances else 0.0
    if far:
        return tr(
            "As written and as patched, the parameters end {distance} apart. (No loss was recorded "
            "in both runs.)",
            distance=number(far),
        )
    return tr(
        "As written and as patched, the parameters take different paths. (No loss was recorded in "
        "both runs.)"
    )


def _alike(found: Sequence[Pair]) -> bool:
    return all(
        len(a.rows) == len(b.rows)
        and all(close(x, y) for one, other in zip(a.rows, b.rows) for x, y in zip(one, other))
        for a, b in found
    )


def close(a: float, b: float) -> bool:
    """Alike, within what the order of float32 additions can change."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=SAME, abs_tol=1e-9)


def _endings(comparison: Comparison) -> Iterator[Block]:
    """How each run ended, if not by itself; once where both ended alike."""
    runs = [(tr(WRITTEN), comparison.written), (tr(PATCHED), comparison.patched)]
    if len({(run.ending, run.cell, run.error, run.steps) for _, run in runs}) == 1:
        runs = [(tr("both"), comparison.written)]
    for who, run in runs:
        for text, tone in _ending(who, run, comparison):
            yield Paragraph(text, tone)
        if run.tail:
            yield Code(words.block(run.tail))


def _ending(who: str, run: Rehearsal, comparison: Comparison) -> Iterator[tuple[str, Tone]]:
    cell, limit = f"In [{run.cell}]", tr("{seconds} s", seconds=f"{comparison.limit:g}")
    told = words.clean(" ".join(run.error.split()), 300)
    if run.ending == "cut" and run.cell in (comparison.number, *comparison.repeated):
        said = tr(
            "{run}: stopped by the time limit of {limit}, after {passes}.",
            run=_upper(who),
            limit=limit,
            passes=words.passes(run.steps),
        )
        yield words.sentences((said, tr(_MORE))), "note"
    elif run.ending == "cut":
        said = tr(
            "{run}: the time limit of {limit} ran out in {cell}, an earlier cell.",
            run=_upper(who),
            limit=limit,
            cell=cell,
        )
        yield words.sentences((said, tr(_MORE))), "warning"
    elif run.ending == "failed":
        yield tr("{run}: the cell ended with {error}", run=_upper(who), error=told), "warning"
    elif run.ending == "unbuilt":
        said = tr(
            "{run}: {cell}, an earlier cell that it needs, ended with {error}",
            run=_upper(who),
            cell=cell,
            error=told,
        )
        yield said, "warning"
    if "EOFError" in run.error:
        yield tr("Nobody can be asked for input() there."), "note"


_MORE = mark("--time-limit SECONDS allows more.")


def _remains(run: Rehearsal) -> tuple[str, Tone]:
    alarms = [f for f in run.findings or () if f.alarm]
    if not alarms:
        if run.ending == "done":
            return tr("As patched: nothing wrong found."), "fine"
        return tr("As patched: nothing wrong found until then."), "fine"
    first = f"{words.prose(alarms[0].title)} [{words.short(alarms[0].name)}]"
    if alarms[1:]:
        more = words.more_findings(len(alarms) - 1)
        first = tr("{finding}, and {findings}", finding=first, findings=more)
    return tr("As patched, something is still wrong: {finding}", finding=first), "warning"


def _circumstances(comparison: Comparison) -> Iterator[Block]:
    yield Code(words.block(comparison.change))
    cells = words.listed((f"In [{n}]" for n in comparison.cells), 12)
    again = tr("after {cells}", cells=cells) if cells else tr("without any earlier cell")
    yield Paragraph(
        tr(
            "Each ran in a process of its own ({written} s and {patched} s), {after}, seeded "
            "alike, from an empty namespace: your objects are untouched. What cells do to files "
            "and over the network was done again, twice; bare shell commands and %%writefile were "
            "not run again.",
            written=f"{comparison.written.seconds:.2g}",
            patched=f"{comparison.patched.seconds:.2g}",
            after=again,
        ),
        "muted",
    )
    if comparison.repeated:
        runs = words.listed((f"In [{n}]" for n in comparison.repeated), 12)
        yield Paragraph(
            tr(
                "{cells} ran this very cell before; those runs come first in the curves, patched "
                "too.",
                cells=runs,
            ),
            "muted",
        )
    if comparison.like_yours:
        said = tr("The run as written repeats yours: its first and last loss agree.")
        yield Paragraph(said, "muted")
    if comparison.like_yours is False:
        yield Paragraph(
            tr(
                "The run as written does not repeat yours number for number: something random is "
                "not seeded by the cells, or was changed in a way that the cells do not show. The "
                "two runs here are comparable with each other."
            ),
            "muted",
        )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- charts and table ----------------------------------------------------------------------


def _loss_chart(pair: Pair, several: bool) -> Chart:
    caption = tr("Loss at each backward")
    if several and pair[0].line:
        caption = tr("Loss at each backward at line {line}", line=pair[0].line)
    if several:
        caption = tr("{label}: {text}", label=caption, text=words.code(pair[0].name))
    return Chart(caption, "backward", _curves(pair), first=1)


def _path_chart(pair: Pair) -> Chart:
    norm = pair[0].norm or pair[1].norm
    name = words.short(pair[0].name)
    return Chart(tr("{name}, its norm", name=name) if norm else name, "update", _curves(pair))


def _curves(pair: Pair) -> tuple[Curve, ...]:
    labels = zip((tr(WRITTEN), tr(PATCHED)), pair)
    return tuple(
        Curve(label, tuple(zip_longest(*s.rows, fillvalue=math.nan)))
        for label, s in labels
        if s.rows
    )


def _widest(paths: list[Pair], comparison: Comparison) -> list[Pair]:
    """Those first that end furthest apart."""
    known = dict(comparison.distances)
    return sorted(paths, key=lambda pair: -_rank(known.get(pair[0].name)))


def _rank(distance: float | None) -> float:
    return -1.0 if distance is None else math.inf if math.isnan(distance) else distance


def _table(losses: list[Pair], paths: list[Pair], comparison: Comparison) -> Table:
    columns = (
        Column(tr("from the first to the last"), wraps=True),
        Column(tr(WRITTEN), "right"),
        Column(tr(PATCHED), "right"),
        Column(tr("apart at the end"), "right"),
    )
    known = dict(comparison.distances)
    rows = [_row(_loss_name(p, len(losses) > 1), p, None) for p in losses]
    rows += [
        _row(words.short(p[0].name), p, known.get(p[0].name)) for p in _widest(paths, comparison)
    ]
    left = len(rows) - MOST_ROWS
    notes = (f"… {words.more_tensors(left)}",) if left > 0 else ()
    return Table(tr("What the bug costs"), columns, tuple(rows[:MOST_ROWS]), notes)


def _loss_name(pair: Pair, several: bool) -> str:
    if not several:
        return "loss"
    if pair[0].line:
        return tr("loss at line {line}", line=pair[0].line)
    return tr("{what}, {name}", what="loss", name=words.code(pair[0].name))


def _row(name: str, pair: Pair, distance: float | None) -> Row:
    if pair[0].norm or pair[1].norm:
        name = tr("{name} (norm)", name=name)
    apart = distance if distance is not None else _gap(pair)
    said = "–" if apart is None else number(apart)
    cells = [Cell((Line(name, "strong"),)), *(_journey(s) for s in pair)]
    return Row((*cells, Cell((Line(said, "number"),))))


def _gap(pair: Pair) -> float | None:
    """Euclidean distance of the last rows, where they are whole tensors."""
    a, b = pair[0].last, pair[1].last
    if not a or len(a) != len(b) or pair[0].norm:
        return None
    return math.hypot(*(x - y for x, y in zip(a, b)))


def _journey(series: Series) -> Cell:
    lines = [ends(line) for line in zip_longest(*series.rows, fillvalue=math.nan)]
    return Cell(tuple(Line(text, "number") for text in lines or ["–"]))

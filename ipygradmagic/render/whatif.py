"""What the bug costs: two runs of a cell, as written and as patched, as a view."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest

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

WRITTEN, PATCHED = "as written", "as patched"
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
    sections = [Section("What if", tuple(blocks))]
    losses, paths = pairs(comparison, "losses"), pairs(comparison, "paths")
    charts = [_loss_chart(p, len(losses) > 1) for p in losses[:MOST_LOSSES]]
    charts += [_path_chart(p) for p in _widest(paths, comparison)[:MOST_PATHS]]
    if charts:
        sections.append(Section("", (Charts(tuple(charts)), _table(losses, paths, comparison))))
    sections.append(Section("", tuple(_circumstances(comparison))))
    return View(f"What if: In [{comparison.number}]", tuple(sections))


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
        return "There is nothing to compare: neither run came to a loss or an update.", "warning"
    if _alike(losses + paths) and not _whole(comparison):
        return "As far as they came, both runs go alike.", "note"
    if _alike(losses + paths):
        return "The bug cost nothing measurable in this run: both runs go alike.", "note"
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
    name = f"the loss of line {written.line}" if several and written.line else "the loss"
    passes = words.plural(n, "backward pass", "backward passes")
    stands = "ends" if len(written.rows) == len(patched.rows) else "stands"
    far = "" if stands == "ends" else ", as far as both came"
    said = (
        f"As written {name} {stands} at {_reached(written, n)} after {passes}{far}; "
        f"as patched it {stands} at {_reached(patched, n)}."
    )
    better = math.isfinite(here[1]) and not here[0] <= here[1]
    if close(*here):
        said += " The parameters take different paths."
    return said, "fine" if better and not several else "note"  # rivals do not both get lower


def _reached(series: Series, n: int) -> str:
    """The loss at backward *n*; if it is lost, since when."""
    here = number(series.rows[n - 1][0])
    broken = next((i for i, row in enumerate(series.rows[:n], 1) if not math.isfinite(row[0])), n)
    return here if broken == n else f"{here} (not finite since backward #{count(broken)})"


def _apart(comparison: Comparison) -> str:
    far = math.hypot(*(d for _, d in comparison.distances)) if comparison.distances else 0.0
    end = (
        f"the parameters end {number(far)} apart" if far else "the parameters take different paths"
    )
    return f"As written and as patched, {end}. (No loss was recorded in both runs.)"


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
    runs = [(WRITTEN, comparison.written), (PATCHED, comparison.patched)]
    if len({(run.ending, run.cell, run.error, run.steps) for _, run in runs}) == 1:
        runs = [("both", comparison.written)]
    for who, run in runs:
        for text, tone in _ending(who, run, comparison):
            yield Paragraph(text, tone)
        if run.tail:
            yield Code(words.block(run.tail))


def _ending(who: str, run: Rehearsal, comparison: Comparison) -> Iterator[tuple[str, Tone]]:
    cell, limit = f"In [{run.cell}]", f"{comparison.limit:g} s"
    told = words.clean(" ".join(run.error.split()), 300)
    if run.ending == "cut" and run.cell in (comparison.number, *comparison.repeated):
        steps = words.plural(run.steps, "backward pass", "backward passes")
        yield f"{_upper(who)}: stopped by the time limit of {limit}, after {steps}. {_MORE}", "note"
    elif run.ending == "cut":
        yield (
            f"{_upper(who)}: the time limit of {limit} ran out in {cell}, an earlier cell. {_MORE}",
            "warning",
        )
    elif run.ending == "failed":
        yield f"{_upper(who)}: the cell ended with {told}", "warning"
    elif run.ending == "unbuilt":
        yield (
            f"{_upper(who)}: {cell}, an earlier cell that it needs, ended with {told}",
            "warning",
        )
    if "EOFError" in run.error:
        yield "Nobody can be asked for input() there.", "note"


_MORE = "--time-limit SECONDS allows more."


def _remains(run: Rehearsal) -> tuple[str, Tone]:
    alarms = [f for f in run.findings or () if f.alarm]
    if not alarms:
        until = "" if run.ending == "done" else " until then"
        return f"As patched: nothing wrong found{until}.", "fine"
    first = words.prose(alarms[0].title)
    more = f", and {words.plural(len(alarms) - 1, 'more finding')}" if alarms[1:] else ""
    return (
        f"As patched, something is still wrong: {first} [{words.short(alarms[0].name)}]{more}",
        "warning",
    )


def _circumstances(comparison: Comparison) -> Iterator[Block]:
    yield Code(words.block(comparison.change))
    cells = words.listed((f"In [{n}]" for n in comparison.cells), 12)
    seconds = f"{comparison.written.seconds:.2g} s and {comparison.patched.seconds:.2g} s"
    again = f"after {cells}" if cells else "without any earlier cell"
    yield Paragraph(
        f"Each ran in a process of its own ({seconds}), {again}, seeded alike, from an empty "
        "namespace: your objects are untouched. What cells do to files and over the network was "
        "done again, twice; bare shell commands and %%writefile were not run again.",
        "muted",
    )
    if comparison.repeated:
        runs = words.listed((f"In [{n}]" for n in comparison.repeated), 12)
        yield Paragraph(
            f"{runs} ran this very cell before; those runs come first in the curves, patched too.",
            "muted",
        )
    if comparison.like_yours:
        yield Paragraph("The run as written repeats yours: its first and last loss agree.", "muted")
    if comparison.like_yours is False:
        yield Paragraph(
            "The run as written does not repeat yours number for number: something random is not "
            "seeded by the cells, or was changed in a way that the cells do not show. The two runs "
            "here are comparable with each other.",
            "muted",
        )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


# -- charts and table ----------------------------------------------------------------------


def _loss_chart(pair: Pair, several: bool) -> Chart:
    where = f" at line {pair[0].line}" if several and pair[0].line else ""
    code = f": {words.code(pair[0].name)}" if several else ""
    return Chart(f"Loss at each backward{where}{code}", "backward", _curves(pair), first=1)


def _path_chart(pair: Pair) -> Chart:
    norm = pair[0].norm or pair[1].norm
    what = ", its norm" if norm else ""
    return Chart(f"{words.short(pair[0].name)}{what}", "update", _curves(pair))


def _curves(pair: Pair) -> tuple[Curve, ...]:
    labels = zip((WRITTEN, PATCHED), pair)
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
        Column("from the first to the last", wraps=True),
        Column(WRITTEN, "right"),
        Column(PATCHED, "right"),
        Column("apart at the end", "right"),
    )
    known = dict(comparison.distances)
    rows = [_row(_loss_name(p, len(losses) > 1), p, None) for p in losses]
    rows += [
        _row(words.short(p[0].name), p, known.get(p[0].name)) for p in _widest(paths, comparison)
    ]
    left = len(rows) - MOST_ROWS
    notes = (f"… {words.plural(left, 'more tensor')}",) if left > 0 else ()
    return Table("What the bug costs", columns, tuple(rows[:MOST_ROWS]), notes)


def _loss_name(pair: Pair, several: bool) -> str:
    if not several:
        return "loss"
    return f"loss at line {pair[0].line}" if pair[0].line else f"loss, {words.code(pair[0].name)}"


def _row(name: str, pair: Pair, distance: float | None) -> Row:
    if pair[0].norm or pair[1].norm:
        name += " (norm)"
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

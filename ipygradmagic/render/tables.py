"""The table of tensors and the list of optimizers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ipygradmagic.language import mark, ntr, ptr, tr
from ipygradmagic.options import Options
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo
from ipygradmagic.render import words
from ipygradmagic.render.fates import stale_mark
from ipygradmagic.render.numbers import count, shape_words, summary_lines
from ipygradmagic.render.view import SIGNS, Cell, Column, Line, Paragraph, Row, Table, Tone

MOST_OWNED = 8
KINDS = {"leaf": mark("leaf"), "retained": mark("retained"), "non-leaf": mark("non-leaf")}
ROOMY = 8
"""Up to so many tensors are shown with all their numbers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the tensor table: a tensor, or several that are alike."""

    info: TensorInfo
    title: str
    since: SourceLocation | None = None
    odd: str = ""


def tensor_table(
    entries: Sequence[Entry], options: Options, caption: str, *, now: bool = False
) -> Table:
    """One row for each entry; ``now`` adds what only a look at this moment knows."""
    notes = words.unmatched([e.info for e in entries], options.names)
    chosen = [e for e in entries if not options.names or words.matches(e.info, options.names)]
    shown = _joined(chosen) if len(chosen) > options.rows else chosen
    tight = len(shown) > ROOMY
    rows = [_row(e, now, tight) for e in shown[: options.rows]]
    left = shown[options.rows :]
    if left:
        names = words.listed(e.title for e in left)
        text = tr("… {tensors}: {names}", tensors=words.more_tensors(len(left)), names=names)
        rows.append(Row((Cell((Line(text, "muted"),)),), "fold"))
    return Table(caption, _columns(now), tuple(rows), tuple(notes))


def entries_of(tensors: Iterable[TensorInfo]) -> list[Entry]:
    """The tensors of a trace; leaves that followed one another under one name are one entry."""
    latest: dict[str, TensorInfo] = {}
    several: dict[str, int] = {}
    for info in tensors:
        key = info.name if info.generations > 1 else f"{info.name}\0{info.id}"
        several[key] = max(several.get(key, 0), info.generations)
        if key not in latest or info.generation >= latest[key].generation:
            latest[key] = info
    entries = [Entry(info, _title(info, several[key])) for key, info in latest.items()]
    return sorted(entries, key=lambda e: e.info.kind != "leaf")


def _title(info: TensorInfo, leaves: int) -> str:
    name = words.short(info.name or words.unnamed(info.id))
    if leaves <= 1:
        return name
    return tr("{name} ({leaves} leaves; this is the last)", name=name, leaves=count(leaves))


def _columns(now: bool) -> tuple[Column, ...]:
    last = Column(tr("last changed by"), wraps=True) if now else Column(tr("reached by"))
    return (
        Column(tr("tensor"), leads=True),
        Column(tr("kind"), leads=True),
        Column(tr("shape"), leads=True),
        Column(tr("in optimizer"), leads=True),
        Column(tr("gradient holds"), wraps=True),
        Column(tr("value"), "right"),
        Column("grad", "right"),
        last,
    )


def _row(entry: Entry, now: bool, tight: bool) -> Row:
    info = entry.info
    names = [Line(entry.title, "code")]
    if info.aliases:
        names.append(Line(tr("also {names}", names=words.listed(info.aliases, 3)), "muted"))
    if entry.odd:
        names.append(
            Line(f"{SIGNS[_oddness(entry)]} {words.prose(entry.odd)}", tone=_oddness(entry))
        )
    cells = (
        Cell(tuple(names)),
        Cell(_kind_lines(info)),
        Cell(_shape_lines(info)),
        Cell(
            (
                Line(words.listed(info.owners, 3))
                if info.owners
                else Line(ptr("no optimizer", "none"), "muted"),
            )
        ),
        _holds_cell(info),
        Cell(summary_lines(info.value, info.shape, tight=tight)) if info.value else Cell(),
        Cell(summary_lines(info.grad, info.shape, tight=tight)),
        _since_cell(entry) if now else _reached_cell(info),
    )
    return Row(cells, tone=_oddness(entry) if entry.odd else "")


def _oddness(entry: Entry) -> Tone:
    info = entry.info
    broken = any(s is not None and not s.finite for s in (info.grad, info.value))
    stale = info.holds is not None and info.holds.stale
    return "warning" if broken or stale else "note"


def _kind_lines(info: TensorInfo) -> tuple[Line, ...]:
    lines = [Line(tr("parameter") if info.parameter else tr(KINDS[info.kind]))]
    if info.made:
        lines.append(Line(tr("made by {name}", name=words.short(info.made)), "muted"))
    if not info.requires_grad:
        lines.append(Line(tr("requires_grad is off"), "muted"))
    if not info.alive:
        lines.append(Line(tr("no longer exists"), "muted"))
    return tuple(lines)


def _shape_lines(info: TensorInfo) -> tuple[Line, ...]:
    lines = [Line(shape_words(info.shape))]
    odd = [x for x, usual in ((info.dtype, "float32"), (info.device, "cpu")) if x != usual]
    return (*lines, Line(words.clean(", ".join(odd)), "muted")) if odd else tuple(lines)


def _holds_cell(info: TensorInfo) -> Cell:
    if info.holds is None:
        return Cell((Line(tr("empty") if info.grad is None else tr("not known"), "muted"),))
    text = words.holds_words(info.holds)
    sign, tone = stale_mark(info.holds)
    return Cell((Line(f"{sign}{text}", "muted" if text == tr("empty") else "plain", tone),))


def _reached_cell(info: TensorInfo) -> Cell:
    if info.reached:
        return Cell((Line(tr("{number} backward", number=count(info.reached))),))
    return Cell((Line(tr("no backward"), "muted"),))


def _since_cell(entry: Entry) -> Cell:
    if entry.since is None:
        return Cell((Line(tr("not seen"), "muted"),))
    lines = [Line(words.spot(entry.since), "muted")]
    if entry.since.text:
        lines.append(Line(words.code(entry.since.text), "code"))
    return Cell(tuple(lines))


def _joined(entries: Sequence[Entry]) -> list[Entry]:
    """Entries alike but for the numbers in their names become one: ``layers.*.weight``."""
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for e in entries:
        info = e.info
        alike = (re.sub(r"\d+", "*", info.name), info.shape, info.owners, info.holds, e.odd)
        groups.setdefault((*alike, info.kind, info.reached), []).append(e)
    return [_one(name, group) for (name, *_), group in groups.items()]


def _one(name: object, group: list[Entry]) -> Entry:
    first = group[0]
    if len(group) == 1:
        return first
    title = tr(
        "{name} ({number} alike; numbers of the first)",
        name=words.short(str(name)),
        number=count(len(group)),
    )
    return Entry(first.info, title, first.since, first.odd)


def optimizer_lines(
    optimizers: Iterable[OptimizerInfo], infos: Mapping[int, TensorInfo]
) -> tuple[Paragraph, ...]:
    """A sentence for each optimizer: its groups, what they own, and its settings."""
    return tuple(Paragraph(_optimizer_words(o, infos)) for o in optimizers)


def _optimizer_words(optimizer: OptimizerInfo, infos: Mapping[int, TensorInfo]) -> str:
    name = f"{words.short(optimizer.name)} ({words.short(optimizer.cls)})"
    if optimizer.name == optimizer.cls:
        name = words.short(optimizer.name)
    groups = [_group_words(g.tensors, g.settings, infos) for g in optimizer.groups]
    if len(groups) > 1:
        groups = [tr("group {i}: {owned}", i=i, owned=g) for i, g in enumerate(groups, 1)]
    owned = words.clauses(groups) or tr("nothing")
    return ntr(
        "{name}, {n:,} step, owns {owned}",
        "{name}, {n:,} steps, owns {owned}",
        optimizer.steps,
        name=name,
        owned=owned,
    )


def _group_words(
    tensors: Sequence[int], settings: Sequence[tuple[str, str]], infos: Mapping[int, TensorInfo]
) -> str:
    names = [words.tensor_name(infos.get(t), t) for t in tensors]
    said = words.listed(names, MOST_OWNED) or tr("no tensor")
    given = words.commas(f"{words.short(k)} {words.short(v)}" for k, v in settings)
    return tr("{names} with {settings}", names=said, settings=given) if given else said

"""Table rows for one event: what it did to each tensor, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipygradmagic.language import tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import COPIED, Summary, TensorInfo
from ipygradmagic.render import words
from ipygradmagic.render.fates import stale_mark
from ipygradmagic.render.numbers import NBSP, count, firm, number, shape_words, summary_lines
from ipygradmagic.render.view import SIGNS, Cell, Line, Row, Tone

EMPTY = Cell()
WRITES_VALUE = ("step", "update", "rebind")


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of an event is shown.

    Attributes:
        tensors: So many tensors.
        idle_grads: Also gradients that stayed as they were.
        tight: Large tensors by norm and range only.
    """

    tensors: int
    idle_grads: bool
    tight: bool = False


def event_rows(
    event: Event,
    infos: Mapping[int, TensorInfo],
    shown: frozenset[int] | None,
    detail: Detail,
    level: int = 0,
    tone: str = "",
) -> list[Row]:
    """The rows of one event; the first has its number, call and line."""
    picked, more = _pick(event.changes, shown, detail.tensors)
    parts = [row for c in picked for row in _change_cells(event, c, infos, detail)]
    remainder = _remainder(event, more)
    if remainder:
        parts.append((Cell((Line(remainder, "muted"),)), EMPTY, EMPTY, EMPTY, EMPTY))
    if not parts:
        parts.append((Cell((Line(tr("no tensor"), "muted"),)), EMPTY, EMPTY, EMPTY, EMPTY))
    lead = (_index_cell(event.index, tone), _event_cell(event), _line_cell(event.where))
    severity: Tone = "error" if event.error else _tone(tone)
    return [
        Row((*(lead if i == 0 else (EMPTY,) * 3), *cells), "data", level, i == 0, severity)
        for i, cells in enumerate(parts)
    ]


def unkept_rows(index: int, like: Event | None, level: int) -> list[Row]:
    """A row for an event of which only the kind is known."""
    name = like.kind if like else tr("event")
    cells = (
        _index_cell(index, ""),
        Cell((Line(name, "strong"),)),
        _line_cell(like.where if like else None),
        Cell((Line(tr("numbers not kept"), "muted"),)),
    )
    return [Row((*cells, EMPTY, EMPTY, EMPTY, EMPTY), "data", level)]


def _tone(text: str) -> Tone:
    for tone in ("error", "warning"):
        if text == tone:
            return tone
    return ""


def _pick(
    changes: Sequence[Change], shown: frozenset[int] | None, most: int
) -> tuple[list[Change], list[Change]]:
    """The most telling changes, and the others; names that were asked for always count."""
    wanted = [c for c in changes if shown is None or c.tensor in shown]
    others = [c for c in changes if shown is not None and c.tensor not in shown]
    ranked = sorted(wanted, key=_dullness)[:most]
    telling = {id(c) for c in ranked}
    # one leaf more costs the same row as saying that there is one more
    if len(wanted) == most + 1 and not others:
        return wanted, []
    rest = [c for c in wanted if id(c) not in telling]
    return [c for c in wanted if id(c) in telling], rest + others


def _dullness(change: Change) -> int:
    looks = (change.grad_after, change.value_after, change.added)
    if change.holds.stale:
        return 0
    if any(s is not None and not s.finite for s in looks):
        return 1
    return 2 if change.grad_changed or change.value_after is not None else 3


def _remainder(event: Event, more: Sequence[Change]) -> str:
    said = []
    if more:
        kinds = {(c.grad_changed, c.value_after is None, c.grad_after is None) for c in more}
        alike = len(kinds) == 1 and len(more) > 1
        tensors = words.more_tensors(len(more))
        said.append(tr("+ {tensors} alike", tensors=tensors) if alike else f"+ {tensors}")
    if event.unchanged:
        said.append(tr("{number} unchanged", number=count(event.unchanged)))
    return " · ".join(said)


def _index_cell(index: int, tone: str) -> Cell:
    sign = f"{SIGNS[tone]}{NBSP}" if tone in SIGNS else ""
    return Cell((Line(f"{sign}{count(index)}", "number", _tone(tone)),))


def _event_cell(event: Event) -> Cell:
    lines = [Line(f"{event.kind} #{count(event.number)}", "strong")]
    call = words.event_call(event)
    if call:
        lines.append(Line(call, "muted"))
    if event.loss is not None:
        lines.append(Line(tr("loss {number}", number=number(event.loss)), "muted"))
    lines += [Line(remark, "muted") for remark in words.event_remarks(event)]
    if event.missed:
        missed = tr("nothing to consume for: {names}", names=words.listed(event.missed))
        lines.append(Line(missed, tone="warning"))
    if event.error:
        text = words.clean(words.prose(event.error), 160)
        raised = tr("raised {error}", error=text)
        lines.append(Line(f"{SIGNS['error']} {raised}", tone="error"))
    return Cell(tuple(lines))


def _line_cell(where: SourceLocation | None) -> Cell:
    if where is None:
        return Cell((Line(tr("line not known"), "muted"),))
    lines = [Line(words.spot(where), "muted")]
    if where.text:
        lines.append(Line(words.code(where.text), "code"))
    if where.led_by is not None and where.led_by.place != where.place:
        lines.append(Line(tr("called from {place}", place=words.place(where.led_by)), "muted"))
    return Cell(tuple(lines))


Cells = tuple[Cell, Cell, Cell, Cell, Cell]


def _change_cells(
    event: Event, change: Change, infos: Mapping[int, TensorInfo], detail: Detail
) -> Iterator[Cells]:
    """One row for the value if it was looked at, one for the gradient."""
    info = infos.get(change.tensor)
    has_value = change.value_before is not None or change.value_after is not None
    grad_too = change.grad_changed or not has_value or detail.idle_grads
    if has_value:
        yield _value_cells(event, change, info, detail, None if grad_too else _holds_cell(change))
    if grad_too:
        yield _grad_cells(event, change, info, detail, after_value=has_value)


def _value_cells(
    event: Event, change: Change, info: TensorInfo | None, detail: Detail, holds: Cell | None
) -> Cells:
    shape = info.shape if info else ()
    lines = [Line(_plain_name(info, change.tensor), "code"), *_small_print(info)]
    if event.kind == "rebind":
        lines.insert(1, Line(tr("is now another leaf"), "muted"))
    before = Cell(summary_lines(change.value_before, shape, tight=detail.tight))
    after = Cell(summary_lines(change.value_after, shape, tight=detail.tight))
    if change.value_before is None:
        before = EMPTY
    return (Cell(tuple(lines)), before, _moved_cell(change), after, holds or EMPTY)


def _moved_cell(change: Change) -> Cell:
    """How far the value went, where its numbers are too many to be seen."""
    before = change.value_before
    if change.moved is None or before is None or before.values is not None:
        return EMPTY
    about = f"≈{NBSP}" if before.numel > COPIED else ""
    far = tr("moved {number}", number=f"{about}{number(change.moved, 3)}")
    lines = [Line(firm(far), "number")]
    if before.norm:
        part = number(change.moved / before.norm, 2)
        lines.append(Line(firm(tr("{part} of norm", part=part)), "number", "muted"))
    return Cell(tuple(lines))


def _grad_cells(
    event: Event, change: Change, info: TensorInfo | None, detail: Detail, *, after_value: bool
) -> Cells:
    shape = info.shape if info else ()
    name = Line(f"{_plain_name(info, change.tensor)}.grad", "code")
    named = Cell((name,) if after_value else (name, *_small_print(info)))
    before = Cell(summary_lines(change.grad_before, shape, tight=detail.tight))
    after = Cell(summary_lines(change.grad_after, shape, tight=detail.tight))
    if not change.grad_changed and event.kind != "backward":
        after = Cell((Line(tr("unchanged"), "muted"),))
    return (named, before, _added_cell(change, shape, detail.tight), after, _holds_cell(change))


def _plain_name(info: TensorInfo | None, tensor_id: int) -> str:
    return words.short(info.name) if info and info.name else words.unnamed(tensor_id)


def _small_print(info: TensorInfo | None) -> tuple[Line, ...]:
    """Shape and generation, where they say anything."""
    if info is None:
        return ()
    said = [shape_words(info.shape)] if _numel(info.shape) != 1 else []
    if info.generations > 1:
        said.append(tr("generation {number}", number=count(info.generation)))
    return (Line(" · ".join(said), "muted"),) if said else ()


def _numel(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


def _added_cell(change: Change, shape: Sequence[int], tight: bool) -> Cell:
    if change.added is not None:
        shown = summary_lines(change.added, shape, tight=tight)
        return Cell(_signed(shown, change.added, exact=change.added_exact))
    lines = []
    if change.added_norm is not None:
        lines.append(_about(tr("norm {number}", number=number(change.added_norm))))
    if change.added_mean is not None:
        lines.append(_about(tr("mean {number}", number=number(change.added_mean))))
    return Cell(tuple(lines)) if lines else EMPTY


def _about(text: str) -> Line:
    return Line(firm(f"≈ {text}"), "number")


def _signed(lines: tuple[Line, ...], added: Summary, *, exact: bool) -> tuple[Line, ...]:
    """A plus sign for a single positive number, ≈ for a derived one."""
    first, rest = lines[0], lines[1:]
    text = first.text
    if added.numel == 1 and added.values is not None and not text.startswith(("−", "N", "[")):
        text = f"+{text}"
    if not exact:
        text = f"≈{NBSP}{text}"
    return (Line(text, first.style, first.tone), *rest)


def _holds_cell(change: Change) -> Cell:
    text = words.holds_words(change.holds)
    sign, tone = stale_mark(change.holds)
    return Cell((Line(f"{sign}{text}", "muted" if text == tr("empty") else "plain", tone),))

"""View → plain text, for terminals, logs and front ends that show no HTML."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from ipygradmagic.language import speaking, tr
from ipygradmagic.render import words
from ipygradmagic.render.cells import chinese, ljust, wrapped
from ipygradmagic.render.chart import alone, flagged, lined, sparks
from ipygradmagic.render.fitting import joined
from ipygradmagic.render.heat_words import grid as panels
from ipygradmagic.render.numbers import NBSP
from ipygradmagic.render.rich_parts import Console, Padding, RenderableType, Text, box, cell_len
from ipygradmagic.render.rich_parts import Table as RichTable
from ipygradmagic.render.strip import grid, key
from ipygradmagic.render.view import (
    SIGNS,
    Block,
    Cell,
    Chart,
    Charts,
    Code,
    FindingCard,
    Fold,
    Heat,
    Paragraph,
    Picture,
    Row,
    Section,
    Strip,
    Table,
    Verdict,
    View,
)

MARK = "\ue000"
"""Stands where a row that spans all columns will be put: rich has no such rows. It cannot
come from the user, because ``words.clean`` spells private characters out."""


INDENT = "      "
SEPARATOR = "  "
LEAST = 8
WORDS = 15
"""Columns of words stay at least so wide: ``backward #1,000``."""
MOST_LEAST = 24


def to_text(view: View, width: int = 100) -> str:
    """The report as lines of at most ``width`` characters (source code may be folded)."""
    with speaking(view.lang):
        parts = [_section(section, width) for section in view.sections]
        return _laid_out(parts)


def to_short_text(view: View, width: int = 100) -> str:
    """The same without what a notebook would show folded; a last line says how to see that."""
    with speaking(view.lang):
        parts = [_section(section, width) for section in view.sections if not section.folded]
        folded = [section.title for section in view.sections if section.folded and section.title]
        if folded:
            said = tr(
                "Not shown: {parts}. %trace_grad --last shows all.", parts=words.commas(folded)
            )
            parts.append(_wrapped(said, width, hang=2))
        return _laid_out(parts)


def _laid_out(parts: Iterable[str]) -> str:
    lines = "\n\n".join(p for p in parts if p).splitlines()
    return "\n".join(line.replace(NBSP, " ").rstrip() for line in lines)


def _section(section: Section, width: int) -> str:
    title = [f"── {section.title} ──"] if section.title else []
    shown = [_block(block, width) for block in section.blocks]
    return "\n".join(title + [s for s in shown if s])


def _block(block: Block, width: int) -> str:
    match block:
        case Verdict():
            return _verdict(block, width)
        case Paragraph():
            sign = f"{SIGNS[block.tone]} " if block.tone in SIGNS else ""
            return _wrapped(sign + block.text, width, hang=len(sign))
        case FindingCard():
            return _card(block, width)
        case Table():
            return _table(block, width)
        case Picture():
            lines = [block.caption] if block.caption else []
            lines += [f"  {line}" for line in block.fallback]
            lines += [f"  ({block.note})"] if block.note else []
            return "\n".join(_wrapped(line, width, hang=4) for line in lines)
        case Charts():
            return _charts(block, width)
        case Strip():
            return _strip(block, width)
        case Heat():
            lines = [block.caption, *(f"  {line}" for line in panels(block, width - 2))]
            return "\n".join(_wrapped(line, width, hang=4) for line in lines)
        case Code():
            return "\n".join(f"    {line}" for line in block.text.splitlines())
        case Fold():
            inner = [_block(b, width) for b in block.blocks]
            return "\n".join([_wrapped(block.summary, width, hang=2), *inner])


def _charts(charts: Charts, width: int) -> str:
    """One below another; those of a single curve take one line, and findings come once."""
    single = [chart for chart in charts.charts if alone(chart)]
    wide = min(max((cell_len(c.caption) for c in single), default=0), width // 2)
    shown = [
        _wrapped(f"{ljust(chart.caption, wide)}  {lined(chart)}", width, hang=4)
        if chart in single
        else _chart(chart, width)
        for chart in charts.charts
    ]
    said = dict.fromkeys(flagged(chart, flag) for chart in charts.charts for flag in chart.flags)
    return "\n".join([*shown, *(_wrapped(line, width, hang=2) for line in said)])


def _chart(chart: Chart, width: int) -> str:
    caption = _wrapped(chart.caption, width, hang=2)
    return "\n".join([caption, *(_wrapped(f"  {line}", width, hang=4) for line in sparks(chart))])


def _strip(strip: Strip, width: int) -> str:
    sign = f"{SIGNS[strip.tone]} " if strip.tone in SIGNS else ""
    lines = [_wrapped(f"{sign}{strip.lesson}", width, hang=len(sign))] if strip.lesson else []
    for line in grid(strip, width - 2):
        lines.append(
            f"  {line}" if cell_len(line) + 2 <= width else _wrapped(f"  {line}", width, 4)
        )
    lines += [_wrapped(f"  {line}", width, hang=4) for line in (*key(strip), *strip.notes)]
    return "\n".join(line.rstrip() for line in lines)


def _verdict(verdict: Verdict, width: int) -> str:
    sign = SIGNS.get(verdict.tone, "")
    lines = [_wrapped(f"{sign} {verdict.headline}", width, hang=2)]
    lines += [_wrapped(f"  {d}", width, hang=2) for d in verdict.details if d]
    return "\n".join(lines)


def _card(card: FindingCard, width: int) -> str:
    lines = [_wrapped(f"{SIGNS[card.tone]} {_titled(card)}", width, hang=2)]
    for label, text in card.facts:
        said = "  " + (tr("{label}: {text}", label=label, text=text) if label else text)
        lines.append(_wrapped(said, width, hang=4))
    lines += [f"      {line}" for line in card.code.splitlines()]
    for where, source in card.lines:
        lines.append(_wrapped(f"  {where}  {source}", width, hang=4))
    return "\n".join(lines)


def _titled(card: FindingCard) -> str:
    return card.title if card.tone == "fine" else f"{card.title} [{card.name}]"


def _wrapped(text: str, width: int, hang: int = 0) -> str:
    """Wrap; lines after the first are indented by ``hang``."""
    indent = len(text) - len(text.lstrip(" "))
    inner = max(10, width - max(hang, indent))
    text = text.lstrip(" ")
    lines = wrapped(text, inner) if chinese(text) else _print(Text(text), inner).split("\n")
    first, rest = " " * indent + lines[0], [" " * hang + line for line in lines[1:]]
    return "\n".join([first, *rest])


def _print(what: RenderableType, width: int) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
        legacy_windows=False,
        emoji=False,
        markup=False,
        highlight=False,
    )
    with console.capture() as captured:
        console.print(what)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))


def _table(table: Table, width: int) -> str:
    """Columns that lead become a line above each group of rows; the others stay columns."""
    leads = _leads(table, width)
    rest = [i for i in range(len(table.columns)) if i not in leads]
    if leads and sum(_natural(table, i) + 3 for i in rest) + len(INDENT) > width:
        # rather one line more than names that are cut in two
        table = joined(table, rest[0])
        rest = [i for i in range(len(table.columns)) if i not in leads]
    rich = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    widths = _widths(table, rest, width, len(INDENT) if leads else 0)
    for i, wide in zip(rest, widths):
        column = table.columns[i]
        indent = INDENT if leads and i == rest[0] else ""
        title = Text("\n".join(indent + part for part in column.title.split(" · ")))
        rich.add_column(title, justify=column.align, overflow="fold", width=wide)
    spans = []
    for row in table.rows:
        if row.kind != "data" or (leads and row.starts):
            rich.add_row(MARK)
            spans.append(_span(row, leads))
        if row.kind == "data":
            indents = [len(INDENT) if leads and i == rest[0] else 0 for i in rest]
            cells: list[RenderableType] = [
                _cell(row.cells[i], wide - indent) for i, wide, indent in zip(rest, widths, indents)
            ]
            if leads:
                cells[0] = Padding(cells[0], (0, 0, 0, len(INDENT)))
            rich.add_row(*cells)
    lines = [_wrapped(table.caption, width)]
    if leads:
        lines.append(SEPARATOR.join(table.columns[i].title for i in leads))
    waiting = iter(spans)
    for line in _print(rich, width).split("\n"):
        lines.append(_wrapped(next(waiting), width, hang=6) if MARK in line else line)
    return "\n".join(lines + [_wrapped(note, width) for note in table.notes])


def _leads(table: Table, width: int) -> list[int]:
    """The columns that become lines, if the table is too wide with all of them."""
    every = range(len(table.columns))
    if sum(_natural(table, i) for i in every) + 3 * len(every) <= width:
        return []
    return [i for i in every if table.columns[i].leads]


def _natural(table: Table, index: int) -> int:
    """Width of the widest line of a column."""
    cells = [row.cells[index] for row in table.rows if row.kind == "data"]
    texts = [line.text for cell in cells for line in cell.lines]
    return max(cell_len(text) for text in [table.columns[index].title, *texts])


def _span(row: Row, leads: Sequence[int]) -> str:
    """The text of a line that stands across all columns."""
    indent = "  " * row.level
    if row.kind != "data":
        return indent + _joined(row.cells[0])
    return indent + SEPARATOR.join(_joined(row.cells[i]) for i in leads)


def _joined(cell: Cell) -> str:
    return SEPARATOR.join(line.text for line in cell.lines)


def _cell(cell: Cell, width: int) -> Text:
    lines = (line.text for line in cell.lines)
    return Text("\n".join("\n".join(wrapped(t, width)) if chinese(t) else t for t in lines))


def _widths(table: Table, columns: Sequence[int], width: int, indent: int) -> list[int]:
    """How wide each column may be. Rich itself would crop what cannot be shrunk."""
    natural, least = [], []
    for i in columns:
        extra = indent if i == columns[0] else 0
        wraps = table.columns[i].wraps
        lines = [r.cells[i].lines for r in table.rows if r.kind == "data"]
        texts = [(line.text, line.style) for cell in lines for line in cell]
        natural.append(extra + _natural(table, i))
        firm = [cell_len(t) for t, style in texts if style == "number" or not wraps]
        roomy = min(WORDS, natural[-1]) if wraps else LEAST
        least.append(extra + min(max([roomy, *firm]), MOST_LEAST))
    return _shared(natural, least, width - 3 * len(columns))


def _shared(natural: list[int], least: list[int], room: int) -> list[int]:
    """Each column its natural width if there is room; else its least, and a share of the rest."""
    widths = [min(n, m) for n, m in zip(natural, least)]
    while sum(widths) > max(room, len(widths)):
        # names, in the first column, are cut last
        widest = max(range(len(widths)), key=lambda i: widths[i] * (0.5 if i == 0 else 1))
        widths[widest] -= 1
    while sum(widths) < room and widths != natural:
        missing = max(range(len(widths)), key=lambda i: natural[i] - widths[i])
        widths[missing] += 1
    return widths

"""The report: what is said about a trace, or about a state, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from ipygradmagic.errors import GradientLifecycleError
from ipygradmagic.language import mark, ntr, tr
from ipygradmagic.options import Options
from ipygradmagic.record.findings import SEVERITIES, Finding, Silenced, tally
from ipygradmagic.record.state import State
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import CellError, Trace
from ipygradmagic.render import words
from ipygradmagic.render.curves import about_sizes, curves
from ipygradmagic.render.frames import frames_of
from ipygradmagic.render.heat import heats
from ipygradmagic.render.lesson import last_change
from ipygradmagic.render.lifecycle import CAPTION as STRIP
from ipygradmagic.render.lifecycle import strip
from ipygradmagic.render.meeting import meeting_of
from ipygradmagic.render.meeting_dot import meeting_picture
from ipygradmagic.render.numbers import count
from ipygradmagic.render.pictures import state_pictures, trace_pictures
from ipygradmagic.render.tables import Entry, entries_of, optimizer_lines, tensor_table
from ipygradmagic.render.timeline import Timeline
from ipygradmagic.render.view import (
    SIGNS,
    Block,
    FindingCard,
    Fold,
    Paragraph,
    Section,
    Tone,
    Verdict,
    View,
)

RAISE_FAULTS = False
"""Tests set it, so that a fault in a section is an error and not a placeholder."""
MOST_CARDS = 12
MOST_LINES = 4
MOST_AWAY = 6
MOST_SILENCED = 6
MOST_MESSAGE = 160
FEW_ROWS = 24
"""A timeline of so many rows is open if there is at least a note to look at."""
MAP = mark("Who adds, uses and clears")
NOTHING = mark("Nothing in this cell requires grad: no backward, no gradient to trace.")

Maker = Callable[[], "Section | None"]


def report_view(trace: Trace, options: Options) -> View:
    """Everything that the report of one traced run says."""
    title = words.clean(trace.meta.title)
    told = trace.findings or trace.silenced or trace.error
    quiet = not (told or trace.warnings or trace.notes)
    if quiet and not (trace.events or trace.total or trace.tensors):
        return View(title, (Section("", (Paragraph(tr(NOTHING), "note"),)),))
    timeline = Timeline(trace, options)
    calm = not trace.error and not any(f.alarm for f in trace.findings)
    makers: list[tuple[str, Maker]] = [
        (tr("Verdict"), lambda: Section("", (_verdict(trace), *_asked(trace, options)))),
        (tr("Findings"), lambda: _findings(trace.findings)),
        (tr("Silenced"), lambda: _silenced(trace.silenced)),
        (tr("Lifecycle"), lambda: _lifecycle(timeline, calm)),
        (tr("Map"), lambda: _map(trace, options, calm)),
        (tr("Timeline"), lambda: _timeline(timeline, calm)),
        (tr("Curves"), lambda: _curves(timeline)),
        (tr("Pictures"), lambda: _pictures(trace, options, calm)),
        (tr("Tensors"), lambda: _tensors(timeline)),
        (tr("Notes"), lambda: _notes(trace.notes, trace.warnings)),
    ]
    return View(title, _fault_first(_sections(makers)))


def _fault_first(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The map before the strip where only the map points at something: a leaf that no optimizer has
    is a row like any other there, and a node that stands out here."""
    for i, (strip_part, map_part) in enumerate(pairwise(sections)):
        here = strip_part.title == tr(STRIP) and map_part.title == tr(MAP)
        if here and map_part.telling and not strip_part.telling:
            return (*sections[:i], map_part, strip_part, *sections[i + 2 :])
    return sections


def state_view(state: State, options: Options) -> View:
    """Everything that ``%grad_state`` says."""
    if not state.tensors and not state.optimizers and not state.findings:
        none = tr("No tensor here requires grad.")
        text = words.sentences((none, _others(state))) if state.others else none
        quiet = (Section("", (Paragraph(text, "note"),)), _notes((), state.warnings))
        return View(tr("Gradients now"), tuple(s for s in quiet if s))
    makers: list[tuple[str, Maker]] = [
        (tr("Verdict"), lambda: Section("", (_state_verdict(state),))),
        (tr("Findings"), lambda: _findings(state.findings)),
        (tr("Tensors"), lambda: _state_tensors(state, options)),
        (tr("Picture"), lambda: _state_picture(state, options)),
        (tr("Notes"), lambda: _notes((), state.warnings)),
    ]
    return View(tr("Gradients now"), _sections(makers))


def _sections(makers: list[tuple[str, Maker]]) -> tuple[Section, ...]:
    """Make each section; one that fails leaves a placeholder, never the report."""
    sections = []
    for title, make in makers:
        try:
            section = make()
        except Exception as fault:
            if RAISE_FAULTS:
                raise
            text = tr(
                "This part could not be shown ({fault}). The rest of the report stands. Please "
                "report this fault of ipygradmagic.",
                fault=f"{type(fault).__name__}: {fault}",
            )
            section = Section(title, (Paragraph(words.prose(text), "warning"),))
        if section is not None and section.blocks:
            sections.append(section)
    return tuple(sections)


# -- verdict -------------------------------------------------------------------------------


def _verdict(trace: Trace) -> Verdict:
    silenced = any(s.finding.severity != "fine" for s in trace.silenced)
    headline, tone = _headline(trace.findings, silenced=silenced)
    if trace.error is not None:
        headline, tone = _error_words(trace.error), "error"
        if any(f.alarm for f in trace.findings):
            found = tr("Found: {tally}.", tally=tally(trace.findings))
            headline = words.sentences((headline, found))
    counts = trace.counts() or _counted(trace)
    said = " · ".join(f"{count(n)} {kind}" for kind, n in counts.items() if n)
    leaves = trace.leaves()
    small = [words.tensors(len(leaves))] if leaves else []
    if trace.meta.seconds:
        small.append(tr("{seconds} s", seconds=f"{trace.meta.seconds:.2g}"))
    if trace.meta.title:
        small.insert(0, words.clean(trace.meta.title))
    details = (" · ".join([said or tr("no backward, no step"), *small]),)
    return Verdict(headline, tone, (*_error_details(trace), *details))


def _headline(findings: tuple[Finding, ...], *, silenced: bool = False) -> tuple[str, Tone]:
    present = {f.severity for f in findings}
    said = tally(findings)
    if "error" in present:
        return tr("The gradients are wrong: {tally}.", tally=said), "error"
    if "warning" in present:
        return tr("The gradients are probably wrong: {tally}.", tally=said), "warning"
    if "note" not in present:
        return tr("Nothing else wrong found.") if silenced else tr("Nothing wrong found."), "fine"
    if silenced:
        return tr("Nothing else wrong found; {tally} worth knowing.", tally=said), "note"
    return tr("Nothing wrong found; {tally} worth knowing.", tally=said), "note"


def _counted(trace: Trace) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in trace.events:
        counts[event.kind] = max(counts.get(event.kind, 0), event.number)
    return counts


def _error_words(error: CellError) -> str:
    where = words.place(error.where)
    if error.type == GradientLifecycleError.__name__:
        if not where:
            return tr("A strict trace stopped the code.")
        return tr("A strict trace stopped the code at {place}.", place=where)
    # the traceback above has the whole message
    message = words.clean(words.opening(error.message), MOST_MESSAGE)
    kind = words.clean(error.type)
    said = tr("The code stopped with {error}", error=kind)
    if where:
        said = tr("The code stopped with {error} at {place}", error=kind, place=where)
    if not message:
        return tr("{sentence}.", sentence=said)
    whole = tr("{sentence}: {message}", sentence=said, message=message)
    return whole if message.endswith((".", "!", "?")) else tr("{sentence}.", sentence=whole)


def _error_details(trace: Trace) -> tuple[str, ...]:
    error, details = trace.error, []
    if error is not None and error.where is not None and error.where.text:
        code = words.code(error.where.text)
        details.append(tr("{label}: {text}", label=words.spot(error.where), text=code))
    freed = trace.event(error.freed_by) if error is not None and error.freed_by else None
    if freed is not None:
        number = f"{freed.kind} #{count(freed.number)}"
        if freed.where:
            number = tr("{event} at {place}", event=number, place=words.place(freed.where))
        details.append(tr("The graph was used up, and freed, by {event}.", event=number))
    if error is not None and trace.events:
        details.append(tr("What is below happened before that."))
    return tuple(details)


def _asked(trace: Trace, options: Options) -> tuple[Block, ...]:
    missing = words.unmatched(trace.tensors, options.names)
    return tuple(Paragraph(text, "note") for text in missing)


# -- findings ------------------------------------------------------------------------------


def _findings(findings: tuple[Finding, ...]) -> Section | None:
    ranked = sorted(findings, key=lambda f: SEVERITIES.index(f.severity))
    blocks: list[Block] = [_card(f) for f in ranked[:MOST_CARDS]]
    left = ranked[MOST_CARDS:]
    if left:
        names = words.listed(dict.fromkeys(f.name for f in left))
        more = tr("… {findings}: {names}", findings=words.more_findings(len(left)), names=names)
        blocks.append(Paragraph(more, "muted"))
    return Section("", tuple(blocks)) if blocks else None


def _card(finding: Finding) -> FindingCard:
    title, cause = words.prose(finding.title), words.prose(finding.cause)
    name = words.short(finding.name)
    if finding.severity == "fine":
        return FindingCard(title, "fine", (("", cause),) if cause else (), name=name)
    facts = [(tr("Why"), cause), (tr("Effect"), words.prose(finding.consequence))]
    remedy = finding.remedy
    if remedy is not None:
        facts.append((tr("Fix"), words.prose(remedy.text)))
    lines = [
        (words.spot(line), words.code(line.text)) for line in finding.evidence.lines[:MOST_LINES]
    ]
    return FindingCard(
        title,
        finding.severity,
        tuple(f for f in facts if f[1]),
        words.block(remedy.diff or remedy.code) if remedy else "",
        tuple(lines),
        name,
    )


def _silenced(silenced: tuple[Silenced, ...]) -> Section | None:
    """One quiet line: nothing disappears without a word."""
    said = [_silence(one) for one in silenced[:MOST_SILENCED]]
    if len(silenced) > len(said):
        said.append(tr("and {number} more", number=count(len(silenced) - len(said))))
    if not said:
        return None
    return Section("", (Paragraph(tr("Silenced: {list}.", list=words.clauses(said)), "muted"),))


def _silence(one: Silenced) -> str:
    lines, by = one.finding.evidence.lines, one.by.where
    name = words.short(one.finding.name)
    if lines:
        name = tr("{event} at {place}", event=name, place=words.place(lines[0]))
    if by is None:
        return tr("{finding}, by the ignore option", finding=name)
    return tr("{finding}, by the comment at {place}", finding=name, place=words.place(by))


# -- the parts below -----------------------------------------------------------------------


def _lifecycle(timeline: Timeline, calm: bool) -> Section | None:
    block = strip(timeline)
    if block is None:
        return None
    noted = any(f.severity == "note" for f in timeline.trace.findings)
    blocks: list[Block] = [block]
    maps = heats(timeline)
    if maps:
        captions = words.listed(m.caption for m in maps)
        blocks.append(Fold(tr("In numbers: {captions}", captions=captions), maps))
    return Section(tr(STRIP), tuple(blocks), calm and not noted, telling=bool(block.lesson))


def _timeline(timeline: Timeline, calm: bool) -> Section | None:
    trace = timeline.trace
    if not trace.events and not trace.pattern:
        return None
    table = timeline.table()
    noted = any(f.severity == "note" for f in trace.findings) and len(table.rows) <= FEW_ROWS
    return Section(tr("Timeline"), (table,), folded=calm and not noted)


def _map(trace: Trace, options: Options, calm: bool) -> Section | None:
    if not options.graph:
        return None
    meeting = meeting_of(trace)
    if not any(group.ties.adds for group in meeting.groups):
        return None
    noted = any(f.severity == "note" for f in trace.findings)
    odd = any(group.ties.remarks() for group in meeting.groups)
    picture = meeting_picture(meeting, trace)
    return Section(tr(MAP), (picture,), calm and not (noted and odd), telling=odd)


def _curves(timeline: Timeline) -> Section | None:
    blocks = curves(timeline)
    return Section(tr("Curves"), blocks, not about_sizes(timeline.trace)) if blocks else None


def _pictures(trace: Trace, options: Options, calm: bool) -> Section | None:
    if not options.graph or not trace.graphs:
        return None
    if options.teach:
        return Section(tr("Step by step"), frames_of(trace))
    return Section(
        tr("Graph"), trace_pictures(trace, options), folded=calm and options.backward is None
    )


def _tensors(timeline: Timeline) -> Section | None:
    trace, options = timeline.trace, timeline.options
    infos = {t.id: t for t in trace.tensors}
    mine, names = trace.leaves(), options.names
    happened = bool(trace.events)
    mine |= {
        t.name
        for t in trace.tensors
        if t.kind != "leaf" and (t.asked or not (t.older and happened))
    }
    mine |= {name for e in trace.events for name in (e.actor or "").split(", ")}
    near = [t.name in mine or words.matches(t, names) for t in trace.tensors]
    here = entries_of([t for t, yes in zip(trace.tensors, near) if yes])
    away = entries_of([t for t, yes in zip(trace.tensors, near) if not yes])
    blocks: list[Block] = []
    if here:
        blocks.append(tensor_table(here, options, tr("Tensors at the end")))
    if away:
        # what they are is for %grad_state to say: a notebook knows more of them cell after cell
        others = ntr(
            "{n:,} more tensor that this run left alone: {names}",
            "{n:,} more tensors that this run left alone: {names}",
            len(away),
            names=words.listed((e.title for e in away), MOST_AWAY),
        )
        blocks.append(Paragraph(others, "muted"))
    blocks += optimizer_lines(trace.acting(), infos)
    blocks += last_change(timeline)
    title = tr("Tensors and optimizers") if trace.optimizers else tr("Tensors")
    return Section(title, tuple(blocks), folded=True)


def _notes(notes: tuple[str, ...], warnings: tuple[str, ...]) -> Section | None:
    blocks: list[Block] = [Paragraph(words.prose(n), "note") for n in notes]
    blocks += [Paragraph(words.prose(w), "warning") for w in warnings]
    return Section(tr("Notes"), tuple(blocks)) if blocks else None


# -- state ---------------------------------------------------------------------------------


def _state_verdict(state: State) -> Verdict:
    infos = [t.info for t in state.tensors]
    full = sum(i.grad is not None for i in infos)
    headline = ntr(
        "{n:,} tensor that requires grad: {full} with a gradient, {bare} without.",
        "{n:,} tensors that require grad: {full} with a gradient, {bare} without.",
        len(infos),
        full=count(full),
        bare=count(len(infos) - full),
    )
    tone: Tone = "fine"
    if any(f.severity != "fine" for f in state.findings):
        opening, tone = _headline(state.findings)
        headline = words.sentences((opening, headline))
    odd = sum(bool(t.odd) for t in state.tensors)
    if odd and tone == "fine":
        look = tr("Worth a look: {number}, marked {sign}.", number=count(odd), sign=SIGNS["note"])
        headline = words.sentences((headline, look))
        tone = "note"
    others = (_others(state),) if state.others else ()
    return Verdict(headline, tone, others)


def _others(state: State) -> str:
    return ntr(
        "{n:,} other tensor here does not require grad.",
        "{n:,} other tensors here do not require grad.",
        state.others,
    )


def _state_tensors(state: State, options: Options) -> Section:
    infos: dict[int, TensorInfo] = {t.info.id: t.info for t in state.tensors}
    entries = [
        Entry(t.info, words.tensor_name(t.info), t.since, words.prose(t.odd)) for t in state.tensors
    ]
    blocks: list[Block] = []
    if entries:
        blocks.append(tensor_table(entries, options, tr("Tensors now"), now=True))
    blocks += optimizer_lines(state.optimizers, infos)
    return Section("", tuple(blocks))


def _state_picture(state: State, options: Options) -> Section | None:
    pictures = state_pictures(state, options)
    return Section(tr("Graph"), pictures) if pictures else None

"""A run that goes on, in a line."""

from __future__ import annotations

from ipygradmagic.language import ntr, tr
from ipygradmagic.record.progress import Early, Progress
from ipygradmagic.render import words
from ipygradmagic.render.html import led
from ipygradmagic.render.numbers import count, number
from ipygradmagic.render.view import Paragraph, Section, View

MOST = 3
"""So many findings are named; the report has them all."""


def moment_view(progress: Progress) -> View:
    """Elapsed time, events, rounds a second, the last loss, and what is wrong already."""
    turns, what = progress.turns
    rate = turns / progress.seconds if progress.seconds else 0.0
    said = [tr("Tracing: {seconds} s", seconds=f"{progress.seconds:.0f}")]
    said.append(
        ntr("{events} event", "{events} events", progress.events, events=count(progress.events))
    )
    if turns:
        per = tr("{rate} steps/s") if what == "step" else tr("{rate} backward/s")
        said.append(per.format(rate=_rounded(rate)))
    if progress.loss is not None:
        said.append(tr("loss {loss}", loss=number(progress.loss)))
    lines = [Paragraph(" · ".join(said), "muted")]
    lines += [Paragraph(_short(f), "error") for f in progress.findings[:MOST]]
    left = len(progress.findings) - MOST
    if left > 0:
        lines.append(Paragraph(ntr("{n} more finding", "{n} more findings", left), "error"))
    return View("", (Section("", tuple(lines)),))


def _short(early: Early) -> str:
    """What it is, since when, and where: the report says the rest."""
    finding = early.finding
    title = words.prose(finding.title)
    lead, rest = led(title)
    if not rest:
        return f"{title} [{finding.name}]"
    parts = [lead.rstrip(":.")]
    if early.since:
        parts.append(tr("since {event}", event=early.since))
    if finding.evidence.lines:
        parts.append(finding.evidence.lines[0].place)
    return f"{', '.join(parts)} [{finding.name}]"


def _rounded(rate: float) -> str:
    """Two digits are enough for what changes every second."""
    return f"{rate:.1f}" if rate < 10 else count(int(float(f"{rate:.2g}")))

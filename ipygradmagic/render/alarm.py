"""What a watch says of a cell: a few lines, and below them the folded report."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from ipygradmagic.language import mark, speaking, tr
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.html import environment, led, to_html
from ipygradmagic.render.text import to_text
from ipygradmagic.render.view import Section, Verdict, View

HINT = mark("%trace_grad --last shows the report.")


@dataclass(frozen=True)
class Alarm:
    """The verdict and the report. A text cannot be folded, so it is the verdict alone.

    Attributes:
        line: What is wrong, in short.
        full: The whole report.
    """

    line: View
    full: View

    def html(self) -> str:
        """The verdict, and the report to be opened."""
        template = environment().get_template("alarm.html.j2")
        parts = Markup(to_html(self.line)), Markup(to_html(self.full))
        with speaking(self.full.lang):
            return template.render(line=parts[0], full=parts[1], title=self.full.title).strip()

    def text(self, width: int = 100) -> str:
        """The verdict, and how to see the report."""
        with speaking(self.full.lang):
            return f"{to_text(self.line, width)}\n  {tr(HINT)}"


def alarm_view(trace: Trace) -> View:
    """The first finding of a trace, what and where, and the names of the others."""
    found = [f for f in trace.findings if f.alarm]
    first, others = found[0], found[1:]
    lead, rest = led(words.prose(first.title))
    headline = f"{lead.rstrip(':.：。')} [{words.short(first.name)}]"
    if trace.meta.title:
        title = words.clean(trace.meta.title)
        headline = tr("{label}: {text}", label=title, text=headline)
    names = words.listed((words.short(f.name) for f in others), 4)
    more = ""
    if others:
        more = tr("{label}: {text}", label=words.more_findings(len(others)), text=names)
    verdict = Verdict(headline, first.severity, (rest.strip(), more))
    return View("", (Section("", (verdict,)),))

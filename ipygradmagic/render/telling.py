"""How a plain trace is printed, and written as a page; a record by itself can do neither."""

from __future__ import annotations

import shutil

from ipygradmagic.language import speaking, spoken
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace
from ipygradmagic.render import words
from ipygradmagic.render.html import environment, to_html
from ipygradmagic.render.report import report_view
from ipygradmagic.render.text import to_text
from ipygradmagic.render.view import View


def width() -> int:
    """Columns for text that goes to a terminal or a file."""
    return min(shutil.get_terminal_size((100, 24)).columns, 140)


def told(trace: Trace) -> str:
    """The report as text, for ``print``."""
    return to_text(_view(trace), width())


def _view(trace: Trace) -> View:
    with speaking(trace.meta.lang):
        return report_view(trace, Options(names=trace.meta.names))


def page(trace: Trace) -> str:
    """The report as a file of its own, light or dark as the reader's browser is."""
    from markupsafe import Markup

    report = to_html(_view(trace))
    template = environment().get_template("page.html.j2")
    with speaking(trace.meta.lang):
        return template.render(
            title=words.clean(trace.meta.title, 100),
            torch=words.clean(trace.meta.torch, 40),
            report=Markup(report),
            lang=spoken(),
        )

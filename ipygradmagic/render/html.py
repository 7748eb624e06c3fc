"""View → HTML that survives every front end: literal inline styles, nothing else.

No ``<style>``, script, id or widget: JupyterLab strips those from notebooks that it does not
trust, which is how shared and CI-made notebooks open (measured; see the front-end notes).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import jinja2

from ipygradmagic.language import ntr, ptr, speaking, tr
from ipygradmagic.render import heat_drawing, heat_words
from ipygradmagic.render import strip as strips
from ipygradmagic.render.axes import LEFT, RIGHT, TOP, WIDTH
from ipygradmagic.render.chart import drawing, legend, told
from ipygradmagic.render.drawing import Easel, data_uri
from ipygradmagic.render.fates import COLOURS
from ipygradmagic.render.fitting import fitted
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.view import SIGNS, Chart, Heat, Row, Strip, Table, View

LEAD = 60
_COLON = re.compile("：|: ")
"""(In Chinese it has a blank in itself.)"""
TEMPLATES = Path(__file__).parent / "templates"


def to_html(view: View) -> str:
    """The report as one self-contained ``<div>``."""
    template = environment().get_template("report.html.j2")
    with speaking(view.lang):
        return template.render(view=view, drawn=Easel().drawn).strip()


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Where templates come from; all of them escape what is put into them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["signs"] = SIGNS
    environment.globals.update(tr=tr, ntr=ntr, ptr=ptr)
    environment.globals["charted"] = charted
    environment.globals["columns"] = cell_len
    environment.globals["stripped"] = stripped
    environment.globals["heated"] = heated
    environment.globals["heights"] = heights
    environment.globals["led"] = led
    environment.globals["fitted"] = fitted
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def led(title: str) -> tuple[str, str]:
    """The clause of a finding's title that says what it is, and the rest, which says where."""
    found = _COLON.search(title)
    if found is None or found.start() > LEAD:
        return title, ""
    return title[: found.start() + 1], title[found.start() + 1 :]


def heights(table: Table) -> list[tuple[Row, int]]:
    """Each row with the number of rows that its leading cells span; 0 in those below."""
    found: list[tuple[Row, int]] = []
    below = 0
    for row in reversed(table.rows):
        continues = row.kind == "data" and not row.starts
        found.append((row, 0 if continues else below + 1))
        below = below + 1 if continues else 0
    return found[::-1]


def charted(chart: Chart) -> tuple[str, str]:
    """``(data URI, what it shows in words)``; without the URI if there is no number to draw."""
    said = "\n".join(told(chart))
    lines = drawing(chart)
    if lines is None:
        return "", said
    template = environment().get_template("chart.svg.j2")
    svg = template.render(
        chart=chart,
        drawing=lines,
        legend=legend(chart),
        width=WIDTH,
        left=LEFT,
        right=RIGHT,
        top=TOP,
    )
    return data_uri(svg), said


def stripped(strip: Strip) -> tuple[str, str]:
    """``(data URI, what it shows in words)``."""
    template = environment().get_template("strip.svg.j2")
    svg = template.render(
        strip=strip,
        d=strips.drawing(strip),
        colours=COLOURS,
        foot=strips.FOOT,
        high=strips.ROW,
    )
    return data_uri(svg), strips.told(strip)


def heated(heat: Heat) -> tuple[str, str]:
    """``(data URI, what it shows in words)``."""
    template = environment().get_template("heat.svg.j2")
    svg = template.render(d=heat_drawing.drawing(heat))
    return data_uri(svg), heat_words.told(heat)

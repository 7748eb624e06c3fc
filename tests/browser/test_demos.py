"""Each demo as a person goes through it: run with the mouse, saved, opened again by somebody else."""

from __future__ import annotations

import nbformat
import pytest

from tests.browser.conftest import ROOT, Desk, Front
from tests.browser.looking import at_widths, photograph, reports

pytestmark = pytest.mark.browser

WIDTHS = (700, 1000, 1500)
GALLERY = "5_gallery"
DEMOS = sorted(p.stem for p in (ROOT / "demos").glob("*.ipynb"))


def unrun(desk: Desk, demo: str, place: str) -> str:
    """A copy of the demo without its outputs, under the name of the front end."""
    book = nbformat.read(ROOT / "demos" / f"{demo}.ipynb", 4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    name = f"{place}_{demo}.ipynb"
    nbformat.write(book, desk.folder / name)
    return name


@pytest.mark.parametrize("demo", DEMOS)
def test_a_demo(front: Front, demo: str) -> None:
    if demo == GALLERY and front.name == "notebook":
        pytest.skip("one front end is enough for what is long")
    light = (DEMOS.index(demo) + (front.name == "lab")) % 2 == 0
    themes = ("Light", "Dark") if light else ("Dark", "Light")
    book = unrun(front.desk, demo, front.name)
    page = front.open(book, themes[0])
    front.run(page, book)
    expected = sum(
        "%%trace_grad" in c.source or "%grad_state" in c.source
        for c in nbformat.read(front.desk.folder / book, 4).cells
        if c.cell_type == "code"
    )
    assert reports(page).count() == expected
    assert at_widths(page, WIDTHS) == []
    photograph(page, f"{front.name}_{demo}_{themes[0].lower()}_live", 1000)
    front.shut(page)

    page = front.open(front.distrust(book), themes[1])
    reports(page).nth(expected - 1).wait_for()
    assert not front.trusted(page)
    assert at_widths(page, WIDTHS) == []
    photograph(page, f"{front.name}_{demo}_{themes[1].lower()}_untrusted", 700)
    front.shut(page)

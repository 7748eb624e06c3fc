"""A notebook that left Jupyter: nbconvert's HTML in the browser, on paper and as PDF."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import OUT, Desk
from tests.browser.looking import at_widths, photograph, reports
from tests.browser.test_book import check, write

pytestmark = pytest.mark.browser

SHEET = 718
"""Pixels between the margins of A4."""
CUT_OFF = """all => all.flatMap(r => [...r.querySelectorAll('table')]).filter(t => t.checkVisibility()
    && t.getBoundingClientRect().width > t.parentElement.clientWidth + 1).map(t => look.words(t))"""
SAID_IN_ORDER = (
    "The gradients are wrong: 1 error.",
    "Forgotten zero_grad",
    "Clear the gradients once in every round",
    "+ optimizer.zero_grad()",
    "model.weight (and 1 more row)",
    "before added after",
    "model.weight.grad backward #1 [−3.133, −2.569] [−3.133, −2.569]",
    "already used (stale)",
    "Nothing wrong found.",
    "The code stopped with RuntimeError",
)
"""Not the muted words: Chromium writes what is translucent behind all else of its page."""


@pytest.fixture(scope="module")
def exported(desk: Desk) -> Path:
    """Run and written as HTML by nbconvert, as a build server would."""
    file = desk.folder / write(desk, "exported.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "--log-level=ERROR"]
    subprocess.run([*command, str(file)], check=True, timeout=90)
    return file.with_suffix(".html")


def opened(desk: Desk, file: Path, **options: Any) -> Any:
    page = desk.page(1100, **options)
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_html(desk: Desk, exported: Path, scheme: str) -> None:
    page = opened(desk, exported, color_scheme=scheme)
    assert reports(page).count() == 4
    check(page)
    assert at_widths(page, (600, 1100)) == []
    photograph(page, f"nbconvert_{scheme}")
    page.close()


def test_paper(desk: Desk, exported: Path) -> None:
    """The PDF says what the page says, in this order, as text that can be searched."""
    pdf = pytest.importorskip("pypdfium2")
    page = opened(desk, exported, color_scheme="light")
    reports(page).locator("img").evaluate_all("all => Promise.all(all.map(i => i.decode()))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": SHEET, "height": 1000})
    assert reports(page).first.evaluate("r => look.problems(r)") == []
    assert reports(page).evaluate_all(CUT_OFF) == []  # paper does not scroll
    page.pdf(path=OUT / "nbconvert.pdf", format="A4", print_background=True)
    page.close()
    paper = pdf.PdfDocument(OUT / "nbconvert.pdf")
    texts = [sheet.get_textpage().get_text_bounded() for sheet in paper]
    for i, sheet in enumerate(paper):
        sheet.render(scale=1.3).to_pil().save(OUT / f"nbconvert_paper_{i + 1}.png")
    text = re.sub(r"\s+", " ", " ".join(texts))
    places = [text.find(words) for words in SAID_IN_ORDER]
    assert -1 not in places, SAID_IN_ORDER[places.index(-1)]
    assert places == sorted(places)

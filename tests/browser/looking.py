"""What must be true of every report on a page, in whatever front end, theme, width and trust."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import OUT, SCROLL_TO_TOP

REPORTS = (
    ".jp-OutputArea-output .jp-RenderedHTML > div, .jp-RenderedHTML.jp-OutputArea-output > div"
)
PROBLEMS = "reports => Promise.all(reports.map(r => look.problems(r)))"
HEIGHT = """() => Math.max(...[...document.querySelectorAll('html, .jp-Notebook, .jp-Notebook *')]
    .map(e => e.scrollHeight))"""
TALL = 12_000
"""No picture of a page is taller, in pixels."""


def reports(page: Any) -> Any:
    """All reports of a notebook, from the top."""
    return page.locator(REPORTS)


def report(page: Any, cell: int) -> Any:
    """The report below a cell."""
    return page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(REPORTS).last


def problems(page: Any) -> list[str]:
    """What a person would complain about."""
    found = reports(page).evaluate_all(PROBLEMS)
    assert found, "there is no report"
    of_reports = [f"report {i}: {p}" for i, some in enumerate(found) for p in some]
    ours = [c for c in page.complaints if "gradmagic" in c or "svg" in c.lower()]
    return [*of_reports, *page.evaluate("() => look.page()"), *ours]


def at_widths(page: Any, widths: tuple[int, ...]) -> list[str]:
    """The same in several widths of the window."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(150)
        found += [f"{width} px wide: {p}" for p in problems(page)]
    return found


def photograph(page: Any, name: str, width: int | None = None) -> None:
    """The notebook from its top, in a window so tall that nothing has to be scrolled."""
    before = page.viewport_size
    height = page.evaluate(HEIGHT)
    page.set_viewport_size({"width": width or before["width"], "height": min(height + 400, TALL)})
    page.wait_for_timeout(200)
    page.evaluate(SCROLL_TO_TOP)
    page.screenshot(path=OUT / f"{name}.png")
    page.set_viewport_size(before)

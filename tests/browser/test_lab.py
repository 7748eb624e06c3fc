"""The report as a person sees it: in JupyterLab, trusted or not, light or dark, and exported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from tests.browser.conftest import OUT, SCROLL_TO_TOP, Lab

pytestmark = pytest.mark.browser

MODEL = """import torch
from torch import nn
torch.manual_seed(0)
model = nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(16, 2); y = x.sum(1, keepdim=True)"""
FORGOTTEN = """%%trace_grad
for step in range(4):
    loss = ((model(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()"""
CLEAN = FORGOTTEN.replace("    loss =", "    optimizer.zero_grad()\n    loss =")
STOPPED = """%%trace_grad
loss = ((model(x) - y) ** 2).mean()
loss.backward()
loss.backward()"""
STATE = "%grad_state model --graph loss"
CELLS = ("%load_ext ipygradmagic", MODEL, FORGOTTEN, CLEAN, STOPPED, STATE)
SAID = {
    2: "The gradients are wrong",
    3: "Nothing wrong found",
    4: "The code stopped with RuntimeError",
    5: "require grad",
}
"""Number of the cell, and words of its verdict."""

CONTRAST = """element => {
    const parse = text => {
        const numbers = (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number)
        return numbers.length < 4 ? [...numbers, 1] : numbers
    }
    const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]))
    const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4
    const light = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2])
    const chain = []
    for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e))
    let background = [255, 255, 255], opacity = 1
    for (const style of chain) {
        background = over(parse(style.backgroundColor), background)
        opacity *= Number(style.opacity)
    }
    const text = parse(chain.at(-1).color)
    text[3] *= opacity
    const [a, b] = [light(over(text, background)), light(background)].sort((x, y) => y - x)
    return (a + .05) / (b + .05)
}"""
PLAIN_TEXT = """report => [...report.querySelectorAll('*')].filter(
    e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()))"""
FAINTEST = f"""report => {{
    const contrast = {CONTRAST}
    const found = ({PLAIN_TEXT})(report).map(e => [contrast(e), e.textContent.trim().slice(0, 60)])
    return found.sort((a, b) => a[0] - b[0])[0]
}}"""
PICTURES = """report => Promise.all([...report.querySelectorAll('img')].map(async i => {
    await i.decode()
    return [i.complete, i.naturalWidth, i.alt]
}))"""
INSIDE = """report => {
    const edge = report.closest('.jp-OutputArea, body').getBoundingClientRect().right + 1
    const scrolls = e => e && (getComputedStyle(e).overflowX == 'auto' || scrolls(e.parentElement))
    return [...report.querySelectorAll('*')].filter(e => e.checkVisibility()
        && e.getBoundingClientRect().right > edge && !e.closest('table')).map(e => e.outerHTML)
}"""


def verdict(page: Any, words: str) -> Any:
    """The headline that begins a report, by its words."""
    return page.get_by_text(words).filter(visible=True).last


def report(page: Any, cell: int) -> Any:
    """The report below a cell of the notebook (the last HTML output)."""
    return page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-RenderedHTML > div").last


def check(page: Any) -> None:
    """What must be seen of the four reports, in whatever theme and trust."""
    for cell, words in SAID.items():
        whole = report(page, cell)
        headline = whole.get_by_text(words).first
        assert headline.is_visible(), words
        assert headline.evaluate(CONTRAST) >= 4.5
        contrast, text = whole.evaluate(FAINTEST)
        assert contrast >= 4.5, text
        assert whole.evaluate(INSIDE) == []
        pictures = whole.evaluate(PICTURES)
        assert pictures
        assert all(done and wide > 0 and alt.strip() for done, wide, alt in pictures)
    wrong = report(page, 2)
    assert wrong.get_by_text("Forgotten zero_grad").first.is_visible()
    assert wrong.locator("table").first.is_visible()
    assert wrong.locator("table th", has_text="before").first.is_visible()
    assert wrong.locator("img").first.is_visible()
    assert report(page, 5).locator("table").first.is_visible()
    opens(page, report(page, 3))


def opens(page: Any, clean: Any) -> None:
    """A clean report is short, and its parts open by keyboard."""
    table = clean.locator("table").first
    assert not table.is_visible()
    assert clean.bounding_box()["height"] < 260
    clean.locator("summary", has_text="Timeline").focus()
    page.keyboard.press("Enter")
    table.wait_for(state="visible", timeout=5000)
    page.keyboard.press("Enter")


def photograph(page: Any, name: str) -> None:
    """The notebook from its top, in a window so tall that nothing has to be scrolled."""
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 5000})
    page.evaluate(SCROLL_TO_TOP)
    page.screenshot(path=OUT / f"{name}.png")


def ours(page: Any) -> list[str]:
    """Complaints of the console that have to do with us."""
    return [c for c in page.complaints if "gradmagic" in c or "svg" in c.lower()]


@pytest.fixture(scope="module")
def ran(lab: Lab) -> str:
    """A notebook that was run in JupyterLab."""
    cells = [v4.new_code_cell(text) for text in CELLS]
    cells[4].metadata["tags"] = ["raises-exception"]
    kernel = {"name": "python3", "display_name": "Python 3"}
    book = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(book, lab.folder / "book.ipynb")
    page = lab.open("book.ipynb", "Light")
    lab.run(page)
    report(page, 5).wait_for(timeout=30_000)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.close()
    return "book.ipynb"


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_everything_is_seen(lab: Lab, ran: str, theme: str, trusted: bool) -> None:
    page = lab.open(ran if trusted else lab.distrust(ran), theme)
    report(page, 5).wait_for()
    model = "() => jupyterapp.shell.currentWidget.content.widgets[2].model.trusted"
    assert page.evaluate(model) is trusted
    check(page)
    photograph(page, f"{theme}_{'trusted' if trusted else 'untrusted'}")
    assert ours(page) == []
    page.close()


def test_the_verdict_and_the_finding_fit_one_screen(lab: Lab, ran: str) -> None:
    page = lab.open(ran, "Light")
    wrong = report(page, 2)
    wrong.scroll_into_view_if_needed()
    top = wrong.bounding_box()["y"]
    fix = wrong.get_by_text("Fix").first.bounding_box()
    assert fix["y"] + fix["height"] - top < 420
    page.close()


def test_a_narrow_window_scrolls_tables_only(lab: Lab, ran: str) -> None:
    page = lab.open(lab.distrust(ran), "Dark", width=600)
    report(page, 5).wait_for()
    wide = "() => [document.documentElement.scrollWidth, innerWidth]"
    content, window = page.evaluate(wide)
    assert content <= window
    for cell in SAID:
        area = page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-RenderedHTML").last
        assert area.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
        assert report(page, cell).evaluate(INSIDE) == []
    photograph(page, "narrow")
    page.close()


def test_nbconvert(lab: Lab, ran: str) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level=ERROR"]
    subprocess.run([*command, str(lab.folder / ran)], check=True, timeout=60)
    html = Path(lab.folder / ran).with_suffix(".html")
    for scheme in ("light", "dark"):
        page = lab.browser.new_page(viewport={"width": 1100, "height": 1000}, color_scheme=scheme)
        page.goto(html.as_uri(), wait_until="domcontentloaded")
        check(page)
        page.screenshot(path=OUT / f"nbconvert_{scheme}.png")
        page.close()

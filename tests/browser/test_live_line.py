"""A long cell while it runs: one line above everything it prints, and nothing of it afterwards."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import v4

from tests.browser.conftest import OUT, Front
from tests.browser.looking import report

pytestmark = pytest.mark.browser

SETUP = "%load_ext ipygradmagic\nimport sys, time, torch\nfrom tqdm import tqdm"
LONG = """%%trace_grad
print("the first print")
w = torch.ones(1, requires_grad=True)
for step in tqdm(range(60)):
    (w * 2).sum().backward()
    w.data -= 0.001 * w.grad
    w.grad = None
    time.sleep(0.05)
print("the last print")"""
SHORT = LONG.replace("range(60)", "range(2)")
THEMES = {"lab": "Dark", "notebook": "Light"}
OUTPUTS = """cell => [...cell.querySelectorAll('.jp-OutputArea-child')].map(e => [
    e.getBoundingClientRect().height, e.innerText.trim()])"""


def test_the_line_comes_and_goes(front: Front) -> None:
    kernel = {"name": "python3", "display_name": "Python 3"}
    cells = [v4.new_code_cell(text) for text in (SETUP, LONG, SHORT)]
    book = f"live_{front.name}.ipynb"
    nbformat.write(
        v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), front.desk.folder / book
    )
    page = front.open(book, THEMES[front.name])
    front.start(page)
    line = page.get_by_text("Tracing:").filter(visible=True)
    line.first.wait_for(timeout=20_000)
    page.wait_for_timeout(700)
    assert line.count() == 1
    assert " events" in line.inner_text()
    assert line.evaluate("e => look.contrast(e)") >= 4.5
    printed = page.get_by_text("the first print").filter(visible=True).last
    assert line.bounding_box()["y"] < printed.bounding_box()["y"]
    page.screenshot(path=OUT / f"{front.name}_live_line.png")
    front.finish(page, book)
    assert line.count() == 0
    for cell in (1, 2):
        outputs = page.locator(".jp-Notebook .jp-Cell").nth(cell).evaluate(OUTPUTS)
        assert outputs[0] == [0, ""]  # where the line was, or would have been
        shown = [text for _, text in outputs if text]
        assert [text.split()[:2] for text in (shown[0], shown[2])] == [
            ["the", "first"],
            ["the", "last"],
        ]
        assert len(shown) == 4  # two prints, one bar, one report
        assert shown[1].startswith("100%") and len(shown[1].splitlines()) == 1
        assert report(page, cell).is_visible()
    page.screenshot(path=OUT / f"{front.name}_live_gone.png")
    front.shut(page)

"""What a person looks for first: verdict, fix, table; short when clean; parts that open."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbformat import v4

from tests.browser.conftest import Desk, Front
from tests.browser.looking import at_widths, photograph, problems, report

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


def write(desk: Desk, name: str) -> str:
    cells = [v4.new_code_cell(text) for text in CELLS]
    cells[4].metadata["tags"] = ["raises-exception"]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(
        v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), desk.folder / name
    )
    return name


def check(page: Any) -> None:
    """What must be seen of the four reports, in whatever theme and trust."""
    for cell, words in SAID.items():
        headline = report(page, cell).get_by_text(words).first
        assert headline.is_visible(), words
        assert headline.evaluate("e => look.contrast(e)") >= 7
    wrong = report(page, 2)
    assert wrong.get_by_text("Forgotten zero_grad").first.is_visible()
    assert wrong.locator("table th", has_text="before").first.is_visible()
    assert wrong.locator("img").first.is_visible()
    assert report(page, 5).locator("table").first.is_visible()


def opens(page: Any, clean: Any) -> None:
    """Every part opens and closes, with the mouse and with the keyboard, and all is well inside."""
    parts = clean.locator("> details")
    assert parts.count() >= 5
    for i in range(parts.count()):
        part = parts.nth(i)
        summary, inside = part.locator("> summary"), part.locator("> :not(summary)").first
        assert not inside.is_visible()
        if i % 2:
            summary.click()
        else:
            summary.focus()
            page.keyboard.press("Enter")
        inside.wait_for(state="visible", timeout=5000)
    assert problems(page) == []
    for i in range(parts.count()):
        parts.nth(i).locator("> summary").focus()
        page.keyboard.press("Space")
    assert not clean.locator("table").first.is_visible()


def test_a_book(front: Front) -> None:
    book = write(front.desk, f"{front.name}_book.ipynb")
    page = front.open(book, "Light")
    front.run(page, book)
    assert front.trusted(page)
    check(page)
    clean, wrong = report(page, 3), report(page, 2)
    assert clean.evaluate("e => look.height(e)") < 270
    top = wrong.bounding_box()["y"]
    fix = wrong.get_by_text("Fix").first.bounding_box()
    assert fix["y"] + fix["height"] - top < 420  # verdict and remedy fit one screen
    opens(page, clean)
    front.shut(page)

    for name, theme in ((book, "Dark"), (front.distrust(book), "Dark")):
        page = front.open(name, theme)
        report(page, 5).wait_for()
        assert front.trusted(page) is (name == book)
        check(page)
        assert at_widths(page, (600, 1100)) == []
        opens(page, report(page, 3))
        trust = "trusted" if name == book else "untrusted"
        photograph(page, f"{front.name}_book_{theme.lower()}_{trust}", 1100)
        front.shut(page)

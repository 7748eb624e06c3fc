"""The page of a finding as a view."""

from __future__ import annotations

from ipygradmagic.record.pages import Example, Page
from ipygradmagic.render import words
from ipygradmagic.render.view import Code, Paragraph, Section, View


def page_view(page: Page) -> View:
    """What a finding is, why it matters, how it is done wrong and right, how to silence it."""
    return View(
        page.name,
        (
            Section(page.name, (Paragraph(words.prose(page.what)),)),
            Section("Why it matters", (Paragraph(words.prose(page.why)),)),
            _example(page.wrong),
            _example(page.right),
            Section("When to silence it", (Paragraph(words.prose(page.silence)), _how(page.name))),
        ),
    )


def _example(example: Example) -> Section:
    return Section(example.title, (Code(words.block(example.code)),))


def _how(name: str) -> Code:
    return Code(
        f"%%trace_grad --ignore {name}\n"
        f"loss.backward()  # gradmagic: ignore[{name}]\n"
        f'trace(ignore="{name}")'
    )

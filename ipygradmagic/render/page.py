"""The page of a finding as a view."""

from __future__ import annotations

from ipygradmagic.language import tr
from ipygradmagic.record.pages import Example, Page
from ipygradmagic.render import words
from ipygradmagic.render.view import Code, Paragraph, Section, View


def page_view(page: Page) -> View:
    """What a finding is, why it matters, how it is done wrong and right, how to silence it."""
    return View(
        page.name,
        (
            Section(page.name, (Paragraph(words.prose(page.what)),)),
            Section(tr("Why it matters"), (Paragraph(words.prose(page.why)),)),
            _example(page.wrong),
            _example(page.right),
            Section(tr("When to silence it"), (Paragraph(words.prose(page.silence)), _how(page))),
        ),
    )


def _example(example: Example) -> Section:
    return Section(example.title, (Code(words.block(example.code)),))


def _how(page: Page) -> Code:
    lines = [f"%%trace_grad --ignore {page.name}", f'trace(ignore="{page.name}")', page.comment]
    return Code(words.block("\n".join(line for line in lines if line)))

"""``demos/findings.md``, made of the pages and of what the report says about their examples.

``python -m tests.demos.findings`` writes it.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from ipygradmagic.diagnose.explain import names, page
from ipygradmagic.record.findings import SEVERITIES, Finding
from ipygradmagic.record.pages import Page
from ipygradmagic.render.page import page_view
from ipygradmagic.render.view import SIGNS, Code, Paragraph, Section
from tests.diagnose.examples import trace_of

PATH = Path(__file__).parents[2] / "demos" / "findings.md"
HEAD = """\
# Findings

What ipygradmagic can find, the most severe first. `%trace_grad --explain NAME` shows one of these pages in a
notebook, and `python -m ipygradmagic --explain NAME` in a terminal. This file is written by
`python -m tests.demos.findings` from [the pages](../ipygradmagic/diagnose/pages); the tests run every example.

| | severity | what it means |
|---|---|---|
| ✗ | error | the numbers are provably not what the loop intends; `--strict` stops here |
| ▲ | warning | very likely wrong |
| ℹ | note | worth knowing |
| ✓ | fine | looks suspicious and is not; never an alarm |
"""


def finding_of(page: Page) -> Finding:
    """What the page's wrong example gets."""
    return next(f for f in trace_of(page.wrong.code).findings if f.name == page.name)


def markdown() -> str:
    """The whole file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about .grad of a non-leaf
        found = [(page(name), finding_of(page(name))) for name in names()]
    found.sort(key=lambda pair: (SEVERITIES.index(pair[1].severity), pair[0].name))
    listed = [f"- {SIGNS[f.severity]} [{p.name}](#{p.name})" for p, f in found]
    return "\n".join([HEAD, *listed, *(_page(p, f) for p, f in found)])


def _page(page: Page, finding: Finding) -> str:
    first, *sections = page_view(page).sections
    said = f"> {SIGNS[finding.severity]} {finding.title}\n>\n> {finding.cause}".rstrip("> \n")
    wrong = next(i for i, s in enumerate(sections) if s.title == page.wrong.title) + 1
    parts = [f"\n## {page.name}", *_blocks(first)]
    for i, section in enumerate(sections):
        parts += [f"**{section.title}**", *_blocks(section)]
        if i + 1 == wrong:
            parts += ["The report says:", said]
    return "\n\n".join(parts)


def _blocks(section: Section) -> list[str]:
    said = []
    for block in section.blocks:
        assert isinstance(block, (Paragraph, Code))
        said.append(block.text if isinstance(block, Paragraph) else f"```python\n{block.text}\n```")
    return said


if __name__ == "__main__":
    PATH.write_text(markdown() + "\n", encoding="utf-8")
    print(PATH.name)

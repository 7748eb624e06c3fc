"""Writes ``demos/README.md``, the index of the notebooks: ``python -m tests.demos.index``.

Titles are those of the notebooks, verdicts the first lines of the reports that are stored in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

DEMOS = Path(__file__).parents[2] / "demos"
HEAD = """\
# Demos

Notebooks with their outputs, to be read here or run; what each part of them is about, and what the report says
there. This page is written by `python -m tests.demos.index`.

A page for every finding, with wrong and right code: [findings.md](findings.md).
"""
_VERDICT = re.compile(r"[✗▲✓ℹ] .*")
_NAMED = re.compile(r"^([✗▲ℹ]) (?:(?!^[✗▲ℹ✓] ).)*?\[([a-z-]+)\]$", re.MULTILINE | re.DOTALL)


def index() -> str:
    """The whole page."""
    parts = [HEAD]
    for path in sorted(DEMOS.glob("*.ipynb")):
        title, *rows = _rows(path)
        parts.append(f"## [{title[0]}]({path.name})\n\n| | |\n|---|---|\n".replace("\\\n", "\n"))
        parts[-1] += "".join(
            f"| {what} | {'<br>'.join(dict.fromkeys(said))} |\n" for what, said in rows
        )
    return "\n".join(parts)


def _rows(path: Path) -> list[tuple[str, list[str]]]:
    """The title, then each heading, with the verdicts below it."""
    found: list[tuple[str, list[str]]] = []
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("#"):
                    found.append((line.lstrip("# "), []))
        else:
            found[-1][1].extend(_verdicts(cell))
    return [found[0], *((what, said) for what, said in found[1:] if said)]


def _verdicts(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        text = output.get("data", {}).get("text/plain", "")
        if "text/html" in output.get("data", {}) and _VERDICT.match(text):
            named = _NAMED.findall(text.partition("\n── ")[0])
            shown = [f"{sign} [{name}](findings.md#{name})" for sign, name in named]
            yield ", ".join(shown) or text.splitlines()[0]


if __name__ == "__main__":
    (DEMOS / "README.md").write_text(index(), encoding="utf-8")

"""The findings by name: which there are, and the page that explains each.

A page is ``pages/NAME.md``, in Chinese ``pages/zh/NAME.md``: what the finding is, why it matters, a
wrong and a right program, and when to silence it, in this order under headings of the second level.
The texts of one run (title, cause, remedy) are the rules'; a page repeats none of them. Code under
the last heading is a line of the wrong program with a comment that silences the finding there.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from ipygradmagic.diagnose.words import joined
from ipygradmagic.errors import OptionError
from ipygradmagic.language import spoken, tr
from ipygradmagic.record.pages import Example, Page

PAGES = Path(__file__).parent / "pages"
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_CODE = re.compile(r"```python\n(.*)\n```", re.DOTALL)


@cache
def names() -> tuple[str, ...]:
    """The names of all findings."""
    return tuple(sorted(path.stem for path in PAGES.glob("*.md")))


def page(name: str) -> Page:
    """The page of a finding, in the language of the reader if it is there, or else in English.

    Raises:
        OptionError: No finding has that name; says which are near.
    """
    refuse_unknown([name])
    theirs = PAGES / spoken() / f"{name}.md"
    return _read(theirs if theirs.exists() else PAGES / f"{name}.md")


@cache
def _read(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    what, _, why, wrong, fails, right, works, _, silence = _HEADING.split(text)
    return Page(
        path.stem,
        _prose(what),
        _prose(why),
        Example(wrong, _code(fails)),
        Example(right, _code(works)),
        _prose(_CODE.sub("", silence)),
        _code(silence),
    )


def refuse_unknown(wanted: Iterable[str]) -> None:
    """Let known names pass.

    Raises:
        OptionError: One of them is no finding's; says which are near.
    """
    for name in unknown(wanted):
        what = tr("no finding is called {name!r}; {nearest}", name=name, nearest=nearest(name))
        raise OptionError(what)


def unknown(wanted: Iterable[str]) -> Iterator[str]:
    """Those of the names that no finding has."""
    return (name for name in wanted if name not in names())


def nearest(name: str) -> str:
    """The end of a message about a name that does not exist: what may be meant."""
    near = difflib.get_close_matches(name.lower(), names(), n=3)
    if not near:
        return tr("the findings are: {names}", names=joined(names()))
    meant = near[-1]
    if near[1:]:
        meant = tr("{names} or {last}", names=joined(near[:-1]), last=near[-1])
    return tr("did you mean {names}?", names=meant)


def _prose(text: str) -> str:
    return " ".join(text.split())


def _code(text: str) -> str:
    found = _CODE.search(text)
    return found[1] if found is not None else ""

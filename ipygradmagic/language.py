"""In which language the report speaks: messages are English in the code, and looked up by gettext.

``tr("{name} is {what}", name=…, what=…)`` is the whole of it: the catalogue
(``locale/zh/LC_MESSAGES/ipygradmagic.po``) has the sentence with its fields, so that another
language may put them in an order of its own.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("auto", "en", "zh")
"""``auto`` is the language of the locale where there is a catalogue for it, and English otherwise."""

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "ipygradmagic"
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where gettext looks for the reader's language, in this order."""

_SPOKEN: ContextVar[str] = ContextVar("ipygradmagic_language", default="")


def language(asked: str = "auto") -> str:
    """The language that is meant by an option: ``auto`` is that of the locale, if we speak it."""
    if asked != "auto":
        return asked
    said = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    known = said.partition(":")[0].replace("-", "_").partition("_")[0].lower()
    return known if known in LANGUAGES else "en"


def spoken() -> str:
    """The language of what is said now."""
    return _SPOKEN.get() or language()


@contextmanager
def speaking(asked: str) -> Iterator[None]:
    """Say everything in this language (one of ``LANGUAGES``) until the end of the block."""
    token = _SPOKEN.set(language(asked))
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def tr(message: str, /, **fields: object) -> str:
    """A message in the language of the reader, with its fields filled in as ``str.format`` does.

    Without fields, braces in the message are braces.
    """
    said = _catalogue(spoken()).gettext(message)
    return said.format(**fields) if fields else said


def ntr(one: str, many: str, n: int, /, **fields: object) -> str:
    """The same for a message that depends on a number, which both forms may name as ``{n}``."""
    return _catalogue(spoken()).ngettext(one, many, n).format(n=n, **fields)


def ptr(context: str, message: str, /, **fields: object) -> str:
    """The same for a word that means several things: ``context`` tells the translator which."""
    said = _catalogue(spoken()).pgettext(context, message)
    return said.format(**fields) if fields else said


def mark(message: str) -> str:
    """Put a constant into the catalogue; whoever shows it says ``tr(CONSTANT)``."""
    return message


@lru_cache(maxsize=4)
def _catalogue(lang: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, [lang], fallback=True)

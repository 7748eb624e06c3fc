"""The message catalogue: ``python -m tests.catalogue`` brings it up to date with the code.

New messages appear untranslated in the ``.po`` file, old ones go, and the ``.mo`` file that
gettext reads is written. What a test checks is that running it changes nothing and that nothing
is left untranslated.
"""

from __future__ import annotations

import io
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import ipygradmagic
from ipygradmagic.language import DOMAIN, LOCALES

PACKAGE = Path(ipygradmagic.__file__).parent
SINCE = datetime(2026, 11, 22, tzinfo=timezone.utc)
"""A date that does not change: the file differs only where a message does."""
KEYWORDS = {"tr": None, "ntr": (1, 2), "ptr": ((1, "c"), 2), "mark": None}
METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext.babel_extract")]
OPTIONS = {"**.j2": {"trim_blocks": "true", "lstrip_blocks": "true"}}


def messages() -> Catalog:
    """What the code says."""
    found = Catalog(domain=DOMAIN, charset="utf-8", creation_date=SINCE)
    for file, line, message, comments, context in extract_from_dir(
        PACKAGE,
        METHODS,
        OPTIONS,
        keywords=KEYWORDS,
        comment_tags=("i18n:",),
        strip_comment_tags=True,
    ):
        del line  # a file is enough: lines change with every edit
        found.add(message, None, [(file, None)], auto_comments=comments, context=context)
    return found


def stored(lang: str) -> Catalog:
    """The catalogue of a language as it lies on disk."""
    found = Catalog(
        locale=lang,
        domain=DOMAIN,
        charset="utf-8",
        project=DOMAIN,
        header_comment=f"# The messages of {DOMAIN}; python -m tests.catalogue keeps them complete.",
        version=ipygradmagic.__version__,
        msgid_bugs_address="the project's issues",
        last_translator="the authors",
        language_team="the authors",
        creation_date=SINCE,
        revision_date=SINCE,
        fuzzy=False,
    )
    if po(lang).exists():
        with po(lang).open("rb") as file:
            for message in read_po(file, locale=lang, domain=DOMAIN):
                if message.id:
                    found[message.id] = message
    return found


def po(lang: str) -> Path:
    """Where the messages of a language lie, for people."""
    return LOCALES / lang / "LC_MESSAGES" / f"{DOMAIN}.po"


def compiled(catalogue: Catalog) -> bytes:
    """The same for gettext."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def update(lang: str) -> Catalog:
    """Bring a language up to date and write both files."""
    catalogue = stored(lang)
    catalogue.update(messages(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    po(lang).parent.mkdir(parents=True, exist_ok=True)
    with po(lang).open("wb") as file:
        write_po(
            file, catalogue, width=100, sort_output=True, omit_header=False, include_lineno=False
        )
    po(lang).with_suffix(".mo").write_bytes(compiled(stored(lang)))
    return catalogue


if __name__ == "__main__":
    now = update("zh")
    missing = [m.id for m in now if m.id and not (all(m.string) if m.pluralizable else m.string)]
    print(f"{len(now)} messages, {len(missing)} untranslated")
    for one in missing:
        print(" ", one)

"""The catalogue is complete and fits the code."""

from __future__ import annotations

import ast
import string

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo

from ipygradmagic.language import LANGUAGES, language, ntr, speaking, tr
from tests import catalogue

OTHERS = [lang for lang in LANGUAGES if lang not in ("auto", "en")]


def strings(one: object) -> list[str]:
    return list(one) if isinstance(one, (tuple, list)) else [str(one or "")]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", OTHERS)
def test_every_message_of_the_code_is_translated(lang: str) -> None:
    said = catalogue.stored(lang)
    missing = [
        m.id
        for m in catalogue.messages()
        if m.id and not all(strings(getattr(said.get(m.id, m.context), "string", "")))
    ]
    assert not missing, "run python -m tests.catalogue, and translate: " + repr(missing[:5])
    known = {(m.id, m.context) for m in catalogue.messages()}
    assert not [m.id for m in said if m.id and (m.id, m.context) not in known], "of no use any more"


@pytest.mark.parametrize("lang", OTHERS)
def test_what_gettext_reads_is_what_the_file_says(lang: str) -> None:
    def said(some: Catalog) -> dict[object, list[str]]:
        # Babel reads contexts as bytes, and of a plural with one form the first id alone
        known = [m for m in some if m.id]
        contexts = [c.decode() if isinstance(c := m.context, bytes) else c for m in known]
        return {(strings(m.id)[0], c): strings(m.string) for m, c in zip(known, contexts)}

    with catalogue.po(lang).with_suffix(".mo").open("rb") as file:
        assert said(read_mo(file)) == said(catalogue.stored(lang))


@pytest.mark.parametrize("lang", OTHERS)
def test_translations_have_the_fields_of_the_message(lang: str) -> None:
    def wrong(message: Message) -> bool:
        ids = set().union(*map(fields, strings(message.id)))
        used = [fields(one) for one in strings(message.string)]
        return any(not one <= ids or (len(used) == 1 and ids - one - {"n"}) for one in used)

    assert not [m.id for m in catalogue.stored(lang) if m.id and wrong(m)]


def test_the_locale_chooses_where_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for said, meant in {"zh_CN.UTF-8": "zh", "de_DE": "en", "C": "en", "": "en"}.items():
        monkeypatch.setenv("LANG", said)
        assert language() == meant
    monkeypatch.setenv("LC_ALL", "zh_TW.UTF-8")
    assert language() == "zh" and language("en") == "en"


def test_braces_of_the_users_code_are_left_alone() -> None:
    with speaking("en"):
        assert tr("{what} is odd", what="{x}") == "{x} is odd"
        assert tr("{x}") == "{x}"
        assert ntr("{n} step", "{n} steps", 3) == "3 steps"


def test_every_message_in_the_code_is_one_that_is_extracted() -> None:
    """Babel sees no message inside of an f-string."""
    known = {text for m in catalogue.messages() for text in (*strings(m.id), m.context)}
    missed = [
        (path.name, argument.value)
        for path in catalogue.PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in catalogue.KEYWORDS
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        if argument.value not in known
    ]
    assert not missed

"""The line of a magic, read: words, options, and messages that say what exists."""

from __future__ import annotations

import argparse
import difflib
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from IPython.core.error import UsageError

from ipygradmagic.errors import OptionError
from ipygradmagic.notebook.flags import TIME_LIMIT
from ipygradmagic.options import Options

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_NUMBER = re.compile(r"-\d")
_NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        options: For the recording and the report.
        output: Name under which the trace is stored in the namespace.
        words: What is no option: names, or expressions.
        fix: Put the cell with the proposed changes below.
        graph: Expression whose graph ``%grad_state`` draws.
        what_if: Run the cell again, as written and as patched, and compare.
        time_limit: Seconds for each of the two.
        explain: Finding whose page is to be shown, and nothing else.
        last: How many of the last reports are to be shown, and nothing else; 0 is the last one
            by itself, None is no such wish.
        watch: ``on`` traces the cells that follow, ``off`` ends that.
        diff: Compare the last run of a cell with the one before.
        live: Show one line while the code runs.
    """

    options: Options
    output: str | None = None
    words: tuple[str, ...] = ()
    graph: str | None = None
    explain: str | None = None
    fix: bool = False
    what_if: bool = False
    time_limit: float = TIME_LIMIT
    last: int | None = None
    watch: Literal["on", "off"] | None = None
    diff: bool = False
    live: bool = False

    @property
    def alone(self) -> str:
        """The option of a line that has no code to run, as typed; empty if there is none."""
        if self.explain is not None:
            return f"--explain {self.explain}"
        if self.last is not None:
            return f"--last {self.last or ''}".rstrip()
        if self.watch is not None:
            return f"--{self.watch}"
        return "--diff" if self.diff else ""


def words_of(line: str) -> list[str]:
    """Split at blanks, except inside brackets and quotes; quotes around a whole word go."""
    words: list[str] = []
    word = ""
    waiting: list[str] = []
    for sign in line:
        if waiting and sign == waiting[-1]:
            waiting.pop()
        elif waiting and waiting[-1] in "'\"":
            pass
        elif sign in _CLOSING or sign in "'\"":
            waiting.append(_CLOSING.get(sign, sign))
        if sign.isspace() and not waiting:
            words.append(word)
            word = ""
        else:
            word += sign
    return [_unquoted(w) for w in [*words, word] if w]


def _unquoted(word: str) -> str:
    whole = len(word) > 1 and word[0] in "'\"" and word.find(word[0], 1) == len(word) - 1
    return word[1:-1] if whole else word


def options_of(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Flag → action, in the order of definition."""
    return {flag: action for action in parser._actions for flag in action.option_strings}


def split_statement(parser: argparse.ArgumentParser, line: str) -> tuple[list[str], str]:
    """The options in front of a statement, and the statement."""
    known, words, rest = options_of(parser), list[str](), line.strip()
    while rest.startswith("-") and not _NUMBER.match(rest):
        word, rest = _first_word(rest)
        if word == "--":
            break
        words.append(word)
        action = known.get(word)
        if action is not None and action.nargs == "?" and not rest[:1].isdecimal():
            continue
        if action is not None and action.nargs != 0 and rest:
            value, rest = _first_word(rest)
            words.append(value)
    return words, rest


def _first_word(text: str) -> tuple[str, str]:
    end = text.find(text[0], 1) if text[0] in "'\"" else -1
    if end > 0 and not text[end + 1 : end + 2].strip():  # a quoted word, blanks and all
        return text[1:end], text[end + 1 :].lstrip()
    word, *rest = text.split(None, 1)
    return word, rest[0] if rest else ""


def read(
    parser: argparse.ArgumentParser, words: list[str], settings: Mapping[str, object] = _NONE
) -> Request:
    """Parse the words of a magic's line.

    Args:
        settings: What holds where the line does not say; see :mod:`ipygradmagic.notebook.settings`.

    Raises:
        UsageError: An option is unknown or its value does not fit; the message says what would.
    """
    _refuse_unknown(parser, words)
    found = vars(parser.parse_args(words, argparse.Namespace(**settings)))
    try:
        options = Options(
            names=tuple(found.get("names") or ()),
            rows=found["rows"],
            graph=not found.get("no_graph", False),
            format=found["format"],
            save=found.get("save"),
            level=found.get("level", "full"),
            ignore=names_in(found.get("ignore", ())),
            strict=found.get("strict", False),
            teach=found.get("teach", False),
            saved=found.get("saved", False),
            depth=found.get("depth"),
            backward=found.get("backward"),
            save_graph=found.get("save_graph"),
            lang=found["lang"],
        )
    except OptionError as error:
        raise UsageError(str(error)) from None
    words_left = found.get("names") or found.get("expressions") or ()
    return Request(
        options,
        _identifier(found.get("output")),
        tuple(words_left),
        found.get("graph"),
        found.get("explain"),
        found.get("fix", False),
        found.get("what_if", False),
        _limit(found.get("time_limit", TIME_LIMIT)),
        found.get("last"),
        found.get("watch"),
        found.get("diff", False),
        found.get("live", False),
    )


def read_for_cell(
    parser: argparse.ArgumentParser, words: list[str], settings: Mapping[str, object] = _NONE
) -> Request:
    """The same for a line with code below it, or behind it.

    Raises:
        UsageError: As for :func:`read`; or the line asks for something that runs no code.
    """
    request = read(parser, words, settings)
    if request.alone:
        raise UsageError(
            f"{request.alone.split()[0]} runs no code; write it on a line of its own: "
            f"%{parser.prog} {request.alone}"
        )
    return request


def names_in(given: Iterable[str]) -> tuple[str, ...]:
    """``["a,b", "c"]`` as three names."""
    return tuple(name.strip() for some in given for name in some.split(",") if name.strip())


def _refuse_unknown(parser: argparse.ArgumentParser, words: list[str]) -> None:
    known = options_of(parser)
    for word in words:
        flag = word.partition("=")[0]
        if word == "--":
            return
        if word.startswith("-") and flag not in known and not _NUMBER.match(word):
            near = difflib.get_close_matches(flag, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(
                f"{parser.prog} has no option {flag}; {hint}options: {', '.join(known)}"
                f" (%{parser.prog}? explains them)"
            )


def _limit(seconds: float) -> float:
    if 0 < seconds < float("inf"):
        return seconds
    raise UsageError(f"--time-limit needs a number of seconds above 0; {seconds:g} is none")


def _identifier(name: object) -> str | None:
    if name is None or (isinstance(name, str) and name.isidentifier() and not _reserved(name)):
        return name
    raise UsageError(f"--output needs a name for the trace, such as t; {name!r} cannot be one")


def _reserved(name: str) -> bool:
    return keyword.iskeyword(name)

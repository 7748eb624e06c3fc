"""The options of the magics, as they are declared to IPython."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar, cast

from IPython.core.magic_arguments import argument, magic_arguments

from ipygradmagic.language import LANGUAGES
from ipygradmagic.options import FORMATS, LEVELS

Method = TypeVar("Method", bound=Callable[..., object])

TIME_LIMIT = 60.0
"""Seconds for each of the two runs that ``--what-if`` compares."""


def with_arguments(*arguments: argument) -> Callable[[Method], Method]:
    """IPython's stack of untyped argument decorators as one typed decorator."""

    def decorate(method: Method) -> Method:
        for one in reversed(arguments):
            one(method)
        return cast(Method, magic_arguments()(method))  # type: ignore[no-untyped-call]

    return decorate


def option(*flags: str, **settings: object) -> argument:
    """``argument`` of IPython, typed."""
    return argument(*flags, **settings)  # type: ignore[no-untyped-call]


def _at_least_one(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"give 1 or more; {text!r} is not that")


ROWS = option("--rows", type=int, default=40, metavar="N", help="most rows of the table (40)")
FORMAT = option(
    "--format",
    choices=FORMATS,
    default="auto",
    help="what to publish: auto (HTML and text together, in a terminal text), html, text, or svg or "
    "png (text and pictures, where there is no HTML: qtconsole)",
)
SAVE = option(
    "--save",
    metavar="FILE",
    help="write every event to a new file as it happens, also those that the report drops: "
    "run.jsonl, run.jsonl.gz (JSON Lines) or run.parquet (a folder; needs pyarrow), for pandas, "
    "polars and DuckDB",
)
LEVEL = option(
    "--level",
    choices=LEVELS,
    default="full",
    help="full (the numbers of every gradient), or events (which lines did what and the verdict; "
    "what an optimizer steps is not read, which costs less)",
)

IGNORE = option(
    "--ignore",
    metavar="NAME",
    action="append",
    default=[],
    help="silence a finding (repeat it, or separate names by commas); the report says so in one "
    "line. On a line of code: # gradmagic: ignore[NAME]",
)
STRICT = option(
    "--strict",
    action="store_true",
    help="stop at the first error: before the step that it is about, or right after the update by "
    "hand, with the tensors as they are then",
)
TEACH = option(
    "--teach",
    action="store_true",
    help="draw what passes through small graphs: the result of every operation, and the gradient that "
    "arrives there",
)
WHAT_IF = option(
    "--what-if",
    action="store_true",
    help="what the bug costs: run the cell again as written and as patched, each with the earlier "
    "cells that it needs in a new process, and show losses and parameters side by side. Your objects "
    "are untouched; what cells do to files and over the network is done again",
)
LIMIT = option(
    "--time-limit",
    type=float,
    default=TIME_LIMIT,
    metavar="SECONDS",
    help="for each of the two runs of --what-if, with the earlier cells (60)",
)
DEPTH = option(
    "--depth",
    type=int,
    metavar="N",
    help="levels of module names that the picture of a large model opens (as many as there is "
    "room for)",
)
SAVED_TENSORS = option(
    "--saved",
    action="store_true",
    help="say of each operation in the picture what it keeps for the backward",
)
SAVE_GRAPH = option(
    "--save-graph",
    metavar="FILE",
    help="write the first picture to a new file: .svg, .png or .dot, as its name ends",
)
LANG = option(
    "--lang",
    choices=LANGUAGES,
    default="auto",
    help="language of findings and report: en, zh, or auto (that of the locale)",
)
EXPLAIN = option(
    "--explain",
    metavar="NAME",
    help="only show the page of a finding: what it is, why it matters, wrong and right code",
)
LAST = option(
    "--last",
    nargs="?",
    type=_at_least_one,
    const=0,
    metavar="N",
    help="show the last report again, or the last N (10 are kept); t = %%trace_grad --last gives "
    "the trace, with N a list of them, the oldest first",
)
ON = option(
    "--on",
    action="store_const",
    const="on",
    dest="watch",
    help="trace every cell from the next one on, and speak only where a finding is an error or a "
    "warning; --last shows the others, too",
)
OFF = option("--off", action="store_const", const="off", dest="watch", help="end --on")
DIFF = option(
    "--diff",
    action="store_true",
    help="compare the last traced run of a cell with the one before, such as before and after "
    "the fix",
)

"""Tab after ``%%trace_grad`` and ``%grad_state``: options, their values, and tensors."""

from __future__ import annotations

import re
from argparse import Action
from collections.abc import Iterable, Mapping
from typing import cast

from IPython.core.completer import (
    CompletionContext,
    Matcher,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from ipygradmagic.diagnose.explain import names as findings
from ipygradmagic.notebook import names
from ipygradmagic.notebook.arguments import options_of
from ipygradmagic.notebook.magics import GradMagics, parser_of

_LINE = re.compile(
    r"\s*(?:[^%=]+=\s*)?(?P<sign>%%?)(?P<magic>trace_grad|grad_state)\s(?P<words>.*)$", re.DOTALL
)


def completer_of(magics: GradMagics) -> Matcher:
    """The matcher for these magics, to be put among the completer's custom matchers."""

    def complete(context: CompletionContext) -> SimpleMatcherResult:
        found = _LINE.match(context.text_until_cursor)
        if found is None:
            return {"completions": []}
        *before, word = re.split(r"\s+", found["words"])
        options = options_of(parser_of(magics, found["magic"]))
        action = options.get(before[-1]) if before else None
        if action is not None and action.nargs != 0:
            return _result(word, _values_for(action, word, magics.shell.user_ns))
        if word.startswith("-"):
            return _result(word, options)
        takes_names = found["sign"] + found["magic"] != "%trace_grad"
        return _result(word, names.tensor_names(magics.shell.user_ns) if takes_names else ())

    return cast(Matcher, context_matcher(identifier="ipygradmagic.options", priority=200)(complete))


def _values_for(action: Action, word: str, namespace: Mapping[str, object]) -> Iterable[str]:
    """What can follow an option that takes a value."""
    if action.dest in ("ignore", "explain"):
        first, comma, _ = word.rpartition(",")  # ``--ignore`` takes several
        return [first + comma + name for name in findings()]
    if action.dest == "graph":
        return names.tensor_names(namespace)
    return map(str, action.choices or ())


def _result(word: str, candidates: Iterable[str]) -> SimpleMatcherResult:
    """Those candidates that continue the word; then nothing else is offered."""
    completions = [
        SimpleCompletion(text, type="param" if text.startswith("-") else "instance")
        for text in candidates
        if text.startswith(word)
    ]
    return {"completions": completions, "matched_fragment": word, "suppress": bool(completions)}

"""Runs a few lines of source as a file of their own, traced."""

from __future__ import annotations

import itertools
import linecache
import textwrap
from typing import Any

from ipygradmagic import trace
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.trace import Trace

_numbers = itertools.count(1)


def run(
    source: str,
    namespace: dict[str, object] | None = None,
    raises: type | None = None,
    name: str = "",
    **options: Any,
) -> Trace:
    """Trace the source (torch is imported); ``Trace.warnings`` must be empty."""
    source = textwrap.dedent(source)
    name = f"/{next(_numbers)}/{name}" if name else f"<program {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    namespace = {} if namespace is None else namespace
    exec("import torch\nfrom torch import nn", namespace)
    try:
        with (t := trace(namespace=namespace, title="program", **options)):
            exec(compile(source, name, "exec"), namespace)
    except BaseException as error:
        if raises is None or not isinstance(error, raises):
            raise
    else:
        assert raises is None, f"{raises.__name__} was expected"
    assert t.trace.warnings == ()
    return t.trace


def kinds(trace: Trace) -> list[str]:
    return [e.kind for e in trace.events]


def change(trace: Trace, event: Event, name: str) -> Change:
    ids = {t.id for t in trace.tensors if t.name == name}
    return next(c for c in event.changes if c.tensor in ids)


def names(trace: Trace) -> set[str]:
    return {f.name for f in trace.findings}


def alarms(trace: Trace) -> set[str]:
    return {f.name for f in trace.findings if f.alarm}

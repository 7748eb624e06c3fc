"""Remedies for what a library's own loop does: the user has no line there that could be mended.

A line like ``trainer.fit(model)`` is where both the backward and the step come from. A ``zero_grad``
before or after it would not be one of every round, and the optimizer often has no name at all.
"""

from __future__ import annotations

from dataclasses import replace

from ipygradmagic.language import tr
from ipygradmagic.record.findings import Finding, Remedy
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.trace import Trace

_CLEARED = ("stale-gradient", "leaked-gradient")
"""What a gradient that was not cleared in time leads to."""
_BEFORE = ("left-over-from-earlier-cell", "leftover-before-first-step")
"""What was there before the loop began: that, the user can clear."""
_ORDERED = (
    "cleared-before-step",
    "clip-after-step",
    "clip-before-unscale",
    "clip-each-backward",
    "clip-without-gradient",
    "discarded-contribution",
    "reused-gradient",
    "scheduler-before-optimizer",
)
"""What comes of the order of the calls in a round."""
_CALLS = ("backward", "step", "zero_grad")
"""Wrappers of single calls (accelerate's) are no loops."""


def in_library(trace: Trace, finding: Finding) -> Finding:
    """The finding, with a remedy for a loop that a library's function goes through, if it does."""
    if finding.remedy is None:
        return finding
    if finding.name not in (*_CLEARED, *_BEFORE, *_ORDERED):
        return finding
    lines = finding.evidence.lines
    function = _looping(trace, lines[:1] if finding.name in _BEFORE else lines)
    if not function:
        return finding
    return replace(finding, remedy=_remedy(trace, finding.name, finding.remedy, function))


def _looping(trace: Trace, lines: tuple[SourceLocation, ...]) -> str:
    """The library's function that both the backward and the update come from, at these lines."""
    places = {(where.file, where.line) for where in lines}
    if len(places) != 1:
        return ""  # some of it is done by a line of the user's own: a hook, a callback
    here = [
        e for e in trace.events if e.where is not None and (e.where.file, e.where.line) in places
    ]
    kinds = {e.kind for e in here}
    ways = {e.via for e in here}
    if "backward" not in kinds or kinds.isdisjoint(("step", "update")) or len(ways) != 1:
        return ""
    function = ways.pop() or ""
    return "" if function in _CALLS else function


def _remedy(trace: Trace, name: str, remedy: Remedy, function: str) -> Remedy:
    if name in _BEFORE:
        return Remedy(
            tr("Clear the gradients before {function}() is called.", function=function),
            _of_a_variable(trace, remedy.code),
        )
    if name in _CLEARED:
        return Remedy(
            tr(
                "The loop belongs to {function}(), which should clear the gradients in every round. "
                "Look for what keeps it from that: a method of yours that replaces the library's "
                "(such as optimizer_zero_grad), or a callback that ends the round too early.",
                function=function,
            )
        )
    return Remedy(
        tr(
            "The loop belongs to {function}(), which decides on the order of backward(), step() and "
            "zero_grad(). Look at its settings, and at methods and callbacks of yours that replace "
            "or interrupt a part of it.",
            function=function,
        )
    )


def _of_a_variable(trace: Trace, code: str) -> str:
    """The code, unless it names an optimizer that no variable denotes (or only its class)."""
    called = code.removesuffix(".zero_grad()")
    known = {o.name for o in trace.optimizers if o.name != o.cls}
    known |= {t.module for t in trace.tensors}
    return code if called == code or called in known else ""

"""``assert_clean``: the verdict of a trace as a sentence that a test can fail with."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence

from ipygradmagic.language import tr
from ipygradmagic.record.findings import Finding, tally

WIDTH = 96
MOST = 8
MOST_LINES = 3


def complaint(findings: Sequence[Finding], allowed: Collection[str], title: str = "") -> str:
    """What is wrong, in words; empty if nothing is.

    Args:
        findings: Of a trace.
        allowed: Names of those that are no reason to complain.
        title: What was traced.
    """
    wrong = [f for f in findings if f.alarm and f.name not in allowed]
    if not wrong:
        return ""
    certain = any(f.severity == "error" for f in wrong)
    if certain:
        verdict = tr("The gradients are wrong: {tally}.", tally=tally(wrong))
    else:
        verdict = tr("The gradients are probably wrong: {tally}.", tally=tally(wrong))
    lines = [f"{title}: {verdict}" if title else verdict]
    for finding in wrong[:MOST]:
        lines += _finding_lines(finding)
    if wrong[MOST:]:
        lines.append(tr("  ... and {n} more", n=len(wrong) - MOST))
    names = ", ".join(repr(name) for name in dict.fromkeys(f.name for f in wrong))
    lines.append(tr("If that is meant: assert_clean(allow=({names},))", names=names))
    return "\n".join(lines)


def _finding_lines(finding: Finding) -> list[str]:
    said = [f"[{finding.severity}] {finding.name}: {finding.title}"]
    if finding.remedy is not None:
        said.append(tr("Fix: {remedy}", remedy=finding.remedy.text))
    lines = [
        line
        for i, text in enumerate(said)
        for line in textwrap.wrap(
            text, WIDTH, initial_indent="    " * i + "  ", subsequent_indent="      "
        )
    ]
    places = finding.evidence.lines[:MOST_LINES]
    return [*lines, *(f"      {where.place}: {where.text}".rstrip(": ") for where in places)]

"""Findings that the user does not want to be told, and wishes that cannot be obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ipygradmagic.diagnose.explain import nearest, unknown
from ipygradmagic.diagnose.words import at
from ipygradmagic.language import tr
from ipygradmagic.record.findings import Finding, Ignore, Silenced
from ipygradmagic.record.trace import Trace


def divide(
    trace: Trace, findings: Iterable[Finding]
) -> tuple[tuple[Finding, ...], tuple[Silenced, ...]]:
    """The findings to be told, and those that an option or a comment silences."""
    wishes = list(trace.comments)
    if trace.meta.ignore:
        wishes.insert(0, Ignore(trace.meta.ignore))
    told: list[Finding] = []
    silenced: list[Silenced] = []
    for finding in findings:
        by = next((wish for wish in wishes if _meant(wish, finding)), None)
        if by is None:
            told.append(finding)
        else:
            silenced.append(Silenced(finding, by))
    return tuple(told), tuple(silenced)


def _meant(wish: Ignore, finding: Finding) -> bool:
    if finding.name not in wish.names and (wish.names or finding.severity == "fine"):
        return False
    return wish.where is None or any(
        line.file == wish.where.file and wish.first <= line.line <= wish.last
        for line in finding.evidence.lines
    )


def misspelt(trace: Trace) -> Iterator[str]:
    """A sentence for each name in a comment that no finding has."""
    for wish in trace.comments:
        for name in unknown(wish.names):
            yield tr(
                "The comment{at} silences nothing: no finding is called {name!r}; {nearest}",
                at=at(wish.where),
                name=name,
                nearest=nearest(name),
            )

"""Findings: diagnoses in plain words, with their evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ipygradmagic.language import ntr, ptr
from ipygradmagic.record.brief import finding_line
from ipygradmagic.record.source import SourceLocation

Severity = Literal["error", "warning", "note", "fine"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note", "fine")


def tally(findings: Iterable[Finding]) -> str:
    """``1 error, 2 warnings``: how many there are of each severity, but for what is fine."""
    counts = Counter(finding.severity for finding in findings)
    errors, warnings, notes = (counts[severity] for severity in SEVERITIES[:3])
    said = [
        (errors, ntr("{count} error", "{count} errors", errors, count=f"{errors:,}")),
        (warnings, ntr("{count} warning", "{count} warnings", warnings, count=f"{warnings:,}")),
        (notes, ntr("{count} note", "{count} notes", notes, count=f"{notes:,}")),
    ]
    return ptr("between names", ", ").join(text for count, text in said if count)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on.

    Attributes:
        events: Indices of telling events, the first one first (a few, not all).
        lines: Lines of the user's source, the most telling first.
        tensors: Names of the tensors concerned.
        count: How many times it happened.
    """

    events: tuple[int, ...] = ()
    lines: tuple[SourceLocation, ...] = ()
    tensors: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the user's source that would mend it: a line that comes, perhaps one that goes.

    Attributes:
        file: Of the source, or the pseudo-file of a notebook cell.
        line: The new line comes before this one (1-based).
        text: The new line, indentation and all.
        gone: A line that is removed; 0 for none.
    """

    file: str
    line: int
    text: str
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about it.

    Attributes:
        text: One sentence.
        code: The code to write, where it can be said without knowing the place.
        edit: The change of the user's own source, where that can be given.
        diff: That change as lines with ``+`` and ``-``.
    """

    text: str
    code: str = ""
    edit: Edit | None = None
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnosis.

    Attributes:
        name: Stable kebab-case name, such as ``stale-gradient``.
        severity: ``error``: the numbers are provably not what the loop intends; ``warning``:
            very likely wrong; ``note``: worth knowing; ``fine``: looks suspicious and is not.
        title: One plain sentence that says what happened, and where.
        cause: Why, in a sentence or two for a beginner.
        consequence: What it does to training; empty for exonerations.
        remedy: What to do; None where nothing needs doing.
        evidence: Events, lines and tensors.
    """

    name: str
    severity: Severity
    title: str
    cause: str
    consequence: str = ""
    remedy: Remedy | None = None
    evidence: Evidence = Evidence()

    def __repr__(self) -> str:
        return finding_line(self)

    @property
    def alarm(self) -> bool:
        """Errors and warnings are alarms; notes and exonerations are not."""
        return self.severity in ("error", "warning")


@dataclass(frozen=True, slots=True)
class Ignore:
    """A wish of the user's not to be told.

    Attributes:
        names: Of findings; empty stands for all that are no exonerations.
        where: The line of the comment; None for an option, which goes for every line.
        first, last: The lines of the statement at whose end the comment stands.
    """

    names: tuple[str, ...] = ()
    where: SourceLocation | None = None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that is not told, and the wish that it obeys."""

    finding: Finding
    by: Ignore

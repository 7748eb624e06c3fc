"""Pages that explain what a finding is, apart from any one run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A short program that can be run as it is.

    Attributes:
        title: What it is an example of: ``Wrong``, ``Right``.
        code: The program. Lines that start with ``# %%`` divide it into cells.
    """

    title: str
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to know about one finding.

    Attributes:
        name: The finding's, such as ``stale-gradient``.
        what: What it is.
        why: Why it matters.
        wrong: A program that gets the finding.
        right: What to write instead; it gets no alarm.
        silence: When it is right to silence it.
        comment: A line of the wrong program with the comment that silences it; empty where a
            finding rests on no line.
    """

    name: str
    what: str
    why: str
    wrong: Example
    right: Example
    silence: str
    comment: str = ""

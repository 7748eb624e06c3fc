"""What the tool said of each program, against what it should have said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipygradmagic.record.findings import Finding
from tests.bench.corpus import Program
from tests.bench.running import traced


@dataclass(frozen=True)
class Verdict:
    """One program judged.

    Attributes:
        found: An alarm by an expected name.
        noted: Only a note by an expected name.
        exact: Such an alarm points at a marked line, its first line of evidence.
        near: A marked line is among its lines of evidence.
        others: Alarms by other names; of a right program, false alarms.
        raised: Name of the exception that ended it, or "".
        faults: What the tracer had to report about itself.
    """

    program: Program
    found: bool
    noted: bool
    exact: bool
    near: bool
    others: tuple[str, ...]
    said: tuple[str, ...]
    raised: str
    faults: tuple[str, ...]


def judge(program: Program) -> Verdict:
    """Run a program traced, and judge its findings."""
    done = traced(program)
    right = [f for f in done.findings if f.name in program.expect and f.severity != "fine"]
    alarms = [f for f in right if f.alarm]
    return Verdict(
        program=program,
        found=bool(alarms),
        noted=bool(right) and not alarms,
        exact=any(_marked(program, f)[:1] == [True] for f in alarms),
        near=any(any(_marked(program, f)) for f in alarms),
        others=tuple(_words(f) for f in done.alarms if f.name not in program.expect),
        said=tuple(_words(f) for f in done.findings if f.severity != "fine"),
        raised=(done.error or "").split(":")[0],
        faults=tuple(w for t in done.traces for w in t.warnings),
    )


def _marked(program: Program, finding: Finding) -> list[bool]:
    """For each line of evidence, whether the program marks it."""
    files = {c.file for c in program.cells}
    return [at.file in files and at.line in program.marked for at in finding.evidence.lines]


def _words(finding: Finding) -> str:
    at = finding.evidence.lines[0].line if finding.evidence.lines else None
    return f"{finding.severity} {finding.name} @ {at}"


@dataclass(frozen=True)
class Score:
    """Counts over some programs.

    Attributes:
        seeable: Buggy programs whose bug gradients can show.
        unseen: Buggy programs whose bug they cannot.
        alarmed: Right programs with any alarm.
    """

    seeable: int
    unseen: int
    found: int
    noted: int
    exact: int
    right: int
    alarmed: int
    others: int

    @property
    def recall(self) -> float | None:
        """Found of those that gradients can show."""
        return self.found / self.seeable if self.seeable else None

    @property
    def recall_of_all(self) -> float | None:
        """Found of all buggy programs."""
        return self.found / (self.seeable + self.unseen) if self.seeable + self.unseen else None

    @property
    def precision(self) -> float | None:
        """Buggy programs found, of these and the right programs that raised an alarm."""
        raised = self.found + self.alarmed
        return self.found / raised if raised else None

    @property
    def strict_precision(self) -> float | None:
        """The same, where a buggy program with an alarm by another name counts as a false one too."""
        raised = self.found + self.alarmed + self.others
        return self.found / raised if raised else None

    @property
    def line_accuracy(self) -> float | None:
        """Exact line, of those found."""
        return self.exact / self.found if self.found else None

    @property
    def false_alarms(self) -> float | None:
        """Share of right programs with an alarm."""
        return self.alarmed / self.right if self.right else None


def score(verdicts: Iterable[Verdict]) -> Score:
    """Count."""
    some = list(verdicts)
    buggy = [v for v in some if v.program.buggy]
    right = [v for v in some if not v.program.buggy]
    seeable = [v for v in buggy if v.program.seeable]
    return Score(
        seeable=len(seeable),
        unseen=len(buggy) - len(seeable),
        found=sum(v.found for v in seeable),
        noted=sum(v.noted for v in seeable),
        exact=sum(v.exact for v in seeable),
        right=len(right),
        alarmed=sum(bool(v.others) for v in right),
        others=sum(bool(v.others) for v in buggy),
    )

"""The trace: everything that was recorded, and its way to a plain dict and back."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ipygradmagic.errors import TraceFormatError
from ipygradmagic.language import speaking
from ipygradmagic.record import codec, frame, storage
from ipygradmagic.record.clean import complaint
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import SEVERITIES, Finding, Ignore, Silenced
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.grids import GridAt
from ipygradmagic.record.ledger import LedgerReport
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tellers import TELLERS
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo

FORMAT = 1
"""Version of the dict layout."""


@dataclass(frozen=True, slots=True)
class CellError:
    """The exception that ended the traced code.

    Attributes:
        type, message: As Python prints them.
        where: The user's line that raised.
        freed_by: Index of the backward that freed the graph, where that is the cause.
        recording_off: The code had switched autograd off for good
            (``torch.set_grad_enabled(False)``).
    """

    type: str
    message: str
    where: SourceLocation | None = None
    freed_by: int | None = None
    recording_off: bool = False


@dataclass(frozen=True, slots=True)
class Meta:
    """Circumstances of a trace.

    Attributes:
        title: What was traced: ``In [3]``, a file name.
        torch: Version of torch.
        seconds: Wall-clock duration of the traced code.
        names: The names or patterns that the user asked to see.
        ignore: Names of the findings that the user does not want to see.
        lang: Language of the findings and of the report.
    """

    title: str = ""
    torch: str = ""
    seconds: float = 0.0
    names: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    lang: str = "en"


@dataclass(frozen=True, slots=True, repr=False)
class Trace:
    """All that is known about one traced run.

    ``print(trace)`` shows the report as text.

    Attributes:
        events: The events that were kept, in order. The first and last ones are always
            kept, and the first few of every signature; ``total`` says how many there were.
        total: How many events happened.
        pattern: The signature of every event, kept or not; ``pattern[i - 1]`` is event *i*'s.
        tensors: Every tensor concerned, and every known one alive at the end.
        optimizers: The optimizers that were seen.
        graphs: Autograd graphs, at most one for each backward line.
        grids: A few tensors in numbers, at the first events of some incidents.
        ledger: The books' totals and incidents.
        findings: The diagnosis, most severe first.
        silenced: Findings that the user does not want to be told.
        comments: The ``# gradmagic: ignore`` comments of the code that ran.
        error: The exception that ended the code, if any.
        notes: Facts about the run that are no findings (``torch.autograd.grad`` was called ...).
        warnings: Faults of ours, and things that could not be recorded.
        meta: Circumstances.
    """

    events: tuple[Event, ...] = ()
    total: int = 0
    pattern: tuple[int, ...] = ()
    tensors: tuple[TensorInfo, ...] = ()
    optimizers: tuple[OptimizerInfo, ...] = ()
    graphs: tuple[Graph, ...] = ()
    grids: tuple[GridAt, ...] = ()
    ledger: LedgerReport = field(default_factory=LedgerReport)
    findings: tuple[Finding, ...] = ()
    silenced: tuple[Silenced, ...] = ()
    comments: tuple[Ignore, ...] = ()
    error: CellError | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    meta: Meta = field(default_factory=Meta)

    def __repr__(self) -> str:
        tally = {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES[:3]}
        found = [f"{n} {s}{'s' * (n > 1)}" for s, n in tally.items() if n]
        counts = [f"{n} {kind}" for kind, n in self.counts().items() if n]
        leaves = len(self.leaves())
        counts.append(f"{leaves} tensor{'s' * (leaves != 1)}")
        return f"<Trace: {', '.join(found) or 'nothing wrong found'}; {', '.join(counts)}>"

    def __str__(self) -> str:
        return TELLERS["text"](self) if TELLERS else repr(self)

    def with_findings(
        self,
        findings: tuple[Finding, ...],
        warnings: tuple[str, ...] = (),
        silenced: tuple[Silenced, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Trace:
        """The same trace with a diagnosis (and any warnings and notes of the diagnosis)."""
        return replace(
            self,
            findings=findings,
            silenced=silenced,
            notes=self.notes + notes,
            warnings=self.warnings + warnings,
        )

    def tensor(self, tensor_id: int) -> TensorInfo | None:
        """The tensor with that id, or None."""
        return next((t for t in self.tensors if t.id == tensor_id), None)

    def event(self, index: int) -> Event | None:
        """The event with that index, or None if it was not kept."""
        return next((e for e in self.events if e.index == index), None)

    def leaves(self) -> set[str]:
        """Names of the leaves that the run had to do with: an event touched them, or an optimizer
        that stepped has them. All that are known where nothing happened."""
        known = {t.id: t.name for t in self.tensors if t.kind != "non-leaf"}
        mine = {change.tensor for event in self.events for change in event.changes}
        mine |= {t for o in self.acting() for group in o.groups for t in group.tensors}
        return {name for i, name in known.items() if i in mine} or set(known.values())

    def acting(self) -> tuple[OptimizerInfo, ...]:
        """The optimizers that stepped, or have leaves that an event touched: not those of earlier
        cells that are only still there. All, if none did."""
        touched = {change.tensor for event in self.events for change in event.changes}
        acting = tuple(
            o
            for o in self.optimizers
            if o.steps or any(touched & set(group.tensors) for group in o.groups)
        )
        return acting or self.optimizers

    def counts(self) -> dict[str, int]:
        """How many events of each kind happened, kept or not."""
        return dict(self.ledger.counts)

    def to_dict(self) -> dict[str, object]:
        """The trace as dicts, lists, strings and numbers only (JSON with NaN allowed)."""
        plain = codec.to_plain(self)
        assert isinstance(plain, dict)
        return {"format": FORMAT, **plain}

    @classmethod
    def from_dict(cls, data: object) -> Trace:
        """Inverse of :meth:`to_dict`.

        Raises:
            TraceFormatError: ``data`` is not such a dict; says which part does not fit.
        """
        return codec.from_plain(cls, codec.body(data, FORMAT))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace to a file that :meth:`load` reads back; an older one is replaced.

        Args:
            path: ``run.json``, or ``run.json.gz`` for a compressed one.

        Raises:
            OptionError: The name ends otherwise, or the file cannot be written.
        """
        storage.write(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """A trace that :meth:`save` wrote.

        Raises:
            TraceFormatError: The file is none, or from a version with another format.
            FileNotFoundError: There is no such file.
            OptionError: Its name ends in neither ``.json`` nor ``.json.gz``.
        """
        data = storage.read(path)
        try:
            return cls.from_dict(data)
        except TraceFormatError as error:
            raise TraceFormatError(f"{os.fspath(path)}: {error}") from None

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report as one file that needs nothing else: no network, no style sheet.

        It is light or dark as the reader's browser is. An older file is replaced.
        """
        Path(path).expanduser().write_text(TELLERS["page"](self), encoding="utf-8")

    def to_dataframe(self, library: Literal["pandas", "polars"] | None = None) -> Any:
        """The kept events as a data frame: one row for each event and tensor that it concerned.

        ``df.groupby("tensor")``, ``df.groupby("kind")``, ``df.groupby("place")`` are what it is
        for; :mod:`ipygradmagic.record.frame` says what the columns are. Of a run longer than what
        a trace keeps (see ``total``), ``--save`` writes every row as it happens.

        Args:
            library: Which one; None takes the one that is imported already, or else installed.

        Raises:
            OptionError: Neither library is installed, or not the one that was asked for.
        """
        return frame.frame_of(self, library)

    def assert_clean(self, allow: Collection[str] = ()) -> None:
        """Fail, as a test does, if a finding is an error or a warning.

        Args:
            allow: Names of findings that are no reason to fail.

        Raises:
            AssertionError: With the verdict, the findings and their lines in words.
        """
        __tracebackhide__ = True  # a test's report ends at the test's own line
        allowed = (allow,) if isinstance(allow, str) else allow
        with speaking(self.meta.lang):
            wrong = complaint(self.findings, allowed, self.meta.title)
        if wrong:
            raise AssertionError(wrong)

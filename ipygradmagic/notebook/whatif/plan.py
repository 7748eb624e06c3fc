"""What a process of its own is told to run, and what it leaves behind, as files in a folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

SEED = 0
"""Of both processes, before their first cell; the seeds of the cells themselves come later."""


@dataclass(frozen=True, slots=True)
class Step:
    """A cell to run.

    Attributes:
        number: Its number in the session, for messages and line numbers.
        source: As the user typed it.
        traced: It is the cell in question, or an earlier run of it.
    """

    number: int
    source: str
    traced: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One process.

    Attributes:
        steps: Cells, in order; the last one is the cell in question.
        path: ``sys.path``.
        cwd: Where it starts.
        limit: Seconds after which the running cell is interrupted.
        threads: Threads of torch; 0 leaves them be.
        ignore: Findings that the user does not want to see.
    """

    steps: tuple[Step, ...]
    path: tuple[str, ...]
    cwd: str
    limit: float
    threads: int = 0
    ignore: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Put it where the process finds it."""
        file = folder / "plan.json"
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return file

    @classmethod
    def read(cls, file: Path) -> Plan:
        """Inverse of :meth:`write`."""
        data = json.loads(file.read_text(encoding="utf-8"))
        steps = tuple(Step(**step) for step in data.pop("steps"))
        data["path"], data["ignore"] = tuple(data["path"]), tuple(data["ignore"])
        return cls(steps=steps, **data)


def events_file(folder: Path, run: int) -> Path:
    """Every event of one run of the cell, written as it happens."""
    return folder / f"events-{run}.jsonl.gz"


def verdict_file(folder: Path) -> Path:
    """The findings of the last run of the cell, written when it has ended."""
    return folder / "verdict.json"


def progress_file(folder: Path) -> Path:
    """One line for each thing that the process has come to."""
    return folder / "progress.jsonl"


def finals_file(folder: Path) -> Path:
    """The values of the leaves at the end."""
    return folder / "finals.npz"


def output_file(folder: Path) -> Path:
    """What it printed."""
    return folder / "output.txt"

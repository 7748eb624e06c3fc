"""The short cut for whole teams says, to the letter, what is said leaf by leaf."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ipygradmagic.capture.express import Express
from ipygradmagic.capture.solo import Solo
from ipygradmagic.capture.teams import Teams
from ipygradmagic.record.codec import to_plain
from ipygradmagic.record.trace import Trace
from tests.programs_harness import BUGGY, RIGHT, both, run

PROGRAMS = [p for p in (*RIGHT, *BUGGY) if "threading" not in p.read_text(encoding="utf-8")]
UNINITIALISED = ("fp16_master_apex_like", "grad_set_data_each_round", "lazy_linear")
"""They show memory as ``torch.empty`` gave it, which is another every time."""
PROGRAMS = [p for p in PROGRAMS if p.stem not in UNINITIALISED]


@pytest.fixture(autouse=True)
def torch_is_pristine() -> None:
    """Not by test here, as in test_programs: a program may change torch itself."""


def told(trace: Trace) -> dict[str, object]:
    """All that a trace says, but for the time it took."""
    said = {f"event {e.index}": repr(to_plain(e)) for e in trace.events}
    said |= {f"tensor {t.id}": repr(t) for t in trace.tensors}
    said["pattern"] = list(trace.pattern)
    said["books"] = sorted(map(repr, trace.ledger.books))
    said["incidents"] = [repr(i) for i in trace.ledger.incidents]
    said["grids"] = [repr(g) for g in trace.grids]
    said["rest"] = repr((trace.total, trace.optimizers, trace.notes, trace.warnings, trace.error))
    return said


def test_the_short_cuts_are_taken(monkeypatch) -> None:
    """Otherwise there would be nothing to compare."""
    taken = Counter[str]()
    for owner, name in (
        (Express, "_after_teams"),
        (Express, "_after_solos"),
        (Express, "after_step"),
        (Express, "after_zero"),
        (Solo, "written"),
        (Solo, "edited"),
    ):
        original = getattr(owner, name)

        def counted(self, *args, _original=original, _name=name):
            taken[_name] += 1
            return _original(self, *args)

        monkeypatch.setattr(owner, name, counted)
    for stem in ("cnn_cifar_like", "d2l_linear_scratch"):
        run(next(p for p in PROGRAMS if p.stem == stem), traced=True)
    assert len(taken) == 6 and min(taken.values()) > 3, taken


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_the_same_is_said(path: Path, monkeypatch) -> None:
    quick = both(path)[1].trace
    monkeypatch.setattr(Teams, "make", lambda self, event: None)
    monkeypatch.setattr(Solo, "ticket", lambda self, name, target: None)
    monkeypatch.setattr(Express, "before_backward", lambda self, outputs, args: None)
    exact = run(path, traced=True).trace
    assert quick is not None and exact is not None
    one, other = told(quick), told(exact)
    for key in one | other:
        assert one.get(key) == other.get(key), key


READS = {
    # Findings about numbers, which level ``events`` does not read.
    "nonfinite-gradient",
    "clip-before-unscale",
    "dead-parameters",
    "exploding-gradient",
    "unmoved-parameters",
    "vanishing-gradient",
}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_without_reading_the_verdict_is_the_same(path: Path) -> None:
    full, events = both(path)[1].trace, run(path, traced=True, level="events").trace
    assert full is not None and events is not None
    said = [
        [(f.name, f.severity, f.title) for f in t.findings if f.name not in READS]
        for t in (full, events)
    ]
    assert said[0] == said[1]

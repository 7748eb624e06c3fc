"""The short cut for whole teams says, to the letter, what is said leaf by leaf."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from ipygradmagic.api import forget
from ipygradmagic.capture.teams import Teams
from ipygradmagic.record.trace import Trace
from tests.programs_harness import BUGGY, RIGHT, run

PROGRAMS = [p for p in (*RIGHT, *BUGGY) if "threading" not in p.read_text(encoding="utf-8")]
UNINITIALISED = ("fp16_master_apex_like", "grad_set_data_each_round", "lazy_linear")
"""They show memory as ``torch.empty`` gave it, which is another every time."""
PROGRAMS = [p for p in PROGRAMS if p.stem not in UNINITIALISED]


@pytest.fixture(autouse=True)
def torch_is_pristine() -> None:
    """Not by test here, as in test_programs: a program may change torch itself."""


def seeded(path: Path) -> Trace | None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    forget()  # leaves are numbered from 1
    return run(path, traced=True).trace


def told(trace: Trace) -> dict[str, object]:
    """All that a trace says, but for the time it took."""
    said = {f"event {e.index}": repr(e) for e in trace.events}
    said |= {f"tensor {t.id}": repr(t) for t in trace.tensors}
    said["pattern"] = list(trace.pattern)
    said["books"] = sorted(map(repr, trace.ledger.books))
    said["incidents"] = [repr(i) for i in trace.ledger.incidents]
    said["rest"] = repr((trace.total, trace.optimizers, trace.notes, trace.warnings, trace.error))
    return said


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_the_same_is_said(path: Path, monkeypatch) -> None:
    quick = seeded(path)
    monkeypatch.setattr(Teams, "make", lambda self, event: None)
    exact = seeded(path)
    assert quick is not None and exact is not None
    one, other = told(quick), told(exact)
    for key in one | other:
        assert one.get(key) == other.get(key), key

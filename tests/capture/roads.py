"""Roads: the ways in which a gradient or a parameter can change, and what the trace must say.

A road is a small program. What each of its lines must leave in the trace stands behind it, as a
comment that counts every time the line runs::

    loss.backward()  # => backward w=1
    w.data -= w.grad  # => update gradient w=1

After the kind come words: ``gradient``, ``other`` or ``unknown`` (the source of an update),
``w=2`` (how many contributions ``w`` holds then), ``w=-`` (the event has no row for ``w``),
``actor:opt``, ``via:clip_grad_norm_``, ``inside:SGD.step``, ``error``, and ``led``: the line of
the program marked ``# led`` led there.

Whatever the road, :func:`check` compares the record with what torch says: the program runs once
plain, once traced and once under an observer that reads every gradient and value between lines.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import math
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch

from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import SMALL, Summary
from ipygradmagic.record.trace import Trace
from tests.programs_harness import differences, run, seed

PRELUDE = "import torch; from torch import nn; from torch.nn import functional as F\n"
W = "w = torch.tensor([1.0, 2.0], requires_grad=True)\n"
BACKWARD = "(w * w).sum().backward()  # => backward w=1\n"
State = tuple[complex, ...] | None


@dataclass(frozen=True)
class Road:
    """A program, and what the trace of it must say beside what its comments ask for.

    Attributes:
        name: For the test's id.
        source: The program, without imports.
        order: Kinds of all events in order, where lines do not run one after another.
        nowhere: Kinds of events found at the very end, whose line nobody can know.
        consumed: How many consumptions each name saw: ``w=1 b=0``.
        ends: How many contributions each name holds at the end: ``w=1``.
        names: All leaves that a backward reached, by name.
        findings: Names that must be among the findings.
        alarms: Names of all findings that count as alarms.
        notes: Words that some note must hold.
        files: Modules beside the program.
        raises: Type of the exception that ends it.
        oracle: False where values cannot be read between lines (threads, compiled code).
        pristine: False where the program itself changes torch for good.
    """

    name: str
    source: str
    order: str | None = None
    nowhere: str = ""
    consumed: str = ""
    ends: str = ""
    names: frozenset[str] | None = None
    findings: frozenset[str] = frozenset()
    alarms: frozenset[str] = frozenset()
    notes: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    raises: str = ""
    oracle: bool = True
    pristine: bool = True


@dataclass(frozen=True)
class Expected:
    """One event that a comment asks for."""

    kind: str
    file: str
    line: int
    words: tuple[str, ...]


def straight(name: str, lines: str, **more: Any) -> Road:
    """``w`` is made and receives a gradient of (2, 4); then the lines."""
    return Road(name, W + BACKWARD + lines, **more)


def rows(*tables: Sequence[Road]) -> list[Any]:
    """Parameters for pytest."""
    every = [road for table in tables for road in table]
    assert len({road.name for road in every}) == len(every)
    return [pytest.param(road, id=road.name) for road in every]


# -- the check ----------------------------------------------------------------------------


def check(road: Road, folder: Path, *, events: bool = True) -> Trace:
    """Run a road in a folder, and compare (without its events, where those are the test's job)."""
    main = folder / "road.py"
    texts = {main: PRELUDE + textwrap.dedent(road.source)}
    texts.update({folder / n: textwrap.dedent(text) for n, text in road.files.items()})
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    linecache.checkcache()
    with _importable(folder):
        plain = run(main, traced=False)
        _forget(folder)
        done = run(main, traced=True)
        _forget(folder)
        trace = done.trace
        assert trace is not None
        observer = Observer(main, tuple(texts), _module_names(trace))
        observer.run()
    assert (done.error or "").split(":")[0] == road.raises, done.error
    assert trace.warnings == ()
    assert differences(plain, done) == []
    if road.pristine:
        assert (done.disturbed, done.hooks_after) == ([], done.hooks_before)
        assert done.survivors <= plain.survivors
    expected = [e for path, text in texts.items() for e in _expected(path, text)]
    if events:
        _compare(trace, road, expected, observer)
    check_lines(trace, texts)
    check_sums(trace)
    check_chain(trace)
    if road.oracle:
        check_states(trace, observer)
    if events:
        _check_verdict(trace, road)
    return trace


def _compare(trace: Trace, road: Road, expected: Sequence[Expected], observer: Observer) -> None:
    """The events are the expected ones, in order, each on its line."""
    at_lines = [e for e in trace.events if e.where is not None]
    found = [(e.kind, Path(e.where.file).name, e.where.line) for e in at_lines if e.where]
    if road.order is None:
        by_line: dict[tuple[str, int], list[Expected]] = {}
        for one in expected:
            by_line.setdefault((one.file, one.line), []).append(one)
        wanted = [one for place in observer.lines for one in by_line.get(place, ())]
        assert found == [(e.kind, e.file, e.line) for e in wanted]
    else:
        assert [kind for kind, _, _ in found] == road.order.split()
        places = {(e.kind, e.file, e.line): e for e in expected}
        assert set(found) == set(places)
        wanted = [places[place] for place in found]
    assert [e.kind for e in trace.events if e.where is None] == road.nowhere.split()
    for event, one in zip(at_lines, wanted):
        for word in one.words:
            _compare_word(trace, event, word)


def _compare_word(trace: Trace, event: Event, word: str) -> None:
    about = (event.index, event.kind, event.label, word)
    if word in ("gradient", "other", "unknown"):
        assert event.source == word, (*about, event.source)
    elif word == "error":
        assert event.error, about
    elif word == "led":
        led_by = event.where.led_by if event.where else None
        assert led_by is not None and led_by.text.endswith("# led"), (*about, led_by)
    elif ":" in word:
        attribute, value = word.split(":", 1)
        assert getattr(event, attribute) == value, (*about, getattr(event, attribute))
    else:
        name, count = word.rsplit("=", 1)
        row = row_of(trace, event, name)
        if count == "-":
            assert row is None, (*about, row)
        else:
            assert row is not None, (*about, [_name(trace, c.tensor) for c in event.changes])
            assert row.holds.count == int(count), (*about, row.holds)


def _check_verdict(trace: Trace, road: Road) -> None:
    books = {b.name: b.consumptions for b in trace.ledger.books}
    for name, count in _numbers(road.consumed):
        assert books.get(name, 0) == count, (name, books)
    for name, count in _numbers(road.ends):
        held = [t.holds.count for t in trace.tensors if t.name == name and t.alive and t.holds]
        assert held[-1:] == [count], (name, held)
    if road.names is not None:
        reached = {t.name for t in trace.tensors if t.kind != "non-leaf" and t.reached}
        assert reached == road.names
    names = {f.name for f in trace.findings}
    assert road.findings <= names, names
    assert {f.name for f in trace.findings if f.alarm} == road.alarms
    assert not road.notes or any(road.notes in note for note in trace.notes), trace.notes


# -- invariants ---------------------------------------------------------------------------


def check_lines(trace: Trace, texts: Mapping[Path, str]) -> None:
    """Every line that the trace names exists, and reads as the trace says."""
    lines = {str(path): text.splitlines() for path, text in texts.items()}
    places = [e.where for e in trace.events if e.where is not None]
    places += [p.led_by for p in places if p.led_by is not None]
    places += [at for f in trace.findings for at in f.evidence.lines]
    for place in places:
        assert place.file in lines, place
        assert 1 <= place.line <= len(lines[place.file]), place
        assert place.text == lines[place.file][place.line - 1].strip()


def check_sums(trace: Trace) -> None:
    """before + added = after, in the arithmetic of the gradient's own dtype."""
    for event in trace.events:
        for row in event.changes:
            added, after, before = row.added, row.grad_after, row.grad_before
            if added is None or added.values is None or after is None or after.values is None:
                continue
            if before is None or before.zero:
                assert _alike(added.values, after.values), (event, row)
                continue
            info = trace.tensor(row.tensor)
            assert info is not None and before.values is not None
            dtype = getattr(torch, info.dtype)
            total = torch.tensor(before.values, dtype=dtype) + torch.tensor(
                added.values, dtype=dtype
            )
            wanted = torch.tensor(after.values, dtype=dtype)
            slack = 0.0 if row.added_exact else 1e-2 if dtype.itemsize < 4 else 1e-5
            assert torch.allclose(total, wanted, slack, slack and 1e-6, equal_nan=True), (
                event,
                row,
            )


def check_chain(trace: Trace) -> None:
    """Nothing happens between two rows of a tensor: one begins as the other has ended."""
    grads: dict[int, Summary | None] = {}
    values: dict[int, Summary] = {}
    rebound = {c.tensor for e in trace.events if e.kind == "rebind" for c in e.changes}
    for event in trace.events:
        for row in event.changes:
            if row.tensor in grads and row.tensor not in rebound:
                assert _same(grads[row.tensor], row.grad_before), (event.index, event.kind, row)
            grads[row.tensor] = row.grad_after
            if row.value_after is not None:
                before = values.get(row.tensor)
                if before is not None and row.tensor not in rebound:
                    assert _same(before, row.value_before), (event.index, event.kind, row)
                values[row.tensor] = row.value_after


def check_states(trace: Trace, observer: Observer) -> None:
    """Every state that torch was in between two lines is some row's *after*; the last is the end."""
    for name in observer.names:
        ids = [t.id for t in trace.tensors if t.name == name]
        rows = [c for e in trace.events for c in e.changes if c.tensor in ids]
        grads = [r.grad_after.values if r.grad_after else None for r in rows]
        values = [r.value_after.values for r in rows if r.value_after]
        if not rows and observer.grads.get(name) in (None, [None]):
            continue  # it took no part: a copy that is averaged, a frozen model
        _follows(name, "grad", observer.grads.get(name, []), grads)
        _follows(name, "value", observer.values.get(name, []), values)


def _follows(name: str, what: str, seen: Sequence[State], shown: Sequence[State]) -> None:
    """The states after the first one appear among those shown, in order; the last is last."""
    position = 0
    for state in seen[1:]:
        while position < len(shown) and not _alike(state, shown[position]):
            position += 1
        assert position < len(shown), (name, what, state, list(seen), list(shown))
    if shown and seen:
        assert _alike(seen[-1], shown[-1]), (name, what, seen[-1], shown[-1])


# -- torch's own word ---------------------------------------------------------------------


class Observer:
    """Runs a program and reads gradients and values between its lines."""

    def __init__(self, main: Path, files: Sequence[Path], names: Sequence[str]) -> None:
        self.main = main
        self.names = names
        self.lines: list[tuple[str, int]] = []
        self.grads: dict[str, list[State]] = {}
        self.values: dict[str, list[State]] = {}
        self._files = {str(f) for f in files}
        self._codes = {name: compile(name, "<name>", "eval") for name in names}
        self._namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(main)}

    def run(self) -> None:
        """Execute the program under a line tracer."""
        code = compile(self.main.read_text(encoding="utf-8"), str(self.main), "exec")
        seed()
        before = sys.gettrace()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            sys.settrace(self._call)
            try:
                exec(code, self._namespace)
            except Exception:
                pass
            finally:
                sys.settrace(before)
            self._look()
        self._namespace.clear()

    def _call(self, frame: FrameType, event: str, _: object) -> Any:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            self.lines.append((Path(frame.f_code.co_filename).name, frame.f_lineno))
            self._look()
        return self._line

    def _look(self) -> None:
        for name, code in self._codes.items():
            try:
                tensor = eval(code, self._namespace)
            except Exception:
                continue
            if isinstance(tensor, torch.Tensor):
                _note(self.values.setdefault(name, []), _read(tensor))
                _note(self.grads.setdefault(name, []), _read(tensor.grad))


def _note(states: list[State], state: State) -> None:
    if state != ("unreadable",) and (not states or not _alike(states[-1], state)):
        states.append(state)


def _read(tensor: torch.Tensor | None) -> Any:
    if tensor is None:
        return None
    if type(tensor) not in (torch.Tensor, torch.nn.Parameter) or tensor.is_meta:
        return ("unreadable",)
    if tensor.layout is not torch.strided or tensor.numel() > SMALL:
        return ("unreadable",)
    return tuple(tensor.detach().reshape(-1).tolist())


def _module_names(trace: Trace) -> tuple[str, ...]:
    """Names that can be asked for at module level."""
    names = {t.name for t in trace.tensors if t.kind == "leaf"}
    return tuple(sorted(n for n in names if not n.startswith("‹") and "{" not in n))


# -- small things -------------------------------------------------------------------------


def row_of(trace: Trace, event: Event, name: str) -> Change | None:
    """What an event did to a name."""
    return next((c for c in event.changes if _name(trace, c.tensor) == name), None)


def _name(trace: Trace, number: int) -> str:
    info = trace.tensor(number)
    return info.name if info is not None else ""


def _expected(path: Path, text: str) -> Iterator[Expected]:
    for number, line in enumerate(text.splitlines(), 1):
        asked = re.search(r"# => ([^#]+)", line)
        for spec in asked[1].split(";") if asked else ():
            kind, *words = spec.split()
            yield Expected(kind, path.name, number, tuple(words))


def _numbers(words: str) -> Iterator[tuple[str, int]]:
    for word in words.split():
        name, count = word.rsplit("=", 1)
        yield name, int(count)


def _alike(one: State, other: State) -> bool:
    if one is None or other is None or len(one) != len(other):
        return one is other
    return all(a == b or (_nan(a) and _nan(b)) for a, b in zip(one, other))


def _nan(number: complex) -> bool:
    return isinstance(number, float) and math.isnan(number)


def _same(one: Summary | None, other: Summary | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.layout != other.layout:
        return one.layout == "not materialised yet"
    if one.values is None or other.values is None:
        return one == other or one.sampled or one.norm == other.norm
    return _alike(one.values, other.values)


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _forget(folder)


def _forget(folder: Path) -> None:
    """Modules of a road are imported anew by every run of it."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]

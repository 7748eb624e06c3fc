"""What is said of a run while it goes on, and that saying it leaves no mark."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from ipygradmagic.api import Session, moment
from ipygradmagic.capture.live import Live
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace
from tests.capture.test_express import told
from tests.capture.test_steady import HEAD, LOOPS, MODEL, ROUND, STEPS, program
from tests.programs_harness import run

PROGRAMS = Path(__file__).parents[1] / "programs"
SOME = sorted(PROGRAMS.rglob("*.py"))[::6]


def seen_while_it_runs(path: Path, monkeypatch, every: int) -> tuple[Trace, Trace, int]:
    """A program's trace; the same with a look before every so many backwards; how many looks."""
    plain = run(path, traced=True).trace
    passes = looks = 0
    init = Live.__init__

    def asked(self, watch, *args) -> None:
        init(self, watch, *args)

        def due() -> None:
            nonlocal passes, looks
            passes += 1
            self.progress()
            if passes % every == 0:
                looks += 1
                self._look()
            watch.due = due

        watch.due = due

    monkeypatch.setattr(Live, "__init__", asked)
    seen = run(path, traced=True).trace
    assert plain is not None and seen is not None
    return plain, seen, looks


def same(plain: Trace, seen: Trace) -> None:
    one, other = told(plain), told(seen)
    for key in one | other:
        assert one.get(key) == other.get(key), key
    assert [f.title for f in plain.findings] == [f.title for f in seen.findings]


@pytest.mark.parametrize("path", SOME, ids=lambda p: p.stem)
def test_a_look_leaves_no_mark(path: Path, monkeypatch) -> None:
    plain, seen, _ = seen_while_it_runs(path, monkeypatch, 3)
    same(plain, seen)


@pytest.mark.parametrize("name", [*LOOPS, *STEPS])
def test_nor_in_a_steady_loop(name: str, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "program.py"
    text = program(LOOPS[name]) if name in LOOPS else program(STEPS[name]).replace(HEAD, MODEL)
    path.write_text(text, encoding="utf-8")
    plain, seen, looks = seen_while_it_runs(path, monkeypatch, 17)
    assert looks >= 3
    same(plain, seen)


def session(namespace: dict[str, object], **options: object) -> Session:
    return Session(Options(graph=False, **options), namespace=namespace)


@pytest.mark.parametrize("kind", ["by hand", "with an optimizer"])
def test_what_is_only_noted_is_counted(kind: str) -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.01)
    said = []
    one = session({"w": w, "opt": opt})
    one.start()
    for i in range(200):
        loss = (w**2).sum()
        loss.backward()
        if kind == "by hand":
            w.data -= 0.01 * w.grad
            w.grad.zero_()
        else:
            opt.step()
            opt.zero_grad(set_to_none=False)
        said.append((one.progress(), i + 1, loss.item()))
    trace = one.stop()
    assert trace.total == 600
    for progress, rounds, loss in said[::7]:
        assert progress.events == pytest.approx(3 * rounds, abs=3)
        assert progress.loss == pytest.approx(loss)
    assert said[-1][0].turns[1] == ("backward" if kind == "by hand" else "step")


def test_an_error_is_told_as_soon_as_it_is_certain() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    one = session({"w": w})
    one.start()
    told: list[tuple[int, str]] = []
    for i in range(10):
        (w * 2).backward()
        w.data -= 0.01 * w.grad
        if found := one.progress().findings:
            told.append((i, found[0].finding.name + " " + found[0].since))
    line = moment(one.progress())
    one.stop()
    assert told[0] == (
        2,
        "stale-gradient update #2",
    )  # noticed at the second, said after the next backward
    text = line.text(100)
    assert text.startswith("Tracing: ") and "backward/s" in text and "loss 0.2" in text
    assert "✗ Forgotten zero_grad, since update #2, test_live.py, line" in text
    assert "Forgotten zero_grad" in line.html()


def test_what_is_silenced_is_not_told() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    one = session({"w": w}, ignore=("stale-gradient",))
    one.start()
    for _ in range(10):
        (w * 2).backward()
        w.data -= 0.01 * w.grad
        assert not one.progress().findings
    one.stop()


def test_another_thread_may_ask_all_the_time(tmp_path: Path) -> None:
    space: dict[str, object] = {}
    one = Session(Options(graph=False), namespace=space)
    one.start()
    over = threading.Event()
    asked: list[int] = []

    def ask() -> None:
        while not over.is_set():
            asked.append(one.progress().events)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        exec(compile(program(ROUND, "print(w.grad)", rounds=400), "<loop>", "exec"), space)
    finally:
        over.set()
        thread.join()
    trace = one.stop()
    assert trace.total == 2000 and not trace.warnings and len(asked) > 10
    assert [f.name for f in trace.findings if f.alarm] == []

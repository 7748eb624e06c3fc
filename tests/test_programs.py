"""Real training programs: traced, they do bit for bit what they do untraced; the right ones
raise no alarm and the buggy ones the alarm they deserve."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.programs_harness import BUGGY, RIGHT, both, differences, expectation, run, traced

right = pytest.mark.parametrize("path", RIGHT, ids=lambda p: p.stem)
buggy = pytest.mark.parametrize("path", BUGGY, ids=lambda p: p.stem)
every = pytest.mark.parametrize("path", [*RIGHT, *BUGGY], ids=lambda p: p.stem)


@pytest.fixture(scope="module", autouse=True)
def _quiet_machine() -> Iterator[None]:
    """One thread, so that sums have one order; nothing old in the way of gc."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)
    both.cache_clear()
    traced.cache_clear()


@pytest.fixture(autouse=True)
def torch_is_pristine() -> None:
    """Not by test here: a program may change torch itself (torch.compile, torch.save do), so
    the harness compares around the traced run, which comes second."""


def test_the_corpus_is_there() -> None:
    assert len(RIGHT) >= 60
    assert len(BUGGY) >= 30


@buggy
def test_a_buggy_program_says_what_it_expects(path: Path) -> None:
    expected = expectation(path)
    assert expected.names and expected.lines


@every
def test_traced_run_is_bit_identical(path: Path) -> None:
    plain, under_trace = both(path)
    assert differences(plain, under_trace) == []


@every
def test_torch_is_pristine_afterwards(path: Path) -> None:
    done = traced(path)
    assert done.disturbed == []
    assert done.hooks_after == done.hooks_before


@every
def test_nothing_is_kept_alive(path: Path) -> None:
    plain, done = both(path)
    assert done.survivors <= plain.survivors


@every
def test_the_tracer_has_no_fault_to_report(path: Path) -> None:
    done = traced(path)
    assert done.trace is not None
    assert done.trace.warnings == ()


@right
def test_a_right_program_runs_and_raises_no_alarm(path: Path) -> None:
    done = traced(path)
    assert done.error is None
    assert done.trace is not None
    assert [_words(f) for f in done.trace.findings if f.alarm] == []


@buggy
def test_a_buggy_program_gets_its_finding(path: Path) -> None:
    done, expected = traced(path), expectation(path)
    assert (done.error or "").split(":")[0] == (expected.raises or "")
    assert done.trace is not None
    found = [f for f in done.trace.findings if f.name in expected.names]
    assert found, [_words(f) for f in done.trace.findings]
    lines = [f.evidence.lines[0] for f in found if f.evidence.lines]
    assert any(at.file == str(path) and at.line in expected.lines for at in lines), lines


@buggy
def test_a_buggy_program_gets_no_other_error(path: Path) -> None:
    done, expected = traced(path), expectation(path)
    assert done.trace is not None
    errors = [f for f in done.trace.findings if f.severity == "error"]
    assert [_words(f) for f in errors if f.name not in expected.names] == []


@every
def test_evidence_names_lines_that_exist(path: Path) -> None:
    done = traced(path)
    assert done.trace is not None
    source = path.read_text(encoding="utf-8").splitlines()
    for finding in done.trace.findings:
        for at in finding.evidence.lines:
            assert at.file == str(path), (finding.name, at)
            assert 1 <= at.line <= len(source)
            assert at.text in ("", source[at.line - 1].strip())


@every
def test_every_row_adds_up(path: Path) -> None:
    """before + contribution = after, for every number that the trace recorded."""
    done = traced(path)
    assert done.trace is not None
    rows = [(e, c) for e in done.trace.events for c in e.changes]
    for event, change in rows:
        added, after = change.added, change.grad_after
        if added is None or after is None or added.values is None or after.values is None:
            continue
        before = change.grad_before
        old = before.values if before and before.values else (0.0,) * len(added.values)
        info = done.trace.tensor(change.tensor)
        slack = {"bfloat16": 1e-1, "float16": 1e-2}.get(info.dtype if info else "", 1e-5)
        for a, b, c in zip(old, added.values, after.values):
            size = max(abs(a), abs(b), abs(c)) if all(map(_finite, (a, b, c))) else 0.0
            assert not size or abs(a + b - c) <= slack * size, (event.index, event.label, a, b, c)


@every
def test_the_report_can_be_read(path: Path) -> None:
    """Text comes for every program, and tells every alarm by its title."""
    done = traced(path)
    assert done.trace is not None
    said = "".join(done.text.split())
    for finding in done.trace.findings:
        assert not finding.alarm or "".join(finding.title.split()) in said


@right
def test_a_strict_trace_lets_a_right_program_run_as_ever(path: Path) -> None:
    plain, done = both(path)[0], run(path, traced=True, strict=True)
    assert done.trace is not None and done.trace.warnings == ()
    assert differences(plain, done) == [] and done.disturbed == []
    assert done.survivors <= plain.survivors


@buggy
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_strict_trace_stops_a_buggy_program_if_its_bug_is_an_error(path: Path) -> None:
    loose, done, expected = (
        traced(path).trace,
        run(path, traced=True, strict=True),
        expectation(path),
    )
    assert loose is not None and done.trace is not None
    wrong = {f.name for f in loose.findings if f.severity == "error"}
    found = {f.name for f in done.trace.findings if f.severity == "error"}
    assert done.trace.warnings == () and done.disturbed == []
    assert found <= wrong and bool(found) == bool(wrong)
    by_torch = expected.raises is not None or path.stem == "thread_forgets"  # that ends a thread
    assert (done.error or "").startswith("GradientLifecycleError") == (bool(wrong) and not by_torch)


def test_the_very_first_trace_draws_no_random_number() -> None:
    """What is imported for the first report must not draw from the user's generators."""
    program = """
import random, numpy, torch
def look(): return random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
w = torch.ones(2, requires_grad=True)
before = look()
from ipygradmagic import trace
with trace() as t:
    w.sum().backward()
str(t)
assert look() == before, [a == b for a, b in zip(look(), before)]
"""
    here = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


LOOP = """
import torch
net = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
def stop(*args):
    if opt.state.get("rounds", 0) >= 2:
        raise {error}("enough")
{hook}
def closure():
    opt.zero_grad()
    loss = net(torch.ones(3, 2)).sum()
    loss.backward()
    {inside}
    return loss
for i in range(4):
    opt.state["rounds"] = i
    opt.step(closure)
    {after}
"""
PLACES = {
    "between events": {"after": "stop()"},
    "in a closure": {"inside": "stop()"},
    "in a backward": {"hook": "net.weight.register_hook(stop)"},
    "in a step hook": {"hook": "opt.register_step_pre_hook(stop)"},
    "in an accumulate hook": {"hook": "net.weight.register_post_accumulate_grad_hook(stop)"},
}


@pytest.mark.parametrize("error", ["ValueError", "KeyboardInterrupt", "SystemExit"])
@pytest.mark.parametrize("place", PLACES)
def test_a_program_that_stops_midway_leaves_nothing(tmp_path: Path, error: str, place: str) -> None:
    parts = {"hook": "", "inside": "pass", "after": "pass", **PLACES[place], "error": error}
    path = tmp_path / "stops.py"
    path.write_text(LOOP.format(**parts), encoding="utf-8")
    plain, done = run(path, traced=False), run(path, traced=True)
    assert done.error == f"{error}: enough"
    assert differences(plain, done) == []
    assert done.disturbed == []
    assert done.hooks_after == done.hooks_before
    assert done.survivors <= plain.survivors
    assert done.trace is not None and done.trace.warnings == ()


BAD_MANNERS = ("rng", "name 'w'", "patch", "hook", "kept")


@pytest.mark.parametrize("what", BAD_MANNERS)
def test_the_harness_would_see_bad_manners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    import ipygradmagic.api

    kept: list[object] = []
    removable: list[object] = []

    class Bad(ipygradmagic.api.trace):
        def __exit__(self, *args: object) -> None:
            super().__exit__(*args)  # type: ignore[arg-type]
            assert self.namespace is not None
            if what == "rng":
                torch.rand(1)
            elif what == "patch":
                monkeypatch.setattr(torch.Tensor, "cumsum_", lambda *a: None)
            elif what == "hook":
                removable.append(register_optimizer_step_post_hook(lambda *a: None))
            elif what == "kept":
                kept.append(self.namespace["w"])
            else:
                w = self.namespace["w"]
                assert isinstance(w, torch.Tensor)
                w.data.mul_(1 + 1e-6)

    path = tmp_path / "good.py"
    path.write_text("import torch\nw = torch.ones(2, requires_grad=True)\n", encoding="utf-8")
    plain = run(path, traced=False)
    monkeypatch.setattr(ipygradmagic.api, "trace", Bad)
    done = run(path, traced=True)
    for handle in removable:
        handle.remove()  # type: ignore[attr-defined]
    seen = {
        "rng": "rng" in differences(plain, done),
        "name 'w'": "name 'w'" in differences(plain, done),
        "patch": "Tensor.cumsum_ is new" in done.disturbed,
        "hook": done.hooks_after != done.hooks_before,
        "kept": done.survivors > plain.survivors,
    }
    assert [name for name, found in seen.items() if found] == [what]


def _finite(number: float | complex) -> bool:
    return number == number and abs(number) != math.inf


def _words(finding: object) -> str:
    at = finding.evidence.lines[0].line if finding.evidence.lines else None  # type: ignore[attr-defined]
    return f"{finding.severity} {finding.name} @ {at}: {finding.title}"  # type: ignore[attr-defined]

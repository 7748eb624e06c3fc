"""The lines that a remedy adds or moves."""

from __future__ import annotations

import linecache
from pathlib import Path

import pytest

from ipygradmagic.diagnose import patch
from ipygradmagic.record.source import SourceLocation
from tests.programs_harness import BUGGY, both, run


def place(tmp_path: Path, source: str, line: int, function: str = "<module>") -> SourceLocation:
    path = tmp_path / "code.py"
    path.write_text(source, encoding="utf-8")
    linecache.checkcache(str(path))
    text = source.splitlines()[line - 1].strip()
    return SourceLocation(str(path), line, function, text)


def changed(source: str, edit) -> str:
    return "\n".join(patch.patched(source.splitlines(), [edit]))


LOOP = """\
for x in data:
    loss(x).backward()
    opt.step()  # the step
    log(loss)"""


def test_the_step_is_followed_by_zero_grad(tmp_path) -> None:
    edit = patch.clear_after_step(place(tmp_path, LOOP, 3))
    assert changed(LOOP, edit) == LOOP.replace("# the step\n", "# the step\n    opt.zero_grad()\n")
    assert patch.diff(edit) == "  opt.step()  # the step\n+ opt.zero_grad()\n  log(loss)"


@pytest.mark.parametrize(
    ("statement", "clear"),
    [
        ("self.opts[0].step()", "self.opts[0].zero_grad()"),
        ("scaler.step(opt)", "opt.zero_grad()"),
        ("loss = opt.step(closure)", None),
        ("opt.step(closure)", None),
        ("scheduler.step(loss)", None),
        ("opt.step(); n += 1", None),
        ("if last: opt.step()", None),
        ("train_step()", None),
    ],
)
def test_what_is_known_to_step(tmp_path, statement: str, clear: str | None) -> None:
    source = f"while True:\n\t{statement}\n"
    edit = patch.clear_after_step(place(tmp_path, source, 2))
    assert (None if edit is None else edit.text) == (None if clear is None else f"\t{clear}")


@pytest.mark.parametrize(
    ("statement", "names", "clear"),
    [
        ("w.data -= lr * w.grad", ["w"], "w.grad.zero_()"),
        ("w -= lr * w.grad", ["w"], "w.grad.zero_()"),
        ("p.data.add_(p.grad, alpha=-lr)", ["w"], "p.grad.zero_()"),
        ("p.detach().sub_(lr * p.grad)", ["w"], "p.grad.zero_()"),
        ("self.w.data = self.w.data - lr * self.w.grad", ["net.w"], "self.w.grad.zero_()"),
        ("params['a'].data -= lr * params['a'].grad", ["params['a']"], "params['a'].grad.zero_()"),
        ("w.data[k] -= lr * w.grad[k]", ["w"], None),
        ("w = w - lr * w.grad", ["w"], None),
        ("torch._foreach_add_(ws, gs)", ["w"], None),
    ],
)
def test_what_is_known_to_be_written(tmp_path, statement, names, clear) -> None:
    edit = patch.clear_after_update(place(tmp_path, statement, 1), names)
    assert (edit and edit.text) == clear


def test_a_call_over_several_lines_is_one_statement(tmp_path) -> None:
    source = "w.data.sub_(\n    lr\n    * w.grad\n)\nprint(w)"
    edit = patch.clear_after_update(place(tmp_path, source, 1), ["w"])
    assert changed(source, edit).splitlines()[4] == "w.grad.zero_()"


def test_a_statement_moves_behind_the_step_with_its_comment(tmp_path) -> None:
    source = "loss.backward()\nopt.zero_grad()  # too early\nopt.step()"
    edit = patch.move_behind(place(tmp_path, source, 2), place(tmp_path, source, 3))
    assert changed(source, edit) == "loss.backward()\nopt.step()\nopt.zero_grad()  # too early"
    assert patch.diff(edit).splitlines()[1] == "- opt.zero_grad()  # too early"


def test_nothing_moves_between_functions(tmp_path) -> None:
    source = "def clear():\n    opt.zero_grad()\nopt.step()"
    step = place(tmp_path, source, 3)
    assert patch.move_behind(place(tmp_path, source, 2, "clear"), step) is None


def test_the_other_optimizer_is_cleared_before_the_backward(tmp_path) -> None:
    source = "d_loss.backward()\nopt_d.step()\n"
    edit = patch.clear_before_backward(place(tmp_path, source, 1), place(tmp_path, source, 2))
    assert changed(source, edit).splitlines()[0] == "opt_d.zero_grad()"


def test_a_name_of_a_deeper_block_is_not_used_before_it(tmp_path) -> None:
    source = "loss.backward()\nfor o in opts:\n    o.step()\n"
    step = place(tmp_path, source, 3)
    assert patch.clear_before_backward(place(tmp_path, source, 1), step) is None
    assert changed(source, patch.clear_after_step(step)).endswith("    o.zero_grad()")


def test_code_that_cannot_be_read_has_no_edit(tmp_path) -> None:
    assert patch.clear_after_step(None) is None
    assert patch.clear_after_step(SourceLocation("<nowhere>", 3)) is None
    assert patch.clear_after_step(place(tmp_path, "opt.step(\n", 1)) is None


def _edits(path: Path) -> list:
    trace = both(path)[1].trace
    found = [f.remedy for f in trace.findings if f.alarm and f.remedy] if trace else []
    return [r.edit for r in found if r.edit is not None]


@pytest.mark.parametrize("path", BUGGY, ids=lambda p: p.stem)
def test_a_patched_program_raises_no_alarm(path: Path, tmp_path) -> None:
    """A remedy is offered as a change only where the changed program is right."""
    edits = _edits(path)
    if not edits:
        pytest.skip("its remedy is words")
    copy = tmp_path / path.name
    lines = path.read_text(encoding="utf-8").splitlines()
    copy.write_text("\n".join(patch.patched(lines, edits)) + "\n", encoding="utf-8")
    done = run(copy, traced=True)
    assert done.error is None and done.trace is not None
    assert [f.title for f in done.trace.findings if f.alarm] == []


def test_most_forgotten_zero_grads_can_be_patched() -> None:
    assert sum(bool(_edits(path)) for path in BUGGY) > 50

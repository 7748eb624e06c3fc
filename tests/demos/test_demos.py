"""Each demo runs in a fresh kernel, gives the numbers of its tutorial, and shows its insight."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from tests.demos.execute import DEMOS, execute

NAMES = (
    "0_one_weight",
    "1_loss_meets_optimizer",
    "2_by_hand_and_nn_module",
    "3_manual_and_autograd",
    "4_gradients_accumulate",
    "5_gallery",
)
every = pytest.mark.parametrize("name", NAMES)
PICTURE = "data:image/svg+xml"
ALARMS = ("✗", "▲")


@dataclass(frozen=True)
class Cell:
    """What one executed cell shows."""

    source: str
    printed: str
    text: str
    html: str
    error: str
    data: tuple[str, ...]

    @property
    def verdict(self) -> str:
        return self.text.splitlines()[0] if self.text else ""

    def says(self, *words: str) -> bool:
        """All of the words are in the report, wherever the lines were broken."""
        said = "".join(self.text.split())
        return all("".join(word.split()) in said for word in words)


def _cell(cell: nbformat.NotebookNode) -> Cell:
    printed = "".join(o.text for o in cell.outputs if o.output_type == "stream")
    error = "".join(f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error")
    shown = [o.data for o in cell.outputs if "data" in o]
    reports = [d for d in shown if "text/html" in d]
    text = "\n".join(d["text/plain"] for d in reports)
    html = "\n".join(d["text/html"] for d in reports)
    plain = tuple(d["text/plain"] for d in shown if "text/html" not in d)
    return Cell(cell.source, printed, text, html, error, plain)


@functools.cache
def fresh(name: str) -> tuple[Cell, ...]:
    path = next(p for p in DEMOS if p.stem == name)
    return tuple(_cell(c) for c in execute(path).cells if c.cell_type == "code")


def cell(name: str, start: str) -> Cell:
    """The one code cell of a demo that contains some text."""
    found = [c for c in fresh(name) if start in c.source]
    assert len(found) == 1, (name, start, len(found))
    return found[0]


def numbers(text: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.\d+(?:e[+-]\d+)?", text)]


# -- of every demo ------------------------------------------------------------------------


def test_there_are_no_others() -> None:
    assert tuple(p.stem for p in DEMOS) == NAMES


@every
def test_it_starts_by_loading_the_extension(name: str) -> None:
    assert fresh(name)[0].source == "%load_ext ipygradmagic"


@every
def test_every_magic_reports_in_html_and_text(name: str) -> None:
    for one in fresh(name):
        if "%%trace_grad" in one.source or "%grad_state" in one.source:
            assert one.text and one.html, one.source


@every
def test_every_traced_backward_has_its_picture(name: str) -> None:
    for one in fresh(name):
        if one.source.startswith("%%trace_grad") and ".backward(" in one.source:
            assert PICTURE in one.html, one.source


@every
def test_only_marked_cells_fail(name: str) -> None:
    path = next(p for p in DEMOS if p.stem == name)
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    marked = ["raises-exception" in c.metadata.get("tags", []) for c in cells]
    assert [bool(c.error) for c in fresh(name)] == marked


@every
def test_no_fault_of_ours_shows(name: str) -> None:
    for one in fresh(name):
        assert "could not record" not in one.text
        assert "unnamed" not in one.text, one.source


@every
def test_the_committed_outputs_are_those_of_this_version(name: str) -> None:
    """What is printed is stored in the notebook, and so is a report for every magic."""
    path = next(p for p in DEMOS if p.stem == name)
    stored = [_cell(c) for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    for old, new in zip(stored, fresh(name)):
        assert (old.printed, old.error, old.data) == (new.printed, new.error, new.data)
        assert bool(old.html) == bool(new.html)
        assert old.verdict == new.verdict


# -- S0 -----------------------------------------------------------------------------------

S0, S1, S2, S3, S4, GALLERY = NAMES


def test_s0_ten_backwards_add_up() -> None:
    one = cell(S0, "for i in range(10):")
    seen = numbers(one.printed)
    assert seen[0::2] == pytest.approx([-47.056 * k for k in range(1, 11)], abs=2e-3)
    assert seen[1::2] == pytest.approx([-47.056] * 10)
    assert not one.verdict.startswith(ALARMS)
    assert one.says("backward #1…#2", "backward #1…#10", "−47.056", "−94.112", "−470.56")


def test_s0_grad_state_knows_what_the_gradient_holds() -> None:
    one = cell(S0, "%grad_state w")
    assert one.says("w", "10 contributions", "In [3]")


def test_s0_rebinding_needs_no_zeroing() -> None:
    one = cell(S0, "Variable(w - 0.1")
    assert numbers(one.printed)[:4] == [3.5881, 4.7176, 4.9435, 4.9887]
    assert numbers(one.printed)[-1] == 5.0
    assert one.verdict.startswith("✓")
    assert one.says("No zeroing is needed", "the name w is bound to a new leaf", "generation 2")


def test_s0_rebinding_through_plain_numbers_too() -> None:
    one = cell(S0, "w.item() - 0.1 * w.grad.item()")
    assert numbers(one.printed) == [5.0]
    assert one.says("No zeroing is needed")


def test_s0_linear_layer_takes_the_place_of_w() -> None:
    one = cell(S0, "nn.Linear(1, 1, bias=False)")
    assert numbers(one.printed) == [5.0]
    assert one.verdict.startswith("✓")
    assert one.says("model.weight.grad", "−47.056", "zero_grad")


# -- S1 -----------------------------------------------------------------------------------


def test_s1_cube_48_then_96_then_48() -> None:
    assert "48" in cell(S1, "f = x ** 3").printed
    twice = cell(S1, "%%trace_grad\nf.backward")
    assert "96" in twice.printed and not twice.verdict.startswith(ALARMS)
    assert twice.says("48", "+48", "96", "In [3]")
    zeroed = cell(S1, "x.grad.zero_()")
    assert zeroed.printed.count("48") == 3 and zeroed.verdict.startswith("✓")


def test_s1_freed_graph_is_explained() -> None:
    one = cell(S1, "g = x ** 3")
    assert one.error.startswith("RuntimeError: Trying to backward through the graph a second time")
    assert one.says("freed-graph", "retain_graph=True", "+48", "In [6], line 6", "In [6], line 4")


def test_s1_leaf_backward() -> None:
    one = cell(S1, "x.backward()")
    assert "tensor(1.)" in one.printed and one.says("x.grad", "+1")


def test_s1_leaves_are_the_meeting_point() -> None:
    one = cell(S1, "loss = ((a * torch.tensor([1.0, 2.0]) + b")
    assert not one.verdict.startswith(ALARMS)
    assert one.says("in optimizer", "loss ←", "a.grad", "b.grad")


def test_s1_one_sided_leaves_stand_out() -> None:
    one = cell(S1, "unused = torch")
    assert one.says("unowned-leaf", "c received gradients", "unreached-leaf", "unused")


@pytest.mark.parametrize("start", ["def squared_distance", "nn.Linear(1, 1)"])
def test_s1_full_loops(start: str) -> None:
    one = cell(S1, start)
    assert numbers(one.printed) == pytest.approx([3.0, 2.0], abs=0.05)
    assert one.verdict.startswith("✓")
    assert one.says("backward → step → zero_grad")


# -- S2 -----------------------------------------------------------------------------------


def test_s2_by_hand() -> None:
    one = cell(S2, "w.grad.data.zero_()")
    assert numbers(one.printed) == [1.0, -2.0, 2.0, -7.84, 3.0, -16.2288, 8.0]
    assert one.verdict.startswith("✓")
    assert one.says("300 rounds of 3 events", "backward → update → zero_grad", "exactly once")
    assert one.says("In [3], line 10", "In [3], line 11")


def test_s2_forgotten_zeroing_is_found() -> None:
    cells = [c for c in fresh(S2) if "w.data = w.data" in c.source and "zero_" not in c.source]
    (one,) = cells
    assert one.verdict.startswith("✗")
    assert one.says("stale-gradient", "In [4], line 8", "update #2", "w.data = w.data - 0.01")


def test_s2_requires_grad_switched_on() -> None:
    before, after = cell(S2, "v.requires_grad_(True)"), cell(S2, "(v * 3).sum()")
    assert before.says("0 with a gradient", "None") and after.says("1 with a gradient", "[[3, 3],")


def test_s2_two_layers_as_a_graph() -> None:
    one = cell(S2, "hidden = torch.sigmoid")
    assert one.says("sum ← sigmoid ← add ← mm ← sigmoid ← add ← mm ← w1", "(3, 4)", "(4, 1)")
    drawn = cell(S2, "--graph loss2")
    assert PICTURE in drawn.html and drawn.says("sigmoid ← add ← mm ← w1")


def test_s2_typo_fails_as_without_the_magic() -> None:
    first, second = cell(S2, "def _init_("), cell(S2, "model(torch.tensor([[1.0]]))")
    assert first.error == "ValueError: optimizer got an empty parameter list"
    assert second.error == "AttributeError: 'LinearModel' object has no attribute 'linear'"


def test_s2_linear_model() -> None:
    one = cell(S2, 'reduction="sum"')
    assert numbers(one.printed)[0] == pytest.approx(2.0, abs=0.01)
    assert numbers(one.printed)[-1] == pytest.approx(8.0, abs=0.01)
    assert one.verdict.startswith("✓") and one.says("model.linear.weight")


# -- S3 -----------------------------------------------------------------------------------


def test_s3_manual_gradients_are_one_line() -> None:
    one = cell(S3, "dw = x.T @ error")
    assert len(one.text.strip().splitlines()) == 1
    assert one.says("requires grad") and not one.verdict.startswith(ALARMS)


def test_s3_autograd_with_toggling() -> None:
    one = cell(S3, "requires_grad_(False)")
    w, b = numbers(one.printed)
    assert w == pytest.approx(2.0, abs=0.02) and b == pytest.approx(3.0, abs=0.3)
    rounds = int(re.findall(r"after (\d+) rounds", one.printed)[0])
    assert 2000 < rounds < 3000  # an early break
    assert one.verdict.startswith("✓")
    assert one.says("freeze ×2 → update ×2 → unfreeze ×2 → zero_grad ×2", f"{9 * rounds:,} events")


# -- S4 -----------------------------------------------------------------------------------


def test_s4_accumulate_not_store() -> None:
    one = cell(S4, "params.sum().backward()")
    assert "[1., 1.]" in one.printed and "[2., 2.]" in one.printed
    assert not one.verdict.startswith(ALARMS) and one.says("backward #1…#2")


def test_s4_training_loop_with_new_leaves() -> None:
    one = cell(S4, "def training_loop")
    assert numbers(one.printed) == pytest.approx([5.3671, -17.3012, 2.9276], abs=1e-4)
    assert one.verdict.startswith("✓")
    assert one.says("No zeroing is needed: the name params", "generation 2", "5,000 backward")
    assert one.text.count("\n") < 120


def test_s4_optimizer() -> None:
    one = cell(S4, "for epoch in range(5000):\n    loss = loss_fn(model(t_un")
    assert numbers(one.printed) == pytest.approx([5.3671, -17.3012, 2.9276], abs=1e-4)
    assert one.verdict.startswith("✓") and one.says("backward → step → zero_grad")


def test_s4_one_raw_step() -> None:
    one = cell(S4, "lr=1e-5")
    assert "9.5483e-01, -8.2600e-04" in one.data[0]
    assert one.verdict.startswith("✓")


def test_s4_line_left_out() -> None:
    one = cell(S4, "for epoch in range(500):")
    assert one.verdict.startswith("✗")
    assert one.says("stale-gradient", "optimizer.step() #2", "optimizer.zero_grad()", "line 8")


def test_s4_optimizer_holds_the_old_leaf() -> None:
    one = cell(S4, "for epoch in range(5):")
    assert one.printed.count("80.3643") == 5
    assert one.verdict.startswith("✗")
    assert one.says("stale-optimizer", "optimizer still holds the old params")


@pytest.fixture(scope="module", autouse=True)
def _forget_afterwards() -> Iterator[None]:
    yield
    fresh.cache_clear()


def test_paths_are_where_readers_look() -> None:
    assert DEMOS[0].parent == Path(__file__).parents[2] / "demos"


# -- gallery ------------------------------------------------------------------------------

SHOWN = (
    ("✓", "Step by step", "w: 2 → 1.88", "w.grad: None → 12"),
    ("✓", "used exactly once"),
    ("✗", "[stale-gradient]", "never cleared"),
    ("✓", "gradient accumulation"),
    ("✗", "[stale-gradient]", "generator", "never cleared"),
    ("ℹ", "[unowned-leaf]", "nobody uses it"),
    ("ℹ", "[unreached-leaf]", "no loss reaches it"),
    ("▲", "[nonfinite-gradient]"),
    ("✓", "cnn"),
    ("✓", "cell"),
    ("✓", "transformer.layers"),
)
"""What each traced cell of the gallery must show, in order."""


@pytest.mark.parametrize("k", range(len(SHOWN)))
def test_the_gallery_shows_what_it_says(k: int) -> None:
    traced = [c for c in fresh(GALLERY) if c.source.startswith("%%trace_grad")]
    assert len(traced) == len(SHOWN)
    sign, *words = SHOWN[k]
    assert traced[k].verdict.startswith(sign)
    assert traced[k].says(*words), traced[k].text

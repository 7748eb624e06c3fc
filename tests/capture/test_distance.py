"""How far updates moved values, against copies that the program itself makes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ipygradmagic.capture import recorder
from ipygradmagic.capture.distance import Distances
from ipygradmagic.capture.snapshot import LARGE, MIDDLE, look_all
from ipygradmagic.record.trace import Trace
from tests.capture.programs import run

LOOP = """
torch.manual_seed(0)
leaves = [torch.randn(n, dtype=getattr(torch, d)).requires_grad_() for n, d in SIZES]
opt = torch.optim.{optimizer}(leaves, lr=0.05)
true = []
for i in range({rounds}):
    opt.zero_grad(set_to_none={none})
    sum((p.double() * torch.randn(len(p))).pow(2).mean() for p in leaves).backward()
    before = [p.detach().double().clone() for p in leaves]
    {step}
    true.append([float((p.detach().double() - b).norm()) for p, b in zip(leaves, before)])
"""
STEPS = (
    "opt.step()",
    "for p in leaves: p.data -= 0.1 * p.grad",
    "for p in leaves: p.data = p.data - 0.1 * p.grad",
    "torch._foreach_add_([p.data for p in leaves], [p.grad for p in leaves], alpha=-0.1)",
)


def moved(trace: Trace) -> list[list[float | None]]:
    """Of each update, by leaf."""
    names = {t.id: t.name for t in trace.tensors}
    found = []
    for event in trace.events:
        if event.kind in ("step", "update"):
            rows = {names[c.tensor]: c.moved for c in event.changes}
            found.append([rows.get(f"leaves[{i}]") for i in range(len(rows))])
    return found


sizes = st.lists(
    st.tuples(
        st.sampled_from([1, 3, 16, 17, 40, 700, 5000]),
        st.sampled_from(["float32", "float32", "float64", "bfloat16"]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(
    sizes,
    st.sampled_from(["SGD", "Adam", "AdamW"]),
    st.sampled_from(STEPS),
    st.integers(1, 12),
    st.booleans(),
)
def test_the_distance_is_that_of_copies(sizes, optimizer, step, rounds, none) -> None:
    namespace: dict[str, object] = {"SIZES": sizes}
    source = LOOP.format(optimizer=optimizer, rounds=rounds, none=none, step=step)
    found = moved(run(source, namespace))
    true = namespace["true"]
    assert len(found) == len(true) == rounds
    for mine, its in zip(found, true):
        assert mine == [pytest.approx(x, rel=1e-9, abs=1e-300) for x in its]


@pytest.mark.parametrize("n", [MIDDLE + 1, LARGE + 1])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_of_a_larger_tensor_it_is_estimated_and_its_neighbours_are_exact(n, optimizer) -> None:
    namespace: dict[str, object] = {"SIZES": [(MIDDLE, "float32"), (n, "float32")]}
    trace = run(LOOP.format(optimizer=optimizer, rounds=8, none=True, step=STEPS[0]), namespace)
    for mine, its in zip(moved(trace), namespace["true"], strict=True):
        assert mine == [pytest.approx(its[0]), pytest.approx(its[1], rel=0.3)]


def test_nothing_is_estimated_where_few_blocks_moved() -> None:
    """An embedding of which a few rows were used."""
    trace = run(
        """
        table = torch.nn.Embedding(5000, 16)
        opt = torch.optim.SGD(table.parameters(), lr=0.1)
        for i in range(6):
            opt.zero_grad()
            table(torch.arange(10)).pow(2).sum().backward()
            opt.step()
        """
    )
    steps = [e.changes[0] for e in trace.events if e.kind == "step"]
    assert [c.moved for c in steps] == [None] * 6
    assert all(c.value_before.norm != c.value_after.norm for c in steps)


@pytest.mark.parametrize("optimizer", ["", "opt.step()"])
def test_an_estimate_outlives_the_blocks(monkeypatch: pytest.MonkeyPatch, optimizer: str) -> None:
    monkeypatch.setattr(recorder, "COPIES", 100)
    monkeypatch.setattr(recorder, "EACH", 10)
    namespace: dict[str, object] = {"SIZES": [(MIDDLE + 5, "float32")]}
    step = optimizer or "for p in leaves: p.data -= 0.1 * p.grad"
    trace = run(LOOP.format(optimizer="SGD", rounds=8, none=True, step=step), namespace)
    kept = [e for e in trace.events if e.kind in ("step", "update")]
    assert len(kept) == 8
    for event in kept:
        its = namespace["true"][event.number - 1]  # type: ignore[index]
        assert event.changes[0].moved == pytest.approx(its[0], rel=0.3)


def test_it_outlives_the_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples beyond the budget are reduced to their statistics while the code still runs."""
    monkeypatch.setattr(recorder, "HEAD", 30)
    monkeypatch.setattr(recorder, "COPIES", 100)
    reduced: list[int] = []
    reduce = recorder.RawChange.reduce
    monkeypatch.setattr(
        recorder.RawChange, "reduce", lambda c, d: (reduced.append(1), reduce(c, d))[1]
    )
    namespace: dict[str, object] = {"SIZES": [(40, "float32"), (700, "float32"), (3, "float32")]}
    # edits that make a step of another signature now and then, kept in the middle of the run
    trace = run(
        LOOP.format(optimizer="SGD", rounds=60, none=True, step="opt.step()")
        + "    if i % 20 == 10: leaves[0].grad.mul_(1.5); leaves[0].data -= leaves[0].grad\n",
        namespace,
    )
    assert reduced
    steps = [e for e in trace.events if e.kind == "step"]
    true = namespace["true"]
    assert 3 < len(steps) < 60
    for event in steps:
        ordered = sorted(event.changes, key=lambda c: c.tensor)
        assert [c.moved for c in ordered] == [pytest.approx(x) for x in true[event.number - 1]]


@pytest.mark.parametrize(("n", "about"), [(17, 1e-5), (5000, 1e-5), (MIDDLE + 1, 0.3)])
@pytest.mark.parametrize("step", ["", "opt.step()"])
def test_what_is_added_to_an_earlier_gradient(n: int, about: float, step: str) -> None:
    """The forgotten ``zero_grad``: every backward adds the same, and the gradient grows."""
    trace = run(
        f"""
        torch.manual_seed(0)
        x = torch.randn({n})
        w = torch.zeros({n}, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        for i in range(9):
            (w * x).sum().backward()
            {step}
        true = float(x.norm())
        """,
        space := {},
    )
    rows = [e.changes[0] for e in trace.events if e.kind == "backward"]
    assert rows[0].added.norm == pytest.approx(space["true"]) and rows[0].added_norm is None
    assert [r.added for r in rows[1:]] == [None] * 8
    assert [r.added_norm for r in rows[1:]] == [pytest.approx(space["true"], rel=about)] * 8
    assert rows[-1].grad_after.norm == pytest.approx(9 * space["true"], rel=1e-4)


def test_of_a_turned_vector_not_the_difference_of_norms() -> None:
    found = run(
        """
        w = torch.tensor([3.0, 4.0], requires_grad=True)
        w.sum().backward()
        w.data = w.data.flip(0) + 0 * w.grad
        """
    )
    (row,) = found.events[-1].changes
    assert row.value_before.norm == row.value_after.norm == 5
    assert row.moved == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("n", [2, 40])
def test_not_finite(n: int) -> None:
    one, far, none = (torch.full((n,), x) for x in (1.0, math.inf, math.nan))
    before, after, broken = look_all([one, far, none])
    assert Distances().between(before, after) == math.inf
    assert math.isnan(Distances().between(before, broken))
    assert math.isnan(Distances().between(after, after))
    assert Distances().between(before, before) == 0
    assert Distances().between(before, None) is None
    assert Distances().between(before, look_all([torch.ones(n + 1)])[0]) is None


def test_complex_numbers() -> None:
    before, after = look_all([torch.tensor([1 + 1j, 2.0]), torch.tensor([4 + 5j, 2.0])])
    assert Distances().between(before, after) == 5


def test_parts_of_copies_that_were_made_together_and_apart() -> None:
    tensors = [torch.randn(n) for n in (20, 30, 20)]
    later = [t + torch.randn_like(t) for t in tensors]
    true = [float((b.double() - a.double()).norm()) for a, b in zip(tensors, later)]
    together, apart = look_all(tensors), [look_all([t])[0] for t in later]
    distances = Distances()
    for news in (look_all(later), apart):
        assert [distances.between(a, b) for a, b in zip(together, news)] == pytest.approx(true)

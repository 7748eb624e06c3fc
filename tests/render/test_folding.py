from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipygradmagic.render.folding import Folded, fold
from ipygradmagic.render.plan import Announce, Planner, Show, Skip


def unfold(folded: Folded) -> list[tuple[int, int]]:
    """``(start, size)`` of every single event, by opening every loop."""
    found: list[tuple[int, int]] = []

    def walk(text: str | None, start: int) -> None:
        for part in folded.parts(text, start):
            if part.loop is None:
                found.append((part.start, part.size))
                continue
            for k in range(part.loop.rounds):
                walk(part.loop.body, part.start + k * part.loop.size)

    walk(None, 1)
    return found


def covered(planner: Planner) -> list[int]:
    indices: list[int] = []
    for step in planner.steps():
        if isinstance(step, Show):
            indices.append(step.index)
        elif isinstance(step, Skip):
            indices += range(step.first, step.last + 1)
    return indices


patterns = st.lists(st.integers(0, 3), max_size=60).flatmap(
    lambda body: st.integers(1, 12).map(lambda n: body * n)
)


@given(patterns, patterns, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_every_event_is_covered_exactly_once_and_in_order(a, b, head, tail):
    pattern = a + b + a
    folded = fold(pattern)
    assert [start for start, _ in unfold(folded)] == list(range(1, len(pattern) + 1))
    pins = tuple(i for i in (1, 7, 20) if i <= len(pattern))
    planner = Planner(folded, head, tail, pins)
    assert covered(planner) == list(range(1, len(pattern) + 1))
    shown = {s.index for s in planner.steps() if isinstance(s, Show)}
    assert set(pins) <= shown


@given(patterns)
@settings(max_examples=100, deadline=None)
def test_rounds_of_a_loop_are_alike(pattern):
    for step in Planner(fold(pattern)).steps():
        if isinstance(step, Announce):
            first = pattern[step.first - 1 : step.first - 1 + step.size]
            whole = pattern[step.first - 1 : step.first - 1 + step.size * step.rounds]
            assert whole == first * step.rounds


def test_loops_in_loops():
    folded = fold(([1, 2, 3] * 4 + [9]) * 100)
    assert len(folded.text) == 1
    (outer,) = folded.parts()
    assert outer.loop is not None and (outer.loop.rounds, outer.loop.size) == (100, 13)
    inner, last = folded.parts(outer.loop.body)
    assert inner.loop is not None and (inner.loop.rounds, inner.loop.size) == (4, 3)
    assert last.loop is None


def test_a_round_whose_ends_are_alike_is_kept_whole():
    (part,) = fold([1, 2, 1] * 50).parts()
    assert part.loop is not None and (part.loop.rounds, part.loop.size) == (50, 3)


def test_a_round_that_differs_stands_between_two_loops():
    sizes = [p.size for p in fold([1, 2, 3] * 40 + [1, 3] + [1, 2, 3] * 60).parts()]
    assert sizes == [120, 1, 1, 180]


def test_two_rounds_are_no_loop():
    assert all(p.loop is None for p in fold([1, 2, 1, 2]).parts())


@pytest.mark.parametrize(
    ("name", "pattern", "most"),
    [
        ("regular", [1, 2, 3] * 333_333, 1),
        ("epochs", ([1, 2] * 10 + [3]) * 47_000, 3),
        ("long rounds", [*range(500)] * 2000, 1),
        ("random", random.Random(0).choices((1, 2, 3), k=1_000_000), 1_000_000),
        ("all different", list(range(1_000_000)), 1_000_000),
    ],
)
def test_a_million_events(name, pattern, most):
    folded = fold(pattern)
    assert len(folded.text) <= most
    assert sum(p.size for p in folded.parts()) == len(pattern)

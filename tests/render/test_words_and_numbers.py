from __future__ import annotations

import math

import pytest
from records import at, large, one

from ipygradmagic.record.tensors import Holds, Summary, TensorInfo
from ipygradmagic.render import words
from ipygradmagic.render.numbers import NBSP, brief, number, summary_lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-47.056, "−47.06"),
        (1e-7, "1e−7"),
        (12345.678, "12346"),
        (1.5e9, "1.5e9"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
        (1 - 2j, "1−2j"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def plain(summary: Summary | None, shape: tuple[int, ...] = (), **more: bool) -> list[str]:
    return [line.text.replace(NBSP, " ") for line in summary_lines(summary, shape, **more)]


def test_small_tensors_show_their_numbers():
    assert plain(None) == ["None"]
    assert plain(one(1.5)) == ["1.5"]
    assert plain(one(1, 2), (2,)) == ["[1, 2]"]
    assert plain(one(1, -2, 3, 4), (2, 2)) == ["[[ 1, −2],", " [ 3,  4]]"]
    assert plain(one(1, 2, 3, 4), (4,)) == ["[1, 2,", " 3, 4]"]
    assert plain(Summary(0, ()), (0,)) == ["[] no elements"]


def test_large_tensors_show_statistics_and_what_is_broken():
    assert plain(large(nan=3, sampled=True)) == [
        "norm 3.2",
        "mean 0.01235",
        "−0.31 … 0.295",
        "3 NaN",
        "12 zeros",
        "sampled",
    ]
    assert plain(large(nan=3), tight=True) == ["norm 3.2", "−0.31 … 0.295", "3 NaN"]
    assert plain(Summary(99, zero=True)) == ["all zero"]
    assert plain(Summary(99, layout="meta")) == ["meta: no numbers"]
    assert brief(large(inf=1)) == "norm 3.2, 1 infinite"


@pytest.mark.parametrize(
    ("holds", "text"),
    [
        (Holds(), "empty"),
        (Holds(1, 3, 3), "backward #3"),
        (Holds(4, 1, 4), "backward #1…#4 (4 contributions)"),
        (Holds(4, 1, 4, used=3, stale=3), "backward #1…#4, 3 already used (stale)"),
        (
            Holds(2, 1, 1, earlier=1, origin=at(4, cell="In [2]")),
            "from In [2], line 4 + backward #1",
        ),
        (Holds(1, unknown=1, earlier=1), "of unknown origin"),
        (Holds(1, 2, 2, note="clipped"), "backward #2, clipped"),
        (Holds(1), "a gradient set by hand"),
    ],
)
def test_holds_in_words(holds, text):
    assert words.holds_words(holds) == text


def test_hostile_text_stays_on_one_line():
    assert words.clean("a\nb\tc\x1b[0m\ue000") == "a\\nb\\tc\\x1b[0m\\ue000"
    assert len(words.short("x" * 10_000)) <= 62
    assert words.clean("naïve 🔥 w") == "naïve 🔥 w"


def test_names_and_patterns():
    layer = TensorInfo(1, "layers[2].bias", aliases=("b",))
    assert words.matches(layer, ("layers[2].bias",))
    assert words.matches(layer, ("b",))
    assert words.matches(layer, ("layers*",))
    assert not words.matches(layer, ("w",))
    assert words.unmatched([layer], ("w", "b")) == [
        "No tensor is called “w”. The names are: layers[2].bias."
    ]

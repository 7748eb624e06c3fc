"""Which earlier cells must run again: slices of small sessions."""

from __future__ import annotations

import pytest

from ipygradmagic.notebook.whatif.needed import Needed, Past, needed

IMPORTS = "import torch\nfrom torch import nn"
DATA = "x = torch.randn(8, 1); y = 2 * x"
MODEL = "model = nn.Linear(1, 1)"
OPTIMIZER = "opt = torch.optim.SGD(model.parameters(), lr=0.1)"
TRAIN = "loss = ((model(x) - y) ** 2).mean()\nloss.backward()\nopt.step()"


@pytest.fixture
def sliced(bare):
    def sliced(*cells: str, failed: tuple[int, ...] = (), steady: tuple[str, ...] = ()) -> Needed:
        past = [Past(n, c, n in failed) for n, c in enumerate(cells[:-1], 1)]
        return needed(past, Past(len(cells), cells[-1]), bare.transform_cell, steady)

    return sliced


@pytest.fixture
def numbers(sliced):
    return lambda *cells, **settings: [c.number for c in sliced(*cells, **settings).cells]


def test_what_is_bound_is_needed_and_what_only_shows_is_not(numbers):
    cells = (IMPORTS, DATA, "print(x.mean())", "other = 3", MODEL, "model", OPTIMIZER, TRAIN)
    assert numbers(*cells) == [1, 2, 5, 7]


@pytest.mark.parametrize(
    "change",
    [
        "a.append(2)",
        "a += [2]",
        "a[0] = 2",
        "a.b.c = 2",
        "del a[0]",
        "alter(a)",
        "for i in a: a.append(i)",
        "b = a\nb.append(3)",
        "%time a.append(2)",
        "%%time\na.append(2)",
        "with lock: a.append(1)",
        "q = [a.pop() for i in range(2)]",
        "if len(a): a = [4]",
    ],
)
def test_a_change_in_place_is_needed(numbers, change):
    start = "from somewhere import alter, lock"
    assert numbers(start, "a = [1]", change, "print(a)")[-2:] == [2, 3]


@pytest.mark.parametrize("look", ["a", "print(a[0], len(a))", "c = 1", "!ls", "%grad_state a"])
def test_a_look_is_not_needed(numbers, look):
    assert numbers("a = [1]", look, "print(a)") == [1]


def test_a_change_through_what_holds_the_object(numbers):
    cells = (IMPORTS, MODEL, OPTIMIZER, "opt.add_param_group({})", "opt.step()", "model.weight")
    assert numbers(*cells) == [1, 2, 3, 4, 5]


def test_a_container_holds_what_was_appended(numbers):
    cells = (IMPORTS, MODEL, "models = []", "models.append(model)", "models[0].train()", "model")
    assert numbers(*cells) == [1, 2, 3, 4, 5]


def test_functions_bring_the_globals_of_other_cells_as_they_are_when_called(numbers):
    cells = ("def f():\n    return g()", "def g():\n    return K", "K = 3", "K = 4", "J = 1", "f()")
    assert numbers(*cells) == [1, 2, 4]


def test_a_class_brings_the_globals_of_its_methods(numbers):
    cells = ("class A:\n    def m(self):\n        return Q", "Q = 2", "R = 2", "a = A()", "a.m()")
    assert numbers(*cells) == [1, 2, 4]


def test_a_name_bound_anew_leaves_the_old_one_behind(numbers):
    cells = (IMPORTS, DATA, MODEL, OPTIMIZER, TRAIN, MODEL, OPTIMIZER, TRAIN)
    assert numbers(*cells, steady=("x", "y")) == [1, 2, 6, 7]
    assert numbers(*cells) == [1, 2, 3, 4, 5, 6, 7]  # x may have been changed: in doubt, all


def test_data_that_is_changed_in_so_many_words_is_needed(numbers):
    cells = (IMPORTS, DATA, "x.mul_(2)", "model = nn.Linear(1, 1)\nmodel(x)", "print(x)")
    assert numbers(*cells, steady=("x", "y")) == [1, 2, 3]


def test_a_cell_that_ran_twice_is_needed_twice(numbers):
    cells = (IMPORTS, DATA, MODEL, OPTIMIZER, TRAIN, TRAIN, TRAIN)
    assert numbers(*cells, steady=("x", "y")) == [1, 2, 3, 4, 5, 6]


def test_a_name_that_may_have_been_bound_keeps_the_earlier_one(numbers):
    assert numbers("a = 1", "if flag():\n    a = 2", "print(a)") == [1, 2]
    assert numbers("a = 1", "a = 2", "print(a)") == [2]
    assert numbers("a = 1", "a += 1", "print(a)") == [1, 2]


@pytest.mark.parametrize(
    "world",
    [
        "torch.manual_seed(0)",
        "torch.manual_seed(n)",
        "_ = torch.manual_seed(0)",
        "torch.set_default_dtype(torch.float64)",
        "torch.backends.cudnn.deterministic = True",
        "from math import *",
        "%run other.py",
        "%cd /tmp",
        "prepare()",
        "prepare()[:2]",
    ],
)
def test_what_sets_the_world_is_always_needed(numbers, world):
    cells = ("import torch; n = 1\ndef prepare(): torch.manual_seed(0)", world, "print(3)")
    assert numbers(*cells) == [1, 2]


def test_a_missing_name_is_told_with_its_place(sliced):
    found = sliced("a = 1", "b = a + k", "print(b)").missing
    assert [(m.name, m.number, m.line, m.failed) for m in found] == [("k", 2, 1, 0)]


def test_a_name_of_a_cell_that_raised_is_missing_and_the_cell_is_told(sliced):
    found = sliced("a = 1", "k = 2\n1 / 0", "c = 1\nprint(a, k)", failed=(2,))
    assert [c.number for c in found.cells] == [1]
    assert [(m.name, m.number, m.line, m.failed) for m in found.missing] == [("k", 3, 2, 2)]


@pytest.mark.parametrize(
    "target",
    [
        "print(len([i for i in range(3)]))",
        "def f(): return later\nf",
        "for q in [1]:\n    print(q)",
    ],
)
def test_what_is_bound_elsewhere_is_not_missing(sliced, target):
    assert sliced("a = 1", target).missing == ()


def test_the_result_of_capture_is_bound(sliced):
    assert sliced("%%capture out\nw = 1", "print(out, w)").missing == ()


def test_where_any_name_may_have_been_bound_none_is_missing(sliced):
    assert sliced("%run setup.py", "print(k)").missing == ()

"""Reading never disturbs: before and after each of our looks, the world is the same."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
import torch

from ipygradmagic.capture import snapshot, watch
from tests.programs_harness import RIGHT, run


@pytest.fixture(autouse=True)
def torch_is_pristine() -> None:
    """Not by test here, as in test_programs: a program may change torch itself."""


def world() -> tuple[object, ...]:
    modes = torch._C._len_torch_dispatch_stack(), torch._C._len_torch_function_stack()
    return (
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        torch.is_grad_enabled(),
        modes,
    )


def face(tensor: torch.Tensor) -> tuple[object, ...]:
    """What must not change about a tensor (a view is not asked for its grad_fn: that disturbs)."""
    try:
        version = tensor._version
    except RuntimeError:  # made in inference mode
        version = None
    node = None if tensor._is_view() else tensor.grad_fn
    hooks = tensor._backward_hooks, tensor._post_accumulate_grad_hooks
    return (
        id(node),
        version,
        tensor.data_ptr() if tensor.layout is torch.strided else 0,
        [len(h or ()) for h in hooks],
    )


class Check:
    """Stands around ``look``, ``look_all`` and the guard."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wrong: list[str] = []
        self.looks = self.sections = 0
        self._outside: list[tuple[object, ...]] = []
        self._around(monkeypatch, snapshot.look, lambda tensor: [tensor])
        self._around(monkeypatch, snapshot.look_all, list)
        enter, leave = watch._Guard.__enter__, watch._Guard.__exit__

        def entered(guard):
            if guard._watch.local.depth == 0:
                self._outside.append(world())
            return enter(guard)

        def left(guard, *error):
            silenced = leave(guard, *error)
            if guard._watch.local.depth == 0 and self._outside:
                self.sections += 1
                self.note("the world, by a section", self._outside.pop() == world())
            return silenced

        monkeypatch.setattr(watch._Guard, "__enter__", entered)
        monkeypatch.setattr(watch._Guard, "__exit__", left)

    def _around(self, monkeypatch: pytest.MonkeyPatch, original, tensors_of) -> None:
        def checked(given):
            here = world()
            tensors = [t for t in tensors_of(given) if plain(t)]
            with torch._C.DisableTorchFunction():
                before = [face(t) for t in tensors]
            found = original(given)
            self.looks += 1
            with torch._C.DisableTorchFunction():
                self.note("a tensor", before == [face(t) for t in tensors])
            self.note("the world, by a look", here == world())
            return found

        for room in [m for n, m in sys.modules.items() if n.startswith("ipygradmagic.")]:
            for name in [n for n, v in vars(room).items() if v is original]:
                monkeypatch.setattr(room, name, checked)

    def note(self, what: str, good: bool) -> None:
        if not good:
            self.wrong.append(what)


def plain(tensor: object) -> bool:
    return isinstance(tensor, torch.Tensor) and not torch.nn.parameter.is_lazy(tensor)


THREADED = [p for p in RIGHT if "threading" in p.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", [p for p in RIGHT if p not in THREADED], ids=lambda p: p.stem)
def test_no_look_disturbs(path: Path, monkeypatch) -> None:
    """Where threads run beside each other, the world changes by itself: not those."""
    check = Check(monkeypatch)
    done = run(path, traced=True)
    assert check.wrong == []
    assert check.sections and done.trace is not None and done.trace.warnings == ()
    assert check.looks or not done.trace.tensors


@pytest.mark.parametrize("bad", ["rng", "version", "mode", "hook"])
def test_the_check_would_see_it(monkeypatch, bad: str) -> None:
    original = snapshot._small

    def disturbing(tensor):
        if bad == "rng":
            torch.rand(1)
        elif bad == "version":
            tensor.add_(0)
        elif bad == "hook":
            tensor.register_hook(lambda g: g)
        elif bad == "mode":
            torch._C._set_grad_enabled(False)
        return original(tensor)

    monkeypatch.setattr(snapshot, "_small", disturbing)
    check = Check(monkeypatch)
    w = torch.ones(2, 2, requires_grad=True)
    with torch.enable_grad():
        look = snapshot.look if bad != "version" else torch.no_grad()(snapshot.look)
        look(w)
    assert check.wrong

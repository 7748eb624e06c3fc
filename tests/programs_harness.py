"""Run a training program plain and traced, and boil both runs down to comparable plain data."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import random
import re
import struct
import sys
import types
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ipygradmagic.api import forget
from ipygradmagic.record.trace import Trace

optimizer_module: Any = sys.modules["torch.optim.optimizer"]  # torch.optim hides it

HERE = Path(__file__).parent / "programs"
RIGHT = sorted((HERE / "right").glob("*.py"))
BUGGY = sorted((HERE / "buggy").glob("*.py"))
OPAQUE = ("threading", "_thread", "_io", "io", "weakref", "random", "_random")
OPAQUE += ("torch._dynamo", "torch.utils.hooks")
"""Objects of these modules are only known by their type: they count, lock or cache."""


# -- what a program announces about itself ------------------------------------------------


@dataclass(frozen=True)
class Expectation:
    """The header of a buggy program: ``# expect: name | name @ MARKER`` and its marked lines."""

    names: tuple[str, ...]
    lines: tuple[int, ...]
    raises: str | None


def expectation(path: Path) -> Expectation:
    text = path.read_text(encoding="utf-8")
    head = re.search(r"^# expect: (.+) @ (BUG|HERE)$", text, re.M)
    if head is None:
        raise AssertionError(f"{path.name} has no '# expect: finding-name @ BUG' line")
    raises = re.search(r"^# raises: (\w+)$", text, re.M)
    marked = re.compile(rf"  # {head[2]}$")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if marked.search(line)]
    names = tuple(name.strip() for name in head[1].split("|"))
    return Expectation(names, tuple(lines), raises[1] if raises else None)


# -- fingerprints -------------------------------------------------------------------------


class Fingerprint:
    """Everything that a namespace holds, as nested tuples of plain values.

    Two namespaces are alike, bit for bit and in what is shared with what, if and only if
    their fingerprints are equal. Tensors met on the way are in ``tensors``.
    """

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._alive: list[object] = []
        self.tensors: list[torch.Tensor] = []

    def of(self, value: object) -> object:
        if value is None or isinstance(value, (bool, int, str, bytes)):
            return value
        if isinstance(value, float):
            return struct.pack("<d", value)
        if isinstance(value, complex):
            return struct.pack("<dd", value.real, value.imag)
        if isinstance(value, (types.ModuleType, type, torch.dtype, torch.device)):
            return f"{type(value).__name__}:{getattr(value, '__name__', value)}"
        if id(value) in self._seen:
            return ("seen", self._seen[id(value)])
        self._seen[id(value)] = len(self._seen)
        self._alive.append(value)  # so that no id is given twice
        return self._inside(value)

    def _inside(self, value: object) -> object:
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, torch.Generator):
            return ("generator", _bytes(value.get_state()))
        if isinstance(value, np.ndarray):
            return ("array", str(value.dtype), value.shape, value.tobytes())
        if isinstance(value, Mapping):
            if value and all(isinstance(k, int) and callable(v) for k, v in value.items()):
                return (_kind(value), [self.of(v) for v in value.values()])  # hooks, by global ids
            return (_kind(value), [(self.of(k), self.of(v)) for k, v in value.items()])
        if isinstance(value, (set, frozenset)):
            return (_kind(value), sorted(repr(self.of(v)) for v in value))
        if isinstance(value, Sequence) or type(value).__name__ == "deque":
            assert isinstance(value, Iterable)
            return (_kind(value), [self.of(v) for v in value])
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return ("method", self.of(value.__func__), self.of(value.__self__))
        if isinstance(value, functools.partial):
            return ("partial", self.of(value.func), self.of(value.args), self.of(value.keywords))
        return self._object(value)

    def _tensor(self, t: torch.Tensor) -> object:
        self.tensors.append(t)
        look: list[object] = [type(t).__name__, str(t.dtype), tuple(t.shape), str(t.layout)]
        look.append(_guarded(lambda: t._version))
        look.append(_guarded(lambda: t.requires_grad))
        look.append(_guarded(lambda: type(t.grad_fn).__name__))
        look.append(_guarded(lambda: len(t._backward_hooks or ())))
        look.append(_guarded(lambda: len(t._post_accumulate_grad_hooks or ())))
        look.append(_bytes(t))
        keeps = _guarded(lambda: t.is_leaf or t.retains_grad)
        look.append(self.of(t.grad) if keeps is True else None)
        look.append(self.of({k: v for k, v in vars(t).items() if "_dynamo" not in k}))
        return tuple(look)

    def _function(self, f: types.FunctionType) -> object:
        cells = []
        for cell in f.__closure__ or ():
            with contextlib.suppress(ValueError):  # an empty cell
                cells.append(self.of(cell.cell_contents))
        return ("function", f.__qualname__, self.of(f.__defaults__), cells)

    def _object(self, value: object) -> object:
        home = type(value).__module__ + "."
        if any(home.startswith(f"{name}.") for name in OPAQUE):
            return _kind(value)
        return (_kind(value), self.of(dict(getattr(value, "__dict__", {}))))


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _guarded(look: Callable[[], object]) -> object:
    """A look that some tensors refuse (views made under no_grad, inference tensors)."""
    try:
        return look()
    except Exception as refusal:
        return f"{type(refusal).__name__}: {refusal}"


def _bytes(t: torch.Tensor) -> object:
    if isinstance(t, torch.nn.parameter.UninitializedTensorMixin):
        return "uninitialized"
    if t.is_meta:
        return "meta"
    with torch.no_grad():
        plain = t.detach()
        if plain.layout is torch.sparse_coo:
            return (_bytes(plain._indices()), _bytes(plain._values()), plain.is_coalesced())
        raw = plain.contiguous().resolve_conj().resolve_neg().reshape(-1)
        return raw.view(torch.uint8).numpy().tobytes() if raw.numel() else b""


# -- PyTorch's own state ------------------------------------------------------------------


def pristine() -> dict[str, object]:
    """All that a tracer could have patched or hooked, to be compared by identity."""
    state: dict[str, object] = {}
    owners: list[Any] = [torch.Tensor, torch._C.TensorBase, torch.nn.Module, torch.optim.Optimizer]
    owners += [torch.nn.Parameter, torch.amp.GradScaler, torch.autograd.Function]
    owners += [torch.autograd, torch.autograd.graph, torch.utils, torch.nn.utils]
    owners += [torch.nn.utils.clip_grad, torch.optim, optimizer_module, torch.autograd.function]
    owners += [torch.optim.lr_scheduler]
    owners += [c for c in vars(torch.optim).values() if isinstance(c, type)]
    owners += [torch.utils.checkpoint, torch.random] if hasattr(torch.utils, "checkpoint") else []
    for owner in owners:
        for name, value in list(vars(owner).items()):
            if name not in ("__builtins__", "__warningregistry__"):
                state[f"{owner.__name__}.{name}"] = value
    for name, value in list(vars(torch).items()):
        if callable(value):
            state[f"torch.{name}"] = value
    state["trace"] = (sys.gettrace(), sys.getprofile())
    state["excepthook"] = (sys.excepthook, sys.displayhook)
    return state


def hooks() -> dict[str, object]:
    """Global hooks, modes and switches, to be compared by value."""
    from torch.nn.modules import module as nn_module

    found: dict[str, object] = {
        "optimizer pre": list(optimizer_module._global_optimizer_pre_hooks.values()),
        "optimizer post": list(optimizer_module._global_optimizer_post_hooks.values()),
        "function modes": torch._C._len_torch_function_stack(),
        "dispatch modes": torch._C._len_torch_dispatch_stack(),
        "grad enabled": torch.is_grad_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warning filters": list(warnings.filters),
        "saved tensors hooks": torch._C._autograd._top_saved_tensors_default_hooks(True),
    }
    for name, value in vars(nn_module).items():
        if name.startswith("_global_") and isinstance(value, (dict, OrderedDict)):
            found[name] = list(value.values())
    if hasattr(sys, "monitoring"):
        found["monitoring"] = [sys.monitoring.get_tool(i) for i in range(6)]
    return found


def changed(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Names of attributes that are not the same objects (or equal tuples of them)."""
    gone = [f"{name} is gone" for name in before if name not in after]
    new = [f"{name} is new" for name in after if name not in before]
    other = [
        name
        for name, value in before.items()
        if name in after
        and after[name] is not value
        and not (isinstance(value, (tuple, int, float, str)) and value == after[name])
    ]
    return gone + new + other


# -- runs ---------------------------------------------------------------------------------


@dataclass
class Run:
    """What one run of a program left behind, without a single live object of it."""

    printed: str = ""
    warned: list[str] = field(default_factory=list)
    error: str | None = None
    names: dict[str, object] = field(default_factory=dict)
    rng: dict[str, object] = field(default_factory=dict)
    disturbed: list[str] = field(default_factory=list)
    hooks_before: dict[str, object] = field(default_factory=dict)
    hooks_after: dict[str, object] = field(default_factory=dict)
    survivors: int = 0
    trace: Trace | None = None
    text: str = ""


def seed() -> None:
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)


def rng() -> dict[str, object]:
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "random": random.getstate(),
        "numpy": np.random.get_state(legacy=False)["state"]["key"].tobytes(),  # type: ignore[index,call-overload]
    }


def run(path: Path, *, traced: bool, **options: Any) -> Run:
    """Run a program in a fresh namespace, as a script or under ``trace()``."""
    gone: list[weakref.ref[object]] = []
    done = Run()
    forget()  # so that leaves are numbered from 1
    gc.collect()
    gc.freeze()  # what is old need not be looked through again
    done.hooks_before = hooks()
    before = pristine()
    _execute(path, done, gone, options if traced else None)
    done.disturbed = changed(before, pristine())
    done.hooks_after = hooks()
    gc.collect()
    done.survivors = sum(ref() is not None for ref in gone)
    return done


def _execute(
    path: Path, done: Run, gone: list[weakref.ref[object]], options: dict[str, Any] | None
) -> None:
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(path)}
    out = io.StringIO()
    seed()
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(out):
        warnings.simplefilter("always")
        try:
            if options is not None:
                _traced(code, namespace, path, done, options)
            else:
                exec(code, namespace)
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            done.error = f"{type(error).__name__}: {error}"
        done.rng = rng()
    done.printed = out.getvalue()
    done.warned = [f"{w.category.__name__}: {w.message} ({w.lineno})" for w in caught]
    look = Fingerprint()
    for name, value in namespace.items():
        if not name.startswith("__"):
            done.names[name] = look.of(value)
    gone.extend(weakref.ref(t) for t in look.tensors)
    gone.extend(_node_refs(look.tensors))
    namespace.clear()


def _traced(
    code: types.CodeType,
    namespace: dict[str, Any],
    path: Path,
    done: Run,
    options: dict[str, Any],
) -> None:
    from ipygradmagic import trace

    t = trace(namespace=namespace, title=path.name, **options)
    try:
        with t:
            exec(code, namespace)
    finally:
        done.trace = t.trace
        done.text = str(t)


def _node_refs(tensors: list[torch.Tensor]) -> list[weakref.ref[object]]:
    """Graphs are followed by what they hold: a tensor that each of them saved."""
    found: list[weakref.ref[object]] = []
    for t in tensors:
        with contextlib.suppress(Exception):
            if t.grad_fn is not None:
                found.append(weakref.ref(t.grad_fn))
    return found


@functools.cache
def both(path: Path) -> tuple[Run, Run]:
    """The plain run and the traced run of a program, made once."""
    return run(path, traced=False), run(path, traced=True)


@functools.cache
def traced(path: Path) -> Run:
    return both(path)[1]


def differences(plain: Run, other: Run) -> list[str]:
    """Names of what is not identical in two runs."""
    found = [w for w in ("printed", "error", "rng") if getattr(plain, w) != getattr(other, w)]
    found += [w for w in other.warned if w not in plain.warned]  # torch says some only once
    for name in {**plain.names, **other.names}:
        missing = object()
        if plain.names.get(name, missing) != other.names.get(name, missing):
            found.append(f"name {name!r}")
    return found

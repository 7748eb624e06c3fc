"""What to call a tensor: the way the user would reach it.

Names are found by walking from variables into containers, modules and the user's own objects,
breadth first, so that the shortest way wins. Nothing is called on the way: no property, no
``__getattr__``, no iteration of anything but the built-in containers.
"""

from __future__ import annotations

import dataclasses
import dis
import inspect
import os
import re
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, FrameType, ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from ipygradmagic.capture.source import is_user

DEPTH = 7
"""Containers nested deeper than this are not opened; what modules register counts for nothing.

(``model.bert.encoder.layer[0].attention.self.query.weight`` is eight steps from its variable.)
"""
MOST_WRAPPERS = 4
"""An optimizer is looked for in at most so many wrappers around it."""
BUDGET = 60_000
"""At most this many objects are looked at in one walk."""
_HIDDEN = re.compile(r"_(\d+|i+\d*|h|oh|dh|_*|dirs?)?$")
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement
_ASK_FOR_LOCALS = {"locals", "vars", "eval", "exec", "dir"}
_ITSELF = {"self", "cls"}  # what a thing calls itself is not what the user calls it
_SHELL = {"In", "Out", "exit", "quit", "get_ipython", "open"}
_PRIMITIVE = (str, bytes, int, float, complex, bool, type(None), type, ModuleType)


def visible(namespace: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """A namespace without the shell's own variables and without dunders."""
    for name, value in list(namespace.items()):
        if name not in _SHELL and not _HIDDEN.match(name):
            if name.startswith("__") and name.endswith("__"):
                continue
            yield name, value


def variables(frame: FrameType) -> Mapping[str, object]:
    """The variables of a frame, without leaving a trace on it.

    Before Python 3.13 a function's ``f_locals`` is one dict that lives as long as the call and is
    shared with the user's own ``locals()``. It would keep alive what the function has let go of,
    so it is emptied again; a function that asks for that dict itself is left alone.
    """
    code = frame.f_code
    if sys.version_info >= (3, 13) or not code.co_flags & inspect.CO_OPTIMIZED:
        return frame.f_locals
    if _asks_for_locals(code):
        return {}
    shared = frame.f_locals
    copy = dict(shared)
    shared.clear()
    return copy


@lru_cache(maxsize=1024)
def _asks_for_locals(code: CodeType) -> bool:
    """Whether a function calls ``locals()`` or what may (``model.eval()`` is no such call)."""
    if not _ASK_FOR_LOCALS.intersection(code.co_names):
        return False
    loads = (i for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
    return any(i.argval in _ASK_FOR_LOCALS for i in loads)


class Found:
    """What a walk found, held weakly: names of tensors, modules and optimizers by identity."""

    def __init__(self) -> None:
        self._tensors: dict[int, tuple[weakref.ref[Tensor], list[str]]] = {}
        self._modules: dict[int, tuple[str, weakref.ref[torch.nn.Module]]] = {}
        self._optimizers: dict[int, tuple[str, weakref.ref[torch.optim.Optimizer]]] = {}
        self._members: set[int] = set()
        self.registered: set[int] = set()
        self.complete = True

    def add(self, name: str, thing: object, member: bool = False) -> None:
        """A tensor, module or optimizer was met; what was met first has the best name.

        Only a module's parameter (``member``) is called after its module rather than by a variable:
        ``for p in model.parameters()`` leaves a ``p`` behind.
        """
        if isinstance(thing, Tensor):
            known = self._tensors.get(id(thing))
            if known is None or known[0]() is not thing:
                known = self._tensors[id(thing)] = (weakref.ref(thing), [])
                self._members.discard(id(thing))
            first = member and id(thing) not in self._members
            known[1].insert(0 if first else len(known[1]), name)
            if first:
                self._members.add(id(thing))
        elif isinstance(thing, torch.nn.Module):
            self._modules[id(thing)] = (name, weakref.ref(thing))
        elif isinstance(thing, torch.optim.Optimizer):
            self._optimizers[id(thing)] = (name, weakref.ref(thing))

    def tensors(self) -> list[tuple[Tensor, tuple[str, ...]]]:
        """Every tensor that is still alive, with its names."""
        some = ((ref(), tuple(names)) for ref, names in self._tensors.values())
        return [(tensor, names) for tensor, names in some if tensor is not None]

    def optimizers(self) -> list[tuple[torch.optim.Optimizer, str]]:
        """Every optimizer that is still alive, with its name."""
        some = ((ref(), name) for name, ref in self._optimizers.values())
        return [(optimizer, name) for optimizer, name in some if optimizer is not None]

    def modules(self) -> list[tuple[torch.nn.Module, str]]:
        """Every module that is still alive, with its name."""
        some = ((ref(), name) for name, ref in self._modules.values())
        return [(module, name) for module, name in some if module is not None]

    def name(self, tensor: Tensor) -> str | None:
        """The shortest name of a tensor."""
        some = self.names(tensor)
        return some[0] if some else None

    def names(self, tensor: Tensor) -> tuple[str, ...]:
        """All of its names, the shortest first."""
        known = self._tensors.get(id(tensor))
        return tuple(known[1]) if known is not None and known[0]() is tensor else ()

    def module_name(self, module: torch.nn.Module) -> str | None:
        """The shortest name of a module."""
        known = self._modules.get(id(module))
        return known[0] if known is not None and known[1]() is module else None

    def optimizer_name(self, optimizer: torch.optim.Optimizer) -> str | None:
        """The shortest name of an optimizer."""
        known = self._optimizers.get(id(optimizer))
        return known[0] if known is not None and known[1]() is optimizer else None


def walk(namespace: Mapping[str, object]) -> Found:
    """Every tensor, module and optimizer that the variables of a namespace lead to."""
    found = Found()
    queue = deque(_Visit(n, v) for n, v in visible(namespace))
    seen: set[tuple[int, bool]] = set()
    looked = 0
    while queue:
        path, thing, depth, hidden, member = queue.popleft()
        looked += 1
        if looked > BUDGET:
            found.complete = False
            break
        if isinstance(thing, Tensor):
            found.add(path, thing, member)
            if not hidden:
                found.registered.add(id(thing))
            continue
        if isinstance(thing, _PRIMITIVE) or (id(thing), hidden) in seen:
            continue
        seen.add((id(thing), hidden))
        if isinstance(thing, torch.nn.Module):
            found.add(path, thing)
        elif isinstance(thing, torch.optim.Optimizer):
            found.add(path, thing)
            for inner in _wrapped(thing):
                if found.optimizer_name(inner) is None:
                    found.add(path, inner)
            continue
        if depth < DEPTH:
            for name, part, plain in _inside(path, thing):
                member = isinstance(thing, torch.nn.Module) and not plain
                queue.append(_Visit(name, part, depth + (not member), hidden or plain, member))
    return found


def _wrapped(optimizer: torch.optim.Optimizer) -> Iterator[torch.optim.Optimizer]:
    """The optimizers that a mere shell passes its calls on to, as accelerate's and Lightning's do.

    The user knows no other name for them. A wrapper with parameter groups of its own is an optimizer
    in its own right, and steps beside the one that it holds.
    """
    for _ in range(MOST_WRAPPERS):
        held = _attributes(optimizer)
        inner = held.get("optimizer", held.get("_optimizer"))
        if not isinstance(inner, torch.optim.Optimizer) or "param_groups" in held:
            return
        yield inner
        optimizer = inner


def _is_shell(value: object, optimizer: object) -> bool:
    """Whether a value passes its calls on to the optimizer."""
    if not isinstance(value, torch.optim.Optimizer):
        return False
    return any(inner is optimizer for inner in _wrapped(value))


class _Visit(NamedTuple):
    """One thing on the way.

    ``hidden``: reached through a module's plain attribute, so ``parameters()`` misses it;
    ``member``: registered by the module that holds it.
    """

    path: str
    thing: object
    depth: int = 0
    hidden: bool = False
    member: bool = False


def _inside(path: str, thing: object) -> Iterable[tuple[str, object, bool]]:
    """The parts of a thing, the way to them, and whether a module does not register them."""
    if isinstance(thing, torch.nn.Module):
        return _module_parts(path, thing)
    return ((name, part, False) for name, part in _parts(path, thing))


def _parts(path: str, thing: object) -> Iterable[tuple[str, object]]:
    if isinstance(thing, Mapping) and type(thing).__module__ in ("builtins", "collections"):
        return [(f"{path}[{_key(k)}]", v) for k, v in list(thing.items())]
    if isinstance(thing, (list, tuple, deque)):
        fields = getattr(type(thing), "_fields", None)
        if isinstance(thing, tuple) and fields:
            return [(f"{path}.{f}", v) for f, v in zip(fields, thing)]
        return [(f"{path}[{i}]", v) for i, v in enumerate(list(thing))]
    if isinstance(thing, (set, frozenset)):
        return [(f"{path}{{{i}}}", v) for i, v in enumerate(list(thing))]
    if dataclasses.is_dataclass(thing) or _of_user(type(thing)):
        return [(f"{path}.{k}", v) for k, v in _attributes(thing).items()]
    return ()


def _module_parts(path: str, module: torch.nn.Module) -> Iterator[tuple[str, object, bool]]:
    inside = _attributes(module)
    for group in ("_parameters", "_modules", "_buffers"):
        parts = inside.get(group)
        if isinstance(parts, Mapping):
            for key, part in list(parts.items()):
                name = f"{path}[{key}]" if str(key).isdigit() else f"{path}.{key}"
                yield name, part, False
    for key, value in inside.items():
        if not key.startswith("_") and not isinstance(value, bool):
            yield f"{path}.{key}", value, True


def _attributes(thing: object) -> dict[str, object]:
    try:
        found = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        slots = getattr(type(thing), "__slots__", ())
        slots = (slots,) if isinstance(slots, str) else slots
        pairs = ((s, _slot_value(thing, s)) for s in slots)
        return {s: v for s, v in pairs if v is not None}
    return dict(found) if isinstance(found, dict) else {}


def _slot_value(thing: object, slot: str) -> object:
    try:
        return object.__getattribute__(thing, slot)
    except AttributeError:
        return None


def _of_user(kind: type) -> bool:
    """A class defined in the user's own code (a cell, a script, a file beside it)."""
    if kind.__module__ == "builtins":  # a class made by exec without a __name__ says so too
        return bool(kind.__flags__ & _HEAP_TYPE)
    if kind.__module__ == "__main__" or kind.__module__ not in sys.modules:
        return True
    code = next((f.__code__ for f in vars(kind).values() if hasattr(f, "__code__")), None)
    return code is not None and is_user(code)


def _key(key: object) -> str:
    return repr(key) if isinstance(key, (str, int, float, bool)) else f"<{type(key).__name__}>"


def in_frames(
    thing: object, frame: FrameType | None, most: int = 6
) -> tuple[str | None, FrameType | None]:
    """A plain variable that denotes ``thing`` in the user's frames, the innermost first.

    That of a shell around it will do, if it is an optimizer.
    """
    left = most
    shells = isinstance(thing, torch.optim.Optimizer)
    while frame is not None and left:
        if is_user(frame.f_code):
            left -= 1
            for name, value in visible(variables(frame)):
                if value is thing or (shells and _is_shell(value, thing)):
                    if name not in _ITSELF:
                        return name, frame
            if frame.f_code.co_name == "<module>":
                break
        frame = frame.f_back
    return None, None


def frames_of(frame: FrameType | None, most: int = 6) -> list[FrameType]:
    """The user's function frames from the innermost outwards, without the module level."""
    frames: list[FrameType] = []
    while frame is not None and len(frames) < most:
        if frame.f_code.co_name == "<module>":
            break
        if is_user(frame.f_code):
            frames.append(frame)
        frame = frame.f_back
    return frames


def globals_of(
    frame: FrameType | None, namespace: Mapping[str, object], most: int = 6
) -> list[dict[str, object]]:
    """The variables of the user's modules whose code led here, without the namespace itself."""
    known = getattr(namespace, "globals", namespace)
    found: dict[int, dict[str, object]] = {}
    while frame is not None and len(found) < most:
        if is_user(frame.f_code):
            if frame.f_globals is not known:
                found[id(frame.f_globals)] = frame.f_globals
            if frame.f_code.co_name == "<module>":
                break
        frame = frame.f_back
    return list(found.values())


def module_name(variables: Mapping[str, object]) -> str:
    """What to call a module: its own name, or its file's where it was run as a script."""
    name = variables.get("__name__")
    file = variables.get("__file__")
    if isinstance(name, str) and name.isidentifier() and name != "__main__":
        return name
    stem = os.path.splitext(os.path.basename(file))[0] if isinstance(file, str) else ""
    return stem or str(name or "module")

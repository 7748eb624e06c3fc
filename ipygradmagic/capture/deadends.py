"""What an operation takes in that takes no gradient: whose it is, where that can be said for certain.

autograd keeps no edge to such an input. But most operations keep the input itself for the backward,
and its memory tells who it is: a frozen parameter, a buffer, a variable with data, or a tensor that
requires grad, detached. Only the very same elements count; whatever else lies at another place, or
is not kept, stays unnamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType

import torch
from torch import Tensor

from ipygradmagic.capture import names
from ipygradmagic.capture.leaves import GradNode
from ipygradmagic.record.graph import DeadEnd, EndKind, Frozen

_SAVED = "_raw_saved_"
_NO_INPUT = re.compile(r"result|out|running_|total_weight|logsumexp|philox|rng|save_|reserve")
"""What an operation keeps beside its inputs begins with one of these."""
MOST_FROZEN = 64
"""So many frozen modules are remembered."""
_STEP = re.compile(r"\.|\[")
_PLAIN = (Tensor, torch.nn.Parameter)
Memory = tuple[object, ...]


class Surroundings:
    """The tensors that the user has names for, by the memory that they lie in.

    They are looked up when the first operation asks, and let go of with the graph that was walked.

    Args:
        namespace: The variables of the traced cell or script.
        frame: The innermost frame whose functions' variables count, too.
        found: What a walk found there before. It suffices to tell frozen modules, which a walk of
            its own would be too dear for where the model is large.
    """

    def __init__(
        self,
        namespace: Mapping[str, object],
        frame: FrameType | None = None,
        found: names.Found | None = None,
    ) -> None:
        self._namespace = namespace
        self._frame = frame
        self._before = found
        self._found: list[tuple[Tensor, str]] | None = None
        self._by_memory: dict[Memory, list[tuple[Tensor, str, bool]]] = {}
        self._fields: dict[type, tuple[str, ...]] = {}

    def ends(self, node: GradNode) -> tuple[DeadEnd, ...]:
        """The inputs of an operation that take no gradient, as far as it keeps them."""
        known: list[DeadEnd] = []
        others: list[tuple[int, ...]] = []
        blind = sum(nxt is None for nxt, _ in node.next_functions)
        for kept in self._kept(node):
            end = self._named(kept)
            if end is not None and (blind or end.kind != "detached"):  # else a result, perhaps
                known.append(end)
            elif end is None and kept.dim() and (kept.is_floating_point() or kept.is_complex()):
                others.append(tuple(kept.shape))
        if len(others) == blind - len(known):  # else it is not clear which of them are inputs
            known += [DeadEnd("", "unknown", shape) for shape in others]
        return tuple(dict.fromkeys(known))

    def frozen(self, reached: Iterable[Tensor]) -> tuple[Frozen, ...]:
        """The modules without a parameter that takes a gradient, beside those that were reached."""
        here = {id(tensor) for tensor in reached}
        pairs = self._found
        if pairs is None and self._before is not None:
            pairs = [(tensor, called[0]) for tensor, called in self._before.tensors()]
        pairs = self._tensors() if pairs is None else pairs
        tensors = [(t, n) for t, n in pairs if isinstance(t, torch.nn.Parameter)]
        roots = {_STEP.split(n)[0] for t, n in tensors if id(t) in here and _STEP.search(n)}
        live: set[str] = set()
        still: list[str] = []
        for tensor, name in tensors:
            if _STEP.split(name)[0] not in roots:
                continue
            if tensor.requires_grad:
                live.update(_above(name))
            else:
                still.append(name)
        counts: dict[str, int] = {}
        for name in still:
            top = next((path for path in _above(name) if path not in live), None)
            if top is not None:
                counts[top] = counts.get(top, 0) + 1
        return tuple(Frozen(name, n) for name, n in list(counts.items())[:MOST_FROZEN])

    def _tensors(self) -> list[tuple[Tensor, str]]:
        """With the best name of each: the namespace's before those of functions."""
        if self._found is None:
            first = names.walk(self._namespace).tensors()
            inner = [names.walk(names.variables(f)) for f in names.frames_of(self._frame)]
            known = {id(tensor) for tensor, _ in first}
            more = [pair for found in inner for pair in found.tensors() if id(pair[0]) not in known]
            self._found = [(tensor, called[0]) for tensor, called in (*first, *more)]
        return self._found

    def _kept(self, node: GradNode) -> Iterator[Tensor]:
        """Inputs that a node keeps and that take no gradient."""
        kind = type(node)
        if kind not in self._fields:
            self._fields[kind] = tuple(f for f in saved_fields(node) if not _NO_INPUT.match(f))
        for _, kept in saved_by(node, self._fields[kind]):
            if isinstance(kept, Tensor) and takes_gradient(kept) is False:
                yield kept

    def _named(self, kept: Tensor) -> DeadEnd | None:
        place = memory(kept)
        if place is None:
            return None
        if not self._by_memory:
            for tensor, name in self._tensors():
                there, live = memory(tensor), takes_gradient(tensor)
                if there is not None and live is not None:
                    self._by_memory.setdefault(there, []).append((tensor, name, live))
        some = self._by_memory.get(place, [])
        source = next((name for _, name, live in some if live), "")
        plain = [(tensor, name) for tensor, name, live in some if not live]
        plain.sort(key=lambda pair: pair[0] is not kept)
        if source:  # any other detached one lies there, too
            name = plain[0][1] if plain and plain[0][0] is kept else ""
            return DeadEnd(name or source, "detached", tuple(kept.shape), source if name else "")
        if not plain:
            return None
        tensor, name = plain[0]
        kind: EndKind = "frozen" if isinstance(tensor, torch.nn.Parameter) else "data"
        return DeadEnd(name, kind, tuple(tensor.shape))


def saved_fields(node: GradNode) -> Iterator[str]:
    """What autograd calls the things that an operation keeps: ``self``, ``mat1``, ``result``."""
    return (name.removeprefix(_SAVED) for name in dir(node) if name.startswith(_SAVED))


def saved_by(node: GradNode, fields: Iterable[str]) -> Iterator[tuple[str, object]]:
    """Those that are still there. Nothing is unpacked, because that would call hooks of the user's:
    where one has packed a tensor away, it is what the hook made of it."""
    for field in fields:
        try:
            yield field, getattr(node, _SAVED + field).data
        except (RuntimeError, AttributeError):  # freed, or a torch that does not tell
            continue


def takes_gradient(tensor: Tensor) -> bool | None:
    """Whether it requires grad; None for one that must not be asked.

    A view of what requires grad may have been made under no_grad; to ask it could rebuild its
    ``grad_fn``, or raise. And of a subclass, the user's own code would be called.
    """
    if type(tensor) not in _PLAIN:
        return None
    try:
        if tensor._is_view():
            base = tensor._base
            return None if base is None or base.requires_grad else False
        return tensor.requires_grad
    except (RuntimeError, NotImplementedError):
        return None


def memory(tensor: Tensor) -> Memory | None:
    """Which elements of memory a tensor consists of, in whatever order; None where it has none."""
    if type(tensor) not in _PLAIN:
        return None
    try:
        if tensor.layout is not torch.strided or not tensor.data_ptr():
            return None
        runs: list[tuple[int, int]] = []
        pairs = zip(tensor.stride(), tensor.shape)
        for stride, size in sorted((pair for pair in pairs if pair[1] != 1), reverse=True):
            if runs and runs[-1][0] == stride * size:
                runs[-1] = (stride, runs[-1][1] * size)
            else:
                runs.append((stride, size))
        return (tensor.device, tensor.data_ptr(), tensor.dtype, *runs)
    except (RuntimeError, NotImplementedError):
        return None


def _above(name: str) -> Iterator[str]:
    """The modules around a parameter, the outermost first: ``model``, ``model.layers``."""
    for match in _STEP.finditer(name):
        yield name[: match.start()]

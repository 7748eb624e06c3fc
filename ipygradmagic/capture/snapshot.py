"""A tensor to numbers, without disturbing it.

A *look* is what the recorder keeps while the code runs: for a small tensor the tuple of its
numbers, for a middle-sized one its place in a flat copy of all that were looked at together,
for a large one a handful of sums (of sampled blocks if it is very large). :func:`summary` makes
a Summary of any of them when the report is made: most looks of a long run are never asked for
their statistics, and to make those costs more than to copy. No random number is drawn, nothing
is written, no graph is built.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ipygradmagic.record.tensors import COPIED, SMALL, UNREAD, Number, Summary

MIDDLE = COPIED
"""Up to this many elements, tensors are copied; their statistics are made when asked for."""
LARGE = 1_048_576
"""Beyond this many elements, the statistics come from a sample."""
BLOCKS, BLOCK = 1024, 1024
"""A sample is this many evenly spaced blocks of this many elements."""
GLIMPSES, GLIMPSE = 64, 16
"""Of tensors that are not copied, this many evenly spaced blocks of this many elements are: a
cache line each. How far a tensor moved is estimated from them."""
_FEW = 4
"""From this many small tensors on, one copy of all is quicker than reading each."""
_REAL = {
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
}


class Measured:
    """The sums of one large tensor, not yet put into a Summary, and a copy of a few blocks of it."""

    __slots__ = (
        "blocks",
        "high",
        "inf",
        "low",
        "nan",
        "numel",
        "of",
        "square",
        "total",
        "zero",
        "zeros",
    )

    def __init__(
        self,
        numel: int,
        total: float,
        square: float,
        low: float,
        high: float,
        zeros: int | None,
        of: int | None = None,
        blocks: Tensor | None = None,
    ) -> None:
        self.numel = numel
        self.blocks = blocks
        self.total = total
        self.square = square
        self.low = low
        self.high = high
        self.zeros = zeros
        self.of = of  # the size of the whole tensor, if this is only a sample
        self.zero = low == 0.0 == high
        self.nan = self.inf = 0

    @property
    def finite(self) -> bool:
        """No element is NaN or infinite, as far as was looked."""
        return not (self.nan or self.inf)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measured):
            return NotImplemented
        return (
            self.total == other.total
            and self.square == other.square
            and self.low == other.low
            and self.high == other.high
            and self.zeros == other.zeros
            and self.numel == other.numel
        )

    __hash__ = None  # type: ignore[assignment]

    def summary(self) -> Summary:
        """As the record keeps it."""
        whole = self.numel if self.of is None else self.of
        square = self.square * (whole / self.numel)
        counted = self.of is None or self.zero
        return Summary(
            numel=whole,
            norm=math.sqrt(square) if square == square else math.nan,
            mean=self.total / self.numel,
            min=self.low,
            max=self.high,
            zeros=(whole if self.zero else self.zeros) if counted else None,
            nan=self.nan,
            inf=self.inf,
            zero=self.zero,
            sampled=self.of is not None,
        )


class Copy:
    """A flat copy of some tensors that were looked at together.

    Args:
        data: All elements, one tensor after another, each in row-major order.
        sizes: How many elements each of them has.
    """

    __slots__ = ("_finite", "_summaries", "_zero", "data", "sizes")

    def __init__(self, data: Tensor, sizes: Sequence[int]) -> None:
        self.data = data
        self.sizes = sizes
        self._finite: bool | None = None
        self._zero: bool | None = None
        self._summaries: list[Summary] | None = None

    @property
    def finite(self) -> bool:
        """No element is NaN or infinite (then, almost always, their sum is neither)."""
        if self._finite is None:
            total = abs(float(self.data.sum()))
            self._finite = total < math.inf or bool(torch.isfinite(self.data).all())
        return self._finite

    @property
    def zero(self) -> bool:
        """All of it is zero."""
        if self._zero is None:
            self._zero = not _any(self.data)
        return self._zero

    def summary(self, which: int) -> Summary:
        """Of one part; made for all of them at once, because a report asks for all."""
        if self._summaries is None:
            self._summaries = _summaries(self.data.double().cpu().numpy(), self.sizes)
        return self._summaries[which]


def _summaries(data: np.ndarray[Any, np.dtype[np.float64]], sizes: Sequence[int]) -> list[Summary]:
    """Statistics of consecutive parts, in float64; parts of one size are handled together."""
    starts: dict[int, list[tuple[int, int]]] = {}
    start = 0
    for which, size in enumerate(sizes):
        starts.setdefault(size, []).append((which, start))
        start += size
    found = [Summary(0)] * len(sizes)
    for size, some in starts.items():
        if size:
            rows = np.stack([data[at : at + size] for _, at in some])
            for (which, _), one in zip(some, _of_rows(rows)):
                found[which] = one
    return found


def _of_rows(rows: np.ndarray[Any, np.dtype[np.float64]]) -> Iterator[Summary]:
    """One Summary for each row."""
    size = rows.shape[1]
    with np.errstate(all="ignore"):
        columns = [
            np.sqrt((rows * rows).sum(axis=1)),  # not dot(): BLAS threads spin
            rows.mean(axis=1),
            rows.min(axis=1),
            rows.max(axis=1),
            (rows == 0).sum(axis=1),
            np.isnan(rows).sum(axis=1),
            np.isinf(rows).sum(axis=1),
        ]
    for norm, mean, low, high, zeros, nan, inf in zip(*[c.tolist() for c in columns]):
        yield Summary(
            numel=size,
            norm=norm,
            mean=mean,
            min=low,
            max=high,
            zeros=zeros,
            nan=nan,
            inf=inf,
            zero=zeros == size,
        )


def _any(data: Tensor) -> bool:
    """Whether some element is not zero; mostly the first one tells."""
    return data.numel() > 0 and (data[0].item() != 0 or bool(data.any()))


class Part:
    """One tensor's place in a :class:`Copy`: the ``which``-th of those that were copied."""

    __slots__ = ("_nonzero", "copy", "numel", "start", "which")

    def __init__(self, copy: Copy, which: int, start: int) -> None:
        self.copy = copy
        self.start = start
        self.numel = copy.sizes[which]
        self.which = which
        self._nonzero: bool | None = None

    @property
    def zero(self) -> bool:
        """Every element is zero."""
        if self._nonzero is None:
            whole = len(self.copy.sizes) == 1
            self._nonzero = not self.copy.zero if whole else _any(self.data)
        return not self._nonzero

    @property
    def finite(self) -> bool:
        """No element is NaN or infinite."""
        return self.copy.finite or bool(torch.isfinite(self.data).all())

    @property
    def data(self) -> Tensor:
        """The elements, in row-major order."""
        return self.copy.data[self.start : self.start + self.numel]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Part):
            return NotImplemented
        if self.numel != other.numel:
            return False
        return torch.equal(self.data, other.data)

    __hash__ = None  # type: ignore[assignment]

    def summary(self) -> Summary:
        """As the record keeps it."""
        return self.copy.summary(self.which)


class Unread:
    """A tensor that was left unread (level ``events``): that it is there, and if it was emptied."""

    __slots__ = ("numel", "zero")
    finite = True

    def __init__(self, numel: int, zero: bool) -> None:
        self.numel = numel
        self.zero = zero

    def summary(self) -> Summary:
        """As the record keeps it."""
        if self.zero:
            return Summary(self.numel, norm=0.0, mean=0.0, min=0.0, max=0.0, zero=True)
        return Summary(self.numel, layout=UNREAD)


Look = tuple[Number, ...] | Part | Measured | Unread | Summary | None


def look(tensor: Tensor | None) -> Look:
    """Look at one tensor; None stays None."""
    found = _quick(tensor)
    return look_all((tensor,))[0] if found is _UNKNOWN else found


_UNKNOWN: Summary = Summary(-1)


def _quick(tensor: Tensor | None) -> Look:
    """The look at a small plain tensor; ``_UNKNOWN`` for one that needs more care."""
    if tensor is None:
        return None
    if tensor.__class__ in EXACT and not torch._C._len_torch_function_stack():
        if tensor.numel() <= SMALL and dense(tensor):
            return _small(tensor)
    return _UNKNOWN


def look_all(tensors: Sequence[Tensor | None]) -> list[Look]:
    """Look at many tensors at once.

    User modes (``__torch_function__``, ``__torch_dispatch__``) do not see these reads.
    """
    if len(tensors) < _FEW:
        few = [_quick(tensor) for tensor in tensors]
        if not any(found is _UNKNOWN for found in few):
            return few
    looks: list[Look] = [None] * len(tensors)
    small: list[int] = []
    middle: list[int] = []
    enabled = torch.is_grad_enabled()
    try:
        torch._C._set_grad_enabled(False)
        with torch._C.DisableTorchFunction():
            for i, tensor in enumerate(tensors):
                if tensor is None:
                    continue
                if not _plain(tensor):
                    looks[i] = _odd(tensor)
                    continue
                n = tensor.numel()
                if n <= SMALL:
                    small.append(i)
                elif n <= MIDDLE:
                    middle.append(i)
                else:
                    looks[i] = measure(tensor)
            if small:
                _read([tensors[i] for i in small], small, looks)
            if middle:
                _copy([tensors[i] for i in middle], middle, looks)
    finally:
        torch._C._set_grad_enabled(enabled)
    return looks


def summary(found: Look) -> Summary | None:
    """The Summary of a look."""
    if isinstance(found, tuple):
        return Summary.of_values(found)
    return found.summary() if isinstance(found, (Part, Measured, Unread)) else found


def reduced(found: Look) -> Look:
    """The same look without a copy behind it."""
    return found.summary() if isinstance(found, (Part, Measured)) else found


def kept(numel: int) -> int:
    """How many elements of a dense tensor of this size a look copies."""
    return numel if numel <= MIDDLE else GLIMPSES * GLIMPSE


def is_zero(found: Look) -> bool:
    """Every element is exactly zero (and there is at least one, or none at all)."""
    if isinstance(found, tuple):
        return not any(found)
    return found is not None and found.zero


def is_finite(found: Look) -> bool:
    """No NaN or infinity was seen."""
    if found.__class__ is tuple:
        for value in found:  # noqa: SIM110 (a generator costs three times as much)
            if not abs(value) < math.inf:
                return False
        return True
    return found is None or found.finite  # type: ignore[union-attr]


EXACT = (Tensor, torch.nn.Parameter)


def dense(tensor: Tensor) -> bool:
    """Real numbers in memory of its own kind: not sparse, complex, meta, quantized, nested."""
    return (
        tensor.dtype in _REAL
        and tensor.layout is torch.strided
        and not tensor.is_meta
        and not tensor.is_nested
    )


def _plain(tensor: Tensor) -> bool:
    """An ordinary dense real tensor with memory behind it."""
    kind = type(tensor)
    if kind is not Tensor and kind is not torch.nn.Parameter:
        dispatch = getattr(kind, "__torch_dispatch__", None)
        if dispatch is not None and dispatch is not Tensor.__torch_dispatch__:
            return False
        if torch.nn.parameter.is_lazy(tensor):
            return False
    return dense(tensor)


def _small(tensor: Tensor) -> tuple[Number, ...]:
    if tensor.dim() == 1:
        return tuple(tensor.tolist())
    if tensor.dim() == 0:
        return (tensor.item(),)
    return tuple(tensor.detach().reshape(-1).tolist())


def _odd(tensor: Tensor) -> Look:
    """Sparse, complex, meta, quantized, nested tensors and subclasses with their own dispatch."""
    try:
        if tensor.layout is torch.sparse_coo:
            return _sparse(tensor)
        if tensor.is_complex() and tensor.layout is torch.strided and not tensor.is_meta:
            return _complex(tensor)
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        pass
    return Summary(_numel(tensor), layout=_layout(tensor))


def _numel(tensor: Tensor) -> int:
    try:
        return tensor.numel()
    except (RuntimeError, ValueError):  # lazy parameters have no size yet
        return 0


def _layout(tensor: Tensor) -> str:
    if torch.nn.parameter.is_lazy(tensor):
        return "not materialised yet"
    if tensor.is_meta:
        return "meta"
    if tensor.layout is not torch.strided:
        return str(tensor.layout).removeprefix("torch.")
    return type(tensor).__name__


def _sparse(tensor: Tensor) -> Summary:
    """The stored values are the numbers; everything else is zero."""
    held = tensor.detach().coalesce().values()
    inner = summary(look(held))
    n = tensor.numel()
    if inner is None or inner.norm is None or not inner.numel:
        return Summary(n, norm=0.0, mean=0.0, min=0.0, max=0.0, zeros=n, zero=True, layout="sparse")
    rest = n - inner.numel
    low, high = inner.min, inner.max
    return Summary(
        numel=n,
        norm=inner.norm,
        mean=None if inner.mean is None else inner.mean * inner.numel / n,
        min=min(low, 0.0) if rest and low is not None else low,
        max=max(high, 0.0) if rest and high is not None else high,
        zeros=None if inner.zeros is None else inner.zeros + rest,
        nan=inner.nan,
        inf=inner.inf,
        zero=inner.zero,
        sampled=inner.sampled,
        layout="sparse",
    )


def _complex(tensor: Tensor) -> Look:
    flat = tensor.detach().resolve_conj().resolve_neg().reshape(-1)
    if flat.numel() <= SMALL:
        return tuple(flat.tolist())
    return summary(look(flat.abs()))


def _read(tensors: Sequence[Tensor | None], places: list[int], looks: list[Look]) -> None:
    """All numbers of small tensors."""
    some = [t for t in tensors if t is not None]
    if len(some) < _FEW or any(t.dtype is not some[0].dtype for t in some):
        for place, tensor in zip(places, some):
            looks[place] = _small(tensor)
        return
    numbers = flatten(some).tolist()
    start = 0
    for place, tensor in zip(places, some):
        end = start + tensor.numel()
        looks[place] = tuple(numbers[start:end])
        start = end


def _copy(tensors: Sequence[Tensor | None], places: list[int], looks: list[Look]) -> None:
    """One flat copy for all tensors of a dtype and device."""
    some = [t for t in tensors if t is not None]
    kinds = {(t.dtype, t.device) for t in some} if len(some) > 1 else ()
    if len(kinds) > 1:
        for kind in kinds:
            mine = [k for k, t in enumerate(some) if (t.dtype, t.device) == kind]
            _copy([some[k] for k in mine], [places[k] for k in mine], looks)
        return
    copy = Copy(flatten(some), [t.numel() for t in some])
    start = 0
    for which, place in enumerate(places):
        looks[place] = Part(copy, which, start)
        start += copy.sizes[which]


def flatten(tensors: list[Tensor]) -> Tensor:
    """All elements in one new array, each tensor in row-major order."""
    if len(tensors) == 1:  # which torch would not copy
        return tensors[0].detach().reshape(-1).clone()
    with _NoGraph():
        flat: Tensor = torch._C._nn.flatten_dense_tensors(tensors)
    return flat


def join(groups: list[list[Tensor]]) -> Tensor:
    """The same, group by group, where the tensors of a group have all dimensions but the first alike.

    Raises:
        LookupError: They have not.
    """
    pieces: list[Tensor] = []
    with _NoGraph():
        try:
            if all(len(group) < _FEW for group in groups):
                return flatten([tensor for group in groups for tensor in group])
            for group in groups:
                if len(group) < _FEW:
                    pieces += [tensor.reshape(-1) for tensor in group]
                else:
                    joined = torch.cat(group) if group[0].dim() else torch.stack(group)
                    pieces.append(joined.reshape(-1))
            new = len(pieces) == 1 and len(groups[0]) >= _FEW
            return pieces[0] if new else torch.cat(pieces)
        except RuntimeError as error:
            raise LookupError("tensors of other shapes than before") from error


class _NoGraph:
    """``torch.no_grad`` without its cost."""

    __slots__ = ("_enabled",)

    def __enter__(self) -> None:
        self._enabled = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)

    def __exit__(self, *_: object) -> None:
        torch._C._set_grad_enabled(self._enabled)


def measure(tensor: Tensor) -> Measured:
    """Statistics of one tensor by few passes; of a sample of blocks if very large."""
    flat = tensor.detach().reshape(-1)
    n = flat.numel()
    seen = _blocks(flat, BLOCKS, BLOCK) if n > LARGE else flat
    if not seen.is_floating_point():
        seen = seen.double()
    wide = torch.float64 if seen.dtype is torch.float64 else torch.float32
    total = float(seen.sum(dtype=wide))
    low, high = (float(v) for v in torch.aminmax(seen))
    square = _square(seen, wide)
    zeros = 0 if low > 0.0 or high < 0.0 else None
    of = n if n > LARGE else None
    few = _blocks(flat, GLIMPSES, GLIMPSE).clone()
    found = Measured(seen.numel(), total, square, low, high, zeros, of, few)
    if found.zero and n > LARGE:
        found.zero = not int(torch.count_nonzero(flat))  # only claimed after an exact look
    if not (math.isfinite(low) and math.isfinite(high)):
        found.nan, found.inf = int(torch.isnan(seen).sum()), int(torch.isinf(seen).sum())
    return found


def _square(seen: Tensor, wide: torch.dtype) -> float:
    """Sum of squares; the norm knows how not to overflow, the dot product is quicker."""
    if seen.dtype is wide and seen.dim() == 1:
        square = float(torch.dot(seen, seen))
        if 1e-30 < square < math.inf:
            return square
    norm = float(torch.linalg.vector_norm(seen, dtype=torch.float64))
    return norm * norm


def _blocks(flat: Tensor, blocks: int, size: int) -> Tensor:
    """So many evenly spaced blocks of this size, as a view."""
    step = flat.numel() // blocks
    return flat[: step * blocks].view(blocks, step)[:, :size]

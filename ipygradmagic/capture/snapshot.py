"""A tensor to numbers, without disturbing it.

A *look* is what the recorder keeps while the code runs: for a small tensor the tuple of its
numbers, for any other a :class:`Summary`; :func:`summary` makes a Summary of either when the
report is made. Middle-sized tensors are copied together into one flat array, because a
statistic of each by torch costs more in calls than in arithmetic. Very large ones are sampled
in blocks. No random number is drawn, nothing is written, no graph is built.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ipygradmagic.record.tensors import SMALL, Number, Summary

Look = tuple[Number, ...] | Summary | None

MIDDLE = 16_384
"""Up to this many elements, tensors are summarised together through one flat copy."""
LARGE = 1_048_576
"""Beyond this many elements, the statistics come from a sample."""
BLOCKS, BLOCK = 1024, 1024
"""A sample is this many evenly spaced blocks of this many elements."""


def look(tensor: Tensor | None) -> Look:
    """Look at one tensor; None stays None."""
    return look_all((tensor,))[0]


def look_all(tensors: Sequence[Tensor | None]) -> list[Look]:
    """Look at many tensors at once.

    User modes (``__torch_function__``, ``__torch_dispatch__``) do not see these reads.
    """
    looks: list[Look] = [None] * len(tensors)
    middle: list[int] = []
    enabled = torch.is_grad_enabled()
    try:
        torch._C._set_grad_enabled(False)
        with torch._C.DisableTorchFunction():
            for i, tensor in enumerate(tensors):
                if tensor is None:
                    continue
                n = tensor.numel()
                if not _plain(tensor):
                    looks[i] = _odd(tensor)
                elif n <= SMALL:
                    looks[i] = _small(tensor)
                elif n <= MIDDLE:
                    middle.append(i)
                else:
                    looks[i] = _large(tensor)
            if middle:
                _middle([tensors[i] for i in middle], middle, looks)
    finally:
        torch._C._set_grad_enabled(enabled)
    return looks


def summary(found: Look) -> Summary | None:
    """The Summary of a look."""
    return Summary.of_values(found) if isinstance(found, tuple) else found


def is_zero(found: Look) -> bool:
    """Every element is exactly zero (and there is at least one, or none at all)."""
    if isinstance(found, tuple):
        return not any(found)
    return found is not None and found.zero


def is_finite(found: Look) -> bool:
    """No NaN or infinity was seen."""
    if isinstance(found, tuple):
        return all(abs(v) < math.inf for v in found)
    return found is None or found.finite


def _plain(tensor: Tensor) -> bool:
    """An ordinary dense real tensor with memory behind it."""
    kind = type(tensor)
    if kind is not Tensor and kind is not torch.nn.Parameter:
        dispatch = getattr(kind, "__torch_dispatch__", None)
        if dispatch is not None and dispatch is not Tensor.__torch_dispatch__:
            return False
        if torch.nn.parameter.is_lazy(tensor):
            return False
    return (
        tensor.layout is torch.strided
        and not tensor.is_meta
        and not tensor.is_quantized
        and not tensor.is_complex()
        and not tensor.is_nested
    )


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


def _middle(tensors: Sequence[Tensor | None], places: list[int], looks: list[Look]) -> None:
    """Statistics of many tensors from one flat float64 copy, by segment."""
    parts = [t.detach().reshape(-1) for t in tensors if t is not None]
    flat = (parts[0] if len(parts) == 1 else _join(parts)).double().cpu().numpy()
    sizes = np.array([p.numel() for p in parts])
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    with np.errstate(all="ignore"):
        sums = np.add.reduceat(flat, starts)
        squares = np.add.reduceat(flat * flat, starts)
        lows = np.minimum.reduceat(flat, starts)
        highs = np.maximum.reduceat(flat, starts)
        zeros = np.add.reduceat((flat == 0).astype(np.int64), starts)
    for k, place in enumerate(places):
        n, total, low, high = int(sizes[k]), float(sums[k]), float(lows[k]), float(highs[k])
        nan = inf = 0
        if not (math.isfinite(low) and math.isfinite(high)):
            piece = flat[starts[k] : starts[k] + n]
            nan, inf = int(np.isnan(piece).sum()), int(np.isinf(piece).sum())
        looks[place] = Summary(
            numel=n,
            norm=math.sqrt(squares[k]) if squares[k] == squares[k] else math.nan,
            mean=total / n,
            min=low,
            max=high,
            zeros=int(zeros[k]),
            nan=nan,
            inf=inf,
            zero=int(zeros[k]) == n,
        )


def _join(parts: list[Tensor]) -> Tensor:
    if len({(p.dtype, p.device) for p in parts}) > 1:
        parts = [p.double().cpu() for p in parts]
    return torch.cat(parts)


def _large(tensor: Tensor) -> Summary:
    """Statistics by few passes of torch; of a sample of blocks if very large."""
    whole = tensor.detach()
    n = whole.numel()
    seen = _sample(whole) if n > LARGE else whole
    if not seen.is_floating_point():
        seen = seen.double()
    wide = torch.float64 if seen.dtype is torch.float64 else torch.float32
    total = float(seen.sum(dtype=wide))
    low, high = (float(v) for v in torch.aminmax(seen))
    zeros = seen.numel() - int(torch.count_nonzero(seen))
    norm = float(torch.linalg.vector_norm(seen, dtype=wide)) * math.sqrt(n / seen.numel())
    nan = inf = 0
    if not (math.isfinite(low) and math.isfinite(high)):
        nan, inf = int(torch.isnan(seen).sum()), int(torch.isinf(seen).sum())
    zero = zeros == seen.numel()
    if zero and seen is not whole:
        zero = int(torch.count_nonzero(whole)) == 0  # emptiness is only claimed after an exact look
    return Summary(
        numel=n,
        norm=norm,
        mean=total / seen.numel(),
        min=low,
        max=high,
        zeros=zeros if seen is whole or zero else None,
        nan=nan,
        inf=inf,
        zero=zero,
        sampled=seen is not whole,
    )


def _sample(tensor: Tensor) -> Tensor:
    """Evenly spaced blocks, as a strided view where the memory allows it."""
    flat = tensor.reshape(-1)
    step = flat.numel() // BLOCKS
    return flat[: step * BLOCKS].view(BLOCKS, step)[:, :BLOCK]

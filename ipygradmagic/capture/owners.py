"""What an optimizer owns, as a plain record that does not keep it alive."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ipygradmagic.capture.books import Books
from ipygradmagic.record.tensors import GroupInfo, OptimizerInfo

_SETTINGS = ("lr", "momentum", "weight_decay", "betas", "nesterov", "maximize")


def optimizer_info(books: Books, optimizer: torch.optim.Optimizer, name: str) -> OptimizerInfo:
    """Its name, class and groups as they are now."""
    groups = tuple(_group(books, g) for g in optimizer.param_groups)
    return OptimizerInfo(name, type(optimizer).__name__, groups)


def _group(books: Books, group: dict[str, object]) -> GroupInfo:
    params = group.get("params")
    tensors: Iterable[object] = params if isinstance(params, (list, tuple)) else ()
    found = (books.find(t) for t in tensors if isinstance(t, Tensor))
    settings = tuple((k, _plain(group[k])) for k in _SETTINGS if group.get(k))
    if group.get("lr") == 0:
        began = (("initial_lr", _plain(group["initial_lr"])),) if group.get("initial_lr") else ()
        settings = (("lr", "0"), *began, *settings)
    return GroupInfo(tuple(leaf.id for leaf in found if leaf is not None), settings)


def _plain(value: object) -> str:
    if isinstance(value, Tensor):
        value = value.item() if value.numel() == 1 else tuple(value.shape)
    return f"{value:g}" if isinstance(value, float) else str(value)

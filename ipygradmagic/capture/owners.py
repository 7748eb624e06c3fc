"""What an optimizer owns, as a plain record that does not keep it alive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.capture.books import Books
from ipygradmagic.record.tensors import GroupInfo, OptimizerInfo

_SETTINGS = ("lr", "momentum", "weight_decay", "betas", "nesterov", "maximize")


def groups_of(optimizer: torch.optim.Optimizer) -> Sequence[dict[str, Any]] | None:
    """Its parameter groups; None if it has none to show, and so is no optimizer yet.

    A subclass whose ``__init__`` has not come to its base class has no such attribute, and a shell
    may raise whatever it likes where it finds nothing to pass the question on to.
    """
    try:
        groups: object = optimizer.param_groups
    except Exception:
        return None
    if isinstance(groups, (list, tuple)) and all(isinstance(g, dict) for g in groups):
        return groups
    return None


def parameters_of(optimizer: torch.optim.Optimizer) -> Iterator[Tensor]:
    """The tensors of all its groups, in order."""
    for group in groups_of(optimizer) or ():
        yield from members(group)


def optimizer_info(
    books: Books, optimizer: torch.optim.Optimizer, name: str
) -> OptimizerInfo | None:
    """Its name, class and groups as they are now; None if it has no groups."""
    groups = groups_of(optimizer)
    if groups is None:
        return None
    found = tuple(_group(books, group) for group in groups)
    return OptimizerInfo(name, type(optimizer).__name__, found)


def members(group: dict[str, Any]) -> Iterator[Tensor]:
    """The tensors of one group."""
    params = group.get("params")
    some: Iterable[object] = params if isinstance(params, (list, tuple)) else ()
    return (t for t in some if isinstance(t, Tensor))


def _group(books: Books, group: dict[str, Any]) -> GroupInfo:
    found = map(books.find, members(group))
    settings = tuple((k, _plain(group[k])) for k in _SETTINGS if group.get(k))
    if group.get("lr") == 0:
        began = (("initial_lr", _plain(group["initial_lr"])),) if group.get("initial_lr") else ()
        settings = (("lr", "0"), *began, *settings)
    return GroupInfo(tuple(leaf.id for leaf in found if leaf is not None), settings)


def _plain(value: object) -> str:
    if isinstance(value, Tensor):
        value = value.item() if value.numel() == 1 else tuple(value.shape)
    return f"{value:g}" if isinstance(value, float) else str(value)

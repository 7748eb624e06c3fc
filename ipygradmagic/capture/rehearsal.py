"""What is needed of torch for running one cell twice and comparing: seeds, data, last values."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ipygradmagic.capture.books import Books

_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, torch.Size)
_MOST_ITEMS = 1000
_DEEPEST = 3


def seed(number: int, threads: int = 0) -> None:
    """Seed Python, numpy and torch (with all its devices).

    Args:
        number: The seed.
        threads: How many threads torch is to use; 0 leaves that as it is.
    """
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)
    if threads:
        torch.set_num_threads(threads)


def threads() -> int:
    """How many threads torch uses in this process."""
    return torch.get_num_threads()


def is_data(value: object, depth: int = 0) -> bool:
    """Whether training by this value leaves it as it is: data, a number, a loss without weights."""
    kind = type(value)
    if kind in _PLAIN or kind is np.ndarray or isinstance(value, np.generic):
        return True
    if kind is Tensor:
        return not value.requires_grad  # type: ignore[attr-defined]
    if kind in (list, tuple, set, frozenset, dict):
        items = value.values() if isinstance(value, dict) else value
        few = len(items) <= _MOST_ITEMS and depth < _DEEPEST  # type: ignore[arg-type]
        return few and all(is_data(item, depth + 1) for item in items)  # type: ignore[attr-defined]
    if isinstance(value, torch.nn.Module):
        return not any(True for _ in value.parameters()) and not any(True for _ in value.buffers())
    return isinstance(value, (DataLoader, Dataset))


def data_names(namespace: Mapping[str, object]) -> list[str]:
    """The names of such values; one that cannot be looked at is not among them."""
    found = []
    for name, value in list(namespace.items()):
        try:
            if is_data(value):
                found.append(name)
        except Exception:  # an object of the user's may refuse any question
            continue
    return found


def last_values(books: Books, most: int) -> dict[str, np.ndarray]:
    """The leaves as they are now, by name, until there are ``most`` elements."""
    found: dict[str, np.ndarray] = {}
    room = most
    for leaf, tensor in books.alive():
        if leaf.kind != "leaf" or leaf.numel > room:
            continue
        try:
            value = tensor.detach().cpu()
            value = value.to(torch.complex128 if value.is_complex() else torch.float64)
            found[leaf.name] = value.numpy().ravel()
        except Exception:  # meta, sparse, a subclass of the user's: there are no numbers to have
            continue
        room -= leaf.numel
    return found

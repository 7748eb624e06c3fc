"""Many tensors as a few: by the place of each in the modules that hold it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

_INDEX = re.compile(r"\[\d+\]|\.\d+(?=\.|$)")


def block(name: str) -> str:
    """The outermost numbered block that holds it: ``net.layers[3].norm.bias`` → ``net.layers[3]``.

    Where nothing is numbered, the module: ``net.head.weight`` → ``net.head``.
    """
    found = _INDEX.search(name)
    return name[: found.end()] if found else module(name)


def kind(name: str) -> str:
    """All blocks of its series: ``net.layers[3].norm.bias`` → ``net.layers[*]``."""
    found = _INDEX.search(name)
    if found is None:
        return module(name)
    return name[: found.start()] + ("[*]" if found.group().startswith("[") else ".*")


def module(name: str) -> str:
    """What holds it; itself if nothing does."""
    return name.rpartition(".")[0] or name


def root(name: str) -> str:
    """The outermost thing that holds it."""
    return re.split(r"[.\[]", name, maxsplit=1)[0]


def coarsest_needed(
    names: Sequence[str], ways: Iterable[Callable[[str], str]], most: int
) -> Callable[[str], str]:
    """The first way of joining names that leaves at most so many; else the last one."""
    chosen: Callable[[str], str] = str
    for chosen in ways:
        if len({chosen(name) for name in names}) <= most:
            break
    return chosen

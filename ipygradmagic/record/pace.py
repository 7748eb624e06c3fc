"""How books move on when the same thing happens again: by how much each of their numbers grows.

Where the entries of one round differ from those of the last only in the numbers of events, the
books after any number of rounds can be written down without making the entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any


class Stand:
    """Books at one moment, taken apart: their numbers, and all else.

    Args:
        books: Lists, dictionaries and mutable dataclasses, nested, with integers in them. A number
            inside a tuple or a frozen dataclass counts as something else: it has to stand still.
    """

    def __init__(self, books: object) -> None:
        self.shape: list[object] = []
        self.numbers: list[int] = []
        self._take(books)

    def _take(self, thing: Any) -> None:
        kind = type(thing)
        if kind is int:
            self.numbers.append(thing)
        elif kind is list:
            self.shape.append((kind, len(thing)))
            for part in thing:
                self._take(part)
        elif kind is dict:
            self.shape.append((kind, tuple(thing)))
            for part in thing.values():
                self._take(part)
        elif kind is set:
            self.shape.append(frozenset(thing))
        elif _is_open(thing):
            self.shape.append(kind)
            for field in fields(thing):
                self._take(getattr(thing, field.name))
        else:
            self.shape.append(thing)


def pace(first: Stand, second: Stand, third: Stand) -> list[int] | None:
    """By how much each number grows from one to the next; None if they do not move evenly."""
    if not first.shape == second.shape == third.shape:
        return None
    before = [b - a for a, b in zip(first.numbers, second.numbers)]
    after = [b - a for a, b in zip(second.numbers, third.numbers)]
    return after if before == after else None


def advance(books: object, stand: Stand, growth: list[int], rounds: int) -> None:
    """Write into the books what stands there so many rounds later."""
    numbers = (number + rounds * more for number, more in zip(stand.numbers, growth))
    _put(books, numbers)


def _put(thing: Any, numbers: Iterator[int]) -> Any:
    kind = type(thing)
    if kind is int:
        return next(numbers)
    if kind is list:
        thing[:] = [_put(part, numbers) for part in thing]
    elif kind is dict:
        for key, part in thing.items():
            thing[key] = _put(part, numbers)
    elif _is_open(thing):
        for field in fields(thing):
            part = getattr(thing, field.name)
            setattr(thing, field.name, _put(part, numbers))
    return thing


def _is_open(thing: object) -> bool:
    """A dataclass whose fields can be written."""
    if not is_dataclass(thing) or isinstance(thing, type):
        return False
    return not type(thing).__dataclass_params__.frozen  # type: ignore[attr-defined]

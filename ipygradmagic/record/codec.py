"""Frozen dataclasses to plain dicts and back, guided by their annotations."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Hashable
from functools import cache
from typing import TypeVar, cast

from ipygradmagic.errors import TraceFormatError

T = TypeVar("T")


def to_plain(value: object) -> object:
    """Dicts, lists, strings, numbers and None for a record made of dataclasses and tuples."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (f.name for f in dataclasses.fields(value))
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, (tuple, list)):
        return [to_plain(v) for v in value]
    if isinstance(value, complex):
        return {"re": value.real, "im": value.imag}
    return value


def body(data: object, version: int) -> dict[str, object]:
    """Check the envelope of a stored trace and return what is inside."""
    if not isinstance(data, dict):
        raise TraceFormatError(f"a stored trace is a dict, not {type(data).__name__}")
    if data.get("format") != version:
        raise TraceFormatError(
            f"this trace has format {data.get('format')!r}; this version reads format {version}"
        )
    return {str(k): v for k, v in data.items() if k != "format"}


def from_plain(cls: type[T], data: object, path: str = "") -> T:
    """Build the dataclass ``cls`` from what :func:`to_plain` made of it."""
    if not isinstance(data, dict):
        raise TraceFormatError(f"{path or 'trace'}: expected a dict, got {type(data).__name__}")
    hints = _hints(cast(Hashable, cls))
    unknown = set(data) - set(hints)
    if unknown:
        raise TraceFormatError(f"{path or 'trace'}: unknown field {sorted(unknown)[0]!r}")
    try:
        return cls(**{k: _read(hints[k], v, f"{path}.{k}") for k, v in data.items()})
    except TypeError as error:
        raise TraceFormatError(f"{path or 'trace'}: {error}") from None


@cache
def _hints(cls: Hashable) -> dict[str, object]:
    return dict(typing.get_type_hints(cast(type, cls)))


@cache
def _shape(hint: Hashable) -> tuple[object, tuple[object, ...]]:
    """A trace has a million values and a few dozen hints."""
    return typing.get_origin(hint), typing.get_args(hint)


def _read(hint: object, value: object, path: str) -> object:
    origin, args = _shape(hint)
    if origin is None and type(value) is hint:  # most of a trace
        return value
    if origin in (typing.Union, types.UnionType):
        return _read_union(args, value, path)
    if origin is tuple:
        return _read_tuple(args, value, path)
    if origin is typing.Literal:
        return _expect(value in args, value, path, "one of " + ", ".join(map(repr, args)))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_plain(hint, value, path)
    if hint is float:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
        return _expect(fits, value, path, "a number")
    if hint is complex:
        return _read_complex(value, path)
    return _expect(isinstance(value, cast(type, hint)), value, path, str(hint))


def _read_union(args: tuple[object, ...], value: object, path: str) -> object:
    if value is None and type(None) in args:
        return None
    if value is None:
        return _expect(False, value, path, "a value")
    for arg in (a for a in args if a is not type(None)):
        try:
            return _read(arg, value, path)
        except TraceFormatError as error:
            failure = error
    raise failure


def _read_tuple(args: tuple[object, ...], value: object, path: str) -> object:
    if not isinstance(value, (list, tuple)):
        raise TraceFormatError(f"{path}: expected a list, got {type(value).__name__}")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_read(args[0], v, f"{path}[{i}]") for i, v in enumerate(value))
    _expect(len(value) == len(args), value, path, f"{len(args)} items")
    return tuple(_read(a, v, f"{path}[{i}]") for i, (a, v) in enumerate(zip(args, value)))


def _read_complex(value: object, path: str) -> complex:
    if isinstance(value, dict) and set(value) == {"re", "im"}:
        return complex(value["re"], value["im"])
    raise TraceFormatError(f"{path}: expected {{'re', 'im'}}, got {value!r}")


def _expect(fits: bool, value: object, path: str, what: str) -> object:
    if not fits:
        raise TraceFormatError(f"{path}: expected {what}, got {value!r}")
    return value

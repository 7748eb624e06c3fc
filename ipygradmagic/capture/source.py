"""Which line did it: sites while the code runs, source locations when they are shown.

While the code runs, a place is a tuple of (code object, instruction) for the user's frames
from the innermost outwards, and each distinct one gets a small number, its *site*. Line
numbers and source text are looked up only when a report asks.
"""

from __future__ import annotations

import linecache
import os
import site as site_module
import sys
import sysconfig
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ipygradmagic.record.source import SourceLocation

CellOf = Callable[[str], "str | None"]
DEPTH = 12
"""At most this many of the user's frames tell one site from another."""
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths[k] for k in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.update(getattr(site_module, "getsitepackages", list)())
    folders.add(site_module.getusersitepackages())
    real = {os.path.realpath(f) for f in folders}
    return tuple(os.path.join(f, "") for f in folders | real if f)


_LIBRARY = _library_folders()
_GENERATED = ("<frozen", "<eval_with_key>", "<__array_function__", "<attrs generated", "<decorator")
_IS_USER: dict[str, bool] = {}


def is_user(code: CodeType) -> bool:
    """Whether code was written by the user: not ours, not in a library, not generated."""
    name = code.co_filename
    known = _IS_USER.get(name)
    if known is None:
        known = not (name.startswith((_PACKAGE, *_LIBRARY)) or name.startswith(_GENERATED))
        _IS_USER[name] = known
    return known


_DECORATORS = {"wrapper", "_no_grad_wrapper", "decorate_context", "inner", "_fn", "_wrapped_call"}
_DECORATORS |= {"_wrapped_call_impl", "_call_impl"}  # ``Module.__call__``


_USER, _SILENT, _LIBRARY_CALL = 0, 1, 2
_KINDS: dict[str, int] = {}


def _kind(name: str, code: CodeType) -> int:
    """What a file's functions are: the user's, not worth naming (ours, the API), a library's."""
    if is_user(code):
        kind = _USER
    else:
        kind = _SILENT if name.startswith(_PACKAGE) or _is_api(name) else _LIBRARY_CALL
    _KINDS[name] = kind
    return kind


def _is_api(filename: str) -> bool:
    """``Tensor.backward``, ``autograd.backward`` and the shells around ``Optimizer.step``."""
    return filename.endswith(_API)


_API = tuple(
    os.path.join("torch", *part)
    for part in (
        ("_tensor.py",),
        ("overrides.py",),
        ("autograd", "__init__.py"),
        ("autograd", "graph.py"),
        ("optim", "optimizer.py"),
        ("utils", "_contextlib.py"),
    )
)


_OPTIM = os.path.join("torch", "optim", "")
_IN_OPTIM: dict[str, bool] = {}


def in_optim(code: CodeType) -> bool:
    """Code of torch's own optimizers: while it runs, a step is at its own work."""
    name = code.co_filename
    known = _IN_OPTIM.get(name)
    if known is None:
        known = _IN_OPTIM[name] = _OPTIM in name and not name.endswith("swa_utils.py")
    return known


class Here(NamedTuple):
    """A place right now: its site, the innermost user frame, and the library call between."""

    site: int
    frame: FrameType | None
    via: CodeType | None


class Sources:
    """Numbers for places, and the way back from a number to a line.

    Args:
        cell_of: Maps a file name to the label of a notebook cell, or None.
    """

    def __init__(self, cell_of: CellOf | None = None) -> None:
        self._cell_of = cell_of
        self._sites: dict[tuple[int, ...], int] = {}
        self._keys: list[tuple[tuple[CodeType, int], ...]] = []
        self._located: dict[int, SourceLocation | None] = {}

    def here(self) -> Here:
        """The place in the user's code that led here."""
        frame: FrameType | None = sys._getframe(1)
        inner: FrameType | None = None
        via: CodeType | None = None
        key: list[int] = []
        kinds = _KINDS
        while frame is not None:
            code = frame.f_code
            name = code.co_filename
            kind = kinds[name] if name in kinds else _kind(name, code)
            if kind == _USER:
                if inner is None:
                    inner = frame
                key.append(id(code))
                key.append(frame.f_lasti)
                if code.co_name == "<module>" or len(key) == 2 * DEPTH:
                    break
            elif inner is None and kind == _LIBRARY_CALL and code.co_name not in _DECORATORS:
                via = code
            frame = frame.f_back
        site = self._sites.get(tuple(key))
        if site is None:
            site = self._number(_codes(inner))
        return Here(site, inner, via)

    def locate(self, site: int) -> SourceLocation | None:
        """The line of a site; None for an unknown one."""
        if site < 0 or site >= len(self._keys) or not self._keys[site]:
            return None
        if site not in self._located:
            self._located[site] = self._describe(self._keys[site])
        return self._located[site]

    def place(self, file: str, line: int) -> SourceLocation:
        """A line of a file, or of a cell."""
        text = linecache.getline(file, line).strip()
        cell = self._cell_of(file) if self._cell_of is not None else None
        return SourceLocation(file, line, text=text, cell=cell)

    def files(self) -> list[str]:
        """The user's files in which something happened that has been located."""
        places = [p for p in self._located.values() if p is not None]
        return list(dict.fromkeys(p.file for q in places for p in (q, q.led_by) if p is not None))

    def cells(self) -> list[str]:
        """The files of the notebook's cells, the newest first."""
        if self._cell_of is None:
            return []
        return [file for file in reversed(linecache.cache) if self._cell_of(file) is not None]

    def known_files(self) -> list[str]:
        """The user's files in which anything happened, and the notebook's cells."""
        here = dict.fromkeys(code.co_filename for key in self._keys for code, _ in key)
        return list(here | dict.fromkeys(self.cells()))

    def lines_run(self, file: str) -> set[int]:
        """The lines of a file that are known to have run."""
        places = {p for key in self._keys for p in key if p[0].co_filename == file}
        return {line_of(code, at) for code, at in places if at >= 0}

    def at_line(self, code: CodeType, line: int) -> int:
        """The site of a given line of a code object's file."""
        return self._number([code, -line])

    def frames(self, site: int) -> tuple[tuple[CodeType, int], ...]:
        """The user's (code object, instruction) pairs of a site, innermost first."""
        return self._keys[site] if 0 <= site < len(self._keys) else ()

    def _number(self, flat: list[Any]) -> int:
        """The site of ``[code, instruction, code, instruction, …]``, innermost first.

        Found by the identity of the code objects (hashing one reads all of it); they are kept in
        the key, so an identity cannot come to denote another one.
        """
        quick = tuple([p if p.__class__ is int else id(p) for p in flat])
        number = self._sites.get(quick)
        if number is None:
            number = self._sites[quick] = len(self._keys)
            self._keys.append(tuple(zip(flat[::2], flat[1::2])))
        return number

    def _describe(self, key: tuple[tuple[CodeType, int], ...]) -> SourceLocation:
        code, instruction = key[0]
        led_by = None
        if len(key) > 1:
            outer, at = key[-1]
            led_by = self._location(outer, line_of(outer, at), None)
        return self._location(code, line_of(code, instruction), led_by)

    def _location(self, code: CodeType, line: int, led_by: SourceLocation | None) -> SourceLocation:
        name = code.co_filename
        cell = None
        if self._cell_of is not None:
            cell = self._cell_of(name)
        return SourceLocation(
            file=name,
            line=line,
            function=getattr(code, "co_qualname", code.co_name),
            text=linecache.getline(name, line).strip(),
            cell=cell,
            led_by=led_by,
        )


def _codes(frame: FrameType | None) -> list[Any]:
    """``[code, instruction, …]`` of the user's frames from this one outwards."""
    found: list[Any] = []
    while frame is not None:
        if is_user(frame.f_code):
            found += [frame.f_code, frame.f_lasti]
            if frame.f_code.co_name == "<module>" or len(found) == 2 * DEPTH:
                break
        frame = frame.f_back
    return found


def line_of(code: CodeType, instruction: int) -> int:
    """The source line of an instruction offset (a negative one is a line already)."""
    if instruction < 0:
        return -instruction
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= instruction < end and number is not None:
            return number
        if number is not None and start <= instruction:
            line = number
    return line

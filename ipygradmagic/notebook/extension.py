"""Loading and unloading: whatever is put into the shell is taken out by the one who put it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.notebook import stopped
from ipygradmagic.notebook.arguments import read_for_cell, words_of
from ipygradmagic.notebook.cell import FirstLine, Preparation
from ipygradmagic.notebook.completion import completer_of
from ipygradmagic.notebook.faults import contained
from ipygradmagic.notebook.magics import GradMagics, parser_of
from ipygradmagic.notebook.memory import Memory
from ipygradmagic.notebook.settings import GradMagic
from ipygradmagic.notebook.tracing import CellTraces
from ipygradmagic.notebook.watch import Watch

_loaded: dict[InteractiveShell, Extension] = {}

_EVENTS = ("pre_execute", "pre_run_cell", "post_execute", "post_run_cell")


def load(ip: object) -> None:
    """Put the magics into the shell; a second call changes nothing."""
    assert isinstance(ip, InteractiveShell)
    if ip not in _loaded:
        _loaded[ip] = Extension(ip)


def unload(ip: object) -> None:
    """Take everything out again; a trace that is running ends here."""
    assert isinstance(ip, InteractiveShell)
    extension = _loaded.pop(ip, None)
    if extension is not None:
        extension.remove()
    api = sys.modules.get("ipygradmagic.api")
    if api is not None and not _loaded:
        with contained("drop the books"):
            api.forget()


def begin(line: str, in_cell: tuple[str, ...] | None = None) -> None:
    """Start the trace of the calling cell; the first line of a traced cell has become this call.

    Args:
        line: What stood behind ``%%trace_grad``.
        in_cell: The identifiers of the cell.

    Raises:
        UsageError: An option or a name is wrong; nothing of the cell has run.
    """
    ip = get_ipython()
    extension = None if ip is None else _loaded.get(ip)
    if extension is not None:
        extension.begin(line, in_cell)


class Extension:
    """Everything of ours in one shell."""

    def __init__(self, ip: InteractiveShell) -> None:
        self._undo: list[Callable[[], object]] = []
        memory = Memory()
        self._watch = Watch(ip, memory)
        self._settings = GradMagic(ip)
        self._magics = GradMagics(ip, memory, self._watch, self._settings)
        self._traces = CellTraces(ip, memory, self._watch)
        self._add_magics(ip)
        self._add(ip.configurables, self._settings)
        self._add(ip.input_transformers_cleanup, FirstLine())
        self._add(ip.ast_transformers, Preparation())
        if ip.Completer is not None:
            self._add(ip.Completer.custom_matchers, completer_of(self._magics))
        for event in _EVENTS:
            self._listen(ip, event)
        self._undo.append(lambda: None if _loaded else stopped.remove())
        stopped.install()

    def begin(self, line: str, in_cell: tuple[str, ...] | None) -> None:
        """Start the trace of the cell two frames up."""
        frame = sys._getframe(2)
        with contained("start the trace"):
            parser = parser_of(self._magics, "trace_grad")
            request = read_for_cell(parser, words_of(line), self._settings.defaults())
            self._traces.begin(request, in_cell, frame)

    def remove(self) -> None:
        """Take it all out, in reverse order."""
        self._traces.finish()
        with contained("end the watch"):
            self._watch.off()
        while self._undo:
            with contained("unload completely"):
                self._undo.pop()()

    def _add_magics(self, ip: InteractiveShell) -> None:
        manager, magics = ip.magics_manager, self._magics
        name = type(magics).__name__
        self._undo.append(lambda: manager.registry.pop(name, None))
        self._undo.append(lambda: _take(ip.configurables, magics))  # Magics adds itself
        for kind, table in magics.magics.items():
            for magic in table:
                self._undo.append(_restorer(manager.magics[kind], magic))
        ip.register_magics(magics)

    def _add(self, place: list[Any], item: object) -> None:
        place.append(item)
        self._undo.append(lambda: _take(place, item))

    def _listen(self, ip: InteractiveShell, event: str) -> None:
        callback = getattr(self._traces, event)
        ip.events.register(event, callback)
        self._undo.append(lambda: ip.events.unregister(event, callback))


def _take(place: list[Any], item: object) -> None:
    """Remove by identity; the reader's own objects may compare equal to anything."""
    for i, other in enumerate(place):
        if other is item:
            del place[i]
            return


def _restorer(table: dict[str, object], magic: str) -> Callable[[], object]:
    """Give the magic's name back to whoever had it before."""
    missing = object()
    previous = table.get(magic, missing)

    def restore() -> None:
        if previous is missing:
            table.pop(magic, None)
        else:
            table[magic] = previous

    return restore

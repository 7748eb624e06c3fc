"""The tracer: everything installed by ``start``, everything restored by ``stop``."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch

from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.books import Books
from ipygradmagic.capture.byhand import HandWatch
from ipygradmagic.capture.harvest import harvest
from ipygradmagic.capture.intercept import Interception
from ipygradmagic.capture.optimizers import OptimizerWatch
from ipygradmagic.capture.source import CellOf, Here
from ipygradmagic.capture.watch import Watch
from ipygradmagic.errors import NestedTraceError
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Meta, Trace

_RUNNING: list[Tracer] = []


def running_watch() -> Watch | None:
    """The watch of the trace that is running, if one is."""
    return _RUNNING[0]._watch if _RUNNING else None


class Tracer:
    """Watches one run.

    Args:
        books: The books to keep; they outlive the tracer.
        options: What to record.
        namespace: The variables in which leaves are looked for and names are found.
        title: What is traced, for the report.
        cell_of: Maps a file name to the label of a notebook cell, or None.
    """

    def __init__(
        self,
        books: Books,
        options: Options,
        namespace: Mapping[str, object],
        title: str = "",
        cell_of: CellOf | None = None,
    ) -> None:
        self.options = options
        self.title = title
        self._books = books
        self._watch = Watch(books, namespace, cell_of)
        self._backward = BackwardWatch(self._watch, options.graph)
        optimizers = OptimizerWatch(self._watch, self._backward)
        hand = HandWatch(self._watch, self._backward, optimizers)
        self._optimizers = optimizers
        self._interception = Interception(self._backward, optimizers, hand)
        self._began = 0.0

    def start(self) -> None:
        """Install the interception and look at what there is.

        Raises:
            NestedTraceError: Another trace is running in this process.
        """
        if _RUNNING:
            raise NestedTraceError(
                f"a trace is running already ({_RUNNING[0].title or 'trace()'}); "
                "end it before starting another"
            )
        with self._watch.guard():
            self._books.open()
            self._books.discard_unclaimed()
            self._watch.rebind(self._watch.discovery.survey(), _NOWHERE)
        self._interception.install()
        _RUNNING.append(self)
        self._began = time.perf_counter()

    def stop(self, error: BaseException | None = None) -> Trace:
        """Restore everything and hand over what was recorded; faults of ours are warnings."""
        seconds = time.perf_counter() - self._began
        interrupt = self._restore()
        watch = self._watch
        watch.running = False
        meta = Meta(self.title, torch.__version__, seconds, self.options.names)
        trace = Trace(meta=meta)
        with watch.guard():
            self._last_look()
        with watch.guard():
            trace = harvest(watch, meta, error, self._backward.freed_by)
        with watch.guard():
            for event in sorted(watch.recorder.kept(), key=lambda e: e.index):
                for change in event.changes:
                    if change.changed:
                        change.leaf.since = watch.sources.locate(event.site)
            watch.ledger.close(watch.sources.locate)
            self._books.close()
        watch.discovery.forget()
        watch.optimizers.clear()
        lost = [
            f"{name} was wrapped by someone else during the trace"
            for name in self._interception.lost
        ]
        extra = tuple(w for w in (*watch.warnings, *lost) if w not in trace.warnings)
        if interrupt is not None:
            raise interrupt
        return trace.with_findings(trace.findings, extra)

    def _restore(self) -> KeyboardInterrupt | None:
        """Torch as it was, whatever interrupts; an interrupt is kept for later."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                self._interception.restore()
                _RUNNING[:] = [t for t in _RUNNING if t is not self]
                return interrupt
            except KeyboardInterrupt as error:
                interrupt = error

    def _last_look(self) -> None:
        watch = self._watch
        while watch.local.steps:
            self._optimizers.prune()
            if watch.local.steps:
                watch.local.steps.pop()
        watch.local.passes.clear()
        watch.recorder.close_bursts()
        watch.unseen(_NOWHERE)
        watch.rebind(watch.discovery.survey(), _NOWHERE)
        watch.recorder.close_bursts()
        watch.discovery.name_all_again()


_NOWHERE = Here(-1, None, None)

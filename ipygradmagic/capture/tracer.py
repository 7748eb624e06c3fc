"""The tracer: everything installed by ``start``, everything restored by ``stop``."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import FrameType

import torch

from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.books import Books
from ipygradmagic.capture.byhand import HandWatch
from ipygradmagic.capture.calls import CallWatch
from ipygradmagic.capture.harvest import harvest, results
from ipygradmagic.capture.intercept import Interception
from ipygradmagic.capture.live import Live
from ipygradmagic.capture.optimizers import OptimizerWatch
from ipygradmagic.capture.source import CellOf, Here
from ipygradmagic.capture.streaming import StreamedRecorder
from ipygradmagic.capture.strict import Gate, Judge, strict_watchers
from ipygradmagic.capture.teaching import Teaching
from ipygradmagic.capture.watch import Watch
from ipygradmagic.errors import NestedTraceError
from ipygradmagic.language import language
from ipygradmagic.options import Options
from ipygradmagic.record.progress import Progress
from ipygradmagic.record.stream import Stream
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
        home: The frame whose end is the end of the trace, where there is one.
        judge: What the diagnosis finds in a trace; asked while the code runs, if the trace is
            strict or somebody waits for it.
    """

    def __init__(
        self,
        books: Books,
        options: Options,
        namespace: Mapping[str, object],
        title: str = "",
        cell_of: CellOf | None = None,
        home: FrameType | None = None,
        judge: Judge | None = None,
    ) -> None:
        self.options = options
        self.title = title
        self.owner: Callable[[], object] = lambda: self
        self._meta = Meta(
            title,
            torch.__version__,
            names=options.names,
            ignore=options.ignore,
            lang=language(options.lang),
        )
        self._home = home
        self._active = self._stopping = False
        self._stream: Stream | None = None
        self._books = books
        self._watch = Watch(books, namespace, cell_of)
        self._watch.teams.read = options.level == "full"
        self._live = Live(self._watch, judge, self._meta) if judge is not None else None
        judge = judge if options.strict else None
        self._backward, self._optimizers, hand = self._watchers(judge)
        self._backward.saved = options.saved
        if options.teach:
            self._backward.teaching = Teaching(self._watch.fault)
        self._calls = CallWatch(self._watch)
        self._backward.kept = self._calls.kept_graph
        self._optimizers.scaled = self._calls.scaled
        self._interception = Interception(self._backward, self._optimizers, hand, self._calls)
        self._began = 0.0

    def _watchers(self, judge: Judge | None) -> tuple[BackwardWatch, OptimizerWatch, HandWatch]:
        """Of backward passes, of optimizers, and of what is done by hand."""
        watch, graph = self._watch, self.options.graph
        if judge is not None:
            return strict_watchers(watch, graph, Gate(watch, judge, self._meta))
        backward = BackwardWatch(watch, graph)
        optimizers = OptimizerWatch(watch, backward)
        return backward, optimizers, HandWatch(watch, backward, optimizers)

    def start(self) -> None:
        """Install the interception and look at what there is.

        Raises:
            NestedTraceError: Another trace is running in this process.
            OptionError: The file to save to cannot be made.
        """
        for other in tuple(_RUNNING):
            if other.stale():
                other.abandon()
        if _RUNNING:
            raise NestedTraceError(
                f"a trace is running already ({_RUNNING[0].title or 'trace()'}); "
                "end it before starting another"
            )
        if self.options.save is not None:
            self._stream = Stream(self.options.save)
            self._watch.recorder = StreamedRecorder(self._stream, self._watch.sources)
        self._active = True
        try:
            _RUNNING.append(self)
            with self._watch.guard():
                self._books.open()
                self._books.discard_unclaimed()
                self._watch.rebind(self._watch.discovery.survey(), _NOWHERE)
                self._watch.discovery.results = results(self._watch)
            self._interception.install()
            if self._backward.teaching is not None:
                self._backward.teaching.enter()
        except BaseException:
            if self._stream is not None:
                self._stream.discard()
            self.abandon()
            raise
        self._began = time.perf_counter()

    def progress(self) -> Progress:
        """How far the traced code has come; may be asked from any thread."""
        return self._live.progress() if self._live is not None else Progress()

    def stop(self, error: BaseException | None = None) -> Trace:
        """Restore everything and hand over what was recorded; faults of ours are warnings.

        Raises:
            KeyboardInterrupt: One came meanwhile; everything is restored all the same.
        """
        seconds = time.perf_counter() - self._began
        interrupt = _insist(self._restore)
        meta = replace(self._meta, seconds=seconds)
        trace = Trace(meta=meta)
        try:
            trace = self._record(trace, error)
        except KeyboardInterrupt as another:
            interrupt = another
        interrupt = _insist(self._let_go) or interrupt
        lost = [
            f"{name} was wrapped by someone else during the trace"
            for name in self._interception.lost
        ]
        extra = tuple(w for w in (*self._watch.warnings, *lost) if w not in trace.warnings)
        if interrupt is not None:
            raise interrupt
        return trace.with_findings(trace.findings, extra)

    def stale(self) -> bool:
        """Whether it should have been stopped, but Ctrl-C came at the very moment.

        Python cannot hold Ctrl-C back at the first instruction of an ``__exit__``; such a trace is
        recognised by who started it: gone, or a function that has returned.
        """
        home = self._home
        done = home is not None and not home.f_code.co_flags & _SUSPENDS and not _on_a_stack(home)
        return self._stopping or done or self.owner() is None

    def abandon(self) -> None:
        """Restore everything and record nothing; nothing happens if that is done already."""
        if not self._active:
            return
        interrupt = _insist(self._restore)
        interrupt = _insist(self._let_go) or interrupt
        if interrupt is not None:
            raise interrupt

    def _restore(self) -> None:
        self._stopping = True
        if self._backward.teaching is not None:
            self._backward.teaching.leave()
            self._backward.teaching = None
        self._interception.restore()
        _RUNNING[:] = [t for t in _RUNNING if t is not self]
        self._watch.running = False

    def _record(self, trace: Trace, error: BaseException | None) -> Trace:
        """What was recorded, in order; a part that fails costs only itself."""
        watch = self._watch
        with watch.guard():
            self._last_look()
        with watch.guard():
            self._calls.last_look(self._backward.past)
        with watch.guard():
            running = self._home.f_code.co_filename if self._home is not None else ""
            trace = harvest(watch, trace.meta, error, self._backward.freed_by, running)
        with watch.guard():
            for event in sorted(watch.recorder.kept(), key=lambda e: e.index):
                for change in event.changes:
                    if change.changed:
                        change.leaf.since = watch.sources.locate(event.site)
        if self._stream is not None:
            self._stream.close()
            if self._stream.warning is not None:
                watch.warnings.append(self._stream.warning)
            else:
                trace = replace(trace, notes=(*trace.notes, self._stream.summary))
        return trace

    def _let_go(self) -> None:
        """Keep of the user's tensors what can be kept without holding any of them."""
        watch = self._watch
        if self._stream is not None:
            self._stream.close()
        with watch.guard():
            watch.ledger.close(watch.sources.locate)
            self._books.close()
        with watch.guard():
            watch.discovery.forget()
        watch.optimizers.clear()
        watch.built.clear()
        self._home = None
        watch.local.depth = watch.local.quiet = 0  # where Ctrl-C cut the end of a guard short
        watch.local.unshield()
        self._active = False

    def _last_look(self) -> None:
        watch = self._watch
        while watch.local.steps:
            self._optimizers.prune()
            if watch.local.steps:
                self._optimizers.leave(watch.local.steps.pop())
        watch.local.passes.clear()
        watch.recorder.close_bursts()
        watch.unseen(_NOWHERE)
        watch.rebind(watch.discovery.survey(), _NOWHERE)
        watch.recorder.close_bursts()
        watch.discovery.name_all_again()


def _insist(on: Callable[[], None]) -> KeyboardInterrupt | None:
    """Call it until it has come to its end, whatever interrupts; the interrupt is for later."""
    interrupt: KeyboardInterrupt | None = None
    while True:
        try:
            on()
            return interrupt
        except KeyboardInterrupt as error:
            interrupt = error


def _on_a_stack(wanted: FrameType) -> bool:
    """Whether some thread is still in that frame, or in a call from it."""
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            if frame is wanted:
                return True
            frame = frame.f_back
    return False


_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
"""Code whose frame may be on no stack and yet go on later."""
_NOWHERE = Here(-1, None, None)

"""capture → diagnose → render, usable without IPython."""

from __future__ import annotations

import dis
import os
import sys
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Literal

import numpy as np

from ipygradmagic.capture.books import Books
from ipygradmagic.capture.cells import cell_namer
from ipygradmagic.capture.names import variables
from ipygradmagic.capture.rehearsal import last_values as _last_values
from ipygradmagic.capture.survey import survey
from ipygradmagic.capture.tracer import Tracer
from ipygradmagic.diagnose.diagnosis import diagnose
from ipygradmagic.diagnose.explain import refuse_unknown
from ipygradmagic.errors import GradientLifecycleError, GradMagicError, OptionError
from ipygradmagic.language import speaking
from ipygradmagic.options import Options
from ipygradmagic.record.events import Event
from ipygradmagic.record.findings import Finding, Silenced
from ipygradmagic.record.progress import Progress
from ipygradmagic.record.tensors import TensorInfo
from ipygradmagic.record.trace import Trace
from ipygradmagic.record.whatif import Comparison
from ipygradmagic.render.alarm import Alarm, alarm_view
from ipygradmagic.render.diff import diff_view
from ipygradmagic.render.moment import moment_view
from ipygradmagic.render.pictures import scenes_of, state_scene
from ipygradmagic.render.report import report_view, state_view
from ipygradmagic.render.saving import refuse_existing, save, speaks
from ipygradmagic.render.shown import Report
from ipygradmagic.render.telling import width
from ipygradmagic.render.whatif import whatif_view

CellOf = Callable[[str], "str | None"]
_BOOKS: list[Books] = []
_GIVING_WAY: list[Callable[[], Callable[[], None]]] = []
"""Of the running trace, if it is one that gives way: ends it; what that returns starts it again."""


def _books() -> Books:
    """The one set of books of this process."""
    if not _BOOKS:
        _BOOKS.append(Books())
    return _BOOKS[0]


def forget() -> None:
    """Drop the books: nothing is known of earlier cells any more."""
    _BOOKS.clear()


def last_values(most: int) -> dict[str, np.ndarray]:
    """The leaves of the running trace as they are now, flat and by name.

    Args:
        most: Elements in all; leaves for which there is no room are left out.
    """
    return _last_values(_books(), most)


class Session:
    """One traced run: ``start``, then ``stop``, which restores everything and diagnoses.

    Args:
        options: What to record and show.
        namespace: The variables of the traced code.
        title: What is traced, for the report.
        cell_of: Maps a file name to the label of a notebook cell, or None.
        home: The frame at whose end the run is over at the latest, or None.

    Attributes:
        gives_way: Set by a trace that yields to any other one: a function that ends it, and returns
            the function that starts it again once the other is over.

    Raises:
        OptionError: A finding that is to be ignored does not exist, or the file for the
            picture exists already.
    """

    def __init__(
        self,
        options: Options,
        *,
        namespace: Mapping[str, object],
        title: str = "",
        cell_of: CellOf | None = None,
        home: FrameType | None = None,
    ) -> None:
        refuse_unknown(options.ignore)
        if options.save_graph is not None:
            refuse_existing(options.save_graph)
        self.options = options
        self.gives_way: Callable[[], Callable[[], None]] | None = None
        self._go_on: Callable[[], None] | None = None
        self._tracer = Tracer(_books(), options, namespace, title, cell_of, home, _found_in)
        self._tracer.owner = weakref.ref(self)

    def start(self) -> None:
        """Begin to watch.

        Raises:
            NestedTraceError: Another trace is running in this process.
            OptionError: The file to save to cannot be made.
        """
        if _GIVING_WAY:
            self._go_on = _GIVING_WAY.pop()()
        try:
            self._tracer.start()
        except BaseException:
            self._after()
            raise
        if self.gives_way is not None:
            _GIVING_WAY[:] = [self.gives_way]

    def progress(self) -> Progress:
        """How far the code has come; may be asked from any thread while it runs."""
        return self._tracer.progress()

    def stop(self, error: BaseException | None = None) -> Trace:
        """Restore torch; the trace with its diagnosis. ``error`` is what ended the code."""
        try:
            with speaking(self.options.lang):
                return diagnose(self._tracer.stop(error))
        finally:
            self._after()

    def abandon(self) -> None:
        """Restore torch without a trace; nothing happens if it is restored already."""
        self._tracer.abandon()
        self._after()

    def _after(self) -> None:
        """It is over; whoever gave way to it goes on."""
        if self.gives_way in _GIVING_WAY:
            _GIVING_WAY.clear()
        go_on, self._go_on = self._go_on, None
        if go_on is not None:
            go_on()


def _found_in(trace: Trace) -> tuple[Finding, ...]:
    return diagnose(trace).findings


def report(trace: Trace, options: Options | None = None) -> Report:
    """The report of a trace."""
    options = options or Options(names=trace.meta.names)
    said = trace.meta.lang
    drawn = speaks("picture.png", said) if options.format == "png" else said
    with speaking(said):
        view = report_view(trace, options)
    if drawn == said:
        return Report(view)
    with speaking(drawn):
        return Report(view, report_view(trace, options))


def alarm(trace: Trace, options: Options) -> Alarm:
    """What a watch says of a trace with an alarm: one line, and the report folded below."""
    with speaking(trace.meta.lang):
        return Alarm(alarm_view(trace), report_view(trace, options))


def moment(progress: Progress) -> Report:
    """One line about a run that goes on, and one for each error that is certain."""
    with speaking(progress.lang):
        return Report(moment_view(progress))


def difference(before: Trace, after: Trace, codes: tuple[str, str]) -> Report:
    """Two traced runs of a cell, side by side; ``codes`` are theirs."""
    with speaking(after.meta.lang):
        return Report(diff_view(before, after, codes))


def save_picture(trace: Trace, options: Options) -> None:
    """Write the first picture of a trace to the file that the options name, if they name one.

    Raises:
        OptionError: There is no graph, or the file cannot be made.
        LayoutUnavailableError: There is no layout program, or it cannot write such a file.
    """
    if options.save_graph is None:
        return
    with speaking(speaks(options.save_graph, trace.meta.lang)):
        scenes = scenes_of(trace, options.backward)
        if not scenes:
            raise OptionError("save_graph: there was no backward, so there is no graph to save")
        title, scene = scenes[0]
        save(scene, title, options.save_graph, options.depth)


def compared(comparison: Comparison, lang: str = "auto") -> Report:
    """Two runs of a cell, as written and as patched, side by side."""
    with speaking(lang):
        return Report(whatif_view(comparison))


def look(
    namespace: Mapping[str, object],
    expressions: Mapping[str, object] | None = None,
    *,
    graph: tuple[str, object] | None = None,
    options: Options | None = None,
    cell_of: CellOf | None = None,
) -> Report:
    """The state of the gradients right now, as a report.

    Args:
        namespace: Variables to look through.
        expressions: Only these, as ``{text: value}``; None or empty looks through the namespace.
        graph: ``(text, tensor)`` whose autograd graph is to be drawn.
        options: How to show it.
        cell_of: Maps a file name to the label of a notebook cell, or None.

    Raises:
        OptionError: An expression is no tensor, module, optimizer or container of them; or the
            file for the picture cannot be made.
        LayoutUnavailableError: There is no layout program to write that file.
    """
    options = options or Options()
    if options.save_graph is not None:
        if graph is None:
            raise OptionError("save_graph needs a graph: name a tensor, such as --graph loss")
        refuse_existing(options.save_graph)
    with speaking(options.lang):
        state = survey(_books(), namespace, expressions or {}, graph, cell_of, options.saved)
        scene = state_scene(state)
        if options.save_graph is not None and scene is not None:
            with speaking(speaks(options.save_graph, options.lang)):
                save(scene, scene.graph.title, options.save_graph, options.depth)
        return Report(state_view(state, options))


@dataclass
class TraceBlock:
    """``with trace() as t:`` does in a script or a test what ``%%trace_grad`` does in a cell.

    After the block, ``t.events``, ``t.findings``, ``t.tensors`` and ``print(t)`` show what
    happened; ``t.trace`` is the plain record. An exception in the block goes on as usual.

    Args:
        names: Tensors to show, by name or pattern; all if empty.
        namespace: Where to look for tensors; the caller's variables by default.
        title: What is traced, for the report.
        rows: Most rows of the timeline.
        graph: Keep the autograd graph of every backward line.
        save: File to which every event is written as it happens (``run.jsonl``,
            ``run.jsonl.gz``, ``run.parquet``); it must not exist yet. For the columns see
            :mod:`ipygradmagic.record.stream`.
        level: ``full``, or ``events``: which lines did what and the verdict, without the numbers
            of a model that an optimizer steps.
        ignore: Findings to silence, by name; ``t.silenced`` has them.
        strict: Stop at the first finding of severity *error*, before the step that it is about, or
            right after the update by hand.
        teach: Draw what passes through small graphs: the result of every operation, and the gradient
            that arrives there.
        saved: Say of each operation in the picture what it keeps for the backward.
        depth: Levels of module names that the picture of a large model opens.
        backward: Number of the one backward whose picture is shown.
        save_graph: File to which the first picture is written (``.svg``, ``.png``, ``.dot``) at
            the end of the block; it must not exist yet.
        lang: Language of findings and report: ``en``, ``zh``, or ``auto`` (that of the locale).

    Raises:
        NestedTraceError: Another trace is running in this process.
        OptionError: An option does not fit, or the file to save to cannot be made.
        LayoutUnavailableError: There is no layout program to write ``save_graph`` with.
        GradientLifecycleError: The trace is strict, and the code in the block made an error.
    """

    names: tuple[str, ...] | str = ()
    namespace: Mapping[str, object] | None = None
    title: str = ""
    rows: int = 40
    graph: bool = True
    save: str | os.PathLike[str] | None = None
    level: str = "full"
    ignore: tuple[str, ...] | str = ()
    strict: bool = False
    teach: bool = False
    saved: bool = False
    depth: int | None = None
    backward: int | None = None
    save_graph: str | os.PathLike[str] | None = None
    lang: str = "auto"
    trace: Trace = field(default_factory=Trace, init=False)
    _session: Session | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> TraceBlock:
        if self._session is not None:  # Ctrl-C kept its last ``__exit__`` from running
            self._leave()
        caller = sys._getframe(1)
        namespace = self.namespace if self.namespace is not None else _Variables(caller)
        home = caller if _is_with(caller) else None
        session = Session(
            self.options,
            namespace=namespace,
            title=self.title,
            cell_of=cell_namer(),
            home=home,
        )
        try:
            session.start()
            self._session = session
            return self
        except BaseException:
            self._session = None
            session.abandon()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            if self._session is not None:
                self.trace = self._session.stop(error)
                with suppress(*([GradMagicError] if error is not None else [])):
                    save_picture(self.trace, self.options)
        finally:
            self._leave()
            if isinstance(error, GradientLifecycleError):
                error.end_at_user()

    def _leave(self) -> None:
        """Whatever interrupted ``stop``, torch is restored."""
        session, self._session = self._session, None
        if session is not None:
            session.abandon()

    @property
    def options(self) -> Options:
        """The options of this trace."""
        return Options(
            names=tuple([self.names] if isinstance(self.names, str) else self.names),
            rows=self.rows,
            graph=self.graph,
            save=None if self.save is None else os.fspath(self.save),
            level=self.level,
            ignore=(self.ignore,) if isinstance(self.ignore, str) else tuple(self.ignore),
            strict=self.strict,
            teach=self.teach,
            saved=self.saved,
            depth=self.depth,
            backward=self.backward,
            save_graph=None if self.save_graph is None else os.fspath(self.save_graph),
            lang=self.lang,
        )

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that were kept (see ``Trace.total``)."""
        return self.trace.events

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The diagnosis, most severe first."""
        return self.trace.findings

    @property
    def silenced(self) -> tuple[Silenced, ...]:
        """Findings that an option or a comment keeps from being told."""
        return self.trace.silenced

    @property
    def tensors(self) -> tuple[TensorInfo, ...]:
        """Every tensor concerned."""
        return self.trace.tensors

    def to_dict(self) -> dict[str, object]:
        """The record as plain data; ``Trace.from_dict`` reads it back."""
        return self.trace.to_dict()

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report as one file; see :meth:`Trace.to_html`."""
        self._ended("to_html").to_html(path)

    def to_dataframe(self, library: Literal["pandas", "polars"] | None = None) -> Any:
        """The kept events as a data frame; see :meth:`Trace.to_dataframe`."""
        return self._ended("to_dataframe").to_dataframe(library)

    def assert_clean(self, allow: Collection[str] = ()) -> None:
        """Fail if a finding is an error or a warning; see :meth:`Trace.assert_clean`."""
        __tracebackhide__ = True
        self._ended("assert_clean").assert_clean(allow)

    def _ended(self, asked: str) -> Trace:
        """Before the end of the block there is no trace, so nothing wrong could be in it."""
        if self._session is not None:
            raise GradMagicError(
                f"{asked}() inside the traced block sees nothing yet; call it after the block"
            )
        return self.trace

    def report(self) -> Report:
        """The report, as HTML or text."""
        return report(self.trace, self.options)

    def _repr_html_(self) -> str:
        return self.report().html()

    def __repr__(self) -> str:
        return repr(self.trace)

    def __str__(self) -> str:
        return self.report().text(width())


def _is_with(frame: FrameType) -> bool:
    """Whether the frame is at a ``with`` statement of its own (not in a call of ``__enter__``)."""
    code = frame.f_code.co_code
    return dis.opname[code[frame.f_lasti]] in ("BEFORE_WITH", "SETUP_WITH")


trace = TraceBlock
"""Reads as a verb where it is used: ``with trace() as t:``."""


class _Variables(Mapping[str, object]):
    """The variables that a frame sees, its own over its module's, read when asked for."""

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame
        self.globals = frame.f_globals

    def _now(self) -> dict[str, object]:
        return {**self._frame.f_globals, **variables(self._frame)}

    def __getitem__(self, name: str) -> object:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


def grad_state(
    *expressions: object,
    graph: object | None = None,
    namespace: Mapping[str, object] | None = None,
    depth: int | None = None,
    save_graph: str | os.PathLike[str] | None = None,
    saved: bool = False,
    lang: str = "auto",
) -> Report:
    """The state of the gradients of the caller's variables, or of the given things.

    Args:
        expressions: Tensors, modules, optimizers or containers of them.
        graph: A tensor whose autograd graph is to be drawn.
        namespace: Where to look for tensors and names; the caller's variables by default.
        depth: Levels of module names that the picture of a large model opens.
        save_graph: New file to which the picture is written (``.svg``, ``.png``, ``.dot``).
        saved: Say of each operation in the picture what it keeps for the backward.
        lang: Language of the report: ``en``, ``zh``, or ``auto`` (that of the locale).
    """
    if namespace is None:
        namespace = _Variables(sys._getframe(1))
    chosen = {_name_in(namespace, thing): thing for thing in expressions}
    drawn = (_name_in(namespace, graph), graph) if graph is not None else None
    file = None if save_graph is None else os.fspath(save_graph)
    options = Options(depth=depth, save_graph=file, saved=saved, lang=lang)
    return look(namespace, chosen, graph=drawn, options=options, cell_of=cell_namer())


def _name_in(namespace: Mapping[str, object], thing: object) -> str:
    return next((n for n, v in namespace.items() if v is thing), type(thing).__name__)

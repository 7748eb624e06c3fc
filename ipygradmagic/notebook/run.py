"""One trace of one piece of code, from its start to its report."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.errors import GradMagicError, NestedTraceError, OptionError
from ipygradmagic.notebook.arguments import Request
from ipygradmagic.notebook.faults import contained, uninterrupted, warn
from ipygradmagic.notebook.fix import offer
from ipygradmagic.notebook.live import Line, looked_at
from ipygradmagic.notebook.memory import Memory
from ipygradmagic.notebook.publish import Readable, publish

if TYPE_CHECKING:
    from ipygradmagic.api import Session
    from ipygradmagic.record.trace import Trace


def raw_cell(shell: InteractiveShell) -> str:
    """The running cell as the user wrote it."""
    history = shell.history_manager
    return history.input_hist_raw[-1] if history is not None and history.input_hist_raw else ""


def _moment(session: Session) -> Readable:
    from ipygradmagic.api import moment

    return moment(session.progress())


def number_of(shell: InteractiveShell, filename: str) -> int | None:
    """Execution number of the cell whose code goes by that filename."""
    known: dict[str, int] = getattr(shell.compile, "_filename_map", {})
    return known.get(filename)


def current_number(shell: InteractiveShell) -> int:
    """Execution number of the running cell; the shell's own counter is one ahead by then."""
    history = shell.history_manager
    return max(1, len(history.input_hist_raw) - 1) if history is not None else 1


def cell_namer(
    shell: InteractiveShell, *, running: str = "", number: int | None = None
) -> Callable[[str], str | None]:
    """The function that maps a code's filename to ``In [3]``.

    Args:
        running: Filename of the running code, where IPython has no number for it
            (``<timed exec>``).
        number: Of the running cell, where IPython cannot tell yet.
    """
    now = number or current_number(shell)

    def cell_of(filename: str) -> str | None:
        number = number_of(shell, filename)
        if number is None and running and filename == running:
            number = now
        return None if number is None else f"In [{number}]"

    return cell_of


class Run:
    """A session of ours around code of the user's; a fault on our side is a warning.

    Args:
        shell: Whose namespace, and where the report goes.
        request: Options, and where to store the trace.
        filename: Of the traced code.
        memory: Where the trace is remembered.
        failed: Numbers of the cells that raised.
        code: The traced code as the user wrote it; that of the running cell if empty.
        number: Of the cell, where IPython cannot tell yet.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        request: Request,
        filename: str,
        memory: Memory,
        *,
        failed: Collection[int] = (),
        code: str = "",
        number: int | None = None,
    ) -> None:
        self._shell = shell
        self._request = request
        self._filename = filename
        self._memory = memory
        self._failed = failed
        self._code = code
        self._session: Session | None = None
        self._line: Line | None = None
        self._speaks = request.live and not code and looked_at(shell)
        number = number or number_of(shell, filename) or current_number(shell)
        self._title = f"In [{number}]"
        self._cell_of = cell_namer(shell, running=filename, number=number)

    def start(self) -> None:
        """Start tracing, if that can be done.

        Raises:
            UsageError: The file to save to cannot be made, or a finding to ignore does not
                exist; nothing of the code has run.
        """
        interrupted = False
        with contained("trace this"):
            try:
                session = self._new_session()
                with uninterrupted() as asked:
                    session.start()
                    self._session = session
                    interrupted = asked()
            except NestedTraceError:
                self._refused()
            except OptionError as error:
                raise UsageError(str(error)) from None
        if interrupted:
            raise KeyboardInterrupt
        if self._speaks and self._session is not None:
            with contained("show a line while the code runs"):
                self._line = Line(partial(_moment, self._session))

    def _refused(self) -> None:
        warn("a trace is running already, so this code runs without one of its own")

    def _new_session(self) -> Session:
        from ipygradmagic.api import Session  # torch, only now that someone traces

        return Session(
            self._request.options,
            namespace=self._shell.user_ns,
            title=self._title,
            cell_of=self._cell_of,
        )

    def finish(self, error: BaseException | None = None) -> None:
        """End the trace, store it and publish the report.

        Args:
            error: What ended the traced code, if anything did.
        """
        session, line = self._session, self._line
        trace: Trace | None = None
        if line is not None:
            self._line = None
            with contained("take the line away"):
                line.end()
        if session is not None:
            with uninterrupted():
                with contained("finish the trace"):
                    trace = session.stop(error)
                self._session = None
                with contained("restore torch"):
                    session.abandon()  # which is done already, unless ``stop`` failed
        if trace is not None:
            try:
                with contained("show the report"):
                    self._deliver(trace)
            except KeyboardInterrupt:  # the cell is over: there is nothing else to interrupt
                warn("interrupted, so there is no report")

    def _keep(self, trace: Trace) -> None:
        """For ``--last``, and under the name that was asked for."""
        code = self._code or raw_cell(self._shell)
        self._memory.add(trace, self._request.options, code)
        if self._request.output is not None:
            self._shell.user_ns[self._request.output] = trace

    def _deliver(self, trace: Trace) -> None:
        from ipygradmagic.api import report

        self._keep(trace)
        options = self._request.options
        publish(self._shell, report(trace, options), options.format, whole=False)
        if options.save_graph is not None:
            self._save_picture(trace)
        if self._request.fix:
            offer(self._shell, raw_cell(self._shell), self._filename, trace)
        if self._request.what_if:
            with contained("compare the cell with its patch"):
                self._compare(trace)

    def _save_picture(self, trace: Trace) -> None:
        from ipygradmagic.api import save_picture

        try:
            save_picture(trace, self._request.options)
        except GradMagicError as error:  # too late to refuse: the code has run
            warn(f"the picture was not saved: {error}")

    def _compare(self, trace: Trace) -> None:
        """Run the cell as written and as patched, in processes of their own."""
        from ipygradmagic.api import compared
        from ipygradmagic.notebook.whatif.compare import what_if

        comparison = what_if(
            self._shell,
            trace,
            cell=raw_cell(self._shell),
            filename=self._filename,
            failed=self._failed,
            limit=self._request.time_limit,
        )
        if comparison is not None:
            publish(
                self._shell,
                compared(comparison, self._request.options.lang),
                self._request.options.format,
            )

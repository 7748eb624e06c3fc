"""One trace of one piece of code, and which cell it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

from ipygradmagic.errors import GradMagicError, NestedTraceError, OptionError
from ipygradmagic.notebook import cell as cells
from ipygradmagic.notebook import names
from ipygradmagic.notebook.arguments import Request
from ipygradmagic.notebook.faults import contained, uninterrupted, warn
from ipygradmagic.notebook.fix import offer
from ipygradmagic.notebook.publish import publish

if TYPE_CHECKING:
    from ipygradmagic.api import Session
    from ipygradmagic.record.trace import Trace


def number_of(shell: InteractiveShell, filename: str) -> int | None:
    """Execution number of the cell whose code goes by that filename."""
    known: dict[str, int] = getattr(shell.compile, "_filename_map", {})
    return known.get(filename)


def current_number(shell: InteractiveShell) -> int:
    """Execution number of the running cell; the shell's own counter is one ahead by then."""
    history = shell.history_manager
    return max(1, len(history.input_hist_raw) - 1) if history is not None else 1


def cell_namer(shell: InteractiveShell, *, running: str = "") -> Callable[[str], str | None]:
    """The function that maps a code's filename to ``In [3]``.

    Args:
        running: Filename of the running code, where IPython has no number for it
            (``<timed exec>``).
    """
    now = current_number(shell)

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
        failed: Numbers of the cells that raised.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        request: Request,
        filename: str,
        failed: Collection[int] = (),
    ) -> None:
        self._shell = shell
        self._request = request
        self._filename = filename
        self._failed = failed
        self._session: Session | None = None
        number = number_of(shell, filename) or current_number(shell)
        self._title = f"In [{number}]"
        self._cell_of = cell_namer(shell, running=filename)

    def start(self) -> None:
        """Start tracing, if that can be done.

        Raises:
            UsageError: The file to save to cannot be made, or a finding to ignore does not
                exist; nothing of the code has run.
        """
        interrupted = False
        with contained("trace this"):
            from ipygradmagic.api import Session  # torch, only now that someone traces

            try:
                session = Session(
                    self._request.options,
                    namespace=self._shell.user_ns,
                    title=self._title,
                    cell_of=self._cell_of,
                )
                with uninterrupted() as asked:
                    session.start()
                    self._session = session
                    interrupted = asked()
            except NestedTraceError:
                warn("a trace is running already, so this code runs without one of its own")
            except OptionError as error:
                raise UsageError(str(error)) from None
        if interrupted:
            raise KeyboardInterrupt

    def finish(self, error: BaseException | None = None) -> None:
        """End the trace, store it and publish the report.

        Args:
            error: What ended the traced code, if anything did.
        """
        session = self._session
        trace: Trace | None = None
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

    def _deliver(self, trace: Trace) -> None:
        from ipygradmagic.api import report

        if self._request.output is not None:
            self._shell.user_ns[self._request.output] = trace
        options = self._request.options
        publish(self._shell, report(trace, options), options.format)
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
            publish(self._shell, compared(comparison), self._request.options.format)


@dataclass(eq=False)
class RunningCell:
    """A cell between its start and its end.

    Attributes:
        info: How IPython refers to it; a silent cell is never introduced.
        ended: Its code has ended, and only the announcement of its result is missing.
    """

    info: ExecutionInfo | None = None
    ended: bool = False


class CellTraces:
    """Starts a trace when a cell says so, ends it when that very cell ends.

    A cell can run other cells (``%run notebook.ipynb``, ``%%capture``), whose ends must not be
    taken for its own; so the running cells are kept as a stack.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._running: list[RunningCell] = []
        self._run: Run | None = None
        self._owner: RunningCell | None = None
        self._filename = ""
        self._lent = ""
        self._failed: set[int] = set()

    def pre_execute(self) -> None:
        """IPython: a cell is about to run."""
        while self._running and self._running[-1].ended:
            self._end(self._running[-1])  # whose result was never announced
        if self._owner is not None and self._owner not in self._running:
            self.finish()  # Ctrl-C kept the end of its cell from us
        self._running.append(RunningCell())

    def pre_run_cell(self, info: ExecutionInfo) -> None:
        """IPython: the same, and the cell is not silent."""
        if self._running:
            self._running[-1].info = info

    def post_execute(self) -> None:
        """IPython: a cell has run. For a silent one, this is all that is heard of its end."""
        if self._running:
            self._running[-1].ended = True
            if self._running[-1].info is None:
                self._end(self._running[-1])

    def post_run_cell(self, result: ExecutionResult | None) -> None:
        """IPython: a cell that is not silent has run, and its output is complete."""
        if not self._running:
            return
        if result is not None and result.execution_count is not None:
            note = self._failed.discard if result.success else self._failed.add
            note(result.execution_count)
        last = self._running[-1]
        if result is None:
            self._end(last)
            return
        cell = next((c for c in self._running if c.info is result.info), None)
        if cell is None:
            last.ended = False  # an empty cell, run by this one: it had no start
        else:
            self._end(cell, _error_of(result))

    def _end(self, cell: RunningCell, error: BaseException | None = None) -> None:
        """Forget the cell, and finish its trace."""
        del self._running[self._running.index(cell) :]
        if cell is self._owner:
            self.finish(error)

    def begin(self, request: Request, in_cell: tuple[str, ...] | None, frame: FrameType) -> None:
        """Start the trace of the cell that runs in ``frame``.

        Raises:
            UsageError: A name that was asked for is not known anywhere.
        """
        owner = self._running[-1] if self._running else None
        filename = frame.f_code.co_filename
        if self._run is not None and (owner, filename) == (self._owner, self._filename):
            return  # ``%%timeit`` above: the same cell comes by again
        cells.show_magic_line(filename)
        refuse_unknown_names(request, self._shell, in_cell)
        run = Run(self._shell, request, filename, self._failed)
        if self._run is not None:
            run.start()  # is refused, and says so
            return
        self._run, self._owner, self._filename = run, owner, filename
        if cells.lend_source(filename, raw_cell(self._shell)):
            self._lent = filename
        try:
            run.start()
        except UsageError:
            self.finish()  # of which there is nothing but what was lent
            raise

    def finish(self, error: BaseException | None = None) -> None:
        """End the trace, if one runs."""
        run = self._run
        if run is not None:
            run.finish(error)
        self._run = self._owner = None
        if self._lent:
            cells.take_back_source(self._lent)
            self._lent = ""


def _error_of(result: ExecutionResult) -> BaseException | None:
    """What ended the cell."""
    error = result.error_in_exec
    return result.error_before_exec if error is None else error


def raw_cell(shell: InteractiveShell) -> str:
    """The running cell as the user wrote it."""
    history = shell.history_manager
    return history.input_hist_raw[-1] if history is not None and history.input_hist_raw else ""


def refuse_unknown_names(
    request: Request, shell: InteractiveShell, in_cell: tuple[str, ...] | None
) -> None:
    """Complain about a misspelt name while nothing of the cell has run.

    Args:
        in_cell: The identifiers of the cell; None if they are not known, and nothing is refused.

    Raises:
        UsageError: Says which tensors and modules exist.
    """
    if in_cell is None:
        return
    for name in names.unknown(request.options.names, shell.user_ns, in_cell):
        raise UsageError(
            f"no tensor {name!r}: that name is neither in the namespace nor in this cell; "
            f"{names.what_exists(name, shell.user_ns)}"
        )

"""Which cell a trace belongs to: where it starts, and where it ends."""

from __future__ import annotations

from dataclasses import dataclass
from types import FrameType

from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

from ipygradmagic.notebook import cell as cells
from ipygradmagic.notebook import names
from ipygradmagic.notebook.arguments import Request
from ipygradmagic.notebook.faults import contained
from ipygradmagic.notebook.memory import Memory
from ipygradmagic.notebook.run import Run, raw_cell
from ipygradmagic.notebook.watch import Watch


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

    def __init__(self, shell: InteractiveShell, memory: Memory, watch: Watch) -> None:
        self._shell = shell
        self._memory = memory
        self._watch = watch
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
            with contained("watch this cell"):
                self._watch.cell_starts(self._running[-1], info.raw_cell or "")

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
        self._watch.cell_ended(cell, error)

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
        run = Run(self._shell, request, filename, self._memory, failed=self._failed)
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

"""``--on``: a watchdog that traces every cell, and barks only at an error or a warning.

A watched cell is not changed at all, not even by a first line: its trace starts when IPython says
that a cell is about to run, and ends when it says that the cell has run. Whoever else wants to trace
in a watched cell (``%%trace_grad``, ``%trace_grad statement``, ``with trace()``) gets the way: the
watch ends its trace there, and begins another when theirs is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.notebook.arguments import Request
from ipygradmagic.notebook.cell import MAGIC
from ipygradmagic.notebook.faults import contained
from ipygradmagic.notebook.memory import Memory
from ipygradmagic.notebook.publish import publish
from ipygradmagic.notebook.run import Run

if TYPE_CHECKING:
    from ipygradmagic.api import Session
    from ipygradmagic.record.trace import Trace

ON = (
    "Watching: every cell from the next one on is traced, and you hear of it only where a finding "
    "is an error or a warning. %trace_grad --last shows the last report in any case; "
    "%trace_grad --off ends the watch."
)
AGAIN = "Watching already; from the next cell on with the options of this line."
OFF = "No longer watching."
NOT_ON = "There was no watch to end; %trace_grad --on begins one."
_TRACED = re.compile(rf"\s*{MAGIC}\b")


class Watch:
    """Of one shell; off in the beginning."""

    def __init__(self, shell: InteractiveShell, memory: Memory) -> None:
        self._shell = shell
        self._memory = memory
        self._request: Request | None = None
        self._run: QuietRun | None = None
        self._cell: object = None

    def turn(self, request: Request) -> str:
        """On or off, as the line says; what to tell the user about it.

        Raises:
            UsageError: An option makes no sense for many cells.
        """
        if request.watch == "off":
            was_on = self._request is not None
            self.off()
            return OFF if was_on else NOT_ON
        _refuse_single(request)
        again, self._request = self._request is not None, request
        return AGAIN if again else ON

    def off(self) -> None:
        """End the watch; what it has found in the running cell is told."""
        self._request = None
        self._finish()

    def cell_starts(self, cell: object, raw: str) -> None:
        """A cell is about to run; one that another cell runs belongs to that other one."""
        if self._request is None or self._run is not None or _TRACED.match(raw):
            return
        self._cell = cell
        self._begin(self._request, raw, _number_of_next(self._shell))

    def cell_ended(self, cell: object, error: BaseException | None) -> None:
        """A cell has run."""
        if cell is self._cell:
            self._finish(error)

    def _begin(self, request: Request, raw: str, number: int) -> None:
        run = QuietRun(self._shell, request, "", self._memory, code=raw, number=number)
        run.gives_way = lambda: self._give_way(request, raw, number)
        self._run = run
        run.start()

    def _give_way(self, request: Request, raw: str, number: int) -> Callable[[], None]:
        """Somebody else traces now; the function that is returned goes on after that."""
        cell = self._cell
        self._finish()

        def resume() -> None:
            if self._request is not None and self._run is None:
                self._cell = cell
                self._begin(request, raw, number)

        return resume

    def _finish(self, error: BaseException | None = None) -> None:
        run, self._run, self._cell = self._run, None, None
        if run is not None:
            run.finish(error)


class QuietRun(Run):
    """A trace of which only alarms are told."""

    gives_way: Callable[[], Callable[[], None]]

    def _new_session(self) -> Session:
        session = super()._new_session()
        session.gives_way = self.gives_way
        return session

    def _refused(self) -> None:
        """A ``with trace()`` that an earlier cell left open: nothing to say at every cell."""

    def _deliver(self, trace: Trace) -> None:
        if trace.events or trace.findings:
            self._keep(trace)
        if any(finding.alarm for finding in trace.findings):
            from ipygradmagic.api import alarm

            options = self._request.options
            publish(self._shell, alarm(trace, options), options.format)


def _number_of_next(shell: InteractiveShell) -> int:
    """Execution number of the cell that is about to run; its input is not in the history yet."""
    history = shell.history_manager
    return max(1, len(history.input_hist_raw)) if history is not None else 1


def _refuse_single(request: Request) -> None:
    """Files would be in the way of the next cell's, and changed cells would pile up."""
    options = request.options
    single = {
        "--save": options.save,
        "--save-graph": options.save_graph,
        "--graph": options.backward,
        "--fix": request.fix,
        "--what-if": request.what_if,
    }
    for flag, given in single.items():
        if given:
            raise UsageError(f"{flag} is for one cell; it cannot go with --on")
    with contained("check the findings to ignore"):
        from ipygradmagic.diagnose.explain import refuse_unknown
        from ipygradmagic.errors import OptionError

        try:
            refuse_unknown(options.ignore)
        except OptionError as error:
            raise UsageError(str(error)) from None

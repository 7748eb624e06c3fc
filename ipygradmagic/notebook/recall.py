"""``--last``: what was reported before, shown again or given to a variable."""

from __future__ import annotations

import dis
from dataclasses import fields, replace
from types import FrameType

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.notebook.arguments import Request
from ipygradmagic.notebook.memory import MOST, Memory, Remembered
from ipygradmagic.notebook.publish import publish
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace

NONE_YET = (
    "nothing is traced yet in this session: put %%trace_grad on top of a cell, or write "
    "%trace_grad --on to trace every cell from the next one on"
)
_PRINT = 1
"""The intrinsic function (from Python 3.12) that echoes a value at the prompt."""


def recall(
    shell: InteractiveShell, memory: Memory, request: Request, frame: FrameType | None
) -> Trace | list[Trace] | None:
    """Show the last reports again, or hand over their traces where something is done with them.

    Showing and handing over at once would show everything twice: a bare line would have its report
    and an ``Out`` with the trace.

    Args:
        shell: Where to.
        memory: Of that shell.
        request: How many, and how to show them.
        frame: Of the code that called the magic, if it is known.

    Raises:
        UsageError: There is no trace yet.
    """
    asked = request.last or 1
    found = memory.last(asked)
    if not found:
        raise UsageError(NONE_YET)
    traces = [run.trace for run in found]
    value = traces if request.last else traces[-1]
    if request.output is not None:
        shell.user_ns[request.output] = value
    if frame is not None and not discards(frame):
        return value
    if len(found) < asked:
        print(
            f"{len(found)} of the {asked} asked for: up to {MOST} traces are kept, "
            "fewer where they are large"
        )
    for run in found:
        show(shell, run, request.options)
    return None


def show(shell: InteractiveShell, run: Remembered, wishes: Options) -> None:
    """Publish a remembered report as it was shown, but for what is wished otherwise now."""
    from ipygradmagic.api import report

    options = revised(run.options, wishes)
    publish(shell, report(run.trace, options), options.format)


def revised(options: Options, wishes: Options) -> Options:
    """The first options, with those of the second that are not the default ones."""
    usual = Options()
    changed = {
        field.name: getattr(wishes, field.name)
        for field in fields(Options)
        if getattr(wishes, field.name) != getattr(usual, field.name)
    }
    return replace(options, **changed)


def discards(frame: FrameType) -> bool:
    """Whether the frame drops, or echoes at the prompt, what the call that it is at returns."""
    following = (i for i in dis.get_instructions(frame.f_code) if i.offset > frame.f_lasti)
    after = next(following, None)
    if after is None:
        return True
    echoed = after.opname == "CALL_INTRINSIC_1" and after.arg == _PRINT
    return echoed or after.opname in ("POP_TOP", "PRINT_EXPR")

"""A fault of ours is a line on stderr, never the end of the user's cell."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from IPython.core.error import UsageError


def warn(message: str) -> None:
    """Say it in one line; a warning filter or a broken stderr must not turn it into an error."""
    try:
        print(f"ipygradmagic: {message}", file=sys.stderr)
    except Exception:
        return


@contextmanager
def contained(doing: str) -> Iterator[None]:
    """Turn whatever goes wrong inside into a warning.

    A UsageError passes: it is the user's to know. So does an interrupt: it is the user's wish.

    Args:
        doing: What would have been done, to follow "could not".
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as fault:
        warn(f"could not {doing} ({type(fault).__name__}: {fault}); your code ran all the same")


@contextmanager
def uninterrupted() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back while things are half installed or half restored.

    Yields:
        A function that says whether one came.
    """
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    previous = signal.getsignal(signal.SIGINT)
    # Only the main thread may set handlers, and only Python's own can be put back.
    if threading.current_thread() is not threading.main_thread() or previous is None:
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGINT, previous)

"""Everything this package raises on purpose, under one base class."""

from __future__ import annotations

from types import CodeType


class GradMagicError(Exception):
    """Base of all errors that ipygradmagic raises on purpose."""


class OptionError(GradMagicError, ValueError):
    """An option, name or expression given by the user does not fit; says what would."""


class TraceFormatError(GradMagicError, ValueError):
    """A stored trace (a dict or a file) cannot be read back; says which part is wrong."""


class NestedTraceError(GradMagicError, RuntimeError):
    """A trace was started while another one is running in this process."""


class GradientLifecycleError(GradMagicError, RuntimeError):
    """A strict trace stopped the code at a finding of severity *error*.

    Attributes:
        finding: Name of the finding, such as ``stale-gradient``.
        at: The user's code that it is raised in.
    """

    def __init__(self, message: str, finding: str = "", at: CodeType | None = None) -> None:
        super().__init__(message)
        self.finding = finding
        self.at = at

    def end_at_user(self) -> None:
        """Cut torch's frames and ours off the end of the traceback."""
        line, last = self.__traceback__, None
        while line is not None:
            if line.tb_frame.f_code is self.at:
                last = line
            line = line.tb_next
        if last is not None:
            last.tb_next = None


class LayoutUnavailableError(GradMagicError, RuntimeError):
    """No Graphviz layout program could draw a picture; the message says how to get one."""

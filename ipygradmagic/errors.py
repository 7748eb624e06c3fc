"""Everything this package raises on purpose, under one base class."""


class GradMagicError(Exception):
    """Base of all errors that ipygradmagic raises on purpose."""


class OptionError(GradMagicError, ValueError):
    """An option, name or expression given by the user does not fit; says what would."""


class TraceFormatError(GradMagicError, ValueError):
    """A stored trace (a dict or a file) cannot be read back; says which part is wrong."""


class NestedTraceError(GradMagicError, RuntimeError):
    """A trace was started while another one is running in this process."""


class LayoutUnavailableError(GradMagicError, RuntimeError):
    """No Graphviz layout program could draw a picture; the message says how to get one."""

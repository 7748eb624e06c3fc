"""Running code of the user's from inside a magic, where IPython does not do it for us.

Used for ``%trace_grad statement``, and where ``%%trace_grad`` is called by hand
(``run_cell_magic``). A cell with ``%%trace_grad`` on top is run by IPython itself; see ``cell``.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.notebook.run import current_number, number_of


def place(shell: InteractiveShell, source: str, line: int) -> tuple[str, str]:
    """The source, moved down to the line where it stands in its cell, and a filename for it.

    The filename is known to IPython, so tracebacks and reports say ``In [3], line 5``.
    """
    moved = "\n" * (line - 1) + source
    return moved, shell.compile.cache(moved, current_number(shell), raw_code=moved)


def calling_frame(shell: InteractiveShell) -> FrameType | None:
    """The cell's code that called the magic we are in; None if no cell did."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and number_of(shell, frame.f_code.co_filename) is None:
        frame = frame.f_back
    return frame


def calling_line(shell: InteractiveShell) -> int:
    """Line of the cell that called the magic we are in; 1 if no cell did."""
    frame = calling_frame(shell)
    return 1 if frame is None else frame.f_lineno


def execute(
    shell: InteractiveShell, source: str, filename: str, local_ns: Mapping[str, object] | None
) -> object:
    """Run the source in the user's namespace.

    Returns:
        The value of its last statement, if that is an expression.

    Raises:
        UsageError: It awaits something, which only a cell of its own can.
    """
    __tracebackhide__ = True
    tree = shell.compile.ast_parse(source, filename=filename)
    tree = shell.transform_ast(tree)  # type: ignore[no-untyped-call]
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = _compiled(shell, ast.Module(tree.body, []), filename, "exec")
    value = None
    if last is not None:
        value = _compiled(shell, ast.Expression(last.value), filename, "eval")
    exec(body, shell.user_ns, local_ns)
    return None if value is None else eval(value, shell.user_ns, local_ns)


def _compiled(shell: InteractiveShell, tree: Any, filename: str, mode: str) -> CodeType:
    try:
        return shell.compile(tree, filename, mode)
    except SyntaxError as error:
        if "await" not in str(error) and "async" not in str(error):
            raise
        message = "await works in a cell whose first line is %%trace_grad"
        raise UsageError(message) from None

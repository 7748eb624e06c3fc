"""How a cell comes to be traced without being touched.

A cell magic gets its body as text, and whatever it then does with that text (``exec``, a nested
``run_cell``, a template) loses something: the traceback, ``await``, the last value, or the fact
that the cell failed. So ``%%trace_grad`` is no cell magic when a cell runs. Its first line is
rewritten, before IPython looks at the cell, into one Python call; the other lines stay what they
are, where they are, and IPython runs them statement by statement as it runs any cell. The call
starts the trace; the end of the cell, which IPython announces whatever happened in between, ends
it (see ``tracing``). Nothing is wrapped around the user's statements, so even a cell that IPython
is configured to treat in its own way (``ast_node_interactivity``) is treated in that way.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterable

from IPython.core.inputtransformer2 import cell_magic

MAGIC = "%%trace_grad"
ENTRY = '__import__("ipygradmagic.notebook.extension", fromlist=("begin",)).begin'
"""Said so that no name of the user's namespace is needed, and none is added to it."""

_FIRST_LINE = re.compile(r"%%trace_grad(?:[ \t]+(?P<options>.*?))?\s*$")
_ENTRY_TREE = ast.dump(ast.parse(ENTRY, mode="eval").body)
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


def body(code: str) -> str:
    """The code of a cell without the line of the magic."""
    lines = code.strip("\n").splitlines()
    if lines and lines[0].startswith(MAGIC):
        del lines[0]
    return "\n".join(lines)


class FirstLine:
    """The cleanup transform: turns the line of the magic into the call that starts the trace.

    Another cell magic may follow; that one is IPython's to transform, as if it stood on top.

    ``has_side_effects`` keeps it out of IPython's question whether a cell is complete. That
    question must see the ``%%``: in a terminal, it is what makes a cell go on to its blank line.
    """

    has_side_effects = True

    def __call__(self, lines: list[str]) -> list[str]:
        """The cell's lines, with another first line if that is the magic's."""
        match = _FIRST_LINE.match(lines[0]) if lines else None
        start = next((i for i, line in enumerate(lines) if i and line.strip()), None)
        if match is None or start is None:  # without a body: the complaint is IPython's
            return lines
        body = [*lines[1:start], *cell_magic(lines[start:])]  # type: ignore[no-untyped-call]
        return [f"{ENTRY}({match['options'] or ''!r})\n", *body]


class Preparation(ast.NodeTransformer):
    """The tree transform: tells the call what the cell mentions, and keeps the cell valid.

    ``from __future__`` must stay in front wherever the cell is compiled as one (``%%time``).
    """

    def visit(self, node: ast.AST) -> ast.AST:
        """The module, prepared if its first statement is the call; anything else as it is."""
        call = entry_call(node)
        if call is None or not isinstance(node, ast.Module):
            return node
        first, *rest = node.body
        names = ast.Tuple([ast.Constant(n) for n in sorted(mentioned(rest))], ast.Load())
        call.args.append(ast.copy_location(names, call))
        front = _future_statements(rest)
        node.body = [*rest[:front], first, *rest[front:]]
        return ast.fix_missing_locations(node)


def entry_call(node: ast.AST) -> ast.Call | None:
    """The call that starts the trace, if the module starts with it."""
    first = node.body[0] if isinstance(node, ast.Module) and node.body else None
    call = first.value if isinstance(first, ast.Expr) else None
    if isinstance(call, ast.Call) and ast.dump(call.func) == _ENTRY_TREE:
        return call
    return None


def _future_statements(body: list[ast.stmt]) -> int:
    """How many statements lead the body up to its last ``from __future__``, 0 without one."""
    front = 0
    for i, statement in enumerate(body):
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            front = i + 1
        elif i > 0 or not _is_docstring(statement):
            break
    return front


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def mentioned(body: Iterable[ast.AST]) -> set[str]:
    """Every identifier that the code mentions, as a name, an attribute or inside a string.

    Strings count because names hide in them: ``register_parameter("gain", …)``, and the text
    of a ``%time`` line, which IPython has turned into a string by now.
    """
    names: set[str] = set()
    for tree in body:
        for node in ast.walk(tree):
            for field in ("id", "attr", "arg", "name", "asname"):
                name = getattr(node, field, None)
                if isinstance(name, str):
                    names.add(name.partition(".")[0])
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.update(_IDENTIFIER.findall(node.value[:10_000]))
    return names


def show_magic_line(filename: str) -> None:
    """Make tracebacks show the magic where the source that was run has our call.

    As a comment, since a line that is no Python would cost tracebacks their parsed source.
    """
    entry = linecache.cache.get(filename)
    lines = entry[2] if entry is not None and len(entry) == 4 else []
    if entry is None or len(entry) != 4 or not lines or not lines[0].startswith(ENTRY):
        return
    call = ast.parse(lines[0].strip(), mode="eval").body
    options = ast.literal_eval(call.args[0]) if isinstance(call, ast.Call) else ""
    shown = f"#{MAGIC} {options}".rstrip() + "\n"
    linecache.cache[filename] = (entry[0], entry[1], [shown, *lines[1:]], entry[3])


def lend_source(filename: str, raw_cell: str) -> bool:
    """Give ``<timed exec>`` (``%%time`` above the magic) its source, so that lines can be shown.

    Returns:
        Whether it was given; then :func:`take_back_source` is due, because the next ``%%time``
        goes by the same name.
    """
    lines = raw_cell.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if _FIRST_LINE.match(line)), None)
    if start is None or filename in linecache.cache or not filename.startswith("<"):
        return False
    shown = ["#" + lines[start], *lines[start + 1 :]]
    linecache.cache[filename] = (len(raw_cell), None, shown, filename)
    return True


def take_back_source(filename: str) -> None:
    """Undo :func:`lend_source`."""
    linecache.cache.pop(filename, None)

"""What one statement of a cell binds and uses, and whether it may change what it uses.

Read off the syntax tree, never by looking at objects. Whatever is in doubt counts as a change, so
that too many cells are run again rather than too few.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipygradmagic.notebook.cell import entry_call, mentioned
from ipygradmagic.notebook.whatif.calls import (
    QUIET_MODULES,
    binds_openly,
    first_name,
    is_quiet,
    last_name,
    mutates,
    sets_world,
)

Transform = Callable[[str], str]

_CODE_MAGICS = ("time", "timeit", "capture", "prun", "trace_grad", "memit", "mprun", "lprun")
_OPEN_MAGICS = ("run", "store", "pylab", "macro", "reset", "load", "rerun", "recall")
_WORLD_MAGICS = ("cd", "env", "set_env", "autoreload", "config", "load_ext", "precision", "pushd")
_OPTION = re.compile(r"-\S+\s*")


@dataclass(frozen=True, slots=True)
class Statement:
    """One top-level statement.

    Attributes:
        binds: Names that it binds.
        uses: Names that it reads at once.
        deferred: Names that functions in it will read when they are called.
        replaces: It binds its names whatever happens, and to something else than before.
        changes: It may change in place what it uses.
        joins: What it uses may hold each other afterwards (``models.append(model)``).
        world: It sets something for the whole process: a seed, a folder, a default.
        acts: It is a call for its effect, with nothing but constants: ``prepare()``.
        opens: It may bind names that cannot be read off it (``import *``, ``%run``).
        kind: ``import`` and ``def`` bind code, ``constant`` what cannot be changed, else ``data``.
        quiet: It binds what only shows things.
        stores: Names whose attributes or items it assigns.
        direct: Names that it changes in so many words: assigned into, ``x.mul_(2)``, ``x.append(y)``.
        guesses: What it uses are the words of a magic, which need not be names.
        line: Where it starts in its cell.
    """

    binds: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    deferred: frozenset[str] = frozenset()
    replaces: bool = False
    changes: bool = False
    joins: bool = False
    world: bool = False
    acts: bool = False
    opens: bool = False
    kind: str = "data"
    quiet: bool = False
    stores: frozenset[str] = frozenset()
    direct: frozenset[str] = frozenset()
    guesses: bool = False
    line: int = 1


def statements(cell: str, transform: Transform, quiet: frozenset[str]) -> list[Statement]:
    """The statements of a cell, in order.

    Args:
        cell: As the user typed it.
        transform: IPython's way from that to Python.
        quiet: Names that earlier cells bound to what only shows things.

    Raises:
        SyntaxError: The cell is no Python even after the transform.
    """
    found: list[Statement] = []
    for node in ast.parse(transform(cell)).body:
        for one in _of(node, transform, quiet):
            found.append(one)
            if one.quiet:
                quiet = quiet | one.binds
    return found


def _of(node: ast.stmt, transform: Transform, quiet: frozenset[str]) -> Iterator[Statement]:
    magic = _magic(node)
    if magic is not None:
        yield from _of_magic(*magic, node, transform, quiet)
    elif entry_call(ast.Module([node], [])) is None:  # our own line does nothing there
        yield _plain(node, quiet)


def _plain(node: ast.stmt, quiet: frozenset[str]) -> Statement:
    binds, uses, deferred = _names(node)
    changes = _changes(node, quiet)
    called = [last_name(c.func) for c in ast.walk(node) if isinstance(c, ast.Call)]
    is_call = isinstance(node, ast.Expr) and changes
    return Statement(
        binds=binds,
        uses=uses,
        deferred=deferred,
        replaces=_replaces(node),
        changes=changes,
        joins=changes and (is_call or not isinstance(node, (ast.Assign, ast.AnnAssign))),
        world=any(sets_world(name) for name in called),
        acts=is_call and _acts(node, quiet),
        opens=_stars(node) or any(binds_openly(name) for name in called),
        kind=_kind(node),
        quiet=_imports_quiet(node),
        stores=frozenset(_stores(node)),
        direct=frozenset(_direct(node)),
        line=node.lineno,
    )


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Names bound, used at once, and used by the functions inside."""
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    binds |= {s.get_name() for s in table.get_symbols() if s.is_namespace()}
    uses = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    deferred: set[str] = set()
    for child in table.get_children():
        _collect(child, binds, uses, deferred)
    for inner in ast.walk(node):
        if isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
            uses.add(inner.target.id)  # which the table takes for a binding only
        if isinstance(inner, ast.Delete):
            binds |= {t.id for t in inner.targets if isinstance(t, ast.Name)}
    return frozenset(binds), frozenset(uses), frozenset(deferred)


def _collect(
    table: symtable.SymbolTable, binds: set[str], uses: set[str], deferred: set[str]
) -> None:
    """Globals of an inner scope; a comprehension and a class body run at once, functions later."""
    at_once = table.get_type() == "class" or table.get_name() in _AT_ONCE
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            (uses if at_once else deferred).add(symbol.get_name())
        if symbol.is_declared_global() and symbol.is_assigned():
            binds.add(symbol.get_name())
    for child in table.get_children():
        _collect(child, binds, uses if at_once else deferred, deferred)


_AT_ONCE = ("listcomp", "setcomp", "dictcomp", "genexpr")


def _replaces(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    return isinstance(
        node,
        (
            ast.Assign,
            ast.Import,
            ast.ImportFrom,
            ast.FunctionDef,
            ast.AsyncFunctionDef,
            ast.ClassDef,
        ),
    )


def _kind(node: ast.stmt) -> str:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return "def"
    value = getattr(node, "value", None) if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    return "constant" if value is not None and _is_constant(value) else "data"


def _is_constant(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_is_constant(item) for item in value.elts)
    if isinstance(value, ast.UnaryOp):
        return _is_constant(value.operand)
    if isinstance(value, ast.BinOp):
        return _is_constant(value.left) and _is_constant(value.right)
    return isinstance(value, ast.Constant)


def _changes(node: ast.stmt, quiet: frozenset[str]) -> bool:
    """Whether running it may change something in place; a ``def`` only makes a function."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return any(_changing(d, quiet) for d in node.decorator_list)
    return _changing(node, quiet)


def _changing(tree: ast.AST, quiet: frozenset[str]) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, (ast.AugAssign, ast.Delete, ast.Await)):
            return True
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Call) and not is_quiet(node, quiet):
            return True
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) and _advances(node.iter):
            return True
    return False


def _stores(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            yield first_name(node)


def _direct(tree: ast.AST) -> Iterator[str]:
    yield from _stores(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign):
            yield first_name(node.target)
        if isinstance(node, ast.Call) and mutates(last_name(node.func)):
            yield first_name(node.func)
            yield from map(first_name, node.args)


def _advances(source: ast.expr) -> bool:
    """A loop over a name may use up an iterator."""
    if isinstance(source, ast.Call):
        return any(_advances(argument) for argument in source.args)
    return isinstance(source, (ast.Name, ast.Attribute, ast.Subscript))


def _acts(node: ast.stmt, quiet: frozenset[str]) -> bool:
    """Whether it has a call with nothing but constants, which must be there for its effect."""
    calls = [c for c in ast.walk(node) if isinstance(c, ast.Call) and not is_quiet(c, quiet)]
    given = [[*call.args, *(k.value for k in call.keywords)] for call in calls]
    return any(all(_is_constant(argument) for argument in some) for some in given)


def _stars(node: ast.stmt) -> bool:
    found = [n for n in ast.walk(node) if isinstance(n, ast.ImportFrom)]
    return any(alias.name == "*" for n in found for alias in n.names)


def _imports_quiet(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return all(a.name.split(".")[0] in QUIET_MODULES for a in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in QUIET_MODULES


# -- magics --------------------------------------------------------------------------------


def _magic(node: ast.stmt) -> tuple[str, str, str] | None:
    """``(name, line, body)`` of what IPython has turned a magic into, bound to a name or not."""
    call = getattr(node, "value", None)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    ours = isinstance(owner, ast.Call) and last_name(owner.func) == "get_ipython"
    texts = [a.value if isinstance(a, ast.Constant) else "" for a in call.args]
    if not ours or not all(isinstance(text, str) for text in texts):
        return None
    if call.func.attr in ("run_line_magic", "run_cell_magic"):
        name, line, body = [*map(str, texts), "", "", ""][:3]
        return name, line, body
    return ("!", "", "") if call.func.attr in ("system", "getoutput") else None


def _of_magic(
    name: str, line: str, body: str, node: ast.stmt, transform: Transform, quiet: frozenset[str]
) -> Iterator[Statement]:
    binds = _names(node)[0]
    if name == "capture":
        binds |= {word for word in line.split() if word.isidentifier()}
    if name in _CODE_MAGICS:
        for text in (body, _OPTION.sub("", line)):
            yield from _inside(text, transform, quiet)
    yield Statement(
        binds=binds,
        uses=frozenset() if name in ("!", "matplotlib") else frozenset(mentioned([node])),
        replaces=bool(binds),
        changes=name not in ("!", "matplotlib") and bool(body),
        world=name in _WORLD_MAGICS,
        opens=name in _OPEN_MAGICS,
        guesses=True,
        line=node.lineno,
    )


def _inside(text: str, transform: Transform, quiet: frozenset[str]) -> Iterator[Statement]:
    """The statements of the code that a magic runs, if it is some."""
    try:
        yield from statements(text, transform, quiet)
    except (SyntaxError, ValueError):
        return

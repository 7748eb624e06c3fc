"""Was a gradient read into something else between its deposit and its clearing?

``buf += p.grad / norm``, ``J[i] = w.grad`` or ``return w.grad.clone()`` leaves no trace in the books:
the gradient is cleared, and the update uses what was made of it. Then nothing was thrown away.

The way from the deposit to the clearing is known: both are seen with all frames of the user's code
around them. So the text is followed from the statement that made the backward, forwards through its
blocks, out into the callers, and into the functions that it calls, until a statement reads ``.grad``
for keeps or the clearing is reached. Only what must run on that way counts: a branch does not, unless it
asks whether there is a gradient at all. Nor does a number made of a gradient, such as a norm that is
printed or logged.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import CodeType, FunctionType
from typing import Literal

from ipygradmagic.capture.bindings import (
    GRADIENT,
    FunctionNode,
    Module,
    bindings_of,
    module_of,
    own_nodes,
)
from ipygradmagic.capture.derivation import node_of
from ipygradmagic.capture.source import Sources, line_of

Outcome = Literal["read", "cleared", "out"]
Home = FunctionNode | ast.Module
Position = tuple[int, int | None]
_MOST_CALLS = 3
"""Functions are followed into each other so deep."""
_MEASURES = frozenset(
    {
        "item",
        "norm",
        "vector_norm",
        "numel",
        "size",
        "dim",
        "isnan",
        "isinf",
        "isfinite",
        "any",
        "all",
        "count_nonzero",
        "allclose",
        "equal",
        "print",
        "float",
        "int",
        "bool",
        "len",
        "str",
        "repr",
        "format",
        "isinstance",
        "hasattr",
        "type",
        "id",
        "histogram",
        "histc",
    }
)
"""Calls whose result tells something about a gradient, and does not carry it."""
_REDUCTIONS = frozenset(
    {
        "sum",
        "mean",
        "max",
        "min",
        "amax",
        "amin",
        "std",
        "var",
        "median",
        "argmax",
        "argmin",
        "prod",
    }
)
"""The same, where they are given no dimension."""
_PLAIN = frozenset(
    {"shape", "dtype", "device", "ndim", "is_sparse", "requires_grad", "grad_fn", "is_leaf"}
)
_FILLS = frozenset(
    {
        "append",
        "extend",
        "insert",
        "update",
        "add",
        "setdefault",
        "appendleft",
        "put",
        "push",
        "send",
    }
)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WITHS = (ast.With, ast.AsyncWith)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_SLOT = ".grad"
"""Stands among names for whatever is read off ``.grad`` there and then."""
_READ = frozenset({_SLOT})


class Readings:
    """Answers for pairs of places, remembered.

    Args:
        sources: Where things happened, and in which calls.
        namespace: The variables in which functions of other cells are found.
    """

    def __init__(self, sources: Sources, namespace: Mapping[str, object]) -> None:
        self._sources = sources
        self._namespace = namespace
        self._known: dict[tuple[int, int], bool] = {}

    def kept(self, deposit: int, clearing: int) -> bool:
        """Whether what is deposited at one site is read for keeps before it is cleared at another."""
        key = deposit, clearing
        if key not in self._known:
            way = _Way(self, self._sources.frames(clearing))
            self._known[key] = way.leads_to_reading(self._sources.frames(deposit))
        return self._known[key]

    def functions(self, name: str, module: Module) -> Iterator[tuple[Module, str, FunctionNode]]:
        """The user's functions of that name: in this file, in other cells, in the namespace."""
        seen = False
        for file in self._sources.known_files():
            other = module_of(file)
            if other is None:
                continue
            for node in other.functions:
                if getattr(node, "name", "") == name:
                    seen = True
                    yield other, file, node
        value = self._namespace.get(name)
        if not seen and isinstance(value, FunctionType):
            home = module_of(value.__code__.co_filename)
            found = node_of(home, value.__code__) if home is not None else None
            if home is not None and found is not None and not isinstance(found, ast.Module):
                yield home, value.__code__.co_filename, found

    def ran(self, file: str, block: Sequence[ast.stmt]) -> bool:
        """Something was recorded at a line of these statements."""
        lines = self._sources.lines_run(file)
        return any(s.lineno <= line <= (s.end_lineno or 0) for s in block for line in lines)


@dataclass
class _Way:
    """The way from one deposit to one clearing."""

    readings: Readings
    clearing: Sequence[tuple[CodeType, int]]
    inside: list[ast.AST] = field(default_factory=list)

    def leads_to_reading(self, deposit: Sequence[tuple[CodeType, int]]) -> bool:
        for code, at in deposit:
            module = module_of(code.co_filename)
            if module is None:
                return False
            home = node_of(module, code)
            outcome = self._onwards(_Text(module, code.co_filename, home), _position(code, at))
            if outcome in ("read", "cleared"):
                return outcome == "read"
        return False

    def _onwards(self, text: _Text, position: Position) -> Outcome | None:
        """What comes after the statement at a position, to the end of its function."""
        for owner, block, place in reversed(_path(text.home, position)):
            outcome = self._follow(block[place + 1 :], text)
            if outcome is not None:
                return outcome
            if isinstance(owner, _LOOPS) and self._clears(owner, text):
                return "cleared"  # when the loop comes round
        return None

    def _follow(self, block: Sequence[ast.stmt], text: _Text) -> Outcome | None:
        for i, stmt in enumerate(block):
            outcome = self._pass(stmt, text)
            if outcome == "out" and not isinstance(stmt, ast.Return):
                if self.readings.ran(text.file, block[i + 1 :]):
                    continue  # it was not left there every time
            if outcome is not None:
                return outcome
        return None

    def _pass(self, stmt: ast.stmt, text: _Text) -> Outcome | None:
        if isinstance(stmt, _DEFINITIONS):
            return None
        if isinstance(stmt, ast.If):
            return self._branch(stmt, text)
        if isinstance(stmt, (*_LOOPS, *_WITHS)):
            if isinstance(stmt, (ast.For, ast.AsyncFor)) and self._keeps(stmt.iter, text, stmt):
                return "read"
            outcome = self._follow(stmt.body, text)
            return None if outcome == "out" and isinstance(stmt, _LOOPS) else outcome
        if isinstance(stmt, ast.Try):
            return self._follow([*stmt.body, *stmt.orelse, *stmt.finalbody], text)
        if self._keeps(stmt, text, stmt):
            return "read"
        called = self._called(stmt, text)
        if called is not None:
            return called
        if self._clears(stmt, text):
            return "cleared"
        leaves = isinstance(stmt, (ast.Return, ast.Raise, ast.Break, ast.Continue))
        return "out" if leaves else None

    def _branch(self, stmt: ast.If, text: _Text) -> Outcome | None:
        """A branch counts if it is for tensors that have a gradient; else only if both ways do."""
        asks = any(
            isinstance(n, ast.Attribute) and n.attr in (*GRADIENT, "requires_grad")
            for n in ast.walk(stmt.test)
        )
        ways = [self._follow(stmt.body, text), self._follow(stmt.orelse, text)]
        if "read" in ways and (asks or ways == ["read", "read"]):
            return "read"
        if "cleared" in ways:
            return "cleared"
        return "out" if "out" in ways and not asks else None

    def _clears(self, stmt: ast.stmt, text: _Text) -> bool:
        return any(
            code.co_filename == text.file and _covers(stmt, _position(code, at))
            for code, at in self.clearing
        )

    def _called(self, stmt: ast.stmt, text: _Text) -> Outcome | None:
        """What happens in the user's functions that a statement calls."""
        for call in (n for n in own_nodes(stmt) if isinstance(n, ast.Call)):
            for module, file, node in self.readings.functions(_called_name(call), text.module):
                if isinstance(node, ast.Lambda) or not self._enter(node):
                    continue
                try:
                    outcome = self._follow(node.body, _Text(module, file, node))
                finally:
                    self.inside.pop()
                if outcome in ("read", "cleared"):
                    return outcome
        return None

    def _enter(self, node: ast.AST) -> bool:
        if len(self.inside) >= _MOST_CALLS or node in self.inside:
            return False
        self.inside.append(node)
        return True

    # -- what is kept ------------------------------------------------------------------

    def _keeps(self, part: ast.AST, text: _Text, stmt: ast.stmt) -> bool:
        """Whether a statement reads a gradient, and puts what it reads somewhere."""
        if not any(isinstance(n, ast.Attribute) and n.attr in GRADIENT for n in ast.walk(part)):
            return False
        if part is stmt and self._stored([stmt, *own_nodes(stmt)], _READ, text):
            return True
        names = set(_bound(stmt))
        if not names:
            return False
        used = _loaded(text.home)
        if isinstance(text.home, ast.Module) and not names & used:
            return True  # in another cell, then
        return self._stored(own_nodes(text.home), _spread(text.home, names), text)

    def _stored(self, nodes: Iterable[ast.AST], names: Iterable[str], text: _Text) -> bool:
        carried = frozenset(names)
        return any(self._stores(node, carried, text) for node in nodes)

    def _stores(self, node: ast.AST, names: frozenset[str], text: _Text) -> bool:
        if isinstance(node, ast.AugAssign):
            return not _in_gradient(node.target) and carries(node.value, names)
        if isinstance(node, ast.Assign):
            places = [t for t in node.targets if isinstance(t, (ast.Subscript, ast.Attribute))]
            return any(not _in_gradient(t) for t in places) and carries(node.value, names)
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)):
            return node.value is not None and carries(node.value, names)
        if isinstance(node, ast.Call):
            return self._handed_over(node, names, text)
        return False

    def _handed_over(self, call: ast.Call, names: frozenset[str], text: _Text) -> bool:
        arguments = [*call.args, *(k.value for k in call.keywords)]
        some = [i for i, a in enumerate(call.args) if carries(a, names)]
        if not any(carries(a, names) for a in arguments):
            return False
        name = _called_name(call)
        if isinstance(call.func, ast.Attribute) and not _in_gradient(call.func.value):
            in_place = name.endswith("_") and not name.startswith("_")
            if name in _FILLS or in_place:
                return True
        for module, file, node in self.readings.functions(name, text.module):
            given = {p for i in some for p in _parameter(node, i)}
            given |= {k.arg for k in call.keywords if k.arg and carries(k.value, names)}
            if not self._enter(node):
                continue
            try:
                spread = _spread(node, given)
                if self._stored(own_nodes(node), spread, _Text(module, file, node)):
                    return True
            finally:
                self.inside.pop()
        return False


@dataclass(frozen=True)
class _Text:
    """A function, or the level of a module, and where it stands."""

    module: Module
    file: str
    home: Home


def carries(expr: ast.expr, names: frozenset[str]) -> bool:
    """Whether what these names denote is in the value of an expression, not only a number about it."""
    if isinstance(expr, ast.Attribute):
        if expr.attr in GRADIENT:
            return _SLOT in names
        return expr.attr not in _PLAIN and carries(expr.value, names)
    if isinstance(expr, ast.Name):
        return expr.id in names
    if isinstance(expr, (ast.Compare, ast.JoinedStr, ast.Lambda)):
        return False
    if isinstance(expr, ast.Call):
        return not _measures(expr) and any(carries(e, names) for e in _inputs(expr))
    if isinstance(expr, ast.Subscript):
        return carries(expr.value, names)
    if isinstance(expr, ast.IfExp):
        return carries(expr.body, names) or carries(expr.orelse, names)
    if isinstance(expr, _COMPREHENSIONS):
        for part in expr.generators:
            if carries(part.iter, names):
                names |= {n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        value = expr.value if isinstance(expr, ast.DictComp) else expr.elt
        return carries(value, names)
    parts = [e for e in ast.iter_child_nodes(expr) if isinstance(e, ast.expr)]
    return any(carries(e, names) for e in parts)


def _inputs(call: ast.Call) -> list[ast.expr]:
    owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    return [*owner, *call.args, *(k.value for k in call.keywords)]


def _measures(call: ast.Call) -> bool:
    name = _called_name(call)
    if name in _MEASURES:
        return True
    if name not in _REDUCTIONS or isinstance(call.func, ast.Name):
        return False
    whole = isinstance(call.func, ast.Attribute) and not _is_module(call.func.value)
    return not call.keywords and len(call.args) == (0 if whole else 1)


def _is_module(expr: ast.expr) -> bool:
    return isinstance(expr, ast.Name) and expr.id in ("torch", "np", "numpy")


def _called_name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _parameter(node: FunctionNode, place: int) -> list[str]:
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    if names and names[0] in ("self", "cls"):
        names = names[1:]
    if place < len(names):
        return [names[place]]
    return [node.args.vararg.arg] if node.args.vararg else []


def _bound(stmt: ast.stmt) -> Iterator[str]:
    """The plain names that a statement binds to what carries a gradient."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(stmt, ast.Assign):
        pairs = [(target, stmt.value) for target in stmt.targets]
    elif isinstance(stmt, (ast.For, ast.AsyncFor)):
        pairs = [(stmt.target, stmt.iter)]
    elif isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
        pairs = [(stmt.target, stmt.value)]
    pairs += [(n.target, n.value) for n in ast.walk(stmt) if isinstance(n, ast.NamedExpr)]
    for target, value in pairs:
        places = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        each = values if len(values) == len(places) else [value] * len(places)
        for place, given in zip(places, each):
            if isinstance(place, ast.Name) and carries(given, _READ):
                yield place.id


def _spread(home: Home, names: Iterable[str]) -> frozenset[str]:
    """These names, and those that are bound in the same scope to what they carry."""
    found = frozenset(names)
    while True:
        more = {
            name
            for name, values in bindings_of(home).values.items()
            if name not in found and any(carries(v, found) for v in values)
        }
        if not more:
            return found
        found |= more


def _in_gradient(expr: ast.expr) -> bool:
    """``p.grad``, ``p.grad.data`` and ``p.grad[i]``: no place to keep a gradient in."""
    return any(isinstance(n, ast.Attribute) and n.attr in GRADIENT for n in ast.walk(expr))


def _loaded(home: Home) -> set[str]:
    names = (n for n in ast.walk(home) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Load)}


def _path(home: Home, position: Position) -> list[tuple[ast.AST, list[ast.stmt], int]]:
    """The statement of each block on the way from a module or function to a position in it."""
    path: list[tuple[ast.AST, list[ast.stmt], int]] = []
    owner: ast.AST = home
    while True:
        step = _step(owner, position)
        if step is None:
            return path
        block, place = step
        path.append((owner, block, place))
        owner = block[place]


def _step(owner: ast.AST, position: Position) -> tuple[list[ast.stmt], int] | None:
    for part in _parts(owner):
        for name in ("body", "orelse", "finalbody"):
            block: object = getattr(part, name, None)
            for i, stmt in enumerate(block if isinstance(block, list) else ()):
                if isinstance(block, list) and _covers(stmt, position):
                    return block, i
    return None


def _parts(owner: ast.AST) -> list[ast.AST]:
    """A statement, with its handlers and cases."""
    return [owner, *getattr(owner, "handlers", ()), *getattr(owner, "cases", ())]


def _position(code: CodeType, at: int) -> Position:
    """Line and column (None before Python 3.11) of an instruction."""
    positions = getattr(code, "co_positions", None)
    if positions is None or at < 0:
        return line_of(code, at), None
    place = next(islice(positions(), at // 2, None), (None,) * 4)
    return (place[0] or line_of(code, at)), place[2]


def _covers(stmt: ast.stmt, position: Position) -> bool:
    line, column = position
    if not stmt.lineno <= line <= (stmt.end_lineno or stmt.lineno):
        return False
    if column is None:
        return True
    start, end = (stmt.lineno, stmt.col_offset), (stmt.end_lineno or 0, stmt.end_col_offset or 0)
    return start <= (line, column) <= end

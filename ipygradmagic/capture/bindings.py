"""What names are bound to, read off the syntax tree: the ground that derivation walks on."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass, field

GRADIENT = {"grad", "_grad"}
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_FILLS = {"append", "extend", "insert", "update", "add", "setdefault", "appendleft"}
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(slots=True)
class Bindings:
    """One scope.

    Attributes:
        values: Expressions that a name is bound to, or that are put into it.
        parameters: Names that the caller binds.
        returned: Expressions that the function returns or yields.
        looped: Names that ``for`` loops and comprehensions bind.
    """

    values: dict[str, list[ast.expr]] = field(default_factory=dict)
    parameters: set[str] = field(default_factory=set)
    returned: list[ast.expr] = field(default_factory=list)
    looped: frozenset[str] = frozenset()


@dataclass(slots=True)
class Module:
    """A parsed file or cell.

    Attributes:
        tree: Its syntax tree.
        functions: All functions in it, at any depth.
        attributes: For each attribute name, what is stored under it anywhere in the file, with
            the scope that does so.
    """

    tree: ast.Module
    functions: list[FunctionNode]
    attributes: dict[str, list[tuple[FunctionNode | ast.Module, ast.expr]]]


_MODULES: dict[str, tuple[int, Module | None]] = {}
_BINDINGS: dict[int, tuple[ast.AST, Bindings]] = {}
_MOST = 512


def module_of(filename: str) -> Module | None:
    """The parsed source of a file or notebook cell; None if there is none to be had."""
    lines = linecache.getlines(filename)
    mark = hash(tuple(lines))
    known = _MODULES.get(filename)
    if known is None or known[0] != mark:
        if len(_MODULES) > _MOST:
            _MODULES.clear()
            _BINDINGS.clear()
        known = _MODULES[filename] = (mark, _parse(lines))
    return known[1]


def _parse(lines: list[str]) -> Module | None:
    if lines and lines[0].lstrip().startswith("%%"):
        lines = ["\n", *lines[1:]]  # the cell magic's own line is no Python
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    functions = [n for n in ast.walk(tree) if isinstance(n, _SCOPES)]
    module = Module(tree, functions, {})
    for home in (tree, *functions):
        for target, value in _pairs(home):
            attribute = _attribute_root(target)
            if attribute:
                module.attributes.setdefault(attribute, []).append((home, value))
    return module if lines else None


def bindings_of(node: FunctionNode | ast.Module) -> Bindings:
    """The bindings of one scope (remembered)."""
    known = _BINDINGS.get(id(node))
    if known is None or known[0] is not node:
        known = _BINDINGS[id(node)] = (node, _collect(node))
    return known[1]


def _collect(node: FunctionNode | ast.Module) -> Bindings:
    found = Bindings()
    if not isinstance(node, ast.Module):
        every = node.args
        some = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
        found.parameters = {a.arg for a in some if a is not None}
    if isinstance(node, ast.Lambda):
        found.returned.append(node.body)
    for target, value in _pairs(node):
        root = _name_root(target)
        if root:
            found.values.setdefault(root, []).append(value)
    targets = (p.target for p in own_nodes(node) if isinstance(p, _LOOPS))
    found.looped = frozenset(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))
    for part in own_nodes(node):
        if isinstance(part, (ast.Return, ast.Yield, ast.YieldFrom)) and part.value is not None:
            found.returned.append(part.value)
    return found


def reads_module(module: Module, home: FunctionNode | ast.Module, node: ast.Name) -> bool:
    """Whether a name that is read in this scope is the module's variable.

    It is not if a comprehension around it, the function or one that encloses it binds the name.
    """
    name = node.id
    if any(_in_comprehension(part, node) for part in own_nodes(home)):
        return False
    return not any(binds(scope, name) for scope in (home, *enclosing(module, home)))


def enclosing(module: Module, home: FunctionNode | ast.Module) -> list[FunctionNode]:
    """The functions around a function."""
    if isinstance(home, ast.Module):
        return []
    return [f for f in module.functions if f is not home and any(n is home for n in ast.walk(f))]


def binds(home: FunctionNode | ast.Module, name: str) -> bool:
    """Whether a function has a variable of that name of its own."""
    if isinstance(home, ast.Module):
        return False
    if name in bindings_of(home).parameters:
        return True
    nodes = own_nodes(home)
    if any(isinstance(n, ast.Global) and name in n.names for n in nodes):
        return False
    return any(_stores(n, name) for n in nodes)


def _stores(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Store)
    return getattr(node, "name", None) == name or getattr(node, "asname", None) == name


def _in_comprehension(part: ast.AST, node: ast.Name) -> bool:
    """Whether it is a comprehension that binds the name, with this read of it inside."""
    loops = getattr(part, "generators", None)
    if not loops:
        return False
    targets = (n for loop in loops for n in ast.walk(loop.target))
    if not any(_stores(n, node.id) for n in targets):
        return False
    return any(n is node for n in ast.walk(part))


def bound_before(module: Module, home: FunctionNode | ast.Module, node: ast.Name) -> bool:
    """Whether what the module's variable denotes at the end was bound before this read of it.

    Not if a statement below binds it again; for a function, which may run at any time, not if
    there are two such statements at all.
    """
    nodes = own_nodes(module.tree)
    loops = [g.target for n in nodes for g in getattr(n, "generators", ())]
    own = {id(part) for target in loops for part in ast.walk(target)}  # a comprehension's
    lines = {getattr(n, "lineno", 0) for n in nodes if _stores(n, node.id) and id(n) not in own}
    if isinstance(home, ast.Module):
        return all(line <= node.lineno for line in lines)
    return len(lines) < 2


def own_nodes(node: ast.AST) -> list[ast.AST]:
    """All nodes of a scope, without those of scopes inside it."""
    found: list[ast.AST] = []
    stack = list(ast.iter_child_nodes(node))
    while stack:
        part = stack.pop()
        found.append(part)
        if not isinstance(part, (*_SCOPES, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(part))
        elif isinstance(part, ast.ClassDef):
            stack.extend(s for s in part.body if not isinstance(s, _SCOPES))
    return found


def _pairs(node: FunctionNode | ast.Module) -> list[tuple[ast.expr, ast.expr]]:
    """Every (target, value) of a scope: assignments, loops, ``with``, fills and in-place calls."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for part in own_nodes(node):
        if isinstance(part, ast.Assign):
            for target in part.targets:
                pairs += _unpack(target, part.value)
        elif isinstance(part, (ast.AugAssign, ast.NamedExpr, ast.AnnAssign)):
            if part.value is not None:
                pairs += _unpack(part.target, part.value)
        elif isinstance(part, _LOOPS):
            pairs += _iterate(part.target, part.iter)
        elif isinstance(part, ast.withitem) and part.optional_vars is not None:
            pairs += _unpack(part.optional_vars, part.context_expr)
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            name = part.func.attr
            if name in _FILLS or (name.endswith("_") and not name.startswith("_")):
                values = [*part.args, *(k.value for k in part.keywords)]
                pairs += [(part.func.value, v) for v in values]
    return pairs


def _unpack(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Starred):
        target = target.value
    if not isinstance(target, (ast.Tuple, ast.List)):
        return [(target, value)]
    if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
        each = zip(target.elts, value.elts)
        return [pair for t, v in each for pair in _unpack(t, v)]
    return [pair for t in target.elts for pair in _unpack(t, value)]


def _iterate(target: ast.expr, source: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """A loop's target takes elements: ``zip`` and ``enumerate`` are taken apart."""
    if isinstance(source, ast.Call) and isinstance(target, (ast.Tuple, ast.List)):
        name = source.func.id if isinstance(source.func, ast.Name) else ""
        if name == "zip" and len(source.args) == len(target.elts):
            each = zip(target.elts, source.args)
            return [pair for t, s in each for pair in _iterate(t, s)]
        if name == "enumerate" and len(target.elts) == 2 and source.args:
            return _iterate(target.elts[1], source.args[0])
    return _unpack(target, source)


def _name_root(target: ast.expr) -> str:
    """``w`` for ``w``, ``w.data`` and ``w[i]``: what a write into it taints."""
    while isinstance(target, (ast.Subscript, ast.Attribute, ast.Call)):
        if isinstance(target, ast.Attribute) and target.attr in GRADIENT:
            return ""
        target = target.func if isinstance(target, ast.Call) else target.value
    return target.id if isinstance(target, ast.Name) and target.id != "self" else ""


def _attribute_root(target: ast.expr) -> str:
    """``buffers`` for ``self.buffers`` and ``self.buffers[i]``; not for ``w.data`` or ``w.grad``."""
    while isinstance(target, ast.Subscript):
        target = target.value
    if isinstance(target, ast.Attribute) and target.attr not in {
        "data",
        "requires_grad",
        *GRADIENT,
    }:
        return target.attr
    return ""

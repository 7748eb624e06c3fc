"""Was the operand of a hand-written update computed from a gradient?

Following every tensor through every operation would answer that exactly and cost half the
training time again. Instead the question is asked of the *code that did it*, once for each
line: starting from the statement, follow names to the expressions that they were bound to, in
this function, in the functions that called it (the live stack says which) and in those that it
calls, until an attribute ``.grad`` is read. The order of statements is ignored, which errs on
the side of *yes*: a false yes is harmless where nothing is held, a false no would hide a
gradient that was consumed.

``True`` and ``False`` are proofs in that sense; ``None`` means that some name could not be
followed (another cell, no source), and the caller looks at the numbers instead.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import CodeType, FrameType, FunctionType

from torch import Tensor

from ipygradmagic.capture.bindings import (
    GRADIENT,
    Bindings,
    FunctionNode,
    Module,
    bindings_of,
    module_of,
    own_nodes,
)
from ipygradmagic.capture.source import is_user, line_of

Answer = bool | None
MOST_CALLERS = 6
"""Parameters are followed through at most this many callers."""
_PLAIN_ATTRIBUTES = {"data", "shape", "dtype", "device", "T", "real", "imag", "mT", "values"}
_NOT_SLOTS = {"autograd.grad", "torch.autograd.grad", "grad_and_value", "vjp", "jvp"}


@dataclass(frozen=True, slots=True)
class Scope:
    """A function (or module level) in which names are followed, and its live frame."""

    module: Module
    node: FunctionNode | ast.Module
    frame: FrameType | None
    exclude: frozenset[str] = frozenset()
    depth: int = 0

    @property
    def bindings(self) -> Bindings:
        """What each name of this scope is bound to."""
        return bindings_of(self.node)


class Derivation:
    """Answers, remembered by site."""

    def __init__(self) -> None:
        self._answers: dict[tuple[int, str], Answer] = {}
        self._own: dict[int, bool] = {}
        self._others: dict[int, bool] = {}

    def of_statement(self, site: int, frame: FrameType | None, target: str) -> Answer:
        """Whether the statement that runs in ``frame`` computes from a gradient.

        Args:
            site: The place, for remembering the answer.
            frame: The innermost frame of the user's code.
            target: Root name of the tensor that is written; reading it proves nothing.
        """
        key = (site, target)
        if key not in self._answers:
            self._answers[key] = _statement(frame, target)
        return self._answers[key]

    def of_own(self, site: int, frame: FrameType | None) -> bool:
        """Whether a statement that writes ``x.grad`` also reads ``x.grad``."""
        if site not in self._own:
            self._own[site] = _reads_own(frame)
        return self._own[site]

    def of_others(self, site: int, frame: FrameType | None) -> bool:
        """Whether a statement computes from a gradient that it does not read off ``.grad`` itself.

        (A clone that was taken before, as opposed to ``w.data -= lr * w.grad``.)
        """
        if site not in self._others:
            self._others[site] = _others(frame)
        return self._others[site]

    def of_binding(
        self,
        frame: FrameType | None,
        code: CodeType,
        name: str,
        *,
        first: bool = False,
        born: Sequence[tuple[CodeType, int]] = (),
        attribute: str | None = None,
    ) -> tuple[CodeType, int, Answer]:
        """The statement that binds ``name`` to a new tensor, and whether from a gradient.

        Where it is known that the tensor was made while such a statement ran, it is that one.
        Among several, one inside a loop is preferred, then one computed from a gradient: a name
        that is bound again and again is bound by the loop's body, not by its initialisation.
        For the ``first`` binding of a run it is the other way round: the last one before the
        line that is running, outside any loop.

        Args:
            frame: The live frame that has the name; None if it has returned.
            code: Its code; functions inside may declare the name ``global`` or ``nonlocal``.
            name: A plain name.
            first: No leaf of that name has been replaced yet.
            born: The frames in which the tensor was made, innermost first, if that was seen.
            attribute: Only statements that store this attribute are asked for; "" is the plain
                name itself, None whatever is written into it.

        Returns:
            The code in which the statement stands, its line (0 if there is none), the answer.
        """
        scope = _scope_in(frame, code)
        if scope is None:
            return code, 0, None
        strangers = [at for at, _ in born if at.co_filename != code.co_filename]
        found = list(_binders(scope, code, name, attribute, strangers))
        made = [f for at, lasti in born for f in found if f.runs(at, lasti)]
        now = frame.f_lineno if frame is not None else 0
        past = [f for f in found if f.looped or f.code is not code or f.line <= now]
        before = [f for f in found if f.code is code and not f.looped and f.line < now]
        if made:
            found = made[:1]
        elif first and before:
            found = [max(before, key=lambda f: f.line)]
        elif past:
            found = past
        judged = [(f.looped, f.answer() is True, f.line, f) for f in found]
        if not judged:
            return code, 0, None
        best = max(judged, key=lambda f: f[:3])[3]
        return best.code, best.line, best.answer()

    def binds(self, code: CodeType, name: str, born: Sequence[tuple[CodeType, int]]) -> bool:
        """Whether the statement in which a tensor was made binds ``name`` in this function."""
        scope = _scope_in(None, code)
        if scope is None:
            return False
        found = list(_binders(scope, code, name, "", []))
        return any(f.runs(at, lasti) for at, lasti in born if at is code for f in found)

    def of_setting(self, code: CodeType) -> Answer:
        """Whether what a file sets by ``setattr`` and the like is computed from a gradient.

        If it sets nothing that way, a library did (``load_state_dict(assign=True)``), not from
        gradients.
        """
        scope = _scope_in(None, code)
        if scope is None:
            return None
        calls = [n for n in ast.walk(scope.module.tree) if isinstance(n, ast.Call)]
        return _any(tainted(c.args[-1], scope, set()) for c in calls if _sets(c) and c.args)


def _sets(call: ast.Call) -> bool:
    function = call.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    return name in ("setattr", "__setattr__", "register_parameter")


@dataclass(frozen=True, slots=True)
class _Binder:
    """A statement that binds a name, and the scope in which it stands."""

    scope: Scope
    code: CodeType
    statement: ast.Assign | ast.AnnAssign | ast.AugAssign
    looped: bool

    @property
    def line(self) -> int:
        """Where the statement begins."""
        return self.statement.lineno

    def runs(self, code: CodeType, lasti: int) -> bool:
        """Whether this is the statement that a frame was executing."""
        end = self.statement.end_lineno or self.line
        return code is self.code and self.line <= line_of(code, lasti) <= end

    def answer(self) -> Answer:
        """Whether it computes from a gradient."""
        value = self.statement.value
        return False if value is None else tainted(value, self.scope, set())


def _binders(
    scope: Scope,
    code: CodeType,
    name: str,
    attribute: str | None,
    strangers: Sequence[CodeType],
) -> Iterator[_Binder]:
    """Statements of a scope that bind ``name``, and of functions that declare it to be that one."""
    for statement, looped in _assignments(scope.node, name, attribute):
        yield _Binder(scope, code, statement, looped)
    outer = ast.Global if code.co_name == "<module>" else ast.Nonlocal
    for inner in (*_inner_codes(code), *strangers):
        module = module_of(inner.co_filename)
        node = node_of(module, inner) if module is not None else None
        if module is None or node is None or isinstance(node, ast.Module):
            continue
        if any(isinstance(n, outer) and name in n.names for n in own_nodes(node)):
            for statement, looped in _assignments(node, name, attribute):
                yield _Binder(Scope(module, node, None), inner, statement, looped)


def _inner_codes(code: CodeType) -> Iterator[CodeType]:
    """Functions that are defined in a code object, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inner_codes(constant)


def loop_names(code: CodeType | None) -> frozenset[str]:
    """Variables of a function (or module level) that its ``for`` loops and comprehensions bind."""
    module = module_of(code.co_filename) if code is not None else None
    if module is None or code is None:
        return frozenset()
    return bindings_of(node_of(module, code)).looped


def loop_names_of(file: str) -> frozenset[str]:
    """The same for the module level of a file."""
    module = module_of(file)
    return bindings_of(module.tree).looped if module is not None else frozenset()


def _statement(frame: FrameType | None, target: str) -> Answer:
    scope = _scope(frame, frozenset({target} if target else ()))
    if scope is None or frame is None:
        return None
    statement = _innermost(scope.module.tree, _position(frame))
    if statement is None:
        return None
    return _any(tainted(e, scope, set()) for e in _operands(statement))


def _reads_own(frame: FrameType | None) -> bool:
    scope = _scope(frame, frozenset())
    statement = _innermost(scope.module.tree, _position(frame)) if scope and frame else None
    if statement is None:
        return False
    if isinstance(statement, ast.AugAssign):
        return True
    targets = [
        n for n in ast.walk(statement) if isinstance(n, ast.Attribute) and n.attr in GRADIENT
    ]
    texts = [ast.unparse(n) for n in targets]
    return any(texts.count(text) > 1 for text in texts)


def _others(frame: FrameType | None) -> bool:
    scope = _scope(frame, frozenset())
    statement = _innermost(scope.module.tree, _position(frame)) if scope and frame else None
    if scope is None or statement is None:
        return False
    written = _written(statement)
    stack: list[ast.AST] = list(_operands(statement))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Attribute) and node.attr in GRADIENT:
            continue
        if isinstance(node, ast.Name) and node.id not in written:
            if tainted(node, scope, set()):
                return True
        stack.extend(ast.iter_child_nodes(node))
    return False


def _written(statement: ast.stmt) -> set[str]:
    """Names at the root of what a statement writes: ``w`` of ``w.data = …`` and ``w.add_(…)``."""
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    else:
        targets = [n for n in ast.iter_child_nodes(statement) if isinstance(n, ast.expr)][:1]
    found: set[str] = set()
    for target in targets:
        node: ast.expr = target
        while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Await)):
            node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Name):
            found.add(node.id)
    return found


def _scope(frame: FrameType | None, exclude: frozenset[str], depth: int = 0) -> Scope | None:
    return None if frame is None else _scope_in(frame, frame.f_code, exclude, depth)


def _scope_in(
    frame: FrameType | None,
    code: CodeType,
    exclude: frozenset[str] = frozenset(),
    depth: int = 0,
) -> Scope | None:
    """The scope of a code object, whether its frame is still alive or not."""
    module = module_of(code.co_filename)
    if module is None:
        return None
    return Scope(module, node_of(module, code), frame, exclude, depth)


def node_of(module: Module, code: CodeType) -> FunctionNode | ast.Module:
    """The definition that a code object was compiled from; comprehensions belong to their host."""
    if code.co_name == "<module>":
        return module.tree
    named = [f for f in module.functions if getattr(f, "name", "<lambda>") == code.co_name]
    first = code.co_firstlineno
    for node in named:
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        if start <= first <= node.lineno:
            return node
    around = [f for f in module.functions if f.lineno <= first <= (f.end_lineno or 0)]
    return max(around, key=lambda f: f.lineno, default=module.tree)


def _position(frame: FrameType) -> tuple[int, int | None]:
    """Line and column (None before Python 3.11) that a frame is executing."""
    line, positions = frame.f_lineno, getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return line, None
    place = next(islice(positions(), frame.f_lasti // 2, None), (None,) * 4)
    return (place[0] or line), place[2]


def _innermost(tree: ast.Module, position: tuple[int, int | None]) -> ast.stmt | None:
    """The smallest statement at a position."""
    best: ast.stmt | None = None
    stack: list[ast.AST] = [tree]
    while stack:
        for child in ast.iter_child_nodes(stack.pop()):
            if _covers(child, *position):
                if isinstance(child, ast.stmt):
                    best = child
                stack.append(child)
    return best


def _covers(node: ast.AST, line: int, column: int | None) -> bool:
    start = getattr(node, "lineno", None)
    if start is None:
        return True
    end = getattr(node, "end_lineno", start) or start
    if not start <= line <= end:
        return False
    if column is None or not isinstance(node, ast.stmt) or start != end:
        return True
    return bool(node.col_offset <= column <= (node.end_col_offset or column))


def _operands(statement: ast.stmt) -> list[ast.expr]:
    """The expressions whose value is written."""
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        return [] if statement.value is None else [statement.value]
    if isinstance(statement, ast.Expr):
        return _call_operands(statement.value)
    return [e for e in ast.iter_child_nodes(statement) if isinstance(e, ast.expr)]


def _call_operands(value: ast.expr) -> list[ast.expr]:
    """Arguments of a call and of the calls that its receiver is a chain of."""
    operands: list[ast.expr] = []
    node: ast.expr = value
    while True:
        if isinstance(node, ast.Await):
            node = node.value
        elif isinstance(node, ast.Call):
            operands += [*node.args, *(k.value for k in node.keywords)]
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        elif isinstance(node, ast.Name):
            return operands
        else:
            return [*operands, node]


def tainted(expr: ast.expr, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    """Whether the value of an expression depends on some ``.grad``."""
    if isinstance(expr, (ast.Constant, ast.JoinedStr, ast.Compare)):
        return False
    if isinstance(expr, ast.Name):
        return _name(expr.id, scope, seen)
    if isinstance(expr, ast.Attribute):
        return _attribute(expr, scope, seen)
    if isinstance(expr, ast.Call):
        return _call(expr, scope, seen)
    if isinstance(expr, ast.Subscript):
        return tainted(expr.value, scope, seen)
    if isinstance(expr, ast.IfExp):
        return _any(tainted(e, scope, seen) for e in (expr.body, expr.orelse))
    if isinstance(expr, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return tainted(expr.elt, scope, seen)
    if isinstance(expr, ast.DictComp):
        return tainted(expr.value, scope, seen)
    parts = [e for e in ast.iter_child_nodes(expr) if isinstance(e, ast.expr)]
    return _any(tainted(e, scope, seen) for e in parts)


def _any(answers: Iterator[Answer]) -> Answer:
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _attribute(expr: ast.Attribute, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    if expr.attr in GRADIENT:
        return True
    inner = tainted(expr.value, scope, seen)
    if expr.attr in _PLAIN_ATTRIBUTES or inner:
        return inner
    key = (0, expr.attr)
    if key in seen:
        return False
    seen.add(key)
    kept = [
        tainted(value, Scope(scope.module, home, None, depth=scope.depth), seen)
        for home, value in scope.module.attributes.get(expr.attr, ())
    ]
    return _any(iter([inner, *kept]))


def _name(name: str, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    if name in scope.exclude or name in ("self", "cls", "torch", "math", "np"):
        return False
    key = (id(scope.node), name)
    if key in seen:
        return False
    seen.add(key)
    bound = scope.bindings
    values = [tainted(v, scope, seen) for v in bound.values.get(name, ())]
    if name in bound.parameters:
        values.append(_parameter(name, scope, seen))
    elif not values:
        return _outer(name, scope, seen)
    return _any(iter(values))


def _parameter(name: str, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    """Follow a parameter to what the live caller passed for it."""
    if scope.frame is None or scope.depth >= MOST_CALLERS:
        return None
    caller = scope.frame.f_back
    while caller is not None and not is_user(caller.f_code):
        caller = caller.f_back
    outer = _scope(caller, scope.exclude, scope.depth + 1)
    if outer is None or caller is None or isinstance(scope.node, ast.Module):
        return None
    statement = _innermost(outer.module.tree, _position(caller))
    if statement is None:
        return None
    for call in (n for n in ast.walk(statement) if isinstance(n, ast.Call)):
        argument = _argument(call, scope.node, name)
        if argument is not None:
            return tainted(argument, outer, seen)
    return None


def _argument(call: ast.Call, node: FunctionNode, name: str) -> ast.expr | None:
    """What a call passes for a parameter, if it is a call of that function."""
    function = getattr(node, "name", "")
    called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if called != function and function not in ("__init__", "__call__", "forward"):
        return None
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    if names and names[0] in ("self", "cls"):
        names = names[1:]
    place = names.index(name) if name in names else -1
    if 0 <= place < len(call.args):
        return call.args[place]
    if node.args.vararg and node.args.vararg.arg == name and call.args:
        return ast.Tuple(list(call.args), ast.Load())
    return None


def _outer(name: str, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    """A name bound outside: an enclosing function, module level, or somewhere unseen."""
    for home in _enclosing(scope):
        inner = Scope(scope.module, home, None, scope.exclude, scope.depth)
        if name in inner.bindings.values:
            return tainted(ast.Name(name, ast.Load()), inner, seen)
    value = scope.frame.f_globals.get(name) if scope.frame is not None else None
    holds_tensors = isinstance(value, (Tensor, list, tuple, dict))
    return None if value is None or holds_tensors else False


def _enclosing(scope: Scope) -> Iterator[FunctionNode | ast.Module]:
    if isinstance(scope.node, ast.Module):
        return
    start, end = scope.node.lineno, scope.node.end_lineno or scope.node.lineno
    for node in scope.module.functions:
        if node is not scope.node and node.lineno <= start and end <= (node.end_lineno or 0):
            yield node
    yield scope.module.tree


def _call(expr: ast.Call, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    text = ast.unparse(expr.func) if not isinstance(expr.func, ast.Call) else ""
    if text in _NOT_SLOTS:
        return False
    if text == "getattr" and len(expr.args) > 1 and isinstance(expr.args[1], ast.Constant):
        if expr.args[1].value in GRADIENT:
            return True
    arguments = [*expr.args, *(k.value for k in expr.keywords)]
    answers = [tainted(a, scope, seen) for a in arguments]
    if isinstance(expr.func, ast.Attribute):
        answers.append(tainted(expr.func.value, scope, seen))
    answers.append(_returns(expr.func, scope, seen))
    return _any(iter(answers))


def _returns(function: ast.expr, scope: Scope, seen: set[tuple[int, str]]) -> Answer:
    """Whether a function of the user's returns something computed from a gradient."""
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    homes: Sequence[tuple[Module, FunctionNode]] = [
        (scope.module, f) for f in scope.module.functions if getattr(f, "name", "") == name
    ]
    if not homes and scope.frame is not None:
        homes = _elsewhere(scope.frame.f_globals.get(name))
    key = (1, name)
    if not homes or key in seen:
        return False
    seen.add(key)
    answers: list[Answer] = []
    for module, node in homes:
        inner = Scope(module, node, None, frozenset(), scope.depth + 1)
        for value in inner.bindings.returned:
            answers.append(tainted(value, inner, seen))
    return bool(any(answers))


def _elsewhere(value: object) -> list[tuple[Module, FunctionNode]]:
    """The definition of a user's function that lives in another file or cell."""
    if not isinstance(value, FunctionType) or not is_user(value.__code__):
        return []
    module = module_of(value.__code__.co_filename)
    if module is None:
        return []
    node = node_of(module, value.__code__)
    return [] if isinstance(node, ast.Module) else [(module, node)]


def _assignments(
    home: FunctionNode | ast.Module, name: str, attribute: str | None
) -> Iterator[tuple[ast.Assign | ast.AnnAssign | ast.AugAssign, bool]]:
    """Statements of a scope that bind ``name``, and whether they stand in a loop."""
    stack: list[tuple[ast.AST, bool]] = [(home, False)]
    while stack:
        node, looped = stack.pop()
        inside = looped or isinstance(node, (ast.For, ast.While, ast.AsyncFor))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
                continue
            if isinstance(child, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                targets = child.targets if isinstance(child, ast.Assign) else [child.target]
                if attribute == "" and isinstance(child, ast.AugAssign):
                    continue  # ``w -= …`` writes into the leaf that is there
                if any(_binds(target, name, attribute) for target in targets):
                    yield child, inside
            stack.append((child, inside))


def _binds(target: ast.expr, name: str, attribute: str | None) -> bool:
    """Whether storing into ``target`` binds a name, or an attribute of what it denotes."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(_binds(part, name, attribute) for part in target.elts)
    if isinstance(target, ast.Starred):
        return _binds(target.value, name, attribute)
    if attribute == "":
        return isinstance(target, ast.Name) and target.id == name
    within = list(ast.walk(target))
    stored = attribute is None or any(
        isinstance(n, ast.Attribute) and n.attr == attribute for n in within
    )
    return stored and any(isinstance(n, ast.Name) and n.id == name for n in within)

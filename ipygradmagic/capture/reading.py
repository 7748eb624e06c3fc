"""Whether a line of the traced text has run, where nothing was recorded at the line itself.

Reading ``h.grad`` leaves no trace, so what asks for it is found in the text. Text alone proves
nothing: the line may stand in a branch that was never taken. But events tell which lines ran, and
a statement has run if something after it in the same block did, or if its block was entered and
nothing between leads out of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

_Step = tuple[ast.AST, list[ast.stmt], int]
"""The owner of a block, the block, and the place of a statement in it."""
_LEAVE = (ast.Return, ast.Raise, ast.Break, ast.Continue, ast.Yield, ast.YieldFrom, ast.Await)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_DOORS = (ast.With, ast.AsyncWith, ast.Try)
_HOMES = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef)
_LATER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Evidence:
    """What is known to have run in one file.

    Args:
        lines: Lines at which something was recorded.
        stopped: The run has not come to its end (an exception, or it is still going on): a block
            that was entered need not have, either.
        running: The code goes on after the trace, so only the ``with`` blocks in which something
            was recorded can have come to their end.
    """

    def __init__(self, lines: Iterable[int], *, stopped: bool, running: bool) -> None:
        self._lines = sorted(set(lines))
        self._stopped = stopped
        self._running = running

    def read(self, home: ast.AST, node: ast.expr) -> bool:
        """Whether this expression of a module or function was evaluated for its value.

        Not if the text only asks whether there is one: ``if h.grad is not None``.
        """
        path = _path(home, node)
        if not path:
            return False
        _, block, place = path[-1]
        return _always(block[place], node) and self._ran(path)

    def _ran(self, path: Sequence[_Step]) -> bool:
        owner, block, place = path[-1]
        if any(map(self._seen, block[place:])):
            return True
        entered = [i for i, stmt in enumerate(block[:place]) if self._seen(stmt)]
        between = block[entered[-1] if entered else 0 : place]
        if self._stopped or any(map(_leads_out, between)):
            return False
        if entered:
            return not self._running or any(isinstance(o, ast.With) for o, _, _ in path)
        if isinstance(owner, _HOMES):
            return not self._running and self._seen(owner)
        within = isinstance(owner, _DOORS) and block is owner.body
        return within and len(path) > 1 and self._ran(path[:-1])

    def _seen(self, node: ast.AST) -> bool:
        """Something was recorded at a line of this statement or of what it contains."""
        if isinstance(node, ast.Module):
            return bool(self._lines)
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        return any(first <= line <= last for line in self._lines)


def _path(home: ast.AST, node: ast.expr) -> list[_Step]:
    """The statement of each block on the way from a module or function to an expression in it."""
    path: list[_Step] = []
    owner = home
    while True:
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            block: object = getattr(owner, name, None)
            place = _holding(block, node) if isinstance(block, list) else -1
            if isinstance(block, list) and place >= 0:
                path.append((owner, block, place))
                owner = block[place]
                break
        else:
            return path


def _holding(block: list[ast.stmt], node: ast.expr) -> int:
    for i, stmt in enumerate(block):
        if any(part is node for part in ast.walk(stmt)):
            return i
    return -1


def _always(stmt: ast.stmt, node: ast.expr) -> bool:
    """The statement evaluates the expression whenever it runs, and not to ask whether it is None."""
    if isinstance(stmt, (ast.If, ast.While, ast.Assert)):
        return False
    if isinstance(stmt, (ast.ExceptHandler, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    part: ast.AST = stmt
    while part is not node:
        inner = next(c for c in ast.iter_child_nodes(part) if any(p is node for p in ast.walk(c)))
        if isinstance(part, (ast.IfExp, *_LATER)):
            return False
        if isinstance(part, ast.BoolOp) and inner is not part.values[0]:
            return False
        part = inner
    return True


def _leads_out(stmt: ast.AST) -> bool:
    """Control may leave the block at this statement (a loop keeps its own ``break``)."""
    if isinstance(stmt, (*_HOMES, ast.Lambda, ast.ClassDef)):
        return False
    if isinstance(stmt, _LEAVE):
        return True
    inside = [c for c in ast.iter_child_nodes(stmt) if _leads_out(c)]
    if isinstance(stmt, _LOOPS):
        inside = [c for c in inside if not _only_loops(c)]
    return bool(inside)


def _only_loops(stmt: ast.AST) -> bool:
    """All that leads out of this part of a loop's body leads out of the loop only."""
    if isinstance(stmt, (ast.Break, ast.Continue)):
        return True
    if isinstance(stmt, _LEAVE):
        return False
    return all(_only_loops(c) for c in ast.iter_child_nodes(stmt) if _leads_out(c))

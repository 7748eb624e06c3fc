"""What to change in the user's source, as whole lines that come and go.

The text is cut between lines and never written anew, so it stays as the user formatted it, and a
cell may hold magics, which no parser of Python reads. Only the statement that the change is about
is parsed, for its place and its indentation. Where anything is doubtful (a library's code, another
function, a statement that shares its line with a loop), there is no edit, and the finding has
words instead.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ipygradmagic.record.findings import Edit, Finding, Remedy
from ipygradmagic.record.source import SourceLocation

_CONTEXT = 1
"""Unchanged lines around a change that its diff shows."""


def clear_after_step(step: SourceLocation | None) -> Edit | None:
    """``optimizer.zero_grad()`` behind the statement that steps.

    There it is right for every way of accumulating, and the optimizer's name holds; before the
    backward it also clears what an earlier run of the cell has left.
    """
    statement = _statement(step)
    owner = _stepped(statement)
    if step is None or statement is None or owner is None:
        return None
    return _behind(step, statement, f"{owner}.zero_grad()")


def clear_after_update(update: SourceLocation | None, names: Sequence[str]) -> Edit | None:
    """``w.grad.zero_()`` behind the statement that updates ``w`` by hand.

    Zeros and not None: the code around may go on to read the gradient.

    Args:
        update: The statement.
        names: What the updated tensors are called.
    """
    statement = _statement(update)
    written = _written(statement, names)
    if update is None or statement is None or written is None:
        return None
    return _behind(update, statement, f"{written}.grad.zero_()")


def clear_before_backward(
    backward: SourceLocation | None, step: SourceLocation | None
) -> Edit | None:
    """The ``zero_grad`` of the optimizer that steps, before a backward of the same function."""
    owner = _stepped(_statement(step))
    return _before(backward, step, f"{owner}.zero_grad()") if owner is not None else None


def drop_before_backward(
    backward: SourceLocation | None, update: SourceLocation | None, names: Sequence[str]
) -> Edit | None:
    """``w.grad = None`` before the backward, for a tensor that goes by its own name there."""
    written = _written(_statement(update), names)
    return _before(backward, update, f"{written}.grad = None") if written in names else None


def move_behind(moved: SourceLocation | None, step: SourceLocation | None) -> Edit | None:
    """A statement goes from where it is to behind the step of the same function."""
    statement, target = _statement(moved), _statement(step)
    if moved is None or step is None or statement is None or target is None:
        return None
    if (moved.file, moved.function) != (step.file, step.function):
        return None
    indent = _indent(moved.file, statement)
    if indent is None or statement.lineno != statement.end_lineno or not moved.text:
        return None
    if _alone(moved.text) != ast.unparse(statement):
        return None  # it shares its line with something
    edit = _behind(step, target, moved.text)
    return None if edit is None else replace(edit, gone=statement.lineno)


def _together(backward: SourceLocation, statement: ast.stmt, use: SourceLocation) -> bool:
    """It is a call of backward, in the function that uses the gradient."""
    calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    named = any(isinstance(f, ast.Attribute) and f.attr == "backward" for f in calls)
    return named and (backward.file, backward.function) == (use.file, use.function)


def patched(lines: Sequence[str], edits: Iterable[Edit]) -> list[str]:
    """The lines of a file (without line ends) with all edits made; equal ones are made once."""
    before: dict[int, list[str]] = {}
    gone = set()
    for edit in dict.fromkeys(edits):
        found = before.setdefault(edit.line, [])
        if edit.text not in found:
            found.append(edit.text)
        gone.add(edit.gone)
    result: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        result += before.get(number, [])
        if number not in gone and number <= len(lines):
            result.append(line)
    return result


def diff(edit: Edit) -> str:
    """The changed lines, with ``+`` and ``-`` in front, and a line around each of them."""
    lines = _source(edit.file).splitlines()
    told: list[tuple[str, str]] = []
    last = 0
    for number in range(1, len(lines) + 2):
        near = min(abs(number - n) for n in (edit.gone or edit.line, edit.line))
        if number == edit.line:
            told.append(("+", edit.text))
        if number > len(lines) or (near > _CONTEXT or number > edit.line > edit.gone):
            continue
        if last and number > last + 1:
            told.append((" ", "…"))
        told.append(("-" if number == edit.gone else " ", lines[number - 1]))
        last = number
    blanks = [len(text) - len(text.lstrip()) for _, text in told if text.strip(" …")]
    least = min(blanks, default=0)
    return "\n".join(f"{sign} {text[least:] or text.strip()}".rstrip() for sign, text in told)


def with_diff(finding: Finding) -> Finding:
    """The finding with the diff of its remedy's edit; without the edit if that breaks the code."""
    remedy = finding.remedy
    if remedy is None or remedy.edit is None:
        return finding
    return replace(finding, remedy=_checked(remedy, remedy.edit))


def _checked(remedy: Remedy, edit: Edit) -> Remedy:
    try:
        ast.parse("\n".join(patched(_source(edit.file).splitlines(), [edit])))
    except (SyntaxError, ValueError):
        return replace(remedy, edit=None)
    return replace(remedy, diff=diff(edit))


# -- statements ----------------------------------------------------------------------------


def _source(file: str) -> str:
    return "".join(linecache.getlines(file))


@functools.lru_cache(maxsize=8)
def _tree(source: str) -> ast.Module | None:
    """Several findings, and several lines of each, ask for the same file."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _statement(where: SourceLocation | None) -> ast.stmt | None:
    """The innermost statement at a line, if it is a simple one on lines of its own."""
    if where is None:
        return None
    tree = _tree(_source(where.file))
    best: ast.stmt | None = None
    shared = False
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.stmt) or isinstance(node, _COMPOUND):
            continue
        if node.lineno <= where.line <= (node.end_lineno or node.lineno):
            shared = best is not None
            best = node
    return None if shared else best


_COMPOUND = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.If,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.Match,
)


def _alone(text: str) -> str:
    """The one statement of a line, without its comment."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return ""
    return ast.unparse(body[0]) if len(body) == 1 else ""


def _indent(file: str, statement: ast.stmt) -> str | None:
    """What stands before the statement on its line, if that is only blanks."""
    line = linecache.getline(file, statement.lineno)
    before = line.encode()[: statement.col_offset].decode(errors="replace")
    return before if not before.strip() else None


def _before(backward: SourceLocation | None, use: SourceLocation | None, text: str) -> Edit | None:
    """A line before the backward, where it stands in the function that uses the gradient."""
    statement, user = _statement(backward), _statement(use)
    if backward is None or use is None or statement is None or user is None:
        return None
    indent, inner = _indent(backward.file, statement), _indent(use.file, user)
    if indent is None or inner is None or not _together(backward, statement, use):
        return None
    if not indent.startswith(inner):
        return None  # a name of a deeper block may not be there yet
    return Edit(backward.file, statement.lineno, indent + text)


def _behind(where: SourceLocation, statement: ast.stmt, text: str) -> Edit | None:
    indent = _indent(where.file, statement)
    end = statement.end_lineno
    if indent is None or end is None:
        return None
    return Edit(where.file, end + 1, indent + text)


def _stepped(statement: ast.stmt | None) -> str | None:
    """The optimizer in ``optimizer.step()`` or ``scaler.step(optimizer)``, as it is written."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    if value.func.attr != "step" or value.keywords:
        return None
    if not value.args:
        return ast.unparse(value.func.value)
    only = value.args[0] if len(value.args) == 1 else None
    scaler = "scaler" in ast.unparse(value.func.value).lower()
    return ast.unparse(only) if scaler and isinstance(only, (ast.Name, ast.Attribute)) else None


def _written(statement: ast.stmt | None, names: Sequence[str]) -> str | None:
    """The tensor that an update by hand writes, as it is written: ``w``, ``self.w``, ``p``."""
    target: ast.expr | None = None
    if isinstance(statement, ast.AugAssign):
        target = statement.target
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if not (isinstance(target, ast.Attribute) and target.attr == "data"):
            return None  # a name bound to something new has a new gradient
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        if isinstance(function, ast.Attribute) and function.attr.endswith("_"):
            target = function.value
    target = _without_data(target)
    if target is None or (isinstance(target, ast.Name) and target.id == "torch"):
        return None
    written = ast.unparse(target)
    if isinstance(target, ast.Subscript) and written.replace('"', "'") not in names:
        return None  # perhaps a part of a tensor only
    return written


def _without_data(target: ast.expr | None) -> ast.expr | None:
    """``w`` of ``w.data`` and ``w.detach()``."""
    while True:
        if isinstance(target, ast.Attribute) and target.attr == "data":
            target = target.value
        elif isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            if target.func.attr != "detach":
                return None
            target = target.func.value
        else:
            return target if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)) else None

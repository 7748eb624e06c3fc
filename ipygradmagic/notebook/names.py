"""Which names exist: in the namespace, in the cell, in functions defined earlier.

Torch is not imported here. A namespace in which nobody has imported it holds no tensor.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType

_TORCH_KINDS = {"Tensor", "Module", "Optimizer"}
_ROOT = re.compile(r"[^\W\d]\w*")
_SHOWN = 12


def is_torch_like(value: object, kinds: Iterable[str] = _TORCH_KINDS) -> bool:
    """Whether a value is a tensor, a module or an optimizer, told by the names of its classes."""
    return any(
        base.__name__ in kinds and base.__module__.partition(".")[0] == "torch"
        for base in type(value).__mro__
    )


def tensor_names(namespace: Mapping[str, object]) -> list[str]:
    """Names of the user's tensors with gradients, modules and optimizers."""
    return [
        name
        for name, value in list(namespace.items())
        if not name.startswith("_") and _matters(value)
    ]


def _matters(value: object) -> bool:
    if not is_torch_like(value):
        return False
    try:
        return bool(getattr(value, "requires_grad", True)) or is_torch_like(value, ("Module",))
    except Exception:  # a view whose base was changed under no_grad may refuse the question
        return False


def is_plain(name: str) -> bool:
    """Whether a name is no pattern; only such a name can be unknown."""
    return not set("*?") & set(name) and _ROOT.match(name) is not None


def root(name: str) -> str:
    """``model`` of ``model.layers[0].weight``."""
    match = _ROOT.match(name)
    return match.group() if match else name


def unknown(
    names: Iterable[str], namespace: Mapping[str, object], in_cell: Iterable[str]
) -> list[str]:
    """Those of the names that nothing the cell can reach is called by.

    Generous on purpose: a name passes if it is mentioned anywhere in the cell, in a function or
    class of the namespace, or inside one of its modules. Better an empty report than a refusal
    of a tensor that comes to be while the cell runs.
    """
    doubtful = [n for n in names if is_plain(n) and root(n) not in namespace]
    mentioned = set(in_cell)
    if all(root(n) in mentioned for n in doubtful):
        return []
    for value in list(namespace.values()):
        mentioned.update(_names_inside(value))
    return [n for n in doubtful if root(n) not in mentioned]


def _names_inside(value: object) -> Iterator[str]:
    """Identifiers used by a function, a class, the class of an instance, or a module's parts."""
    for code in _codes(value):
        yield from _names_of_code(code)
    if is_torch_like(value, ("Module",)):
        try:
            parameters = list(getattr(value, "named_parameters")())  # noqa: B009
        except Exception:
            return
        for name, _ in parameters:
            yield from name.split(".")


def _codes(value: object) -> Iterator[CodeType]:
    if isinstance(value, MethodType):
        value = value.__func__
    if isinstance(value, FunctionType):
        yield value.__code__
        return
    kind = value if isinstance(value, type) else type(value)
    for member in list(vars(kind).values()):
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType):
            yield function.__code__


def _names_of_code(code: CodeType) -> Iterator[str]:
    yield from code.co_varnames
    yield from code.co_names
    yield from code.co_freevars
    yield from code.co_cellvars
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of_code(constant)
        elif isinstance(constant, str):
            yield constant


def what_exists(wanted: str, namespace: Mapping[str, object]) -> str:
    """The end of an error message: the nearest name if there is one, then what there is."""
    known = tensor_names(namespace)
    near = difflib.get_close_matches(root(wanted), known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    if not known:
        return hint + "the namespace holds no tensor that requires grad, and no module"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{hint}tensors and modules here: {', '.join(known[:_SHOWN])}{more}"

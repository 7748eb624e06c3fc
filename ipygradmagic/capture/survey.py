"""``%grad_state``: the gradients of a namespace right now, with no trace needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ipygradmagic.capture import names
from ipygradmagic.capture.autograd import graph_of
from ipygradmagic.capture.books import Books, Leaf
from ipygradmagic.capture.deadends import Surroundings
from ipygradmagic.capture.discovery import is_open_leaf
from ipygradmagic.capture.harvest import non_leaves, optimizer_infos, tensor_info
from ipygradmagic.capture.owners import parameters_of
from ipygradmagic.capture.source import CellOf
from ipygradmagic.capture.tracer import running_watch
from ipygradmagic.capture.watch import Watch
from ipygradmagic.errors import OptionError
from ipygradmagic.language import ptr, tr
from ipygradmagic.record.graph import Graph
from ipygradmagic.record.state import State, TensorState
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo


def survey(
    books: Books,
    namespace: Mapping[str, object],
    expressions: Mapping[str, object],
    graph: tuple[str, object] | None,
    cell_of: CellOf | None,
    saved: bool = False,
) -> State:
    """Look at the namespace, or at the given things only; ``saved`` goes for the graph.

    Raises:
        OptionError: A given thing holds no tensor that requires grad, or the graph's is none.
    """
    for text, value in expressions.items():
        _check(text, value, namespace)
    if graph is not None:
        _check_graph(*graph, namespace=namespace)
    live = running_watch()
    where = dict(expressions) if expressions else namespace
    watch = live or Watch(books, where, cell_of)
    try:
        with watch.guard():
            return _state(watch, where, names.walk(namespace), graph, saved)
        return State(warnings=tuple(watch.warnings))
    finally:
        if live is None:
            books.close()


def _state(
    watch: Watch,
    where: Mapping[str, object],
    everything: names.Found,
    graph: tuple[str, object] | None,
    saved: bool,
) -> State:
    watch.discovery.survey()
    watch.adopt_fresh()
    chosen = names.walk(where)
    for optimizer, name in everything.optimizers():
        watch.remember(optimizer, name)
        watch.discovery.name_optimizer(optimizer, name)
        for leaf in _owned(watch, optimizer):
            leaf.owners[name] = None
    optimizers = tuple(optimizer_infos(watch))
    states: list[TensorState] = []
    for tensor, _ in chosen.tensors():
        known = watch.books.find(tensor)
        if known is not None:
            info = tensor_info(watch, known)
            states.append(TensorState(info, known.since, _odd(info, optimizers)))
    rest = [TensorState(t, None, _odd(t, optimizers)) for t in non_leaves(watch, -1, {})]
    plain = sum(not _requires_grad(tensor) for tensor, _ in chosen.tensors())
    drawn = _graph(watch, *graph, saved) if graph is not None else None
    return State((*states, *rest), optimizers, (), drawn, plain, tuple(watch.warnings))


def _owned(watch: Watch, optimizer: torch.optim.Optimizer) -> Iterator[Leaf]:
    found = map(watch.books.find, parameters_of(optimizer))
    return (leaf for leaf in found if leaf is not None)


def _requires_grad(tensor: Tensor) -> bool:
    try:
        return bool(tensor._is_view() or tensor.requires_grad)
    except (RuntimeError, ValueError):
        return True


def _odd(info: TensorInfo, optimizers: tuple[OptimizerInfo, ...]) -> str:
    """What deserves attention, in words."""
    odd: list[str] = []
    if info.kind == "non-leaf":
        return tr(
            "made by {operation}: its grad is not kept (retain_grad() would keep it)",
            operation=info.made,
        )
    holds = info.holds
    if info.grad is not None and not info.grad.finite:
        odd.append(tr("grad has {nan} NaN, {inf} Inf", nan=info.grad.nan, inf=info.grad.inf))
    if holds is not None and holds.stale:
        odd.append(
            tr(
                "{stale} of its {number} contributions were already used by an update",
                stale=holds.stale,
                number=holds.count,
            )
        )
    elif holds is not None and holds.used and holds.count == holds.used:
        odd.append(tr("already used by an update, not cleared yet"))
    elif holds is not None and holds.unknown:
        odd.append(tr("nobody saw where this gradient came from"))
    elif holds is not None and holds.count > 1:
        odd.append(tr("sum of {number} backward passes", number=holds.count))
    if optimizers and not info.owners and info.requires_grad:
        odd.append(tr("in no optimizer"))
    if not info.requires_grad:
        odd.append(tr("requires_grad is off"))
    return ptr("between clauses", "; ").join(odd)


def _graph(watch: Watch, text: str, value: object, saved: bool) -> Graph | None:
    if not isinstance(value, Tensor):
        return None

    def name_of(tensor: Tensor) -> tuple[str, int | None]:
        leaf = watch.books.find(tensor)
        return (leaf.name, leaf.id) if leaf is not None else (tr("‹unnamed›"), None)

    around = Surroundings(watch.discovery.namespace, found=watch.discovery.found)
    return graph_of([value], [text], name_of, title=text, saved=saved, around=around)


def _check(text: str, value: object, namespace: Mapping[str, object]) -> None:
    found = names.walk({text: value})
    if not found.tensors() and not found.optimizers():
        raise OptionError(f"{text!r} is {_a(value)}: no tensor in it. {_known(namespace)}")


def _check_graph(text: str, value: object, namespace: Mapping[str, object]) -> None:
    if not isinstance(value, Tensor):
        raise OptionError(
            f"--graph {text}: expected a tensor, got {_a(value)}. {_known(namespace)}"
        )
    if value.grad_fn is None and not is_open_leaf(value):
        raise OptionError(
            f"--graph {text}: this tensor has no autograd graph (it does not require grad)"
        )


def _a(value: object) -> str:
    return f"of type {type(value).__name__}"


def _known(namespace: Mapping[str, object]) -> str:
    found = names.walk(namespace)
    some = [called[0] for tensor, called in found.tensors() if _requires_grad(tensor)]
    if not some:
        return "No variable holds a tensor that requires grad."
    more = f" and {len(some) - 12} more" if len(some) > 12 else ""
    return "Tensors that require grad: " + ", ".join(some[:12]) + more + "."

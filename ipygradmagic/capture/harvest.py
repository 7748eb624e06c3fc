"""At the end of a trace: from what was kept to plain records."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import CodeType, TracebackType

import torch
from torch import Tensor

from ipygradmagic.capture.autograd import readable
from ipygradmagic.capture.bindings import bound_before, module_of, own_nodes, reads_module
from ipygradmagic.capture.books import Leaf, grad_of
from ipygradmagic.capture.comments import ignores
from ipygradmagic.capture.grids import grids
from ipygradmagic.capture.owners import optimizer_info, parameters_of
from ipygradmagic.capture.reading import Evidence
from ipygradmagic.capture.readoff import Readings
from ipygradmagic.capture.recorder import HEAD
from ipygradmagic.capture.snapshot import look, summary
from ipygradmagic.capture.source import Sources, is_user
from ipygradmagic.capture.watch import Watch
from ipygradmagic.language import tr
from ipygradmagic.record.graph import Graph, Node
from ipygradmagic.record.grids import GridAt
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import OptimizerInfo, TensorInfo, TensorKind
from ipygradmagic.record.trace import CellError, Meta, Trace

_PARTS = re.compile(r"[.\[]")
_LEAF_KINDS: dict[str, TensorKind] = {"leaf": "leaf", "retained": "retained"}


def harvest(
    watch: Watch,
    meta: Meta,
    error: BaseException | None,
    freed_by: int | None,
    running: str = "",
) -> Trace:
    """The trace, without a diagnosis yet; ``running`` is the file whose code goes on, if any."""
    events = watch.recorder.events(watch.sources)
    optimizers = tuple(optimizer_infos(watch))
    tensors = tuple(_tensors(watch, error, running))
    labels = {t.id: t.name for t in tensors}
    kept = Readings(watch.sources, watch.discovery.namespace).kept
    ledger = watch.ledger.report(watch.recorder.counts, watch.sources.locate, kept)
    ended = cell_error(watch.sources, error, freed_by)
    origins = [i.origin for i in ledger.incidents] + [t.holds.origin for t in tensors if t.holds]
    files = [*watch.sources.files(), *(place.file for place in origins if place is not None)]
    comments = ignores(dict.fromkeys(files), watch.sources.place)
    return Trace(
        events=events,
        total=watch.recorder.total,
        pattern=tuple(watch.recorder.pattern),
        tensors=tensors,
        optimizers=optimizers,
        graphs=tuple(_graphs(watch, labels)),
        grids=_grids(watch, ledger.incidents, labels),
        ledger=ledger,
        comments=tuple(comments),
        error=ended,
        notes=tuple(_notes(watch, len(events))),
        warnings=tuple(watch.warnings),
        meta=meta,
    )


def tensor_info(watch: Watch, leaf: Leaf) -> TensorInfo:
    """The record of a leaf as it is now (or as it was last seen, if it is gone)."""
    tensor = leaf.tensor()
    if tensor is not None and watch.mine([(leaf, tensor)]):
        leaf.value, leaf.grad = look(tensor), look(grad_of(leaf, tensor))
        leaf.describe(tensor)
    return TensorInfo(
        id=leaf.id,
        name=leaf.name,
        aliases=leaf.aliases,
        generation=leaf.generation,
        generations=watch.books.generations.get(leaf.name, 1),
        kind=_LEAF_KINDS.get(leaf.kind, "leaf"),
        shape=leaf.shape,
        dtype=leaf.dtype,
        device=leaf.device,
        requires_grad=leaf.requires_grad,
        parameter=leaf.parameter,
        registered=leaf.registered,
        data=leaf.data,
        owners=tuple(leaf.owners),
        alive=tensor is not None,
        reached=leaf.reached,
        value=summary(leaf.value),
        grad=summary(leaf.grad),
        holds=watch.ledger.holds(leaf.slot),
        born=watch.sources.locate(leaf.born),
    )


def _tensors(watch: Watch, error: BaseException | None, running: str) -> Iterator[TensorInfo]:
    """Leaves alive or in a kept event, then the non-leaves that variables denote."""
    for optimizer in watch.alive_optimizers():
        name = watch.discovery.optimizer_name(optimizer, None)
        for tensor in parameters_of(optimizer):
            leaf = watch.books.find(tensor)
            if leaf is not None:
                leaf.owners[name] = None
    leaves = {leaf.id: leaf for leaf, _ in watch.books.alive()}
    for event in watch.recorder.kept():
        leaves.update((c.leaf.id, c.leaf) for c in event.changes)
    for graph in watch.graphs:
        for node in graph.nodes:
            if node.tensor in watch.books.leaves:
                leaves[node.tensor] = watch.books.leaves[node.tensor]
    modules = _modules(watch)
    for number in sorted(leaves):
        info = tensor_info(watch, leaves[number])
        yield replace(info, module=modules.get(number, ""))
    found = {called[0] for _, called in watch.discovery.found.tensors()}
    yield from non_leaves(watch, -1, _asked(watch, found, error, running))


def _modules(watch: Watch) -> dict[int, str]:
    """For each leaf the outermost module that registers it and that a variable leads to."""
    found: dict[int, str] = {}
    outer: set[str] = set()
    for module, name in watch.discovery.found.modules():
        if any(name[: part.start()] in outer for part in _PARTS.finditer(name)):
            continue
        outer.add(name)
        try:
            parameters = list(torch.nn.Module.parameters(module))
        except Exception:
            continue  # its ``__init__`` has not come to its base class
        for leaf in map(watch.books.find, parameters):
            if leaf is not None:
                found.setdefault(leaf.id, name)
    return found


def non_leaves(
    watch: Watch, first: int, asked: Mapping[str, SourceLocation]
) -> Iterator[TensorInfo]:
    """Variables that denote results of operations: torch does not keep their gradient."""
    for place, (tensor, called, made) in enumerate(_results(watch)):
        yield TensorInfo(
            id=first - place,
            name=called[0],
            aliases=called[1:5],
            kind="non-leaf",
            shape=tuple(tensor.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            device=str(tensor.device),
            parameter=False,
            value=summary(look(tensor)),
            made=made,
            asked=asked.get(called[0]),
            older=watch.discovery.results.get(id(tensor)) == _number(tensor),
        )


def results(watch: Watch) -> dict[int, int]:
    """The results of operations that variables denote now: identity, and when they were made."""
    return {id(tensor): _number(tensor) for tensor, _, _ in _results(watch)}


def _results(watch: Watch) -> Iterator[tuple[Tensor, tuple[str, ...], str]]:
    """With the names of each, and the operation that made it; books have no leaf for them."""
    for tensor, called in watch.discovery.found.tensors():
        made = _made_by(tensor) if called[0].isidentifier() else None
        if made is not None and watch.books.find(tensor) is None:
            yield tensor, called, made


def _number(result: Tensor) -> int:
    """No other operation of its thread has it."""
    number = getattr(result.grad_fn, "_sequence_nr", None)
    return int(number()) if number is not None else 0


def _made_by(tensor: Tensor) -> str | None:
    """The operation that made a non-leaf; None for anything else (views are not asked)."""
    try:
        if tensor._is_view() or not tensor.requires_grad or tensor.is_leaf or tensor.retains_grad:
            return None
        return readable(tensor.grad_fn.name()) if tensor.grad_fn is not None else None
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return None


def _asked(
    watch: Watch, names: set[str], error: BaseException | None, running: str
) -> dict[str, SourceLocation]:
    """Lines that have run and read ``name.grad`` of a variable that never was a leaf.

    Or that was one, where None in its place ended the code: ``w = w - lr * w.grad``.
    """
    code = watch.discovery.module_code
    module = module_of(code.co_filename) if code is not None else None
    found: dict[str, SourceLocation] = {}
    if module is None or code is None:
        return found
    lines = watch.sources.lines_run(code.co_filename)
    lines.update(line for c, line in _raised_in(error) if c.co_filename == code.co_filename)
    stopped = error is not None or watch.running
    evidence = Evidence(lines, stopped=stopped, running=running == code.co_filename)
    for home in (module.tree, *module.functions):
        for node in own_nodes(home):
            if not isinstance(node, ast.Attribute) or node.attr != "grad":
                continue
            if not isinstance(node.value, ast.Name) or node.value.id not in names:
                continue
            name = node.value.id
            if name in found or not evidence.read(home, node):
                continue
            if name in watch.books.generations and not _ended_at(error, code, node):
                continue
            if not reads_module(module, home, node.value):
                continue
            if not bound_before(module, home, node.value):
                continue
            place = watch.sources.locate(watch.sources.at_line(code, node.lineno))
            if place is not None:
                found[name] = place
    return found


def _ended_at(error: BaseException | None, code: CodeType, node: ast.Attribute) -> bool:
    """Whether arithmetic with None at this line of the module ended the code."""
    if not isinstance(error, (TypeError, AttributeError)) or "NoneType" not in str(error):
        return False
    return list(_raised_in(error))[-1:] == [(code, node.lineno)]


def _raised_in(error: BaseException | None) -> Iterator[tuple[CodeType, int]]:
    """The user's code that an exception passed through, with the line."""
    tb: TracebackType | None = error.__traceback__ if error is not None else None
    while tb is not None:
        code = tb.tb_frame.f_code
        if is_user(code):
            yield code, tb.tb_lineno
        tb = tb.tb_next


def optimizer_infos(watch: Watch) -> Iterator[OptimizerInfo]:
    """Every optimizer that acted or that a variable denotes; of those gone the last of a name."""
    steps = watch.ledger.steps()
    alive = {id(o): o for o in watch.alive_optimizers()}
    alive.update((id(o), o) for o, _ in watch.discovery.found.optimizers())
    for optimizer in alive.values():
        info = optimizer_info(
            watch.books, optimizer, watch.discovery.optimizer_name(optimizer, None)
        )
        if info is not None:
            made = watch.sources.locate(watch.built_at(optimizer))
            yield replace(info, steps=steps.get(info.name, 0), made=made)
    named = {watch.discovery.optimizer_name(o, None) for o in alive.values()}
    for ref, info in reversed(watch.optimizers.values()):
        if ref() is None and info.name not in named:
            named.add(info.name)
            yield replace(info, steps=steps.get(info.name, 0))


def _graphs(watch: Watch, labels: dict[int, str]) -> Iterator[Graph]:
    """The graphs with the names that leaves have by now, and the events that they belong to."""
    events = {e.graph: e for e in watch.recorder.kept() if e.graph is not None}
    for i, graph in enumerate(watch.graphs):
        nodes = tuple(_renamed(n, labels) for n in graph.nodes)
        event = events.get(i)
        title = f"backward #{event.number}" if event is not None else ""
        index = event.index if event is not None else 0
        yield replace(graph, nodes=nodes, event=index, title=title)


def _grids(
    watch: Watch, incidents: tuple[Incident, ...], labels: dict[int, str]
) -> tuple[GridAt, ...]:
    """For a picture; if that fails, only the picture is missing."""
    try:
        return grids(watch.recorder.kept(), incidents, labels)
    except Exception as error:
        watch.fault(error)
        return ()


def _renamed(node: Node, labels: dict[int, str]) -> Node:
    name = labels.get(node.tensor) if node.tensor is not None else None
    return replace(node, label=name) if name else node


def cell_error(
    sources: Sources, error: BaseException | None, freed_by: int | None
) -> CellError | None:
    """The exception that ended the code, with the user's line that raised it."""
    if error is None:
        return None
    where = None
    for code, line in _raised_in(error):
        where = sources.locate(sources.at_line(code, line))
    off = not torch.is_grad_enabled()
    return CellError(type(error).__name__, str(error), where, freed_by, off)


def _notes(watch: Watch, kept: int) -> Iterator[str]:
    for what, count in watch.notes.items():
        said = tr(what)
        yield said if count == 1 else tr("{note} ({number} times)", note=said, number=count)
    if not watch.teams.read:
        yield tr(
            "Level events: the numbers of what optimizers step were not read; NaN or infinity is "
            "noticed only once a loss is not finite."
        )
    if kept < watch.recorder.total:
        yield tr(
            "{total} events happened; the numbers of {kept} are kept (the first and last {ends} "
            "changes, about, and the first of every kind). The ledger counted all.",
            total=watch.recorder.total,
            kept=kept,
            ends=HEAD,
        )
    if not watch.discovery.found.complete:
        yield tr("The namespace is very large; names were looked for in the first part of it only.")

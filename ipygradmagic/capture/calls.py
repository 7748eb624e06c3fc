"""Calls that leave no mark on any gradient, and yet tell that something is wrong.

Clipping where there is nothing to clip, a scheduler that steps before its optimizer, a graph
that is kept from round to round, a module "frozen" by an attribute that means nothing. They are
no events; they are counted by line, and what is odd goes to the ledger at the end.
"""

from __future__ import annotations

import ast
import itertools
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType, GeneratorType
from typing import Any

from torch import Tensor

from ipygradmagic.capture.bindings import module_of
from ipygradmagic.capture.byhand import MEASURING
from ipygradmagic.capture.leaves import sequence_numbers
from ipygradmagic.capture.names import variables
from ipygradmagic.capture.watch import Watch
from ipygradmagic.record.source import SourceLocation

MOST_WALKED = 20_000
"""Operations of a kept graph that are counted at most."""
CALM = 16
"""A line whose graph has not grown for so many passes is not looked at any more."""
MOST_KEPT = 200
"""So many variables are asked at the end which graphs they keep alive."""
_USED_UP = (filter, map, itertools.chain)


@dataclass(slots=True)
class _Clips:
    """What one line's clipping found."""

    some: int = 0
    nothing: int = 0
    nobody: int = 0
    first_nothing: int = 0
    first_nobody: int = 0
    exhausted: bool = False
    leaves: dict[int, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Early:
    """A scheduler's step before any step of its optimizer, at one line."""

    event: int
    optimizer: str
    before: int = 0
    later: int = 0
    idle: int = 0
    steps: int = 0


@dataclass(slots=True)
class _Scaled:
    """The steps of an optimizer that a GradScaler was asked for at one line."""

    taken: int = 0
    skipped: int = 0
    first: int = 0
    idle: int = 0
    longest: int = 0


@dataclass(slots=True)
class _Growth:
    """The graphs of one line's backward passes with ``retain_graph=True``.

    ``bounded``: one that went through older graphs was no larger than the last (a sliding window).
    """

    size: int = 0
    newest: int = -1
    use: int = 0
    streak: int = 0
    longest: int = 0
    largest: int = 0
    since: int = 0
    bounded: bool = False
    calm: int = 0


class CallWatch:
    """Counts such calls."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._clips: dict[int, _Clips] = {}
        self._early: dict[tuple[int, int], _Early] = {}
        self._growth: dict[int, _Growth] = {}
        self._scaled: dict[tuple[int, str], _Scaled] = {}

    # -- while the code runs, under ``Watch.light`` ----------------------------------------

    def clipping(self, parameters: Any, limit: Any, total: Any) -> None:
        """``clip_grad_norm_`` is about to clip these parameters (a list by now)."""
        watch = self.watch
        if watch.local.quiet or not isinstance(limit, (int, float)) or limit >= MEASURING:
            return
        given = [parameters] if isinstance(parameters, Tensor) else parameters
        here = watch.sources.here()
        seen = self._clips.setdefault(here.site, _Clips())
        if not given:
            watch.halt()
            seen.nobody += 1
            seen.first_nobody = seen.first_nobody or watch.recorder.total
            seen.exhausted = seen.exhausted or _holds_used_up(here.frame)
        elif any(p.grad is not None for p in given) and not _is_zero(total):
            seen.some += 1
        else:
            watch.halt()
            seen.nothing += 1
            seen.first_nothing = seen.first_nothing or watch.recorder.total
            found = (watch.books.find(p) for p in given)
            seen.leaves.update((leaf.id, None) for leaf in found if leaf is not None)

    def scheduled(self, scheduler: Any) -> None:
        """A scheduler computes the next learning rate (its first one when it is made)."""
        optimizer = getattr(scheduler, "optimizer", None)
        stepped = getattr(optimizer, "_opt_called", False)
        if stepped and not self._early:
            return
        if optimizer is None or getattr(scheduler, "_step_count", 0) < 2:
            return
        watch = self.watch
        watch.halt()
        here = watch.sources.here()
        if here.via is not None and here.via.co_name == "__init__":
            return
        if stepped:
            early = self._early.get((here.site, id(optimizer)))
            if early is not None:
                last, early.steps = early.steps, watch.ledger.steps().get(early.optimizer, 0)
                early.later += 1
                early.idle += last == early.steps
        elif not watch.ledger.has("nonfinite"):  # GradScaler skips such a step
            name = watch.discovery.optimizer_name(optimizer, here.frame)
            early = _Early(watch.recorder.total, name)
            self._early.setdefault((here.site, id(optimizer)), early).before += 1

    def steps_of(self, optimizer: Any) -> int:
        """How often an optimizer has stepped so far."""
        name = self.watch.discovery.optimizer_name(optimizer, None)
        return self.watch.ledger.steps().get(name, 0)

    def scaled(self, optimizer: Any, stepped: bool, site: int | None = None) -> None:
        """A GradScaler was asked for a step, and took or skipped it."""
        watch = self.watch
        name = watch.discovery.optimizer_name(optimizer, None)
        site = watch.sources.here().site if site is None else site
        seen = self._scaled.setdefault((site, name), _Scaled())
        if stepped:
            seen.taken += 1
            seen.idle = 0
            return
        seen.skipped += 1
        seen.idle += 1
        seen.longest = max(seen.longest, seen.idle)
        seen.first = seen.first or watch.recorder.total

    def kept_graph(self, outputs: Sequence[Tensor]) -> None:
        """A backward with ``retain_graph=True`` is about to run."""
        watch = self.watch
        seen = self._growth.setdefault(watch.sources.here().site, _Growth())
        if seen.calm >= CALM:
            return
        numbers = sequence_numbers(outputs, MOST_WALKED)
        if not numbers:
            return
        watch.halt()
        use = watch.ledger.last_use
        older = min(numbers) <= seen.newest
        if older and len(numbers) > seen.size and use > seen.use:
            seen.streak += 1
            seen.calm = 0
            seen.since = seen.since or watch.recorder.next
        else:
            seen.bounded = seen.bounded or (older and use > seen.use)
            seen.streak = 0
            seen.calm += 1
        seen.longest = max(seen.longest, seen.streak)
        seen.size, seen.newest, seen.use = len(numbers), max(numbers), use
        seen.largest = max(seen.largest, seen.size)

    # -- at the end ------------------------------------------------------------------------

    def last_look(self, past: Iterable[tuple[int, int]]) -> None:
        """Tell the ledger what was odd.

        Args:
            past: The last backward passes: event, and sequence number of the loss's operation.
        """
        note = self.watch.ledger.notice
        for site, seen in self._clips.items():
            if seen.nothing:
                at = seen.first_nothing, site, seen.leaves
                note("clip-nothing", *at, count=seen.nothing, repeats=seen.some)
            if seen.nobody:
                others, used_up = seen.some + seen.nothing, int(seen.exhausted)
                at = seen.first_nobody, site, seen.leaves
                note("clip-nobody", *at, count=seen.nobody, repeats=others, oldest=used_up)
        for (site, _), early in self._early.items():
            who = early.optimizer
            note(
                "early-schedule",
                early.event,
                site,
                count=early.before,
                repeats=early.later,
                actor=who,
                oldest=early.idle,
            )
        for (site, who), asked in self._scaled.items():
            if asked.skipped:
                counts = asked.skipped, asked.taken, asked.longest
                self._note_skips(asked.first, site, who, *counts)
        for site, grown in self._growth.items():
            if grown.longest:
                counts = grown.longest, grown.largest, int(grown.bounded)
                self._note_growth(grown.since, site, *counts)
        self._kept({number: event for event, number in past})
        self._mock_frozen()

    def _note_skips(
        self, event: int, site: int, actor: str, skipped: int, taken: int, longest: int
    ) -> None:
        note = self.watch.ledger.notice
        note("skipped", event, site, actor=actor, count=skipped, repeats=taken, oldest=longest)

    def _note_growth(self, event: int, site: int, rounds: int, size: int, bounded: int) -> None:
        note = self.watch.ledger.notice
        note("growing-graph", event, site, count=rounds, repeats=size, oldest=bounded)

    def _kept(self, past: dict[int, int]) -> None:
        """Variables that hold the graphs of several rounds: backward passes with an update between.

        (``errD = errD_real + errD_fake`` holds two of one round: it does not grow.)
        """
        watch = self.watch
        found: dict[str, set[int]] = {}
        some = [(t, names[0]) for t, names in watch.discovery.found.tensors() if _is_sum(t)]
        for tensor, name in some[:MOST_KEPT] if len(past) > 1 else ():
            numbers = sequence_numbers([tensor], MOST_WALKED)
            held = {past[n] for n in numbers if n in past}
            found.setdefault(_variable(name), set()).update(held)
        kept = watch.recorder.kept()
        uses = sorted(event.index for event in kept if event.kind in ("step", "update", "rebind"))
        for name, events in found.items():
            rounds = len({bisect(uses, event) for event in events})
            if rounds > 1:
                watch.ledger.notice("kept-graphs", min(events), -1, actor=name, repeats=rounds)

    def _mock_frozen(self) -> None:
        """Modules whose ``requires_grad`` is a plain attribute, which freezes nothing."""
        watch = self.watch
        for module, name in watch.discovery.found.modules():
            if vars(module).get("requires_grad") is not False:
                continue
            found = (watch.books.find(p) for p in module.parameters())
            leaves = [leaf for leaf in found if leaf is not None and leaf.requires_grad]
            if any(leaf.reached for leaf in leaves):
                ids = [leaf.id for leaf in leaves if leaf.reached]
                at = self._assignment(name)
                watch.ledger.notice("mock-freeze", 0, -1, ids, actor=name, origin=at)

    def _assignment(self, name: str) -> SourceLocation | None:
        """The line of ``name.requires_grad = False`` in the traced file or, failing that, in a cell."""
        sources, code = self.watch.sources, self.watch.discovery.module_code
        first = [code.co_filename] if code is not None else []
        for file in (*first, *sources.cells()):
            parsed = module_of(file)
            if parsed is not None:
                for line in _assigned(parsed.tree, name):
                    return sources.place(file, line)
        return None


def _assigned(tree: ast.Module, name: str) -> Iterator[int]:
    """Lines that set ``requires_grad`` of something to False, the best first; not of parameters."""
    last = name.rpartition(".")[2]
    lines = dict(pair for node in ast.walk(tree) for pair in _switched_off(node))
    yield from (line for target, line in lines.items() if target == name)
    yield from (line for target, line in lines.items() if target.rpartition(".")[2] == last)
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For)]
    right = [n.target for n in loops if "parameters" in ast.unparse(n.iter)]
    names = {n.id for target in right for n in ast.walk(target) if isinstance(n, ast.Name)}
    yield from (line for target, line in lines.items() if target not in names)


def _switched_off(node: ast.AST) -> Iterator[tuple[str, int]]:
    """``a.b`` and the line, for each target of ``a.b.requires_grad = False``."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
        if node.value.value is False:
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "requires_grad":
                    yield ast.unparse(target.value), node.lineno


def _is_zero(total: object) -> bool:
    """The norm is zero; not asked of another device, which would have to be waited for."""
    if not isinstance(total, Tensor) or total.device.type != "cpu":
        return False
    return float(total) == 0.0


def _is_sum(tensor: Tensor) -> bool:
    """A number with a graph, such as a loss or a sum of losses."""
    try:
        return not tensor._is_view() and tensor.numel() == 1 and tensor.grad_fn is not None
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return False


def _variable(name: str) -> str:
    """``losses`` for ``losses[3]``."""
    return name.partition("[")[0]


def _holds_used_up(frame: FrameType | None) -> bool:
    """Whether a variable of the caller (or an attribute of its ``self``) is a used-up iterator.

    Only asked when clipping was given nothing at all: an empty expression that is made anew for
    each call (``p for p in parameters if p.requires_grad``) has no name.
    """
    if frame is None:
        return False
    known = dict(variables(frame))
    own = getattr(known.get("self"), "__dict__", {})
    for value in (*known.values(), *own.values()):
        if isinstance(value, GeneratorType) and value.gi_frame is None:
            return True
        if isinstance(value, _USED_UP):
            return True
    return False

"""A witness that copies everything: runs a program untraced and says what really happened.

The witness knows nothing of the package. It follows the lines of a program with
``sys.settrace``, and at every line copies the value and the gradient of every leaf; hooks of
its own tell it what each backward brought to each leaf. What a trace of the same program says
is then compared with what the witness saw.

A program is plain source. A line that does something to a leaf says so in a comment, which is
all that the witness knows beyond the numbers:

- ``#: backward`` deposits;
- ``#: step NAME`` steps the optimizer of that name, ``#: zero NAME`` calls its ``zero_grad``;
- ``#: broken NAME`` is a step that raises;
- ``#: closure NAME`` is the return of the closure of a running step of that optimizer;
- ``#: use LEAF`` changes a leaf by its gradient, ``#: use LEAF by NAME`` by a copy of it;
- ``#: rebind LEAF`` makes a new leaf of that name from the gradient of the old one;
- ``#: hand`` changes gradients in any other way, ``#: other`` values by something else.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.incidents import Incident
from ipygradmagic.record.tensors import Summary
from ipygradmagic.record.trace import Trace

PATHS = ("s", "v", "u", "d", "m", "big", "h", "net.weight", "net.bias", "a", "b", "c")
"""The names under which programs keep leaves."""
_ROLE = re.compile(r"#: (\w+) ?(\w*)(?: by (\w+))?$")


# -- what the witness saw -----------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """Copies of one leaf's gradient and value; ``key`` tells its ``.grad`` objects apart."""

    grad: Tensor | None
    value: Tensor
    key: tuple[int, int] | None


@dataclass
class Leaf:
    """A leaf, by the name and the place among the leaves of that name."""

    name: str
    generation: int
    tensor: Tensor
    born: int
    node: Any = None
    ear: Any = None

    def __str__(self) -> str:
        return self.name if self.generation == 1 else f"{self.name}({self.generation})"


@dataclass
class Act:
    """One line, executed once: from moment ``start`` to moment ``end``."""

    line: int
    role: str
    name: str
    by: str
    start: int
    end: int = -1
    outer: Act | None = None
    owned: tuple[int, ...] = ()
    operand: Tensor | None = None
    heard: dict[int, list[Tensor]] = field(default_factory=dict)

    def chain(self) -> Iterator[Act]:
        """This act and those around it, innermost first."""
        act: Act | None = self
        while act is not None:
            yield act
            act = act.outer


class Witness:
    """Runs a program, and keeps a copy of everything at every line."""

    def __init__(self, source: str) -> None:
        self.file = "<witnessed>"
        self.lines = source.splitlines()
        self.leaves: list[Leaf] = []
        self.moments: list[dict[int, State]] = []
        self.acts: list[Act] = []
        """In the order in which they ended."""
        self.during: list[Act | None] = []
        """For every moment but the last, the innermost act that ran from it to the next."""
        self.namespace: dict[str, Any] = {}
        self._frames: list[tuple[FrameType, Act | None]] = []
        exec("import torch\nfrom torch import nn", self.namespace)
        code = compile(source, self.file, "exec")
        old = sys.gettrace()
        sys.settrace(self._enter)
        try:
            exec(code, self.namespace)
        finally:
            sys.settrace(old)
        self._look()
        self._frames.clear()
        for leaf in self.leaves:  # what the graph holds, Python cannot see: no cycle through it
            leaf.ear.remove()
            leaf.ear = leaf.node = None
        self.namespace = {"k": self.namespace.get("k", 0)}

    # -- following the program

    def _enter(self, frame: FrameType, what: str, _: object) -> Any:
        if frame.f_code.co_filename != self.file:
            return None
        self._frames.append((frame, None))
        return self._follow

    def _follow(self, frame: FrameType, what: str, _: object) -> Any:
        if what not in ("line", "return"):
            return self._follow
        while self._frames[-1][0] is not frame:  # ended by an exception
            self._close(self._frames.pop()[1])
        self._look()
        self._close(self._frames.pop()[1])
        if what == "line":
            self._frames.append((frame, self._open(frame.f_lineno)))
        self.during.append(self._inner())
        return self._follow

    def _inner(self) -> Act | None:
        return next((act for _, act in reversed(self._frames) if act is not None), None)

    def _open(self, line: int) -> Act:
        found = _ROLE.search(self.lines[line - 1])
        role, name, by = found.groups("") if found else ("", "", "")
        act = Act(line, role, name, by, len(self.moments) - 1, outer=self._inner())
        if role in ("step", "zero", "closure", "broken"):
            actor = self.namespace[name]
            if isinstance(actor, torch.optim.Optimizer):
                tensors = [p for g in actor.param_groups for p in g["params"]]
            else:
                tensors = list(actor.parameters())
            act.owned = tuple(i for i in map(self.find, tensors) if i >= 0)
        if by and isinstance(self.namespace.get(by), Tensor):
            act.operand = self.namespace[by].detach().clone()
        return act

    def _close(self, act: Act | None) -> None:
        if act is not None:
            act.end = len(self.moments) - 1
            self.acts.append(act)

    # -- copying

    def find(self, tensor: Tensor) -> int:
        return next((i for i, leaf in enumerate(self.leaves) if leaf.tensor is tensor), -1)

    def _look(self) -> None:
        for path in PATHS:
            self._meet(path)
        moment: dict[int, State] = {}
        with torch.no_grad():
            for i, leaf in enumerate(self.leaves):
                grad = leaf.tensor.grad
                key = None if grad is None else (id(grad), grad._version)
                copy = None if grad is None else grad.detach().clone()
                moment[i] = State(copy, leaf.tensor.detach().clone(), key)
        self.moments.append(moment)

    def _meet(self, path: str) -> None:
        first, *rest = path.split(".")
        found = self.namespace.get(first)
        for part in rest:
            found = getattr(found, part, None)
        if not isinstance(found, Tensor) or not (found.is_leaf and found.requires_grad):
            return
        if self.find(found) < 0:
            generation = 1 + sum(leaf.name == path for leaf in self.leaves)
            leaf = Leaf(path, generation, found, len(self.moments))
            leaf.node = torch.autograd.graph.get_gradient_edge(found).node
            leaf.ear = leaf.node.register_prehook(self._ear(len(self.leaves)))
            self.leaves.append(leaf)

    def _ear(self, leaf: int) -> Any:
        def hear(gradients: Any) -> None:
            inner = self._inner()
            for act in inner.chain() if inner else ():
                if act.role == "backward":
                    act.heard.setdefault(leaf, []).append(gradients[0].detach().clone())
                    return
            raise AssertionError("a backward on a line that does not say so")

        return hear

    # -- questions

    def state(self, leaf: int, moment: int) -> State | None:
        return self.moments[moment].get(leaf)

    def grad(self, leaf: int, moment: int) -> Tensor | None:
        state = self.state(leaf, moment)
        return state.grad if state else None

    def did(self, *roles: str) -> list[Act]:
        return [act for act in self.acts if act.role in roles]


# -- equality -----------------------------------------------------------------------------


def bits(number: float) -> bytes:
    return b"nan" if number != number else struct.pack("<d", number)


def alike(one: Tensor | None, other: Tensor | None) -> bool:
    """Bit for bit, where NaN is NaN."""
    if one is None or other is None:
        return one is other
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.numel() <= 16:
        pairs = zip(one.reshape(-1).tolist(), other.reshape(-1).tolist())
        return all(bits(x) == bits(y) for x, y in pairs)
    return bool(((one == other) | (one.isnan() & other.isnan())).all())


def tells(look: Summary | None, truth: Tensor | None) -> bool:
    """Whether a stored look is what the tensor was: all numbers of a small one, to the bit."""
    if look is None or truth is None:
        return (look is None) == (truth is None)
    flat = truth.detach().reshape(-1)
    if look.numel != flat.numel():
        return False
    if flat.numel() <= 16:
        mine = [bits(x) for x in flat.tolist()]
        return look.values is not None and [bits(float(x)) for x in look.values] == mine  # type: ignore[arg-type]
    return look.values is None and _statistics(look, flat.double())


def _statistics(look: Summary, flat: Tensor) -> bool:
    nan, inf = int(flat.isnan().sum()), int(flat.isinf().sum())
    if (look.nan, look.inf) != (nan, inf) or look.sampled:
        return False
    if look.zeros != int((flat == 0).sum()) or look.zero != bool((flat == 0).all()):
        return False
    size = float(flat.abs().max())
    return nan > 0 or (
        look.min == float(flat.min())
        and look.max == float(flat.max())
        and (inf > 0 or near(look.norm, float(flat.norm()), float(flat.norm()), 1e-4))
        and (inf > 0 or near(look.mean, float(flat.mean()), size))
    )


def moved(row: Change, before: Tensor, after: Tensor) -> bool:
    """Whether the stored distance is the norm of the difference."""
    if row.moved is None:
        return row.value_before is None or before.shape != after.shape
    true = float((after.double() - before.double()).norm())
    if not math.isfinite(true):
        return not math.isfinite(row.moved)
    return math.isclose(row.moved, true, rel_tol=1e-12, abs_tol=1e-300)


def near(one: float | None, other: float, size: float, slack: float = 1e-5) -> bool:
    if one is None:
        return False
    if not (math.isfinite(one) and math.isfinite(other)):
        return bits(one) == bits(other) or size > 1e37  # a sum of float32 may overflow
    return abs(one - other) <= slack * max(size, 1e-30)


# -- the trace, compared ------------------------------------------------------------------


class Mismatch(AssertionError):
    """The trace says something that the witness did not see, or leaves out what it saw."""


class Comparison:
    """A trace against what the witness saw of the same program.

    ``matched`` says, for every row, from which moment to which the witness saw it happen.
    """

    def __init__(self, witness: Witness, trace: Trace) -> None:
        self.witness = witness
        self.trace = trace
        self.leaf_of = self._leaves()
        self.act_of: dict[int, Act] = {}
        self.rebinds: dict[int, Act] = {}
        self.matched: dict[tuple[int, int], tuple[int, int]] = {}
        """(event, leaf) → first and last moment."""
        self._calls()

    def check_rows(self) -> None:
        """Every row of every event is true, and nothing that happened is missing."""
        for event in self.trace.events:
            act = self.act_of.get(event.index)
            if act is None:
                continue
            for row in event.changes:
                self._check_call(event, row, act)
            self._check_complete(event, act)
        for leaf in range(len(self.witness.leaves)):
            self._check_by_hand(leaf)
            self._check_order(leaf)

    def say(self, event: Event | None, leaf: int | None, what: str) -> None:
        where = f"event {event.index} {event.label!r} at {event.where}" if event else "no event"
        who = f", leaf {self.witness.leaves[leaf]}" if leaf is not None else ""
        raise Mismatch(f"{where}{who}: {what}")

    # -- who is who

    def _leaves(self) -> dict[int, int]:
        """Tensor ids of the trace → leaves of the witness, in order of generation."""
        found: dict[int, int] = {}
        for path in PATHS:
            theirs = [t for t in self.trace.tensors if path in (t.name, *t.aliases)]
            theirs = sorted((t for t in theirs if t.kind == "leaf"), key=lambda t: t.generation)
            mine = [i for i, leaf in enumerate(self.witness.leaves) if leaf.name == path]
            if len(theirs) < len(mine):
                mine = [i for i in mine if self._took_part(i)]
            if len(theirs) > len(mine):
                raise Mismatch(f"more leaves named {path} than there were: {theirs}")
            found |= {t.id: i for t, i in zip(theirs, mine)}
        return found

    def _took_part(self, leaf: int) -> bool:
        return any(leaf in a.heard or leaf in a.owned for a in self.witness.acts)

    # -- calls: backward, step, zero_grad

    def _calls(self) -> None:
        """Events of calls and the acts that made them, one to one and in order."""
        for kind, role in (("backward", "backward"), ("step", "step"), ("zero_grad", "zero")):
            events = [e for e in self.trace.events if e.kind == kind and e.continues is None]
            if kind == "step":
                closures = [e for e in events if e.label.endswith("closure")]
                returns = [a for a in self.witness.did("closure") if self._stands_alone(a)]
                self._pair("closure", closures, returns)
                events = [e for e in events if not e.label.endswith("closure")]
            if kind == "zero_grad":
                events = [e for e in events if e.actor is not None]
            self._pair(kind, events, self.witness.did(role, "broken" if role == "step" else role))

    def _stands_alone(self, closure: Act) -> bool:
        """Whether a closure's return is told by itself: not where it is called once, and is the step."""
        (step,) = [a for a in closure.chain() if a.role == "step"][:1]
        acts = [a for a in self.witness.acts if a.role and step in a.chain() and a is not step]
        others = [a for a in acts if a.role == "closure" or a.start >= closure.end]
        return others != [closure]

    def _pair(self, kind: str, events: list[Event], acts: list[Act]) -> None:
        lines = [e.where.line if e.where else 0 for e in events]
        true = [self._line(a) for a in acts]
        if lines != true:
            raise Mismatch(f"{kind}: the trace has lines {lines}, the program had {true}")
        if [e.number for e in events] != sorted({e.number for e in events}):
            raise Mismatch(f"{kind}: numbers {[e.number for e in events]}")
        self.act_of |= {e.index: a for e, a in zip(events, acts)}

    @staticmethod
    def _line(act: Act) -> int:
        """A closure's return is noted at the line of its step."""
        steps = (a.line for a in act.chain() if a.role == "step")
        return next(steps) if act.role == "closure" else act.line

    def _check_call(self, event: Event, row: Change, act: Act) -> None:
        leaf = self.leaf_of.get(row.tensor)
        if leaf is None:
            return self.say(event, None, f"a row of a tensor that is no leaf: {row}")
        see, first, last = self.witness, act.start, act.end
        self.matched[event.index, leaf] = first, last
        inner = [a for a in see.acts if act in a.chain() and a is not act and a.role]
        if not tells(row.grad_after, see.grad(leaf, last)):
            self.say(event, leaf, f"gradient after {row.grad_after}, was {see.grad(leaf, last)}")
        if not inner and not tells(row.grad_before, see.grad(leaf, first)):
            self.say(event, leaf, f"gradient before {row.grad_before}, was {see.grad(leaf, first)}")
        same = alike(see.grad(leaf, first), see.grad(leaf, last))
        if not inner and not row.grad_changed and not same:
            self.say(event, leaf, "said to be unchanged, but changed")
        if act.role == "closure":
            self._check_moved(event, row, leaf, act)
        elif event.kind == "step":
            self._check_values(event, row, leaf, self._last_return(act), last)
        elif row.value_before is not None or row.value_after is not None:
            self.say(event, leaf, "values in a row of an event that changes none")
        if event.kind == "backward":
            self._check_added(event, row, leaf, act)
        elif row.added is not None or row.added_mean is not None:
            self.say(event, leaf, "something added by what adds nothing")

    def _last_return(self, step: Act) -> int:
        """When the step was called, or when its closure was called for the last time."""
        inner = [a for a in self.witness.did("closure") if step in a.chain()]
        again = [self._again(a) for a in inner]
        return max([step.start, *(at for at in again if at is not None)])

    def _again(self, closure: Act) -> int | None:
        """When the step that has this return called its closure again; None if it did not."""
        (step,) = [a for a in closure.chain() if a.role == "step"][:1]
        inner = [a for a in self.witness.did("closure") if step in a.chain()]
        later = [a.outer for a in inner if a.end > closure.end][:1]
        return min(
            (a.start for a in self.witness.acts if a.outer in later and a.start > closure.end),
            default=None,
        )

    def _check_moved(self, event: Event, row: Change, leaf: int, act: Act) -> None:
        """What the step moved between two calls of its closure is told with the first of them."""
        again = self._again(act)
        before = self.witness.moments[act.end][leaf].value
        after = before if again is None else self.witness.moments[again][leaf].value
        if alike(before, after):
            if row.value_before is not None or row.value_after is not None:
                self.say(event, leaf, "values in a row of an event that changes none")
        elif not tells(row.value_before, before) or not tells(row.value_after, after):
            self.say(event, leaf, f"moved {before} → {after}: {row}")
        else:
            self._check_distance(event, row, leaf, before, after)

    def _check_distance(
        self, event: Event, row: Change, leaf: int, before: Tensor, after: Tensor
    ) -> None:
        if not moved(row, before, after):
            self.say(event, leaf, f"moved by {row.moved}, was {before} → {after}")

    def _check_values(self, event: Event, row: Change, leaf: int, first: int, last: int) -> None:
        before, after = self.witness.moments[first][leaf], self.witness.moments[last][leaf]
        if not tells(row.value_before, before.value) or not tells(row.value_after, after.value):
            self.say(
                event,
                leaf,
                f"value {row.value_before} → {row.value_after}, was {before.value} → {after.value}",
            )
        self._check_distance(event, row, leaf, before.value, after.value)

    def _check_added(self, event: Event, row: Change, leaf: int, act: Act) -> None:
        heard = act.heard.get(leaf, [])
        shared = self._twins(leaf, act.end)
        if not heard and not shared:
            self.say(event, leaf, "a deposit that did not happen")
        before, after = self.witness.grad(leaf, act.start), self.witness.grad(leaf, act.end)
        assert after is not None
        parts = [t for i in (leaf, *shared) for t in act.heard.get(i, ())]
        true = sum(parts[1:], parts[0])
        look = row.added
        if look is None:
            if after.numel() <= 16:
                self.say(event, leaf, "a small contribution is not told")
            size = float(
                max(after.abs().max(), after.abs().max() if before is None else before.abs().max())
            )
            if row.added_mean is not None and math.isfinite(size):
                if not near(row.added_mean, float(true.double().mean()), size):
                    self.say(
                        event, leaf, f"mean added {row.added_mean}, was {true.double().mean()}"
                    )
            if row.added_norm is not None and math.isfinite(size):
                norm = float(torch.linalg.vector_norm(true.double()))
                if not near(row.added_norm, norm, size * math.sqrt(after.numel())):
                    self.say(event, leaf, f"norm added {row.added_norm}, was {norm}")
            return
        if row.added_exact:
            if len(parts) != 1:
                self.say(event, leaf, "called exact, but several were added up")
            if not tells(_unsigned(look), true + 0.0):  # zero has two signs
                self.say(event, leaf, f"added exactly {look}, was {true}")
            if before is not None and after.numel() <= 16:
                sum_ = before + torch.tensor(look.values, dtype=before.dtype).reshape(before.shape)
                if not alike(sum_ + 0.0, after + 0.0):
                    self.say(event, leaf, f"before + added is {sum_}, after is {after}")
        elif look.values is not None:
            for x, y, z in zip(look.values, true.reshape(-1).tolist(), after.reshape(-1).tolist()):
                big = max(abs(y), abs(z), abs(z - y))
                if not near(float(x), y, big) and math.isfinite(big):  # type: ignore[arg-type]
                    self.say(event, leaf, f"added about {look.values}, was {true}")

    def _twins(self, leaf: int, moment: int) -> list[int]:
        """Other leaves that point at the same gradient."""
        mine = self.witness.moments[moment][leaf].key
        states = self.witness.moments[moment].items()
        return [i for i, s in states if i != leaf and mine is not None and s.key == mine]

    def _check_complete(self, event: Event, act: Act) -> None:
        rows = {self.leaf_of.get(r.tensor) for r in event.changes}
        due: set[int] = set()
        if act.role == "backward":
            due = set(act.heard)
        elif act.role == "step":
            due = {i for i in act.owned if self._consumable(i, act)}
        elif act.role == "zero":
            due = {i for i in act.owned if self._changed(i, act.start, act.end)}
        for leaf in due - rows:
            self.say(event, leaf, "no row for it")
        if act.role in ("step", "zero"):
            for leaf in rows - set(act.owned):  # type: ignore[operator]
                if leaf is not None and not self._twins(leaf, act.start):
                    self.say(event, leaf, "a row for what it does not own")

    def _consumable(self, leaf: int, act: Act) -> bool:
        """It has a gradient, or its value changed."""
        one, other = self.witness.state(leaf, act.start), self.witness.moments[act.end][leaf]
        return other.grad is not None or (one is not None and not alike(one.value, other.value))

    def _changed(self, leaf: int, first: int, last: int) -> bool:
        one, other = self.witness.state(leaf, first), self.witness.state(leaf, last)
        if one is None or other is None:
            return False
        return not alike(one.grad, other.grad) or not alike(one.value, other.value)

    # -- by hand

    def _check_by_hand(self, leaf: int) -> None:
        if leaf not in self.leaf_of.values():
            return
        rows = [
            (e, r)
            for e in self.trace.events
            for r in e.changes
            if self.leaf_of.get(r.tensor) == leaf and e.index not in self.act_of
        ]
        self._chain(leaf, [x for x in rows if x[0].kind in ("edit", "zero_grad")], "grad")
        self._chain(leaf, [x for x in rows if x[0].kind == "update"], "value")
        for event, row in rows:
            if event.kind == "rebind":
                self._check_rebind(event, row, leaf)

    def _jumps(self, leaf: int, what: str) -> list[int]:
        """Moments after which this leaf's gradient or value changed by hand."""
        found = []
        for at, act in enumerate(self.witness.during[: len(self.witness.moments) - 1]):
            one, other = self.witness.state(leaf, at), self.witness.state(leaf, at + 1)
            if one is None or other is None or act is None:
                continue
            if alike(getattr(one, what), getattr(other, what)):
                continue
            if any(a.role in ("backward", "step", "zero") for a in self._up_to_call(act)):
                self._check_covered(leaf, act, at, what)
                continue
            found.append(at)
        return found

    @staticmethod
    def _up_to_call(act: Act) -> Iterator[Act]:
        """The act and those around it, but not what is around a closure (it is user's code)."""
        for one in act.chain():
            yield one
            if one.role in ("hand", "use", "rebind", "other"):
                return

    def _check_covered(self, leaf: int, act: Act, at: int, what: str) -> None:
        """The change is inside a call: then the call's event has a row for it."""
        call = next(a for a in act.chain() if a.role in ("backward", "step", "zero"))
        events = [e for e in self.trace.events if self.act_of.get(e.index) is call]
        for event in events:
            if all(self.leaf_of.get(r.tensor) != leaf for r in event.changes):
                self.say(event, leaf, f"its {what} changed on line {act.line}, and there is no row")

    def _chain(self, leaf: int, rows: list[tuple[Event, Change]], what: str) -> None:
        """Rows and true changes of one leaf, matched in order with none left over."""
        jumps = self._jumps(leaf, what)
        found = self._match(leaf, rows, jumps, what, 0, 0)
        if found is None:
            self._explain(leaf, rows, jumps, what)
            return
        for (event, row), (first, last) in zip(rows, found):
            if last > first:
                begin, end = self.matched[event.index, leaf] = jumps[first], jumps[last - 1] + 1
                if what == "value":
                    one, other = (self.witness.moments[at][leaf].value for at in (begin, end))
                    self._check_distance(event, row, leaf, one, other)
            else:
                self._standing(leaf, event, row, what)

    def _match(
        self, leaf: int, rows: list[Any], jumps: list[int], what: str, r: int, j: int
    ) -> list[tuple[int, int]] | None:
        """For every row from the r-th on, which of the changes from the j-th on it tells."""
        if r == len(rows):
            return [] if all(not self._due(at, what) for at in jumps[j:]) else None
        spans = [
            (first, last)
            for first in self._starts_at(jumps, what, j)
            for last in self._ends(leaf, rows[r], jumps, what, first)
        ]
        for first, last in [*spans, (j, j)]:
            rest = self._match(leaf, rows, jumps, what, r + 1, last)
            if rest is not None:
                return [(first, last), *rest]
        return None

    def _due(self, at: int, what: str) -> bool:
        """Whether this change must have a row: all of gradients, of values those by gradients."""
        act = self.witness.during[at]
        return act is not None and (what == "grad" or act.role in ("use", "hand"))

    def _starts_at(self, jumps: list[int], what: str, j: int) -> Iterator[int]:
        """The next change, or one after changes that need not be told."""
        for first in range(j, len(jumps)):
            yield first
            if self._due(jumps[first], what):
                return

    def _ends(
        self, leaf: int, told: tuple[Event, Change], jumps: list[int], what: str, first: int
    ) -> Iterator[int]:
        event, row = told
        before, after = getattr(row, f"{what}_before"), getattr(row, f"{what}_after")
        line = event.where.line if event.where else 0
        moments = self.witness.moments
        if first >= len(jumps) or not tells(before, getattr(moments[jumps[first]][leaf], what)):
            return
        for last in range(first, len(jumps)):
            if self._line_at(jumps[last]) != line:
                return
            if tells(after, getattr(moments[jumps[last] + 1][leaf], what)):
                yield last + 1

    def _explain(self, leaf: int, rows: list[Any], jumps: list[int], what: str) -> None:
        lines = [self._line_at(at) for at in jumps if self._due(at, what)]
        told = [(e.index, e.label, e.where.line if e.where else None) for e, _ in rows]
        for event, row in rows:
            if not any(
                True
                for first in range(len(jumps))
                for _ in self._ends(leaf, (event, row), jumps, what, first)
            ):
                self._standing(leaf, event, row, what)
        self.say(None, leaf, f"its {what} changed by hand on lines {lines}, told are {told}")

    def _line_at(self, moment: int) -> int:
        act = self.witness.during[moment]
        return act.line if act else 0

    def _standing(self, leaf: int, event: Event, row: Change, what: str) -> None:
        """A row of something that changed no number: true of some moment of its line."""
        before, after = getattr(row, f"{what}_before"), getattr(row, f"{what}_after")
        line = event.where.line if event.where else 0
        for at in range(len(self.witness.moments) - 1):
            act = self.witness.during[at]
            by_hand = act is not None and act.role not in ("backward", "step", "zero", "closure")
            if by_hand and self._line_at(at) == line and leaf in self.witness.moments[at]:
                truth = getattr(self.witness.moments[at][leaf], what)
                later = getattr(self.witness.moments[at + 1][leaf], what)
                if alike(truth, later) and tells(before, truth) and tells(after, truth):
                    return
        self.say(event, leaf, f"invented or misplaced: {what} {before} → {after}")

    def _check_rebind(self, event: Event, row: Change, leaf: int) -> None:
        mine = self.witness.leaves[leaf]
        line = event.where.line if event.where else 0
        acts = [a for a in self.witness.did("rebind") if a.end == mine.born]
        if not acts or acts[0].line != line:
            return self.say(event, leaf, f"rebound on line {acts[0].line if acts else None}")
        old = self.witness.find(
            next(
                x.tensor
                for x in self.witness.leaves
                if x.name == mine.name and x.generation == mine.generation - 1
            )
        )
        self.rebinds[event.index] = acts[0]
        at = acts[0].end
        truth = self.witness.moments[at][old]
        if not tells(row.grad_before, truth.grad) or not tells(row.value_before, truth.value):
            self.say(event, leaf, f"rebound from {row.value_before}, was {truth}")
        new = self.witness.moments[at][leaf].value
        if not tells(row.value_after, new):
            self.say(event, leaf, f"rebound to {row.value_after}, was {new}")
        self._check_distance(event, row, leaf, truth.value, new)

    def _check_order(self, leaf: int) -> None:
        """Rows of one leaf come in the order in which things happened to it."""
        order = [(e, self.matched[e, leaf][1]) for e, i in sorted(self.matched) if i == leaf]
        for (one, ended), (other, then) in pairwise(order):
            if then < ended:
                raise Mismatch(
                    f"leaf {self.witness.leaves[leaf]}: event {other} happened before event {one}"
                )


def _unsigned(look: Summary) -> Summary:
    if look.values is None:
        return look
    return Summary.of_values(tuple(v + 0.0 for v in look.values), look.layout)


# -- the books, by powers of two ------------------------------------------------------------


@dataclass
class Stale:
    """An update that consumed contributions again together with newer ones."""

    act: Act
    leaf: int
    actor: str
    oldest: int
    newest: int
    also: list[tuple[Act, str]] = field(default_factory=list)
    """Steps of the same window: the write by hand or the step may be called the consumption."""


class Books:
    """What slots hold, read off their values: every contribution is its own power of two.

    Consumption follows the rules of the ledger: an update consumes all that its operand holds;
    updates without a deposit between them are one; a contribution is stale when an update has
    consumed it, a new deposit has reached its slot, and a later update consumes both.
    """

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.witness = comparison.witness
        self.number: dict[int, int] = {}
        """Contribution → number of its backward."""
        self.owner: dict[int, int] = {}
        self.used: set[int] = set()
        self.covered: set[int] = set()
        self.sizes: dict[int, list[int]] = {}
        self.stale: list[Stale] = []
        self._window: dict[int, Stale] = {}
        self.then: list[tuple[int, frozenset[int], frozenset[int]]] = [
            (0, frozenset(), frozenset())
        ]
        numbers = {
            id(a): comparison.trace.events[i - 1].number for i, a in comparison.act_of.items()
        }
        for act in self.witness.acts:
            self._follow(act, numbers)
            self.then.append((act.end, frozenset(self.used), frozenset(self.covered)))

    def held(self, leaf: int, moment: int) -> set[int]:
        return powers(self.witness.grad(leaf, moment))

    def _follow(self, act: Act, numbers: dict[int, int]) -> None:
        if act.role == "backward":
            for leaf, heard in act.heard.items():
                self._window.pop(leaf, None)
                self.covered |= self.held(leaf, act.start) & self.used
                for one in powers(heard[0]):
                    self.number[one], self.owner[one] = numbers[id(act)], leaf
        elif act.role == "closure" or (act.role == "step" and not self._closures(act)):
            before = frozenset(self.used)
            for leaf in act.owned:
                self._consume(act, leaf, self.held(leaf, act.end), act.name, before)
        elif act.role in ("use", "rebind"):
            leaf = max(
                i
                for i, x in enumerate(self.witness.leaves)
                if x.name == act.name and x.born <= act.start
            )
            some = self.held(leaf, act.start) if act.operand is None else powers(act.operand)
            self._consume(act, leaf, some, "")

    def _closures(self, step: Act) -> bool:
        return any(a.role == "closure" and step in a.chain() for a in self.witness.acts)

    def _consume(
        self,
        act: Act,
        leaf: int,
        some: set[int],
        actor: str,
        before: frozenset[int] | None = None,
    ) -> None:
        """``before``: used by earlier updates, not by this one for a leaf with the same gradient."""
        new, old = some - self.used, some & (self.used if before is None else before)
        if new:
            self.sizes.setdefault(leaf, []).append(len(new))
        if new and old:
            low, high = min(self.number[i] for i in old), max(self.number[i] for i in new)
            self.stale.append(Stale(act, leaf, actor, low, high))
            if not actor:
                self._window[leaf] = self.stale[-1]
        elif some and actor and leaf in self._window:
            self._window[leaf].also.append((act, actor))
        self.used |= some

    # -- compared with the trace

    def check(self) -> None:
        """The rows' holds, the stale incidents, and the totals."""
        self.check_holds()
        self.check_stale()
        self.check_totals()

    def check_holds(self) -> int:
        """How many rows were compared."""
        rows = 0
        for event in self.comparison.trace.events:
            for row in event.changes:
                leaf = self.comparison.leaf_of[row.tensor]
                span = self.comparison.matched.get((event.index, leaf))
                if span is not None:
                    rows += self._check_row(event, row, leaf, span[1])
        return rows

    def _check_row(self, event: Event, row: Change, leaf: int, moment: int) -> bool:
        held = self.held(leaf, moment)
        if event.kind == "backward" and len({self.number[i] for i in held}) < len(held):
            return False  # two leaves of one gradient reached by one backward
        _, used, covered = [x for x in self.then if x[0] <= moment][-1]
        numbers = [self.number[i] for i in held]
        if len(set(numbers)) < len(numbers):
            return False
        true = (
            len(held),
            len(held & used),
            len(held & used & covered),
            min(numbers, default=0),
            max(numbers, default=0),
        )
        said = row.holds
        if true != (said.count, said.used, said.stale, said.first, said.last):
            self.comparison.say(
                event, leaf, f"holds (count, used, stale, first, last) {true}: {said}"
            )
        return True

    def _event_of(self, stale: Stale) -> Event:
        """The event of a consumption, and its line."""
        events = self.comparison.trace.events
        for index, act in [*self.comparison.act_of.items(), *self.comparison.rebinds.items()]:
            if act is stale.act:
                return events[index - 1]
        for (index, leaf), (first, last) in self.comparison.matched.items():
            act = stale.act
            inside = first <= act.start < last or first < act.end <= last
            if leaf == stale.leaf and events[index - 1].kind == "update" and inside:
                return events[index - 1]
        raise Mismatch(f"no event for the update on line {stale.act.line}")

    def check_stale(self) -> None:
        """Every stale update is told, at its line, and nothing else is.

        Incidents are one for each way of coming to a line; here those of one line are joined.
        """
        if any(stale.also for stale in self.stale):
            return self._check_stale_loosely()
        true: dict[tuple[int, str], list[tuple[Event, Stale]]] = {}
        for stale in self.stale:
            line = self.comparison._line(stale.act)
            true.setdefault((line, stale.actor), []).append((self._event_of(stale), stale))
        said: dict[tuple[int, str], list[Incident]] = {}
        for one in self.comparison.trace.ledger.incidents:
            if one.kind == "stale":
                said.setdefault((one.where.line if one.where else 0, one.actor), []).append(one)
        if sorted(said) != sorted(true):
            raise Mismatch(f"stale at (line, optimizer) {sorted(true)}, told at {sorted(said)}")
        for place, incidents in said.items():
            self._check_place(true[place], incidents)

    def _check_stale_loosely(self) -> None:
        """Where a step follows a write by hand, either may be blamed; but none is forgotten."""
        windows = set()
        for stale in self.stale:
            ways = [(stale.act, stale.actor), *stale.also]
            windows.add(frozenset((self.comparison._line(a), actor, a.end) for a, actor in ways))
        said = [i for i in self.comparison.trace.ledger.incidents if i.kind == "stale"]
        places = {(i.where.line if i.where else 0, i.actor) for i in said}
        for ways in windows:
            if not places & {(line, actor) for line, actor, _ in ways}:
                raise Mismatch(f"stale at one of {sorted(ways)}, told at {sorted(places)}")
        false = places - {(line, actor) for ways in windows for line, actor, _ in ways}
        if false:
            raise Mismatch(f"not stale at {false}")
        acts = {frozenset(end for _, _, end in ways) for ways in windows}
        apart: list[frozenset[int]] = []  # one step may be blamed for windows of several leaves
        for ends in sorted(acts, key=max):
            if all(ends.isdisjoint(other) for other in apart):
                apart.append(ends)
        if not sum(i.count for i in said) >= len(apart):
            raise Mismatch(f"{len(acts)} windows are stale, told are {said}")

    def _check_place(self, true: list[tuple[Event, Stale]], said: list[Incident]) -> None:
        events = sorted({e.index for e, _ in true})
        count = sum(i.count for i in said)
        first = min(said, key=lambda i: i.first_event)
        span = (count, first.first_event, max(i.last_event for i in said))
        if span != (len(events), events[0], events[-1]):
            raise Mismatch(f"stale at events {events}: {said}")
        mixed = [s for e, s in true if e.index == events[0]]
        if (first.oldest, first.newest) not in {(s.oldest, s.newest) for s in mixed}:
            raise Mismatch(f"stale mixes {mixed}: {first}")
        number = self.comparison.trace.events[events[0] - 1].number
        names = {self.witness.leaves[s.leaf].name for _, s in true}
        if first.number != number or {n for i in said for n in i.tensors} != names:
            raise Mismatch(f"stale first at number {number}, leaves {names}: {said}")

    def check_totals(self) -> None:
        said = {b.name: b for b in self.comparison.trace.ledger.books}
        last = len(self.witness.moments) - 1
        for name in {leaf.name for leaf in self.witness.leaves}:
            mine = [i for i, leaf in enumerate(self.witness.leaves) if leaf.name == name]
            if self._ever_shared(mine):
                continue
            ours = [n for n, leaf in self.owner.items() if leaf in mine]
            sizes = [n for i in mine for n in self.sizes.get(i, ())]
            held = set().union(*(self.held(i, last) for i in mine))
            true = (
                len(ours),
                len(sizes),
                min(sizes, default=0),
                max(sizes, default=0),
                len(set(ours) - self.used - held),
                len(held - self.used),
            )
            book = said.get(name)
            told = (
                (
                    book.deposits,
                    book.consumptions,
                    book.smallest,
                    book.largest,
                    book.discarded,
                    book.pending,
                )
                if book
                else (0,) * 6
            )
            if told != true:
                what = "(deposits, consumptions, smallest, largest, discarded, pending)"
                raise Mismatch(f"books of {name}: {what} {true}, told {told}")

    def _ever_shared(self, leaves: list[int]) -> bool:
        return any(
            self.comparison._twins(i, at)
            for at, moment in enumerate(self.witness.moments)
            for i in leaves
            if i in moment
        )


def powers(tensor: Tensor | None) -> set[int]:
    """The powers of two that add up to each element."""
    if tensor is None:
        return set()
    numbers = set(tensor.reshape(-1).tolist())
    assert len(numbers) == 1, "every element holds the same contributions"
    number = int(numbers.pop())
    assert number < 2**53
    return {i for i in range(number.bit_length()) if number >> i & 1}

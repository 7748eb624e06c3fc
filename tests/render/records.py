"""Traces built by hand: small worlds for the renderers, with no torch in sight."""

from __future__ import annotations

from dataclasses import replace

from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.graph import Edge, Graph, Node
from ipygradmagic.record.ledger import LedgerReport
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.state import State, TensorState
from ipygradmagic.record.tensors import GroupInfo, Holds, OptimizerInfo, Summary, TensorInfo
from ipygradmagic.record.trace import CellError, Meta, Trace

LINES = {
    5: "for x, y in zip(xs, ys):",
    6: "loss = (y - x * w) ** 2",
    7: "loss.backward()",
    8: "w.data = w.data - 0.01 * w.grad.data",
    9: "w.grad.data.zero_()",
    10: "opt.step()",
    11: "opt.zero_grad()",
}


def at(line: int, text: str | None = None, cell: str = "In [3]") -> SourceLocation:
    return SourceLocation(
        "<cell>", line, text=LINES.get(line, "") if text is None else text, cell=cell
    )


def one(*values: float) -> Summary:
    return Summary.of_values(tuple(values))


def large(norm: float = 3.2, *, numel: int = 8192, **more: object) -> Summary:
    return replace(
        Summary(numel, None, norm, 0.0123456, -0.31, 0.295, 12),
        **more,  # type: ignore[arg-type]
    )


def counted(events: list[Event]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for e in events:
        counts[e.kind] = counts.get(e.kind, 0) + 1
    return tuple(counts.items())


def kept(events: list[Event], ends: int = 3000) -> tuple[Event, ...]:
    """What a tracer keeps of many events."""
    if len(events) <= 2 * ends:
        return tuple(events)
    return tuple(events[:ends] + events[-ends:])


def trace_of(events: list[Event], ends: int = 3000, **more: object) -> Trace:
    fields: dict[str, object] = {
        "meta": Meta("In [3]", "2.13", 0.12),
        "ledger": LedgerReport(counts=counted(events)),
        **more,
    }
    return Trace(
        events=kept(events, ends),
        total=len(events),
        pattern=tuple(e.signature for e in events),
        **fields,  # type: ignore[arg-type]
    )


SGD = OptimizerInfo("opt", "SGD", (GroupInfo((1,), (("lr", "0.01"),)),), 300)
W = TensorInfo(1, "w", value=one(2.0), grad=one(-47.06), reached=300)


def graph_of(names: dict[int, str], ops: tuple[str, ...] = ("mean", "pow", "sub", "mul")) -> Graph:
    """A loss, a chain of operations, and leaves at its end."""
    nodes = [Node(0, "loss", "loss")]
    nodes += [Node(i, "operation", op, f"{op}0", ()) for i, op in enumerate(ops, 1)]
    edges = [Edge(i + 1, i) for i in range(len(ops))]
    for tensor, name in names.items():
        node = Node(1000 + tensor, "leaf", name, shape=(), tensor=tensor)
        nodes.append(node)
        edges.append(Edge(node.id, len(ops)))
    return Graph(tuple(nodes), tuple(edges), 1)


def by_hand(rounds: int, *, zeroing: bool = True) -> list[Event]:
    """``w`` fitted by hand: backward, update, and (or not) zeroing."""
    events: list[Event] = []
    w, total = 1.0, 0.0
    first = 1
    for k in range(1, rounds + 1):
        g = -2 * (10 - 2 * w)
        before = None if k == 1 else one(total)
        total += g
        stale = 0 if zeroing else k - first
        holds = Holds(k - first + 1, first, k, used=stale, stale=stale)
        n = len(events) + 1
        events.append(
            Event(
                n,
                "backward",
                k,
                "backward",
                at(7),
                loss=(10 - 2 * w) ** 2,
                graph=0,
                signature=1,
                changes=(Change(1, before, one(total), True, one(g), True, holds=holds),),
            )
        )
        new = w - 0.01 * total
        used = replace(holds, used=holds.count)
        events.append(
            Event(
                n + 1,
                "update",
                k,
                "data =",
                at(8),
                source="gradient",
                signature=2,
                changes=(
                    Change(
                        1,
                        one(total),
                        one(total),
                        value_before=one(w),
                        value_after=one(new),
                        holds=used,
                        moved=abs(new - w),
                    ),
                ),
            )
        )
        w = new
        if zeroing:
            events.append(
                Event(
                    n + 2,
                    "zero_grad",
                    k,
                    "grad.zero_()",
                    at(9),
                    signature=3,
                    changes=(Change(1, one(total), one(0.0), True),),
                )
            )
            total, first = 0.0, k + 1
    return events


STALE = Finding(
    "stale-gradient",
    "error",
    "The update on line 8 used gradients again that it had used before",
    "Nothing empties w.grad between two rounds, so each backward() adds to what the earlier ones left.",
    "The steps grow with every round, and the weight swings or runs away.",
    Remedy("Empty the gradient after the update.", "w.grad.data.zero_()\n# or\nw.grad = None"),
    Evidence((4,), (at(8), at(7)), ("w",), 299),
)
FINE = Finding(
    "each-used-once",
    "fine",
    "Every gradient was used exactly once.",
    "300 backward passes, 300 updates, and the gradient was emptied in between.",
)


def forgotten(rounds: int = 300) -> Trace:
    info = replace(W, holds=Holds(rounds, 1, rounds, rounds, rounds - 1))
    return trace_of(
        by_hand(rounds, zeroing=False),
        tensors=(info,),
        findings=(STALE,),
        graphs=(graph_of({1: "w"}),),
    )


def clean_by_hand(rounds: int = 300) -> Trace:
    return trace_of(
        by_hand(rounds),
        tensors=(replace(W, holds=Holds()),),
        findings=(FINE,),
        graphs=(graph_of({1: "w"}),),
    )


NAMES = {1: "model.0.weight", 2: "model.0.bias", 3: "model.2.weight", 4: "model.2.bias"}
SHAPES = {1: (128, 64), 2: (4,), 3: (2, 4), 4: (2,)}


def _look(tensor: int, scale: float) -> Summary:
    if tensor == 1:
        return large(3.2 * scale)
    n = {2: 4, 3: 8, 4: 2}[tensor]
    return one(*(scale * (i - 1.3) / 7 for i in range(n)))


def sgd(rounds: int = 300, findings: tuple[Finding, ...] = (FINE,)) -> Trace:
    events: list[Event] = []
    for k in range(1, rounds + 1):
        n, s = len(events) + 1, 1 / k
        holds = Holds(1, k, k)
        events.append(
            Event(
                n,
                "zero_grad",
                k,
                "SGD.zero_grad",
                at(11),
                actor="opt",
                signature=1,
                changes=tuple(Change(t, _look(t, s), None, True) for t in NAMES),
            )
        )
        events.append(
            Event(
                n + 1,
                "backward",
                k,
                "backward",
                at(7),
                loss=104.6 * s,
                signature=2,
                graph=0,
                changes=tuple(
                    Change(t, None, _look(t, s), True, _look(t, s), holds=holds) for t in NAMES
                ),
            )
        )
        events.append(
            Event(
                n + 2,
                "step",
                k,
                "SGD.step",
                at(10),
                actor="opt",
                signature=3,
                changes=tuple(
                    Change(
                        t,
                        _look(t, s),
                        _look(t, s),
                        value_before=_look(t, 1),
                        value_after=_look(t, 1 - s / 50),
                        holds=replace(holds, used=1),
                        moved=None if t == 1 else (_look(t, 1).norm or 0) * s / 50,
                    )
                    for t in NAMES
                ),
            )
        )
    infos = tuple(
        TensorInfo(
            t,
            NAMES[t],
            shape=SHAPES[t],
            parameter=True,
            owners=("opt",),
            reached=rounds,
            value=_look(t, 0.9),
            grad=_look(t, 0.01),
            holds=Holds(1, rounds, rounds, 1),
        )
        for t in NAMES
    )
    opt = OptimizerInfo(
        "opt", "SGD", (GroupInfo((1, 2, 3, 4), (("lr", "0.01"), ("momentum", "0"))),), rounds
    )
    return trace_of(
        events,
        tensors=infos,
        optimizers=(opt,),
        findings=findings,
        graphs=(graph_of(NAMES, ("mse_loss", "addmm", "relu", "addmm")),),
    )


def failed() -> Trace:
    events = by_hand(1)[:1]
    error = CellError(
        "RuntimeError",
        "Trying to backward through the graph a second time (or directly "
        "access saved tensors after they have already been freed).",
        at(9, "loss.backward()"),
        1,
    )
    return trace_of(
        events,
        tensors=(
            replace(W, holds=Holds(1, 1, 1)),
            TensorInfo(7, "bias", value=one(0.0), owners=("opt",)),
        ),
        error=error,
        graphs=(graph_of({1: "w"}),),
        optimizers=(replace(SGD, steps=0, groups=(GroupInfo((7,), (("lr", "0.1"),)),)),),
    )


def state() -> State:
    return State(
        (
            TensorState(replace(W, holds=Holds(1, 3, 3)), at(7)),
            TensorState(
                TensorInfo(2, "b", value=one(0.5), owners=("opt",)),
                odd="never reached by a backward",
            ),
        ),
        (SGD,),
        (),
        graph_of({1: "w"}),
        others=3,
    )

"""Inputs that take no gradient are named where it is certain who they are, and only there."""

from __future__ import annotations

import gc
import weakref

import torch
import torch.nn.functional as F
from torch import nn

from ipygradmagic import grad_state, trace
from ipygradmagic.record.graph import DeadEnd, Frozen
from ipygradmagic.record.trace import Trace


def ends(run: Trace, graph: int = 0) -> dict[str, list[str]]:
    """For each operation with a dead end: name, kind and source of those that are known."""
    found: dict[str, list[str]] = {}
    for node in run.graphs[graph].nodes:
        if node.blind or node.ends:
            said = [" ".join(x for x in (e.name, e.kind, e.source) if x) for e in node.ends]
            found[node.label] = said
    return found


def test_frozen_weight_and_data() -> None:
    first, last = nn.Linear(4, 3), nn.Linear(3, 1).requires_grad_(False)
    x, scale = torch.ones(2, 4), torch.tensor(2.0)
    with trace() as t:
        (F.linear(first(x).relu(), last.weight) * scale).sum().backward()
    assert ends(t.trace) == {
        "mm": ["last.weight frozen"],
        "mul": ["scale data"],
        "addmm": ["x data"],
    }
    x_end = next(e for n in t.trace.graphs[0].nodes for e in n.ends if e.name == "x")
    assert x_end == DeadEnd("x", "data", (2, 4))
    assert Trace.from_dict(t.to_dict()).graphs == t.trace.graphs


def test_a_batch_of_a_loop_and_its_target() -> None:
    xs, ys = torch.ones(4, 3), torch.zeros(4, dtype=torch.long)
    model = nn.Linear(3, 2)
    with trace() as t:
        for x, y in zip(xs.split(2), ys.split(2)):
            F.cross_entropy(model(x), y).backward()
    assert ends(t.trace) == {"nllLoss": ["y data"], "addmm": ["x data"]}


def test_variables_of_a_function_are_known() -> None:
    model = nn.Linear(3, 2)

    def train() -> None:
        batch = torch.ones(2, 3)
        model(batch).sum().backward()

    with trace() as t:
        train()
    assert ends(t.trace) == {"addmm": ["batch data"]}


def test_a_detached_tensor_is_called_by_whom_it_came_from() -> None:
    w = torch.ones(3, requires_grad=True)
    with trace() as t:
        (w * w.detach()).sum().backward()
        d = w.detach()
        (w * d).sum().backward()
    assert ends(t.trace, 0) == {"mul": ["w detached"]}
    assert ends(t.trace, 1) == {"mul": ["d detached w"]}


def test_what_lies_elsewhere_or_is_not_kept_stays_unnamed() -> None:
    w = torch.ones(3, requires_grad=True)
    x = torch.ones(4)
    with trace() as t:
        (w * x[:3]).sum().backward()  # the same address, but not all of it
        (w + x[1:]).sum().backward()
        (w * 2.0).sum().backward()
    assert [ends(t.trace, i) for i in range(3)] == [{"mul": ["unknown"]}, {"add": []}, {"mul": []}]


def test_an_output_is_no_input() -> None:
    """What an operation keeps of its own result lies in the memory of a variable that takes one."""
    a = torch.eye(3).requires_grad_()
    with trace() as t:
        parts = torch.linalg.svd(a)
        r = torch.relu(parts[1])
        kept = r.detach()
        r.sum().backward()
    assert ends(t.trace) == {}
    assert kept.sum() == 3 and parts is not None


def test_a_live_input_is_not_taken_for_its_detached_twin() -> None:
    w = torch.ones(2, 3, requires_grad=True)
    with trace() as t:
        h = w * 2
        twin = h.detach()
        F.layer_norm(h, (3,), torch.ones(3)).sum().backward()
    assert not any("twin" in said for found in ends(t.trace).values() for said in found)
    assert twin.shape == (2, 3)


def test_modules_without_a_gradient_are_told() -> None:
    model = nn.ModuleDict({"backbone": nn.Linear(3, 3), "head": nn.Linear(3, 1)})
    model["backbone"].requires_grad_(False)
    other = nn.Linear(1, 1).requires_grad_(False)
    x = torch.ones(2, 3)
    with trace() as t:
        model["head"](model["backbone"](x)).sum().backward()
    assert t.trace.graphs[0].frozen == (Frozen("model.backbone", 2),)
    (end,) = (e for n in t.trace.graphs[0].nodes for e in n.ends)
    assert end == DeadEnd("", "unknown", (2, 3))  # what the backbone returned
    assert not other.weight.requires_grad


def test_the_state_knows_as_much_and_so_does_teaching() -> None:
    w, x = torch.ones(3, requires_grad=True), torch.ones(3)
    loss = (w * x).sum()
    assert "⊣ x (3,), data" in str(getattr(grad_state(graph=loss), "view"))
    with trace(teach=True, saved=True) as t:
        (w * x).sum().backward()
    node = next(n for n in t.trace.graphs[0].nodes if n.ends)
    assert ends(t.trace) == {"mul": ["x data"]} and node.value is not None
    assert [saved.shape for saved in node.saved] == [(3,)]


def test_hooks_are_not_called_and_nothing_is_kept_alive() -> None:
    calls: list[str] = []
    w, x = torch.ones(3, requires_grad=True), torch.ones(3)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: ("packed", t), lambda p: (calls.append("unpacked"), p[1])[1]
    ):
        loss = (w * x).sum()
    with trace() as t:
        before = len(calls)
        loss.backward()
        assert len(calls) == before + 1
    gone = weakref.ref(x)
    del x, loss
    gc.collect()
    assert gone() is None and ends(t.trace) == {"mul": []}


def test_odd_tensors() -> None:
    class Mine(torch.Tensor):
        pass

    w = torch.ones(3, requires_grad=True)
    odd = torch.ones(3).as_subclass(Mine)
    none = torch.ones(0)
    sparse = torch.eye(3).to_sparse()
    with torch.no_grad():
        view = w[:2]
    with trace() as t:
        (w * odd).sum().backward()
        (torch.sparse.mm(sparse, w[:, None]).sum() + (w[:0] * none).sum()).backward()
        (w[:2] * view).sum().backward()
    assert len(t.trace.graphs) == 3 and not t.trace.warnings
    assert "view" not in str(ends(t.trace, 2))

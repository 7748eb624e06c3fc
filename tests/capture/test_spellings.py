"""Rebinding, freezing and swapping, run against torch: what the trace must say (the other events
have their tables of roads)."""

from __future__ import annotations

import pytest
import torch

from tests.capture.programs import alarms, change, kinds, names, run

START = "w = torch.tensor([1.0, 2.0], requires_grad=True)\n"
BACKWARD = "(w * w).sum().backward()\n"

REBINDS = [
    "w = torch.autograd.Variable(w - 0.1 * w.grad.data, requires_grad=True)",
    "w = torch.tensor(w.data - 0.1 * w.grad, requires_grad=True)",
    "w = (w - 0.1 * w.grad).detach().requires_grad_()",
    "w = (w - 0.1 * w.grad).clone().detach().requires_grad_(True)",
]


@pytest.mark.filterwarnings("ignore:To copy construct")
@pytest.mark.parametrize("rebind", REBINDS)
def test_every_spelling_of_rebinding(rebind: str) -> None:
    trace = run(START + ("for i in range(3):\n    " + BACKWARD + "    " + rebind))
    assert kinds(trace) == ["backward", "rebind"] * 3
    assert all(
        e.source == "gradient" and e.where.line == 4 for e in trace.events if e.kind == "rebind"
    )
    assert max(t.generation for t in trace.tensors if t.name == "w") == 4
    assert "rebinding" in names(trace) and not alarms(trace)


def test_rebinding_in_a_list_and_in_a_function() -> None:
    trace = run(
        """
        def fit(params):
            for i in range(4):
                loss = sum((p * p).sum() for p in params)
                loss.backward()
                params = [(p - 0.1 * p.grad).detach().requires_grad_() for p in params]
            return params
        done = fit([torch.ones(2, requires_grad=True), torch.zeros(1, requires_grad=True)])
        """
    )
    assert kinds(trace).count("rebind") >= 3
    assert not alarms(trace)


def test_freezing_and_unfreezing() -> None:
    trace = run(START + "w.requires_grad = False\nw.requires_grad_(True)")
    assert kinds(trace) == ["freeze", "unfreeze"]
    whole = run("m = nn.Linear(2, 2)\nm(torch.ones(2)).sum().backward()\nm.requires_grad_(False)")
    assert kinds(whole) == ["backward", "freeze"] and len(whole.events[-1].changes) == 2


def test_swap_tensors_is_let_through_and_the_books_follow() -> None:
    trace = run(
        """
        m = nn.Linear(2, 1)
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            m(torch.ones(2)).sum().backward()
            m.double()
            m(torch.ones(2).double()).sum().backward()
        finally:
            torch.__future__.set_swap_module_params_on_conversion(False)
        """
    )
    last = [e for e in trace.events if e.kind == "backward"][-1]
    assert change(trace, last, "m.weight").holds.count == 2


def test_swap_between_traces_is_not_hindered() -> None:
    namespace: dict[str, object] = {}
    run("m = nn.Linear(2, 1)\nm(torch.ones(2)).sum().backward()", namespace)
    m = namespace["m"]
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        m.double()
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
    run("m(torch.ones(2).double()).sum().backward()", namespace)

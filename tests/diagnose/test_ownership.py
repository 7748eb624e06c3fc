"""What is said of tensors whose names are lost, and of gradients that are handed over."""

from __future__ import annotations

import pytest

from ipygradmagic.record.findings import Finding
from ipygradmagic.record.trace import Trace
from tests.capture.programs import alarms, run

TRAIN = """
for _ in range(3):
    opt.zero_grad()
    net(torch.ones(2, 4)).sum().backward()
    opt.step()
"""


def _finding(trace: Trace, name: str) -> Finding:
    return next(f for f in trace.findings if f.name == name)


def test_an_optimizer_of_a_model_that_no_variable_denotes_any_more() -> None:
    namespace: dict[str, object] = {}
    make = "net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 1))\n"
    opt = "opt = torch.optim.SGD(net.parameters(), 0.1)\n"
    exec(f"import torch\nfrom torch import nn\n{make}{opt}{make}", namespace)
    trace = run(TRAIN, namespace)
    found = _finding(trace, "stale-optimizer")
    assert found.severity == "error"
    assert found.title == (
        "opt still holds 4 tensors that no variable denotes any more (8×4, 8, 1×8, 1): the loss "
        "reaches net[0].weight, net[0].bias, net[1].weight and net[1].bias of the same shapes, "
        "which are in no optimizer."
    )


def test_a_part_of_the_same_shape_is_no_replacement() -> None:
    namespace: dict[str, object] = {}
    code = "hidden = nn.Sequential(nn.Linear(4, 1), nn.Linear(7, 1))\nnet = nn.Linear(4, 1)\n"
    code += "opt = torch.optim.SGD(hidden.parameters(), 0.1)\ndel hidden\n"
    exec(f"import torch\nfrom torch import nn\n{code}", namespace)
    trace = run(TRAIN, namespace)
    assert "stale-optimizer" not in {f.name for f in trace.findings}


def test_gradients_that_are_handed_over() -> None:
    trace = run(
        """
        shared, local = nn.Linear(2, 1), nn.Linear(2, 1)
        opt = torch.optim.Adam(shared.parameters())
        for _ in range(3):
            local.load_state_dict(shared.state_dict())
            local.zero_grad()
            local(torch.ones(1, 2)).sum().backward()
            for p, sp in zip(local.parameters(), shared.parameters()):
                sp.grad = p.grad.clone()
            opt.step()
        """
    )
    found = _finding(trace, "unowned-leaf")
    assert found.severity == "note" and not alarms(trace)
    assert "opt steps other tensors, which are given their gradients by hand" in found.cause
    assert found.remedy is not None and "Nothing is to be done" in found.remedy.text


def test_a_leaf_that_became_the_result_of_an_operation() -> None:
    trace = run(
        """
        w = torch.zeros(2, requires_grad=True)
        for _ in range(2):
            ((w - 1) ** 2).sum().backward()
            w = w - 0.1 * w.grad
        """,
        raises=TypeError,
    )
    found = _finding(trace, "non-leaf-grad")
    assert "w is no leaf any more, it was made by sub" in found.title
    assert found.evidence is not None and found.evidence.lines[0].line == 5
    assert {f.name for f in trace.findings} == {"non-leaf-grad"}


def test_a_leaf_on_the_way_to_the_loss_cuts_it_off() -> None:
    trace = run(
        """
        net = nn.Linear(4, 1)
        opt = torch.optim.SGD(net.parameters(), 0.1)
        for _ in range(3):
            out = torch.autograd.Variable(net(torch.ones(2, 4)).data, requires_grad=True)
            opt.zero_grad()
            (out ** 2).mean().backward()
            opt.step()
        """
    )
    found = _finding(trace, "detached-loss")
    assert found.severity == "error" and alarms(trace) == {"detached-loss"}
    assert "reached nothing but out: it is a leaf of its own" in found.title


ADAPTED = """
net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 1))
others = [nn.Linear(4, 8), nn.Linear(8, 1)]
opt = torch.optim.{optimizer}
"""


@pytest.mark.parametrize(
    ("optimizer", "changed", "code"),
    [
        (
            "AdamW(net.parameters(), lr=0.01)",
            "net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 1))",
            "opt = torch.optim.AdamW(net.parameters(), lr=0.01)",
        ),
        (
            "AdamW(net.parameters(), weight_decay=0.0)",
            "net[1] = nn.Linear(8, 1)",
            "opt = torch.optim.AdamW(net.parameters(), weight_decay=0)",
        ),
        (
            "SGD(net.parameters(), lr=0.1, momentum=0.9)",
            "net[1] = nn.Linear(8, 1)",
            "opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)",
        ),
        (
            "SGD(net[1].parameters(), lr=0.1)",
            "net[1] = nn.Linear(8, 1)",
            "opt = torch.optim.SGD([net[1].weight, net[1].bias], ...)",
        ),
    ],
)
def test_the_optimizer_is_made_again(optimizer: str, changed: str, code: str) -> None:
    namespace: dict[str, object] = {}
    setup = ADAPTED.format(optimizer=optimizer)
    exec(f"import torch\nfrom torch import nn\n{setup}\n{changed}", namespace)
    remedy = _finding(run(TRAIN, namespace), "stale-optimizer").remedy
    assert remedy is not None and remedy.code == code


def test_modules_in_a_list_have_no_parameters_in_common() -> None:
    namespace: dict[str, object] = {}
    code = "net = [nn.Linear(4, 1)]\nopt = torch.optim.SGD(net[0].parameters(), 0.1)\n"
    exec(f"import torch\nfrom torch import nn\n{code}net = [nn.Linear(4, 1)]", namespace)
    train = TRAIN.replace("net(", "net[0](")
    remedy = _finding(run(train, namespace), "stale-optimizer").remedy
    assert remedy is not None
    assert remedy.code == "opt = torch.optim.SGD(net[0].parameters(), lr=0.1)"

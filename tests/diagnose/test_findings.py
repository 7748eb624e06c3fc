"""One wrong program for each diagnosis, one for each exoneration, and the line each names."""

from __future__ import annotations

import pytest

from ipygradmagic.diagnose.diagnosis import DIAGNOSES, diagnose
from ipygradmagic.record.trace import Trace
from tests.capture.programs import alarms, names, run

LEAF = "w = torch.ones(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=0.1)\n"

CASES = [
    ("stale-gradient", "error", 5, LEAF + "for i in range(3):\n  w.sum().backward()\n  opt.step()"),
    (
        "cleared-before-step",
        "error",
        5,
        LEAF + "for i in range(3):\n  w.sum().backward()\n  opt.zero_grad()\n  opt.step()",
    ),
    (
        "stale-optimizer",
        "error",
        3,
        LEAF
        + "w = torch.ones(2, requires_grad=True)\nfor i in range(3):\n  opt.zero_grad()\n  w.sum().backward()\n  opt.step()",
    ),
    (
        "reused-gradient",
        "warning",
        5,
        LEAF + "w.sum().backward()\nfor i in range(5):\n  opt.step()",
    ),
    ("reused-gradient", "note", 5, LEAF + "w.sum().backward()\nopt.step()\nopt.step()"),
    ("step-without-gradient", "warning", 4, LEAF + "for i in range(3):\n  opt.step()"),
    (
        "clip-after-step",
        "warning",
        5,
        LEAF + "w.sum().backward()\nopt.step()\nnn.utils.clip_grad_norm_([w], 0.1)",
    ),
    (
        "decayed-gradient",
        "note",
        5,
        LEAF + "for i in range(3):\n  w.sum().backward()\n  opt.step()\n  w.grad.mul_(0.9)",
    ),
    (
        "unowned-leaf",
        "warning",
        None,
        "b = torch.zeros(1, requires_grad=True)\n"
        + LEAF
        + "for i in range(3):\n  opt.zero_grad()\n  (w.sum() + b).backward()\n  opt.step()",
    ),
    (
        "unreached-leaf",
        "note",
        7,
        "b = torch.zeros(1, requires_grad=True)\nw = torch.ones(2, requires_grad=True)\n"
        "opt = torch.optim.SGD([w, b], lr=0.1)\nfor i in range(3):\n  opt.zero_grad()\n  w.sum().backward()\n  opt.step()",
    ),
    (
        "non-leaf-grad",
        "warning",
        3,
        "w = torch.ones(2, requires_grad=True)\ny = w * 2\nbool(y.grad is None)\ny.sum().backward()",
    ),
    (
        "nonfinite-gradient",
        "warning",
        5,
        LEAF
        + "for i in range(2):\n  (w - w).sqrt().sum().backward()\n  opt.step(); opt.zero_grad()",
    ),
    (
        "discarded-contribution",
        "warning",
        5,
        LEAF
        + "for i in range(8):\n  opt.zero_grad(); w.sum().backward()\n  if i % 4 == 3: opt.step()",
    ),
    (
        "growing-sum",
        "note",
        None,
        "w = torch.ones(2, requires_grad=True)\nfor i in range(3): w.sum().backward()",
    ),
    (
        "accumulation",
        "fine",
        None,
        LEAF
        + "for i in range(8):\n  w.sum().backward()\n  if i % 4 == 3:\n    opt.step()\n    opt.zero_grad()",
    ),
    (
        "zeroed",
        "fine",
        None,
        LEAF + "for i in range(3):\n  opt.zero_grad()\n  w.sum().backward()\n  opt.step()",
    ),
    (
        "rebinding",
        "fine",
        4,
        "w = torch.ones(2, requires_grad=True)\nfor i in range(3):\n  w.sum().backward()\n"
        "  w = (w - 0.1 * w.grad).detach().requires_grad_()",
    ),
]


@pytest.mark.filterwarnings("ignore:The .grad attribute")
@pytest.mark.parametrize(("name", "severity", "line", "source"), CASES)
def test_each_diagnosis(name: str, severity: str, line: int | None, source: str) -> None:
    trace = run(source)
    found = [f for f in trace.findings if f.name == name]
    assert [f.severity for f in found] == [severity], trace.findings
    finding = found[0]
    assert finding.title and finding.cause
    if finding.alarm:
        assert finding.remedy is not None and finding.consequence
    if line is not None and severity != "fine" and name not in ("discarded-contribution",):
        assert line in [where.line for where in finding.evidence.lines]
    for where in finding.evidence.lines:
        assert where.text == source.splitlines()[where.line - 1].strip()


def test_a_second_backward_through_a_freed_graph_names_the_first() -> None:
    trace = run(
        "x = torch.tensor(4.0, requires_grad=True)\ny = x ** 3\ny.backward()\ny.backward()",
        raises=RuntimeError,
    )
    (finding,) = [f for f in trace.findings if f.name == "freed-graph"]
    assert finding.severity == "error"
    assert [where.line for where in finding.evidence.lines] == [4, 3]
    assert trace.error is not None and trace.error.freed_by == 1


def test_a_hidden_state_that_is_not_detached_names_the_pass_that_freed_it() -> None:
    trace = run(
        """
        cell = nn.RNNCell(2, 2)
        h = torch.zeros(1, 2)
        for t in range(3):
            h = cell(torch.ones(1, 2), h)
            h.sum().backward()
        """,
        raises=RuntimeError,
    )
    assert trace.error is not None and trace.error.freed_by == 1


def test_a_loss_that_depends_on_nothing() -> None:
    trace = run("x = torch.ones(2)\nx.sum().backward()", raises=RuntimeError)
    assert names(trace) == {"detached-loss"}


def test_the_gan_leak_and_the_right_gan() -> None:
    source = """
    G, D = nn.Linear(2, 2), nn.Linear(2, 1)
    opt_g, opt_d = (torch.optim.SGD(m.parameters(), lr=0.1) for m in (G, D))
    for i in range(4):
        opt_g.zero_grad()
        D(G(torch.ones(1, 2))).sum().backward()
        opt_g.step()
        {clear}
        (D(torch.ones(1, 2)) - D(G(torch.ones(1, 2)).detach())).sum().backward()
        opt_d.step()
        opt_d.zero_grad()
    """
    assert alarms(run(source.format(clear="pass"))) == {"leaked-gradient"}
    assert alarms(run(source.format(clear="opt_d.zero_grad()"))) == set()


def test_a_cell_run_again_finds_the_gradient_of_the_first_run() -> None:
    namespace: dict[str, object] = {}
    run(LEAF + "w.sum().backward()\nopt.step()", namespace)
    again = run("w.sum().backward()\nopt.step()", namespace)
    (finding,) = [f for f in again.findings if f.alarm]
    assert finding.name == "stale-gradient" and "line 3" in finding.title


@pytest.mark.parametrize("loop, severity", [("2", "warning"), ("1", "note")])
def test_a_gradient_left_over_makes_the_first_window_larger(loop: str, severity: str) -> None:
    """With no later update to compare it with, two cells may fill one window on purpose."""
    namespace: dict[str, object] = {}
    run(LEAF + "w.sum().backward()", namespace)
    cell = f"for i in range({loop}):\n  w.sum().backward()\n  opt.step()\n  opt.zero_grad()"
    (finding,) = [f for f in run(cell, namespace).findings if "left-over" in f.name]
    assert finding.severity == severity


def test_a_window_that_an_earlier_cell_began_is_no_larger_than_the_others() -> None:
    namespace: dict[str, object] = {"k": 0}
    cell = (
        "for i in range(6):\n  w.sum().backward()\n  k += 1\n"
        "  if k % 4 == 0:\n    opt.step(); opt.zero_grad()"
    )
    run(LEAF + cell, namespace)
    assert alarms(run(cell, namespace)) == set()


def test_a_trunk_that_steps_on_two_losses_does_so_on_purpose() -> None:
    trace = run(
        """
        a, b, c = (torch.ones(2, requires_grad=True) for _ in range(3))
        opt_a, opt_b, opt_c = (torch.optim.SGD([t], lr=0.1) for t in (a, b, c))
        for i in range(4):
            for o in (opt_a, opt_b, opt_c): o.zero_grad()
            (a * b).sum().backward()
            opt_b.step()
            (a + c).sum().backward()
            opt_c.step()
            opt_a.step()
        """
    )
    assert [f.severity for f in trace.findings if f.name == "leaked-gradient"] == ["note"]


def test_a_failing_diagnosis_does_not_lose_the_others(monkeypatch) -> None:
    def broken(trace: Trace):
        raise ZeroDivisionError

    trace = run(CASES[0][3])
    monkeypatch.setattr("ipygradmagic.diagnose.diagnosis.DIAGNOSES", (broken, *DIAGNOSES))
    found = diagnose(trace)
    assert "stale-gradient" in names(found)
    assert any("broken failed" in warning for warning in found.warnings)


PART = """
a, b = (torch.ones(2, requires_grad=True) for _ in range(2))
opt = torch.optim.SGD([a, b], lr=0.1)
for i in range({rounds}):
    a.grad = None
    (a * b if i == 0 else a).sum().backward()
    opt.step()
"""


@pytest.mark.parametrize("rounds, found", [(6, {"reused-gradient"}), (3, set())])
def test_a_part_of_an_optimizer_that_moves_on_by_old_gradient(rounds: int, found: set[str]) -> None:
    """Twice may be chance."""
    trace = run(PART.format(rounds=rounds))
    assert alarms(trace) == found
    if found:
        (finding,) = [f for f in trace.findings if f.alarm]
        assert "moved b again" in finding.title and finding.evidence.tensors == ("b",)
        assert "b" not in [
            n for f in trace.findings if f.name == "zeroed" for n in f.evidence.tensors
        ]


BACK = "with torch.no_grad(): w.copy_(torch.ones(2))\n"
LATER = [
    ("opt.step()", ["warning"]),
    (BACK + "opt.step()", ["note"]),
    ("w.sum().backward()", []),
    ("opt.zero_grad()\nw.sum().backward()\nopt.step()", []),
    ("with torch.no_grad(): w -= 0.1 * w.grad", []),
]


@pytest.mark.parametrize("cell, severities", LATER)
def test_what_an_earlier_cell_has_used_up(cell: str, severities: list[str]) -> None:
    namespace: dict[str, object] = {}
    run(LEAF + "w.sum().backward()\nopt.step()", namespace)
    later = run(cell, namespace)
    assert [f.severity for f in later.findings if f.name == "reused-gradient"] == severities


def test_an_update_by_hand_whose_cell_is_run_again() -> None:
    namespace: dict[str, object] = {}
    run(LEAF + "w.sum().backward()", namespace)
    cell = "with torch.no_grad(): w -= 0.1 * w.grad"
    assert alarms(run(cell, namespace)) == set()
    assert alarms(run(cell, namespace)) == {"reused-gradient"}
    assert alarms(run("w.grad = None", namespace)) == set()


CLOSURE = """
model = nn.Linear(3, 1)
opt = {optimizer}
def closure():
    opt.zero_grad()
    loss = (model(torch.ones(4, 3)) - 1).exp().mean()
    loss.backward()
    return loss
for _ in range(3):
    opt.step(closure)
"""


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [
        ("torch.optim.SGD(model.parameters(), 0.1)", "step() called the closure once, "),
        (
            "torch.optim.LBFGS(model.parameters(), max_iter=3, lr=0.1)",
            "opt called the closure up to 3 times within one step.",
        ),
    ],
)
def test_how_often_a_step_calls_its_closure(optimizer: str, said: str) -> None:
    found = next(
        f for f in run(CLOSURE.format(optimizer=optimizer)).findings if f.name == "closure"
    )
    assert found.cause.startswith(said)

"""``strict``: the code stops at its first error, at the user's line, with the tensors as they are."""

from __future__ import annotations

import traceback

import pytest
import torch
from torch import nn

from ipygradmagic import GradientLifecycleError, trace
from ipygradmagic.api import report
from ipygradmagic.capture.backward import BackwardWatch
from ipygradmagic.capture.books import Books
from ipygradmagic.capture.optimizers import OptimizerWatch
from ipygradmagic.capture.strict import StrictBackward, StrictOptimizers
from ipygradmagic.capture.tracer import Tracer
from ipygradmagic.errors import GradMagicError
from ipygradmagic.options import Options
from tests.capture.programs import run

LEAF = "w = torch.ones(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=0.1, momentum=0.5)\n"
ROUNDS = "for i in range(5):\n  "


def stopped(source: str, **options: object) -> tuple[dict, object]:
    """The namespace and the trace of a program that must be stopped."""
    namespace: dict[str, object] = {}
    return namespace, run(LEAF + source, namespace, GradientLifecycleError, strict=True, **options)


def test_a_step_is_stopped_before_it_is_applied() -> None:
    space, t = stopped(ROUNDS + "w.sum().backward()\n  opt.step()")
    assert space["i"] == 1 and space["w"].tolist() == pytest.approx([0.9, 0.9])
    assert space["w"].grad.tolist() == [2, 2]
    assert space["opt"].state[space["w"]]["momentum_buffer"].tolist() == [1, 1]
    assert [f.name for f in t.findings if f.alarm] == ["stale-gradient"]
    assert t.error.type == "GradientLifecycleError" and t.error.where.line == 5
    assert t.counts() == {"backward": 2, "step": 2}
    assert t.events[-1].error == "GradientLifecycleError: stopped before it was applied"
    text = " ".join(report(t).text(120).split())
    assert "A strict trace stopped the code at" in text and "[stale-gradient]" in text


def test_a_trace_that_is_not_strict_has_nothing_of_it() -> None:
    for strict in (False, True):
        tracer = Tracer(Books(), Options(strict=strict), {}, judge=lambda trace: ())
        watchers = {type(tracer._backward), type(tracer._optimizers)}
        assert watchers == (
            {StrictBackward, StrictOptimizers} if strict else {BackwardWatch, OptimizerWatch}
        )
        assert tracer._watch.teams._over is strict


def test_the_books_know_that_the_step_was_not_taken() -> None:
    space, _ = stopped(ROUNDS + "w.sum().backward()\n  opt.step()")
    with trace(namespace=space) as t:
        pass
    holds = next(x.holds for x in t.tensors if x.name == "w")
    assert (holds.count, holds.used, holds.stale) == (2, 1, 1)


def test_an_update_by_hand_is_stopped_right_after_it() -> None:
    space, t = stopped(ROUNDS + "w.sum().backward()\n  w.data -= 0.1 * w.grad")
    assert space["i"] == 1 and space["w"].tolist() == pytest.approx([0.7, 0.7])
    assert t.error.where.line == 5 and [f.name for f in t.findings if f.alarm] == ["stale-gradient"]


@pytest.mark.parametrize(
    ("update", "line"),
    [
        ("w.data = w.data - 0.1 * w.grad", 5),
        ("with torch.no_grad(): w -= 0.1 * w.grad", 5),
        ("with torch.no_grad(): torch._foreach_add_([w], [w.grad], alpha=-0.1)", 5),
        ("w.data.add_(w.grad, alpha=-0.1)", 5),
    ],
)
def test_every_way_to_write_an_update(update: str, line: int) -> None:
    space, t = stopped(f"{ROUNDS}w.sum().backward()\n  {update}")
    assert (space["i"], t.error.where.line) == (1, line)


def test_of_several_leaves_in_one_event_the_one_that_is_wrong_stops() -> None:
    source = """
v = torch.ones(2, requires_grad=True)
for i in range(3):
  (w * v).sum().backward()
  for p in (v, w):
    with torch.no_grad(): p -= 0.1 * p.grad
  v.grad = None"""
    space, t = stopped(source)
    assert space["i"] == 1 and space["p"] is space["w"]
    assert t.findings[0].evidence.tensors == ("w",)


def test_a_closure_is_stopped_before_its_step_goes_on() -> None:
    source = """
def closure():
  loss = (w * w).sum()
  loss.backward()
  return loss
for i in range(3):
  opt.step(closure)"""
    space, t = stopped(source)
    assert space["i"] == 1 and space["w"].tolist() == pytest.approx([0.8, 0.8])
    assert t.error.where.line == 9


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("cleared-before-step", ROUNDS + "w.sum().backward()\n  opt.zero_grad()\n  opt.step()"),
        (
            "stale-optimizer",
            "w = torch.ones(2, requires_grad=True)\n" + ROUNDS + "w.sum().backward()\n  opt.step()",
        ),
        (
            "detached-loss",
            ROUNDS
            + "loss = torch.tensor(w.sum().item(), requires_grad=True)\n  loss.backward()\n  opt.step()",
        ),
    ],
)
def test_the_other_errors_stop_the_first_step(name: str, source: str) -> None:
    space, t = stopped(source)
    assert space["i"] == 0 and [f.name for f in t.findings if f.severity == "error"] == [name]
    assert space["opt"].state == {}


@pytest.mark.parametrize(
    "source",
    [
        ROUNDS + "opt.zero_grad()\n  w.sum().backward()\n  opt.step()",
        "w.sum().backward()\n" + ROUNDS + "opt.step()",  # a warning
        ROUNDS + "w.sum().backward()\n  opt.step()\n  w.grad.mul_(0.5)",  # a note
        ROUNDS + "w.sum().backward()\n  opt.step()  # gradmagic: ignore[stale-gradient]",
        ROUNDS + "w.sum().backward()  # gradmagic: ignore\n  opt.step()",
    ],
)
def test_nothing_else_stops(source: str) -> None:
    space: dict[str, object] = {}
    t = run(LEAF + source, space, strict=True)
    assert space["i"] == 4 and t.error is None


def test_silenced_by_the_option_nothing_stops() -> None:
    source = LEAF + ROUNDS + "w.sum().backward()\n  opt.step()"
    t = run(source, strict=True, ignore="stale-gradient")
    assert t.silenced[0].finding.evidence.count == 4 and t.counts()["step"] == 5


def test_the_same_finding_whether_strict_or_not() -> None:
    source = LEAF + "for i in range(2):\n  w.sum().backward()\n  opt.step()"
    loose, strict = run(source), run(source, raises=GradientLifecycleError, strict=True)
    (one,), (other,) = ([f for f in t.findings if f.alarm] for t in (loose, strict))
    assert (one.title, one.cause, one.evidence.events) == (
        other.title.replace(
            strict.error.where.place.split(",")[0], loose.events[0].where.place.split(",")[0]
        ),
        other.cause,
        other.evidence.events,
    )


def test_the_traceback_ends_at_the_users_line() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)

    def train() -> None:
        for _ in range(3):
            w.sum().backward()
            opt.step()  # here

    for _ in range(2):
        with pytest.raises(GradientLifecycleError) as caught, trace(strict=True):
            train()
        frames = traceback.extract_tb(caught.value.__traceback__)
        assert frames[-1].line == "opt.step()  # here" and frames[-1].name == "train"
        assert caught.value.finding == "stale-gradient" and isinstance(caught.value, GradMagicError)
        message = str(caught.value)
        assert message.startswith("Forgotten zero_grad: opt.step()")
        assert "\nFix: Clear the gradients" in message and "\nopt.zero_grad()" in message


def test_who_catches_it_is_stopped_again_at_the_next_error() -> None:
    source = """
caught = []
for i in range(4):
  w.sum().backward()
  try:
    opt.step()
  except RuntimeError as error:
    caught.append(error.finding)
    if i == 2: opt.zero_grad()"""
    space: dict[str, object] = {}
    t = run(LEAF + source, space, strict=True)
    assert space["caught"] == ["stale-gradient"] * 2 and t.error is None
    (finding,) = [f for f in t.findings if f.alarm]
    assert finding.name == "stale-gradient" and finding.evidence.count == 2


def test_a_closure_is_not_tried_before_it_has_run() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.LBFGS([w], lr=0.1, max_iter=3)

    def closure() -> torch.Tensor:
        opt.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with trace(strict=True) as t:
        for _ in range(2):
            opt.step(closure)
            opt.step(closure=closure)
            opt.zero_grad()
    assert not [f for f in t.findings if f.alarm]


def test_an_optimizer_that_computes_its_gradients_inside_step_is_not_stopped() -> None:
    class Own(torch.optim.Optimizer):
        def __init__(self, params: object) -> None:
            super().__init__(params, {})

        def step(self) -> None:
            (p,) = self.param_groups[0]["params"]
            p.sum().backward()
            with torch.no_grad():
                p -= 0.1 * p.grad

    w = torch.ones(2, requires_grad=True)
    opt = Own([w])
    with trace(strict=True) as t:
        for _ in range(3):
            opt.zero_grad()
            opt.step()
    assert not [f for f in t.findings if f.severity == "error"]


def test_a_replaced_head_is_noticed_beside_a_body_that_learns() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    net[1] = nn.Linear(2, 1)
    before = net[0].weight.detach().clone()
    with pytest.raises(GradientLifecycleError, match="still holds 2 tensors"), trace(strict=True):
        for _ in range(5):
            opt.zero_grad()
            net(torch.ones(3, 2)).sum().backward()
            opt.step()
    assert torch.equal(net[0].weight, before)

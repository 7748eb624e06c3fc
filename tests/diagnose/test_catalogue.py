"""The patterns of public bug reports: a wrong program for each, and the right one beside it."""

from __future__ import annotations

import pytest
import torch

from tests.capture.programs import alarms, names, run

LEAF = "w = torch.ones(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=0.1)\n"
NET = (
    "net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))\n"
    "opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
)
LOSS = "net(torch.ones(1, 2)).sum()"
CLIP = "nn.utils.clip_grad_norm_"
SCALER = LEAF + "scaler = torch.amp.GradScaler('cpu')\nfor i in range(4):\n  opt.zero_grad()\n"
OWN = (
    "class Own(torch.optim.Optimizer):\n  def __init__(self, p): super().__init__(p, {'lr': 0.1})\n"
    "  @torch.no_grad()\n  def step(self):\n    for p in self.param_groups[0]['params']:\n      "
)
LOOP = "\nnet = nn.Linear(2, 1)\nopt = Own(net.parameters())\nfor i in range(4):\n  opt.zero_grad()\n  "

CASES = [
    (
        "clip-each-backward",
        "warning",
        5,
        LEAF
        + f"for i in range(8):\n  (w * 3).sum().backward()\n  {CLIP}([w], 0.1)\n  if i % 4 == 3:\n    opt.step(); opt.zero_grad()",
    ),
    (
        "clip-each-backward",
        "note",
        5,
        LEAF
        + f"for i in range(8):\n  (w * 3).sum().backward()\n  {CLIP}([w], 1e3)\n  if i % 4 == 3:\n    opt.step(); opt.zero_grad()",
    ),
    (
        "clip-without-gradient",
        "warning",
        5,
        LEAF
        + f"for i in range(4):\n  opt.zero_grad()\n  {CLIP}([w], 0.1)\n  (w * 3).sum().backward()\n  opt.step()",
    ),
    (
        "clip-without-gradient",
        "note",
        3,
        LEAF + f"{CLIP}([w], 0.1)\n(w * 3).sum().backward()\nopt.step()\n",
    ),
    (
        "clip-before-unscale",
        "error",
        6,
        SCALER
        + f"  scaler.scale((w * 3).sum()).backward(); {CLIP}([w], 1.0)\n  scaler.step(opt); scaler.update()",
    ),
    (
        "exhausted-generator",
        "warning",
        6,
        "net = nn.Linear(2, 2)\nparams = net.parameters()\nopt = torch.optim.SGD(params, lr=0.1)\nfor i in range(3):\n"
        f"  net(torch.ones(1, 2)).sum().backward()\n  {CLIP}(params, 1.0)\n  opt.step(); opt.zero_grad()",
    ),
    (
        "scheduler-before-optimizer",
        "warning",
        5,
        LEAF
        + "sched = torch.optim.lr_scheduler.StepLR(opt, 1)\nfor i in range(4):\n  sched.step()\n  opt.zero_grad(); w.sum().backward(); opt.step()",
    ),
    (
        "scheduler-before-optimizer",
        "note",
        4,
        LEAF
        + "sched = torch.optim.lr_scheduler.StepLR(opt, 1)\nfor i in range(4): sched.step()\nopt.zero_grad(); w.sum().backward(); opt.step()",
    ),
    (
        "frozen-but-updated",
        "warning",
        6,
        NET
        + f"for i in range(4):\n  opt.zero_grad()\n  {LOSS}.backward()\n  if i == 1: net[0].requires_grad_(False)\n  opt.step()",
    ),
    (
        "module-not-frozen",
        "warning",
        3,
        NET
        + f"net[0].requires_grad = False\nfor i in range(3):\n  opt.zero_grad()\n  {LOSS}.backward()\n  opt.step()",
    ),
    (
        "growing-graph",
        "warning",
        6,
        "fc = nn.Linear(2, 1)\nopt = torch.optim.SGD(fc.parameters(), lr=0.1)\nh = 0\nfor i in range(6):\n"
        "  h = 0.9 * h + fc(torch.ones(1, 2)); opt.zero_grad()\n  h.sum().backward(retain_graph=True)\n  opt.step()",
    ),
    (
        "kept-graphs",
        "note",
        6,
        NET
        + f"total = 0\nfor i in range(5):\n  opt.zero_grad(); loss = {LOSS}\n  loss.backward()\n  opt.step(); total += loss",
    ),
    (
        "unmoved-parameters",
        "warning",
        12,
        OWN + "p = p - 0.1 * p.grad" + LOOP + f"{LOSS}.backward()\n  opt.step()",
    ),
    (
        "unmoved-parameters",
        "note",
        5,
        "w = torch.tensor([1e6], requires_grad=True)\nopt = torch.optim.SGD([w], lr=1e-6)\nfor i in range(4):\n"
        "  opt.zero_grad(); w.sum().backward()\n  opt.step()",
    ),
    (
        "unmoved-parameters",
        "warning",
        6,
        LEAF
        + "sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: (k + 1) // 9)\nfor i in range(6):\n"
        "  opt.zero_grad(); w.sum().backward()\n  opt.step(); sched.step()",
    ),
    (
        "skipped-steps",
        "warning",
        7,
        SCALER.replace("(4)", "(6)")
        + "  scaler.scale((w * torch.inf).sum()).backward()\n  scaler.step(opt); scaler.update()",
    ),
    (
        "skipped-steps",
        "note",
        7,
        SCALER
        + "  scaler.scale((w * torch.inf).sum()).backward()\n  scaler.step(opt); scaler.update()",
    ),
    (
        "skipped-steps",
        "warning",
        6,
        SCALER.replace("(4)", "(6)")
        .replace("lr=0.1", "lr=0.1, fused=True")
        .replace("\nscaler", "; scaler")
        + "  scaler.scale((w * torch.inf).sum()).backward()\n  scaler.step(opt); scaler.update()",
    ),
    (
        "clip-after-step",
        "warning",
        6,
        LEAF + "for i in range(4):\n  opt.zero_grad(); w.sum().backward()\n  opt.step()\n"
        "  w.grad.clamp_(-0.1, 0.1)",
    ),
    (
        "clip-before-unscale",
        "error",
        6,
        SCALER + "  scaler.scale((w * 3).sum()).backward(); w.grad.clamp_(-1, 1)\n"
        "  scaler.unscale_(opt); scaler.step(opt); scaler.update()",
    ),
    (
        "vanishing-gradient",
        "note",
        4,
        "net = nn.Sequential(*[m for i in range(20) for m in (nn.Linear(4, 4), nn.Sigmoid())])\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "for i in range(4):\n  opt.zero_grad(); net(torch.ones(3, 4)).sum().backward(); opt.step()",
    ),
    (
        "exploding-gradient",
        "note",
        4,
        "w = torch.ones(2, requires_grad=True)\nopt = torch.optim.SGD([w], lr=1.5)\n"
        "for i in range(12):\n  opt.zero_grad(); (w ** 2).sum().backward(); opt.step()",
    ),
    (
        "dead-parameters",
        "note",
        5,
        NET
        + "net[0].bias.data.fill_(-100)\nfor i in range(4):\n  opt.zero_grad(); net[1](net[0](torch.ones(1, 2)).relu()).sum().backward(); opt.step()",
    ),
]
RAISING = [
    (
        "changed-in-place",
        [6, 5],
        NET + f"y = {LOSS}\n(y * 2).backward(retain_graph=True)\nopt.step()\n(y * 3).backward()",
    ),
    (
        "changed-in-place",
        [4],
        "w = torch.ones(2, requires_grad=True)\ny = w.exp()\ny += 1\ny.sum().backward()",
    ),
    (
        "in-place-on-leaf",
        [3],
        "w = torch.ones(2, requires_grad=True)\nw.sum().backward()\nw -= 0.1 * w.grad",
    ),
    (
        "missing-gradient",
        [4, 3],
        "w = torch.ones(2, requires_grad=True)\nw.sum().backward()\nw.grad = None\nprint(2 * w.grad)",
    ),
    ("missing-gradient", [2], "w = torch.ones(2, requires_grad=True)\nprint(2 * w.grad)"),
    (
        "scaler-order",
        [5, 4],
        LEAF
        + "scaler = torch.amp.GradScaler('cpu'); scaler.scale(w.sum()).backward()\nscaler.unscale_(opt)\nscaler.unscale_(opt)",
    ),
    (
        "scaler-order",
        [3],
        LEAF + "scaler = torch.amp.GradScaler('cpu'); scaler.scale(w.sum()); scaler.step(opt)",
    ),
    (
        "non-leaf-in-optimizer",
        [2],
        "w = torch.ones(2, requires_grad=True) * 2\ntorch.optim.SGD([w], lr=0.1)",
    ),
    ("empty-optimizer", [1], "torch.optim.SGD([], lr=0.1)"),
    ("loss-not-a-number", [3], LEAF + "(w * 2).backward()"),
    ("detached-loss", [3], NET + "torch.ones(1).backward()"),
]
RIGHT = {
    "clip at the end of a window": LEAF
    + f"for i in range(8):\n  (w * 3).sum().backward()\n  if i % 4 == 3:\n    {CLIP}([w], 0.1)\n    opt.step(); opt.zero_grad()",
    "clip twice": LEAF
    + f"for i in range(4):\n  opt.zero_grad(); (w * 3).sum().backward()\n  {CLIP}([w], 1.0); {CLIP}([w], 0.1)\n  opt.step()",
    "unscaled, then clipped": SCALER
    + f"  scaler.scale((w * 3).sum()).backward(); scaler.unscale_(opt); {CLIP}([w], 1.0)\n  scaler.step(opt); scaler.update()",
    "a limit multiplied by the scale": SCALER
    + f"  scaler.scale((w * 3).sum()).backward(); {CLIP}([w], scaler.get_scale())\n  scaler.step(opt); scaler.update()",
    "clipping that finds some in other rounds": LEAF
    + f"for i in range(6):\n  {CLIP}([w], 0.1)\n  if i % 2: opt.step(); opt.zero_grad()\n  else: (w * 3).sum().backward()",
    "an empty list of parameters": LEAF
    + f"for i in range(3):\n  opt.zero_grad(); w.sum().backward(); {CLIP}([], 1.0); opt.step()",
    "the scheduler after the optimizer": LEAF
    + "sched = torch.optim.lr_scheduler.StepLR(opt, 1)\nfor i in range(4):\n  opt.zero_grad(); w.sum().backward(); opt.step(); sched.step()",
    "frozen and cleared": NET
    + f"for i in range(4):\n  opt.zero_grad()\n  {LOSS}.backward()\n  if i == 1:\n    net[0].requires_grad_(False)\n    net[0].zero_grad()\n  opt.step()",
    "a hidden state that is detached": "fc = nn.Linear(2, 1)\nopt = torch.optim.SGD(fc.parameters(), lr=0.1)\nh = torch.zeros(1, 1)\nfor i in range(6):\n"
    "  h = 0.9 * h.detach() + fc(torch.ones(1, 2))\n  opt.zero_grad(); h.sum().backward(retain_graph=True); opt.step()",
    "a step that writes in place": OWN
    + "p.sub_(0.1 * p.grad)"
    + LOOP
    + f"{LOSS}.backward(); opt.step()",
    "an error of the user's own": "w = torch.ones(2, requires_grad=True)\ntry:\n  w.add_(1)\nexcept RuntimeError: pass",
}
QUIET = ("clip", "scale", "schedul", "froz", "growing", "kept", "unmoved", "place", "exhausted")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "severity", "line", "source"), CASES)
def test_each_pattern(name: str, severity: str, line: int, source: str) -> None:
    torch.manual_seed(0)
    trace = run(source)
    (finding,) = [f for f in trace.findings if f.name == name]
    assert finding.severity == severity
    assert finding.title and finding.cause and finding.consequence and finding.remedy is not None
    assert finding.evidence.lines[0].line == line or line in [
        x.line for x in finding.evidence.lines
    ]
    assert alarms(trace) <= {name}, "one finding for one cause"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "at", "source"), RAISING)
def test_each_exception_is_explained(name: str, at: list[int], source: str) -> None:
    trace = run(source, raises=Exception)
    (finding,) = [f for f in trace.findings if f.severity == "error"]
    assert finding.name == name
    assert [where.line for where in finding.evidence.lines] == at
    assert finding.consequence and finding.remedy is not None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", RIGHT)
def test_nothing_is_said_of(what: str) -> None:
    found = names(run(RIGHT[what]))
    assert [name for name in found if any(word in name for word in QUIET)] == []
    assert alarms(run(RIGHT[what])) == set()


def test_gradients_switched_off_for_good_are_named_as_the_cause() -> None:
    try:
        trace = run(
            "torch.set_grad_enabled(False)\nw = torch.ones(2, requires_grad=True)\nw.sum().backward()",
            raises=RuntimeError,
        )
    finally:
        torch.set_grad_enabled(True)
    (finding,) = [f for f in trace.findings if f.alarm]
    assert finding.name == "detached-loss" and "set_grad_enabled(False)" in finding.title


def test_a_model_that_was_frozen_is_named_as_the_cause() -> None:
    trace = run(
        "w = torch.ones(2, requires_grad=True)\nw.sum().backward()\nw.requires_grad = False\nw.sum().backward()",
        raises=RuntimeError,
    )
    (finding,) = [f for f in trace.findings if f.alarm]
    assert finding.name == "detached-loss" and "frozen at" in finding.title


def test_what_a_closure_moved_is_no_step_without_effect() -> None:
    trace = run(
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
        def closure():
            opt.zero_grad()
            loss = ((w - 3) ** 4).sum()
            loss.backward()
            return loss
        for i in range(4):
            opt.step(closure)
        """
    )
    assert "unmoved-parameters" not in names(trace)


def test_steps_skipped_while_the_scale_comes_down_are_fine() -> None:
    trace = run(
        SCALER + "  scaler.scale((w * (torch.inf if i < 2 else 1)).sum()).backward()\n"
        "  scaler.step(opt); scaler.update()"
    )
    (finding,) = [f for f in trace.findings if f.name == "skipped-steps"]
    assert finding.severity == "fine" and "skipped 2 of 4 steps" in finding.title
    assert alarms(trace) == set() and "nonfinite-gradient" not in names(trace)


def test_a_gradient_clamped_once_after_the_step_is_only_looked_at() -> None:
    source = LEAF + "w.sum().backward()\nopt.step()\nimage = w.grad.clamp_(-0.1, 0.1)"
    assert names(run(source)) == {"zeroed"}

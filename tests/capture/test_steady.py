"""A steady loop that is only noted is told as if every line of it had been recorded by itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from textwrap import dedent, indent

import pytest
import torch

from ipygradmagic import trace
from ipygradmagic.capture import steady_teams
from ipygradmagic.capture.steady import Steady
from ipygradmagic.capture.steady_teams import SteadyTeams
from ipygradmagic.record.trace import Trace
from tests.capture.test_express import told
from tests.programs_harness import run

HEAD = """
import torch
torch.manual_seed(0)
w = torch.tensor(0.5, requires_grad=True)
b = torch.tensor([0.1], requires_grad=True)
x, y = torch.randn(16), torch.randn(16)
lr = 0.01

def loss_of(w, b):
    return ((w * x + b - y) ** 2).mean()
"""
ROUND = """
loss = loss_of(w, b)
loss.backward()
with torch.no_grad():
    w -= lr * w.grad
    b.sub_(lr * b.grad)
w.grad.zero_()
b.grad.zero_()
"""
DISTURBANCES = {
    "nothing": "",
    "a number is printed": "print(float(w.grad), w.item())",
    "one round is not updated": "continue",
    "a gradient is set to None": "w.grad = None",
    "a gradient is replaced": "w.grad = torch.ones_like(w)",
    "a gradient is scaled": "loss_of(w, b).backward(); w.grad *= 0.5; w.grad.zero_(); b.grad.zero_()",
    "a second backward": "loss_of(w, b).backward()",
    "a backward of one leaf": "(w * 2).backward()",
    "a backward by another line": "loss_of(w, b).backward(); w.grad.zero_(); b.grad.zero_()",
    "nothing is cleared": "loss_of(w, b).backward(); w.data -= lr * w.grad; b.data -= lr * b.grad",
    "zero twice": "w.grad.zero_()",
    "a gradient of zero": "(loss_of(w, b) * 0).backward(); w.grad.zero_(); b.grad.zero_()",
    "NaN": "(loss_of(w, b) * float('nan')).backward(); w.grad.zero_(); b.grad.zero_()",
    "a loss of infinity": "y = y * 1e30",
    "the value is clamped": "w.data.clamp_(-1, 1)",
    "the value is put back": "w.data.copy_(torch.tensor(0.5))",
    "the value is set": "w.data = torch.tensor(0.25)",
    "the value is written through numpy": "w.detach().numpy().fill(0.125)",
    "the gradient is written through numpy": "w.grad.numpy().fill(0.125)",
    "out=": "torch.add(w.grad, 1.0, out=w.grad)",
    "the name is bound to a new leaf": "w = (w - 0.1).detach().requires_grad_()",
    "the graph reaches one leaf more": "c = torch.ones(1, requires_grad=True); lr = 0.02\n"
    "loss_of_old = loss_of\nloss_of = lambda w, b: loss_of_old(w, b) + (c ** 2).sum()",
    "an optimizer steps": "loss_of(w, b).backward(); torch.optim.SGD([w, b], lr=0.1).step()\n"
    "w.grad.zero_(); b.grad.zero_()",
    "autograd.grad": "torch.autograd.grad(loss_of(w, b), [w, b])",
    "frozen": "w.requires_grad_(False)\n(b * 2).sum().backward(); b.grad.zero_()\nw.requires_grad_()",
    "retain_graph": "loss = loss_of(w, b); loss.backward(retain_graph=True); loss.backward()\n"
    "w.grad.zero_(); b.grad.zero_()",
    "create_graph": "loss_of(w, b).backward(create_graph=True); w.grad = None; b.grad = None",
    "clipped": "loss_of(w, b).backward(); torch.nn.utils.clip_grad_norm_([w, b], 1e-3)\n"
    "w.data -= w.grad; b.data -= b.grad; w.grad.zero_(); b.grad.zero_()",
    "a hook from now on": "w.register_hook(lambda g: g * 2)",
    "a hook that reads": "w.register_hook(lambda g: print(w.grad, w.item()))",
    "a hook that writes": "w.register_post_accumulate_grad_hook(lambda p: p.grad.mul_(0.5))",
    "a hook that writes a value": "b.register_hook(lambda g: w.data.add_(0.25))",
    "a hook that raises": "def bad(g):\n    raise ValueError('no')\nhandle = w.register_hook(bad)\n"
    "try:\n    loss_of(w, b).backward()\nexcept ValueError:\n    handle.remove()\n"
    "w.grad.zero_(); b.grad.zero_()",
    "a mode": "with torch.overrides.BaseTorchFunctionMode():\n    loss_of(w, b).backward()\n"
    "    w.grad.zero_(); b.grad.zero_()",
    "a thread": "import threading\nq = torch.tensor(1.0, requires_grad=True)\n"
    "thread = threading.Thread(target=lambda: (q * 2).backward())\nthread.start(); thread.join()",
    "a thread with the same leaves": "import threading\n"
    "thread = threading.Thread(target=lambda: loss_of(w, b).backward())\n"
    "thread.start(); thread.join(); w.grad.zero_(); b.grad.zero_()",
    "a leaf is swapped": "torch.utils.swap_tensors(w, torch.tensor(0.75, requires_grad=True))",
    "a leaf dies": "extra = torch.ones(1, requires_grad=True); (extra * 2).backward(); del extra",
    "a copy is made": "import copy; w2 = copy.deepcopy(w)",
    "grad_state": "import ipygradmagic; ipygradmagic.grad_state()",
    "it ends": "break",
    "it raises": "raise SystemExit",
    "momentum": "v = torch.zeros(()); loss_of(w, b).backward(); v.mul_(0.9).add_(w.grad)\n"
    "w.data -= lr * v; w.grad.zero_(); b.grad.zero_()",
    "detach_": "w.grad.detach_()",
    "a part of it": "b.data[0] = 0.5; w.grad[...] = 0",
    "moved away": "w.data = w.data.double().float()",
}


def program(body: str, disturbance: str = "", rounds: int = 60, at: int = 30) -> str:
    odd = indent(dedent(disturbance), " " * 8)
    when = f"    if step == {at}:\n{odd}\n" if disturbance else ""
    return f"{HEAD}\nfor step in range({rounds}):\n{indent(body, '    ')}\n{when}"


def same_without(text: str, tmp_path: Path, monkeypatch, *, flights: int | None) -> Trace:
    """What is told of a program, which must be what is told if nothing is only noted."""
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    landed = Counter[str]()
    for kind in (Steady, SteadyTeams):
        land = kind._land

        def counted(self, land=land) -> None:
            landed["flights"] += 1
            land(self)

        monkeypatch.setattr(kind, "_land", counted)
    quick = run(path, traced=True).trace
    monkeypatch.setattr(Steady, "begins", lambda self, current, args: False)
    monkeypatch.setattr(SteadyTeams, "notes", lambda self, entry: False)
    exact = run(path, traced=True).trace
    assert quick is not None and exact is not None
    one, other = told(quick), told(exact)
    for key in one | other:
        assert one.get(key) == other.get(key), key
    assert not quick.warnings
    if flights is not None:
        assert landed["flights"] >= flights, landed
    return quick


@pytest.mark.parametrize("name", DISTURBANCES)
@pytest.mark.parametrize("where", ["at the end", "before the step", "before the backward"])
def test_whatever_comes_in_between(name: str, where: str, tmp_path: Path, monkeypatch) -> None:
    odd = DISTURBANCES[name]
    if where == "at the end":
        text = program(ROUND, odd)
    else:
        cut = "with torch" if where == "before the step" else "loss.backward"
        first, rest = ROUND.split(cut, 1)
        odd = f"if step == 30:\n{indent(odd, '    ')}\n" if odd else ""
        text = program(first + odd + cut + rest)
    if name == "the name is bound to a new leaf" and where == "before the step":
        text = text.replace("w.grad", "(w.grad if w.grad is not None else torch.zeros(()))")
    same_without(text, tmp_path, monkeypatch, flights=1)


LOOPS = {
    "data": """
loss_of(w, b).backward()
w.data -= lr * w.grad
b.data -= lr * b.grad
w.grad.data.zero_()
b.grad.zero_()
""",
    "at rest": """
(loss_of(w, b) * 0).backward()
w.data -= lr * w.grad
b.data -= lr * b.grad
w.grad.zero_()
b.grad.zero_()
""",
    "swinging between two values": """
(w ** 2 + b.sum() ** 2).backward()
w.data -= w.grad
b.data -= b.grad
w.grad.zero_()
b.grad.zero_()
""",
    "zero first": """
for p in (w, b):
    if p.grad is not None:
        p.grad.zero_()
loss_of(w, b).backward()
with torch.no_grad():
    for p in (w, b):
        p -= lr * p.grad
""",
    "two leaves on a line": """
loss_of(w, b).backward()
with torch.no_grad():
    w.sub_(lr * w.grad), b.sub_(lr * b.grad)
    w.grad.zero_(), b.grad.zero_()
""",
    "one is not updated": """
loss_of(w, b).backward()
w.data.add_(w.grad, alpha=-lr)
w.grad.zero_()
b.grad.zero_()
""",
    "in a function": """
def step_of(p):
    p.data.sub_(lr * p.grad)
    p.grad.zero_()
loss_of(w, b).backward()
step_of(w)
step_of(b)
""",
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("odd", ["", "print(w.grad)", "w.grad.zero_()", "break"])
def test_other_loops(name: str, odd: str, tmp_path: Path, monkeypatch) -> None:
    same_without(program(LOOPS[name], odd), tmp_path, monkeypatch, flights=1)


def test_a_value_that_swings_is_not_put_back() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    with trace() as t:
        for _ in range(50):
            (w**2).backward()
            w.data -= 1.0 * w.grad
            w.grad.zero_()
    assert w.item() == 1.0
    assert [f.name for f in t.findings if f.alarm] == []
    assert {e.source for e in t.events if e.kind == "update"} == {"gradient"}


def test_a_step_is_taken_back_and_tried_again_with_half_the_rate() -> None:
    w = torch.tensor(1.0, requires_grad=True)
    with trace() as t:
        for i in range(60):
            old, lr = w.detach().clone(), 0.1
            (w**2).backward()
            w.data -= lr * w.grad
            if i == 40:
                w.data.copy_(old)
                w.data -= 0.5 * lr * w.grad
            w.grad.zero_()
    assert [f.name for f in t.findings if f.alarm] == []


def test_a_known_leaf_joins_the_graph(tmp_path: Path, monkeypatch) -> None:
    """Nothing else tells of it: neither a new leaf, nor a line, nor what w and b are given."""
    more = "loss = loss_of(w, b) if step < 30 else loss_of(w, b) + (c ** 2).sum()"
    head = "c = torch.ones(1, requires_grad=True)\n(c * 2).sum().backward()\n"
    text = program(ROUND.replace("loss = loss_of(w, b)", more))
    text = text.replace("for step in", f"{head}for step in", 1)
    found = same_without(text, tmp_path, monkeypatch, flights=1)
    reached = {t.name: t.reached for t in found.tensors}
    assert (reached["w"], reached["c"]) == (60, 31)


def test_two_loops_and_a_function_called_from_two_lines(tmp_path: Path, monkeypatch) -> None:
    body = indent(ROUND.replace("w -= lr * w.grad", "w.sub_(lr * w.grad)"), "    ")
    text = f"""{HEAD}
def train_step():
{body}
def train(rounds):
    for _ in range(rounds):
        train_step()

train(30)
train(30)
for i in range(60):
    train_step()
    if i % 20 == 7:
        train_step()
"""
    same_without(text, tmp_path, monkeypatch, flights=4)


def test_of_a_long_loop_the_same_events_are_kept(tmp_path: Path, monkeypatch) -> None:
    text = program(ROUND, "print(w.grad)\nw.data.clamp_(-9, 9)", rounds=4300, at=4100)
    found = same_without(text, tmp_path, monkeypatch, flights=2)
    assert found.total > len(found.events) + 2000


def test_larger_leaves_and_other_dtypes(tmp_path: Path, monkeypatch) -> None:
    head = HEAD.replace("torch.tensor(0.5, ", "torch.full((16,), 0.5, dtype=torch.float64, ")
    head = head.replace("torch.tensor([0.1], ", "torch.full((2, 3), 0.5, dtype=torch.float64, ")
    body = ROUND.replace("loss_of(w, b)", "(w ** 2).sum() + (b ** 2).sum()")
    text = program(body).replace(HEAD, head)
    same_without(text, tmp_path, monkeypatch, flights=1)


@pytest.mark.parametrize("seed", range(12))
def test_a_random_run_of_disturbances(seed: int, tmp_path: Path, monkeypatch) -> None:
    generator = torch.Generator().manual_seed(seed)
    skip = {"it raises", "it ends", "a thread with the same leaves", "one round is not updated"}
    names = [n for n in DISTURBANCES if n not in skip and not n.startswith("a hook")]
    text = program(ROUND, rounds=300).replace(
        "loss = loss_of(w, b)", "for p in (w, b):\n        if p.grad is None:\n"
        "            p.grad = torch.zeros_like(p)\n    loss = loss_of(w, b)"
    )  # fmt: skip
    at = 10
    while at < 300:
        name = names[int(torch.randint(len(names), (), generator=generator))]
        text += f"    if step == {at}:  # {name}\n{indent(DISTURBANCES[name], ' ' * 8) or ' ' * 8}"
        text += "\n        pass\n"
        at += int(torch.randint(1, 40, (), generator=generator))
    same_without(text, tmp_path, monkeypatch, flights=1)


MODEL = """
import torch
from torch import nn
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
x, y = torch.randn(8, 3), torch.randn(8, 1)

def loss_of():
    return (net(x) - y).pow(2).mean()
"""
STEPS = {
    "plain": "opt.zero_grad()\nloss = loss_of()\nloss.backward()\nopt.step()",
    "zeros": "loss_of().backward()\nopt.step()\nopt.zero_grad(set_to_none=False)",
    "four passes": "for _ in range(4):\n    (loss_of() / 4).backward()\nopt.step()\nopt.zero_grad()",
    "clipped": "opt.zero_grad()\nloss_of().backward()\n"
    "nn.utils.clip_grad_norm_(net.parameters(), 0.01)\nopt.step()",
    "clipped now and then": "opt.zero_grad()\nloss_of().backward()\n"
    "nn.utils.clip_grad_norm_(net.parameters(), 0.9 if step % 50 > 25 else 100.0)\nopt.step()",
    "clipped with a dead layer": "opt.zero_grad()\n(loss_of() + 0 * net[0].bias.sum()).backward()\n"
    "net[0].weight.grad.zero_()\nnn.utils.clip_grad_norm_(net.parameters(), 0.01)\nopt.step()",
    "clipped too late": "opt.zero_grad()\nloss_of().backward()\nopt.step()\n"
    "nn.utils.clip_grad_norm_(net.parameters(), 0.01)",
    "forgotten": "loss_of().backward()\nopt.step()",
    "the module clears": "net.zero_grad()\nloss_of().backward()\nopt.step()\nloss = loss_of().item()",
}
IN_BETWEEN = {
    "nothing": "",
    "a gradient is read": "print(net[0].weight.grad.norm())",
    "no step": "opt.zero_grad()\nloss_of().backward()\ncontinue",
    "a second backward": "loss_of().backward()",
    "another line": "opt.zero_grad()\nloss_of().backward()\nopt.step()",
    "one gradient is None": "net[0].bias.grad = None",
    "a gradient is written unseen": "if net[0].bias.grad is not None:\n"
    "    torch.add(net[0].bias.grad, 1.0, out=net[0].bias.grad)",
    "clipped": "loss_of().backward()\nnn.utils.clip_grad_norm_(net.parameters(), 1e-3)",
    "written by hand": "net[2].bias.data.add_(1.0)",
    "frozen": "net[0].requires_grad_(False)",
    "a new head": "net[2] = nn.Linear(40, 1)\nopt = torch.optim.SGD(net.parameters(), lr=0.01)",
    "a group more": "extra = nn.Parameter(torch.ones(2))\nopt.add_param_group({'params': [extra]})",
    "a scheduler": "torch.optim.lr_scheduler.StepLR(opt, 1).step()",
    "loaded": "net.load_state_dict({k: v * 0.5 for k, v in net.state_dict().items()})",
    "NaN": "(loss_of() * float('nan')).backward()",
    "retain_graph": "loss = loss_of(); loss.backward(retain_graph=True); loss.backward()",
    "a hook": "net[0].weight.register_hook(lambda g: g * 2)",
    "a hook that raises": "def bad(g):\n    raise ValueError('no')\n"
    "handle = net[2].bias.register_hook(bad)\ntry:\n    loss_of().backward()\n"
    "except ValueError:\n    handle.remove()",
    "a leaf dies": "extra = torch.ones(1, requires_grad=True); (extra * 2).backward(); del extra",
    "grad_state": "import ipygradmagic; ipygradmagic.grad_state()",
    "another optimizer": "torch.optim.SGD(net.parameters(), lr=0.1).step()",
    "a closure": "opt.step(lambda: loss_of())",
    "it ends": "break",
    "it raises": "raise SystemExit",
}


@pytest.mark.parametrize("name", IN_BETWEEN)
@pytest.mark.parametrize("step", STEPS)
def test_loops_with_an_optimizer(name: str, step: str, tmp_path: Path, monkeypatch) -> None:
    text = program(STEPS[step], IN_BETWEEN[name]).replace(HEAD, MODEL)
    by_hand = step == "clipped with a dead layer"  # nothing is only noted there
    same_without(text, tmp_path, monkeypatch, flights=None if by_hand else 1)


def test_two_networks_that_train_in_turns(tmp_path: Path, monkeypatch) -> None:
    head = MODEL + "judge = nn.Linear(1, 1)\nrate = torch.optim.Adam(judge.parameters())\n"
    body = """
rate.zero_grad()
(judge(net(x).detach()).mean() - judge(y).mean()).backward()
rate.step()
opt.zero_grad()
(-judge(net(x)).mean()).backward()
opt.step()
"""
    text = program(body, "print(judge.weight.grad)", rounds=90, at=60).replace(HEAD, head)
    same_without(text, tmp_path, monkeypatch, flights=1)


def test_of_a_large_model_the_same_copies_are_kept(tmp_path: Path, monkeypatch) -> None:
    text = program(STEPS["plain"], "net[0].bias.data.add_(0.0)", rounds=160, at=120)
    head = MODEL.replace("(3, 40)", "(3, 6000)").replace("(40, 1)", "(6000, 1)")
    head = head.replace("lr=0.01", "lr=1e-6")
    found = same_without(text.replace(HEAD, head), tmp_path, monkeypatch, flights=2)
    assert len(found.events) < found.total


def test_nothing_is_lost_where_examples_let_go_of_copies_while_a_round_is_learned(
    monkeypatch,
) -> None:
    monkeypatch.setattr(steady_teams, "MOST_COPIES", 1_000_000)
    net = torch.nn.Sequential(*[torch.nn.Linear(64, 64) for _ in range(100)])
    opt = torch.optim.SGD(net.parameters(), lr=1e-4)
    with trace() as t:
        for _ in range(20):
            net(torch.randn(4, 64)).pow(2).mean().backward()
            opt.step()
    assert t.trace.total == 40 and t.trace.warnings == ()
    assert [f.name for f in t.findings if f.alarm] == ["stale-gradient"]


def test_a_failing_landing_is_a_warning_and_the_run_goes_on(monkeypatch) -> None:
    def broken(self: Steady) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Steady, "_land", broken)
    w = torch.tensor(1.0, requires_grad=True)
    with trace() as t:
        for _ in range(40):
            (w * 2).backward()
            w.data -= 0.01 * w.grad
            w.grad.zero_()
    assert w.item() == pytest.approx(1 - 40 * 0.02, abs=1e-5)
    assert any("broken" in warning for warning in t.trace.warnings)

"""Every optimizer, and what wraps, compiles, repeats or replaces one."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch

from tests.capture.roads import BACKWARD, Road, W, check, row_of, rows


@pytest.fixture(autouse=True)
def torch_is_pristine() -> None:
    """Not by test here: torch.compile changes torch itself. ``check`` compares where it can."""


def _made(name: str) -> str:
    return {
        "SparseAdam": "torch.optim.SparseAdam([w], lr=0.1)",
        "Muon": "torch.optim.Muon([w], lr=0.1)",
    }.get(name, f"torch.optim.{name}([w], lr=0.1)")


def _optimizers() -> list[str]:
    """All of torch.optim, and each in its other implementations where the CPU has them."""
    found: list[str] = []
    for name in dir(torch.optim):
        kind = getattr(torch.optim, name)
        if not isinstance(kind, type) or name in ("Optimizer", "LBFGS"):
            continue
        made = _made(name)
        found.append(made)
        known = inspect.signature(kind).parameters
        options = ["foreach=True", "foreach=False", "fused=True", "maximize=True"]
        options += ["momentum=0.9", "amsgrad=True", "weight_decay=0.1"]
        for option in options:
            if option.split("=")[0] in known and name not in ("SparseAdam", "Muon", "Adafactor"):
                if option != "fused=True" or name in ("SGD", "Adam", "AdamW", "Adagrad"):
                    found.append(f"{made[:-1]}, {option})")
    return found


@pytest.mark.parametrize("made", _optimizers())
def test_every_optimizer_of_torch(made: str, tmp_path: Path) -> None:
    """Three rounds, each consumed once; then one without a clear, which is a bug."""
    sparse = "SparseAdam" in made
    loss = "F.embedding(torch.tensor([0, 1]), w, sparse=True).sum()" if sparse else "(w * w).sum()"
    name = made.split("(")[0].removeprefix("torch.optim.")
    text = f"""
    w = torch.ones(2, 2, requires_grad=True)
    opt = {made}
    for i in range(4):
        if i < 3:
            opt.zero_grad()  # => zero_grad actor:opt
        {loss}.backward()  # => backward
        opt.step()  # => step actor:opt
    """
    road = Road(
        made,
        text,
        "zero_grad backward step " * 3 + "backward step",
        consumed="w=4",
        ends="w=2",
        findings=frozenset({"stale-gradient"}),
        alarms=frozenset({"stale-gradient"}),
    )
    trace = check(road, tmp_path)
    steps = [e for e in trace.events if e.kind == "step"]
    assert {e.label for e in steps} == {f"{name}.step"}
    for step_event in steps:
        row = row_of(trace, step_event, "w")
        assert row is not None and row.value_before is not None and row.value_after is not None
        assert row.value_before.values != row.value_after.values


WAYS = [
    Road(
        "LBFGS",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.LBFGS([w], lr=0.1, max_iter=2)
        def closure():
            opt.zero_grad()  # => zero_grad inside:LBFGS.step
            loss = ((w - 3) ** 4).sum()
            loss.backward()  # => backward inside:LBFGS.step led w=1
            return loss
        for i in range(2):
            opt.step(closure)  # => step actor:opt  # led
        """,
        order=("zero_grad backward step " * 2 + "step ") * 2,
        findings=frozenset({"closure"}),
    ),
    Road(
        "LBFGS whose closure never clears",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.LBFGS([w], lr=0.1, max_iter=2)
        def closure():
            loss = ((w - 3) ** 4).sum()
            loss.backward()  # => backward
            return loss
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            opt.step(closure)  # => step
        """,
        order="zero_grad backward step backward step step " * 2,
        alarms=frozenset({"stale-gradient"}),
    ),
    Road(
        "SGD with a closure",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        def closure():
            opt.zero_grad()  # => zero_grad
            loss = (w * w).sum()
            loss.backward()  # => backward w=1
            return loss
        for i in range(2):
            opt.step(closure=closure)  # => step
        """,
        order="zero_grad backward step " * 2,
        consumed="w=2",
    ),
    Road(
        "through functools.partial and a bound method",
        W
        + "import functools\nopt = torch.optim.SGD([w], lr=0.1)\n"
        + BACKWARD
        + "step = functools.partial(opt.step)\nstep()  # => step actor:opt w=1\n",
        consumed="w=1",
    ),
    Road(
        "through a scheduler",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        schedule = torch.optim.lr_scheduler.StepLR(opt, 1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            opt.step()  # => step actor:opt w=1
            schedule.step()
        """,
        consumed="w=2",
        pristine=False,
    ),
    Road(
        "two parameter groups, one added later",
        """
        a = torch.ones(2, requires_grad=True); b = torch.ones(1, requires_grad=True)
        opt = torch.optim.SGD([{"params": [a]}], lr=0.1)
        opt.add_param_group({"params": [b], "lr": 0.01})
        (a.sum() * b).backward()  # => backward a=1 b=1
        opt.step()  # => step a=1 b=1
        """,
        consumed="a=1 b=1",
    ),
    Road(
        "a parameter without a gradient is missed",
        """
        a = torch.ones(2, requires_grad=True); b = torch.ones(1, requires_grad=True)
        opt = torch.optim.SGD([a, b], lr=0.1)
        a.sum().backward()  # => backward a=1 b=-
        opt.step()  # => step a=1 b=-
        """,
        consumed="a=1 b=0",
    ),
    Road(
        "GradScaler",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            scaler.scale((w * w).sum()).backward()  # => backward w=1
            scaler.step(opt)  # => edit w=1; step actor:opt via:step w=1
            scaler.update()
        """,
        consumed="w=2",
    ),
    Road(
        "GradScaler that skips a step",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        scaler.scale((w * torch.tensor([1.0, float("inf")])).sum()).backward()  # => backward w=1
        scaler.step(opt)  # => edit w=1 via:step
        scaler.update()
        """,
        consumed="w=0",
        findings=frozenset({"skipped-steps"}),
    ),
    Road(
        "fused step under GradScaler",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1, fused=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            scaler.scale((w * w).sum()).backward()  # => backward w=1
            scaler.step(opt)  # => step actor:opt w=1
            scaler.update()
        """,
        consumed="w=2",
    ),
    Road(
        "fused step that found inf",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1, fused=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        scaler.scale((w * float("inf")).sum()).backward()  # => backward w=1
        scaler.step(opt)  # => step actor:opt w=1
        scaler.update()
        """,
        consumed="w=0",
        findings=frozenset({"skipped-steps"}),
    ),
    Road(
        "subclass that does everything itself",
        """
        class Mine(torch.optim.Optimizer):
            def __init__(self, params): super().__init__(params, {"lr": 0.1})
            @torch.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]: p.add_(p.grad, alpha=-group["lr"])
        w = torch.ones(2, requires_grad=True)
        opt = Mine([w])
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            opt.step()  # => step actor:opt w=1
        """,
        consumed="w=2",
    ),
    Road(
        "subclass that calls super's step",
        """
        class Mine(torch.optim.SGD):
            def step(self, closure=None):
                return super().step(closure)
        w = torch.ones(2, requires_grad=True)
        opt = Mine([w], lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            opt.step()  # => step actor:opt w=1
        """,
        consumed="w=2",
    ),
    Road(
        "an optimizer that is none of torch's",
        """
        class Mine:
            def __init__(self, params, lr): self.params, self.lr = list(params), lr
            def step(self):
                with torch.no_grad():
                    for p in self.params:
                        p -= self.lr * p.grad  # => update gradient led w=1
            def zero_grad(self):
                for p in self.params: p.grad = None  # => zero_grad led
        w = torch.ones(2, requires_grad=True)
        opt = Mine([w], 0.1)
        for i in range(2):
            (w * w).sum().backward()  # => backward w=1
            opt.step(); opt.zero_grad()  # led
        """,
        order="backward update zero_grad " * 2,
        consumed="w=2",
    ),
    Road(
        "the same with momentum buffers of its own",
        """
        class Mine:
            def __init__(self, params):
                self.params = list(params)
                self.v = [torch.zeros_like(p) for p in self.params]
            @torch.no_grad()
            def step(self):
                for p, v in zip(self.params, self.v):
                    v.mul_(0.9).add_(p.grad)
                    p.add_(v, alpha=-0.1)  # => update gradient
        w = torch.ones(2, requires_grad=True)
        opt = Mine([w])
        for i in range(3):
            w.grad = None  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            opt.step()
        """,
        order="backward update zero_grad backward update zero_grad backward update",
        consumed="w=3",
    ),
    Road(
        "Adam by hand, its state in a dict by tensor",
        """
        w = torch.ones(2, requires_grad=True)
        state = {w: {"m": torch.zeros(2), "v": torch.zeros(2)}}
        for t in range(1, 4):
            (w * w).sum().backward()  # => backward w=1
            for p, s in state.items():
                s["m"] = 0.9 * s["m"] + 0.1 * p.grad
                s["v"] = 0.99 * s["v"] + 0.01 * p.grad ** 2
                m, v = s["m"] / (1 - 0.9 ** t), s["v"] / (1 - 0.99 ** t)
                p.data -= 0.1 * m / (v.sqrt() + 1e-8)  # => update gradient w=1
            w.grad.zero_()  # => zero_grad
        """,
        consumed="w=3",
    ),
    Road(
        "momentum by hand, the gradient cleared before the update",
        """
        w = torch.ones(2, requires_grad=True)
        v = torch.zeros(2)
        for i in range(3):
            (w * w).sum().backward()  # => backward w=1
            v = 0.9 * v + w.grad
            w.grad = None  # => zero_grad w=0
            w.data -= 0.1 * v  # => update gradient
        """,
        consumed="w=3",
    ),
    Road(
        "SAM",
        """
        class SAM(torch.optim.Optimizer):
            def __init__(self, params, base):
                super().__init__(params, {})
                self.base = base(self.param_groups, lr=0.1)
            @torch.no_grad()
            def first_step(self):
                for p in self.param_groups[0]["params"]:
                    self.state[p]["old"] = p.data.clone()
                    p.add_(0.05 * p.grad / p.grad.norm())  # => update gradient
                self.zero_grad()  # => zero_grad
            @torch.no_grad()
            def second_step(self):
                for p in self.param_groups[0]["params"]:
                    p.data = self.state[p]["old"]  # => update
                self.base.step()  # => step
                self.zero_grad()  # => zero_grad
            def step(self): raise NotImplementedError
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        opt = SAM([w], torch.optim.SGD)
        for i in range(2):
            (w * w).sum().backward()  # => backward w=1
            opt.first_step()
            (w * w).sum().backward()  # => backward w=1
            opt.second_step()
        """,
        order="backward update zero_grad backward update step zero_grad " * 2,
        ends="w=0",
    ),
    Road(
        "Lookahead",
        """
        class Lookahead(torch.optim.Optimizer):
            def __init__(self, base):
                self.base, self.n = base, 0
                self.param_groups, self.state, self.defaults = base.param_groups, {}, {}
                self.slow = [p.detach().clone() for g in self.param_groups for p in g["params"]]
            def step(self, closure=None):
                self.base.step()  # => step w=1
                self.n += 1
                if self.n % 2 == 0:
                    for p, s in zip(self.param_groups[0]["params"], self.slow):
                        s.add_(p.data - s, alpha=0.5)
                        p.data.copy_(s)  # => update other
            def zero_grad(self, set_to_none=True): self.base.zero_grad()  # => zero_grad
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        opt = Lookahead(torch.optim.SGD([w], lr=0.1))
        for i in range(2):
            (w * w).sum().backward()  # => backward w=1
            opt.step()
            opt.zero_grad()
        """,
        order="backward step zero_grad backward step update zero_grad",
        consumed="w=2",
    ),
    Road(
        "weights averaged (SWA)",
        """
        m = nn.Linear(2, 1)
        swa = torch.optim.swa_utils.AveragedModel(m)
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
            opt.step()  # => step m.weight=1
            swa.update_parameters(m)
        """,
        consumed="m.weight=2",
    ),
    Road(
        "two optimizers on one parameter",
        """
        w = torch.ones(2, requires_grad=True)
        fast, slow = torch.optim.SGD([w], lr=0.1), torch.optim.SGD([w], lr=0.01)
        for i in range(2):
            fast.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            fast.step()  # => step actor:fast w=1
            slow.step()  # => step actor:slow w=1
        """,
        consumed="w=2",
    ),
    Road(
        "a step repeated",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        (w * w).sum().backward()  # => backward w=1
        for i in range(4):
            opt.step()  # => step w=1
        """,
        consumed="w=1",
        findings=frozenset({"reused-gradient"}),
        alarms=frozenset({"reused-gradient"}),
    ),
    Road(
        "accumulation, then a step",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        for i in range(3):
            opt.zero_grad()  # => zero_grad
            for j in range(2):
                (w * w).sum().backward()  # => backward
            opt.step()  # => step w=2
        """,
        consumed="w=3",
        findings=frozenset({"accumulation"}),
    ),
    Road(
        "a step that raises has consumed nothing",
        """
        class Broken(torch.optim.SGD):
            def step(self, closure=None): raise ZeroDivisionError
        w = torch.ones(2, requires_grad=True)
        opt = Broken([w], lr=0.1)
        for i in range(2):
            w.sum().backward()  # => backward
            try: opt.step()  # => step error
            except ZeroDivisionError: pass
        """,
        consumed="w=0",
        ends="w=2",
    ),
    Road(
        "writes by hand after a step that raised",
        """
        class Broken(torch.optim.SGD):
            def step(self, closure=None): raise ZeroDivisionError
        w = torch.ones(2, requires_grad=True)
        opt = Broken([w], lr=0.1)
        w.sum().backward()  # => backward
        try: opt.step()  # => step error
        except ZeroDivisionError: pass
        w.data -= 0.1 * w.grad  # => update gradient w=1
        w.grad.zero_()  # => zero_grad w=0
        """,
        consumed="w=1",
    ),
    Road(
        "functional optimizer of torch",
        """
        from torch.optim.sgd import sgd
        w = torch.ones(2, requires_grad=True)
        for i in range(2):
            (w * w).sum().backward()  # => backward w=1
            with torch.no_grad():
                sgd([w], [w.grad], [None], weight_decay=0, momentum=0, lr=0.1, dampening=0, nesterov=False, maximize=False)  # => update gradient via:sgd w=1
            w.grad = None  # => zero_grad
        """,
        consumed="w=2",
    ),
    Road(
        "gradients moved into an optimizer of other parameters",
        """
        half = nn.Linear(2, 1).half()  # => update other
        master = [p.detach().clone().float().requires_grad_() for p in half.parameters()]
        opt = torch.optim.SGD(master, lr=0.1)
        for i in range(2):
            half.zero_grad()  # => zero_grad
            half(torch.ones(1, 2).half()).sum().backward()  # => backward half.weight=1
            for p, q in zip(master, half.parameters()):
                p.grad = q.grad.float()  # => edit
            opt.step()  # => step
            with torch.no_grad():
                for p, q in zip(master, half.parameters()):
                    q.copy_(p)  # => update other
        """,
        order="update " + "zero_grad backward edit step update " * 2,
    ),
    Road(
        "a new value loaded from an updated copy",
        """
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
        new = {k: p.detach() - 0.1 * p.grad for k, p in m.named_parameters()}
        m.load_state_dict(new)  # => update gradient via:load_state_dict m.weight=1
        """,
        consumed="m.weight=1 m.bias=1",
    ),
    Road(
        "compiled step, in which no hook runs: known by what it writes",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        step = torch.compile(opt.step, backend="eager")
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            step()  # => update gradient w=1
        """,
        consumed="w=2",
        oracle=False,
        pristine=False,
    ),
    Road(
        "compiled model",
        """
        m = nn.Linear(2, 1)
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        run = torch.compile(m, backend="eager")
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            run(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
            opt.step()  # => step m.weight=1
        """,
        consumed="m.weight=2",
        oracle=False,
        pristine=False,
    ),
]


@pytest.mark.parametrize("road", rows(WAYS))
def test_roads_of_optimizers(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)

"""Every way in which a gradient is emptied, and those that only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture.roads import BACKWARD, Road, W, check, row_of, rows, straight

IN_PLACE = [
    "w.grad.zero_()",
    "w.grad.data.zero_()",
    "w.grad.detach().zero_()",
    "w.grad.detach_().zero_()",
    "w.grad *= 0",
    "w.grad.mul_(0)",
    "w.grad.mul_(torch.zeros(2))",
    "w.grad.data.mul_(0.0)",
    "w.grad.fill_(0)",
    "w.grad.data.fill_(0)",
    "w.grad.data.fill_(torch.tensor(0.0))",
    "w.grad[:] = 0",
    "w.grad[...] = 0.0",
    "w.grad.data[:] = 0",
    "w.grad[:] = torch.zeros(2)",
    "w.grad[[0, 1]] = 0",
    "w.grad[torch.tensor([True, True])] = 0",
    "w.grad.view(-1).zero_()",
    "w.grad.T.zero_()",
    "w.grad.copy_(torch.zeros(2))",
    "w.grad.copy_(torch.zeros(1))",
    "w.grad.data.copy_(torch.zeros_like(w))",
    "w.grad -= w.grad",
    "w.grad.sub_(w.grad)",
    "w.grad.sub_(w.grad.clone())",
    "w.grad.add_(w.grad, alpha=-1)",
    "w.grad.masked_fill_(torch.tensor([True, True]), 0)",
    "w.grad.index_fill_(0, torch.tensor([0, 1]), 0.0)",
    "w.grad.clamp_(0, 0)",
    "w.grad.bernoulli_(0.0)",
    "w.grad.__imul__(0)",
    "torch.Tensor.zero_(w.grad)",
    "torch.Tensor.zero_(w.grad.data)",
    "torch._foreach_zero_([w.grad])",
    "torch._foreach_mul_([w.grad], 0.0)",
    "torch._foreach_zero_([w.grad.data])",
    "nn.init.zeros_(w.grad)",
    "nn.init.constant_(w.grad, 0.0)",
    "[p.grad.zero_() for p in [w]]",
    "list(map(lambda p: p.grad.zero_(), [w]))",
    "getattr(w, 'grad').zero_()",
    "getattr(w.grad, 'zero_')()",
    "g = w.grad; g.zero_()",
    "_ = w.grad is not None and w.grad.zero_()",
    "torch.zero_(w.grad)",
    "torch.fill_(w.grad, 0)",
    "torch.mul(w.grad, 0, out=w.grad)",
    "torch.zeros(2, out=w.grad)",
    "torch.sub(w.grad, w.grad, out=w.grad)",
    "w.grad.untyped_storage().fill_(0)",
    "w.grad.numpy()[:] = 0",
    "w.grad.numpy().fill(0)",
    "memoryview(w.grad.numpy())[:] = memoryview(torch.zeros(2).numpy())",
    "torch.from_dlpack(w.grad).zero_()",
    "torch.optim.SGD([w], lr=1).zero_grad(set_to_none=False)",
    "torch.optim.Adam([w]).zero_grad(False)",
    "opt = torch.optim.SGD([w], lr=1); [p.grad.detach_().zero_() for g in opt.param_groups for p in g['params']]",
]
NOT_FOLLOWED = ("out=", "numpy", "storage", "torch.zero_(", "torch.fill_(", "dlpack")


@pytest.mark.parametrize("line", IN_PLACE)
def test_every_way_to_fill_a_gradient_with_zeros(line: str, tmp_path: Path) -> None:
    """The slot is empty, and the next deposit is the only one in it."""
    text = f"{W}{BACKWARD}{line}  # => zero_grad\n{BACKWARD}"
    followed = not any(words in line for words in NOT_FOLLOWED)
    if not followed:  # it leaves no trace: noticed at the next event, with that line
        text = f"{W}{BACKWARD}{line}\n(w * w).sum().backward()  # => zero_grad; backward w=1\n"
    trace = check(Road(line, text, "backward zero_grad backward", ends="w=1"), tmp_path)
    row = row_of(trace, trace.events[1], "w")
    assert row is not None and row.holds.count == 0
    assert row.grad_before is not None and row.grad_before.values == (2.0, 4.0)
    assert row.grad_after is not None and row.grad_after.values == (0.0, 0.0)
    last = row_of(trace, trace.events[2], "w")
    assert last is not None and last.added is not None and last.added.values == (2.0, 4.0)


TO_NONE = [
    "w.grad = None",
    "w._grad = None",
    "del w.grad",
    "setattr(w, 'grad', None)",
    "delattr(w, 'grad')",
    "for p in [w]: p.grad = None",
    "torch.Tensor.grad.__set__(w, None)",
    "torch.optim.SGD([w], lr=1).zero_grad()",
    "torch.optim.SGD([w], lr=1).zero_grad(set_to_none=True)",
    "torch.optim.SGD([w], lr=1).zero_grad(True)",
]


@pytest.mark.parametrize("line", TO_NONE)
def test_every_way_to_drop_a_gradient(line: str, tmp_path: Path) -> None:
    seen = f"{line}  # => zero_grad\n{BACKWARD}"
    unseen = f"{line}\n(w * w).sum().backward()  # => zero_grad; backward w=1\n"
    text = W + BACKWARD + (unseen if "__set__" in line else seen)
    trace = check(Road(line, text, "backward zero_grad backward", ends="w=1"), tmp_path)
    row = row_of(trace, trace.events[1], "w")
    assert row is not None and row.grad_after is None and row.holds.count == 0


REPLACED = [
    "w.grad = torch.zeros(2)",
    "w.grad = torch.zeros_like(w)",
    "w.grad = torch.zeros_like(w.grad)",
    "w.grad = w.grad * 0",
    "w.grad = w.grad - w.grad",
    "w.grad.data = torch.zeros(2)",
    "w.grad.set_(torch.zeros(2))",
    "w.grad = torch.Tensor([0, 0])",
]


@pytest.mark.parametrize("line", REPLACED)
def test_every_way_to_put_zeros_in_its_place(line: str, tmp_path: Path) -> None:
    trace = check(straight(line, f"{line}  # => zero_grad w=0\n{BACKWARD}", ends="w=1"), tmp_path)
    row = row_of(trace, trace.events[1], "w")
    assert row is not None and row.grad_after is not None and row.grad_after.zero


MANY = [
    Road(
        "Module.zero_grad of a whole model",
        """
        m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        m(torch.ones(1, 2)).sum().backward()  # => backward
        m.zero_grad()  # => zero_grad actor:m m[0].weight=0 m[0].bias=0 m[1].weight=0 m[1].bias=0
        """,
    ),
    Road(
        "Module.zero_grad of a part",
        """
        m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        m(torch.ones(1, 2)).sum().backward()  # => backward
        m[1].zero_grad(set_to_none=False)  # => zero_grad m[0].weight=- m[1].weight=0
        """,
        ends="m[0].weight=1 m[1].weight=0",
    ),
    Road(
        "Optimizer.zero_grad of a group",
        """
        m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        opt = torch.optim.SGD(m[0].parameters(), lr=0.1)
        m(torch.ones(1, 2)).sum().backward()  # => backward
        opt.zero_grad()  # => zero_grad actor:opt m[0].weight=0 m[1].weight=-
        """,
        ends="m[0].weight=0 m[1].weight=1",
    ),
    Road(
        "a loop over parameters is one event",
        """
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()  # => backward
        for p in m.parameters():
            p.grad.zero_()  # => zero_grad m.weight=0 m.bias=0
        """,
        order="backward zero_grad",
    ),
    Road(
        "a loop over parameters, each set to None",
        """
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()  # => backward
        for p in m.parameters():
            if p.grad is not None:
                p.grad.detach_()
                p.grad = None  # => zero_grad m.weight=0 m.bias=0
        """,
        order="backward zero_grad",
    ),
    Road(
        "a zero_grad of one's own",
        W
        + """
class Mine:
    def __init__(self, params): self.params = params
    def zero_grad(self):
        for p in self.params:
            p.grad = None  # => zero_grad led w=0
mine = Mine([w])
(w * w).sum().backward()  # => backward
mine.zero_grad()  # led
""",
        order="backward zero_grad",
    ),
    Road(
        "an optimizer subclass that overrides zero_grad",
        """
        class Mine(torch.optim.SGD):
            def zero_grad(self, set_to_none=True):
                for group in self.param_groups:
                    for p in group["params"]: p.grad = None  # => zero_grad w=0 led
        w = torch.ones(2, requires_grad=True)
        opt = Mine([w], lr=0.1)
        w.sum().backward()  # => backward w=1
        opt.zero_grad()  # led
        """,
        order="backward zero_grad",
    ),
    Road(
        "an optimizer subclass that calls super's zero_grad",
        """
        class Mine(torch.optim.SGD):
            def zero_grad(self, *args, **kwargs):
                super().zero_grad(*args, **kwargs)  # => zero_grad w=0 actor:opt led
        w = torch.ones(2, requires_grad=True)
        opt = Mine([w], lr=0.1)
        w.sum().backward()  # => backward w=1
        opt.zero_grad()  # led
        """,
    ),
    Road(
        "zero_grad of what is empty already",
        W + "opt = torch.optim.SGD([w], lr=1)\nopt.zero_grad()  # => zero_grad w=-\n"
        "opt.zero_grad()  # => zero_grad w=-",
    ),
    Road(
        "zero_ of what is zero already",
        W + BACKWARD + "w.grad.zero_()  # => zero_grad w=0\nw.grad.zero_()  # => zero_grad w=0",
    ),
    Road(
        "a deposit of zeros is cleared like any other",
        W + "(w * 0).sum().backward()  # => backward w=1\nw.grad.zero_()  # => zero_grad w=0",
    ),
    Road(
        "moving a model and clearing it",
        """
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
        m.zero_grad(set_to_none=False)  # => zero_grad m.weight=0
        m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
        """,
    ),
    Road(
        "both the model and the optimizer",
        """
        m = nn.Linear(2, 1); opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(3):
            opt.zero_grad()  # => zero_grad
            m.zero_grad()  # => zero_grad
            m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1 m.bias=1
            opt.step()  # => step m.weight=1
        """,
        consumed="m.weight=3",
    ),
]

SHARED = [
    Road(
        "to None drops the alias and leaves the original full",
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(2, requires_grad=True)
        (a * 2).sum().backward()  # => backward a=1
        b.grad = a.grad  # => edit b=1
        b.grad = None  # => zero_grad b=0
        """,
        ends="a=1 b=0",
    ),
    Road(
        "zeros reach every holder",
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(2, requires_grad=True)
        (a * 2).sum().backward()  # => backward a=1
        b.grad = a.grad  # => edit b=1
        b.grad.zero_()  # => zero_grad a=0 b=0
        """,
        ends="a=0 b=0",
    ),
    Road(
        "a flat buffer of all gradients",
        """
        m = nn.Linear(2, 1)
        flat = torch.zeros(3)
        m.weight.grad = flat[:2].view(1, 2)  # => zero_grad m.weight=0
        m.bias.grad = flat[2:]  # => zero_grad m.bias=0
        m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1 m.bias=1
        flat.zero_()  # => zero_grad m.weight=0 m.bias=0
        m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1 m.bias=1
        """,
        ends="m.weight=1 m.bias=1",
    ),
    Road(
        "a part of a flat buffer",
        """
        m = nn.Linear(2, 1)
        flat = torch.zeros(3)
        m.weight.grad = flat[:2].view(1, 2)  # => zero_grad
        m.bias.grad = flat[2:]  # => zero_grad
        m(torch.ones(1, 2)).sum().backward()  # => backward
        flat[2:].zero_()  # => zero_grad m.bias=0 m.weight=-
        """,
        ends="m.weight=1 m.bias=0",
    ),
    Road(
        "gradients that are pieces of one, forgotten for one of them",
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(1, requires_grad=True)
        for i in range(2):
            (torch.cat([a, b]) ** 2).sum().backward()  # => backward
            with torch.no_grad():
                a -= 0.1 * a.grad  # => update gradient
                b -= 0.1 * b.grad  # => update gradient
            a.grad.zero_()  # => zero_grad a=0
        """,
        ends="a=0 b=2",
        alarms=frozenset({"stale-gradient"}),
    ),
    Road(
        "training with a flat buffer",
        """
        m = nn.Linear(2, 1)
        flat = torch.zeros(3)
        m.weight.grad, m.bias.grad = flat[:2].view(1, 2), flat[2:]  # => zero_grad; zero_grad
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(3):
            flat.zero_()  # => zero_grad m.weight=0 m.bias=0
            m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1 m.bias=1
            opt.step()  # => step m.weight=1 m.bias=1
        """,
        consumed="m.weight=3 m.bias=3",
    ),
]

NOT_CLEARS = [
    straight("one element", "w.grad[0] = 0  # => edit w=1", ends="w=1"),
    straight("one element, by name", "w.grad[0].zero_()  # => edit w=1", ends="w=1"),
    straight("a mask", "w.grad[w > 1.5] = 0  # => edit w=1", ends="w=1"),
    straight("masked_fill_", "w.grad.masked_fill_(w > 1.5, 0)  # => edit w=1", ends="w=1"),
    straight("times a mask", "w.grad *= torch.tensor([0.0, 1.0])  # => edit w=1", ends="w=1"),
    straight("almost zero", "w.grad *= 1e-30  # => edit w=1", ends="w=1"),
    straight("a copy is zeroed", "g = w.grad.clone(); g.zero_()", ends="w=1"),
    straight("a numpy copy is zeroed", "g = w.grad.numpy().copy(); g[:] = 0", ends="w=1"),
    straight("a product is zero", "g = w.grad * 0", ends="w=1"),
    straight("detach is no copy but no write", "g = w.grad.detach()", ends="w=1"),
    straight("the value is zeroed", "w.data.zero_()  # => update other w=1", ends="w=1"),
    straight("another's zero_grad", "nn.Linear(1, 1).zero_grad()  # => zero_grad w=-", ends="w=1"),
    Road(
        "both halves, one after the other",
        W + BACKWARD + "w.grad[0] = 0  # => edit w=1\nw.grad[1] = 0  # => zero_grad w=0",
        ends="w=0",
    ),
    Road(
        "a large gradient, all but one element",
        """
        w = torch.ones(5000, requires_grad=True)
        (w * 2).sum().backward()  # => backward w=1
        w.grad[:-1] = 0  # => edit w=1
        w.grad[-1] = 0  # => zero_grad w=0
        """,
        ends="w=0",
    ),
]

BUGS = [
    Road(
        "cleared between backward and step",
        """
        m = nn.Linear(2, 1); opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(3):
            m(torch.ones(1, 2)).sum().backward()  # => backward
            opt.zero_grad()  # => zero_grad m.weight=0
            opt.step()  # => step
        """,
        alarms=frozenset({"cleared-before-step"}),
        consumed="m.weight=0",
    ),
    Road(
        "a copy of the gradient is cleared instead of it",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(3):
            g = w.grad.clone() if i else None
            if i: g.zero_()
            (w * w).sum().backward()  # => backward
            opt.step()  # => step
        """,
        alarms=frozenset({"stale-gradient"}),
        consumed="w=3",
    ),
    Road(
        "only the first parameter is cleared",
        """
        m = nn.Linear(2, 1); opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(3):
            m(torch.ones(1, 2)).sum().backward()  # => backward
            opt.step()  # => step
            m.weight.grad = None  # => zero_grad m.weight=0 m.bias=-
        """,
        alarms=frozenset({"stale-gradient"}),
        ends="m.weight=0 m.bias=3",
    ),
    Road(
        "half of a gradient is cleared",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(3):
            (w * w).sum().backward()  # => backward
            opt.step()  # => step
            w.grad[0] = 0  # => edit
        """,
        alarms=frozenset({"stale-gradient"}),
        ends="w=3",
    ),
]


@pytest.mark.parametrize("road", rows(MANY, SHARED, NOT_CLEARS, BUGS))
def test_roads_of_clears(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)

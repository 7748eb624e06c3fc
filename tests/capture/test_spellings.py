"""Every way of writing an event down, run against torch: what the trace must say."""

from __future__ import annotations

import pytest
import torch

from tests.capture.programs import alarms, change, kinds, names, run

START = "w = torch.tensor([1.0, 2.0], requires_grad=True)\n"
BACKWARD = "(w * w).sum().backward()\n"

CLEARS = [
    "w.grad.zero_()",
    "w.grad.data.zero_()",
    "w.grad.detach().zero_()",
    "w.grad = None",
    "del w.grad",
    "w.grad = torch.zeros_like(w)",
    "w.grad.data = torch.zeros(2)",
    "w.grad *= 0",
    "w.grad.mul_(0)",
    "w.grad.fill_(0)",
    "w.grad[:] = 0",
    "w.grad.copy_(torch.zeros(2))",
    "w.grad -= w.grad",
    "torch._foreach_zero_([w.grad])",
    "torch.optim.SGD([w], lr=1).zero_grad()",
    "torch.optim.SGD([w], lr=1).zero_grad(set_to_none=False)",
    "m = nn.Linear(1, 1); m.w = nn.Parameter(w); m.w.grad = w.grad; m.zero_grad(); w.grad = None",
]


@pytest.mark.parametrize("clear", CLEARS)
def test_every_spelling_of_clearing(clear: str) -> None:
    trace = run(START + BACKWARD + clear)
    assert kinds(trace)[0] == "backward" and kinds(trace)[-1] == "zero_grad"
    last = change(trace, trace.events[-1], "w")
    assert last.holds.count == 0
    assert last.grad_after is None or last.grad_after.zero
    assert trace.events[-1].where is not None and trace.events[-1].where.line == 3


UPDATES = [
    "w.data = w.data - 0.1 * w.grad.data",
    "w.data -= 0.1 * w.grad",
    "with torch.no_grad(): w -= 0.1 * w.grad",
    "with torch.no_grad(): w.sub_(0.1 * w.grad)",
    "w.requires_grad = False; w.sub_(0.1 * w.grad.data); w.requires_grad = True",
    "w.requires_grad_(False); w.sub_(0.1 * w.grad.data); w.requires_grad_(True)",
    "w.data.add_(w.grad, alpha=-0.1)",
    "w.data.add_(w.grad.data, alpha=-0.1)",
    "w.detach().sub_(0.1 * w.grad)",
    "w.data.copy_(w.data - 0.1 * w.grad)",
    "w.data[:] = w.data - 0.1 * w.grad",
    "torch._foreach_add_([w.data], [w.grad], alpha=-0.1)",
    "g = w.grad.clone(); w.data -= 0.1 * g",
    "g = w.grad.clone(); w.grad = None; w.data -= 0.1 * g",
    "g = w.grad; w.data.addcmul_(g, torch.tensor(-0.1))",
    "with torch.no_grad(): w.copy_(w - 0.1 * w.grad)",
    "for i in range(2): w.data[i] -= 0.1 * w.grad[i]",
    "def sgd(p, g, lr):\n    p.data -= lr * g\nsgd(w, w.grad, 0.1)",
    "def sgd(ps, lr):\n    with torch.no_grad():\n        for p in ps: p -= lr * p.grad\nsgd([w], 0.1)",
]


@pytest.mark.parametrize("update", UPDATES)
def test_every_spelling_of_an_update_consumes(update: str) -> None:
    trace = run(START + BACKWARD + update)
    updates = [e for e in trace.events if e.kind == "update"]
    assert updates and updates[-1].source == "gradient"
    row = change(trace, updates[0], "w")
    assert row.value_before is not None and row.value_before.values == (1.0, 2.0)
    assert row.value_after is not None
    assert row.value_after.values == pytest.approx((0.8, 1.6))
    book = next(b for b in trace.ledger.books if b.name == "w")
    assert book.consumptions == 1
    with_bug = run(START + (BACKWARD + update + "\n") * 3)
    assert "stale-gradient" in names(with_bug) or "w.grad = None" in update


NOT_CONSUMPTION = [
    "w.data.clamp_(0, 1)",
    "w.data /= w.data.norm()",
    "w.data *= 0.99",
    "nn.init.normal_(w)",
    "with torch.no_grad(): w.copy_(torch.zeros(2))",
    "print(w.grad.norm())",
    "shadow = w.data.clone(); shadow.mul_(0.9).add_(w.data)",
]


@pytest.mark.parametrize("line", NOT_CONSUMPTION)
def test_what_is_not_consumption(line: str) -> None:
    trace = run(START + BACKWARD + line)
    assert all(b.consumptions == 0 for b in trace.ledger.books)
    assert not alarms(trace)


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


EDITS = [
    ("w.grad *= 0.5", "scaled"),
    ("w.grad.mul_(0.5)", "scaled"),
    ("w.grad.div_(2)", "scaled"),
    ("w.grad = w.grad * 0.5", "edited"),
    ("w.grad.data = w.grad.data / 2", "edited"),
    ("w.grad += torch.ones(2)", "edited"),
    ("w.grad[0] = 0", "edited"),
    ("w.grad.clamp_(-1, 1)", "edited"),
    ("nn.utils.clip_grad_norm_([w], 0.1)", "clipped"),
    ("nn.utils.clip_grad_norm_([w], 0.1, foreach=False)", "clipped"),
    ("nn.utils.clip_grad_value_([w], 0.1)", "clipped"),
]


@pytest.mark.parametrize(("edit", "note"), EDITS)
def test_every_spelling_of_an_edit(edit: str, note: str) -> None:
    trace = run(START + BACKWARD + edit)
    assert kinds(trace) == ["backward", "edit"]
    row = change(trace, trace.events[-1], "w")
    assert (row.holds.count, row.holds.note) == (1, note)
    if "clip" in edit:
        assert trace.events[-1].label.startswith("clip_grad")


BACKWARDS = [
    "(w * w).sum().backward()",
    "torch.autograd.backward((w * w).sum())",
    "torch.autograd.backward([w[0] ** 2, w[1] ** 2])",
    "(w * w).backward(gradient=torch.ones(2))",
    "(w * w).sum().backward(retain_graph=True)",
    "(w * w).sum().backward(inputs=[w])",
    "from torch.autograd import backward; backward((w * w).sum())",
]


@pytest.mark.parametrize("backward", BACKWARDS)
def test_every_spelling_of_backward(backward: str) -> None:
    trace = run(START + backward)
    assert kinds(trace) == ["backward"]
    row = change(trace, trace.events[0], "w")
    assert row.grad_before is None and row.added is not None and row.added_exact
    assert row.added.values == row.grad_after.values == (2.0, 4.0)


def test_backward_on_a_leaf_itself() -> None:
    trace = run("x = torch.tensor(4.0, requires_grad=True)\nx.backward()")
    assert change(trace, trace.events[0], "x").added.values == (1.0,)


def test_create_graph_keeps_what_the_slot_held() -> None:
    trace = run(
        START + "for i in range(2): (w ** 3).sum().backward(create_graph=True)\nw.grad = None"
    )
    assert change(trace, trace.events[1], "w").holds.count == 2


def test_autograd_grad_touches_no_slot_and_says_so() -> None:
    namespace: dict[str, object] = {"w": torch.tensor([1.0, 2.0], requires_grad=True)}
    trace = run("g, = torch.autograd.grad((w * w).sum(), w)\nw.data -= 0.1 * g", namespace)
    assert [e.kind for e in trace.events] == ["update"] and trace.events[0].source == "other"
    assert any("autograd.grad" in note for note in trace.notes)
    assert all(b.consumptions == 0 for b in trace.ledger.books)


@pytest.mark.parametrize(
    "name",
    [n for n in dir(torch.optim) if isinstance(getattr(torch.optim, n), type) and n != "Optimizer"],
)
def test_every_optimizer_of_torch(name: str) -> None:
    made = {
        "SparseAdam": "torch.optim.SparseAdam([w])",
        "Muon": "torch.optim.Muon([w], lr=0.1)",
    }.get(name, f"torch.optim.{name}([w], lr=0.1)")
    shape = "torch.ones(2, 2, requires_grad=True)"
    loss = (
        "(w * w).sum()"
        if name != "SparseAdam"
        else "nn.functional.embedding(torch.tensor([0]), w, sparse=True).sum()"
    )
    body = f"""
    w = {shape}
    opt = {made}
    def closure():
        opt.zero_grad()
        loss = {loss}
        loss.backward()
        return loss
    for i in range(3):
        {"opt.step(closure)" if name == "LBFGS" else "closure(); opt.step()"}
    """
    trace = run(body)
    steps = [e for e in trace.events if e.kind == "step"]
    assert steps and steps[-1].actor == "opt" and steps[-1].label.startswith(name)
    assert not alarms(trace)
    row = change(trace, [s for s in steps if "closure" not in s.label][0], "w")
    assert row.value_before != row.value_after


def test_a_closure_that_never_clears_is_found() -> None:
    trace = run(
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.LBFGS([w], lr=0.1, max_iter=4)
        def closure():
            loss = ((w - 3) ** 4).sum()
            loss.backward()
            return loss
        for i in range(3):
            opt.zero_grad()
            opt.step(closure)
        """
    )
    assert "stale-gradient" in names(trace)


def test_steps_inside_backward_hooks() -> None:
    trace = run(
        """
        m = nn.Linear(2, 1)
        opts = {p: torch.optim.SGD([p], lr=0.1) for p in m.parameters()}
        def hook(p):
            opts[p].step()
            opts[p].zero_grad()
        for p in m.parameters():
            p.register_post_accumulate_grad_hook(hook)
        for i in range(3):
            m(torch.ones(1, 2)).sum().backward()
        """
    )
    assert kinds(trace).count("step") == 6
    assert trace.counts()["backward"] == 3
    assert not alarms(trace)


def test_freezing_and_unfreezing() -> None:
    trace = run(START + "w.requires_grad = False\nw.requires_grad_(True)")
    assert kinds(trace) == ["freeze", "unfreeze"]
    whole = run("m = nn.Linear(2, 2)\nm(torch.ones(2)).sum().backward()\nm.requires_grad_(False)")
    assert kinds(whole) == ["backward", "freeze"] and len(whole.events[-1].changes) == 2


def test_a_grad_shared_by_two_leaves_is_one_buffer() -> None:
    trace = run(
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(2, requires_grad=True)
        for i in range(3):
            (a * 2).sum().backward()
            b._grad = a.grad
            b.data -= 0.1 * b.grad
            a.grad = None
            b.grad = None
        """
    )
    assert not alarms(trace)


def test_a_step_that_raises_is_recorded_and_consumes_nothing() -> None:
    trace = run(
        """
        class Broken(torch.optim.SGD):
            def step(self, closure=None):
                raise ZeroDivisionError
        w = torch.ones(2, requires_grad=True)
        opt = Broken([w], lr=0.1)
        for i in range(2):
            w.sum().backward()
            try: opt.step()
            except ZeroDivisionError: pass
        """
    )
    assert not alarms(trace)
    assert [e.error for e in trace.events if e.kind == "step"] == ["the step did not finish"] * 2


def test_writes_after_a_step_that_raised_are_seen() -> None:
    trace = run(
        """
        class Broken(torch.optim.SGD):
            def step(self, closure=None):
                raise ZeroDivisionError
        w = torch.ones(2, requires_grad=True)
        opt = Broken([w], lr=0.1)
        w.sum().backward()
        try: opt.step()
        except ZeroDivisionError: pass
        w.data -= 0.1 * w.grad
        w.grad.zero_()
        """
    )
    assert kinds(trace) == ["backward", "step", "update", "zero_grad"]


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

"""Every idiom of an update by hand that uses a gradient."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ipygradmagic import api
from ipygradmagic.capture.tracer import running_watch
from tests.capture.roads import BACKWARD, Road, W, check, row_of, rows

BY_HAND = [
    "w.data = w.data - 0.1 * w.grad.data",
    "w.data = w - 0.1 * w.grad",
    "w.data -= 0.1 * w.grad",
    "w.data += -0.1 * w.grad",
    "w.data.sub_(0.1 * w.grad)",
    "w.data.sub_(w.grad, alpha=0.1)",
    "w.data.add_(w.grad, alpha=-0.1)",
    "w.data.add_(w.grad.data, alpha=-0.1)",
    "w.data.add_(-0.1 * w.grad.detach())",
    "w.data.addcmul_(w.grad, torch.tensor(-0.1))",
    "w.data.addcdiv_(w.grad, torch.tensor(1.0), value=-0.1)",
    "w.data.lerp_(w.data - w.grad, 0.1)",
    "w.data.copy_(w.data - 0.1 * w.grad)",
    "w.data[:] = w.data - 0.1 * w.grad",
    "w.data[:] -= 0.1 * w.grad",
    "w.data[...] = w.data - 0.1 * w.grad",
    "w.data.view(-1).sub_(0.1 * w.grad)",
    "w.data.flatten()[:] -= 0.1 * w.grad.flatten()",
    "w.detach().sub_(0.1 * w.grad)",
    "w.detach()[:] = w.detach() - 0.1 * w.grad",
    "with torch.no_grad(): w -= 0.1 * w.grad",
    "with torch.no_grad(): w += -0.1 * w.grad",
    "with torch.no_grad(): w.sub_(0.1 * w.grad)",
    "with torch.no_grad(): w.add_(w.grad, alpha=-0.1)",
    "with torch.no_grad(): w.copy_(w - 0.1 * w.grad)",
    "with torch.no_grad(): w[:] = w - 0.1 * w.grad",
    "with torch.no_grad(): w[0:2] -= 0.1 * w.grad",
    "with torch.no_grad(): w.set_(w - 0.1 * w.grad)",
    "with torch.no_grad(): w.data = w - 0.1 * w.grad",
    "with torch.inference_mode(): w.data.sub_(0.1 * w.grad)",
    "torch.set_grad_enabled(False); w -= 0.1 * w.grad; torch.set_grad_enabled(True)",
    "w.requires_grad = False; w.sub_(0.1 * w.grad.data); w.requires_grad = True",
    "w.requires_grad_(False); w.sub_(0.1 * w.grad.data); w.requires_grad_(True)",
    "torch._foreach_add_([w.data], [w.grad], alpha=-0.1)",
    "torch._foreach_sub_([w.data], torch._foreach_mul([w.grad], 0.1))",
    "torch._foreach_addcmul_([w.data], [w.grad], [torch.ones(2)], value=-0.1)",
    "torch._foreach_lerp_([w.data], [w.data - w.grad], 0.1)",
    "torch._foreach_copy_([w.data], [w.data - 0.1 * w.grad])",
    "g = w.grad.clone(); w.data -= 0.1 * g",
    "g = w.grad.clone(); w.grad = None; w.data -= 0.1 * g",
    "g = w.grad.clone(); w.grad.zero_(); w.data -= 0.1 * g",
    "g = w.grad; w.data.addcmul_(g, torch.tensor(-0.1))",
    "g = w.grad; w.grad = None; w.data -= 0.1 * g",
    "grads = [p.grad for p in [w]]; w.data -= 0.1 * grads[0]",
    "grads = {'w': w.grad.clone()}; w.data -= 0.1 * grads['w']",
    "step = -0.1 * w.grad; w.data += step",
    "d = w.grad * 1.0; d.mul_(0.1); w.data -= d",
    "lr = 0.1; update = lr * w.grad; new = w.data - update; w.data.copy_(new)",
    "w.data -= 0.1 * getattr(w, 'grad')",
    "w.data -= 0.1 * w._grad",
    "w.data -= 0.1 * torch.Tensor.grad.__get__(w)",
    "w.data.__isub__(0.1 * w.grad)",
    "torch.Tensor.sub_(w.data, 0.1 * w.grad)",
    "for p in [w]: p.data -= 0.1 * p.grad",
    "for p, g in zip([w], [w.grad]): p.data -= 0.1 * g",
    "for i in range(2): w.data[i] -= 0.1 * w.grad[i]",
    "for i, g in enumerate(w.grad): w.data[i] -= 0.1 * g",
    "[p.data.sub_(0.1 * p.grad) for p in [w]]",
    "list(map(lambda p: p.data.sub_(0.1 * p.grad), [w]))",
    "(lambda p: p.data.sub_(0.1 * p.grad))(w)",
    "p = w; p.data -= 0.1 * p.grad",
    "def sgd(p, g, lr):\n    p.data -= lr * g\nsgd(w, w.grad, 0.1)",
    "def sgd(ps, lr):\n    with torch.no_grad():\n        for p in ps: p -= lr * p.grad\nsgd([w], 0.1)",
    "def sgd(*, params, lr=0.1):\n    for p in params: p.data.add_(p.grad, alpha=-lr)\nsgd(params=[w])",
    "@torch.no_grad()\ndef sgd(p):\n    p -= 0.1 * p.grad\nsgd(w)",
    "def grads(ps):\n    return [p.grad for p in ps]\nw.data -= 0.1 * grads([w])[0]",
    "def direction(p):\n    g = p.grad\n    return -0.1 * g\nw.data += direction(w)",
    "class Step:\n    def __init__(self, p): self.p = p; self.g = p.grad.clone()\n    def go(self): self.p.data -= 0.1 * self.g\nStep(w).go()",
    "nn.utils.vector_to_parameters(nn.utils.parameters_to_vector([w]) - 0.1 * w.grad, [w])",
    "flat = torch.cat([w.grad.view(-1)]); nn.utils.vector_to_parameters(w.data - 0.1 * flat, [w])",
]  # fmt: skip


PARTS = ("range(2)", "enumerate")  # joined to one event: the states between are not shown


@pytest.mark.parametrize("update", BY_HAND)
def test_every_idiom_of_an_update_by_hand(update: str, tmp_path: Path) -> None:
    """It consumes, it is known for what it is, and three rounds without a clear are a bug."""
    whole = not any(words in update for words in PARTS)
    right = f"{W}(w * w).sum().backward()\n{update}\n"
    road = Road(update, right, oracle=whole)
    trace = check(road, tmp_path, events=False)
    updates = [e for e in trace.events if e.kind == "update"]
    assert updates and {e.source for e in updates} == {"gradient"}, updates
    first, last = row_of(trace, updates[0], "w"), row_of(trace, updates[-1], "w")
    assert first is not None and first.value_before is not None
    assert first.value_before.values == (1.0, 2.0)
    assert last is not None and last.value_after is not None
    assert last.value_after.values == pytest.approx((0.8, 1.6))
    assert [b.consumptions for b in trace.ledger.books if b.name == "w"] == [1]
    if "w.grad = None" not in update and "w.grad.zero_" not in update:
        wrong = W + f"(w * w).sum().backward()\n{update}\n" * 3
        trace = check(Road(update, wrong, oracle=whole), tmp_path, events=False)
        assert "stale-gradient" in {f.name for f in trace.findings}


UNSEEN = [
    Road(
        "out=",
        W + BACKWARD + "with torch.no_grad(): torch.sub(w, w.grad, alpha=0.1, out=w)\n"
        "(w * w).sum().backward()  # => update gradient; backward w=2\n",
        order="backward update backward",
        consumed="w=1",
    ),
    Road(
        "out= through .data",
        W + BACKWARD + "torch.sub(w.data, w.grad, alpha=0.1, out=w.data)\n"
        "(w * w).sum().backward()  # => update gradient; backward w=2\n",
        order="backward update backward",
        consumed="w=1",
    ),
    *(
        Road(
            line,
            W
            + BACKWARD
            + f"{line}\n(w * w).sum().backward()  # => update gradient; backward w=2\n",
            consumed="w=1",
        )
        for line in (
            "w.data.numpy()[:] -= 0.1 * w.grad.numpy()",
            "w.detach().numpy().__isub__(0.1 * w.grad.numpy())",
            "import numpy as np; np.subtract(w.data, 0.1 * w.grad, out=w.data.numpy())",
        )
    ),
]


@pytest.mark.parametrize("road", rows(UNSEEN))
def test_roads_of_updates_that_no_call_shows(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)


def test_a_swapped_leaf_lies_in_one_place_only() -> None:
    """Else a tensor that comes to lie in its old place would be booked as the leaf once more."""
    w = torch.ones(2, requires_grad=True)
    with api.trace():
        (w * w).sum().backward()
        torch.utils.swap_tensors(w, torch.zeros(2, requires_grad=True))
        w.data -= 0.1
        watch = running_watch()
        assert watch is not None
        assert sorted(len(some) for some in watch.books.values.values()) == [1]

"""What changes a value without using its gradient, and what changes a gradient by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture.roads import BACKWARD, Road, W, check, row_of, rows, straight

MODEL = (
    "m = nn.Linear(2, 1)\nm(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1 m.bias=1\n"
)
OTHER = [
    "w.data.clamp_(0, 1)",
    "with torch.no_grad(): w.clamp_(-1, 1)",
    "w.data = w.data.clamp(0, 1)",
    "w.data.clip_(max=1.5)",
    "w.data /= w.data.norm()",
    "w.data.div_(w.data.norm())",
    "with torch.no_grad(): w.copy_(F.normalize(w, dim=0))",
    "w.data *= 0.99",
    "w.data.mul_(1 - 0.1 * 0.01)",
    "with torch.no_grad(): w -= 0.1 * 0.01 * w",
    "w.data.sub_(0.01 * w.data.sign())",
    "w.data[0] = 0.5",
    "w.data[w.data > 1.5] = 1.5",
    "w.data.sqrt_()",
    "with torch.no_grad(): w.masked_fill_(w > 1.5, 0)",
    "nn.init.normal_(w)",
    "nn.init.zeros_(w)",
    "nn.init.uniform_(w, -1, 1)",
    "with torch.no_grad(): w.copy_(torch.zeros(2))",
    "with torch.no_grad(): w.add_(torch.randn(2), alpha=0.1)",
    "w.data.normal_(0, 0.1)",
    "saved = w.detach().clone() * 2; w.data.copy_(saved)",
    "w.data = torch.randn(2)",
    "w.data = w.data.clone() + 1",
    "nn.utils.vector_to_parameters(torch.zeros(2), [w])",
    "torch._foreach_mul_([w.data], 0.99)",
    "best = {'w': w.detach().clone() + 1}; w.data.copy_(best['w'])",
    "lr = 0.1 * 0.5; w.data *= 1 - lr",
    "import math; w.data.mul_(math.cos(0.1))",
    "w.data.lerp_(torch.ones(2), 0.1)",
]


@pytest.mark.parametrize("line", OTHER)
def test_what_changes_a_value_consumes_nothing(line: str, tmp_path: Path) -> None:
    road = straight(
        line, f"{line}  # => update other w=1\n{BACKWARD.replace('w=1', 'w=2')}", consumed="w=0"
    )
    trace = check(road, tmp_path)
    row = row_of(trace, trace.events[1], "w")
    assert row is not None and row.value_before is not None and row.value_after is not None
    assert row.value_before.values != row.value_after.values and not row.grad_changed


READS = [
    "print(w.grad, w.grad.norm(), w.grad.mean().item())",
    "norms = [p.grad.norm().item() for p in [w]]",
    "g = w.grad.clone(); g.mul_(2)",
    "history = []; history.append(w.grad.detach().cpu().numpy().copy())",
    "total = torch.norm(torch.stack([p.grad.norm() for p in [w]]))",
    "text = f'{w.grad}'; shape = w.grad.shape",
    "shadow = w.data.clone(); shadow.mul_(0.9).add_(w.data, alpha=0.1)",
    "shadow = w.detach().clone(); shadow.copy_(w.grad)",
    "import io; torch.save({'w': w}, io.BytesIO())",
    "as_double = w.double(); on_cpu = w.to('cpu')",
    "finite = bool(torch.isfinite(w.grad).all())",
    "w.grad.requires_grad_(False)",
    "hist = torch.histc(w.grad, 4)",
    "norm = nn.utils.get_total_norm([w.grad])",
    "biggest = max((p for p in [w]), key=lambda p: p.grad.abs().max())",
    "w.retain_grad()",
    "same = w.grad is w.grad, w.grad == w.grad",
]


@pytest.mark.parametrize("line", READS)
def test_what_only_reads_is_no_event(line: str, tmp_path: Path) -> None:
    check(straight(line, f"{line}\n", consumed="w=0", ends="w=1"), tmp_path)


LOADED = [
    Road(
        "a checkpoint is loaded",
        "m = nn.Linear(2, 1)\nsaved = {k: v.clone() + 1 for k, v in m.state_dict().items()}\n"
        "m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1\n"
        "m.load_state_dict(saved)  # => update other via:load_state_dict m.weight=1 m.bias=1\n",
        consumed="m.weight=0 m.bias=0",
    ),
    Road(
        "a checkpoint that went through a file",
        "import io\nm = nn.Linear(2, 1)\nfile = io.BytesIO()\n"
        "torch.save({k: v + 1 for k, v in m.state_dict().items()}, file)\n"
        "m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1\nfile.seek(0)\n"
        "m.load_state_dict(torch.load(file))  # => update other m.weight=1 m.bias=1\n",
        consumed="m.weight=0 m.bias=0",
    ),
    Road(
        "a checkpoint loaded by assignment makes other leaves",
        "m = nn.Linear(2, 1)\nsaved = {k: v.clone() + 1 for k, v in m.state_dict().items()}\n"
        "m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1\n"
        "m.load_state_dict(saved, assign=True)\n"
        "m(torch.ones(1, 2)).sum().backward()  # => rebind other m.weight=0; backward m.weight=1\n",
    ),
    Road(
        "to another dtype and back",
        MODEL + "m.double()  # => update other via:double m.weight=1; edit via:double m.weight=1\n"
        "m(torch.ones(1, 2).double()).sum().backward()  # => backward m.weight=2\n",
        consumed="m.weight=0",
    ),
    Road(
        "used, then to another dtype: still used",
        MODEL + "torch.optim.SGD(m.parameters(), lr=0.1).step()  # => step m.weight=1\n"
        "m.double()  # => update other; edit m.weight=1\n"
        "m(torch.ones(1, 2).double()).sum().backward()  # => backward m.weight=2\n"
        "torch.optim.SGD(m.parameters(), lr=0.1).step()  # => step m.weight=2\n",
        alarms=frozenset({"stale-gradient"}),
    ),
    Road(
        "a copy of a leaf has a gradient of its own",
        "import copy\n" + W + BACKWARD + "other = copy.deepcopy(w)  # => edit other=1 w=-\n"
        "w.grad.zero_()  # => zero_grad w=0 other=-\n",
        ends="w=0 other=1",
    ),
    Road(
        "to the device where it is",
        MODEL + "m.to('cpu')\nm.float()\nm.cpu()\n",
        ends="m.weight=1 m.bias=1",
    ),
    Road(
        "an average of the weights",
        """
        import copy
        m = nn.Linear(2, 1); ema = copy.deepcopy(m).requires_grad_(False)
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
            opt.step()  # => step m.weight=1
            with torch.no_grad():
                for p, q in zip(m.parameters(), ema.parameters()): q.lerp_(p, 0.1)
        """,
        consumed="m.weight=2 ema.weight=0",
    ),
    Road(
        "weight clipping after a step",
        """
        m = nn.Linear(2, 1); opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(3):
            opt.zero_grad()  # => zero_grad
            m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
            opt.step()  # => step m.weight=1
            for p in m.parameters():
                p.data.clamp_(-0.01, 0.01)  # => update other
        """,
        order="zero_grad backward step update " * 3,
        consumed="m.weight=3",
    ),
    Road(
        "a target network",
        """
        m, target = nn.Linear(2, 1), nn.Linear(2, 1)
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (m(torch.ones(1, 2)) - target(torch.ones(1, 2)).detach()).sum().backward()  # => backward
            opt.step()  # => step m.weight=1
            target.load_state_dict(m.state_dict())
        """,
        consumed="m.weight=2 target.weight=0",
    ),
    Road(
        "autograd.grad by hand fills no slot and consumes none",
        W + "g, = torch.autograd.grad((w * w).sum(), w)\nw.data -= 0.1 * g  # => update other w=0",
        consumed="w=0",
        notes="autograd.grad",
    ),
]

SCALED = [
    ("w.grad *= 0.5", "scaled"),
    ("w.grad /= 2", "scaled"),
    ("w.grad.mul_(0.5)", "scaled"),
    ("w.grad.data.mul_(0.5)", "scaled"),
    ("w.grad.div_(2)", "scaled"),
    ("w.grad.data.div_(torch.tensor(2.0))", "scaled"),
    ("torch._foreach_mul_([w.grad], 0.5)", "scaled"),
    ("torch._foreach_div_([w.grad], 2.0)", "scaled"),
    ("w.grad = w.grad * 0.5", "edited"),
    ("w.grad = w.grad / w.grad.norm()", "edited"),
    ("w.grad = w.grad.clone()", "edited"),
    ("g = w.grad; w.grad = None; w.grad = g  # => zero_grad w=0", "edited"),
    ("w.grad.data = w.grad.data / 2", "edited"),
    ("w.grad += torch.ones(2)", "edited"),
    ("w.grad.add_(torch.randn(2), alpha=0.01)", "edited"),
    ("w.grad.add_(0.01 * w.data)", "edited"),
    ("w.grad[0] = 0", "edited"),
    ("w.grad[torch.tensor([True, False])] = 0", "edited"),
    ("w.grad.masked_fill_(torch.tensor([True, False]), 0.0)", "edited"),
    ("w.grad.clamp_(-1, 1)", "edited"),
    ("w.grad.sign_()", "edited"),
    ("w.grad.nan_to_num_()", "edited"),
    ("w.grad.neg_()", "edited"),
    ("w.grad.copy_(w.grad.flip(0))", "edited"),
    ("w.grad[:] = w.grad.flip(0)", "edited"),
    ("w.grad.sub_(w.grad.mean())", "edited"),
    ("nn.utils.clip_grad_norm_([w], 0.1)", "clipped"),
    ("nn.utils.clip_grad_norm_(w, 0.1)", "clipped"),
    ("nn.utils.clip_grad_norm_([w], 0.1, foreach=False)", "clipped"),
    ("nn.utils.clip_grad_norm_([w], 0.1, norm_type=float('inf'), foreach=True)", "clipped"),
    ("nn.utils.clip_grad_norm_([w], 1e3)", "clipped"),
    ("torch.nn.utils.clip_grad.clip_grad_norm_([w], 0.1)", "clipped"),
    ("nn.utils.clip_grads_with_norm_([w], 0.1, torch.tensor(4.0))", "clipped"),
    ("nn.utils.clip_grad_value_([w], 0.1)", "clipped"),
    ("nn.utils.clip_grad_value_([w], 0.1, foreach=False)", "clipped"),
]
SCALED = [s for s in SCALED if "# =>" not in s[0]]


@pytest.mark.parametrize(("line", "note"), SCALED)
def test_every_edit_keeps_the_contribution_and_its_kind(
    line: str, note: str, tmp_path: Path
) -> None:
    trace = check(straight(line, f"{line}  # => edit w=1\n", consumed="w=0"), tmp_path)
    row = row_of(trace, trace.events[1], "w")
    assert row is not None and row.holds.note == note
    assert row.grad_before is not None and row.grad_before.values == (2.0, 4.0)
    if note == "clipped":
        assert "clip_grad" in trace.events[1].label


BY_HAND = [
    Road(
        "unscale_, clip, step",
        """
        w = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([w], lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            scaler.scale((w * w).sum()).backward()  # => backward w=1
            scaler.unscale_(opt)  # => edit via:unscale_ w=1
            nn.utils.clip_grad_norm_([w], 0.1)  # => edit via:clip_grad_norm_ w=1
            scaler.step(opt)  # => step w=1
            scaler.update()
        """,
        consumed="w=2",
    ),
    Road(
        "gradient noise on a model is one event",
        MODEL + "for p in m.parameters():\n    p.grad += 0.1 * torch.randn_like(p)  # => edit m.weight=1 m.bias=1\n",
        order="backward edit",
    ),
    Road(
        "clipping a model is one event",
        MODEL + "nn.utils.clip_grad_norm_(m.parameters(), 0.1, foreach=False)  # => edit m.weight=1 m.bias=1\n",
    ),
    Road(
        "clipping by hand",
        MODEL + "norm = sum(p.grad.norm() ** 2 for p in m.parameters()) ** 0.5\n"
        "for p in m.parameters():\n    p.grad[:] *= 0.1 / norm  # => edit m.weight=1 m.bias=1\n",
        order="backward edit",
    ),
    Road(
        "clipping after the step",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            opt.step()  # => step w=1
            nn.utils.clip_grad_norm_([w], 0.1)  # => edit w=1
        """,
        consumed="w=2",
        alarms=frozenset({"clip-after-step"}),
    ),
    Road(
        "frozen rows of a gradient",
        """
        w = torch.ones(3, 2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        frozen = torch.tensor([0, 2])
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            (w * w).sum().backward()  # => backward w=1
            w.grad[frozen] = 0  # => edit w=1
            opt.step()  # => step w=1
        """,
        consumed="w=2",
    ),
    Road(
        "gradient surgery (PCGrad)",
        """
        w = torch.tensor([1.0, 2.0], requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(2):
            grads = []
            for loss in (lambda: (w * w).sum(), lambda: -w[0]):
                opt.zero_grad()  # => zero_grad
                loss().backward()  # => backward w=1
                grads.append(w.grad.clone())
            a, b = grads
            w.grad = a + b - (a @ b).clamp(max=0) / (b @ b) * b  # => edit w=1
            opt.step()  # => step w=1
        """,
        consumed="w=2",
    ),
    Road(
        "accumulating by hand from autograd.grad",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(2):
            w.grad = torch.zeros(2)  # => zero_grad w=0
            for j in range(2):
                w.grad += torch.autograd.grad((w * w).sum(), w)[0]  # => edit
            opt.step()  # => step
        """,
        order="zero_grad edit edit step " * 2,
        consumed="w=2",
    ),
    Road(
        "accumulating into a buffer of one's own",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        total = torch.zeros(2)
        for i in range(2):
            w.grad = None  # => zero_grad w=0
            (w * w).sum().backward()  # => backward w=1
            total += w.grad
        w.grad = total / 2  # => edit w=1
        opt.step()  # => step w=1
        """,
        order="backward zero_grad backward edit step",
        consumed="w=1",
    ),
    Road(
        "one gradient shared by two leaves (A3C)",
        """
        a = torch.ones(2, requires_grad=True); b = torch.ones(2, requires_grad=True)
        opt = torch.optim.SGD([b], lr=0.1)
        for i in range(3):
            a.grad = None  # => zero_grad
            (a * 2).sum().backward()  # => backward a=1
            b._grad = a.grad  # => edit b=1
            opt.step()  # => step b=1
            b.grad = None  # => zero_grad b=0
        """,
        order="backward edit step zero_grad " + "zero_grad backward edit step zero_grad " * 2,
        consumed="b=3",
    ),
    Road(
        "a gradient averaged over workers",
        """
        a, b = nn.Linear(2, 1), nn.Linear(2, 1)
        for m in (a, b): m(torch.ones(1, 2)).sum().backward()  # => backward
        for p, q in zip(a.parameters(), b.parameters()):
            mean = (p.grad + q.grad) / 2
            p.grad.copy_(mean)  # => edit a.weight=1 a.bias=1
            q.grad.copy_(mean)  # => edit b.weight=1 b.bias=1
        """,
        order="backward backward edit edit",
    ),
    Road(
        "momentum kept in .grad",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(3):
            (w * w).sum().backward()  # => backward
            opt.step()  # => step
            w.grad.mul_(0.9)  # => edit
        """,
        findings=frozenset({"decayed-gradient"}),
    ),
    Road(
        "a gradient put there by hand, then a step",
        """
        w = torch.ones(2, requires_grad=True); opt = torch.optim.SGD([w], lr=0.1)
        for i in range(2):
            w.grad = torch.ones(2) * (i + 1)  # => edit w=1
            opt.step()  # => step w=1
        """,
        consumed="w=2",
    ),
    Road(
        "clipping in a function of one's own",
        MODEL.replace("m = ", "def clip(params, limit):\n    for p in params:\n"
        "        p.grad.clamp_(-limit, limit)  # => edit m.weight=1 led\nm = ")
        + "clip(m.parameters(), 0.1)  # led\n",
        order="backward edit",
    ),
]  # fmt: skip


@pytest.mark.parametrize("road", rows(LOADED, BY_HAND))
def test_roads_of_edits(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)

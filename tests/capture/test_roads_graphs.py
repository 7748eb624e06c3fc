"""Deposits through every kind of graph, hook, tensor and module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture.roads import Road, W, check, row_of, rows

GRAPHS = [
    Road(
        "custom function",
        """
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x
            @staticmethod
            def backward(ctx, g):
                return 2 * ctx.saved_tensors[0] * g
        w = torch.ones(2, requires_grad=True)
        for i in range(2):
            Square.apply(w).sum().backward()  # => backward
        """,
        ends="w=2",
    ),
    Road(
        "custom function whose backward runs a backward of its own",
        """
        w = torch.ones(2, requires_grad=True)
        class Inner(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x
            @staticmethod
            def backward(ctx, g):
                x = ctx.saved_tensors[0].detach().requires_grad_()
                with torch.enable_grad():
                    (x * x).sum().backward()
                return x.grad * g
        Inner.apply(w).sum().backward()  # => backward w=1
        """,
        ends="w=1",
    ),
    *(
        Road(
            f"checkpoint, {kind}, use_reentrant={reentrant}",
            f"""
            from torch.utils.checkpoint import checkpoint, checkpoint_sequential
            m = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))
            x = torch.ones(1, 2, requires_grad=True)
            for i in range(2):
                y = {call}
                y.sum().backward()  # => backward
            """,
            ends="m[0].weight=2 m[2].bias=2 x=2",
        )
        for kind, reentrant, call in [
            ("whole", True, "checkpoint(m, x, use_reentrant=True)"),
            ("whole", False, "checkpoint(m, x, use_reentrant=False)"),
            (
                "layer by layer",
                True,
                "checkpoint(m[2], checkpoint(m[:2], x, use_reentrant=True), use_reentrant=True)",
            ),
            (
                "layer by layer",
                False,
                "checkpoint(m[2], checkpoint(m[:2], x, use_reentrant=False), use_reentrant=False)",
            ),
            (
                "the same twice",
                True,
                "m[2](checkpoint(m[:2], checkpoint(m[:2], x, use_reentrant=True), use_reentrant=True))",
            ),
            (
                "the same twice",
                False,
                "m[2](checkpoint(m[:2], checkpoint(m[:2], x, use_reentrant=False), use_reentrant=False))",
            ),
            ("sequential", True, "checkpoint_sequential(m, 2, x, use_reentrant=True)"),
            ("sequential", False, "checkpoint_sequential(m, 2, x, use_reentrant=False)"),
        ]
    ),
    Road(
        "a tensor hook doubles the contribution",
        W
        + "w.register_hook(lambda g: g * 2)\nfor i in range(2):\n    (w * w).sum().backward()  # => backward\n",
        ends="w=2",
    ),
    Road(
        "a tensor hook writes the gradient in place",
        W
        + "w.register_hook(lambda g: g.mul_(3))\nfor i in range(2):\n    (w * 2).sum().backward()  # => backward\n",
        ends="w=2",
    ),
    Road(
        "a hook on the activation",
        W
        + "for i in range(2):\n    h = w * w\n    h.register_hook(lambda g: g.clamp(-1, 0.5))\n    h.sum().backward()  # => backward\n",
        ends="w=2",
    ),
    Road(
        "module hooks change what flows",
        """
        m = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
        m[1].register_full_backward_hook(lambda mod, gi, go: (gi[0] * 0.5,))
        m[0].register_full_backward_pre_hook(lambda mod, go: (go[0] * 2,))
        for i in range(2):
            m(torch.ones(1, 2, requires_grad=True)).sum().backward()  # => backward
        """,
        ends="m[0].weight=2",
    ),
    Road(
        "post-accumulate hook halves the sum",
        W + "def hook(p):\n    p.grad.mul_(0.5)  # => edit w=1\n"
        "w.register_post_accumulate_grad_hook(hook)\n(w * w).sum().backward()  # => backward w=1\n",
        order="backward edit",
        ends="w=1",
    ),
    Road(
        "post-accumulate hook steps and clears",
        """
        m = nn.Linear(2, 1)
        opts = {p: torch.optim.SGD([p], lr=0.1) for p in m.parameters()}
        def hook(p):
            opts[p].step()  # => step
            opts[p].zero_grad()  # => zero_grad
        for p in m.parameters(): p.register_post_accumulate_grad_hook(hook)
        for i in range(2):
            m(torch.ones(1, 2)).sum().backward()  # => backward
        """,
        order=("backward step zero_grad " * 2) * 2,
        consumed="m.weight=2 m.bias=2",
        ends="m.weight=0 m.bias=0",
    ),
    Road(
        "post-accumulate hook updates by hand and clears by hand",
        """
        w = torch.ones(2, requires_grad=True)
        def hook(p):
            with torch.no_grad():
                p -= 0.1 * p.grad  # => update gradient w=1
            p.grad = None  # => zero_grad w=0
        w.register_post_accumulate_grad_hook(hook)
        for i in range(3):
            (w * w).sum().backward()  # => backward w=1
        """,
        order="backward update zero_grad " * 3,
        consumed="w=3",
    ),
    Road(
        "a re-entrant backward hands out its own gradient",
        """
        class Inner(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x
            @staticmethod
            def backward(ctx, g):
                x = ctx.saved_tensors[0].detach()
                x.requires_grad = True
                with torch.enable_grad():
                    y = x * x
                torch.autograd.backward(y, g)
                return x.grad
        w = torch.ones(2, requires_grad=True)
        Inner.apply(w).sum().backward()  # => backward w=1
        """,
    ),
    Road(
        "accumulate grad node hook",
        W + "node = torch.autograd.graph.get_gradient_edge(w).node\n"
        "handle = node.register_prehook(lambda g: (g[0] * 2,))\n"
        "for i in range(2):\n    (w * w).sum().backward()  # => backward\nhandle.remove()\ndel node",
        ends="w=2",
    ),
    Road(
        "multi-grad hook",
        W + "handle = torch.autograd.graph.register_multi_grad_hook((w,), lambda g: None)\n"
        "(w * w).sum().backward()  # => backward w=1\nhandle.remove()",
    ),
    Road(
        "retained non-leaf",
        W
        + "for i in range(2):\n    h = w * 2\n    h.retain_grad()\n    (h * h).sum().backward()  # => backward h=1\n",
        ends="w=2",
    ),
    Road(
        "retained non-leaf, one graph twice",
        W
        + "h = w * 2\nh.retain_grad()\nloss = (h * h).sum()\nloss.backward(retain_graph=True)  # => backward h=1 w=1\n"
        "loss.backward()  # => backward h=2 w=2",
    ),
    Road(
        "penalty: autograd.grad inside, backward outside",
        W + "loss = (w ** 3).sum()\ng, = torch.autograd.grad(loss, w, create_graph=True)\n"
        "(loss + g.norm()).backward()  # => backward w=1",
        notes="autograd.grad",
    ),
    Road(
        "second order through create_graph",
        W + "(w ** 3).sum().backward(create_graph=True)  # => backward w=1\n"
        "w.grad.sum().backward()  # => backward w=2\nw.grad = None  # => zero_grad w=0",
    ),
    Road(
        "detached half of a graph",
        """
        a = nn.Linear(2, 2); b = nn.Linear(2, 1)
        b(a(torch.ones(1, 2)).detach()).sum().backward()  # => backward b.weight=1 a.weight=-
        """,
        ends="a.weight=0 b.weight=1",
    ),
]

KINDS = [
    ("zero-dimensional", "torch.tensor(2.0, requires_grad=True)", "w * w"),
    ("zero-size", "torch.empty(0, 3, requires_grad=True)", "w.sum()"),
    ("half", "torch.ones(2, dtype=torch.float16, requires_grad=True)", "(w * w).sum()"),
    ("bfloat16", "torch.ones(2, dtype=torch.bfloat16, requires_grad=True)", "(w * w).sum()"),
    ("double", "torch.ones(2, dtype=torch.float64, requires_grad=True)", "(w / 3).sum()"),
    ("complex", "torch.ones(2, dtype=torch.complex64, requires_grad=True)", "(w * 2j).abs().sum()"),
    ("large", "torch.linspace(0, 1, 5000, requires_grad=True)", "(w * w).sum()"),
    ("not contiguous", "torch.ones(3, 2).t().requires_grad_()", "(w * w).sum()"),
    ("expanded", "torch.ones(1, 1).expand(3, 2).requires_grad_()", "(w * w).sum()"),
    ("expanded gradient", "torch.ones(3, requires_grad=True)", "w.expand(2, 3).sum()"),
    ("gradient that is a view", "torch.ones(2, 3, requires_grad=True)", "w.t().sum()"),
    ("parameter", "nn.Parameter(torch.ones(2))", "(w * w).sum()"),
    ("channels last", "torch.ones(1, 2, 2, 2).to(memory_format=torch.channels_last).requires_grad_()", "(w * w).sum()"),
    ("integers inside", "torch.ones(2, requires_grad=True)", "(w * torch.arange(2)).sum()"),
    ("infinite", "torch.tensor([0.0, 1.0], requires_grad=True)", "w.sqrt().sum()"),
    ("not a number", "torch.tensor([0.0, 1.0], requires_grad=True)", "(w * float('nan')).sum()"),
    ("huge in half", "torch.tensor([1.0], dtype=torch.float16, requires_grad=True)", "(w * 6e4).sum()"),
    ("tiny next to big", "torch.tensor([1.0], requires_grad=True)", "(w * 1e8 + w * 0.3).sum()"),
    ("embedding, dense", "torch.ones(3, 2, requires_grad=True)", "F.embedding(torch.tensor([0, 0, 2]), w).sum()"),
    ("embedding, sparse", "torch.ones(3, 2, requires_grad=True)", "F.embedding(torch.tensor([0, 0, 2]), w, sparse=True).sum()"),
    ("sparse leaf", "torch.eye(2).to_sparse().requires_grad_()", "torch.sparse.sum(w)"),
    ("meta", "torch.ones(2, device='meta', requires_grad=True)", "(w * w).sum()"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "made", "loss"), KINDS, ids=[k for k, _, _ in KINDS])
def test_every_kind_of_tensor(kind: str, made: str, loss: str, tmp_path: Path) -> None:
    """Two deposits, a clear that keeps the buffer, a third deposit."""
    broken = kind in ("infinite", "not a number", "huge in half")
    road = Road(
        kind,
        f"w = {made}\nfor i in range(2):\n    ({loss}).backward()  # => backward\n"
        f"w.grad = None  # => zero_grad w=0\n({loss}).backward()  # => backward w=1\n",
        ends="w=1",
        findings=frozenset({"nonfinite-gradient"} if broken else ()),
    )
    trace = check(road, tmp_path)
    third = row_of(trace, trace.events[-1], "w")
    assert third is not None and third.grad_before is None and third.added == third.grad_after


MODULES = [
    Road(
        "subclass",
        """
        class Mine(torch.Tensor): pass
        w = torch.ones(2).as_subclass(Mine).requires_grad_()
        for i in range(2):
            (w * w).sum().backward()  # => backward
        """,
        ends="w=2",
    ),
    Road(
        "subclass with a torch function that counts",
        """
        class Counting(torch.Tensor):
            calls = []
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                cls.calls.append(getattr(func, "__name__", ""))
                return super().__torch_function__(func, types, args, kwargs or {})  # => backward led
        w = torch.ones(2).as_subclass(Counting).requires_grad_()
        (w * w).sum().backward()  # led
        counted = list(Counting.calls)
        """,
        order="backward",
    ),
    Road(
        "parametrized",
        """
        class Double(nn.Module):
            def forward(self, x): return 2 * x
        m = nn.Linear(2, 1)
        torch.nn.utils.parametrize.register_parametrization(m, "weight", Double())
        m(torch.ones(1, 2)).sum().backward()  # => backward m.bias=1 m.parametrizations.weight.original=1
        """,
    ),
    Road(
        "weight norm",
        """
        m = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            m(torch.ones(1, 2)).sum().backward()  # => backward m.bias=1
            opt.step()  # => step m.bias=1
        """,
        consumed="m.bias=2",
    ),
    Road(
        "spectral norm",
        """
        m = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
        m(torch.ones(1, 2)).sum().backward()  # => backward m.bias=1
        """,
    ),
    Road(
        "tied weights",
        """
        a = nn.Linear(2, 2); b = nn.Linear(2, 2, bias=False)
        b.weight = a.weight
        b(a(torch.ones(1, 2))).sum().backward()  # => backward a.weight=1 a.bias=1
        """,
        names=frozenset({"a.weight", "a.bias"}),
    ),
    Road(
        "ParameterList and ParameterDict",
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.some = nn.ParameterList([torch.ones(1), torch.ones(1)])
                self.more = nn.ParameterDict({"scale": torch.ones(1)})
        net = Net()
        (net.some[0] * net.some[1] * net.more["scale"]).sum().backward()  # => backward
        """,
        names=frozenset({"net.some[0]", "net.some[1]", "net.more.scale"}),
    ),
    Road(
        "lazy module",
        """
        m = nn.LazyLinear(1)
        opt = torch.optim.SGD(m.parameters(), lr=0.1)
        for i in range(2):
            opt.zero_grad()  # => zero_grad
            y = m(torch.ones(1, 3))  # => update other m.weight=0; update other via:_infer_parameters
            y.sum().backward()  # => backward m.weight=1 m.bias=1
            opt.step()  # => step m.weight=1
        """,
        order="zero_grad update update backward step zero_grad backward step",
        consumed="m.weight=2",
    ),
    Road(
        "recurrent network",
        """
        m = nn.GRU(2, 2)
        for i in range(2):
            m(torch.ones(3, 1, 2))[0].sum().backward()  # => backward
        """,
        ends="m.weight_ih_l0=2 m.bias_hh_l0=2",
    ),
    Road(
        "batch norm and dropout",
        """
        m = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
        for i in range(2):
            m(torch.randn(4, 2)).square().sum().backward()  # => backward
        """,
        ends="m[1].weight=2",
    ),
    Road(
        "embedding bag, sparse",
        """
        m = nn.EmbeddingBag(3, 2, sparse=True)
        for i in range(2):
            m(torch.tensor([[0, 1]])).sum().backward()  # => backward
        """,
        ends="m.weight=2",
    ),
    Road(
        "functional_call with parameters of one's own",
        """
        m = nn.Linear(2, 1)
        mine = {k: v.detach().clone().requires_grad_() for k, v in m.named_parameters()}
        torch.func.functional_call(m, mine, torch.ones(1, 2)).sum().backward()  # => backward
        """,
        names=frozenset({"mine['weight']", "mine['bias']"}),
    ),
    Road(
        "a copy of a model",
        """
        import copy
        m = nn.Linear(2, 1)
        m(torch.ones(1, 2)).sum().backward()  # => backward m.weight=1
        other = copy.deepcopy(m)
        other(torch.ones(1, 2)).sum().backward()  # => backward other.weight=1 m.weight=-
        """,
    ),
]


@pytest.mark.parametrize("road", rows(GRAPHS, MODULES))
def test_roads_of_graphs(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)

"""Every way in which a backward adds to a gradient."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture.roads import Road, W, check, row_of, rows

CALLS = [
    "(w * w).sum().backward()",
    "torch.autograd.backward((w * w).sum())",
    "torch.autograd.backward([w[0] ** 2, w[1] ** 2])",
    "torch.autograd.backward([w * w], [torch.ones(2)])",
    "torch.autograd.backward(tensors=(w * w).sum(), grad_tensors=torch.tensor(1.0))",
    "torch.autograd.backward((w * w).sum(), inputs=[w])",
    "torch.autograd.backward((w * w).sum(), inputs=w)",
    "torch.autograd.backward((w * w).sum(), retain_graph=True, create_graph=False)",
    "(w * w).backward(gradient=torch.ones(2))",
    "(w * w).backward(torch.ones(2))",
    "(w * w).backward(torch.ones_like(w))",
    "(w * w).sum().backward(retain_graph=True)",
    "(w * w).sum().backward(inputs=[w])",
    "(w * w).sum().backward(inputs=w)",
    "from torch.autograd import backward; backward((w * w).sum())",
    "torch.Tensor.backward((w * w).sum())",
    "(lambda loss: loss.backward())((w * w).sum())",
    "getattr((w * w).sum(), 'backward')()",
    "list(map(torch.Tensor.backward, [(w * w).sum()]))",
    "import functools; functools.partial(torch.autograd.backward, (w * w).sum())()",
    "torch.Tensor.backward((w * w).sum(), None, True)",
    "(w * w).sum()[None].backward()",
    "(w * w).sum().double().backward()",
    "(w.to(torch.float64) ** 2).sum().backward()",
    "(w[:] * w.view(2)).sum().backward()",
    "torch.dot(w, w).backward()",
    "torch.linalg.vector_norm(w).square().backward()",
]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_of_backward(call: str, tmp_path: Path) -> None:
    """The first one fills the slot, the second is added; both are seen as they are."""
    road = Road(
        call, f"{W}for i in range(2):\n    {call}  # => backward\n", "backward backward", ends="w=2"
    )
    trace = check(road, tmp_path)
    first, second = (row_of(trace, e, "w") for e in trace.events)
    assert first is not None and second is not None
    assert first.grad_before is None and first.added is not None and second.added is not None
    assert first.added.values == pytest.approx((2.0, 4.0))
    assert second.added.values == pytest.approx((2.0, 4.0)) and second.added_exact
    assert (first.holds.count, second.holds.count) == (1, 2)


RETAINED = "the gradient of a retained non-leaf is booked as an edit, not with its backward"
REENTRANT = "only the first of two re-entrant passes into one leaf is heard, and called exact"
REACH = [
    Road(
        "a leaf itself",
        "x = torch.tensor(4.0, requires_grad=True)\nx.backward()  # => backward x=1",
    ),
    Road(
        "a leaf itself, not scalar",
        "x = torch.ones(3, requires_grad=True)\nx.backward(torch.tensor([1.0, 0, 2]))  # => backward x=1",
    ),
    Road(
        "two leaves, two losses, one of them shared",
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(1, requires_grad=True)
        (a.sum() * b).backward()  # => backward a=1 b=1
        (a * 3).sum().backward()  # => backward a=2 b=-
        """,
        ends="a=2 b=1",
    ),
    Road(
        "inputs= leaves the others alone",
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(1, requires_grad=True)
        (a.sum() * b).backward(inputs=[b])  # => backward a=- b=1
        """,
        ends="a=0 b=1",
    ),
    Road(
        "inputs= a leaf and a non-leaf",
        """
        a = torch.ones(2, requires_grad=True)
        h = a * 2
        h.retain_grad()
        h.sum().backward(inputs=[a, h])  # => backward a=1 h=1
        """,
        fault=RETAINED,
    ),
    Road(
        "one graph, several backwards",
        W + "loss = (w * w).sum()\nfor i in range(3):\n"
        "    loss.backward(retain_graph=True)  # => backward\n",
        ends="w=3",
    ),
    Road(
        "a parameter twice in one graph is one contribution",
        """
        m = nn.Linear(2, 2, bias=False)
        m(m(torch.ones(1, 2))).sum().backward()  # => backward m.weight=1
        """,
        ends="m.weight=1",
    ),
    Road(
        "several losses in one call are one contribution",
        W + "torch.autograd.backward([(w * w).sum(), w.sum(), w.prod()])  # => backward w=1",
    ),
    Road(
        "create_graph keeps what the slot held",
        W + "for i in range(2): (w ** 3).sum().backward(create_graph=True)  # => backward\n"
        "w.grad = None  # => zero_grad w=0",
        order="backward backward zero_grad",
    ),
    Road(
        "a zero gradient is a contribution all the same",
        W
        + "(w * 0).sum().backward()  # => backward w=1\n(w * w).sum().backward()  # => backward w=2",
    ),
    Road(
        "a graph that is deeper than Python's stack",
        W + "x = w\nfor i in range(3000): x = x + 0.0\nx.sum().backward()  # => backward w=1",
    ),
    Road(
        "another leaf is reached",
        W
        + "c = torch.ones(2, requires_grad=True)\n(c * 1).sum().backward()  # => backward c=1 w=-",
    ),
    Road(
        "a backward that raises midway has deposited what it has",
        """
        a = torch.ones(2, requires_grad=True)
        b = torch.ones(2, requires_grad=True)
        h = b * 2
        def refuse(g): raise ValueError("no")
        h.register_hook(refuse)
        try:
            (h * a).sum().backward()  # => backward error
        except ValueError:
            pass
        (a * 2).sum().backward()  # => backward
        """,
    ),
    Road(
        "a second backward through a freed graph deposits nothing",
        W + "loss = (w * w).sum()\nloss.backward()  # => backward w=1\n"
        "try: loss.backward()  # => backward error w=-\nexcept RuntimeError: pass",
        ends="w=1",
        findings=frozenset({"freed-graph"}),  # caught by the program: a note
    ),
    Road(
        "backward under no_grad",
        W + "loss = (w * w).sum()\nwith torch.no_grad():\n    loss.backward()  # => backward w=1",
    ),
    Road(
        "backward of a loss made in enable_grad inside no_grad",
        W + "with torch.no_grad():\n    with torch.enable_grad():\n        loss = (w * w).sum()\n"
        "    loss.backward()  # => backward w=1",
    ),
    Road(
        "detect_anomaly",
        W
        + "with torch.autograd.set_detect_anomaly(True):\n    (w * w).sum().backward()  # => backward w=1",
    ),
    Road(
        "multithreading off",
        W + "with torch.autograd.set_multithreading_enabled(False):\n"
        "    (w * w).sum().backward()  # => backward w=1",
    ),
    Road(
        "saved tensors hooks",
        W + "with torch.autograd.graph.saved_tensors_hooks(lambda x: x * 1, lambda x: x):\n"
        "    (w * w).sum().backward()  # => backward w=1",
    ),
    Road(
        "saved on cpu",
        W + "with torch.autograd.graph.save_on_cpu():\n    loss = (w * w).sum()\n"
        "loss.backward()  # => backward w=1",
    ),
]

HOMES = [
    Road(
        "in a function",
        W + "def go(loss):\n    loss.backward()  # => backward w=1 led\ngo((w * w).sum())  # led",
    ),
    Road(
        "in a method of a class",
        W
        + "class Trainer:\n    def fit(self, p):\n        (p * p).sum().backward()  # => backward w=1 led\n"
        "Trainer().fit(w)  # led",
    ),
    Road(
        "in another file",
        W + "import helper\nhelper.go((w * w).sum())  # led",
        files={"helper.py": "def go(loss):\n    loss.backward()  # => backward w=1 led\n"},
    ),
    Road(
        "in a package, two files deep",
        W + "import helper\nhelper.go((w * w).sum())  # led",
        files={
            "helper.py": "import deeper\ndef go(loss):\n    return deeper.go(loss)\n",
            "deeper.py": "def go(loss):\n    loss.backward()  # => backward w=1 led\n",
        },
    ),
    Road(
        "through a library",
        W + "scaler = torch.amp.GradScaler('cpu', init_scale=4.0)\n"
        "scaler.scale((w * w).sum()).backward()  # => backward w=1",
    ),
    Road(
        "through functools",
        W
        + "import functools\nfunctools.reduce(lambda a, loss: loss.backward(), [(w * w).sum()], None)  # => backward w=1",
        order="backward",
    ),
    Road(
        "in a callback",
        """
        class Callback:
            def on_loss(self, loss):
                loss.backward()  # => backward w=1 led
        class Trainer:
            def __init__(self, *callbacks): self.callbacks = callbacks
            def run(self, w):
                for c in self.callbacks: c.on_loss((w * w).sum())
        w = torch.ones(2, requires_grad=True); Trainer(Callback()).run(w)  # led
        """,
    ),
    Road(
        "in a thread",
        """
        import threading
        w = torch.ones(2, requires_grad=True)
        def work():
            (w * w).sum().backward()  # => backward w=1
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
        order="backward",
        ends="w=1",
    ),
    Road(
        "in a pool, one after another",
        """
        from concurrent.futures import ThreadPoolExecutor
        w = torch.ones(2, requires_grad=True)
        def work(x):
            (w * x).sum().backward()  # => backward
        with ThreadPoolExecutor(1) as pool:
            list(pool.map(work, [1.0, 2.0]))
        del pool
        """,
        order="backward backward",
        ends="w=2",
    ),
    Road(
        "in a task",
        """
        import asyncio
        w = torch.ones(2, requires_grad=True)
        async def fit():
            for i in range(2):
                await asyncio.sleep(0)
                (w * w).sum().backward()  # => backward led
        asyncio.run(fit())  # led
        """,
        ends="w=2",
    ),
    Road(
        "in a generator",
        W
        + "def losses():\n    for i in range(2):\n        (w * w).sum().backward()  # => backward led\n        yield i\n"
        "for i in losses(): pass  # led",
        ends="w=2",
    ),
    Road(
        "in a context manager's exit",
        W + "import contextlib\n@contextlib.contextmanager\ndef training(loss):\n    yield\n"
        "    loss.backward()  # => backward w=1\nwith training((w * w).sum()):\n    pass",
    ),
    Road(
        "in a lambda of a list",
        W + "todo = [lambda: (w * w).sum().backward()]  # => backward w=1\nfor f in todo: f()",
        order="backward",
    ),
    Road(
        "in a comprehension",
        W + "_ = [(w * w).sum().backward() for i in range(2)]  # => backward",
        order="backward backward",
        ends="w=2",
    ),
    Road(
        "in a property and in __call__",
        W
        + "class Loss:\n    @property\n    def back(self):\n        (w * w).sum().backward()  # => backward led\n"
        "    def __call__(self):\n        return self.back\nLoss()()  # led",
        ends="w=1",
    ),
]

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
            fault=REENTRANT if (kind, reentrant) == ("the same twice", True) else "",
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
        fault=RETAINED,
    ),
    Road(
        "retained non-leaf, one graph twice",
        W
        + "h = w * 2\nh.retain_grad()\nloss = (h * h).sum()\nloss.backward(retain_graph=True)  # => backward h=1 w=1\n"
        "loss.backward()  # => backward h=2 w=2",
        fault=RETAINED,
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

NOT_DEPOSITS = [
    Road(
        "autograd.grad",
        W + "g, = torch.autograd.grad((w * w).sum(), w)",
        ends="w=0",
        notes="autograd.grad",
    ),
    Road(
        "autograd.grad, materialised and batched",
        W + "g = torch.autograd.grad((w * w), w, torch.eye(2), is_grads_batched=True)",
        ends="w=0",
        notes="autograd.grad",
    ),
    Road(
        "functional.jacobian",
        W + "j = torch.autograd.functional.jacobian(lambda x: x * x, w)",
        ends="w=0",
        notes="autograd.grad",
    ),
    Road(
        "torch.func.grad",
        W + "g = torch.func.grad(lambda x: (x * x).sum())(w)",
        ends="w=0",
        notes="torch.func",
    ),
    Road(
        "torch.func.vjp, jacrev and vmap",
        W + "f = lambda x: x * x\n_, pull = torch.func.vjp(f, w)\ng = pull(torch.ones(2))\n"
        "j = torch.func.jacrev(f)(w)\nv = torch.func.vmap(torch.func.grad(lambda x: x * x))(w)\ndel pull, _",
        ends="w=0",
        notes="torch.func",
    ),
    Road(
        "forward mode",
        W + "t = torch.func.jvp(lambda x: x * x, (w,), (torch.ones(2),))",
        ends="w=0",
    ),
    Road("no backward at all", W + "loss = (w * w).sum()\nprint(w.grad, loss.item())", ends="w=0"),
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


@pytest.mark.parametrize("road", rows(REACH, HOMES, GRAPHS, NOT_DEPOSITS, MODULES))
def test_roads_of_deposits(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)

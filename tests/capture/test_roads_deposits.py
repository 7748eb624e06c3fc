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


@pytest.mark.parametrize("road", rows(REACH, HOMES, NOT_DEPOSITS))
def test_roads_of_deposits(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)

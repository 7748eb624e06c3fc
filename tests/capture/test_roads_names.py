"""What leaves are called, and which line is named, whatever stands between."""

from __future__ import annotations

import linecache
from pathlib import Path
from typing import Any

import pytest

from ipygradmagic.api import Session
from ipygradmagic.options import Options
from ipygradmagic.record.trace import Trace
from tests.capture.roads import Road, W, check, rows

ONE = "torch.ones(1, requires_grad=True)"


def _named(name: str, source: str, *names: str, **more: Any) -> Road:
    return Road(name, source, names=frozenset(names), **more)


NAMES = [
    _named("a variable", f"w = {ONE}\nw.sum().backward()  # => backward w=1", "w"),
    _named("not ASCII", f"权重 = {ONE}\n权重.sum().backward()  # => backward 权重=1", "权重"),
    _named("Greek", f"θ = {ONE}\nθ.sum().backward()  # => backward θ=1", "θ"),
    _named("in a list", f"params = [{ONE}, {ONE}]\nsum(params).backward()  # => backward", "params[0]", "params[1]"),
    _named("in a tuple of lists", f"p = ([{ONE}],)\np[0][0].backward()  # => backward", "p[0][0]"),
    _named("in a dict", f"p = {{'w': {ONE}}}\np['w'].backward()  # => backward", "p['w']"),
    _named("in a dict by number", f"p = {{3: {ONE}}}\np[3].backward()  # => backward", "p[3]"),
    _named(
        "in an ordered dict",
        f"from collections import OrderedDict\np = OrderedDict(w={ONE})\np['w'].backward()  # => backward",
        "p['w']",
    ),
    _named(
        "in a named tuple",
        f"from collections import namedtuple\nP = namedtuple('P', 'w b')\np = P({ONE}, {ONE})\n"
        "(p.w + p.b).backward()  # => backward",
        "p.w",
        "p.b",
    ),
    _named(
        "in a dataclass",
        "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    w: object\n    more: list\n"
        f"p = P({ONE}, [{ONE}])\n(p.w + p.more[0]).backward()  # => backward",
        "p.w",
        "p.more[0]",
    ),
    _named(
        "in an object with slots",
        f"class P:\n    __slots__ = ('w',)\np = P()\np.w = {ONE}\np.w.backward()  # => backward",
        "p.w",
    ),
    _named(
        "self.w, from outside",
        f"class A:\n    def __init__(self): self.w = {ONE}\n"
        "    def go(self): self.w.backward()  # => backward a.w=1\na = A()\na.go()",
        "a.w",
        order="backward",
    ),
    _named(
        "self.w, where no variable outside leads to it",
        f"class A:\n    def __init__(self): self.w = {ONE}\n"
        "    def go(self): self.w.backward()  # => backward\nA().go()",
        "self.w",
        order="backward",
    ),
    _named(
        "nested modules",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.body = nn.Sequential(nn.Linear(1, 1), nn.ModuleDict({'a': nn.Linear(1, 1)}))\n"
        "net = Net()\nnet.body[1]['a'](net.body[0](torch.ones(1))).backward()  # => backward",
        "net.body[0].weight",
        "net.body[0].bias",
        "net.body[1].a.weight",
        "net.body[1].a.bias",
    ),
    _named(
        "modules in a list",
        "layers = [nn.Linear(1, 1, bias=False) for _ in range(2)]\n"
        "layers[1](layers[0](torch.ones(1))).backward()  # => backward",
        "layers[0].weight",
        "layers[1].weight",
    ),
    _named(
        "a function's own variable",
        f"def f():\n    inner = {ONE}\n    inner.backward()  # => backward\nf()",
        "inner",
    ),
    _named(
        "a function's parameter, named outside",
        f"w = {ONE}\ndef f(p):\n    p.backward()  # => backward w=1\nf(w)",
        "w",
    ),
    _named(
        "a closure's variable",
        f"def outer():\n    w = {ONE}\n    def inner():\n        w.backward()  # => backward w=1\n    return inner\nouter()()",
        "w",
    ),
    _named(
        "a closure's variable, called twice",
        f"def outer():\n    w = {ONE}\n    def inner():\n        (w * 2).backward()  # => backward\n    return inner\n"
        "f = outer()\nf()\nf()",
        "w",
    ),
    _named(
        "in a container of a function",
        f"def f():\n    params = {{'w': {ONE}}}\n    params['w'].backward()  # => backward\nf()",
        "params['w']",
    ),
    _named(
        "leaves made in a loop, kept in a list",
        f"ws = []\nfor i in range(3):\n    ws.append({ONE})\n    ws[-1].backward()  # => backward\n",
        "ws[0]",
        "ws[1]",
        "ws[2]",
    ),
    _named(
        "leaves of a comprehension, visited by a loop",
        f"ws = [{ONE} for _ in range(2)]\nfor w in ws:\n    (w * 2).backward()  # => backward\n",
        "ws[0]",
        "ws[1]",
    ),
    _named(
        "parameters visited by a loop at module level",
        "m = nn.Linear(1, 1)\nfor p in m.parameters():\n    p.sum().backward()  # => backward\n",
        "m.weight",
        "m.bias",
    ),
    _named(
        "a loop's variable that has outlived its loop",
        "m = nn.Linear(1, 1)\nfor p in m.parameters(): pass\nm(torch.ones(1)).backward()  # => backward\n",
        "m.weight",
        "m.bias",
    ),
    _named(
        "one line, one model after another",
        "a, b = nn.Linear(1, 1), nn.Linear(1, 1)\nfor net in (a, b): net(torch.ones(1)).backward()  # => backward\n",
        "a.weight",
        "a.bias",
        "b.weight",
        "b.bias",
        order="backward backward",
    ),
    _named(
        "one function, one model after another",
        "def fit(net):\n    opt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "    net(torch.ones(1)).backward()  # => backward\n    opt.step()  # => step actor:opt\n"
        "fit(nn.Linear(1, 1))\nfit(nn.Linear(1, 1))\n",
        "net.weight",
        "net.bias",
        order="backward step backward step",
    ),
    _named(
        "a function that binds its argument anew, round after round, and hands it back",
        "def fit(w):\n    for _ in range(2):\n        (w * w).sum().backward()  # => backward\n"
        "        w = (w - 0.1 * w.grad).detach().requires_grad_()  # => rebind gradient\n    return w\n"
        f"start = {ONE}\nend = fit(start)\n",
        "start",
        "w",
        order="backward rebind backward rebind",
        consumed="start=1 w=1",
    ),
    _named(
        "one function, one tensor after another",
        "def fit(w):\n    (w * w).sum().backward()  # => backward\n"
        "    w.data -= 0.1 * w.grad  # => update gradient\n"
        f"fit({ONE})\nfit({ONE})\n",
        "w",
        order="backward update backward update",
    ),
    _named("no name at all", f"(lambda x: x.sum())({ONE}).backward()  # => backward", "‹unnamed 1 #1›", order="backward"),
    _named(
        "an underscore and a dunder are nobody's choice",
        f"_ = {ONE}\nw = _\nw.backward()  # => backward w=1",
        "w",
    ),
    _named(
        "del and a new one of the same name",
        f"w = {ONE}\nw.backward()  # => backward w=1\ndel w\nw = {ONE}  # => rebind other\nw.backward()  # => backward w=1",
        "w",
    ),
    _named(
        "a name that moves on to a result of its leaf",
        f"a = {ONE}\nkeep = a\na.backward()  # => backward a=1\na = a * 2\na.backward()  # => backward a=2",
        "a",
        ends="a=2",
        oracle=False,  # at the end ``a`` denotes the product
    ),
    _named(
        "two parameters that swap names",
        f"a, b = {ONE}, {ONE}\na.backward()  # => backward a=1 b=-\na, b = b, a  # => rebind other\n(a * 2).backward()  # => backward\n",
        "a",
    ),
    _named(
        "in a weak dictionary and a set",
        f"w = {ONE}\ns = {{w}}\nimport weakref\nd = weakref.WeakKeyDictionary()\nw.backward()  # => backward w=1\ndel d",
        "w",
    ),
    _named(
        "a container that holds itself",
        f"p = [{ONE}]\np.append(p)\np[0].backward()  # => backward",
        "p[0]",
        pristine=False,
    ),
]  # fmt: skip


@pytest.mark.parametrize("road", rows(NAMES))
def test_roads_of_names(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)


def test_all_names_of_one_tensor_are_kept(tmp_path: Path) -> None:
    road = Road("", f"w = {ONE}\nalias = w\nbox = [w]\nw.backward()  # => backward w=1")
    (leaf,) = [t for t in check(road, tmp_path).tensors if t.kind == "leaf"]
    assert (leaf.name, set(leaf.aliases)) == ("w", {"alias", "box[0]"})


def test_generations_of_a_rebound_name(tmp_path: Path) -> None:
    text = W + (
        "for i in range(3):\n    (w * w).sum().backward()  # => backward\n"
        "    w = (w - 0.1 * w.grad).detach().requires_grad_()  # => rebind gradient w=0\n"
    )
    trace = check(Road("", text, "backward rebind " * 3), tmp_path)
    made = [(t.name, t.generation, t.generations) for t in trace.tensors if t.name == "w"]
    assert made and made[-1] == ("w", 4, 4)


BETWEEN = [
    Road("GradScaler", W + "scaler = torch.amp.GradScaler('cpu')\n"
         "opt = torch.optim.SGD([w], lr=0.1)\n"
         "scaler.scale((w * w).sum()).backward()  # => backward w=1\n"
         "scaler.step(opt)  # => edit via:step; step via:step actor:opt\nscaler.update()\n"),
    Road("clip", W + "(w * w).sum().backward()  # => backward\n"
         "nn.utils.clip_grad_norm_([w], 0.1)  # => edit via:clip_grad_norm_\n"),
    Road("init", W + "(w * w).sum().backward()  # => backward\nnn.init.ones_(w)  # => update other via:ones_\n"),
    Road("load_state_dict", "m = nn.Linear(1, 1)\nm(torch.ones(1)).backward()  # => backward\n"
         "m.load_state_dict({'weight': torch.ones(1, 1), 'bias': torch.ones(1)})  # => update via:load_state_dict\n"),
    Road("vector_to_parameters", W + "(w * w).sum().backward()  # => backward\n"
         "nn.utils.vector_to_parameters(torch.zeros(2), [w])  # => update other via:vector_to_parameters\n"),
    Road("reset_parameters", "m = nn.Linear(1, 1)\nm(torch.ones(1)).backward()  # => backward\n"
         "m.reset_parameters()  # => update other via:reset_parameters\n"),
    Road("in a function of another file, through a library",
         W + "import helper\n(w * w).sum().backward()  # => backward\nhelper.clip([w])  # led\n",
         files={"helper.py": "from torch import nn\ndef clip(params):\n"
                "    nn.utils.clip_grad_value_(params, 0.1)  # => edit via:clip_grad_value_ led\n"}),
    Road("in a class of another file", W + "import helper\n"
         "helper.Trainer(w).fit()  # led\n",
         files={"helper.py": "class Trainer:\n    def __init__(self, p): self.p = p\n"
                "    def fit(self):\n        self.loss().backward()  # => backward led w=1\n"
                "        self.p.data -= 0.1 * self.p.grad  # => update gradient led w=1\n"
                "        self.p.grad = None  # => zero_grad led w=0\n"
                "    def loss(self): return (self.p * self.p).sum()\n"}),
    Road("sorted with a key that calls back", W + "sorted([1], key=lambda i: (w * w).sum().backward() or 0)  # => backward w=1\n",
         order="backward"),
    Road("a recursive function", W + "def go(n):\n    if n: return go(n - 1)\n"
         "    (w * w).sum().backward()  # => backward led\ngo(3)  # led\n"),
]  # fmt: skip


@pytest.mark.parametrize("road", rows(BETWEEN))
def test_roads_of_where(road: Road, tmp_path: Path) -> None:
    check(road, tmp_path)


# -- several cells ------------------------------------------------------------------------


def run_cells(*cells: str) -> Trace:
    """Run cells one after another in one namespace; the last one is traced."""
    labels: dict[str, str] = {}
    namespace: dict[str, object] = {}
    for number, text in enumerate(cells, 1):
        name = f"<cell {id(labels)} {number}>"
        labels[name] = f"In [{number}]"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        code = compile(text, name, "exec")
        if number < len(cells):
            exec(code, namespace)
            continue
        session = Session(Options(), namespace=namespace, title="", cell_of=labels.get)
        session.start()
        try:
            exec(code, namespace)
        finally:
            trace = session.stop(None)
    assert trace.warnings == ()
    return trace


DEFINED = (
    "import torch\nw = torch.ones(2, requires_grad=True)\ndef train(loss):\n    loss.backward()\n"
)


def test_a_line_of_another_cell_names_its_cell_and_the_line_that_led_there() -> None:
    trace = run_cells(DEFINED, "for i in range(2):\n    train((w * w).sum())\n")
    for event in trace.events:
        assert event.where is not None and event.where.led_by is not None
        assert (event.where.cell, event.where.line) == ("In [1]", 4)
        assert event.where.function.endswith("train") and event.where.text == "loss.backward()"
        led_by = event.where.led_by
        assert (led_by.cell, led_by.line, led_by.function) == ("In [2]", 2, "<module>")
        assert led_by.text == "train((w * w).sum())"


def test_an_update_by_a_function_of_another_cell_is_derived_from_the_gradient() -> None:
    sgd = "def sgd(p, g):\n    with torch.no_grad():\n        p -= 0.1 * g\n"
    trace = run_cells(DEFINED, sgd, "train((w * w).sum())\nsgd(w, w.grad)\n")
    assert [e.kind for e in trace.events] == ["backward", "update"]
    event = trace.events[1]
    assert event.source == "gradient" and event.where is not None
    assert (event.where.cell, event.where.line) == ("In [2]", 3)
    assert event.where.led_by is not None and event.where.led_by.cell == "In [3]"


def test_a_direction_computed_in_an_earlier_cell_is_known_by_its_numbers() -> None:
    trace = run_cells(
        DEFINED + "train((w * w * 0.5 + w).sum())\ng = w.grad.clone()\n", "w.data -= 0.1 * g\n"
    )
    assert [(e.kind, e.source) for e in trace.events] == [("update", "gradient")]


def test_a_model_of_an_earlier_cell_is_not_called_after_a_loops_variable() -> None:
    first = "import torch\nm = torch.nn.Linear(1, 1)\nfor p in m.parameters(): pass\n"
    trace = run_cells(first, "m(torch.ones(1)).backward()\n")
    assert {t.name for t in trace.tensors if t.reached} == {"m.weight", "m.bias"}


def test_what_an_earlier_cell_deposited_is_of_unknown_origin() -> None:
    trace = run_cells(DEFINED + "train((w * w).sum())\n", "train((w * w).sum())\n")
    (row,) = trace.events[0].changes
    assert (row.holds.count, row.holds.earlier, row.holds.unknown) == (2, 1, 1)
    assert row.grad_before is not None and row.grad_before.values == (2.0, 2.0)
    assert row.added is not None and row.added.values == (2.0, 2.0)

"""Random programs, as source text with the comments that :mod:`tests.capture.oracle` reads.

Programs have loops and functions, so that one line acts again and again; every statement
guards itself (``if v.grad is not None:``), so that any order of them is a program that runs.
"""

from __future__ import annotations

import os
import re
import textwrap

from hypothesis import strategies as st

Block = str
"""Some lines of source, not indented."""
LEFT_OUT = {
    "update from a copy": r"= [abc]\.grad\.clone\(\)$",
}
"""Statements that are not drawn, since a row of ``test_oracle.KNOWN`` fails for each: that row
says what is wrong. Take an entry away together with the fault. ``ORACLE=all`` draws them too."""


def drawn(block: Block) -> bool:
    """Whether a statement may be part of a random program."""
    out = () if os.environ.get("ORACLE") == "all" else LEFT_OUT.values()
    return not any(re.search(pattern, block, re.M) for pattern in out)


# -- programs of all kinds ------------------------------------------------------------------

START = """
torch.manual_seed(0)
s = torch.tensor(0.7, requires_grad=True)
v = torch.tensor([0.1, -1.3, 2.7], requires_grad=True)
u = torch.tensor([0.3, 0.0, -0.9], requires_grad=True)
d = torch.tensor([1.1, -0.4], dtype=torch.float64, requires_grad=True)
m = torch.linspace(-1.3, 2.1, 40).requires_grad_()
big = torch.linspace(-2.3, 1.7, 20000).requires_grad_()
h = torch.tensor([0.3, -1.7], dtype=torch.bfloat16, requires_grad=True)
net = nn.Linear(2, 1)
class Own(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, dict(lr=lr))
    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(group["lr"] * p.grad)
        return loss
class Outer(Own):
    def step(self):
        super().step()
sgd = torch.optim.SGD([s, v, m, *net.parameters()], lr=0.01)
still = torch.optim.SGD([v, u], lr=0.0)
heavy = torch.optim.SGD([v, d, big], lr=0.01, momentum=0.9)
adam = torch.optim.Adam([u, d, *net.parameters()], lr=0.01)
own = Own([s, u, big], lr=0.01)
outer = Outer([v, m, h], lr=0.01)
lbfgs = torch.optim.LBFGS([d], lr=0.1, max_iter=2)
"""
LEAVES = ("s", "v", "u", "d", "m", "big", "h", "net.weight", "net.bias")
FREE = ("s", "v", "u", "d", "m", "big", "h")
"""Leaves that a plain name denotes."""
OPTIMIZERS = ("sgd", "still", "heavy", "adam", "own", "outer")
GLOBALS = "global s, v, u, d, m, big, h, g"


def indent(block: Block) -> Block:
    return textwrap.indent(block, "    ")


def guarded(condition: str, *lines: str) -> Block:
    return f"if {condition}:\n" + indent("\n".join(lines))


def has(*leaves: str) -> str:
    return " and ".join(f"{x}.grad is not None" for x in leaves)


@st.composite
def losses(draw: st.DrawFn, leaves: tuple[str, ...]) -> str:
    shapes = ("({c} * {x} * {x}).sum()", "({x}.sin() * {c}).sum()", "(({x} - {c}) ** 3).mean()")
    shapes += ("({x} * {c}).sum()", "(torch.relu({x}) * {c}).sum()", "({x} * 0.0).sum()")
    number = st.sampled_from(["0.37", "1.7", "-0.9", "0.1", "(0.3 + i)"])
    return " + ".join(draw(st.sampled_from(shapes)).format(x=x, c=draw(number)) for x in leaves)


some_leaves = st.lists(st.sampled_from(LEAVES), min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def backwards(draw: st.DrawFn) -> Block:
    leaves = draw(some_leaves)
    loss = draw(losses(leaves))
    first = leaves[0]
    spelled = draw(
        st.sampled_from(
            [
                ("({loss}).backward()  #: backward",),
                ("loss = {loss}", "loss.backward()  #: backward"),
                (
                    "loss = {loss}",
                    "loss.backward(retain_graph=True)  #: backward",
                    "loss.backward()  #: backward",
                ),
                (
                    "loss = {loss}",
                    "loss.backward()  #: backward",
                    "try:",
                    "    loss.backward()  #: backward",
                    "except RuntimeError:",
                    "    pass",
                ),
                ("torch.autograd.backward([{loss}, {other}])  #: backward",),
                ("({loss}).backward(inputs=[{first}])  #: backward",),
                ("({loss}).backward(create_graph=True)  #: backward",),
                ("({first} * 1.3).backward(gradient=torch.ones_like({first}) / 3)  #: backward",),
                ("for j in range(2):", "    (({loss}) / 3).backward()  #: backward"),
            ]
        )
    )
    other = draw(losses(leaves[:1]))
    lines = [x.format(loss=loss, other=other, first=first) for x in spelled]
    return guarded(" and ".join(f"{x}.requires_grad" for x in leaves), *lines)


@st.composite
def calls(draw: st.DrawFn) -> Block:
    name = draw(st.sampled_from([*OPTIMIZERS, "net"]))
    if name == "net" or draw(st.booleans()):
        how = draw(st.sampled_from(["", "set_to_none=False"]))
        return f"{name}.zero_grad({how})  #: zero {name}"
    return f"{name}.step()  #: step {name}"


@st.composite
def closures(draw: st.DrawFn) -> Block:
    name = draw(st.sampled_from(["sgd", "own", "lbfgs"]))
    first = {"sgd": "v", "own": "u", "lbfgs": "d"}[name]
    clear = draw(
        st.sampled_from(
            [f"{name}.zero_grad()  #: zero {name}", f"{first}.grad = None  #: hand", ""]
        )
    )
    lines = [
        "def closure():",
        f"    {clear}" if clear else "",
        f"    loss = ({first} * {first} - 0.3).pow(2).sum()",
        "    loss.backward()  #: backward",
        f"    return loss  #: closure {name}",
        f"{name}.step(closure)  #: step {name}",
    ]
    return guarded(f"{first}.requires_grad", *(x for x in lines if x))


CLEARS = (
    "{x}.grad = None",
    "{x}.grad.zero_()",
    "{x}.grad.data.zero_()",
    "{x}.grad.detach().fill_(0)",
    "{x}.grad *= 0",
    "{x}.grad = torch.zeros_like({x})",
    "{x}.grad -= {x}.grad",
    "torch._foreach_zero_([{x}.grad])",
    "del {x}.grad",
)
EDITS = (
    "{x}.grad = {x}.grad.clone()",
    "{x}.grad = {x}.grad * 0.5",
    "{x}.grad += 1.5",
    "{x}.grad.add_({x}.detach(), alpha=0.3)",
    "{x}.grad.mul_(0.7)",
    "{x}.grad.data.mul_(0.7)",
    "{x}.grad.clamp_(-0.5, 0.5)",
    "{x}.grad *= ({x}.detach() > 0)",
    "nn.utils.clip_grad_norm_([{x}], 0.1)",
    "nn.utils.clip_grad_value_([{x}], 0.2)",
    "torch._foreach_mul_([{x}.grad], 0.3)",
    "{x}.grad.copy_({x}.detach())",
    "{x}.grad = {x}.detach().clone()",
    "{x}.grad[...] = 0.25",
    "{x}.grad.mul_(1.0)",
    "{x}.grad.mul_(1e30)",
)
PARTS = ("{x}.grad[0] = 0.0", "{x}.grad[:1].zero_()", "{x}.grad[1:] *= 0.5", "{x}.grad[0] += 1.0")
UPDATES = (
    "{x}.data -= 0.01 * {x}.grad",
    "{x}.data.add_({x}.grad, alpha=-0.01)",
    "{x}.data = {x}.data - 0.01 * {x}.grad",
    "{x}.detach().sub_(0.01 * {x}.grad)",
    "{x}.data.copy_({x}.data - 0.01 * {x}.grad)",
    "torch._foreach_add_([{x}.data], [{x}.grad], alpha=-0.01)",
)


@st.composite
def by_hand(draw: st.DrawFn) -> Block:
    x = draw(st.sampled_from(FREE))
    kind = draw(st.sampled_from(["clear", "edit", "part", "update", "each", "copy", "list"]))
    if kind == "clear":
        return guarded(has(x), draw(st.sampled_from(CLEARS)).format(x=x) + "  #: hand")
    if kind == "edit":
        return guarded(has(x), draw(st.sampled_from(EDITS)).format(x=x) + "  #: hand")
    if kind == "part" and x != "s":
        return guarded(has(x), draw(st.sampled_from(PARTS)).format(x=x) + "  #: hand")
    if kind == "each" and x in ("v", "u", "d", "h"):
        size = {"d": 2, "h": 2}.get(x, 3)
        return guarded(
            has(x),
            f"for j in range({size}):",
            f"    {x}.data[j] -= 0.01 * {x}.grad[j]  #: use {x}",
        )
    if kind == "copy":
        return guarded(has(x), f"g = {x}.grad.clone()", f"{x}.data -= 0.01 * g  #: use {x} by g")
    if kind == "list":
        some = draw(st.lists(st.sampled_from(FREE), min_size=1, max_size=3, unique=True))
        return (
            f"for p in [{', '.join(some)}]:\n    if p.grad is not None:\n"
            "        p.data.sub_(0.01 * p.grad)  #: use p\n"
            "        p.grad.zero_()  #: hand"
        )
    return (
        guarded(has(x), f"with torch.no_grad():\n    {x} -= 0.01 * {x}.grad  #: use {x}")
        if (draw(st.booleans()))
        else guarded(has(x), draw(st.sampled_from(UPDATES)).format(x=x) + f"  #: use {x}")
    )


@st.composite
def oddities(draw: st.DrawFn) -> Block:
    x = draw(st.sampled_from(FREE))
    return draw(
        st.sampled_from(
            [
                guarded(has("v") + " and v.requires_grad", "u.grad = v.grad  #: hand"),
                guarded(
                    has(x),
                    f"{x} = ({x} - 0.01 * {x}.grad).detach().requires_grad_()  #: rebind {x}",
                ),
                f"{x}.requires_grad_(False)  #: freeze",
                f"{x}.requires_grad = True  #: freeze",
                f"{x}.data.clamp_(-1, 1)  #: other",
                f"{x}.data *= 0.99  #: other",
                guarded(f"{x}.requires_grad", f"{x}.register_hook(lambda grad: grad * 1.5)"),
                guarded(
                    f"{x}.requires_grad",
                    f"g, = torch.autograd.grad(({x} * {x} * 0.3).sum(), [{x}])",
                    f"{x}.grad = g  #: hand",
                ),
                guarded(
                    f"{x}.requires_grad",
                    f"g, = torch.autograd.grad(({x} * {x} * 0.3).sum(), [{x}])",
                    f"{x}.data -= 0.01 * g  #: other",
                ),
                guarded(
                    f"{x}.requires_grad and {has(x)}",
                    f"g, = torch.autograd.grad(({x} * {x} * 0.3).sum(), [{x}])",
                    f"{x}.grad += g  #: hand",
                ),
            ]
        )
    )


def programs(
    start: str, statements: st.SearchStrategy[Block], globals_: str, most: int = 8
) -> st.SearchStrategy[str]:
    """Statements one after another, in loops and in functions."""
    statements = statements.filter(drawn)

    @st.composite
    def draw_program(draw: st.DrawFn) -> str:
        functions = draw(st.lists(st.lists(statements, min_size=1, max_size=3), max_size=2))
        loop = st.tuples(st.integers(2, 3), st.lists(statements, min_size=1, max_size=4)).map(
            lambda x: f"for i in range({x[0]}):\n" + indent("\n".join(x[1]))
        )
        blocks = [statements, statements, loop]
        names = [f"f{n}" for n in range(len(functions))]
        if names:
            blocks.append(st.sampled_from(names).map(lambda f: f"{f}()"))
            blocks.append(st.sampled_from(names).map(lambda f: f"for i in range(2):\n    {f}()"))
        body = draw(st.lists(st.one_of(blocks), min_size=1, max_size=most))
        defined = [
            f"def {name}():\n" + indent("\n".join([globals_, *lines]))
            for name, lines in zip(names, functions)
        ]
        return start + "i = 0\n" + "\n".join([*defined, *body]) + "\n"

    return draw_program()


everything = programs(
    START,
    st.one_of(
        backwards(),
        backwards(),
        backwards(),
        calls(),
        calls(),
        closures(),
        by_hand(),
        by_hand(),
        oddities(),
    ),
    GLOBALS,
)


# -- programs whose contributions are powers of two -----------------------------------------

POWERS = """
a = torch.zeros(3, dtype=torch.float64, requires_grad=True)
b = torch.ones(3, dtype=torch.float64, requires_grad=True)
c = torch.ones(20, dtype=torch.float64, requires_grad=True)
k = 0
class Own(torch.optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {})
    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(1e-3 * p.grad)
class Twice(Own):
    def step(self, closure):
        for turn in range(2):
            loss = closure()
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.data.sub_(1e-3 * p.grad)
class Broken(Own):
    def step(self):
        raise ArithmeticError
one = torch.optim.SGD([a, b], lr=1e-3)
two = torch.optim.SGD([b, c], lr=1e-3, momentum=0.5)
own = Own([a, c])
twice = Twice([a, c])
broken = Broken([a, b])
"""
MOST_POWERS = 50
POWER_GLOBALS = "global a, b, c, k, g"


@st.composite
def deposits(draw: st.DrawFn) -> Block:
    some = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True))
    loss = " + ".join(f"(2.0**(k + {n}) * {x}).sum()" for n, x in enumerate(some))
    x = some[0]
    way = draw(st.sampled_from(["plain", "plain", "plain", "twice", "vector", "inputs", "graph"]))
    if way == "twice":
        return "\n".join(
            [
                f"loss = {x}.sum()",
                "loss.backward(gradient=torch.tensor(2.0**k).double(), retain_graph=True)  #: backward",
                "k += 1",
                "loss.backward(gradient=torch.tensor(2.0**k).double())  #: backward",
                "k += 1",
            ]
        )
    call = {
        "plain": f"({loss}).backward()",
        "vector": f"({x} * 2.0**k).backward(gradient=torch.ones_like({x}))",
        "inputs": f"({loss}).backward(inputs=[{x}])",
        "graph": f"({loss}).backward(create_graph=True)",
    }[way]
    return f"{call}  #: backward\nk += {len(some)}"


@st.composite
def consumptions(draw: st.DrawFn) -> Block:
    x = draw(st.sampled_from("abc"))
    way = draw(
        st.sampled_from(
            ["step", "step", "step", "hand", "hand", "copy", "gone", "rebind", "closure", "broken"]
        )
    )
    update = draw(
        st.sampled_from(
            [
                "{x}.data -= 1e-3 * {x}.grad",
                "{x}.data.add_({x}.grad, alpha=-1e-3)",
                "{x}.data = {x}.data - 1e-3 * {x}.grad",
                "{x}.detach().sub_(1e-3 * {x}.grad)",
            ]
        )
    ).format(x=x)
    if way == "hand":
        return guarded(has(x), f"{update}  #: use {x}")
    if way == "copy":
        return guarded(has(x), f"g = {x}.grad.clone()", f"{x}.data -= 1e-3 * g  #: use {x} by g")
    if way == "gone":
        return guarded(
            has(x),
            f"g = {x}.grad.clone()",
            f"{x}.grad = None  #: hand",
            f"{x}.data -= 1e-3 * g  #: use {x} by g",
        )
    if way == "rebind":
        return guarded(
            has(x), f"{x} = ({x} - 1e-3 * {x}.grad).detach().requires_grad_()  #: rebind {x}"
        )
    if way == "broken":
        return "try:\n    broken.step()  #: broken broken\nexcept ArithmeticError:\n    pass"
    if way == "closure":
        clear = draw(
            st.sampled_from(["twice.zero_grad()  #: zero twice", "a.grad = None  #: hand", "pass"])
        )
        return "\n".join(
            [
                "def closure():",
                "    global k",
                f"    {clear}",
                "    loss = (2.0**k * a).sum()",
                "    k += 1",
                "    loss.backward()  #: backward",
                "    return loss  #: closure twice",
                "twice.step(closure)  #: step twice",
            ]
        )
    name = draw(st.sampled_from(["one", "two", "own"]))
    return f"{name}.step()  #: step {name}"


@st.composite
def clearings(draw: st.DrawFn) -> Block:
    x = draw(st.sampled_from("abc"))
    if draw(st.booleans()):
        name = draw(st.sampled_from(["one", "two", "own"]))
        how = draw(st.sampled_from(["", "set_to_none=False"]))
        return f"{name}.zero_grad({how})  #: zero {name}"
    more = ["{x}.grad = {x}.grad.clone()", "{x}.grad = {x}.grad + 0.0"]
    more += ["b.grad = a.grad"] if x == "a" else []
    return guarded(has(x), draw(st.sampled_from([*CLEARS, *more])).format(x=x) + "  #: hand")


powers_of_two = programs(
    POWERS, st.one_of(deposits(), deposits(), consumptions(), clearings()), POWER_GLOBALS, most=10
)

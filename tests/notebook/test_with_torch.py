"""The magics over the real recorder, in a kernel: from a broken loop to the verdict."""

from __future__ import annotations

import pytest

from tests.kernel import Kernel

SETUP = """
import torch
w = torch.tensor([1.0, 2.0], requires_grad=True)
opt = torch.optim.SGD([w], lr=0.1)
def loss_of():
    return (w * w).sum()
pristine = torch.optim.SGD.step, torch.Tensor.backward, torch.Tensor.grad
%load_ext ipygradmagic
%colors nocolor
"""
STILL_PRISTINE = """
assert pristine[:2] == (torch.optim.SGD.step, torch.Tensor.backward)
with torch.no_grad(): w.copy_(torch.tensor([1.0, 2.0]))
opt.zero_grad()
"""


@pytest.fixture(scope="module")
def shared(kernel_env):
    pytest.importorskip("torch")
    k = Kernel(kernel_env, setup=SETUP)
    yield k
    k.close()


@pytest.fixture
def kernel(shared):
    yield shared
    assert shared.run(STILL_PRISTINE).status == "ok"


LOOP = "for i in range(3):\n    loss = loss_of()\n    loss.backward()\n    opt.step()\n"


def test_forgotten_zero_grad_is_named_with_its_line(kernel):
    r = kernel.run("%%trace_grad -o t\n" + LOOP + "loss.item()")
    text = r.shown[0]["text/plain"]
    assert r.status == "ok" and r.value and "zero_grad" in text.split("Timeline")[0]
    assert f"In [{r.count}], line 5" in text and "opt.step()" in text
    assert "zero_grad" in r.shown[0]["text/html"]
    assert kernel.run("[f.name for f in t.findings]").value == "['stale-gradient']"
    printed = kernel.run("str(t).splitlines()[0]").value
    assert printed is not None and "The gradients are wrong: 1 error." in printed
    shown = kernel.run("t").value
    assert shown is not None and shown.startswith("<Trace: 1 error; 3 backward, 3 step")


def test_error_in_backward(kernel):
    r = kernel.run("%%trace_grad\nloss = loss_of()\nloss.backward()\nloss.backward()")
    assert r.status == "error" and r.kinds[-2:] == ["error", "display_data"]
    assert f"Cell In[{r.count}], line 4" in r.trace
    assert f"In [{r.count}], line 4" in r.shown[0]["text/plain"]


def test_strict_fails_the_cell_at_its_line(kernel):
    r = kernel.run("%%trace_grad --strict\n" + LOOP)
    assert r.status == "error" and r.ename == "GradientLifecycleError"
    assert r.kinds[-2:] == ["error", "display_data"] and f"Cell In[{r.count}], line 5" in r.trace
    assert "optimizer.py" not in r.trace and "hidden" not in r.trace
    assert f"strict trace stopped the code at In [{r.count}], line 5" in r.shown[0]["text/plain"]
    assert kernel.run("i").value == "1"


def test_a_page(kernel):
    r = kernel.run("%trace_grad --explain stale-gradient")
    assert r.status == "ok" and set(r.shown[0]) == {"text/html", "text/plain"}


def test_interrupt(kernel):
    body = "%%trace_grad\nprint('ready', flush=True)\nwhile True:\n    loss_of().backward()"
    r = kernel.run(body, interrupt_after="ready")
    assert r.status == "error" and r.ename == "KeyboardInterrupt"
    assert "KeyboardInterrupt" in r.shown[0]["text/plain"]


def test_line_magic_and_time_show_the_source(kernel):
    r = kernel.run("x = 1\n%trace_grad --no-graph loss_of().backward()")
    assert f"In [{r.count}], line 2" in r.shown[0]["text/plain"]
    r = kernel.run("%%time\n%%trace_grad\n\nloss_of().backward()")
    text = r.shown[0]["text/plain"]
    assert f"In [{r.count}]" in text and "line 3" in text and "loss_o" in text


def test_state(kernel):
    kernel.run("loss = loss_of()\nloss.backward()")
    r = kernel.run("%grad_state w --graph loss")
    assert r.status == "ok" and "[2, 4]" in r.shown[0]["text/plain"]
    assert "%grad_state" not in r.printed and not r.printed
    assert kernel.run("%grad_state wx").ename == "UsageError"


def test_unload_and_reload(kernel):
    assert kernel.run("%reload_ext ipygradmagic").status == "ok"
    assert kernel.run("%%trace_grad\nloss_of().backward()").shown
    assert kernel.run("%unload_ext ipygradmagic").status == "ok"
    assert kernel.run("%%trace_grad\n1").status == "error"
    assert kernel.run("%load_ext ipygradmagic").status == "ok"


@pytest.fixture
def real(bare):
    """A shell in this process, over the real recorder."""
    pytest.importorskip("torch")
    bare.run_line_magic("load_ext", "ipygradmagic")
    bare.run_cell(SETUP.split("%load_ext")[0], store_history=True)
    bare.rl_next_input = None
    yield bare
    bare.run_line_magic("unload_ext", "ipygradmagic")


def test_fix_puts_the_changed_cell_below(real, capsys):
    cell = (
        f"\n%%trace_grad --fix\n%pwd\n{LOOP.replace('opt.step()', 'opt.step()  # here')}    # end"
    )
    real.run_cell(cell, store_history=True)
    assert "+ opt.zero_grad()" in capsys.readouterr().out
    below = real.rl_next_input
    backward = "    loss.backward()\n"
    assert below == cell.lstrip("\n").replace(backward, f"    opt.zero_grad()\n{backward}")
    real.run_cell(below, store_history=True)
    assert "Nothing wrong found" in capsys.readouterr().out


def test_fix_says_so_where_there_is_nothing_to_change(real, capsys):
    real.run_cell("%%trace_grad --fix\nloss_of().backward()", store_history=True)
    assert "--fix: the report proposes no change" in capsys.readouterr().out
    assert real.rl_next_input is None

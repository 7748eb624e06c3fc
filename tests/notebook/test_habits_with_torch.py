"""``--on``, ``--off`` and ``--last`` over the real recorder, in a kernel and in a terminal."""

from __future__ import annotations

import re

import pytest
from test_terminal import ipython  # noqa: F401
from test_with_torch import LOOP, SETUP

from ipygradmagic.notebook.watch import OFF, ON
from tests.kernel import Kernel


@pytest.fixture(scope="module")
def kernel(kernel_env):
    k = Kernel(kernel_env, setup=SETUP)
    yield k
    k.close()


@pytest.fixture(autouse=True)
def fresh(request):
    if "kernel" not in request.fixturenames:
        yield
        return
    kernel = request.getfixturevalue("kernel")
    kernel.run("%trace_grad --off\nopt.zero_grad()\nw.data.copy_(torch.tensor([1.0, 2.0]))")
    yield
    kernel.run("%trace_grad --off")
    r = kernel.run("assert pristine[:2] == (torch.optim.SGD.step, torch.Tensor.backward)")
    assert r.status == "ok"


RIGHT = LOOP.replace("    opt.step()", "    opt.step(); opt.zero_grad()")


def test_a_watched_session(kernel) -> None:
    assert ON in kernel.run("%trace_grad --on").printed
    r = kernel.run(RIGHT + "loss.item()")
    assert r.kinds == ["execute_result"] and not r.printed
    r = kernel.run(LOOP + "loss.item()")
    assert r.kinds == ["execute_result", "display_data"]
    text, html = r.shown[0]["text/plain"], r.shown[0]["text/html"]
    assert text.startswith(f"✗ In [{r.count}]: Forgotten zero_grad") and len(text.split("\n")) < 7
    assert "[stale-gradient]" in text and "%trace_grad --last" in text
    assert f"In [{r.count}], line 4" in " ".join(text.split())
    assert "<summary" in html and f"The report of In [{r.count}]" in html and "Timeline" in html
    assert html.count("<details") == html.count("</details>") and "&lt;div" not in html
    full = kernel.run("%trace_grad --last")
    assert full.kinds == ["display_data"] and "── Timeline ──" in full.shown[0]["text/plain"]
    assert OFF in kernel.run("%trace_grad --off").printed
    assert kernel.run(LOOP).kinds == []


FAILING = {
    "error": "x = 1\n\ndef f():\n    return loss_of() / 0 + nosuch\n\nf()",
    "freed": "loss = loss_of()\nloss.backward()\nloss.backward()",
    "await": "import asyncio\nawait asyncio.sleep(0)\nloss_of().backward()\n1 / 0",
    "syntax": "x = = 1",
}


@pytest.mark.parametrize("body", FAILING.values(), ids=FAILING)
def test_the_traceback_is_the_same(kernel, body) -> None:
    plain = kernel.run(body)
    kernel.run("opt.zero_grad()\n%trace_grad --on")
    ours = kernel.run(body)
    assert (ours.status, ours.ename) == (plain.status, plain.ename) == ("error", plain.ename)

    def lines(r) -> str:
        text = r.trace.replace(f"In[{r.count}]", "In[N]")
        return re.sub(r"    \[\.\.\. skipping hidden \d frame\]\n\n", "", text)  # ours, in torch

    assert lines(ours) == lines(plain)
    assert ours.kinds[: len(plain.kinds)] == plain.kinds


def test_an_interrupt_is_the_same_and_the_next_cell_is_watched(kernel) -> None:
    kernel.run("%trace_grad --on")
    body = "print('ready', flush=True)\nwhile True:\n    loss_of().backward(); opt.zero_grad()"
    r = kernel.run(body, interrupt_after="ready")
    assert r.status == "error" and r.ename == "KeyboardInterrupt"
    assert len(kernel.run(LOOP).shown) == 1


def test_others_who_trace_have_the_way(kernel) -> None:
    kernel.run("from ipygradmagic import trace\n%trace_grad --on")
    r = kernel.run(f"with trace() as t:\n    loss_of().backward()\nopt.zero_grad()\n{LOOP}")
    assert r.status == "ok" and "already" not in r.printed
    assert "[stale-gradient]" in r.shown[0]["text/plain"]
    assert kernel.run("[e.kind for e in t.events]").value == "['backward']"
    r = kernel.run("opt.zero_grad()\n%trace_grad --no-graph loss_of().backward()\n1")
    assert r.kinds == ["display_data", "execute_result"] and "already" not in r.printed


def test_before_and_after_the_fix(kernel) -> None:
    start = "with torch.no_grad(): w.copy_(torch.tensor([1.0, 2.0]))\n"
    kernel.run(f"%%trace_grad\n{start}{LOOP}")
    kernel.run("opt.zero_grad()")
    kernel.run(f"%%trace_grad\n{start}{RIGHT}")
    r = kernel.run("%trace_grad --diff")
    text = r.shown[0]["text/plain"]
    assert "Mended: stale-gradient" in text and "3 × (" in text and "Loss" in text
    assert r.shown[0]["text/html"].count("data:image/svg+xml") >= 2


def test_what_an_earlier_cell_did_is_known(kernel) -> None:
    """A gradient from a watched cell that the next cell's step uses again."""
    kernel.run("%trace_grad --on")
    first = kernel.run("loss_of().backward()\nopt.step()")
    second = kernel.run("loss_of().backward()\nopt.step()")
    assert not first.shown
    assert f"In [{first.count}]" in second.shown[0]["text/html"]


def test_in_a_terminal(ipython) -> None:  # noqa: F811
    child = ipython("--simple-prompt")
    child.expect(r"In \[1\]: ")
    child.sendline("import torch; w = torch.ones(2, requires_grad=True)")
    child.expect(r"In \[2\]: ")
    child.sendline("%load_ext ipygradmagic")
    child.expect(r"In \[3\]: ")
    child.sendline("%trace_grad --on")
    child.expect("Watching")
    child.expect(r"In \[4\]: ")
    child.sendline("w.sum().backward(); 6 * 7")
    child.expect(r"\r\nOut\[4\]: 42\r\n\r\nIn \[5\]: ")
    child.sendline("l = (w * w).sum(); l.backward(); l.backward()")
    child.expect("RuntimeError")
    child.expect(r"In \[5\]: .*\[freed-graph\]")
    child.expect("%trace_grad --last shows")
    child.expect(r"In \[6\]: ")
    child.sendline("t = %trace_grad --last")
    child.expect(r"In \[7\]: ")
    child.sendline("t")
    child.expect(r"Out\[7\]: <Trace: 1 error")
    child.expect(r"In \[8\]: ")
    child.sendline("%trace_grad --last")
    child.expect("Timeline")
    child.expect(r"In \[9\]: ")
    child.sendline("%trace_grad --off")
    child.expect("No longer watching")

"""The line about a long cell, in a real kernel: where it comes, and where it does not."""

from __future__ import annotations

import re

import pytest
from test_kernel import Kernel

SETUP = "%load_ext ipygradmagic\n%colors nocolor\nimport sys, time, torch"
CELL = """%%trace_grad --no-graph
w = torch.ones(1, requires_grad=True)
print("first")
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    (w * 2).sum().backward()
    w.data -= 0.001 * w.grad
    time.sleep(0.02)
print("last")
"""


@pytest.fixture(scope="module", params=["a notebook", "a program"])
def kernel(request, kernel_env):
    env = {k: v for k, v in kernel_env.items() if k != "JPY_SESSION_NAME"}
    if request.param == "a notebook":
        env["JPY_SESSION_NAME"] = "/some/notebook.ipynb"
    k = Kernel(env, SETUP)
    k.live = request.param == "a notebook"
    yield k
    k.close()


def messages(kernel: Kernel, code: str) -> list[tuple[str, dict]]:
    """What a cell sends, in order."""
    request = kernel.client.execute(code)
    found = []
    while True:
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            return found
        if kind in ("stream", "display_data", "update_display_data", "error"):
            found.append((kind, content))


def test_a_long_cell(kernel) -> None:
    found = messages(kernel, CELL.replace("SECONDS", "3"))
    kinds = [kind for kind, _ in found]
    updates = [c for kind, c in found if kind == "update_display_data"]
    assert found[-1][0] == "display_data" and "REPORT" not in str(found[-1][1])
    assert "Forgotten zero_grad" in found[-1][1]["data"]["text/plain"]
    if not kernel.live:
        assert not updates and kinds.count("display_data") == 1
        return
    # the place is made before anything is printed, so that nothing is torn apart
    assert kinds[0] == "display_data" and kinds.count("display_data") == 2
    place = found[0][1]
    assert place["data"]["text/plain"] == "" and place["transient"]["display_id"]
    assert {c["transient"]["display_id"] for c in updates} == {place["transient"]["display_id"]}
    assert 3 <= len(updates) <= 7
    told = updates[-2]["data"]
    assert re.search(r"Tracing: \d s · \d+ events · .* backward/s · loss", told["text/plain"])
    assert "✗ Forgotten zero_grad, since update #2" in told["text/plain"]
    assert "Forgotten zero_grad" in told["text/html"]
    assert set(updates[-1]["data"].values()) == {""}  # gone, before the report


def test_a_short_cell_and_a_setting(kernel) -> None:
    found = messages(kernel, CELL.replace("SECONDS", "0.1"))
    assert "update_display_data" not in [kind for kind, _ in found]
    messages(kernel, "%config GradMagic.live = False")
    found = messages(kernel, CELL.replace("SECONDS", "1.5"))
    assert [kind for kind, _ in found if "display" in kind] == ["display_data"]
    messages(kernel, "%config GradMagic.live = True")


def test_an_interrupt_ends_the_line_and_shows_the_report(kernel) -> None:
    kernel.run("import _thread, threading")
    found = messages(
        kernel, CELL.replace("SECONDS", "20; threading.Timer(1.8, _thread.interrupt_main).start()")
    )
    kinds = [kind for kind, _ in found]
    assert "error" in kinds and kinds[-1] == "display_data"
    assert "Forgotten zero_grad" in found[-1][1]["data"]["text/plain"]
    assert ("update_display_data" in kinds) is kernel.live
    assert not messages(
        kernel, "assert 'ipygradmagic' not in [t.name for t in threading.enumerate()]"
    )

"""A real Jupyter kernel in a process of its own, driven by messages as a front end does."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parent.parent
LIMIT = 60


class Kernel:
    """A kernel in which ``setup`` has run."""

    def __init__(self, env, setup):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env=env)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LIMIT)
        assert self.run(setup).status == "ok"

    def run(self, code: str, *, interrupt_after: str | None = None) -> SimpleNamespace:
        """Execute; status, outputs in order, and their text."""
        request = self.client.execute(code)
        outputs, waited = [], interrupt_after
        while True:
            message = self.client.get_iopub_msg(timeout=LIMIT)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind in ("stream", "display_data", "execute_result", "error"):
                outputs.append((kind, content))
            if waited and kind == "stream" and waited in content["text"]:
                waited = None
                threading.Timer(0.3, self.manager.interrupt_kernel).start()
        while (reply := self.client.get_shell_msg(timeout=LIMIT))["parent_header"][
            "msg_id"
        ] != request:
            pass
        return SimpleNamespace(
            status=reply["content"]["status"],
            ename=reply["content"].get("ename"),
            kinds=[kind for kind, _ in outputs],
            value=next(
                (c["data"]["text/plain"] for k, c in outputs if k == "execute_result"), None
            ),
            trace="\n".join("\n".join(c["traceback"]) for k, c in outputs if k == "error"),
            shown=[c["data"] for k, c in outputs if k == "display_data"],
            printed="".join(c["text"] for k, c in outputs if k == "stream"),
            count=reply["content"].get("execution_count"),
        )

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def environment(home: Path) -> dict[str, str]:
    """What a kernel is started with: nothing of the user's own settings."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(home / "i"),
        "JUPYTER_RUNTIME_DIR": str(home / "r"),
        "JUPYTER_DATA_DIR": str(home / "d"),
        "JUPYTER_CONFIG_DIR": str(home / "c"),
        "OMP_NUM_THREADS": "1",
    }

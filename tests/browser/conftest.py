"""One JupyterLab server and one Chromium for the whole session."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
OUT = Path(__file__).parent / "out"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
FOLDERS = {
    "HOME": "",
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "IPYTHONDIR": "ipython",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
}
SCROLL_TO_TOP = """() => { for (const e of document.querySelectorAll('.jp-Notebook, .jp-Notebook *'))
    if (e.scrollTop) e.scrollTop = 0 }"""
KERNEL_IDLE = """() => jupyterapp.shell.currentWidget.context.sessionContext
    .session?.kernel?.status == 'idle'"""
RUN_AND_SAVE = """async () => { await jupyterapp.commands.execute('notebook:run-all-cells');
    await jupyterapp.commands.execute('docmanager:save') }"""


@dataclass
class Lab:
    """A running JupyterLab and a browser to look at it."""

    folder: Path
    url: str
    browser: Any

    def open(self, name: str, theme: str, width: int = 1100) -> Any:
        """A page with the notebook; what the console said is in ``page.complaints``."""
        page = self.browser.new_page(viewport={"width": width, "height": 1000})
        page.complaints = complaints = []
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(f"{self.url}{name}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        change = "t => jupyterapp.commands.execute('apputils:change-theme', {theme: t})"
        page.evaluate(change, f"JupyterLab {theme}")
        light = "true" if theme == "Light" else "false"
        page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
        page.evaluate("() => jupyterapp.shell.collapseLeft()")
        return page

    def run(self, page: Any) -> None:
        """Run all cells, as a person would, and save."""
        page.wait_for_function(KERNEL_IDLE, timeout=60_000)
        page.evaluate(RUN_AND_SAVE)
        page.evaluate(SCROLL_TO_TOP)

    def distrust(self, name: str) -> str:
        """A copy that JupyterLab has never signed, as if it came from somebody else."""
        book = nbformat.read(self.folder / name, 4)
        book.metadata["from"] = "somebody else"
        nbformat.write(book, self.folder / f"untrusted_{name}")
        return f"untrusted_{name}"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    chromium = next((p for p in map(shutil.which, CHROMIUM) if p), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    OUT.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("lab")
    home = folder / "home"
    tracker = home / "settings" / "@jupyterlab" / "notebook-extension"
    tracker.mkdir(parents=True)
    (tracker / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {name: str(home / part) for name, part in FOLDERS.items()}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="),
            *("--expose-app-in-browser", f"--ServerApp.root_dir={folder}"),
        ],
        env={**os.environ, **places, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(f"http://127.0.0.1:{port}/api")
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            yield Lab(folder, f"http://127.0.0.1:{port}/lab/tree/", browser)
            browser.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _await(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("JupyterLab did not start")

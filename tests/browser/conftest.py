"""One Jupyter server and one Chromium for the whole session; JupyterLab and Notebook 7 share both."""

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
OUT = Path(__file__).parent / "out"
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
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
PLACES = {"lab": "/lab/tree/", "notebook": "/notebooks/"}
"""Where each front end of the server opens a file."""
SCROLL_TO_TOP = """() => { for (const e of document.querySelectorAll('.jp-Notebook, .jp-Notebook *'))
    if (e.scrollTop) e.scrollTop = 0 }"""
READY = """() => document.querySelector('[data-status=idle]')
    && document.querySelector('.jp-Toolbar-kernelName')?.textContent.includes('Python')"""
PROMPTS = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    .map(e => e.textContent.trim())"""


@dataclass(frozen=True)
class Desk:
    """A running server, the folder that it shows, and a browser."""

    folder: Path
    settings: Path
    url: str
    browser: Any

    def page(self, width: int, **options: Any) -> Any:
        """An empty page; what its console complained about is in ``page.complaints``."""
        page = self.browser.new_page(viewport={"width": width, "height": 1000}, **options)
        page.complaints = complaints = []
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.add_init_script(LOOK)
        return page

    def set(self, plugin: str, **values: object) -> None:
        """What a person would have chosen in the settings editor; pages opened later obey."""
        package, name = plugin.split(":")
        place = self.settings / package / f"{name}.jupyterlab-settings"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(values))

    def stop_kernels(self) -> None:
        """Kernels outlive their pages; a dozen of them with torch inside is too much."""
        with urllib.request.urlopen(f"{self.url}/api/sessions", timeout=20) as answer:
            sessions = json.load(answer)
        for session in sessions:
            address = f"{self.url}/api/sessions/{session['id']}"
            request = urllib.request.Request(address, method="DELETE")
            urllib.request.urlopen(request, timeout=20).close()


@dataclass(frozen=True)
class Front:
    """JupyterLab or Notebook 7."""

    name: str
    desk: Desk

    def open(self, book: str, theme: str = "Light", width: int = 1000) -> Any:
        """A page with the notebook, as the person had left the settings."""
        self.desk.set("@jupyterlab/apputils-extension:themes", theme=f"JupyterLab {theme}")
        page = self.desk.page(width)
        page.goto(f"{self.desk.url}{PLACES[self.name]}{book}?reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        light = "true" if theme == "Light" else "false"
        page.wait_for_selector(f"body[data-jp-theme-light='{light}']", state="attached")
        if self.name == "lab":
            page.keyboard.press("Control+b")  # the file browser goes away
        return page

    def trusted(self, page: Any) -> bool:
        """Whether the front end says that it trusts the notebook."""
        if self.name == "lab":
            return page.locator("[title^='Notebook trusted']").count() > 0
        return page.get_by_text("Not Trusted", exact=True).count() == 0

    def run(self, page: Any, book: str) -> None:
        """Run all cells, wait, and save."""
        self.start(page)
        self.finish(page, book)

    def start(self, page: Any) -> None:
        """Run > Run All Cells with the mouse, once the kernel is there."""
        page.wait_for_function(READY, timeout=30_000)
        choose(page, "Run", "Run All Cells")

    def finish(self, page: Any, book: str) -> None:
        """Wait for the last cell; then Ctrl+S, and wait for the file."""
        until(lambda: all(p.strip("[]: ").isdigit() for p in page.evaluate(PROMPTS)), 60)
        file = self.desk.folder / book
        before = file.stat().st_mtime_ns
        page.keyboard.press("Control+s")
        until(lambda: file.stat().st_mtime_ns > before and _has_run(file), 20)

    def shut(self, page: Any) -> None:
        """Close the page and its kernel."""
        page.close()
        self.desk.stop_kernels()

    def distrust(self, book: str) -> str:
        """A copy that the server has never signed, as if it came from somebody else."""
        content = nbformat.read(self.desk.folder / book, 4)
        content.metadata["from"] = "somebody else"
        nbformat.write(content, self.desk.folder / f"untrusted_{book}")
        return f"untrusted_{book}"


def choose(page: Any, menu: str, item: str) -> None:
    """An item of the menu bar, with the mouse."""
    page.locator(".lm-MenuBar-itemLabel", has_text=menu).get_by_text(menu, exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()


def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait for what no event of the page tells."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)


def _has_run(file: Path) -> bool:
    cells = nbformat.read(file, 4).cells
    return all(c.execution_count for c in cells if c.cell_type == "code")


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    chromium = next((p for p in map(shutil.which, CHROMIUM) if p), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    OUT.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("desk")
    home = folder / "home"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = {name: str(home / part) for name, part in FOLDERS.items()}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="),
            *("--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}"),
        ],
        env={**os.environ, **places, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(f"{url}/api")
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            desk = Desk(folder, home / "settings", url, browser)
            desk.set("@jupyterlab/notebook-extension:tracker", windowingMode="none")
            desk.set("@jupyterlab/apputils-extension:notification", fetchNews="false")
            yield desk
            browser.close()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture(scope="session", params=list(PLACES))
def front(request: pytest.FixtureRequest, desk: Desk) -> Front:
    """Each front end."""
    if request.param == "notebook":
        pytest.importorskip("notebook", minversion="7", reason="Notebook 7 is not installed")
    return Front(request.param, desk)


def _await(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the server did not start")

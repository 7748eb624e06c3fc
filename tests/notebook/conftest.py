from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.kernel import environment

HERE = Path(__file__).parent
FAKE = f"import sys; sys.path.insert(0, {str(HERE)!r}); import fake_api; fake_api.install()"

sys.path.insert(0, str(HERE))


@pytest.fixture
def api(monkeypatch):
    """The stand-in for ipygradmagic.api, fresh."""
    import fake_api

    import ipygradmagic

    monkeypatch.setitem(sys.modules, "ipygradmagic.api", fake_api)
    monkeypatch.setattr(ipygradmagic, "api", fake_api, raising=False)
    fake_api.reset()
    yield fake_api
    fake_api.reset()


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A shell of its own, without the extension; gone afterwards."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    shell.colors = "nocolor"
    yield shell
    if "ipygradmagic" in shell.extension_manager.loaded:
        shell.extension_manager.unload_extension("ipygradmagic")
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.fixture
def ip(bare, api):
    bare.run_line_magic("load_ext", "ipygradmagic")
    return bare


@pytest.fixture
def run(ip):
    """Run a cell; returns result, success, error, out, err."""

    def run(cell: str, **settings: object) -> SimpleNamespace:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            result = ip.run_cell(cell, **{"store_history": True, **settings})
        return SimpleNamespace(
            value=result.result,
            ok=result.success,
            error=result.error_in_exec or result.error_before_exec,
            out=out.getvalue(),
            err=err.getvalue(),
        )

    return run


@pytest.fixture(scope="session")
def kernel_env(tmp_path_factory):
    return environment(tmp_path_factory.mktemp("home"))

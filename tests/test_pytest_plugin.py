"""The ``gradients`` fixture, in test runs of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAINING = """
import torch

def train(clear=True):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        if clear:
            optimizer.zero_grad()
        model(torch.ones(3, 2)).pow(2).mean().backward()
        optimizer.step()
"""


@pytest.fixture
def pytest_run(tmp_path):
    """Run a file of tests with the plugin; its exit status and output."""

    def run(source: str, *arguments: str) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "ipygradmagic.pytest_plugin"]
        command += ["-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_whole_test_or_a_part_of_it(pytest_run) -> None:
    status, out = pytest_run(
        TRAINING
        + """
w = torch.ones(1, requires_grad=True)

def test_right(gradients):
    train()
    gradients.assert_clean()
    assert gradients.trace.total == 9

def test_wrong(gradients):
    train(clear=False)
    gradients.assert_clean()

def test_allowed(gradients):
    train(clear=False)
    gradients.assert_clean(allow=("stale-gradient",))

def test_part(gradients):
    train(clear=False)
    with gradients(level="events") as t:
        train()
    t.assert_clean()
    assert t.trace.total == 9 and t.trace.meta.title == "test_part"

def test_names(gradients):
    v = torch.ones(1, requires_grad=True)
    (v * w).sum().backward()
    assert {"v", "w"} <= {x.name for x in gradients.trace.tensors}
    w.grad = None

def test_wrong_question(gradients):
    with gradients() as t:
        pass
    gradients.assert_clean()

def test_nobody_asks_and_the_test_fails(gradients):
    train(clear=False)
    raise KeyError("mine")

def test_two_in_turn(gradients):
    with gradients() as one:
        train(clear=False)
    with gradients() as two:
        train()
    two.assert_clean()
    assert [f.name for f in one.findings if f.alarm] == ["stale-gradient"]

def test_after_all_torch_is_as_it_was():
    assert "ipygradmagic" not in torch.optim.SGD.step.__module__
    assert torch.Tensor.backward.__module__ == "torch._tensor"
"""
    )
    assert status == 1 and "3 failed, 6 passed" in out, out
    assert "test_wrong: The gradients are wrong: 1 error." in out
    assert "stale-gradient: Forgotten zero_grad" in out and "test_it.py, line 11" in out
    assert "assert_clean(allow=('stale-gradient',))" in out
    assert "KeyError: 'mine'" in out
    assert ">       gradients.assert_clean()\nE       AssertionError" in out  # their own line
    assert "with gradients() as t" in out and "in complaint" not in out


def test_it_costs_nothing_where_it_is_not_used(pytest_run) -> None:
    status, out = pytest_run(
        "import sys\ndef test_it():\n    assert 'torch' not in sys.modules\n"
        "    assert 'ipygradmagic.api' not in sys.modules and 'IPython' not in sys.modules\n"
    )
    assert status == 0, out


def test_the_fixture_is_listed_with_a_sentence(pytest_run) -> None:
    _, out = pytest_run("", "--fixtures")
    assert "gradients" in out and "gradients.assert_clean()" in out


def test_the_entry_point_names_the_module() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\nipygradmagic = "ipygradmagic.pytest_plugin"' in text

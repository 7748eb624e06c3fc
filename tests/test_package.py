"""What is shipped: the wheel alone does the job, and importing it costs next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
JOB = """
import sys, torch, ipygradmagic
assert ipygradmagic.__file__.startswith(sys.argv[1]), ipygradmagic.__file__
w = torch.ones(2, requires_grad=True)
with ipygradmagic.trace(lang=sys.argv[2]) as t:
    for _ in range(3):
        (w * 2).sum().backward()
        w.data -= 0.1 * w.grad
t.to_html(sys.argv[3])
print(t.findings[0].name)
"""


def python(*arguments: str, **env: str) -> str:
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**clean, "PYTHONIOENCODING": "utf-8", **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (found,) = folder.glob("*.whl")
    return found


def test_everything_that_is_no_code_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {n for n in archive.namelist() if not n.endswith(".py")}
    package = ROOT / "ipygradmagic"
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert ours <= inside and "ipygradmagic/py.typed" in inside
    assert any(n.endswith(".mo") for n in ours) and any(n.endswith(".j2") for n in ours)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_wheel_alone_does_the_job(wheel: Path, lang: str, tmp_path: Path) -> None:
    place = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    page = tmp_path / "report.html"
    said = python("-P", "-c", JOB, str(place), lang, str(page), PYTHONPATH=str(place))
    assert said.strip() == "stale-gradient"
    html = page.read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in html and "data:image/svg+xml" in html


def test_importing_it_imports_neither_torch_nor_the_record() -> None:
    code = "import sys, ipygradmagic; print(*[m for m in sys.modules if 'ipygradmagic' in m], 'torch' in sys.modules)"
    *ours, torch = python("-c", code, PYTHONPATH=str(ROOT)).split()
    assert torch == "False"
    assert len(ours) < 10 and not [m for m in ours if m.startswith("ipygradmagic.record.trace")]
    code = "from ipygradmagic import Trace, trace, Options; print(Trace.__name__)"
    assert python("-c", code, PYTHONPATH=str(ROOT)).strip() == "Trace"

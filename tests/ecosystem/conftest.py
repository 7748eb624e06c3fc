"""Training as people write it around torch: cells of a notebook, run plain and under the magic.

Every library has a kernel of its own: importing one patches torch (fastai), starts threads and costs
seconds, which no other test should inherit.
"""

from __future__ import annotations

import importlib.util
import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel import Kernel, environment

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "MPLBACKEND": "agg",
    "COLUMNS": "100",
}
SETUP = """
import os, socket, warnings
warnings.filterwarnings("ignore")
os.chdir({home!r})
refused, connect = [], socket.socket.connect
def refuse(self, address):
    if self.family == socket.AF_UNIX:
        return connect(self, address)
    refused.append(address)
    raise ConnectionRefusedError("no test may reach the network")
socket.socket.connect = socket.socket.connect_ex = refuse
%load_ext ipygradmagic
%colors nocolor
import ipygradmagic
from ipygradmagic.api import forget
from tests.conftest import patched
def report_of(t):
    t = getattr(t, "trace", t)
    said = [(f.remedy.text, f.remedy.code, f.remedy.diff) if f.remedy else () for f in t.findings]
    lines = [[w.text for w in f.evidence.lines] for f in t.findings]
    findings = [[f.name, f.severity, f.title, *rest] for f, *rest in zip(t.findings, lines, said)]
    names = [x.name for x in t.tensors if x.kind == "leaf"]
    return {{"findings": findings, "names": names, "faults": list(t.warnings)}}
"""
WEIGHTS = """
import hashlib
print(hashlib.sha256(b"".join(v.detach().numpy().tobytes() for v in model.state_dict().values())).hexdigest())
"""


@dataclass(frozen=True)
class Finding:
    """A finding, the texts of the lines that it names, and its remedy (text, code, diff)."""

    name: str
    severity: str
    title: str
    lines: tuple[str, ...]
    remedy: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """What a traced fit said."""

    text: str
    findings: tuple[Finding, ...]
    names: tuple[str, ...]
    printed: str
    printed_untraced: str

    @property
    def alarms(self) -> list[str]:
        return [f.name for f in self.findings if f.severity in ("error", "warning")]

    @property
    def fine(self) -> list[str]:
        return [f.name for f in self.findings if f.severity == "fine"]

    def sole_error(self, name: str) -> Finding:
        assert self.alarms == [name], [f.title for f in self.findings]
        return next(f for f in self.findings if f.name == name)


class Notebook:
    """A kernel in which one cell prepares a training, and the next one runs it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def fit(self, setup: str, cell: str) -> Fit:
        """The cell four times: plain, under the magic, by events only, and in a ``with`` block.

        All four end with the same weights, bit for bit, and leave torch as it was.
        """
        setup, cell = textwrap.dedent(setup), textwrap.dedent(cell)
        plain, printed = self._once(setup, cell)
        block = "with ipygradmagic.trace() as t:\n" + textwrap.indent(cell.strip(), "    ")
        said = []
        for body in (
            f"%%trace_grad --level events -o t\n{cell}",
            block,
            f"%%trace_grad -o t\n{cell}",
        ):
            weights, told = self._once(setup, body)
            assert weights == plain, "the trace changed the training"
            said.append(json.loads(self._print("import json; print(json.dumps(report_of(t)))")))
            assert not said[-1]["faults"], said[-1]["faults"]
        verdicts = [[f[:2] for f in one["findings"]] for one in said]
        assert verdicts[0] == verdicts[1] == verdicts[2]
        found = tuple(
            Finding(n, s, t, tuple(where), tuple(remedy))
            for n, s, t, where, remedy in said[-1]["findings"]
        )
        assert self._print("print(refused)").strip() == "[]", "it tried to reach the network"
        return Fit(self._print("print(t)"), found, tuple(said[-1]["names"]), told, printed)

    def _once(self, setup: str, body: str) -> tuple[str, str]:
        """The weights after a run of the cell in a fresh state, and what the cell printed."""
        self._run("forget()\n" + setup)
        self._run("before = patched()")
        printed = self._run(body)
        self._run(
            "after = patched()\nassert all(after.get(k) is before.get(k) for k in after | before)"
        )
        return self._print(WEIGHTS), printed

    def _print(self, code: str) -> str:
        return self._run(code)

    def _run(self, code: str) -> str:
        result = self.kernel.run(code)
        assert result.status == "ok", result.trace
        return re.sub("\x1b\\[[0-9;]*m", "", result.printed)


@pytest.fixture(scope="module")
def notebook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A notebook of the library that the test module names; skipped where it is not installed."""
    library = request.module.LIBRARY
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install -e '.[ecosystem]'")
    home: Path = tmp_path_factory.mktemp("ecosystem")
    kernel = Kernel({**environment(home), **OFFLINE}, SETUP.format(home=str(home)))
    yield Notebook(kernel)
    kernel.close()

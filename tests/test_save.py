"""``trace(save=...)`` and ``--save``: the whole run on disk, read back by pandas."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from ipygradmagic import trace
from ipygradmagic.capture import recorder
from ipygradmagic.errors import NestedTraceError, OptionError
from ipygradmagic.record import sinks
from ipygradmagic.record.stream import COLUMNS, rows_of
from tests.programs_harness import RIGHT, differences, run

ROOT = Path(__file__).parents[1]
SUFFIXES = [".jsonl", ".jsonl.gz", ".parquet"]


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_json(path, lines=True)


def fit(rounds: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    w = torch.ones(2, requires_grad=True)
    for _ in range(rounds):
        optimizer.zero_grad()
        (model(torch.randn(3, 2) * w) - 1).pow(2).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        w.data -= 0.1 * w.grad
    return {**model.state_dict(), "w": w.detach()}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_all_events_are_there_also_those_that_the_memory_drops(
    tmp_path: Path, monkeypatch, suffix: str
) -> None:
    monkeypatch.setattr(recorder, "HEAD", 100)
    monkeypatch.setattr(recorder, "TAIL", 100)
    path = tmp_path / f"run{suffix}"
    with trace(save=path) as t:
        fit(60)
    found = read(path)
    assert list(found.columns) == list(COLUMNS)
    assert len(t.events) < t.trace.total == found["event"].nunique() == found["event"].max()
    told = "".join(str(t).split())  # a long path is wrapped anywhere
    assert f"{path.name}:{len(found)}rows,{t.trace.total}events" in told
    assert t.trace.warnings == ()
    counts = found.drop_duplicates("event")["kind"].value_counts().to_dict()
    assert counts == {kind: n for kind, n in t.trace.counts().items() if n}
    assert found["seconds"].between(0, t.trace.meta.seconds + 1).all()
    by_event = found.sort_values("event").drop_duplicates("event").set_index("event")
    assert by_event["seconds"].is_monotonic_increasing


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_rows_are_those_of_the_events_in_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"
    with trace(save=path) as t:
        fit(5)
    found = dict(iter(read(path).groupby("event")))
    infos = {info.id: info for info in t.tensors}
    for event in t.events:
        for expected, (_, row) in zip(
            rows_of(event, 0.0, infos), found[event.index].iterrows(), strict=True
        ):
            for name in COLUMNS.keys() - {"seconds"}:
                wanted, got = expected.get(name), row[name]
                if isinstance(wanted, list):
                    assert np.allclose(got, wanted, rtol=1e-12, atol=0), name
                elif wanted is None or wanted != wanted:
                    assert got is None or got != got, (name, got)
                elif isinstance(wanted, float):
                    assert got == pytest.approx(wanted, rel=1e-12), name
                else:
                    assert got == wanted, name


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_before_and_added_make_after(tmp_path: Path, suffix: str) -> None:
    """What one does with such a file: an invariant of the books, checked from outside."""
    path = tmp_path / f"run{suffix}"
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    with trace(save=path):
        for _ in range(4):
            (w * w).sum().backward()
    rows = read(path).query("kind == 'backward' and event > 1")
    sums = [np.add(b, a) for b, a in zip(rows["grad_before_values"], rows["grad_added_values"])]
    assert len(sums) == 3 and np.allclose(sums, list(rows["grad_after_values"]))
    assert rows["holds_count"].tolist() == [2, 3, 4]


def test_nan_and_infinity_survive(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        with trace(save=tmp_path / f"run{suffix}"):
            (w * torch.tensor([float("nan"), 1.0])).sum().backward()
            w.grad = None
            (w * torch.tensor([float("inf"), 1.0])).sum().backward()
        nan, inf = read(tmp_path / f"run{suffix}").query("kind == 'backward'").itertuples()
        assert (nan.grad_after_nan, nan.grad_after_inf) == (1, 0)
        assert (inf.grad_after_nan, inf.grad_after_inf) == (0, 1)
        assert (nan.loss_nonfinite, inf.loss_nonfinite) == ("not-a-number", "plus-infinity")
        if suffix == ".parquet":
            assert inf.grad_after_values.tolist() == [np.inf, 1.0] and inf.grad_after_max == np.inf
        else:
            assert inf.grad_after_values == [None, 1.0] and inf.grad_after_max != inf.grad_after_max


SAMPLE = RIGHT[:: max(1, len(RIGHT) // 12)]


@pytest.mark.parametrize("path", SAMPLE, ids=lambda p: p.stem)
def test_a_saved_run_is_bit_identical(tmp_path: Path, monkeypatch, path: Path) -> None:
    import ipygradmagic.api

    plain_trace = ipygradmagic.api.trace
    for suffix in (".jsonl", ".parquet"):
        file = tmp_path / f"run{suffix}"
        monkeypatch.setattr(ipygradmagic.api, "trace", lambda **how: plain_trace(**how, save=file))
        plain, saved = run(path, traced=False), run(path, traced=True)
        assert differences(plain, saved) == []
        assert saved.trace is not None and saved.trace.warnings == ()
        rows = read(file)
        assert rows["event"].nunique() == saved.trace.total if len(rows) else not saved.trace.total


KILLED = """
import os, sys, torch
from ipygradmagic import trace
from ipygradmagic.record import sinks
sinks.PART_ROWS, sinks.PART_SECONDS, sinks.BATCH_SECONDS = 50, 0.2, 0.2
w = torch.ones(3, requires_grad=True)
with trace(save=sys.argv[1]):
    for i in range(1_000_000):
        (w * 2).sum().backward()
        w.data -= 0.1 * w.grad
        w.grad.zero_()
        if i % 50 == 0:
            print(i, flush=True)
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_killed_process_leaves_a_readable_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = 0
        while last < 400:
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    found = read(path)
    events = sorted(found["event"].unique())
    assert events == list(range(1, len(events) + 1))  # without a gap
    lost = 3 * last - len(events)
    assert lost < (53 if suffix == ".parquet" else sinks.BATCH_ROWS + 3)  # one batch


FULL = """
import resource, sys, torch
from ipygradmagic import trace
w = torch.ones(3, requires_grad=True)
with trace(save=sys.argv[1]) as t:
    for i in range(300):
        if i == 30:
            resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
        (w * 2).sum().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
        w.grad.zero_()
print(w.tolist(), t.trace.total, t.trace.warnings)
print(t)
"""


def test_a_disk_that_refuses_is_one_warning(tmp_path: Path) -> None:
    """The system's own error (a limit on file sizes), in the middle of a line."""
    path = tmp_path / "run.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("File too large") == 2  # in the trace, and once in the report
    assert " 900 (" in done.stdout and "Your code was not affected" in done.stdout
    found = read(path)
    assert 0 < len(found) < 900 and path.stat().st_size <= 150_000
    assert f"first {len(found)} rows" in done.stdout


def test_a_fault_in_the_rows_is_one_warning(tmp_path: Path, monkeypatch) -> None:
    from ipygradmagic.capture import streaming

    def broken(*_: object) -> None:
        raise RuntimeError("our own fault")

    plain = fit(3)
    monkeypatch.setattr(streaming, "_tensor", broken)
    with trace(save=tmp_path / "run.jsonl") as t:
        saved = fit(3)
    assert all(torch.equal(plain[k], saved[k]) for k in plain)
    assert [w for w in t.trace.warnings if "our own fault" in w] == list(t.trace.warnings)
    assert len(t.trace.warnings) == 1 and "was saved" not in str(t)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("there.jsonl", "exists already"),
        ("nowhere/run.jsonl", "there is no folder"),
        ("run.csv", "no known format"),
    ],
)
def test_a_file_that_cannot_be_made_is_refused_before_anything_runs(
    tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "there.jsonl").write_text("mine")
    with pytest.raises(OptionError, match=says), trace(save=tmp_path / name):
        pytest.fail("the block ran")
    assert [p.name for p in tmp_path.iterdir()] == ["there.jsonl"]
    with trace() as t:  # nothing stayed behind
        fit(1)
    assert t.events


def test_a_trace_inside_another_makes_no_file(tmp_path: Path) -> None:
    with trace() as outer:
        with pytest.raises(NestedTraceError), trace(save=tmp_path / "run.jsonl"):
            pass
        fit(1)
    assert outer.events and not list(tmp_path.iterdir())


def test_no_file_stays_of_a_trace_that_cannot_start(tmp_path: Path, monkeypatch) -> None:
    from ipygradmagic.capture.intercept import Interception

    def broken(_: object) -> None:
        raise RuntimeError("our own fault")

    monkeypatch.setattr(Interception, "_install_attributes", broken)
    for suffix in SUFFIXES:
        with pytest.raises(RuntimeError, match="our own"), trace(save=tmp_path / f"run{suffix}"):
            pytest.fail("the block ran")
    assert not list(tmp_path.iterdir())


def test_an_exception_ends_the_file_well(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"run{suffix}"
        with pytest.raises(KeyboardInterrupt), trace(save=path) as t:
            fit(2)
            raise KeyboardInterrupt
        assert read(path)["event"].nunique() == t.trace.total


def test_a_file_in_the_home_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with trace(save="~/run.jsonl"):
        fit(1)
    assert len(read(tmp_path / "run.jsonl"))


def test_from_the_shell(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nw = torch.ones(1, requires_grad=True)\n(w * 2).sum().backward()\n"
    )
    path = tmp_path / "run.jsonl"
    command = [sys.executable, "-m", "ipygradmagic", "--save", str(path), str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "run.jsonl:1rows,1" in "".join(done.stdout.split())
    assert read(path)["line"].tolist() == [3]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert again.returncode == 2 and "exists already" in again.stderr
    assert "Traceback" not in again.stderr


def test_workers_of_a_data_loader_leave_the_file_alone(tmp_path: Path) -> None:
    data = torch.utils.data.TensorDataset(torch.randn(8, 2))
    loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=2)
    path = tmp_path / "run.jsonl.gz"
    w = torch.ones(2, requires_grad=True)
    with trace(save=path) as t:
        for (x,) in loader:
            (x * w).sum().backward()
    assert read(path)["event"].tolist() == [1, 2, 3, 4] and t.trace.warnings == ()


def test_saving_is_not_slow(tmp_path: Path) -> None:
    """A loose bound: a row costs well under a millisecond."""
    with trace(save=tmp_path / "run.jsonl") as saved:
        begin = time.process_time()
        fit(50)
        spent = time.process_time() - begin
    rows = len(read(tmp_path / "run.jsonl"))
    assert saved.trace.total and spent / rows < 0.005
    assert os.path.getsize(tmp_path / "run.jsonl") / rows < 4_000

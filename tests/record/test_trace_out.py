"""A trace on its way to a file, a page, a data frame, a test's verdict and a prompt."""

from __future__ import annotations

import gzip
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ipygradmagic import Trace
from ipygradmagic.errors import OptionError, TraceFormatError
from ipygradmagic.record import frame
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.findings import Evidence, Finding, Remedy
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.stream import COLUMNS
from ipygradmagic.record.tensors import Holds, Summary, TensorInfo
from ipygradmagic.record.trace import Meta

ROOT = Path(__file__).parents[2]
HERE = SourceLocation("<ipython-input-3>", 5, text="loss.backward()", cell="In [3]")
STEP = replace(HERE, line=6, text="opt.step()")
VEC = Summary.of_values((3.0, 4.0))
BAD = Finding(
    "stale-gradient",
    "error",
    "Forgotten zero_grad: opt.step() used old gradients again.",
    "because",
    remedy=Remedy("Clear the gradients."),
    evidence=Evidence(events=(2,), lines=(STEP,)),
)
MAYBE = Finding("unowned-leaf", "warning", "No optimizer has <b>{{ w }}</b>.", "because")
NOTE = Finding("zeroed", "note", "A note.", "because")


@pytest.fixture
def trace() -> Trace:
    backward = Event(
        1,
        "backward",
        1,
        "backward",
        HERE,
        actor="loss",
        loss=0.25,
        changes=(
            Change(1, None, VEC, True, VEC, holds=Holds(1, 1, 1)),
            Change(2, None, Summary.of_values((math.nan,)), True, holds=Holds(1, 1, 1)),
        ),
    )
    step = Event(
        2,
        "step",
        1,
        "SGD.step",
        STEP,
        actor="opt",
        changes=(Change(1, VEC, VEC, moved=0.5, holds=Holds(2, 1, 2, used=2, stale=1)),),
        missed=("c",),
    )
    return Trace(
        events=(backward, step, Event(3, "zero_grad", 1, "zero_grad", error="ValueError: no")),
        total=3,
        tensors=(TensorInfo(1, "w", shape=(2,)), TensorInfo(2, "b", shape=(1,))),
        findings=(BAD, MAYBE, NOTE),
        meta=Meta("In [3]", "2.9", 1.5),
    )


# -- to a file and back ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run.json", "run.json.gz", "RUN.JSON"])
def test_there_and_back(trace, tmp_path, name) -> None:
    trace.save(tmp_path / name)
    again = Trace.load(str(tmp_path / name))
    assert json.dumps(again.to_dict()) == json.dumps(trace.to_dict())
    zipped = (tmp_path / name).read_bytes()[:2] == b"\x1f\x8b"
    assert zipped == name.endswith(".gz")
    Trace().save(tmp_path / name)  # replaces it
    assert Trace.load(tmp_path / name) == Trace() and len(list(tmp_path.iterdir())) == 1


def _broken(content: bytes) -> bytes:
    return gzip.compress(content)[:-9]


OTHERS = {
    "no JSON": (b"events\n", "cannot be read as JSON"),
    "rows": (b'{"event": 1}\n{"event": 2}\n', "lines=True"),
    "other JSON": (b'{"format": 1}', "some other JSON"),
    "a list": (b"[1]", "some other JSON"),
    "cut off": (_broken(b'{"ipygradmagic": "trace", "format": 1}'), "cannot be read"),
    "a newer one": (b'{"ipygradmagic": "trace", "format": 99}', "format 99; this version reads"),
    "a wrong part": (b'{"ipygradmagic": "trace", "format": 1, "total": "x"}', r"\.total"),
    "binary": (b"\xff\xfe\x00", "cannot be read as JSON"),
}


@pytest.mark.parametrize(("content", "says"), OTHERS.values(), ids=OTHERS)
def test_other_files_are_refused_by_name(tmp_path, content, says) -> None:
    file = tmp_path / "other.json"
    file.write_bytes(content)
    with pytest.raises(TraceFormatError, match=says) as caught:
        Trace.load(file)
    assert "other.json" in str(caught.value)


def test_names_and_folders_that_do_not_fit(trace, tmp_path) -> None:
    for act in (trace.save, Trace.load):
        with pytest.raises(OptionError, match=r"ends in \.json or \.json\.gz"):
            act(tmp_path / "run.pickle")
    with pytest.raises(OptionError, match="cannot be written"):
        trace.save(tmp_path / "nowhere" / "run.json")
    with pytest.raises(FileNotFoundError):
        Trace.load(tmp_path / "none.json")


def test_a_loaded_trace_is_shown_without_torch(trace, tmp_path) -> None:
    trace.save(tmp_path / "run.json")
    code = (
        "import sys; from ipygradmagic import Trace; t = Trace.load('run.json'); print(t);"
        "t.to_html('page.html'); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "The gradients are wrong: 1 error" in done.stdout
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_page_needs_nothing_else(trace, tmp_path) -> None:
    hostile = replace(trace, meta=replace(trace.meta, title="<script>{{ 1 }}</script>"))
    hostile.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;{{ 1 }}" in page
    assert "<title>&lt;script" in page and 'name="color-scheme" content="light dark"' in page
    assert "stale-gradient" in page and page.count("<div") == page.count("</div>")
    links = re.findall(r"(?:src|href)=\"([^\"]{0,20})", page)
    assert all(link.startswith("data:") for link in links) and "@import" not in page


# -- as a data frame ---------------------------------------------------------------------


def test_pandas(trace) -> None:
    pytest.importorskip("pandas")
    df = trace.to_dataframe("pandas")
    assert list(df.columns[:6]) == ["event", "kind", "number", "tensor", "place", "code"]
    assert set(df.columns) == set(COLUMNS) - {"seconds"} | {"place", "findings"}
    assert df.groupby("tensor").size().to_dict() == {"w": 2, "b": 1}
    assert df.groupby(["kind", "place"]).size().to_dict() == {
        ("backward", "In [3], line 5"): 2,
        ("step", "In [3], line 6"): 1,
    }
    assert df["grad_after_norm"][0] == 5.0 and str(df["line"].dtype) == "Int64"
    assert df["findings"].fillna("").tolist() == ["", "", "stale-gradient", ""]
    assert df["grad_after_values"][0] == [3.0, 4.0] and df["grad_changed"].sum() == 2


def test_polars(trace) -> None:
    polars = pytest.importorskip("polars")
    df = trace.to_dataframe("polars")
    assert df.shape == (4, len(frame.SCHEMA)) and df["line"].dtype == polars.Int64
    counts = df.group_by("tensor", maintain_order=True).len().rows()
    assert counts == [("w", 2), ("b", 1), (None, 1)]
    assert df["grad_after_values"].to_list()[0] == [3.0, 4.0]
    assert math.isnan(df["grad_after_norm"][1]) and df["grad_after_norm"][3] is None


@pytest.mark.parametrize("library", frame.LIBRARIES)
def test_an_empty_trace_has_the_same_columns(library) -> None:
    pytest.importorskip(library)
    df = Trace().to_dataframe(library)
    assert len(df) == 0 and list(df.columns) == list(frame.SCHEMA)


def test_the_library_that_is_imported_comes_first(monkeypatch) -> None:
    monkeypatch.setattr(frame, "sys", type("S", (), {"modules": {"polars": 1}}))
    monkeypatch.setattr(frame, "_installed", lambda name: True)
    assert frame._chosen(None) == "polars" and frame._chosen("pandas") == "pandas"
    monkeypatch.setattr(frame.sys, "modules", {})
    assert frame._chosen(None) == "pandas"


def test_no_library_is_told(trace, monkeypatch) -> None:
    for name in frame.LIBRARIES:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(frame, "_installed", lambda name: False)
    monkeypatch.setattr(frame, "sys", type("S", (), {"modules": {}}))
    with pytest.raises(OptionError, match="pip install pandas"):
        trace.to_dataframe()
    with pytest.raises(OptionError, match="polars is not installed"):
        trace.to_dataframe("polars")
    with pytest.raises(OptionError, match="'dask'; choose one of pandas, polars"):
        trace.to_dataframe("dask")


# -- in a test, and at a prompt ----------------------------------------------------------


def test_the_complaint_names_finding_line_and_remedy(trace) -> None:
    with pytest.raises(AssertionError) as caught:
        trace.assert_clean()
    said = str(caught.value)
    assert said.startswith("In [3]: The gradients are wrong: 1 error, 1 warning.")
    assert "[error] stale-gradient: Forgotten zero_grad" in said
    assert "In [3], line 6: opt.step()" in said and "Fix: Clear the gradients." in said
    assert "A note." not in said
    assert "allow=('stale-gradient', 'unowned-leaf',)" in said


def test_what_is_allowed_is_no_complaint(trace) -> None:
    trace.assert_clean(allow=("stale-gradient", "unowned-leaf"))
    with pytest.raises(AssertionError, match="probably wrong: 1 warning") as caught:
        trace.assert_clean(allow="stale-gradient")
    assert "Forgotten" not in str(caught.value)
    replace(trace, findings=(NOTE,)).assert_clean()


def test_one_line_each(trace) -> None:
    assert [repr(e) for e in trace.events] == [
        "<Event 1: backward #1 of loss, In [3], line 5: loss 0.25; 2 tensors>",
        "<Event 2: step #1, SGD.step by opt, In [3], line 6: 1 tensor; 1 without a gradient>",
        "<Event 3: zero_grad #1: no tensor; raised ValueError: no>",
    ]
    assert repr(trace.events[0].changes[0]) == "<Change of tensor 1: grad None → norm 5, holds 1>"
    assert repr(trace.events[0].changes[1]).endswith("grad None → norm nan, holds 1>")
    assert repr(trace.events[1].changes[0]) == (
        "<Change of tensor 1: grad stays norm 5, value moved 0.5, holds 2, 1 of them stale>"
    )
    assert repr(BAD).startswith(
        "<Finding stale-gradient (error) at In [3], line 6: Forgotten zero_grad: opt.step()"
    )


def test_a_hostile_name_stays_on_one_line() -> None:
    event = Event(1, "step", 1, "step", actor="a\nb" * 5000)
    assert "\n" not in repr(event) and len(repr(event)) < 150
    finding = replace(NOTE, title="x\n" * 9000)
    assert "\n" not in repr(finding) and len(repr(finding)) < 200

"""``trace()`` and ``grad_state()`` as a script uses them."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

import ipygradmagic
from ipygradmagic import Options, Trace, api, grad_state, trace
from ipygradmagic.capture import optimizers as optimizers_room
from ipygradmagic.errors import GradMagicError, NestedTraceError, OptionError, TraceFormatError

ROOT = Path(__file__).parents[1]


def fit(rounds: int, clear: bool = True) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(rounds):
        if clear:
            optimizer.zero_grad()
        model(torch.ones(3, 2)).pow(2).mean().backward()
        optimizer.step()
    return model


def test_a_block_in_a_function_is_traced_and_read_back_from_plain_data() -> None:
    with trace() as t:
        fit(3, clear=False)
    assert [f.name for f in t.findings if f.alarm] == ["stale-gradient"]
    assert {x.name for x in t.tensors} >= {"model.weight", "model.bias"}
    assert Trace.from_dict(json.loads(json.dumps(t.to_dict()))) == t.trace
    assert "zero_grad" in str(t) and "<table" in t.report().html()


def test_what_is_not_a_trace_is_refused_with_the_place_that_is_wrong() -> None:
    with pytest.raises(TraceFormatError, match="format"):
        Trace.from_dict({})
    with trace() as t:
        fit(1)
    data = t.to_dict()
    data["total"] = "many"
    with pytest.raises(TraceFormatError, match=r"\.total: expected .*int.*got 'many'"):
        Trace.from_dict(data)


def test_an_exception_goes_on_and_the_report_covers_what_happened() -> None:
    t = trace()
    with pytest.raises(KeyboardInterrupt), t:
        fit(2)
        raise KeyboardInterrupt
    assert t.trace.error is not None and t.trace.error.type == "KeyboardInterrupt"
    assert t.trace.counts()["backward"] == 2


def test_traces_do_not_nest_and_the_outer_one_goes_on() -> None:
    with trace(title="outer") as outer:
        with pytest.raises(NestedTraceError, match="outer"), trace():
            pass
        fit(1)
    assert outer.trace.counts()["backward"] == 1


def test_nothing_is_kept_alive() -> None:
    with trace() as t:
        model = fit(2)
        kept = model(torch.ones(1, 2)).exp()  # its graph saves this very tensor
        loss = kept.sum()
        loss.backward(retain_graph=True)
    graph = weakref.ref(kept)
    weak = [weakref.ref(p) for p in model.parameters()]
    del model, loss, kept
    gc.collect()
    assert t.events and graph() is None and all(w() is None for w in weak)


def test_between_traces_no_weak_reference_to_a_tensor_remains() -> None:
    with trace():
        model = fit(1)
    assert all(weakref.getweakrefcount(p) == 0 for p in model.parameters())
    assert all(
        not p._backward_hooks and not p._post_accumulate_grad_hooks for p in model.parameters()
    )


def test_a_fault_of_ours_is_a_warning_and_never_the_users_problem(monkeypatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("our own fault")

    plain = fit(3).state_dict()
    monkeypatch.setattr(optimizers_room.OptimizerWatch, "_book_step", broken)
    with trace() as t:
        traced = fit(3).state_dict()
    assert all(torch.equal(plain[k], traced[k]) for k in plain)
    assert any("our own fault" in w for w in t.trace.warnings)
    assert "our own fault" in str(t)


def test_memory_is_bounded_and_the_ledger_counts_all() -> None:
    w = torch.ones(1, requires_grad=True)
    with trace(graph=False) as t:
        for _ in range(12_000):
            (w * 2).sum().backward()
            w.data -= 0.1 * w.grad
            w.grad.zero_()
    assert t.trace.total == 36_000 == len(t.trace.pattern)
    assert len(t.events) < 12_000
    assert t.events[0].index == 1 and t.events[-1].index == 36_000
    (book,) = t.trace.ledger.books
    assert book.consumptions == 12_000
    assert len(t.report().text(120).splitlines()) < 80


def test_threads_with_models_of_their_own() -> None:
    with trace() as t:
        threads = [threading.Thread(target=fit, args=(20,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert t.trace.counts()["backward"] == 60
    assert not [f for f in t.findings if f.alarm] and t.trace.warnings == ()


def test_nothing_requires_grad_is_one_line() -> None:
    with trace(namespace={}) as t:
        _ = torch.ones(3) * 2
    assert t.findings == () and len(str(t).strip().splitlines()) == 1


def test_grad_state_without_any_trace() -> None:
    w = torch.tensor([3.0], requires_grad=True)
    b = torch.tensor([1.0])
    b.requires_grad = True
    before = grad_state(w, b).text()
    assert "None" in before
    loss = (w * 2 + b).sum()
    loss.backward()
    text = grad_state(graph=loss).text()
    assert "w" in text and "[2]" in text and "mul" in text
    with pytest.raises(OptionError, match="no tensor"):
        grad_state(42)


def test_grad_state_knows_where_a_gradient_came_from() -> None:
    w = torch.tensor([3.0], requires_grad=True)
    with trace():
        (w * 2).sum().backward()  # this line is shown
    assert "this line is shown" in grad_state().text(140)


def test_importing_is_light() -> None:
    code = "import ipygradmagic, sys; print([m for m in ('torch', 'IPython', 'graphviz') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
    assert ipygradmagic.__version__


def test_a_script_from_the_shell(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, torch\n"
        "w = torch.ones(1, requires_grad=True)\n"
        "for i in range(int(sys.argv[1])):\n"
        "    (w * 2).sum().backward()\n"
        "    w.data -= 0.1 * w.grad\n"
    )
    command = [
        sys.executable,
        "-m",
        "ipygradmagic",
        "--html",
        str(tmp_path / "out.html"),
        str(script),
        "3",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Forgotten zero_grad" in done.stdout and "train.py, line 5" in done.stdout
    assert "Forgotten zero_grad" in (tmp_path / "out.html").read_text()
    missing = subprocess.run([*command[:3], "nowhere.py"], cwd=ROOT, capture_output=True, text=True)
    assert missing.returncode == 2 and "nowhere.py" in missing.stderr


def test_every_trace_prints_the_report_and_has_a_short_repr() -> None:
    w = torch.ones(2, requires_grad=True)
    with trace() as t:
        (w**2).sum().backward()
        w.data -= 0.1 * w.grad
    assert str(t.trace) == str(t)
    assert "backward" in str(t) and "Timeline" in str(t)
    assert repr(t) == repr(t.trace)
    assert repr(t) == "<Trace: nothing wrong found; 1 backward, 1 update, 1 tensor>"


def test_results_of_earlier_cells_are_left_alone_unless_something_is_done_with_them() -> None:
    w = torch.ones(3, requires_grad=True)
    old, fake = (w * 2).sum(), w * 3
    with trace() as t:
        loss = (w * w).sum()
        loss.backward()
        old.backward()
        fake = w * 4 if len(t.events) > 9 else fake
    assert {i.name: i.older for i in t.tensors} == {
        "w": False,
        "old": True,
        "fake": True,
        "loss": False,
    }
    text = str(t).partition("── Tensors ──")[2]
    assert "1 more tensor that this run left alone: fake" in text
    assert "old  non-leaf" in text and "loss  non-leaf" in text
    assert fake.shape == w.shape


def test_a_block_is_asserted_saved_and_tabulated_after_its_end(tmp_path) -> None:
    with trace() as t:
        fit(3, clear=False)
        with pytest.raises(GradMagicError, match="call it after the block"):
            t.assert_clean()
    with pytest.raises(AssertionError, match="stale-gradient"):
        t.assert_clean()
    t.assert_clean(allow=("stale-gradient",))
    t.to_html(tmp_path / "page.html")
    t.trace.save(tmp_path / "run.json.gz")
    assert Trace.load(tmp_path / "run.json.gz") == t.trace
    pytest.importorskip("pandas")
    df = t.to_dataframe("pandas")
    steps = df[df["kind"] == "step"].groupby("tensor")["value_moved"].count()
    assert steps.to_dict() == {"model.bias": 3, "model.weight": 3}
    assert all("\n" not in repr(x) for x in (*t.events, *t.findings))
    with trace() as clean:
        fit(3)
    clean.assert_clean()


def test_a_trace_that_gives_way_goes_on_after_the_other() -> None:
    came: list[str] = []
    quiet = api.Session(Options(), namespace={})

    def give_way():
        came.append("ended")
        quiet.abandon()
        return lambda: came.append("goes on")

    quiet.gives_way = give_way
    quiet.start()
    with trace() as t:
        fit(2)
        with pytest.raises(NestedTraceError), trace():
            pass
        assert came == ["ended"]
    assert t.trace.total == 6 and came == ["ended", "goes on"]
    with trace():
        pass
    assert came == ["ended", "goes on"]

from __future__ import annotations

import sys
import types

import pytest
from IPython.core.error import UsageError

from ipygradmagic.notebook import names
from ipygradmagic.notebook.arguments import words_of
from ipygradmagic.record.trace import Trace


@pytest.fixture
def torchlike(monkeypatch):
    """Classes that look like torch's; the notebook room must not need more."""

    def kind(name: str, module: str) -> type:
        return type(name, (), {"__module__": module})

    return types.SimpleNamespace(
        Tensor=kind("Tensor", "torch"), Module=kind("Module", "torch.nn.modules.module")
    )


@pytest.fixture
def tensor(torchlike):
    t = torchlike.Tensor()
    t.requires_grad = True
    return t


def test_options_reach_the_session(run, api):
    run("%%trace_grad x* y --rows 12 --no-graph --format text -o t\ny = 1")
    o = api.sessions[0].options
    assert (o.names, o.rows, o.graph, o.format) == (("x*", "y"), 12, False, "text")


def test_output_stores_the_trace_even_after_an_error(run, ip):
    run("%%trace_grad -o t\n1/0")
    assert isinstance(ip.user_ns["t"], Trace)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--rowz 3", "did you mean --rows?"),
        ("--rows x", "invalid int value"),
        ("--rows 2", "at least 5"),
        ("--rows", "expected one argument"),
        ("--format pdf", "choose from"),
        ("-o 3x", "'3x'"),
        ("-o class", "'class'"),
        ("--help", "--no-graph"),
        ("nosuch", "no tensor 'nosuch'"),
        ("nosuch.weight", "no tensor 'nosuch.weight'"),
    ],
)
def test_a_wrong_option_stops_the_cell_before_it_runs(run, ip, api, options, says):
    r = run(f"%%trace_grad {options}\nran = True")
    assert isinstance(r.error, UsageError) and says in r.err
    assert "ran" not in ip.user_ns and not api.sessions
    assert "Traceback" not in r.out + r.err


def test_unknown_name_says_what_exists(run, ip, tensor):
    ip.user_ns.update(weight=tensor, count=3)
    r = run("%%trace_grad weigth\npass")
    assert "did you mean 'weight'?" in r.err and "count" not in r.err


@pytest.mark.parametrize(
    "cell",
    [
        "later = 1",
        "def f(later): pass",
        "m.later",
        "f(later=1) if 0 else 0",
        "m.register('later') if 0 else 0",
        "%time later = 1",
        "known()",
        "Known()",
    ],
)
def test_names_that_may_come_to_be_are_accepted(run, ip, api, cell):
    class M:
        later = register = None

    def known() -> object:
        def inner():
            later = 1
            return later

        return inner

    class Known:
        def m(self):
            self.later = 1

    ip.user_ns["m"] = M()
    if "known" in cell:
        ip.user_ns["known"] = known
    if "Known" in cell:
        ip.user_ns["Known"] = Known
    r = run(f"%%trace_grad later\n{cell}")
    assert len(api.sessions) == 1, r.err


def test_patterns_are_never_unknown(run, api):
    assert run("%%trace_grad nosuch*\npass").ok and len(api.sessions) == 1


def test_words():
    assert words_of("a  b[0, 1] 'c d' f(x, 'y )') --n=1") == [
        "a",
        "b[0, 1]",
        "c d",
        "f(x, 'y )')",
        "--n=1",
    ]
    assert words_of("") == [] and words_of("it's") == ["it's"]


def test_line_magic(run, ip, api):
    assert run("a = 2\n%trace_grad --rows 10 a + 1").value == 3
    assert api.sessions[0].options.rows == 10
    assert run("b = %trace_grad a * 5\nb").value == 10
    assert run("%trace_grad c = a - 1").ok and ip.user_ns["c"] == 1
    assert run("%trace_grad -- -a").value == -2
    assert run("%trace_grad a;").value is None
    assert run("%trace_grad").out.startswith("%trace_grad STATEMENT") and len(api.sessions) == 5


def test_line_magic_has_the_cells_line_and_errors_pass(run, api):
    run("import fake_api")
    run("x = 0\n\n%trace_grad fake_api.mark()")
    assert api.sessions[0].where == [("In [2]", 3)]
    r = run("x = 0\n%trace_grad 1/x")
    assert isinstance(r.error, ZeroDivisionError) and "----> 2 1/x" in r.out
    assert "magics.py" not in r.out and not api.running


def test_line_magic_in_a_traced_cell_runs_untraced(run, api):
    r = run("%%trace_grad\n%trace_grad d = 4\nd")
    assert r.value == 4 and "running already" in r.err and len(api.reports) == 1


def test_called_by_hand(run, api):
    r = run("get_ipython().run_cell_magic('trace_grad', '--rows 9', 'e = 5\\ne + 1')")
    assert r.value == 6 and api.sessions[0].options.rows == 9
    r = run("get_ipython().run_cell_magic('trace_grad', '', 'await x')")
    assert isinstance(r.error, UsageError) and "await" in r.err


def test_grad_state(run, ip, api, tensor):
    ip.user_ns.update(w=tensor, x=[1, 2])
    assert run("%grad_state [(w, k) for k in x]").ok
    r = run("%grad_state w x[0] (w, x) --graph w")
    assert "REPORT state ['(w, x)', 'w', 'x[0]'] graph=w" in r.out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nosuch", "NameError"),
        ("1/0", "ZeroDivisionError"),
        ("w +", "is no expression"),
        ("--graph nosuch", "NameError"),
        ("--nosuch", "has no option --nosuch"),
    ],
)
def test_grad_state_says_what_is_wrong(run, ip, tensor, line, says):
    ip.user_ns["w"] = tensor
    r = run(f"%grad_state {line}")
    assert isinstance(r.error, UsageError) and says in r.err
    assert "--rows" in r.err if "option" in says else "here: w" in r.err


def test_grad_state_passes_option_errors_and_contains_faults(run, api):
    from ipygradmagic.errors import OptionError

    api.fail["look"] = OptionError("has no graph")
    assert isinstance(run("%grad_state").error, UsageError)
    api.fail["look"] = RuntimeError("our fault")
    r = run("%grad_state")
    assert r.ok and "our fault" in r.err


def test_help(run, ip):
    for magic in ("trace_grad", "grad_state"):
        text = getattr(ip.find_line_magic(magic), "__doc__", "")
        assert "--rows" in text and "Examples" in text and "%%%%" not in text
    assert run("%%trace_grad?").ok


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_completion(ip, tensor):
    ip.user_ns.update(weight=tensor, count=3)

    def complete(text: str) -> list[str]:
        return list(ip.Completer.complete(line_buffer=text, cursor_pos=len(text))[1])

    assert complete("%%trace_grad --ro") == ["--rows"]
    assert complete("%grad_state --g") == ["--graph"]
    assert complete("%trace_grad --no") == ["--no-graph"]
    assert set(complete("%%trace_grad --format ")) == {"auto", "html", "text", "svg", "png"}
    assert complete("%%trace_grad we") == ["weight"]
    assert complete("%grad_state --graph w") == ["weight"]


def test_tensor_names_survive_hostile_values(torchlike, tensor):
    class Angry(torchlike.Tensor):
        @property
        def requires_grad(self):
            raise RuntimeError("no")

    frozen = torchlike.Tensor()
    frozen.requires_grad = False
    found = {"a": Angry(), "w": tensor, "_h": tensor, "f": frozen, "m": torchlike.Module(), "i": 1}
    assert names.tensor_names(found) == ["w", "m"]


def test_torch_is_not_imported_by_loading(kernel_env):
    import subprocess

    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as S;"
        "ip = S.instance(); ip.run_line_magic('load_ext', 'ipygradmagic');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=kernel_env).returncode == 0

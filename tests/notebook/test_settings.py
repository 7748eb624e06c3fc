"""``%config GradMagic``, and the formats that are images."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest
from IPython.utils.capture import capture_output

CELL = """
for _ in range(2):
    (w * 2).sum().backward()
    w.data -= 0.1 * w.grad
"""


def config(ip, line: str) -> str:
    """What ``%config LINE`` says."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        ip.run_line_magic("config", line)
    return out.getvalue()


def test_a_setting_holds_where_the_line_does_not_say(run, ip, api) -> None:
    config(ip, "GradMagic.rows = 17")
    config(ip, "GradMagic.graph = False")
    config(ip, "GradMagic.ignore = ['zeroed']")
    run("%%trace_grad\n1")
    run("%%trace_grad --rows 9 --ignore closure\n1")
    run("%trace_grad 1")
    told = [(s.options.rows, s.options.graph, s.options.ignore) for s in api.sessions]
    assert told == [
        (17, False, ("zeroed",)),
        (9, False, ("zeroed", "closure")),
        (17, False, ("zeroed",)),
    ]


def test_a_watch_has_the_settings_too(run, ip, api) -> None:
    config(ip, "GradMagic.level = 'events'")
    run("%trace_grad --on")
    run("1")
    assert [s.options.level for s in api.sessions] == ["events"]


def test_every_setting_is_explained(ip) -> None:
    said = config(ip, "GradMagic")
    for name in ("rows", "graph", "format", "lang", "level", "ignore", "strict", "live"):
        assert f"GradMagic.{name}=" in said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("GradMagic.rows = 3", "not be less than 5"),
        ("GradMagic.format = 'pdf'", "pdf"),
        ("GradMagic.ignore = ['stale-gradiant']", "did you mean"),
    ],
)
def test_a_wrong_setting_is_refused_and_the_old_one_stays(run, ip, api, caplog, line, says) -> None:
    said = config(ip, line)
    assert says in said + caplog.text
    run("%%trace_grad\n1")
    options = api.sessions[0].options
    assert (options.rows, options.format, options.ignore) == (40, "auto", ())


def test_it_goes_with_the_extension(bare, api) -> None:
    bare.run_line_magic("load_ext", "ipygradmagic")
    bare.run_line_magic("unload_ext", "ipygradmagic")
    assert not [c for c in bare.configurables if type(c).__name__ == "GradMagic"]


@pytest.mark.parametrize(("form", "mime"), [("svg", "image/svg+xml"), ("png", "image/png")])
def test_images_where_there_is_no_html(bare, form: str, mime: str) -> None:
    bare.run_line_magic("load_ext", "ipygradmagic")
    bare.run_cell("import torch\nw = torch.ones(1, requires_grad=True)")
    with capture_output() as shown:
        bare.run_cell(f"%%trace_grad --format {form}{CELL}")
    report, *pictures = [o.data for o in shown.outputs]
    assert "Forgotten zero_grad" in report["text/plain"] and "text/html" not in report
    assert pictures and all(set(p) == {mime, "text/plain"} for p in pictures)
    assert all("<svg" in p[mime] for p in pictures) or form == "png"

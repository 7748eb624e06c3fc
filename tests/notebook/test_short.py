"""In a terminal nothing can be folded: a right run is told in a few lines there."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from IPython.utils.capture import capture_output

from ipygradmagic import trace
from ipygradmagic.notebook import publish as publishing


class TerminalInteractiveShell(SimpleNamespace):
    """Known by its name."""


def shown(report, shell: object, form: str = "auto", **how: bool) -> str:
    with capture_output() as seen:
        publishing.publish(shell, report, form, **how)
    return seen.outputs[0].data["text/plain"]


def run(clears: bool):
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    with trace() as t:
        for _ in range(20):
            if clears:
                optimizer.zero_grad()
            (w**2).sum().backward()
            optimizer.step()
    return t.report()


def test_a_right_run_takes_a_few_lines(bare) -> None:
    report, terminal = run(clears=True), TerminalInteractiveShell()
    text = shown(report, terminal, whole=False)
    assert len(text.splitlines()) <= 12 and "Nothing wrong found" in text
    assert text.rstrip().endswith("%trace_grad --last shows all.")
    whole = shown(report, terminal)
    assert "── Timeline ──" in whole and "Not shown" not in whole
    assert shown(report, terminal, "text", whole=False) == whole
    assert "── Timeline ──" in shown(
        report, bare, whole=False
    )  # a notebook's text is the whole one


def test_a_wrong_run_shows_what_is_wrong(bare) -> None:
    text = shown(run(clears=False), TerminalInteractiveShell(), whole=False)
    assert "── What each gradient holds ──" in text and "── Timeline ──" in text

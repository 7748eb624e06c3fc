"""ipygradmagic: the gradient debugger for PyTorch in notebooks.

In a notebook::

    %load_ext ipygradmagic

    %%trace_grad
    ...any cell that trains something...

In a script or a test::

    from ipygradmagic import trace

    with trace() as t:
        train()
    print(t)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygradmagic.errors import GradientLifecycleError, GradMagicError
from ipygradmagic.options import Options
from ipygradmagic.record.tellers import told_by

if TYPE_CHECKING:
    from ipygradmagic.api import grad_state as grad_state
    from ipygradmagic.api import trace as trace
    from ipygradmagic.record.trace import Trace as Trace

__version__ = "0.1.0"
__all__ = [
    "GradMagicError",
    "GradientLifecycleError",
    "Options",
    "Trace",
    "__version__",
    "grad_state",
    "trace",
]


def __getattr__(name: str) -> object:
    """Import torch only when someone traces, and the record with it: ``%load_ext`` stays quick."""
    if name == "Trace":
        from ipygradmagic.record import trace as record

        return record.Trace
    if name in ("trace", "grad_state"):
        from ipygradmagic import api

        return getattr(api, name)
    raise AttributeError(f"module 'ipygradmagic' has no attribute {name!r}")


def _text(trace: Trace) -> str:
    from ipygradmagic.render.telling import told  # rendering is imported by those who look

    return told(trace)


def _page(trace: Trace) -> str:
    from ipygradmagic.render.telling import page

    return page(trace)


told_by(text=_text, page=_page)


def load_ipython_extension(ip: object) -> None:
    """Called by ``%load_ext ipygradmagic``."""
    from ipygradmagic.notebook.extension import load

    load(ip)


def unload_ipython_extension(ip: object) -> None:
    """Called by ``%unload_ext ipygradmagic``; leaves nothing behind."""
    from ipygradmagic.notebook.extension import unload

    unload(ip)

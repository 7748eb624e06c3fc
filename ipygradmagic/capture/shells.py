"""The shell that torch puts around every ``step``, which is where our hooks are called from."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

import torch


def _code() -> CodeType:
    shell = torch.optim.Optimizer.profile_hook_step(lambda self: None)
    code = getattr(shell, "__code__", None)
    assert isinstance(code, CodeType)
    return code


SHELL = _code()
"""Its code object."""


def shell_of_step() -> FrameType | None:
    """The frame of the shell around the step that is starting."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not SHELL:
        frame = frame.f_back
    return frame


def running(shell: FrameType) -> bool:
    """Whether this frame is one of those that led here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame is shell:
            return True
        frame = frame.f_back
    return False

"""What a library was doing when it wrote: read off its functions between the write and the user's line.

A trainer's ``fit`` clips, steps and clears several calls below the line that the user wrote. Which
of them wrote is told by the functions on the way: torch's clipping by its name, and an optimizer
that does not derive from torch's (fastai's) by the running ``step`` of an object that can
``zero_grad``, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

import torch

from ipygradmagic.capture.names import variables
from ipygradmagic.capture.source import Here, is_user

_ACTS = ("step", "zero_grad")


class Doing(NamedTuple):
    """What a library's code does: ``label`` is how to call it, ``steps`` whether an optimizer steps."""

    label: str
    steps: bool = False


NOTHING = Doing("")
"""The user's own code does it."""


def doing(here: Here) -> Doing:
    """What the library called at this place is at; call it while that runs."""
    if here.via is None:
        return NOTHING
    clip = ""
    for frame in _library_frames():
        name = frame.f_code.co_name
        if "clip_grad" in name:  # the outermost public one: what it is called from outside
            clip = clip if clip and name.startswith("_") else name
        elif name in _ACTS and not clip:
            owner = _optimizer_of(frame)
            if owner:
                return Doing(f"{owner}.{name}", steps=name == "step")
    return Doing(clip or here.via.co_name)


def _library_frames() -> Iterator[FrameType]:
    """The running frames up to the user's innermost one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not is_user(frame.f_code):
        yield frame
        frame = frame.f_back


def _optimizer_of(frame: FrameType) -> str:
    """The class of the object whose method this is, if it both steps and clears.

    Not one of torch's own: those are recorded as a whole, and what a closure does there is not theirs.
    """
    code = frame.f_code
    if not code.co_argcount:
        return ""
    owner = type(variables(frame).get(code.co_varnames[0]))
    if issubclass(owner, torch.optim.Optimizer):
        return ""
    return owner.__name__ if all(callable(getattr(owner, act, None)) for act in _ACTS) else ""

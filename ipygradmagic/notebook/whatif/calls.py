"""What a call does, told by its name: it reads, it changes what it is given, it sets the world."""

from __future__ import annotations

import ast
import re

QUIET_MODULES = ("matplotlib", "seaborn", "plotly", "bokeh", "altair", "pprint", "IPython")
"""What comes from there shows things, and changes nothing that a cell trains."""
_READING = """
print display pprint len type id repr str int float bool round abs min max sum sorted list tuple
dict set range enumerate isinstance hasattr getattr format dir vars help item mean std norm numpy
tolist shape size dim numel detach cpu clone parameters named_parameters state_dict keys values
items head describe info savefig save dump to_csv join show plot imshow
"""
_WRITING = """
append extend insert pop remove clear sort reverse update add setdefault fill resize shuffle
popleft appendleft discard copyto put
"""
_QUIET = frozenset(_READING.split())
"""Calls that read. (``save`` writes a file, which is there already.)"""
_MUTATORS = frozenset(_WRITING.split())
_OPEN_CALLS = ("exec", "eval", "globals", "setattr", "push", "update_globals")
"""Calls that may bind names which cannot be read off them."""
_WORLD = re.compile(r"(^|_)seeds?(_|$)|^(set|use|enable|disable)_|^(chdir|filterwarnings)$")
"""Calls that set something for the whole process, also where their result is kept."""


def mutates(function: str) -> bool:
    """Whether a call of that name changes its object, or what it is given."""
    return function in _MUTATORS or (function.endswith("_") and not function.endswith("__"))


def is_quiet(call: ast.Call, quiet: frozenset[str]) -> bool:
    """Whether the call only reads; ``quiet`` are names of what only shows things."""
    return last_name(call.func) in _QUIET or first_name(call.func) in quiet


def last_name(function: ast.expr) -> str:
    """``step`` of ``optimizer.step``."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def first_name(function: ast.expr) -> str:
    """``optimizer`` of ``optimizer.step``."""
    while isinstance(function, (ast.Attribute, ast.Subscript, ast.Call)):
        function = function.func if isinstance(function, ast.Call) else function.value
    return function.id if isinstance(function, ast.Name) else ""


def sets_world(function: str) -> bool:
    """Whether a call of that name sets something for the whole process."""
    return _WORLD.search(function) is not None


def binds_openly(function: str) -> bool:
    """Whether a call of that name may bind any name."""
    return function in _OPEN_CALLS

"""Meeting leaves: who is new, what it is called, and which older leaf it replaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType

import torch
from torch import Tensor

from ipygradmagic.capture import names
from ipygradmagic.capture.books import Books, Leaf
from ipygradmagic.capture.derivation import Derivation
from ipygradmagic.capture.source import Here, Sources, is_user

_ROOT = re.compile(r"\w+")


@dataclass(slots=True)
class Rebinding:
    """A name that denoted ``old`` denotes ``new`` now; bound at ``site``, from a gradient or not."""

    name: str
    old: Leaf
    new: Leaf
    site: int
    derived: bool | None


class Discovery:
    """Finds leaves in a namespace and on the stack, names them, and notices replacements.

    Args:
        books: Where leaves are kept.
        sources: For the line that binds a name.
        namespace: The variables of the traced cell or script.
    """

    def __init__(self, books: Books, sources: Sources, namespace: Mapping[str, object]) -> None:
        self.books = books
        self.sources = sources
        self.namespace = namespace
        self.derivation = Derivation()
        self.found = names.Found()
        self.current: dict[str, Leaf] = {}
        self.fresh: list[Leaf] = []
        self._spots: dict[str, tuple[int, bool | None]] = {}
        self.module_code: CodeType | None = None
        self._simple = False
        self._optimizers: dict[int, str] = {}
        self._unnamed = 0
        self._walked: dict[int, names.Found] = {}
        self._registered: set[int] = set()

    def survey(self) -> list[Rebinding]:
        """Look through the whole namespace: adopt its leaves, and see which names moved."""
        self.found = names.walk(self.namespace)
        moved: list[Rebinding] = []
        for some in self.found.tensors.values():
            name, tensor = some[0]
            if is_open_leaf(tensor) or retains(tensor):
                moved += self._meet(tensor, None, name)
                self._note_found(tensor)
        return moved

    def meet(self, tensors: Iterable[Tensor], here: Here) -> list[Rebinding]:
        """Adopt the leaves among ``tensors`` that are new; returns which older ones they replace."""
        self._remember_module(here.frame)
        self._walked = {}
        moved: list[Rebinding] = []
        for tensor in tensors:
            if self.books.find(tensor) is None:
                moved += self._meet(tensor, here.frame, None)
        self._walked = {}
        self._registered = set()
        return moved

    def optimizer_name(self, optimizer: torch.optim.Optimizer, frame: FrameType | None) -> str:
        """What the user calls an optimizer; its class name if nothing better is found."""
        known = self._optimizers.get(id(optimizer))
        if known is None:
            entry = self.found.optimizers.get(id(optimizer))
            known = names.in_frames(optimizer, frame) or (entry[0] if entry else None)
            if known is None:
                self.found = names.walk(self.namespace)
                entry = self.found.optimizers.get(id(optimizer))
                known = entry[0] if entry else type(optimizer).__name__
            self._optimizers[id(optimizer)] = known
        return known

    def name_optimizer(self, optimizer: torch.optim.Optimizer, name: str) -> None:
        """Tell what an optimizer is called."""
        self._optimizers.setdefault(id(optimizer), name)

    def module_name(self, module: torch.nn.Module, frame: FrameType | None) -> str:
        """What the user calls a module; its class name if nothing better is found."""
        entry = self.found.modules.get(id(module))
        found = names.in_frames(module, frame) or (entry[0] if entry else None)
        return found or type(module).__name__

    def name_all_again(self) -> None:
        """At the end: give names to what had none, and note aliases."""
        for leaf, tensor in self.books.alive():
            if leaf.name.startswith("‹") and self.found.name(tensor):
                self._name(leaf, self.found.name(tensor) or leaf.name)
            self._note_found(tensor)

    # -- one leaf ----------------------------------------------------------------------

    def _meet(self, tensor: Tensor, frame: FrameType | None, name: str | None) -> list[Rebinding]:
        known = self.books.find(tensor)
        if known is not None:
            return []
        kind = "leaf" if tensor.is_leaf else "retained"
        leaf = self.books.add(tensor, kind)
        self.fresh.append(leaf)
        home = frame
        if name is None:
            name, home = self._search(tensor, frame)
        if name is None:
            self._unnamed += 1
            leaf.name = f"‹unnamed {shape_words(leaf.shape)} #{self._unnamed}›"
            return []
        old = self.current.get(name)
        self._name(leaf, name)
        self._note_found(tensor)
        if old is None or old is leaf:
            return []
        return [self._rebinding(name, old, leaf, home)]

    def _name(self, leaf: Leaf, name: str) -> None:
        self.books.rename(leaf, name, direct=name.isidentifier())
        self.current[name] = leaf

    def _note_found(self, tensor: Tensor) -> None:
        leaf = self.books.find(tensor)
        if leaf is not None:
            if id(tensor) in self.found.registered or id(tensor) in self._registered:
                leaf.registered = True
            others = self.found.names(tensor)
            leaf.aliases = tuple(n for n in others if n != leaf.name)[:4]

    def _search(
        self, tensor: Tensor, frame: FrameType | None
    ) -> tuple[str | None, FrameType | None]:
        """The best name: the namespace's, then one in the user's functions on the stack.

        Where the last leaf was found as a plain variable, the next one probably is too
        (a loop that rebinds its parameters), and a look at the variables is far cheaper than
        a walk through everything.
        """
        if self._simple:
            name = names.in_frames(tensor, frame)
            if name is not None:
                return name, frame
        self._simple = False
        if self.found.name(tensor) is None and 0 not in self._walked:
            self.found = self._walked[0] = names.walk(self.namespace)
        name = self.found.name(tensor)
        if name is not None:
            self._simple = name.isidentifier()
            return name, _module_frame(frame)
        name = names.in_frames(tensor, frame)
        if name is not None:
            self._simple = True
            return name, frame
        for inner in names.frames_of(frame):
            if id(inner) not in self._walked:
                self._walked[id(inner)] = names.walk(dict(inner.f_locals))
            found = self._walked[id(inner)]
            name = found.name(tensor)
            if name is not None:
                if id(tensor) in found.registered:
                    self._registered.add(id(tensor))
                return name, inner
        return None, None

    # -- replaced leaves ---------------------------------------------------------------

    def _rebinding(self, name: str, old: Leaf, new: Leaf, frame: FrameType | None) -> Rebinding:
        match = _ROOT.match(name)
        root = match.group() if match else name
        home = self._home_of(root, frame)
        if home is not None:
            first = not old.reached and old.born < 0
            line, derived = self.derivation.of_binding(home, root, first=first)
            if line:
                self._spots[root] = (self.sources.at_line(home.f_code, line), derived)
        site, derived = self._spots.get(root, (-1, None))
        new.born = site
        return Rebinding(name, old, new, site, derived)

    @staticmethod
    def _home_of(root: str, frame: FrameType | None) -> FrameType | None:
        """The user frame, from the innermost outwards, that has the variable."""
        while frame is not None:
            if is_user(frame.f_code):
                if root in frame.f_code.co_varnames or frame.f_code.co_name == "<module>":
                    return frame
                if root in frame.f_code.co_cellvars:
                    return frame
            frame = frame.f_back
        return None

    def _remember_module(self, frame: FrameType | None) -> None:
        while self.module_code is None and frame is not None:
            if frame.f_code.co_name == "<module>" and is_user(frame.f_code):
                self.module_code = frame.f_code
            frame = frame.f_back


def _module_frame(frame: FrameType | None) -> FrameType | None:
    """The module-level frame of the user's code that led here."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and is_user(frame.f_code):
            return frame
        frame = frame.f_back
    return None


def is_open_leaf(tensor: Tensor) -> bool:
    """A leaf that requires grad. A view is not asked: asking can rebuild or break its graph."""
    try:
        return not tensor._is_view() and tensor.requires_grad and tensor.is_leaf
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return False


def retains(tensor: Tensor) -> bool:
    """A non-leaf whose gradient is kept because ``retain_grad`` was called."""
    try:
        return not tensor._is_view() and tensor.retains_grad
    except (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError):
        return False


def shape_words(shape: tuple[int, ...]) -> str:
    """``2×3`` for a matrix, ``scalar`` for no dimensions."""
    return "×".join(map(str, shape)) or "scalar"

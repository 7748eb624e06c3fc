"""Meeting leaves: who is new, what it is called, and which older leaf it replaces."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType

import torch
from torch import Tensor

from ipygradmagic.capture import names
from ipygradmagic.capture.books import Books, Leaf, storage_of
from ipygradmagic.capture.derivation import Derivation, loop_names, loop_names_of
from ipygradmagic.capture.source import Here, Sources, is_user

_ROOT = re.compile(r"\w+")
MOST_BORN = 64
"""So many new leaves are remembered with the line that made them, until they are met."""
MOST_VARIABLES = 16
"""At a new line, so many leaves are looked up among the variables of functions."""
MOST_BOUND = 10_000
"""So many answers to "which statement bound it?" are remembered, by the line that made the leaf."""
MOST_LOOKS = 4
"""At so many events it is asked whether a leaf has taken over a name, or has got one, by now."""
MOST_LOOSE = 4096
"""So many leaves may be waiting for a name, or for one that lasts longer."""


@dataclass(slots=True)
class Rebinding:
    """A name that denoted ``old`` denotes ``new`` now; bound at ``site``, from a gradient or not."""

    name: str
    old: Leaf
    new: Leaf
    site: int
    derived: bool | None


@dataclass(slots=True)
class Loose:
    """A leaf without a name, or with one that belongs to a function and may end with it.

    Attributes:
        home: The function whose variable gave the name; None if there is no name yet.
        outer: The functions that it was called from, whose names last longer.
        looks: At so many events a better name has been looked for.
    """

    home: CodeType | None
    outer: tuple[CodeType, ...] = ()
    looks: int = 0


@dataclass(slots=True)
class Birth:
    """A leaf that ``requires_grad_()`` made, and that nobody has met yet."""

    ref: weakref.ref[Tensor]
    site: int
    looks: int = 0


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
        self.current: dict[tuple[CodeType | None, str], Leaf] = {}
        self.fresh: list[Leaf] = []
        self._spots: dict[str, tuple[int, bool | None]] = {}
        self.module_code: CodeType | None = None
        self._simple = False
        self._optimizers: dict[int, tuple[weakref.ref[torch.optim.Optimizer], str]] = {}
        self._unnamed = 0
        self._walked: dict[int, names.Found] = {}
        self._registered: set[int] = set()
        self._order: dict[int, list[Leaf]] = {}
        self.births: dict[int, Birth] = {}
        self._bound: dict[tuple[object, ...], tuple[CodeType, int, bool | None]] = {}
        self._variables: dict[tuple[CodeType, str], Leaf] = {}
        self._plain: dict[tuple[CodeType | None, str], None] = {}
        self._modules: dict[int, weakref.ref[torch.nn.Module]] = {}
        self._loose: dict[int, Loose] = {}
        self._module_of_name: dict[str, int] = {}
        self.results: dict[int, int] = {}

    def survey(self) -> list[Rebinding]:
        """Look through the whole namespace: adopt its leaves, and see which names moved."""
        self.found = names.walk(self.namespace)
        moved: list[Rebinding] = []
        for tensor, _ in self.found.tensors():
            name = self._lasting(tensor)
            if is_open_leaf(tensor) or retains(tensor):
                moved += self._meet(tensor, None, name)
                self._note_found(tensor)
        return moved

    def meet(
        self, tensors: Sequence[Tensor], here: Here, *, whole: bool = False, named: bool = False
    ) -> list[Rebinding]:
        """Adopt the leaves among ``tensors`` that are new; returns which older ones they replace.

        Args:
            tensors: Leaves in the order of the graph walk.
            here: The line that reached them.
            whole: They are all that a backward reaches. A new leaf then replaces the one that
                the same line reached in its place the last time, whatever it was called there.
            named: Leave those without a name alone (torch's own, inside checkpointing).
        """
        self._remember_module(here.frame)
        self._walked = {}
        moved: list[Rebinding] = []
        before = self._order.get(here.site, []) if whole else []
        if len(before) != len(tensors):
            before = []
        fresh = whole and here.site not in self._order and len(tensors) <= MOST_VARIABLES
        for i, tensor in enumerate(tensors):
            leaf = self.books.find(tensor)
            if leaf is None:
                old = before[i] if before else None
                moved += self._meet(tensor, here.frame, None, old, named)
                continue
            if leaf.id in self._loose:
                self._name_again(leaf, tensor, here.frame)
            if fresh:
                self._note_variable(leaf, tensor, here.frame)
        if whole:
            known = [self.books.find(t) for t in tensors]
            self._order[here.site] = [leaf for leaf in known if leaf is not None]
        self._walked = {}
        self._registered = set()
        return moved

    def born(self, tensor: Tensor, here: Here) -> None:
        """A new leaf was made at this line; it will be told from there when it has a name."""
        self._remember_module(here.frame)
        while len(self.births) >= MOST_BORN:
            del self.births[next(iter(self.births))]
        self.births[id(tensor)] = Birth(weakref.ref(tensor), here.site)
        self.books.values.setdefault(storage_of(tensor), [])  # a write into it is looked at

    def settle(self, frame: FrameType | None) -> list[Rebinding]:
        """New leaves that have taken over the name of another one since they were made."""
        moved: list[Rebinding] = []
        for key, birth in tuple(self.births.items()):
            tensor = birth.ref()
            if tensor is None or self.books.find(tensor) is not None:
                del self.births[key]
                continue
            if birth.looks < MOST_LOOKS:
                birth.looks += 1
                old, name, home = self._taken(tensor, frame, birth)
                if name:
                    moved += self._meet(tensor, home, name, old, maker=self._maker(tensor))
                    self.births.pop(key, None)
        return moved

    def _taken(
        self, tensor: Tensor, frame: FrameType | None, birth: Birth
    ) -> tuple[Leaf | None, str, FrameType | None]:
        """The variable that denotes the tensor now and has denoted another leaf before.

        The variable of a function that has returned meanwhile is known by the statement that made
        the tensor.
        """
        inner = {f.f_code: f for f in reversed(names.frames_of(frame))}
        made = self.sources.frames(birth.site)
        for scope, name in self._plain:
            if scope is None or not made or made[0][0] is not scope:
                continue
            denotes = scope in inner and names.variables(inner[scope]).get(name) is tensor
            if denotes or (scope not in inner and self.derivation.binds(scope, name, made)):
                old = self.current.get((scope, name)) or self._variables.get((scope, name))
                called = name if denotes else self._lasting(tensor) or name
                return old, called, inner.get(scope, _module_frame(frame))
        for scope, name in self._plain:
            if scope is None:
                if self.namespace.get(name) is tensor:
                    return None, name, _module_frame(frame)
            elif scope in inner and names.variables(inner[scope]).get(name) is tensor:
                return None, name, inner[scope]
        return None, "", None

    def _maker(self, tensor: Tensor) -> CodeType | None:
        """The function of the user's that made a new leaf; None for the namespace's own code."""
        birth = self.births.get(id(tensor))
        made = self.sources.frames(birth.site) if birth is not None else ()
        return made[0][0] if made and made[0][0].co_name != "<module>" else None

    def _note_variable(self, leaf: Leaf, tensor: Tensor, frame: FrameType | None) -> None:
        """A function's variable denotes the leaf under another name: it may be bound anew."""
        local, home = names.in_frames(tensor, frame)
        scope = _scope_of(home)
        if local is None or scope is None or home is None or local in loop_names(home.f_code):
            return
        if len(self._variables) < MOST_BOUND:
            self._variables[scope, local] = leaf
            self._plain[scope, local] = None

    def optimizer_name(self, optimizer: torch.optim.Optimizer, frame: FrameType | None) -> str:
        """What the user calls an optimizer; its class name if nothing better is found."""
        known = self._optimizers.get(id(optimizer))
        if known is None or known[0]() is not optimizer:
            name = names.in_frames(optimizer, frame)[0] or self.found.optimizer_name(optimizer)
            if name is None:
                self.found = names.walk(self.namespace)
                name = self.found.optimizer_name(optimizer) or type(optimizer).__name__
            known = self._optimizers[id(optimizer)] = (weakref.ref(optimizer), name)
        return known[1]

    def name_optimizer(self, optimizer: torch.optim.Optimizer, name: str) -> None:
        """Tell what an optimizer is called."""
        self._optimizers.setdefault(id(optimizer), (weakref.ref(optimizer), name))

    def module_name(self, module: torch.nn.Module, frame: FrameType | None) -> str:
        """What the user calls a module; its class name if nothing better is found."""
        found = names.in_frames(module, frame)[0] or self.found.module_name(module)
        return found or type(module).__name__

    def name_all_again(self) -> None:
        """At the end: give names to what had none, and note aliases."""
        for leaf, tensor in self.books.alive():
            if leaf.name.startswith("‹") or leaf.id in self._loose:
                self.books.rename(leaf, self._lasting(tensor) or leaf.name)
            self._note_found(tensor)

    # -- one leaf ----------------------------------------------------------------------

    def _meet(
        self,
        tensor: Tensor,
        frame: FrameType | None,
        name: str | None,
        old: Leaf | None = None,
        named: bool = False,
        maker: CodeType | None = None,
    ) -> list[Rebinding]:
        if self.books.find(tensor) is not None:
            return []
        home = frame
        looped = False
        if name is None:
            name, home, looped = self._search(tensor, frame)
        if name is None and named:
            return []
        leaf = self.books.add(tensor, "leaf" if tensor.is_leaf else "retained")
        self.fresh.append(leaf)
        if frame is not None and (name is None or _scope_of(home) is not None):
            self._loosen(leaf, frame, home if name is not None else None)
        if name is None:
            self._unnamed += 1
            leaf.name = f"‹unnamed {shape_words(leaf.shape)} #{self._unnamed}›"
            return []
        key = (_scope_of(home), name)
        if old is not None and maker is None and old.name != name and self._still_there(old):
            old = None  # one line may reach one model after another
            if key[0] is not None and key[0] is self._maker(tensor):
                old = self._variables.get((key[0], name))  # no: its variable was bound anew
        old = old or self.current.get(key) or self._returned(key, leaf)
        self.books.rename(leaf, name)
        self.current[key] = leaf
        if frame is not None and home is not frame:
            self._note_variable(leaf, tensor, frame)
        if not looped and name.isidentifier():
            self._plain[key] = None
        self._note_found(tensor)
        module = self._module_of(name, home)
        if module is not None:
            self._modules[leaf.id] = weakref.ref(module)
        if old is None or old is leaf or looped or leaf.kind != "leaf":
            return []  # an activation is a new tensor in every round: that rebinds no leaf
        moved = self._rebinding(name, old, leaf, home, module, maker)
        self._modules.pop(old.id, None)
        return moved

    def _loosen(self, leaf: Leaf, frame: FrameType, home: FrameType | None) -> None:
        """Its name is to be looked up again: there is none yet, or it is a function's variable."""
        while len(self._loose) >= MOST_LOOSE:
            del self._loose[next(iter(self._loose))]
        if home is None:
            self._loose[leaf.id] = Loose(None)
            return
        codes = [f.f_code for f in names.frames_of(frame)]
        place = codes.index(home.f_code) if home.f_code in codes else len(codes)
        self._loose[leaf.id] = Loose(home.f_code, tuple(codes[place + 1 :]))

    def _name_again(self, leaf: Leaf, tensor: Tensor, frame: FrameType | None) -> None:
        """A name for a leaf that had none, or one that outlives the function that it was met in.

        ``model = Net().to(device)`` writes into the parameters before any variable denotes them,
        and a function that builds or casts a model calls it by a name that nobody else knows.
        """
        loose = self._loose[leaf.id]
        if loose.home is not None and any(f.f_code is loose.home for f in names.frames_of(frame)):
            return  # that function goes on
        loose.looks += 1
        if loose.looks >= MOST_LOOKS:
            del self._loose[leaf.id]
        name, home, looped = self._search(tensor, frame)
        scope = _scope_of(home)
        lasting = loose.home is None or scope is None or scope in loose.outer
        if name is None or looped or not lasting or frame is None:
            return
        if self.current.get((loose.home, leaf.name)) is leaf:
            del self.current[loose.home, leaf.name]
        self._loose.pop(leaf.id, None)
        if scope is not None:
            self._loosen(leaf, frame, home)
        self.books.rename(leaf, name)
        self.current[scope, name] = leaf
        if name.isidentifier():
            self._plain[scope, name] = None
        self._note_found(tensor)
        module = self._module_of(name, home)
        if module is not None:
            self._modules[leaf.id] = weakref.ref(module)

    def _still_there(self, leaf: Leaf) -> bool:
        """The variables still lead to the leaf by its own name."""
        tensor = leaf.tensor()
        return tensor is not None and leaf.name in self.found.names(tensor)

    def _note_found(self, tensor: Tensor) -> None:
        leaf = self.books.find(tensor)
        if leaf is not None:
            if id(tensor) in self.found.registered or id(tensor) in self._registered:
                leaf.registered = True
            others = self.found.names(tensor)
            leaf.aliases = tuple(n for n in others if n != leaf.name)[:4]

    def _returned(self, key: tuple[CodeType | None, str], leaf: Leaf) -> Leaf | None:
        """The leaf that a function called by the same name and handed back in a newer version."""
        if key[0] is not None:
            return None
        same = [old for (_, name), old in self.current.items() if name == key[1]]
        return next((old for old in reversed(same) if old.shape == leaf.shape), None)

    def forget(self) -> None:
        """Let go of everything that was found: tensors, modules, optimizers."""
        self.found = names.Found()
        self.births.clear()
        self._walked.clear()

    def _search(
        self, tensor: Tensor, frame: FrameType | None
    ) -> tuple[str | None, FrameType | None, bool]:
        """The best name, the frame that has it, and whether it is a loop's variable.

        The namespace's name first, then one in the user's functions on the stack. Where the
        last leaf was found as a plain variable, the next one probably is too (a loop that rebinds
        its parameters), and a look at the variables is far cheaper than a walk through everything.
        A loop's variable is the last resort: it denotes another tensor in every round.
        """
        local, home = names.in_frames(tensor, frame)
        looped = local is not None and home is not None and local in loop_names(home.f_code)
        if self._simple and local is not None and not looped:
            return local, home, False
        self._simple = False
        if self.found.name(tensor) is None and 0 not in self._walked:
            self.found = self._walked[0] = names.walk(self.namespace)
        name = self._lasting(tensor)
        if name is not None and not (looped and name == local):
            self._simple = name.isidentifier()
            return name, _module_frame(frame), False
        if local is not None and not looped:
            self._simple = True
            return local, home, False
        for inner in names.frames_of(frame):
            if id(inner) not in self._walked:
                self._walked[id(inner)] = names.walk(names.variables(inner))
            found = self._walked[id(inner)]
            loops = loop_names(inner.f_code)
            name = next((n for n in found.names(tensor) if n not in loops), None)
            if name is not None:
                if id(tensor) in found.registered:
                    self._registered.add(id(tensor))
                return name, inner, False
        name = self._elsewhere(tensor, frame)
        if name is not None:
            return name, _module_frame(frame), False
        return local, home, looped

    def _elsewhere(self, tensor: Tensor, frame: FrameType | None) -> str | None:
        """Its name among the variables of other modules of the user's whose code is running.

        Those of an imported module, or of a script that ``runpy`` runs, are none of the namespace.
        """
        for variables in names.globals_of(frame, self.namespace):
            if id(variables) not in self._walked:
                self._walked[id(variables)] = names.walk(variables)
            found = self._walked[id(variables)]
            loops = loop_names_of(str(variables.get("__file__", "")))
            name = next((n for n in found.names(tensor) if n not in loops), None)
            if name is not None:
                if id(tensor) in found.registered:
                    self._registered.add(id(tensor))
                return self._told_apart(name, variables)
        return None

    def _told_apart(self, name: str, variables: Mapping[str, object]) -> str:
        """The name, after its module's where the namespace or another module has such a one."""
        match = _ROOT.match(name)
        root = match.group() if match else name
        if root not in self.namespace and (
            self._module_of_name.setdefault(root, id(variables)) == id(variables)
        ):
            return name
        return f"{names.module_name(variables)}.{name}"

    def _lasting(self, tensor: Tensor) -> str | None:
        """Its shortest name in the namespace that is no loop's variable, if it has one."""
        called = self.found.names(tensor)
        if len(called) < 2:
            return called[0] if called else None
        loops = loop_names(self.module_code)
        return next((n for n in called if n not in loops), called[0])

    # -- replaced leaves ---------------------------------------------------------------

    def _rebinding(
        self,
        name: str,
        old: Leaf,
        new: Leaf,
        frame: FrameType | None,
        module: torch.nn.Module | None,
        maker: CodeType | None = None,
    ) -> list[Rebinding]:
        match = _ROOT.match(name)
        root = match.group() if match else name
        home = self._home_of(root, frame)
        code = home.f_code if home is not None else maker or self.module_code
        known = self._modules.get(old.id)
        attribute = "" if root == name else None
        if module is not None and known is not None and known() is module:
            attribute = name.rpartition(".")[2]  # the module is the same: its parameter is not
        site, derived = -1, None
        made: Sequence[tuple[CodeType, int]] = ()
        if code is not None:
            birth = self.births.pop(new.place, None)
            if birth is not None and birth.ref() is new.tensor():
                made = self.sources.frames(birth.site)
            first = not old.reached and old.born < 0
            now = home.f_lineno if home is not None else 0
            born = birth.site if made and birth is not None else -1
            key = (born, self.sources.at_line(code, now), root, attribute, first)
            answer = self._bound.get(key) if made else None
            if answer is None:
                answer = self.derivation.of_binding(
                    home, code, root, first=first, born=made, attribute=attribute
                )
                if made and len(self._bound) < MOST_BOUND:
                    self._bound[key] = answer
            where, line, derived = answer
            if line:
                site = self.sources.at_line(where, line)
                self._spots[root] = (site, derived)
            elif attribute:
                derived = self.derivation.of_setting(code)
            elif module is not None and known is not None and _is_argument(root, home):
                if known() is not module:
                    return []  # called with one model, then with another one
            elif root == name and _is_argument(root, home):
                return []  # nothing in the function binds it: called with one tensor, then another
        if site < 0 and not attribute:
            site, derived = self._spots.get(root, (-1, None))
        new.born = site
        return [Rebinding(name, old, new, site, derived)]

    def _module_of(self, name: str, frame: FrameType | None) -> torch.nn.Module | None:
        """The module that a name like ``net.layers[0].weight`` starts from."""
        if name.isidentifier():
            return None
        match = _ROOT.match(name)
        root = match.group() if match else name
        if _scope_of(frame) is None or frame is None:
            found = self.namespace.get(root)
        else:
            found = names.variables(frame).get(root)
        return found if isinstance(found, torch.nn.Module) else None

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


def _is_argument(name: str, frame: FrameType | None) -> bool:
    """Whether it is a parameter of the frame's function."""
    if frame is None:
        return False
    code = frame.f_code
    return name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _scope_of(frame: FrameType | None) -> CodeType | None:
    """The function that a name belongs to; None for the namespace."""
    if frame is None or frame.f_code.co_name == "<module>":
        return None
    return frame.f_code


def _module_frame(frame: FrameType | None) -> FrameType | None:
    """The module-level frame of the user's code that led here."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and is_user(frame.f_code):
            return frame
        frame = frame.f_back
    return None


def is_open_leaf(tensor: Tensor) -> bool:
    """A leaf that requires grad. A view is not asked: asking can rebuild or break its graph.

    What ``torch.func`` passes around (inside ``vmap``, ``grad``) wraps a tensor and has no numbers.
    """
    try:
        if tensor._is_view() or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            return False
        return tensor.requires_grad and tensor.is_leaf
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

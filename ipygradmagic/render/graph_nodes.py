"""The nodes of the picture of a graph: leaves by their fate, modules, operations, optimizers.

Colours are written out, not left to a style sheet, so that a saved PNG or DOT file has them, too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape

import graphviz

from ipygradmagic.language import ntr, tr
from ipygradmagic.record.graph import Node, Saved
from ipygradmagic.record.tensors import OptimizerInfo
from ipygradmagic.render import words
from ipygradmagic.render.cells import chinese
from ipygradmagic.render.condense import Group, kinds
from ipygradmagic.render.fates import (
    BROKEN,
    COLOURS,
    NONE,
    STALE,
    SUMMED,
    ZERO,
    Fate,
)
from ipygradmagic.render.numbers import NBSP, SHORT, brief, count, number, shape_words
from ipygradmagic.render.rich_parts import cell_len
from ipygradmagic.render.scene import FROZEN, SEVERAL_LINES, WORST_FIRST, Scene, worst

MOST_LABEL = 40
MOST_SAVED = 4
"""So many tensors that an operation keeps are listed."""
FEW_LEAVES = 4
"""A module with so many leaves lists them; one with more counts them."""
GREY = "#8a8a8a"
LOSS = "#cc79a7"
"""Of the loss and of the gradient that flows from it."""
OPTIMIZER = "#0072b2"
ODD = "#d55e00"
TINT = "29"
"""Opacity of a fill, as the last two digits of its colour."""
_SHAPES = {
    BROKEN: {"shape": "octagon"},
    STALE: {"shape": "box", "style": "bold"},
    SUMMED: {"shape": "box", "peripheries": "2"},
    ZERO: {"shape": "box"},
    NONE: {"shape": "box", "style": "rounded,dotted"},
}
"""Outlines that tell fates apart without their colours; the others are rounded boxes."""


def label_of(node: Node) -> str:
    """What a node is called."""
    return words.clean(node.label or node.kind, MOST_LABEL)


def html_label(title: str, *small: str, strong: Sequence[str] = ()) -> str:
    """An HTML-like label: a title, small lines, and lines that stand out."""
    rest = [s for s in small if s]
    lines = [f"<b>{_roomy(title)}</b>" if rest or strong else _escaped(title)]
    lines += [f'<font point-size="9">{_escaped(s)}</font>{_strut(s)}' for s in rest]
    lines += [f'<b><font point-size="9">{_roomy(s)}</font></b>{_strut(s)}' for s in strong if s]
    return f"<{'<br/>'.join(lines)}>"


def _strut(text: str) -> str:
    """Nothing to be seen, and higher than the text, where that is Chinese: such characters fill
    their line, and would touch those above and below."""
    return f'<font point-size="13">{NBSP}</font>' if chinese(text) else ""


def _roomy(text: str) -> str:
    """Bold text, with blanks about a long one: where there is no Helvetica it is shown wider than
    the layout program reckons, and would stick out of its box."""
    said = _escaped(text)
    blanks = "\u00a0" * (max(0, min(cell_len(text), 2 * MOST_LABEL) - 20) // 4)
    return f"{blanks}{said}{blanks}"


def end_label(said: Sequence[str]) -> str:
    """The label of a dead end: a line for each input."""
    return f"<{'<br/>'.join(f'⊣ {_escaped(s)}' for s in said)}>"


def _escaped(text: str) -> str:
    # Graphviz takes a backslash and N for the name of the node, even in HTML-like labels
    return escape(words.clean(text, 2 * MOST_LABEL)).replace("\\", "\\\\") or " "


def painted(kind: str, colour: str) -> dict[str, str]:
    """Class, line and fill."""
    return {"class": f"gm-{kind}", "color": colour, "fillcolor": colour + TINT}


def outline(found: Fate | None) -> dict[str, str]:
    """How the box of a gradient in that state is drawn."""
    if found is None:
        return {"shape": "box", "style": "rounded,filled", **painted("leaf", GREY)}
    wanted = {"shape": "box", "style": "rounded", **_SHAPES.get(found, {})}
    if found.line == "dashed":
        wanted["style"] = "rounded,dashed"
    elif "style" not in _SHAPES.get(found, {}) and found in _SHAPES:
        wanted["style"] = "solid"
    wanted["style"] += ",filled"
    return {**wanted, "penwidth": f"{found.width:g}", **painted(found.name, COLOURS[found.name])}


def add_group(
    dot: graphviz.Digraph, group: Group, scene: Scene, inside: str = "", times: int = 1
) -> None:
    """One node of the picture.

    Args:
        dot: Where to.
        group: What the node stands for.
        scene: Its surroundings.
        inside: Path of the module around it, which its label need not repeat.
        times: How many equal modules it stands for.
    """
    node, name = group.single, f"n{group.id}"
    if node is not None and node.kind == "leaf":
        add_leaf(dot, name, label_of(node), node.tensor, node.shape, scene)
    elif group.leaves:
        _add_block(dot, name, group, scene, _tail(group, inside, times))
    elif node is not None and node.kind == "loss":
        said = "" if label_of(node) == "loss" else tr("the loss")
        look = {"shape": "box", "style": "filled", "penwidth": "2", **painted("loss", LOSS)}
        dot.node(name, html_label(label_of(node), said, *_passing(node)), **look)
    elif node is None:
        said = kinds(group.nodes)
        dot.node(
            name, html_label(_tail(group, inside, times), said), shape="box", style="rounded", **_OP
        )
    else:
        size = shape_words(node.shape) if node.shape else ""
        text = f"{label_of(node)} {size}".rstrip()
        look = {"shape": "box", "style": "rounded", **_OP}
        dot.node(name, html_label(text, *_passing(node)), **look)


def _passing(node: Node) -> list[str]:
    """What went through an operation, where the trace taught: its result, and what came back."""
    shape = node.shape or ()
    said = [tr("value {value}", value=brief(node.value, shape))] if node.value is not None else []
    said += [f"grad {brief(node.grad, shape)}"] if node.grad is not None else []
    return said + [_kept(saved) for saved in node.saved[:MOST_SAVED]]


def _kept(saved: Saved) -> str:
    """A tensor that an operation keeps for the backward."""
    if saved.shape is None:
        return tr("keeps {name}, packed", name=words.short(saved.name))
    few = saved.value is not None and saved.value.numel <= SHORT
    said = brief(saved.value, saved.shape) if few else shape_words(saved.shape)
    return tr("keeps {name} {value}", name=words.short(saved.name), value=said)


_OP = {"class": "gm-op", "color": GREY}


def add_leaf(
    dot: graphviz.Digraph,
    name: str,
    label: str,
    tensor: int | None,
    shape: Sequence[int] | None,
    scene: Scene,
) -> None:
    """A leaf with its shape, value and gradient, in the line and word of its fate."""
    state = scene.state(tensor)
    small = [shape_words(shape)] if shape else []
    strong = []
    if state is not None:
        if state.value is not None:
            small.append(tr("value {value}", value=brief(state.value, shape or ())))
        small.append(f"grad {brief(state.grad, shape or ())}")
        strong.append("" if state.grad is None else state.words)
        strong.append(tr(SEVERAL_LINES) if state.mixed else "")
    if not scene.arrows and tensor in scene.reached and scene.owners(tensor):
        small.append(in_optimizer(scene.owners(tensor), 2))
    remark = scene.remark(tensor)
    shown = tr(remark) if remark else ""
    look = outline(scene.fate(tensor))
    if tensor not in scene.reached and remark != FROZEN:
        strong.append(f"∅ {shown}")
        look |= {"penwidth": "2", **painted("odd", ODD)}
    else:
        strong.append(shown)
    dot.node(name, html_label(label, *small, strong=strong), **look)


def _tail(group: Group, inside: str, times: int) -> str:
    label = group.label.removeprefix(f"{inside}.") if inside else group.label
    short = words.clean(label, MOST_LABEL)
    return f"{short}  × {count(times)}" if times > 1 else short


def _add_block(dot: graphviz.Digraph, name: str, group: Group, scene: Scene, title: str) -> None:
    """A module, or leaves that were joined: how many there are, and what became of them."""
    leaves = group.leaves
    distinct = dict.fromkeys(_own_name(n) for n in leaves)
    listed = len(leaves) == len(distinct) <= FEW_LEAVES
    small = [
        words.listed(distinct) if listed else "",
        "" if listed or not group.module else words.tensors(len(leaves)),
        kinds(group.nodes),
        _norms(leaves, scene),
    ]
    strong = [fates_said(leaves, scene)]
    remarks = Counter(r for n in leaves if (r := scene.remark(n.tensor)))
    mixed = sum(s.mixed for n in leaves if (s := scene.state(n.tensor)) is not None)
    strong += (
        [tr("{number} {remark}", number=count(mixed), remark=tr(SEVERAL_LINES))] if mixed else []
    )
    small += [] if scene.arrows else [owners_said(leaves, scene)]
    strong += [tr("{number} {remark}", number=count(n), remark=tr(r)) for r, n in remarks.items()]
    found = worst(scene.fate(n.tensor) for n in leaves)
    dot.node(name, html_label(title, *small, strong=strong), **outline(found))


def owners_said(leaves: Sequence[Node], scene: Scene) -> str:
    """Which optimizers step them: ``in optimizer opt``, or how many where not all are in it."""
    tally = Counter(o for n in leaves for o in scene.owners(n.tensor))
    every = [name for name, n in tally.items() if n == len(leaves)]
    some = [_part(name, n, len(leaves)) for name, n in tally.items()]
    return in_optimizer(every if len(every) == len(tally) else some[:2], 2)


def _part(name: str, n: int, whole: int) -> str:
    return tr("{name} ({part} of {whole})", name=name, part=count(n), whole=count(whole))


def in_optimizer(names: Sequence[str], most: int) -> str:
    """``in optimizer opt``; one of that very name is not named twice."""
    said = words.listed(names, most)
    if not said:
        return ""
    if said.startswith("optimizer"):
        return tr("in {name}", name=said)
    return tr("in optimizer {name}", name=said)


def _own_name(leaf: Node) -> str:
    return leaf.label.rpartition(".")[2]


def _norms(leaves: Sequence[Node], scene: Scene) -> str:
    """Smallest and largest norm of the gradients."""
    states = [s for n in leaves if (s := scene.state(n.tensor)) is not None]
    norms = [s.grad.norm for s in states if s.grad is not None and s.grad.norm is not None]
    finite = sorted(n for n in norms if math.isfinite(n))
    ends = dict.fromkeys(number(n, 2) for n in finite[:1] + finite[-1:])
    broken = [tr("NaN or ∞")] if len(finite) < len(norms) else []
    said = words.phrases([" … ".join(ends)] * bool(ends) + broken)
    if not said:
        return ""
    return ntr("grad norm {said}", "grad norms {said}", len(norms), said=said)


def fates_said(leaves: Sequence[Node], scene: Scene) -> str:
    """``▲ stale ×2, ● fresh ×190``; of one fate only, its word alone."""
    tally = Counter(f for n in leaves if (f := scene.fate(n.tensor)) is not None)
    if len(tally) == 1 and sum(tally.values()) == len(leaves):
        (found,) = tally
        word = tr(found.word)
        if len(leaves) > 1:
            word = tr("all {state}", state=word)
        return f"{found.mark} {word}"
    return words.phrases(
        f"{f.mark} {tr(f.word)} ×{count(tally[f])}" for f in WORST_FIRST if f in tally
    )


def optimizer_label(optimizer: OptimizerInfo, group: int) -> str:
    """Name, class and learning rate of one parameter group."""
    name = words.clean(optimizer.name, MOST_LABEL)
    cls = words.clean(optimizer.cls, MOST_LABEL)
    said = tr("optimizer") if cls == name else tr("{cls} optimizer", cls=cls)
    if len(optimizer.groups) > 1:
        said = words.phrases((said, tr("group {i}", i=group + 1)))
    settings = [f"{k} {v}" for k, v in optimizer.groups[group].settings if k == "lr"]
    return html_label(name, said, *settings)

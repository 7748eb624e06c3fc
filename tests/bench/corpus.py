"""The programs of the benchmark, and what each of them says about itself.

A program of ``programs/pattern`` is a pair: ``07_name.buggy.py`` and ``07_name.right.py``, whose
difference is the fix. Its first lines are a header::

    # pattern: 7
    # expect: stale-gradient | leaked-gradient      (buggy; or ``none: reason``)
    # raises: RuntimeError                          (buggy, if it does)
    # runs: 1 2 2 3                                 (cells in the order they are run)
    # untraced: 2                                   (cells without the magic)

A finding must point at a line that ends in ``# BUG``: where the mistake is, or where it takes
effect. Files with lines ``# %%`` are notebooks. ``programs/tricky`` holds right programs that
look suspicious. The programs of ``tests/programs`` are borrowed by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests import programs_harness

PROGRAMS = Path(__file__).parent / "programs"
CELL = re.compile(r"^# %%.*$", re.M)
_HEAD = re.compile(r"^# (pattern|expect|raises|runs|untraced): (.+)$", re.M)


@dataclass(frozen=True)
class Cell:
    """One cell: its text, with empty lines in front so that lines number as in the file."""

    file: str
    text: str
    traced: bool = True


@dataclass(frozen=True)
class Program:
    """A program of the benchmark.

    Attributes:
        name: Without folder and ending; a pair has one name.
        pattern: Number of the bug pattern, 0 for tricky programs.
        expect: Acceptable names of the finding; empty for right programs and unseeable bugs.
        unseen: Why gradients cannot show this bug, or "".
        marked: Lines that the finding may point at.
        raises: Name of the exception that ends it, or "".
        cells: In the order they run, a cell that runs twice appearing twice.
    """

    path: Path
    name: str
    pattern: int
    buggy: bool
    expect: tuple[str, ...]
    unseen: str
    marked: tuple[int, ...]
    raises: str
    cells: tuple[Cell, ...]
    borrowed: bool = False

    @property
    def seeable(self) -> bool:
        """A buggy program whose bug gradients can show."""
        return self.buggy and not self.unseen


def read(path: Path) -> Program:
    """One program of ``programs``, from its header."""
    text = path.read_text(encoding="utf-8")
    head = dict(_HEAD.findall(text))
    buggy = path.name.endswith(".buggy.py")
    expect = head.get("expect", "")
    unseen = expect.removeprefix("none:").strip() if expect.startswith("none:") else ""
    names = () if unseen or not expect else tuple(n.strip() for n in expect.split("|"))
    lines = text.splitlines()
    return Program(
        path=path,
        name=path.name.removesuffix(".py").removesuffix(".buggy").removesuffix(".right"),
        pattern=int(head.get("pattern", 0)),
        buggy=buggy,
        expect=names,
        unseen=unseen,
        marked=tuple(n for n, line in enumerate(lines, 1) if line.endswith("  # BUG")),
        raises=head.get("raises", ""),
        cells=_cells(path, text, head),
    )


def _cells(path: Path, text: str, head: dict[str, str]) -> tuple[Cell, ...]:
    marks = [m.start() for m in CELL.finditer(text)]
    if not marks:
        return (Cell(str(path), text),)
    silent = [int(n) for n in head.get("untraced", "").split()]
    cells = []
    for n, (start, end) in enumerate(zip(marks, [*marks[1:], len(text)]), 1):
        before = "\n" * text[:start].count("\n")
        file = f"<{path.name.removesuffix('.py')}, cell {n}>"
        cells.append(Cell(file, before + text[start:end], n not in silent))
    order = head.get("runs", "").split() or range(1, len(cells) + 1)
    return tuple(cells[int(n) - 1] for n in order)


def pairs() -> list[tuple[Program, Program]]:
    """(buggy, right) of every pair, by pattern."""
    found = sorted((PROGRAMS / "pattern").glob("*.buggy.py"))
    return [(read(p), read(p.with_name(p.name.replace(".buggy.py", ".right.py")))) for p in found]


def tricky() -> list[Program]:
    """Right programs that look suspicious."""
    return [read(p) for p in sorted((PROGRAMS / "tricky").glob("*.py"))]


def borrowed() -> list[Program]:
    """The programs of ``tests/programs``, which have no twins."""
    found = []
    pattern_of = {name: number for number, names in BORROWED.items() for name in names.split()}
    for path in programs_harness.BUGGY:
        says = programs_harness.expectation(path)
        found.append(
            Program(
                path=path,
                name=path.stem,
                pattern=pattern_of.get(path.stem, 1),
                buggy=True,
                expect=says.names,
                unseen="",
                marked=says.lines,
                raises=says.raises or "",
                cells=(Cell(str(path), path.read_text(encoding="utf-8")),),
                borrowed=True,
            )
        )
    for path in programs_harness.RIGHT:
        cells = (Cell(str(path), path.read_text(encoding="utf-8")),)
        found.append(Program(path, path.stem, 0, False, (), "", (), "", cells, borrowed=True))
    return found


BORROWED: dict[int, str] = {
    2: "forgot_in_one_branch forgot_because_of_continue curriculum_zero_skips_first",
    3: "zero_at_epoch_start_drops_window",
    4: "amp_zero_per_micro_batch zero_per_micro_batch",
    5: "step_before_backward zero_between_backward_and_step zero_between_set_to_none_false",
    6: "ewc_fisher_left_over leftover_sanity_check_function leftover_warmup_pass",
    11: "clip_after_step",
    15: "zero_exhausted_generator",
    18: "head_replaced_after_optimizer lora_after_optimizer",
    19: "optimizer_holds_replaced_leaf",
    20: "k_fold_old_optimizer siamese_copied_branch",
    21: "layers_in_plain_list",
    25: "bias_not_in_optimizer layer_never_used",
    26: "graph_cut_by_item",
    27: "loss_rewrapped",
    28: "loss_requires_grad_as_fix",
    29: "non_leaf_weight_printed non_leaf_weight_raises",
    31: "backward_twice_freed hutchinson_forgets_create_graph",
    32: "hidden_state_not_detached",
    34: "gan_leak_into_discriminator gan_leak_g_first sac_actor_leaks_into_critic",
    35: "loss_without_graph_raises",
    39: "lbfgs_zero_outside_closure sgd_closure_without_zero",
    41: "backward_outside_loop step_without_backward",
    45: "exploding_to_inf nan_gradient_from_sqrt",
}
"""Programs of ``tests/programs/buggy`` by pattern; whatever is not named is of pattern 1."""

TITLES: dict[int, str] = {
    1: "zero_grad missing",
    2: "zero_grad missing in one branch",
    3: "zero_grad at epoch start",
    4: "zero_grad per micro-batch",
    5: "zero_grad between backward and step",
    6: "left over from a warm-up pass",
    7: "accumulation not divided by N",
    8: "accumulation divided twice",
    9: "partial last window",
    10: "clip per micro-batch",
    11: "clip after step",
    12: "clip before backward",
    13: "clip before unscale_",
    14: "unscale_ twice",
    15: "exhausted generator",
    16: "GradScaler skips the step",
    17: "scheduler before optimizer",
    18: "head replaced after optimizer",
    19: "parameters re-created after optimizer",
    20: "model built twice",
    21: "layers in a plain list or dict",
    22: "layers created in forward",
    23: "module.requires_grad = False",
    24: "frozen after backward",
    25: "wrong parameters handed over",
    26: ".item() or numpy in the loss",
    27: ".data or re-wrapped loss",
    28: "loss.requires_grad = True as a fix",
    29: "non-leaf by .to() or arithmetic",
    30: "in-place update of a leaf",
    31: "step between two backwards",
    32: "hidden state not detached",
    33: "losses summed with their graphs",
    34: "another loss's gradients left",
    35: "gradients switched off globally",
    36: "no_sync off by one (DDP)",
    37: "changed after DDP wrapping",
    38: "re-entrant checkpoint, frozen input",
    39: "LBFGS: zero_grad outside closure",
    40: ".grad read after set_to_none",
    41: "no backward at all",
    42: "step() consumes the gradients",
    43: "parameters never move",
    44: "cell run again or out of order",
    45: "vanishing, exploding, NaN, dead",
}

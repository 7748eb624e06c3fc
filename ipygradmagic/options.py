"""The options of one trace, frozen and validated once."""

from __future__ import annotations

from dataclasses import dataclass

from ipygradmagic.errors import OptionError
from ipygradmagic.language import LANGUAGES

FORMATS = ("auto", "html", "text", "svg", "png")
LEVELS = ("full", "events")
SAVED = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".parquet")
"""Ends of file names to which a run can be saved; each stands for its format."""

PICTURES = (".svg", ".png", ".dot")
"""Ends of file names to which a picture can be saved."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a trace records and how its report is shown.

    Attributes:
        names: Tensors to show, by name or shell-style pattern (``w``, ``model.*``);
            empty shows all. Recording and diagnosis always cover every tensor.
        rows: Most timeline rows to show before loops are folded harder; at least 5.
        graph: Draw the picture of loss, operations, leaves and optimizers.
        format: ``auto`` publishes HTML and text together, ``html`` or ``text`` one of them; ``svg``
            and ``png`` the text and the pictures, for front ends that show images but no HTML.
        level: ``full`` keeps numbers of every gradient and parameter. ``events`` keeps the events,
            the ledger and the verdict, and leaves the numbers of a model that an optimizer steps
            unread: cheaper, but NaN is noticed only once the loss is not finite, and findings that
            compare sizes (vanishing or exploding gradients, clipping before unscale_) are not made.
        save: File to which every event is written as it happens, or None. The end of its name
            chooses the format (see ``SAVED``); it must not exist yet. The columns are those
            of :mod:`ipygradmagic.record.stream`.
        ignore: Names of findings that are silenced: they are no alarm, and the report says so.
        depth: Levels of module names that pictures of graphs open; None opens as many as there
            is room for.
        backward: Number of the one backward whose picture is shown (``backward #3``); None shows
            one for each line.
        save_graph: File to which the first picture is written, or None. The end of its name
            chooses the format (see ``PICTURES``); it must not exist yet.
        strict: Stop the code at the first finding of severity *error*, by a
            :class:`~ipygradmagic.errors.GradientLifecycleError`.
        saved: Say of each operation in the picture of a graph what it keeps for the backward.
        teach: Note what passes through small graphs, and draw it: the result of every operation and
            the gradient that arrives there, up to 16 elements each. Slow, and for the first pass of
            each backward line.
        lang: Language of the findings and of the report (see :mod:`ipygradmagic.language`).

    Raises:
        OptionError: A value is out of its range; the message says what is allowed.
    """

    names: tuple[str, ...] = ()
    rows: int = 40
    graph: bool = True
    format: str = "auto"
    save: str | None = None
    level: str = "full"
    ignore: tuple[str, ...] = ()
    strict: bool = False
    teach: bool = False
    saved: bool = False
    depth: int | None = None
    backward: int | None = None
    save_graph: str | None = None
    lang: str = "auto"

    def __post_init__(self) -> None:
        if self.rows < 5:
            raise OptionError(f"rows is {self.rows}, but at least 5 rows are needed to show a loop")
        if self.format not in FORMATS:
            raise OptionError(f"format is {self.format!r}; choose one of {', '.join(FORMATS)}")
        if self.level not in LEVELS:
            raise OptionError(f"level is {self.level!r}; choose one of {', '.join(LEVELS)}")
        if self.lang not in LANGUAGES:
            raise OptionError(f"lang is {self.lang!r}; choose one of {', '.join(LANGUAGES)}")
        if self.save is not None and not self.save.lower().endswith(SAVED):
            raise OptionError(
                f"save is {self.save!r}, and the end of that name is no known format; give a name "
                f"that ends in {', '.join(SAVED[:-1])} (JSON Lines) or {SAVED[-1]} (Parquet)"
            )
        if self.save_graph is not None and not self.graph:
            raise OptionError("save_graph needs a graph, but pictures are switched off")
        if self.depth is not None and self.depth < 1:
            raise OptionError(f"depth is {self.depth}; give 1 (the outermost modules) or more")
        if self.backward is not None and self.backward < 1:
            raise OptionError(
                f"backward is {self.backward}; give the number of a backward of the run, from 1"
            )
        if self.save_graph is not None and not self.save_graph.lower().endswith(PICTURES):
            raise OptionError(
                f"save_graph is {self.save_graph!r}, and the end of that name is no known format; "
                f"give a name that ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}"
            )

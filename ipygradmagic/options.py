"""The options of one trace, frozen and validated once."""

from __future__ import annotations

from dataclasses import dataclass

from ipygradmagic.errors import OptionError

FORMATS = ("auto", "html", "text")


@dataclass(frozen=True, slots=True)
class Options:
    """What a trace records and how its report is shown.

    Attributes:
        names: Tensors to show, by name or shell-style pattern (``w``, ``model.*``);
            empty shows all. Recording and diagnosis always cover every tensor.
        rows: Most timeline rows to show before loops are folded harder; at least 5.
        graph: Draw the picture of loss, operations, leaves and optimizers.
        format: ``auto`` publishes HTML and text together, ``html`` or ``text`` one of them.

    Raises:
        OptionError: A value is out of its range; the message says what is allowed.
    """

    names: tuple[str, ...] = ()
    rows: int = 40
    graph: bool = True
    format: str = "auto"

    def __post_init__(self) -> None:
        if self.rows < 5:
            raise OptionError(f"rows is {self.rows}, but at least 5 rows are needed to show a loop")
        if self.format not in FORMATS:
            raise OptionError(f"format is {self.format!r}; choose one of {', '.join(FORMATS)}")

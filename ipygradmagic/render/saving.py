"""A picture as a file of its own, with its caption and legend in it."""

from __future__ import annotations

import os
from pathlib import Path

from ipygradmagic.errors import OptionError
from ipygradmagic.render.cells import wrapped
from ipygradmagic.render.graph_nodes import html_label
from ipygradmagic.render.layout import export, one_font
from ipygradmagic.render.pictures import legend_lines, picture_of
from ipygradmagic.render.scene import Scene

WIDTH = 76
"""Characters of a line of the caption."""


def refuse_existing(file: str) -> None:
    """Complain while nothing has run.

    Raises:
        OptionError: There is such a file already, or no folder to put it in.
    """
    path = Path(file).expanduser()
    if path.exists():
        raise OptionError(f"save_graph: {file} exists already; it is not overwritten")
    if not path.parent.is_dir():
        raise OptionError(f"save_graph: there is no folder {os.fspath(path.parent)!r}")


def speaks(file: str, lang: str) -> str:
    """The language of the words in the picture: English where no other can be written."""
    return "en" if one_font(_kind(file)) else lang


def _kind(file: str) -> str:
    return Path(file).suffix.lower().lstrip(".")


def save(scene: Scene, title: str, file: str, depth: int | None = None) -> None:
    """Write the picture of a scene to a new file; the end of its name chooses the format.

    Raises:
        OptionError: There is such a file already, or it cannot be written.
        LayoutUnavailableError: There is no layout program, or it cannot write such a file.
    """
    path = Path(file).expanduser()
    picture = picture_of(scene, title, depth)
    lines = [title, *([picture.note] if picture.note else []), *legend_lines(scene.fates())]
    source = captioned(picture.dot, lines)
    content = export(source, _kind(file))
    try:
        with path.open("xb") as target:
            target.write(content)
    except FileExistsError:
        raise OptionError(f"save_graph: {file} exists already; it is not overwritten") from None
    except OSError as error:
        raise OptionError(f"save_graph: {file} cannot be written ({error.strerror})") from None


def captioned(dot: str, lines: list[str]) -> str:
    """The DOT source with lines of text below the picture."""
    lines = [short for line in lines for short in wrapped(line, WIDTH)] or [""]
    head, brace, body = dot.partition("{")
    label = f"fontname=Helvetica\n\tlabel={html_label(lines[0], *lines[1:])}\n\tlabelloc=b"
    return f"{head}{brace}\n\t{label}{body}"

"""The main job from a shell: a script traced as a whole, or a notebook run cell by cell."""

from __future__ import annotations

import argparse
import builtins
import json
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from IPython.core.interactiveshell import InteractiveShell

from ipygradmagic.errors import GradMagicError, OptionError
from ipygradmagic.notebook.arguments import names_in
from ipygradmagic.notebook.explain import explained
from ipygradmagic.notebook.publish import width_of

_EPILOG = "A script is traced from its first line to its last; a notebook is run as it is."


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 0, or 1 if the code failed, 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        prog="python -m ipygradmagic",
        description="Run a Python script or a notebook and print what happened to the gradients.",
        epilog=_EPILOG,
    )
    parser.add_argument("file", nargs="?", help="a script (.py) or a notebook (.ipynb)")
    parser.add_argument("--html", metavar="OUT", help="also write the script's report as HTML")
    parser.add_argument(
        "--save", metavar="FILE", help="also write the script's every event to FILE"
    )
    parser.add_argument(
        "--ignore",
        metavar="NAME",
        action="append",
        default=[],
        help="silence a finding of the script (repeat it, or separate names by commas)",
    )
    parser.add_argument("--strict", action="store_true", help="stop the script at its first error")
    parser.add_argument("--explain", metavar="NAME", help="only print the page of a finding")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the script")
    given = parser.parse_args(list(arguments))
    if given.explain is not None:
        return explain(given.explain)
    if given.file is None:
        parser.error("the following arguments are required: file")
    path = Path(given.file)
    if not path.is_file():
        parser.error(f"no such file: {given.file}")
    if path.suffix == ".ipynb":
        if given.ignore or given.strict:
            parser.error("--ignore and --strict are for scripts; a notebook's cells say their own")
        return run_notebook(path)
    ignore = names_in(given.ignore)
    return run_script(path, given.arguments, given.html, given.save, ignore, given.strict)


def explain(name: str) -> int:
    """Print the page of a finding."""
    try:
        print(explained(name).text(min(width_of(terminal=True), 100)))
    except OptionError as error:
        print(f"python -m ipygradmagic: error: {error}", file=sys.stderr)
        return 2
    return 0


def run_script(
    path: Path,
    arguments: Sequence[str],
    html: str | None = None,
    save: str | None = None,
    ignore: tuple[str, ...] = (),
    strict: bool = False,
) -> int:
    """Run a script as ``python script.py`` would, traced; print its report to stdout."""
    from ipygradmagic.api import trace

    source = path.read_bytes()
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    namespace: dict[str, object] = {
        "__name__": "__main__",
        "__file__": str(path),
        "__builtins__": builtins,
    }
    status = 0
    block = trace(namespace=namespace, title=path.name, save=save, ignore=ignore, strict=strict)
    try:
        with ExitStack() as stack:
            try:
                stack.enter_context(block)
            except OptionError as error:  # the file to save to, or a finding's name
                print(f"python -m ipygradmagic: error: {error}", file=sys.stderr)
                return 2
            exec(compile(source, str(path), "exec"), namespace)
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    print(block)
    if html is not None:
        Path(html).write_text(block.report().html(), encoding="utf-8")
    return status


def run_notebook(path: Path) -> int:
    """Run a notebook's cells in a fresh shell, showing what each one displays as text."""
    cells = _code_cells(path)
    home = os.getcwd()
    os.chdir(path.resolve().parent)
    shell: Any = InteractiveShell.instance(colors="nocolor")
    status = 0
    try:
        for number, (source, may_fail) in enumerate(cells, 1):
            print(f"\nIn [{number}]:\n{_indented(source)}\n")
            result = shell.run_cell(source, store_history=True)
            if not result.success and not may_fail:
                status = 1
                break
    finally:
        os.chdir(home)
        InteractiveShell.clear_instance()
    return status


def _code_cells(path: Path) -> list[tuple[str, bool]]:
    """Source of every code cell, and whether it is marked as one that raises."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = [c for c in notebook["cells"] if c["cell_type"] == "code"]
        return [("".join(c["source"]), "raises-exception" in _tags(c)) for c in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise GradMagicError(f"{path} is not a notebook of format 4: {error}") from None


def _tags(cell: dict[str, object]) -> list[object]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return cast(list[object], tags) if isinstance(tags, list) else []


def _indented(source: str) -> str:
    return "\n".join(f"    {line}" for line in source.rstrip().splitlines())

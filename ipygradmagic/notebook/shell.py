"""The main job from a shell: a script traced as a whole, or a notebook run cell by cell."""

from __future__ import annotations

import argparse
import builtins
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from ipygradmagic.diagnose.explain import refuse_unknown
from ipygradmagic.errors import GradMagicError, OptionError
from ipygradmagic.language import LANGUAGES
from ipygradmagic.notebook.arguments import names_in
from ipygradmagic.notebook.explain import explained
from ipygradmagic.notebook.publish import width_of
from ipygradmagic.options import LEVELS

NONE: Mapping[str, Any] = MappingProxyType({})
"""No setting of the user's."""
_EPILOG = "A script is traced from its first line to its last; a notebook is run as it is."


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 0, or 1 if the code failed, 2 for a wrong call."""
    parser = argparse.ArgumentParser(
        prog="python -m ipygradmagic",
        description="Run a Python script or a notebook and print what happened to the gradients.",
        epilog=_EPILOG,
    )
    parser.add_argument("file", nargs="?", help="a script (.py) or a notebook (.ipynb)")
    parser.add_argument("--html", metavar="OUT", help="also write the script's report as a page")
    parser.add_argument(
        "--save", metavar="FILE", help="also write the script's every event to FILE"
    )
    parser.add_argument(
        "--ignore",
        metavar="NAME",
        action="append",
        default=[],
        help="silence a finding (repeat it, or separate names by commas)",
    )
    parser.add_argument("--strict", action="store_true", help="stop at the first error")
    parser.add_argument("--level", choices=LEVELS, default="full", help="events costs less")
    parser.add_argument("--lang", choices=LANGUAGES, default="auto", help="of what is printed")
    parser.add_argument("--explain", metavar="NAME", help="only print the page of a finding")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the script")
    given = parser.parse_args(list(arguments))
    if given.explain is not None:
        return explain(given.explain, given.lang)
    if given.file is None:
        parser.error("the following arguments are required: file")
    path = Path(given.file)
    if not path.is_file():
        parser.error(f"no such file: {given.file}")
    ignore = names_in(given.ignore)
    try:
        refuse_unknown(ignore)
    except OptionError as error:
        parser.error(str(error))
    settings = {
        "ignore": list(ignore),
        "strict": given.strict,
        "level": given.level,
        "lang": given.lang,
    }
    if path.suffix == ".ipynb":
        if given.html or given.save:
            parser.error("--html and --save are for scripts; a notebook's cells say their own")
        return run_notebook(path, settings)
    return run_script(path, given.arguments, given.html, given.save, settings)


def explain(name: str, lang: str = "auto") -> int:
    """Print the page of a finding."""
    try:
        print(explained(name, lang).text(min(width_of(terminal=True), 100)))
    except OptionError as error:
        print(f"python -m ipygradmagic: error: {error}", file=sys.stderr)
        return 2
    return 0


def run_script(
    path: Path,
    arguments: Sequence[str],
    html: str | None = None,
    save: str | None = None,
    settings: Mapping[str, Any] = NONE,
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
    block = trace(namespace=namespace, title=path.name, save=save, **settings)
    try:
        with ExitStack() as stack:
            try:
                stack.enter_context(block)
            except OptionError as error:  # the file to save to
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
        block.to_html(html)
    return status


def run_notebook(path: Path, settings: Mapping[str, Any] = NONE) -> int:
    """Run a notebook's cells in a fresh shell, showing what each one displays as text.

    ``settings`` hold where its magics do not say.
    """
    cells = _code_cells(path)
    home = os.getcwd()
    os.chdir(path.resolve().parent)
    config = Config({"GradMagic": dict(settings)})
    shell: Any = InteractiveShell.instance(colors="nocolor", config=config)
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

"""Execute the demo notebooks from top to bottom in fresh kernels.

``python -m tests.demos.execute`` runs all of them and stores the outputs in place;
``python -m tests.demos.execute NOTEBOOK...`` runs some.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
DEMOS = sorted((ROOT / "demos").glob("*.ipynb"))


def execute(path: Path) -> nbformat.NotebookNode:
    """The notebook with fresh outputs; the file is left alone.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed that is not marked ``raises-exception``.
    """
    notebook = nbformat.read(path, as_version=4)
    here = {"metadata": {"path": str(ROOT)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=here).execute()
    return _without_folders(_without_timing(notebook))


def _without_folders(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop where Python is installed on this machine; tracebacks name files by their last folder."""
    text = nbformat.writes(notebook)
    paths = sysconfig.get_paths()
    for folder in {paths[k] for k in ("purelib", "platlib", "stdlib", "platstdlib")}:
        text = text.replace(str(Path(folder).parent) + os.sep, "…/")
    return nbformat.reads(text.replace(str(ROOT) + os.sep, ""), as_version=4)


def _without_timing(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs from run to run and says nothing: when each cell ran, which Python."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    language = notebook.metadata.get("language_info", {})
    notebook.metadata["language_info"] = {"name": language.get("name", "python")}
    return notebook


def main(paths: list[Path]) -> None:
    for path in paths or DEMOS:
        nbformat.write(execute(path), path)
        print(path.name)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])

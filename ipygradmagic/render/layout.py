"""Finding a Graphviz layout program, running it, and making its SVG fit for a notebook."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path

from ipygradmagic.errors import LayoutUnavailableError

ADVICE = (
    "To see graphs as pictures: pip install graphviz-pure "
    "(or install Graphviz so that `dot` is on the PATH)."
)
WIDEST = 680.0
"""Points. A wider picture is scaled down to about the width of a notebook cell."""

# Okabe-Ito marks; each reaches 3:1 on white and on #111
STYLE = """
text{fill:#222}
.node path,.node polygon{fill:none;stroke:#8a8a8a}
.edge path{stroke:#8a8a8a}.edge polygon{fill:#8a8a8a;stroke:#8a8a8a}
.gm-loss path,.gm-loss polygon{stroke:#cc79a7;fill:#cc79a7;fill-opacity:.16}
.gm-leaf path,.gm-leaf polygon{stroke:#009e73;fill:#009e73;fill-opacity:.16}
.gm-odd path,.gm-odd polygon{stroke:#d55e00;fill:#d55e00;fill-opacity:.16}
.gm-opt path,.gm-opt polygon{stroke:#0072b2;fill:#0072b2;fill-opacity:.16}
.gm-own path{stroke:#0072b2}.gm-own polygon{fill:#0072b2;stroke:#0072b2}
@media (prefers-color-scheme:dark){text{fill:#eee}}
"""


def layout(dot: str, timeout: float = 10.0) -> str:
    """Lay out DOT source; the SVG follows the reader's light or dark theme.

    Raises:
        LayoutUnavailableError: There is no layout program, it failed, or it took longer than
            ``timeout`` seconds. The message says how to get one.
    """
    program = find_program()
    if program is None:
        raise LayoutUnavailableError(f"No Graphviz layout program was found. {ADVICE}")
    return polish(_run(program, dot, timeout))


@lru_cache(maxsize=64)
def _run(program: str, dot: str, timeout: float) -> str:
    try:
        done = subprocess.run(
            [program, "-Tsvg"],
            input=dot.encode("utf-8", "replace"),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LayoutUnavailableError(f"The layout took longer than {timeout:g} s.") from None
    except OSError as error:
        raise LayoutUnavailableError(f"{program} could not be run ({error}). {ADVICE}") from None
    if done.returncode or b"<svg" not in done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise LayoutUnavailableError(
            f"{Path(program).name} failed: {said[0] if said else 'no output'}"
        )
    return done.stdout.decode("utf-8", "replace")


def find_program() -> str | None:
    """Path of ``dot`` if there is one, else of ``graphviz-pure`` from its wheel, else None."""
    system = shutil.which("dot")
    if system:
        return system
    beside = [sysconfig.get_path("scripts"), str(Path(sys.executable).parent)]
    for folder in [*beside, None]:
        found = shutil.which("graphviz-pure", path=folder)
        if found:
            return found
    return None


def polish(svg: str) -> str:
    """Only what is drawn: no comments, tooltips or prolog; our colours; a width that fits."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[^"]*"', "", svg)
    svg = re.sub(r'<svg width="([\d.]+)pt"\s+height="([\d.]+)pt"', _fitted, svg, count=1)
    svg = re.sub(r'<g class="node.*?</g>', _centred, svg, flags=re.DOTALL)
    head, _, body = svg.partition(">")
    style = "".join(line for line in STYLE.splitlines())
    return f"{head}><style>{style}</style>{body.strip()}"


def _centred(match: re.Match[str]) -> str:
    """Centre the lines of a node: its width was reckoned with another font than is shown."""
    node = match.group()
    shape = re.search(r' (?:points|d)="([^"]*)"', node)
    if shape is None:
        return node
    across = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", shape.group(1))]
    middle = (min(across) + max(across)) / 2
    anchored = f'text-anchor="middle" x="{middle:.2f}"'
    return re.sub(r'text-anchor="start" x="[^"]*"', anchored, node)


def _fitted(match: re.Match[str]) -> str:
    width, height = float(match.group(1)), float(match.group(2))
    scale = min(1.0, WIDEST / width) if width else 1.0
    return f'<svg width="{width * scale:.0f}pt" height="{height * scale:.0f}pt"'

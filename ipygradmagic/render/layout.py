"""Finding a Graphviz layout program, running it, and making its SVG fit for a notebook."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from ipygradmagic.errors import LayoutUnavailableError
from ipygradmagic.language import mark, tr

ADVICE = mark(
    "To see graphs as pictures: pip install graphviz-pure "
    "(or install Graphviz so that `dot` is on the PATH)."
)
"""(A report shows these errors in the place of the picture, in the language of the report.)"""
WIDEST = 680.0
"""Points. A wider picture is scaled down to about the width of a notebook cell."""

LONGEST = 2.0
"""Seconds that a layout may take before a more folded picture is tried."""
STYLE = (
    "text{fill:#222;font-family:Helvetica,Arial,sans-serif}"
    "@media (prefers-color-scheme:dark){text{fill:#eee}}"
)
"""Lines and fills are in the DOT source: each reaches 3:1 on white and on #111."""
MOST_DONE = 64
"""So many layouts are remembered, for a report that is shown again."""
_DONE: dict[tuple[str, str], str] = {}
PLAIN = str.maketrans("＋⊣✗◇∅", "+|×◊Ø")
"""A browser looks for a missing sign in other fonts; a layout program that draws has one font."""
_SAID_ONCE = re.compile(
    r' (?:xml:space="preserve"|font-family="Helvetica,sans-Serif"|class="[^"]*"|xmlns:xlink="[^"]*")|\n'
)
"""What Graphviz says of every node and no picture needs: a quarter of its size."""
SVG_FILE = '<?xml version="1.0" encoding="UTF-8"?>\n{}\n'


def layout(dot: str, timeout: float = LONGEST) -> str:
    """Lay out DOT source; the SVG follows the reader's light or dark theme.

    Raises:
        LayoutUnavailableError: There is no layout program, it failed, or it took longer than
            ``timeout`` seconds. The message says how to get one.
    """
    program = find_program()
    if program is None:
        raise _none_found()
    return polish(_run(program, dot, timeout))


def _run(program: str, dot: str, timeout: float) -> str:
    """What was laid out once is not laid out again, however long it may take this time."""
    done = _DONE.pop((program, dot), None)
    if done is None:
        drawn = _called(program, dot, timeout, "-Tsvg")
        if b"<svg" not in drawn:
            raise _failed(program)
        done = drawn.decode("utf-8", "replace")
    _DONE[program, dot] = done
    if len(_DONE) > MOST_DONE:
        del _DONE[next(iter(_DONE))]
    return done


def _called(program: str, dot: str, timeout: float, *arguments: str) -> bytes:
    """What the layout program writes."""
    try:
        done = subprocess.run(
            [program, *arguments],
            input=dot.encode("utf-8", "replace"),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LayoutUnavailableError(
            tr("The layout took longer than {seconds} s.", seconds=f"{timeout:g}")
        ) from None
    except OSError as error:
        said = tr("{program} could not be run ({error}).", program=program, error=error)
        raise LayoutUnavailableError(tr("{one} {other}", one=said, other=tr(ADVICE))) from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _failed(program, lines[0] if lines else "")
    return done.stdout


def export(dot: str, kind: str, timeout: float = 5 * LONGEST) -> bytes:
    """The picture as the bytes of a file of that kind (``svg``, ``png`` or ``dot``).

    Raises:
        LayoutUnavailableError: As for :func:`layout`, or the program cannot write such files.
    """
    if kind == "dot":
        return dot.encode("utf-8", "replace")
    if kind == "svg":
        return SVG_FILE.format(layout(dot, timeout)).encode("utf-8", "replace")
    program = find_program()
    if program is None:
        raise _none_found()
    dot = dot.replace("bgcolor=transparent", "bgcolor=white").translate(PLAIN)
    drawn = _called(program, dot, timeout, f"-T{kind}", "-Gdpi=144")
    if not drawn:
        name = Path(program).name
        raise LayoutUnavailableError(tr("{program} wrote no {kind} file.", program=name, kind=kind))
    return drawn


def _none_found() -> LayoutUnavailableError:
    said = tr("No Graphviz layout program was found.")
    return LayoutUnavailableError(tr("{one} {other}", one=said, other=tr(ADVICE)))


def _failed(program: str, said: str = "") -> LayoutUnavailableError:
    name = Path(program).name
    if not said:
        return LayoutUnavailableError(tr("{program} failed: no output", program=name))
    return LayoutUnavailableError(tr("{program} failed: {error}", program=name, error=said))


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


def one_font(kind: str) -> bool:
    """Whether a file of that kind is drawn with the only font that graphviz-pure brings.

    Letters of other scripts than Latin would be empty boxes there. Graphviz itself asks the system
    for fonts, and an SVG the browser.
    """
    program = find_program()
    return kind not in ("dot", "svg") and program is not None and Path(program).stem != "dot"


def polish(svg: str) -> str:
    """Only what is drawn: no comments, tooltips or prolog; our colours; a width that fits."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[^"]*"', "", svg)
    svg = re.sub(r'<svg width="([\d.]+)pt"\s+height="([\d.]+)pt"', _fitted, svg, count=1)
    svg = re.sub(r'<g class="node.*?</g>', _centred, svg, flags=re.DOTALL)
    svg = _SAID_ONCE.sub("", svg)
    head, _, body = svg.partition(">")
    return f"{head}><style>{STYLE}</style>{body.strip()}"


def natural(svg: str) -> tuple[float, float]:
    """Width and height of a picture in points, before it was made to fit."""
    box = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', svg)
    return (float(box.group(1)), float(box.group(2))) if box else (0.0, 0.0)


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


def unfitted(svg: str) -> str:
    """The same picture at its natural size."""
    width, height = natural(svg)
    size = f'<svg width="{width:.0f}pt" height="{height:.0f}pt"'
    return re.sub(r'<svg width="[\d.]+pt"\s+height="[\d.]+pt"', size, svg, count=1)


def _fitted(match: re.Match[str]) -> str:
    width, height = float(match.group(1)), float(match.group(2))
    scale = min(1.0, WIDEST / width) if width else 1.0
    return f'<svg width="{width * scale:.0f}pt" height="{height * scale:.0f}pt"'

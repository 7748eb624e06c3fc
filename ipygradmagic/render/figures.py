"""The pictures of a report by themselves, for front ends that show images but no HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import suppress

from ipygradmagic.errors import LayoutUnavailableError
from ipygradmagic.language import speaking
from ipygradmagic.render.drawing import Easel
from ipygradmagic.render.html import charted, heated, stripped
from ipygradmagic.render.layout import export
from ipygradmagic.render.saving import captioned
from ipygradmagic.render.view import Block, Charts, Fold, Heat, Picture, Strip, View


def figures(view: View, kind: str) -> Iterator[tuple[str, bytes]]:
    """Caption and content of every picture, in the order of the report.

    Args:
        kind: ``svg``; or ``png``, which only Graphviz draws: graphs, but no strips and charts.
    """
    easel = Easel()
    with speaking(view.lang):
        for section in view.sections:
            for block in _flat(section.blocks):
                yield from _drawn(block, kind, easel)


def _flat(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Fold):
            yield from _flat(block.blocks)
        else:
            yield block


def _drawn(block: Block, kind: str, easel: Easel) -> Iterator[tuple[str, bytes]]:
    if isinstance(block, Picture):
        found = easel.drawn(block)
        if found.uri:
            dot = captioned(found.picture.dot, [block.caption, found.picture.note])
            with suppress(LayoutUnavailableError):  # told in words, in the text
                yield block.caption, export(dot, kind)
    elif kind != "svg":
        return
    elif isinstance(block, Charts):
        for chart in block.charts:
            yield from _image(chart.caption, charted(chart)[0])
    elif isinstance(block, Strip):
        yield from _image(block.caption, stripped(block)[0])
    elif isinstance(block, Heat):
        yield from _image(block.caption, heated(block)[0])


def _image(caption: str, uri: str) -> Iterator[tuple[str, bytes]]:
    if uri:
        yield caption, base64.b64decode(uri.partition(",")[2])

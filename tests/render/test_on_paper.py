"""What a page that is not JupyterLab needs: a ground below each picture, numbers that may bend."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import records as r

from ipygradmagic.record.tensors import Holds, Summary
from ipygradmagic.render.drawing import data_uri
from ipygradmagic.render.fates import stale_mark
from ipygradmagic.render.numbers import NBSP, summary_lines
from ipygradmagic.render.strip import SLANTED, drawing
from ipygradmagic.render.view import Life, Mark, Stage, Strip

HEADED = '<?xml version="1.0"?>\n<!-- <b> --><svg xmlns="http://www.w3.org/2000/svg" width="9"><g/></svg>'


def test_a_picture_brings_its_ground_for_light_and_dark():
    svg = base64.b64decode(data_uri(HEADED).partition(",")[2]).decode()
    first = next(iter(ElementTree.fromstring(svg)))
    assert first.tag.endswith("style")
    light, _, dark = (first.text or "").partition("@media (prefers-color-scheme:dark)")
    assert "background:#fff" in light and "background:#111" in dark


def test_a_vector_and_a_range_may_bend_and_a_matrix_may_not():
    def texts(*values: float, shape: tuple[int, ...]) -> list[str]:
        return [line.text for line in summary_lines(r.one(*values), shape)]

    assert texts(1.0, -2.5, shape=(2,)) == [f"[{NBSP}{NBSP}{NBSP}1, −2.5]"]
    assert not any(" " in line for line in texts(1.0, 2.0, 3.0, 4.0, shape=(2, 2)))
    large = Summary(100, norm=3.0, min=-1.0, max=2.0)
    assert f"−1{NBSP}… 2" in [line.text for line in summary_lines(large, (100,))]


def test_the_last_heading_has_room_even_when_it_is_bold():
    def width(tone: str) -> int:
        stage = Stage("d_optimizer.zero_grad #2", "Z2", "7", tone)
        life = Life("w", "", Mark(), (Mark(),))
        return drawing(Strip("", "", "", "", (stage,), (life,), ())).width

    assert width("error") - width("") > 4 * SLANTED


def test_a_stale_gradient_has_the_colour_of_the_pictures_once_it_was_used_again():
    assert stale_mark(Holds(2, 1, 2, used=1)) == ("", "")
    assert stale_mark(Holds(2, 1, 2, used=1, stale=1)) == ("▲ ", "warning")
    assert stale_mark(Holds(2, 1, 2, used=2, stale=1)) == ("▲ ", "error")

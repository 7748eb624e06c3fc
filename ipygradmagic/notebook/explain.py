"""``--explain NAME``: the page of a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygradmagic.diagnose.explain import page
from ipygradmagic.language import speaking

if TYPE_CHECKING:
    from ipygradmagic.render.shown import Report


def explained(name: str, lang: str = "auto") -> Report:
    """The page, to be shown.

    Raises:
        OptionError: No finding has that name; says which are near.
    """
    from ipygradmagic.render.page import page_view  # only now that there is something to render
    from ipygradmagic.render.shown import Report

    with speaking(lang):
        return Report(page_view(page(name)))

"""``--explain NAME``: the page of a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipygradmagic.diagnose.explain import page

if TYPE_CHECKING:
    from ipygradmagic.render.shown import Report


def explained(name: str) -> Report:
    """The page, to be shown.

    Raises:
        OptionError: No finding has that name; says which are near.
    """
    found = page(name)
    from ipygradmagic.render.page import page_view  # only now that there is something to render
    from ipygradmagic.render.shown import Report

    return Report(page_view(found))

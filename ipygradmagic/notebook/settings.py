"""``%config GradMagic``: what the options of the magics are where a line does not say."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets import Bool, CaselessStrEnum, Float, Int, List, TraitError, Unicode, validate
from traitlets.config import Configurable

from ipygradmagic.diagnose.explain import refuse_unknown
from ipygradmagic.errors import OptionError
from ipygradmagic.language import LANGUAGES
from ipygradmagic.notebook.flags import TIME_LIMIT
from ipygradmagic.options import FORMATS, LEVELS


class GradMagic(Configurable):
    """Settings of ipygradmagic: ``%config GradMagic.rows = 60``, or ``c.GradMagic.rows = 60`` in
    ``ipython_config.py``. An option on the line of a magic goes before a setting.
    """

    rows = Int(40, min=5, help="Most rows of the table.").tag(config=True)
    graph = Bool(True, help="Draw the graph of each backward.").tag(config=True)
    format = CaselessStrEnum(FORMATS, "auto", help="What is published.").tag(config=True)
    lang = CaselessStrEnum(LANGUAGES, "auto", help="Language of the report.").tag(config=True)
    level = CaselessStrEnum(
        LEVELS, "full", help="full, or events: the verdict without numbers, which costs less."
    ).tag(config=True)
    ignore = List(Unicode(), help="Findings that are silenced, by name.").tag(config=True)
    strict = Bool(False, help="Stop at the first error.").tag(config=True)
    teach = Bool(False, help="Draw what passes through small graphs.").tag(config=True)
    saved = Bool(False, help="Say what operations keep for the backward.").tag(config=True)
    time_limit = Float(
        TIME_LIMIT, min=0.1, help="Seconds for each of the two runs of --what-if."
    ).tag(config=True)
    live = Bool(
        True, help="Show one line about a long cell while it runs, where there is a notebook."
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(parent=shell)

    @validate("ignore")
    def _known(self, proposal: dict[str, Any]) -> list[str]:
        try:
            refuse_unknown(tuple(proposal["value"]))
        except OptionError as error:
            raise TraitError(str(error)) from None
        return list(proposal["value"])

    def defaults(self) -> dict[str, object]:
        """The settings, by the names that the parsers of the magics have for them."""
        return {
            "rows": self.rows,
            "no_graph": not self.graph,
            "format": self.format,
            "lang": self.lang,
            "level": self.level,
            "ignore": list(self.ignore),
            "strict": self.strict,
            "teach": self.teach,
            "saved": self.saved,
            "time_limit": self.time_limit,
            "live": self.live,
        }

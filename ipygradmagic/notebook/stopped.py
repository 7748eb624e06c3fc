"""What a strict trace raises, shown by IPython up to the user's line.

IPython hides frames that say ``__tracebackhide__``, but never the last one, and the last ones are
torch's and ours. An exception that has ``_render_traceback_`` is asked for its own traceback.
"""

from __future__ import annotations

from IPython.core.getipython import get_ipython

from ipygradmagic.errors import GradientLifecycleError

_HOOK = "_render_traceback_"


def install() -> None:
    """From now on such errors end at the user's line."""
    setattr(GradientLifecycleError, _HOOK, _rendered)


def remove() -> None:
    """Undo :func:`install`."""
    if hasattr(GradientLifecycleError, _HOOK):
        delattr(GradientLifecycleError, _HOOK)


def _rendered(error: GradientLifecycleError) -> list[str]:
    error.end_at_user()
    shell = get_ipython()
    assert shell is not None
    found: list[str] = shell.InteractiveTB.structured_traceback(
        type(error), error, error.__traceback__
    )
    return found

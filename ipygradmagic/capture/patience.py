"""When to try a short cut again that did not last."""

from __future__ import annotations

SOON = 16
"""It was not worth while if it lasted for fewer uses than this."""
FREE = 3
"""So many times in a row that may happen before trying again has to wait: at first there are lines
that have not been seen yet."""


class Patience:
    """Waits twice as long after every failure.

    Args:
        longest: Events after which it is tried again at the latest.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._failures = self._next = 0

    def ready(self, event: int) -> bool:
        """Whether it may be tried at this event."""
        return event >= self._next

    def failed(self, event: int) -> None:
        """It did not work out."""
        self._failures += 1
        if self._failures > FREE:
            self._next = event + min(SOON * 2 ** min(self._failures, 16), self._longest)

    def lasted(self, uses: int, event: int) -> None:
        """It ended after so many uses."""
        if uses < SOON:
            self.failed(event)
        else:
            self._failures = 0

"""The ``gradients`` fixture: a test that says that its training does nothing wrong.

The whole test is traced, and asks for the verdict where it wants it::

    def test_train(gradients):
        train()
        gradients.assert_clean()

Or a part of it, with the options of ``trace()``; nothing else of the test is traced then::

    def test_second_epoch(gradients):
        state = first_epoch()
        with gradients(level="events") as t:
            second_epoch(state)
        t.assert_clean(allow=("accumulation",))

Torch is imported when a test uses the fixture, and nowhere before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ipygradmagic.api import TraceBlock
    from ipygradmagic.record.trace import Trace


class Gradients:
    """What a test gets: the trace of itself, and a way to trace only a part.

    Args:
        title: What is traced, for the report.
        where: The variables of the test's module, in which tensors have their names.
    """

    def __init__(self, title: str, where: dict[str, object]) -> None:
        from ipygradmagic.api import TraceBlock

        self._title = title
        self._block: TraceBlock | None = TraceBlock(namespace=where, title=title)
        self._ended = False
        self._block.__enter__()

    def __call__(self, **options: Any) -> TraceBlock:
        """A block to be traced instead of the whole test: ``with gradients() as t:``."""
        from ipygradmagic.api import TraceBlock

        self.end()
        self._block = None
        return TraceBlock(**{"title": self._title, **options})

    @property
    def trace(self) -> Trace:
        """What the test has done up to now; asking ends the trace of the test."""
        self.end()
        if self._block is None:
            raise RuntimeError(
                "gradients() traces a part of this test: ask what its with statement gives "
                "(with gradients() as t: ...; then t.assert_clean())"
            )
        return self._block.trace

    def assert_clean(self, allow: Collection[str] = ()) -> None:
        """Fail the test if a finding is an error or a warning; see ``Trace.assert_clean``."""
        __tracebackhide__ = True
        self.trace.assert_clean(allow)

    def end(self) -> None:
        """Trace no further; a second call does nothing."""
        if self._block is not None and not self._ended:
            self._ended = True
            self._block.__exit__(None, None, None)

    def __str__(self) -> str:
        return str(self.trace)


@pytest.fixture
def gradients(request: pytest.FixtureRequest) -> Iterator[Gradients]:
    """Records what the test does to the gradients: ``gradients.assert_clean()``."""
    found = Gradients(request.node.name, vars(request.module))
    try:
        yield found
    finally:
        found.end()

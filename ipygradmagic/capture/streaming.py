"""The recorder of a trace that is saved to disk: each event goes out when it is complete.

A kind of recorder of its own, so that a trace that is not saved has nothing to ask.
"""

from __future__ import annotations

from ipygradmagic.capture.books import Leaf
from ipygradmagic.capture.recorder import RawEvent, Recorder
from ipygradmagic.capture.source import Here, Sources
from ipygradmagic.record.events import Kind
from ipygradmagic.record.stream import Stream
from ipygradmagic.record.tensors import TensorInfo


class StreamedRecorder(Recorder):
    """A recorder that also writes every event to a stream.

    Args:
        stream: Where to.
        sources: For the lines of code.
    """

    repeats = False

    def __init__(self, stream: Stream, sources: Sources) -> None:
        super().__init__()
        self._stream = stream
        self._sources = sources
        self._began: dict[int, float] = {}

    def _new(
        self, kind: Kind, label: str, here: Here, make: type[RawEvent] | None = None
    ) -> RawEvent:
        event = super()._new(kind, label, here, make)
        self._began[event.index] = self._stream.now()
        return event

    def finish(self, event: RawEvent) -> None:
        """The event is complete: keep what is to be kept, and write it down."""
        super().finish(event)
        began = self._began.pop(event.index, None)
        if began is None:
            return  # written already; finished again after a fault
        try:
            tensors = {c.leaf.id: _tensor(c.leaf) for c in event.changes}
            self._stream.write(event.record(self._sources), began, tensors)
        except Exception as error:
            self._stream.fail(error)


def _tensor(leaf: Leaf) -> TensorInfo:
    """What the rows say of a leaf."""
    return TensorInfo(
        id=leaf.id,
        name=leaf.name,
        generation=leaf.generation,
        shape=leaf.shape,
        dtype=leaf.dtype,
        device=leaf.device,
        parameter=leaf.parameter,
    )

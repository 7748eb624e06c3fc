"""A run on disk as it happens: every event as flat rows, which data frames read directly.

The trace in memory keeps the head, the tail and examples of a run; the stream keeps all of it.
There is one row for each event and tensor that it concerned, and one for an event that concerned
none (its tensor columns are null). Rows stand in the order in which events were completed; sort
by ``event`` for the order in which they began.

Columns, with their types; null means unknown or not applicable, never zero.

The event:

- ``event`` int64: 1-based position of the event in the run.
- ``kind`` string: backward, step, zero_grad, edit, update, rebind, freeze, unfreeze.
- ``number`` int64: 1-based count of events of this kind (``backward #3``).
- ``label`` string: what was called: ``SGD.step``, ``grad.zero_()``, ``data -=`` ...
- ``seconds`` float64: seconds from the start of the trace to the beginning of the event.
- ``cell`` string, ``file`` string, ``line`` int64 (1-based), ``function`` string, ``code``
  string: the innermost line of the user's own code, and its text.
- ``led_by`` string: the line of the traced cell or script that led there, if another.
- ``via`` string: a library function between that line and the event (``clip_grad_norm_``).
- ``actor`` string: name of the optimizer or module that acted, or of the loss.
- ``source`` string: for an update or rebind: was the new value computed from a gradient?
  gradient, other, unknown.
- ``loss`` float64: the scalar that was backpropagated.
- ``loss_nonfinite`` string: not-a-number, plus-infinity or minus-infinity where the loss is that,
  else null (in words, because pandas would turn a column of ``nan`` and ``inf`` to numbers).
- ``inside`` string: label of the step during which it happened (closures, hooks).
- ``error`` string: ``Type: message`` if the call raised.
- ``continues`` int64: ``event`` of the backward that this one continues.
- ``signature`` int64: events that look the same share it.
- ``unchanged`` int64: how many other known tensors the event left alone.
- ``missed`` string: names of tensors that a step's optimizer owns and that had no gradient,
  joined by ", ".

The tensor:

- ``tensor_id`` int64: stable number of the tensor. Group by it: ``tensor``, the name, can become
  a better one during a run.
- ``tensor`` string; ``generation`` int64: 1 for the first leaf of that name, 2 for the leaf that
  replaced it ...
- ``shape`` string (``[2, 3]``), ``numel`` int64 (elements), ``dtype`` string, ``device`` string.
- ``parameter`` bool: it is an ``nn.Parameter``.

Its gradient ``grad_before`` and ``grad_after`` the event, and ``grad_added`` by a backward, each
of them as:

- ``..._layout`` string: strided, sparse, meta ...; null where ``.grad`` is None (for
  ``grad_added``: where nothing was added, or where it is not known).
- ``..._norm`` float64 (Euclidean), ``..._mean``, ``..._min``, ``..._max`` float64, in the
  gradient's own unit; for a complex tensor, of the magnitudes.
- ``..._zeros``, ``..._nan``, ``..._inf`` int64: how many elements are that.
- ``..._sampled`` bool: the statistics come from a sample of the elements.
- ``..._values`` list of float64: all elements in row-major order, for at most 16 of them; a
  complex element is two numbers, real and imaginary part.

and

- ``grad_changed`` bool: the event changed the gradient.
- ``grad_added_exact`` bool: captured; otherwise derived as after - before. Of what was added to
  an earlier gradient of more than 16 elements, only ``grad_added_mean`` and ``grad_added_norm``
  are known (the norm from all elements before and after, or from blocks, as ``value_moved``).

Its value ``value_before`` and ``value_after`` the event (null if the event leaves values be):
``..._norm`` float64, ``..._nan``, ``..._inf`` int64, ``..._values`` list of float64. And

- ``value_moved`` float64: Euclidean norm of value_after - value_before (divided by
  ``value_before_norm``, the update-to-weight ratio), from all elements of both, or, of more than
  65,536, estimated from 64 blocks of 16 (null if fewer than half of these moved).

What its gradient holds after the event:

- ``holds_count`` int64: contributions; 0 is an empty gradient.
- ``holds_first``, ``holds_last`` int64: ``number`` of the first and last backward among them;
  null where none of this run is.
- ``holds_used`` int64: how many of them an update has consumed; ``holds_stale`` int64: how many
  had been consumed when a newer one arrived on top.
- ``holds_earlier``, ``holds_unknown`` int64: how many are from before this run, and how many
  came while nobody was looking. ``holds_origin`` string: where the oldest of those comes from.
- ``holds_note`` string: scaled, clipped, edited: what was done to them by hand.

NaN and infinity. JSON has neither, and the readers do not agree on any substitute that keeps the
column a number (polars refuses the tokens ``NaN`` and ``Infinity``; a string among numbers turns
the column to text). So in JSON Lines such a number is null, and the count beside it tells which:
a null ``norm`` with ``nan > 0`` is NaN, with ``nan = 0`` and ``inf > 0`` infinite (a null ``min``
is then -inf, a null ``max`` +inf). Parquet keeps NaN and the infinities as they are.
It also keeps the types of columns that are null in every row, which JSON cannot.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from pathlib import Path

from ipygradmagic.language import tr
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.sinks import Row, Sink, open_sink
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.tensors import Holds, Number, Summary, TensorInfo

_STATISTICS = {
    "layout": "string",
    "norm": "float64",
    "mean": "float64",
    "min": "float64",
    "max": "float64",
    "zeros": "int64",
    "nan": "int64",
    "inf": "int64",
    "sampled": "bool",
    "values": "list<float64>",
}
_NONFINITE = {"nan": "not-a-number", "inf": "plus-infinity", "-inf": "minus-infinity"}
_OF_VALUES = ("norm", "nan", "inf", "values")

COLUMNS: dict[str, str] = {
    "event": "int64",
    "kind": "string",
    "number": "int64",
    "label": "string",
    "seconds": "float64",
    "cell": "string",
    "file": "string",
    "line": "int64",
    "function": "string",
    "code": "string",
    "led_by": "string",
    "via": "string",
    "actor": "string",
    "source": "string",
    "loss": "float64",
    "loss_nonfinite": "string",
    "inside": "string",
    "error": "string",
    "continues": "int64",
    "signature": "int64",
    "unchanged": "int64",
    "missed": "string",
    "tensor_id": "int64",
    "tensor": "string",
    "generation": "int64",
    "shape": "string",
    "numel": "int64",
    "dtype": "string",
    "device": "string",
    "parameter": "bool",
    **{f"grad_before_{k}": v for k, v in _STATISTICS.items()},
    **{f"grad_added_{k}": v for k, v in _STATISTICS.items()},
    "grad_added_exact": "bool",
    **{f"grad_after_{k}": v for k, v in _STATISTICS.items()},
    "grad_changed": "bool",
    **{f"value_before_{k}": _STATISTICS[k] for k in _OF_VALUES},
    **{f"value_after_{k}": _STATISTICS[k] for k in _OF_VALUES},
    "value_moved": "float64",
    "holds_count": "int64",
    "holds_first": "int64",
    "holds_last": "int64",
    "holds_used": "int64",
    "holds_stale": "int64",
    "holds_earlier": "int64",
    "holds_unknown": "int64",
    "holds_origin": "string",
    "holds_note": "string",
}
"""Name and type of every column, in order; the module's docstring says what they mean."""


class Stream:
    """Writes a run to disk; a failure stops the writing and is told once, at the end.

    Nothing of it is to reach the traced code: no error of the disk, and no second copy of the
    rows if the process is forked (a DataLoader's workers inherit the file).

    Args:
        path: Where to; see :func:`ipygradmagic.record.sinks.open_sink`.

    Raises:
        OptionError: That file cannot be made; says why and what to do.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path).expanduser()
        self.events = 0
        self.warning: str | None = None
        self._sink: Sink | None = open_sink(self.path, COLUMNS)
        self._rows = 0
        self._process = os.getpid()
        self._began = time.perf_counter()

    def now(self) -> float:
        """Seconds since the stream was opened."""
        return time.perf_counter() - self._began

    def write(self, event: Event, seconds: float, tensors: Mapping[int, TensorInfo]) -> None:
        """Write a completed event.

        Args:
            event: The event.
            seconds: When it began, by :meth:`now`.
            tensors: The tensors of its changes, by id.
        """
        if self._sink is None or os.getpid() != self._process:
            return
        try:
            self._sink.write(rows_of(event, seconds, tensors))
            self.events += 1
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """Stop writing, and keep the reason for the report."""
        sink, self._sink = self._sink, None
        if sink is None:
            return
        self._rows = sink.rows
        self.warning = (
            f"Saving to {self.path} stopped during the run ({type(error).__name__}: {error}). "
            f"The first {self._rows} rows are there. Your code was not affected."
        )
        try:
            sink.abandon()
        except Exception:  # the disk is what failed: there is nothing more to be done with it
            return

    def close(self) -> None:
        """Write what is still waiting, and close the file; a second call does nothing."""
        if self._sink is None or os.getpid() != self._process:
            return
        try:
            self._sink.close()
            self._rows, self._sink = self._sink.rows, None
        except Exception as error:
            self.fail(error)

    def discard(self) -> None:
        """The trace did not start after all: leave no empty file behind."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.discard()

    @property
    def rows(self) -> int:
        """How many rows are on disk."""
        return self._rows if self._sink is None else self._sink.rows

    @property
    def summary(self) -> str:
        """One line for the report."""
        return tr(
            "The whole run was saved to {path}: {rows} rows, {events} events.",
            path=self.path,
            rows=self.rows,
            events=self.events,
        )


def rows_of(event: Event, seconds: float, tensors: Mapping[int, TensorInfo]) -> list[Row]:
    """The rows of an event; what is null is left out."""
    shared = _event_columns(event, seconds)
    if not event.changes:
        return [shared]
    return [
        {**shared, **_tensor_columns(c.tensor, tensors.get(c.tensor)), **_change_columns(c)}
        for c in event.changes
    ]


def _event_columns(event: Event, seconds: float) -> Row:
    row: Row = {
        "event": event.index,
        "kind": event.kind,
        "number": event.number,
        "label": event.label,
        "seconds": seconds,
        "via": event.via,
        "actor": event.actor or None,
        "source": event.source,
        "loss": event.loss,
        "inside": event.inside,
        "error": event.error,
        "continues": event.continues,
        "signature": event.signature,
        "unchanged": event.unchanged,
        "missed": ", ".join(event.missed) or None,
    }
    if event.loss is not None and not math.isfinite(event.loss):
        row["loss_nonfinite"] = _NONFINITE[str(event.loss)]
    if event.where is not None:
        row.update(_where_columns(event.where))
    return _clean(row)


def _where_columns(where: SourceLocation) -> Row:
    return {
        "cell": where.cell,
        "file": where.file,
        "line": where.line,
        "function": where.function,
        "code": where.text or None,
        "led_by": where.led_by.label if where.led_by is not None else None,
    }


def _tensor_columns(number: int, info: TensorInfo | None) -> Row:
    if info is None:
        return {"tensor_id": number}
    return _clean(
        {
            "tensor_id": number,
            "tensor": info.name,
            "generation": info.generation,
            "shape": str(list(info.shape)),
            "numel": math.prod(info.shape),
            "dtype": info.dtype,
            "device": info.device,
            "parameter": info.parameter,
        }
    )


def _change_columns(change: Change) -> Row:
    row: Row = {"grad_changed": change.grad_changed}
    _put(row, "grad_before", change.grad_before)
    _put(row, "grad_added", change.added)
    _put(row, "grad_after", change.grad_after)
    if change.added is not None or change.added_mean is not None:
        row["grad_added_exact"] = change.added_exact and change.added is not None
    if change.added is None and change.added_mean is not None:
        row["grad_added_mean"] = change.added_mean
    if change.added_norm is not None:
        row["grad_added_norm"] = change.added_norm
    _put(row, "value_before", change.value_before, _OF_VALUES)
    _put(row, "value_after", change.value_after, _OF_VALUES)
    if change.moved is not None:
        row["value_moved"] = change.moved
    row.update(_holds_columns(change.holds))
    return row


def _put(row: Row, prefix: str, found: Summary | None, which: tuple[str, ...] = ()) -> None:
    """The columns of one look; none of them for None."""
    for name in which or _STATISTICS if found is not None else ():
        value = getattr(found, name)
        if value is not None:
            row[f"{prefix}_{name}"] = _flat(value) if name == "values" else value


def _flat(values: tuple[Number, ...]) -> list[float]:
    flat: list[float] = []
    for value in values:
        if isinstance(value, complex):
            flat += (value.real, value.imag)
        else:
            flat.append(float(value))
    return flat


def _holds_columns(holds: Holds) -> Row:
    row: Row = {
        "holds_count": holds.count,
        "holds_used": holds.used,
        "holds_stale": holds.stale,
        "holds_earlier": holds.earlier,
        "holds_unknown": holds.unknown,
    }
    if holds.first:
        row["holds_first"], row["holds_last"] = holds.first, holds.last
    if holds.note:
        row["holds_note"] = holds.note
    if holds.origin is not None:
        row["holds_origin"] = holds.origin.label
    return _clean(row)


def _clean(row: Row) -> Row:
    """Without nulls, and with text that every encoding can carry."""
    return {
        name: _text(value) if isinstance(value, str) else value
        for name, value in row.items()
        if value is not None
    }


def _text(value: str) -> str:
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")

"""Where a saved run goes: files that stay readable when the process is killed.

JSON Lines: each event is handed to the operating system as it happens, so that a killed process
loses nothing that was complete. Where the file lies on something slow, and for ``.gz``, rows wait
for each other: at most 256 of them, and no longer than until the first event after one second.
Compressed, each such batch is a gzip member of its own, complete in itself.

Parquet needs a footer, so a single file would be unreadable until it is closed. A saved run is
therefore a *folder* of part files, which pandas, polars and DuckDB read as one table. A part is
written under a hidden name next to the folder and renamed into it when complete. There is one for
every 8192 rows, or at the first event after five seconds; what has not reached a part is lost if
the process is killed.

Nothing waits in a thread: a thread of ours would be seen by the traced code, and by its forks.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ipygradmagic.errors import OptionError

Row = dict[str, object]
"""Column → value; nulls are left out."""

BATCH_ROWS = 256
"""Rows that wait for each other at most, on a slow disk or for compression."""
BATCH_SECONDS = 1.0
"""Seconds after which the next event flushes them."""
QUICK = 0.0005
"""A write that took fewer seconds is worth making for every event."""
PART_ROWS = 8192
"""Rows of one Parquet part at most."""
PART_SECONDS = 5.0
"""Seconds after which the next event completes a Parquet part."""
LEVEL = 3
"""Compression of ``.gz``: most of the gain, a tenth of the time."""
PARQUET_MISSING = (
    'saving to a .parquet folder needs pyarrow; install it with: pip install "ipygradmagic[parquet]" '
    "(or save to a .jsonl file, which needs nothing)"
)


class Sink(Protocol):
    """Something that rows can be written to."""

    @property
    def rows(self) -> int:
        """How many rows are safely on disk."""
        ...

    def write(self, rows: list[Row]) -> None:
        """Take over the rows of one event."""
        ...

    def close(self) -> None:
        """Write what waits, and close."""
        ...

    def abandon(self) -> None:
        """Writing has failed: leave what was written readable, and close."""
        ...

    def discard(self) -> None:
        """Close and remove what was made."""
        ...


def open_sink(path: Path, columns: Mapping[str, str]) -> Sink:
    """Make the file (or, for Parquet, the folder), which must not exist yet.

    Raises:
        OptionError: It cannot be made; says why, and what to do.
    """
    try:
        if path.name.lower().endswith(".parquet"):
            return ParquetParts(path, columns)
        return JsonLines(path, columns, compress=path.name.lower().endswith(".gz"))
    except FileExistsError:
        raise OptionError(
            f"cannot save to {str(path)!r}: it exists already, and a saved run never overwrites or "
            "continues another; remove it, or give another name"
        ) from None
    except OSError as error:
        raise OptionError(f"cannot save to {str(path)!r}: {_reason(path, error)}") from None


def _reason(path: Path, error: OSError) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r}; make it first, or give another one"
    said = error.strerror or type(error).__name__
    return f"{said}; give a file in a folder that you may write to"


class _Batch(NamedTuple):
    """Lines on their way into the file; all that changes together, so that Ctrl-C cannot split it."""

    data: bytes
    start: int  # where in the file it begins
    rows: int
    before: int  # rows that are in the file already


class JsonLines:
    """One JSON object a line; the first line names every column, later ones leave out nulls."""

    def __init__(self, path: Path, columns: Mapping[str, str], *, compress: bool = False) -> None:
        self._path = path
        self._first: Row | None = dict.fromkeys(columns)
        self._encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
        self._compress = compress
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115
        self._lines: list[str] = []
        self._batch = _Batch(b"", 0, 0, 0)
        self._quick = not compress
        self._flushed = time.monotonic()

    @property
    def rows(self) -> int:
        """How many rows are in the file."""
        return self._batch.before

    def write(self, rows: list[Row]) -> None:
        """Take over the rows of one event."""
        if self._first is not None:
            rows = [{**self._first, **rows[0]}, *rows[1:]]
        self._lines += [self._line(row) for row in rows]
        self._first = None
        now = time.monotonic()
        full = len(self._lines) >= BATCH_ROWS or now - self._flushed >= BATCH_SECONDS
        if self._quick or full:
            self._flush()
            self._flushed = time.monotonic()
            self._quick = not self._compress and self._flushed - now < QUICK

    def close(self) -> None:
        """Write what waits, and close."""
        self._flush()
        self._file.close()

    def abandon(self) -> None:
        """Cut off a half-written batch, and close."""
        self._lines.clear()
        try:
            os.ftruncate(self._file.fileno(), self._batch.start)
        finally:
            self._file.close()

    def discard(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self._path.unlink()

    def _line(self, row: Row) -> str:
        try:
            return self._encode(row) + "\n"
        except ValueError:  # NaN or infinity somewhere
            return self._encode({name: _jsonable(value) for name, value in row.items()}) + "\n"

    def _flush(self) -> None:
        """Empty the lines into the file.

        Ctrl-C can come between any two statements here. The position in the file tells how much
        of the batch is in it, so nothing is written twice and no line is torn.
        """
        while self._lines or self._batch.data:
            batch = self._batch
            if not batch.data:
                data = self._packed("".join(self._lines).encode("ascii"))
                batch = _Batch(data, self._file.tell(), len(self._lines), batch.before)
                self._batch, self._lines = batch, []
            done = self._file.tell() - batch.start
            if done == len(batch.data):
                end, before = batch.start + done, batch.before + batch.rows
                self._batch = _Batch(b"", end, 0, before)
            elif not self._file.write(memoryview(batch.data)[done:]):
                raise OSError(errno.EIO, "nothing could be written")

    def _packed(self, data: bytes) -> bytes:
        if not self._compress:
            return data
        packer = zlib.compressobj(LEVEL, wbits=31)  # 31: with the header of gzip
        return packer.compress(data) + packer.flush()


def _jsonable(value: object) -> object:
    """JSON has no NaN and no infinity: null, as told in :mod:`ipygradmagic.record.stream`."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, list):
        return [_jsonable(v) for v in value]
    return value


class ParquetParts:
    """A folder of part files, each complete in itself."""

    def __init__(self, path: Path, columns: Mapping[str, str]) -> None:
        try:
            self._arrow: Any = importlib.import_module("pyarrow")
            self._parquet: Any = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise OptionError(PARQUET_MISSING) from None
        self._path = path
        self._schema = self._arrow.schema([(n, self._type(t)) for n, t in columns.items()])
        self._waiting: list[Row] = []
        self._parts = 0
        self._written = time.monotonic()
        self.rows = 0
        path.mkdir()
        try:
            self._part()  # without rows: the columns can be read from the start
        except BaseException:
            self.discard()
            raise

    def write(self, rows: list[Row]) -> None:
        """Take over the rows of one event."""
        self._waiting += rows
        if len(self._waiting) >= PART_ROWS or time.monotonic() - self._written >= PART_SECONDS:
            self._part()

    def close(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._part()

    def abandon(self) -> None:
        """Every part is complete in itself: only the unfinished one goes."""
        self._temporary.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the folder."""
        self.abandon()
        for part in self._path.glob("part-*.parquet"):
            part.unlink()
        self._path.rmdir()

    @property
    def _temporary(self) -> Path:
        return self._path.with_name(f".{self._path.name}.unfinished")

    def _part(self) -> None:
        """Complete a part. One that Ctrl-C cut short is made again, under the same number."""
        rows = self._waiting
        table = self._arrow.Table.from_pylist(rows, schema=self._schema)
        self._parquet.write_table(table, self._temporary, compression="zstd")
        self._temporary.replace(self._path / f"part-{self._parts:05d}.parquet")
        self._parts, self.rows, self._waiting = self._parts + 1, self.rows + len(rows), []
        self._written = time.monotonic()

    def _type(self, name: str) -> Any:
        if name == "list<float64>":
            return self._arrow.list_(self._arrow.float64())
        return getattr(self._arrow, {"bool": "bool_"}.get(name, name))()

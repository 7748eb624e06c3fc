"""Rows of hand-built events, and the files that they go to."""

from __future__ import annotations

import errno
import gzip
import json
import math
import os
import sys
from pathlib import Path

import pytest

from ipygradmagic.errors import OptionError
from ipygradmagic.options import SAVED, Options
from ipygradmagic.record import sinks, stream
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.source import SourceLocation
from ipygradmagic.record.stream import COLUMNS, Stream, rows_of
from ipygradmagic.record.tensors import Holds, Summary, TensorInfo

CELL = SourceLocation("<cell>", 7, "<module>", "loss.backward()", "In [3]")
WHERE = SourceLocation("train.py", 12, "fit", "loss.backward()", led_by=CELL)
W = TensorInfo(4, "w", shape=(2, 1), parameter=True)
ONE, TWO = Summary.of_values((3.0, -4.0)), Summary.of_values((6.0, -8.0))
DEPOSIT = Change(4, ONE, TWO, True, ONE, holds=Holds(2, 1, 2, used=1, stale=1, note="scaled"))


def backward(number: int = 1, *changes: Change, **more: object) -> Event:
    fields = {"where": WHERE, "loss": 0.5, "changes": changes, "signature": 1, **more}
    return Event(number, "backward", number, **{"label": "backward", **fields})  # type: ignore[arg-type]


def lines(path: Path) -> list[dict[str, object]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line, parse_constant=lambda token: pytest.fail(token)) for line in file]


def test_a_row_says_who_where_and_what() -> None:
    (row,) = rows_of(backward(2, DEPOSIT, actor="loss", missed=("a", "b")), 1.5, {4: W})
    said = {
        "event": 2,
        "seconds": 1.5,
        "file": "train.py",
        "line": 12,
        "led_by": "In [3], line 7",
        "missed": "a, b",
        "tensor_id": 4,
        "tensor": "w",
        "shape": "[2, 1]",
        "numel": 2,
        "grad_before_norm": 5.0,
        "grad_added_exact": True,
        "grad_after_values": [6.0, -8.0],
        "grad_after_min": -8.0,
        "holds_count": 2,
        "holds_stale": 1,
        "holds_note": "scaled",
    }
    assert {name: row[name] for name in said} == said
    assert not any(name.startswith(("value_", "loss_nonfinite", "cell")) for name in row)


def test_one_row_for_each_tensor_and_one_for_an_event_without() -> None:
    assert [r.get("tensor_id") for r in rows_of(backward(1, DEPOSIT, Change(9)), 0, {4: W})] == [
        4,
        9,
    ]
    (row,) = rows_of(backward(1), 0, {})
    assert row["kind"] == "backward" and not any(n.startswith(("grad", "tensor")) for n in row)


def test_an_absent_gradient_is_null_and_no_zero() -> None:
    (row,) = rows_of(backward(1, Change(4, None, ONE, True, ONE)), 0, {4: W})
    assert "grad_before_layout" not in row and row["grad_after_layout"] == "strided"
    assert "holds_first" not in row and row["holds_count"] == 0


def test_of_a_large_deposit_only_the_mean_is_known() -> None:
    change = Change(4, ONE, TWO, True, None, added_exact=False, added_mean=0.25)
    (row,) = rows_of(backward(1, change), 0, {})
    assert row["grad_added_mean"] == 0.25 and row["grad_added_exact"] is False
    assert "grad_added_norm" not in row and "grad_added_layout" not in row


def test_complex_elements_are_two_numbers() -> None:
    (row,) = rows_of(backward(1, Change(4, grad_after=Summary.of_values((1 + 2j,)))), 0, {})
    assert row["grad_after_values"] == [1.0, 2.0]


def test_rows_have_the_columns_types() -> None:
    """Every column is filled by some record, and every value is of its column's type."""
    kinds = {"int64": int, "float64": float, "string": str, "bool": bool, "list<float64>": list}
    holds = Holds(3, 1, 2, 1, 1, 1, 1, origin=CELL, note="clipped")
    change = Change(4, ONE, TWO, True, ONE, True, None, ONE, TWO, holds, moved=1.0)
    words = {"via": "v", "actor": "a", "source": "gradient", "inside": "i", "error": "e: e"}
    where = SourceLocation("f", 1, "g", "h", "In [1]", CELL)
    more = {**words, "continues": 1, "missed": ("b",), "loss": math.nan, "where": where}
    (row,) = rows_of(backward(1, change, **more), 0.1, {4: W})
    assert list(COLUMNS) == [name for name in COLUMNS if name in row]
    assert {n: type(v) for n, v in row.items()} == {n: kinds[t] for n, t in COLUMNS.items()}


def test_every_column_is_documented() -> None:
    said = stream.__doc__ or ""
    for name in COLUMNS:
        prefix, _, end = name.rpartition("_")
        assert f"``{name}``" in said or (f"``{prefix}``" in said and f"``..._{end}``" in said), name


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    out = Stream(str(path))
    for number in (1, 2):
        out.write(backward(number, DEPOSIT), 0.0, {4: W})
        assert len(lines(path)) == number  # on disk before the next event
    out.close()
    first, second = lines(path)
    assert list(first) == list(COLUMNS) and first["error"] is None
    assert "error" not in second and second["event"] == 2
    assert (out.rows, out.events, out.warning) == (2, 2, None)
    assert str(path) in out.summary and "2 rows" in out.summary


def test_json_has_no_nan_but_the_counts_tell(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    out = Stream(str(path))
    for found in ((1.0, math.nan), (2.0, math.inf)):
        out.write(backward(1, Change(4, None, Summary.of_values(found)), loss=-math.inf), 0, {})
    out.close()
    broken, endless = lines(path)
    assert broken["grad_after_norm"] is None and broken["grad_after_values"] == [1.0, None]
    assert broken["grad_after_nan"] == 1 and broken["loss_nonfinite"] == "minus-infinity"
    assert (endless["grad_after_nan"], endless["grad_after_inf"]) == (0, 1)
    assert endless["grad_after_min"] == 2.0 and endless["grad_after_max"] is None


def test_hostile_names_stay_one_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    out = Stream(str(path))
    name = 'a\n"b"\r\x00\x1b\u2028\ud800🔥' + "x" * 10_000
    out.write(backward(1, DEPOSIT, label=name), 0.0, {4: TensorInfo(4, name)})
    out.close()
    (row,) = lines(path)
    assert row["tensor"] == row["label"] == name.replace("\ud800", "?")


def test_a_slow_disk_is_written_to_in_batches(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sinks, "QUICK", -1.0)
    path = tmp_path / "run.jsonl"
    out = Stream(str(path))
    for number in range(1, sinks.BATCH_ROWS):
        out.write(backward(number, DEPOSIT), 0.0, {})
    assert len(lines(path)) == 1
    for number in range(2):
        out.write(backward(number, DEPOSIT), 0.0, {})
    assert len(lines(path)) == sinks.BATCH_ROWS + 1
    monkeypatch.setattr(sinks, "BATCH_SECONDS", 0.0)
    out.write(backward(1, DEPOSIT), 0.0, {})
    assert len(lines(path)) == sinks.BATCH_ROWS + 2
    out.close()


def test_compressed_batches_are_complete_in_themselves(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    out = Stream(str(path))
    for number in range(1, 3 * sinks.BATCH_ROWS):
        out.write(backward(number, DEPOSIT), 0.0, {})
    assert len(lines(path)) == 2 * sinks.BATCH_ROWS  # never closed, as if killed
    out.close()
    assert len(lines(path)) == 3 * sinks.BATCH_ROWS - 1


class Disk:
    """A file of which every write takes ``room`` bytes at most, and then fails."""

    def __init__(self, file, room: list[int]) -> None:
        self._file, self.room = file, room

    def write(self, data) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data[: self.room.pop(0)])

    def __getattr__(self, name: str):
        return getattr(self._file, name)


def test_a_full_disk_stops_the_stream_at_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    out = Stream(str(path))
    out.write(backward(1, DEPOSIT), 0.0, {})
    out._sink._file = Disk(out._sink._file, [100])  # type: ignore[union-attr]
    for number in (2, 3):
        out.write(backward(number, DEPOSIT), 0.0, {})
    out.close()
    assert [row["event"] for row in lines(path)] == [1]
    assert out.rows == 1 and "No space left" in str(out.warning) and "first 1 rows" in out.warning


def test_short_writes_are_continued(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    out = Stream(str(path))
    out._sink._file = Disk(out._sink._file, [7] * 10_000)  # type: ignore[union-attr]
    for number in (1, 2):
        out.write(backward(number, DEPOSIT), 0.0, {})
    out.close()
    assert [row["event"] for row in lines(path)] == [1, 2]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_an_interrupt_anywhere_neither_loses_nor_doubles_rows(tmp_path: Path, suffix: str) -> None:
    """Ctrl-C at the k-th line of ours, for every k; the event being written may be lost."""
    for k in range(400):
        path = tmp_path / f"{k}{suffix}"
        out = Stream(str(path))
        out.write(backward(1, DEPOSIT), 0.0, {})
        two, three = backward(2, DEPOSIT), backward(3, DEPOSIT)
        writes = [lambda: out.write(two, 0.0, {}), lambda: out.write(three, 0.0, {})]
        came = interrupted(k, *writes, out.close)
        out.close()
        assert out.warning is None
        if suffix == ".parquet":
            import pyarrow.parquet

            events = pyarrow.parquet.read_table(path)["event"].to_pylist()
        else:
            events = [row["event"] for row in lines(path)]
        assert events in ([1, 2, 3], [1, 3], [1, 2]), (k, events)
        assert out.rows == len(events)
        if not came:
            return
    pytest.fail("the interrupt never came too late")


def interrupted(k: int, *calls) -> bool:
    """Call each; raise KeyboardInterrupt at the k-th line of the sinks. Whether it came."""
    left = k

    def look(frame, event, arg):
        nonlocal left
        if frame.f_code.co_filename != sinks.__file__:
            return None
        if event == "line":
            left -= 1
            if left == -1:
                raise KeyboardInterrupt
        return look

    came = False
    for call in calls:
        previous = sys.gettrace()
        sys.settrace(look)
        try:
            call()
        except KeyboardInterrupt:
            came = True
        finally:
            sys.settrace(previous)
    return came


def test_a_forked_process_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    out = Stream(str(path))
    out.write(backward(1, DEPOSIT), 0.0, {})
    child = os.fork()
    if child == 0:
        out.write(backward(2, DEPOSIT), 0.0, {})
        out.close()
        os._exit(0)
    os.waitpid(child, 0)
    out.close()
    assert [row["event"] for row in lines(path)] == [1]


def test_a_fault_while_closing_is_a_warning(tmp_path: Path) -> None:
    out = Stream(str(tmp_path / "run.jsonl.gz"))
    out.write(backward(1, DEPOSIT), 0.0, {})
    out._sink._file = Disk(out._sink._file, [])  # type: ignore[union-attr]
    out.close()
    out.close()
    assert out.rows == 0 and "No space left" in str(out.warning)


@pytest.mark.parametrize("suffix", SAVED)
def test_what_exists_is_never_overwritten(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"
    path.write_text("mine")
    with pytest.raises(OptionError, match=r"exists already.*give another name"):
        Stream(str(path))
    assert path.read_text() == "mine"


@pytest.mark.parametrize("suffix", SAVED)
def test_a_missing_folder_is_named(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OptionError, match=r"there is no folder '.*nowhere'; make it"):
        Stream(str(tmp_path / "nowhere" / f"run{suffix}"))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="no folder"):
        Stream(str(tmp_path / "file" / "run.jsonl"))


@pytest.mark.parametrize("name", ["run", "run.csv", "run.json", "jsonl", ""])
def test_an_unknown_format_is_refused_naming_the_known_ones(name: str) -> None:
    with pytest.raises(OptionError, match=r"is no known format.*\.jsonl.*\.jsonl\.gz.*\.parquet"):
        Options(save=name)
    assert all(Options(save="RUN" + s.upper()).save for s in SAVED)


def test_without_pyarrow_the_install_command_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OptionError, match=r'pip install "ipygradmagic\[parquet\]"'):
        Stream(str(tmp_path / "run.parquet"))
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_of_a_stream_that_was_not_needed(tmp_path: Path) -> None:
    for suffix in SAVED:
        Stream(str(tmp_path / f"run{suffix}")).discard()
    assert not list(tmp_path.iterdir())


def test_parquet_parts(tmp_path: Path, monkeypatch) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr(sinks, "PART_ROWS", 3)
    path = tmp_path / "run.parquet"
    out = Stream(str(path))
    assert pq.read_table(path).column_names == list(COLUMNS)  # readable before the first event
    for number in range(1, 6):
        nan = Summary.of_values((math.nan, math.inf))
        out.write(backward(number, Change(4, ONE, nan), loss=math.nan), 0.0, {4: W})
    assert pq.read_table(path).num_rows == 3  # never closed, as if killed
    out.close()
    table = pq.read_table(path)
    assert table["event"].to_pylist() == [1, 2, 3, 4, 5]
    assert {f.name: str(f.type) for f in table.schema} == {
        n: {"float64": "double", "list<float64>": "list<element: double>"}.get(t, t)
        for n, t in COLUMNS.items()
    }
    assert all(math.isnan(v) for v in table["loss"].to_pylist())
    assert table["grad_after_values"].to_pylist()[0][1] == math.inf
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.parquet"]


def test_a_parquet_part_that_fails_is_told_and_the_others_stand(
    tmp_path: Path, monkeypatch
) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr(sinks, "PART_ROWS", 2)
    path = tmp_path / "run.parquet"
    out = Stream(str(path))
    for number in (1, 2, 3):
        out.write(backward(number, DEPOSIT), 0.0, {})

    def full(table: object, where: Path, **_: object) -> None:
        where.write_bytes(b"PAR1 half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(out._sink._parquet, "write_table", full)  # type: ignore[union-attr]
    out.close()
    assert "No space left" in str(out.warning) and out.rows == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.parquet"]
    monkeypatch.undo()
    assert pq.read_table(path)["event"].to_pylist() == [1, 2]

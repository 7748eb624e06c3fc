"""A saved run as series."""

from __future__ import annotations

import gzip
import json
import math

from ipygradmagic.record.replay import rows_in, series_of


def backward(event: int, loss: float | None, line: int = 3, **more: object) -> dict[str, object]:
    found = {"run": 0, "event": event, "kind": "backward", "cell": "In [1]", "line": line}
    return found | {"code": "loss.backward()"} | ({} if loss is None else {"loss": loss}) | more


def step(event: int, before: list[float], after: list[float], **more: object) -> dict[str, object]:
    values = {"value_before_values": before, "value_after_values": after}
    found = {"run": 0, "event": event, "kind": "step", "tensor": "w", "tensor_id": 1}
    return found | {"numel": len(after)} | values | more


def same(line: int) -> int:
    return line


def test_a_backward_counts_once_however_many_tensors_it_reaches():
    losses, _ = series_of([backward(1, 2.0), backward(1, 2.0), backward(3, 1.0)], same)
    assert [s.rows for s in losses] == [((2.0,), (1.0,))]


def test_losses_are_told_apart_by_the_line_as_written():
    losses, _ = series_of([backward(1, 2.0, 4), backward(2, 1.0, 5)], {4: 3, 5: 4}.__getitem__)
    assert [s.line for s in losses] == [3, 4]


def test_a_loss_that_is_not_finite_is_kept():
    rows = [
        backward(i, None, loss_nonfinite=w) | {"loss": None}
        for i, w in enumerate(("plus-infinity", "not-a-number"))
    ]
    (loss,), _ = series_of([*rows, backward(9, None)], same)
    assert loss.rows[0] == (math.inf,) and math.isnan(loss.rows[1][0]) and len(loss.rows) == 2


def test_a_path_starts_before_the_first_update():
    _, (path,) = series_of([step(2, [1.0, 0.0], [0.5, 0.1]), step(4, [0.5, 0.1], [0.2, 0.2])], same)
    assert path.rows == ((1.0, 0.0), (0.5, 0.1), (0.2, 0.2)) and not path.norm


def test_a_large_tensor_is_followed_by_its_norm():
    row = step(2, [], [], numel=500, value_before_norm=3.0, value_after_norm=2.0)
    broken = step(4, [], [], numel=500, value_after_nan=3, value_after_norm=None)
    _, (path,) = series_of([row, broken], same)
    assert path.norm and path.rows[:2] == ((3.0,), (2.0,)) and math.isnan(path.rows[2][0])


def test_a_better_name_is_used_for_the_whole_path():
    rows = [step(1, [1.0], [0.9], tensor="tensor 7"), step(2, [0.9], [0.8])]
    _, (path,) = series_of(rows, same)
    assert path.name == "w" and len(path.rows) == 3


def test_a_name_bound_to_new_leaves_is_one_path():
    rows = [step(i, [i], [i + 1.0], tensor_id=i, kind="rebind") for i in range(3)]
    _, (path,) = series_of(rows, same)
    assert path.rows == ((0,), (1.0,), (2.0,), (3.0,))


def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path):
    file = tmp_path / "events.jsonl.gz"
    line = (json.dumps({"event": 1}) + "\n").encode()
    file.write_bytes(gzip.compress(line) + gzip.compress(line * 1000)[:-20])
    rows = list(rows_in([file, tmp_path / "missing.jsonl.gz"]))
    assert rows[0] == {"event": 1, "run": 0} and len(rows) < 1001

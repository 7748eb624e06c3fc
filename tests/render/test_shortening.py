"""Names that differ stay different when they are shortened."""

from __future__ import annotations

import records as r

from ipygradmagic.options import Options
from ipygradmagic.record.events import Change, Event
from ipygradmagic.record.tensors import Holds, TensorInfo
from ipygradmagic.render import lifecycle
from ipygradmagic.render.shortening import distinct
from ipygradmagic.render.strip import drawing, grid
from ipygradmagic.render.timeline import Timeline

BERT = [
    "model.bert.embeddings.word_embeddings.weight",
    "model.bert.embeddings.position_embeddings.weight",
    "model.bert.embeddings.token_type_embeddings.weight",
]


def test_the_parts_that_come_last_stay() -> None:
    assert distinct(["w", *BERT], 36) == [
        "w",
        "model.bert….word_embeddings.weight",
        "model….position_embeddings.weight",
        "model….token_type_embeddings.weight",
    ]


def test_the_parts_that_differ_stay() -> None:
    names = [f"model.encoder.layer[{i}].attention.self.query.weight" for i in (0, 1, 11)]
    assert distinct(names, 36) == [
        "model….layer[0]….self.query.weight",
        "model….layer[1]….self.query.weight",
        "model….layer[11]….self.query.weight",
    ]
    assert distinct(names, 12) == ["…[0]….weight", "…[1]….weight", "…[11]….self…"]


def test_nothing_else_is_changed() -> None:
    assert distinct(["w", "net[0].weight", "w"], 36) == ["w", "net[0].weight", "w"]
    assert distinct(["x" * 50], 36) == ["x" * 24 + "…" + "x" * 12]
    assert distinct(["net.body[3].weight"], 12) == ["net….weight"]
    alike = ["x" * 30 + c + "x" * 30 for c in "ab"]
    assert distinct(alike, 20) == alike


def test_the_strip_has_them_in_text_and_picture() -> None:
    change = [Change(i, None, r.one(1.0), True, holds=Holds(1, 1, 1)) for i in (1, 2, 3)]
    event = Event(1, "backward", 1, "backward", r.at(7), changes=tuple(change), signature=1)
    tensors = tuple(TensorInfo(i, name) for i, name in enumerate(BERT, 1))
    strip = lifecycle.strip(Timeline(r.trace_of([event], tensors=tensors), Options()))
    assert strip is not None
    kinds = ("word", "position", "token_type")
    for width in (60, 100):
        text = "\n".join(grid(strip, width))
        assert all(f"{kind}_embeddings" in text for kind in kinds)
    labels = [row.label for _, row in drawing(strip).rows]
    assert labels == distinct(BERT, 36)

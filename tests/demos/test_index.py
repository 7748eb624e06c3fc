"""``demos/README.md`` is what its script would write now."""

from __future__ import annotations

from tests.demos.index import DEMOS, index


def test_it_is_up_to_date_and_has_every_notebook() -> None:
    stored = (DEMOS / "README.md").read_text(encoding="utf-8")
    assert stored == index(), "write it again: python -m tests.demos.index"
    assert all(f"({path.name})" in stored for path in DEMOS.glob("*.ipynb"))
    assert "✗ [stale-gradient](findings.md#stale-gradient)" in stored

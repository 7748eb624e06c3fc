"""``demos/findings.md`` is what its script would write now."""

from __future__ import annotations

from ipygradmagic.diagnose.explain import names
from tests.demos.findings import PATH, markdown


def test_it_is_up_to_date() -> None:
    stored = PATH.read_text(encoding="utf-8")
    assert stored == markdown() + "\n", "write it again: python -m tests.demos.findings"


def test_every_finding_is_listed_and_has_a_heading() -> None:
    stored = PATH.read_text(encoding="utf-8")
    for name in names():
        assert f"(#{name})" in stored and f"\n## {name}\n" in stored

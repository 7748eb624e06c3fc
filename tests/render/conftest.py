from __future__ import annotations

import pytest

from ipygradmagic.render import report


@pytest.fixture(autouse=True)
def faults_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A section that fails is an error in tests, not a placeholder."""
    monkeypatch.setattr(report, "RAISE_FAULTS", True)

"""Assertions of the shared checks are explained like those of the tests."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.capture.roads")

"""Fixtures of the CT tests."""

from __future__ import annotations

import locale
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _same_locale() -> Iterator[None]:
    """SimpleITK's DICOM series reader leaves the process in the C locale; the product reads in another process."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)

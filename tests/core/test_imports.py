"""Packages that are hidden while something else is imported."""

from __future__ import annotations

import importlib
import sys

import pytest

from app.core.imports import without


def test_a_hidden_package_is_not_found_and_is_there_again() -> None:
    sys.modules.pop("colorsys", None)
    with without("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert "colorsys" not in sys.modules
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)


def test_what_is_imported_already_stays() -> None:
    colorsys = importlib.import_module("colorsys")
    with without("colorsys"):
        assert importlib.import_module("colorsys") is colorsys
    assert sys.modules["colorsys"] is colorsys


def test_it_is_there_again_after_a_fault() -> None:
    sys.modules.pop("colorsys", None)
    with pytest.raises(ZeroDivisionError), without("colorsys"):
        raise ZeroDivisionError
    assert "colorsys" not in sys.modules

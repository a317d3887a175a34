"""The colour schemes, measured: legible, told apart by the colour-blind, worn at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtGui import QColor

from app.store.bundled import resource_path
from app.ui import theme
from app.ui.theme import DARK, SCHEMES, TEXT_ON, TEXT_OVER_IMAGE, Colours, contrast
from tests.support.window import application

ICONS = sorted(path.stem for path in resource_path("icons").glob("*.svg"))

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def lab(name: str, vision: np.ndarray) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as somebody sees it."""
    colour = QColor(name)
    srgb = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(vision @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.fixture(autouse=True)
def dark_again() -> object:
    yield
    theme.apply(application(), "dark")


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_every_text_is_legible_on_its_surface(scheme: Colours) -> None:
    found = {pair: contrast(*(getattr(scheme, name) for name in pair)) for pair in TEXT_ON}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


def test_what_is_written_over_radiographs_is_legible_on_their_black() -> None:
    assert {name for name in TEXT_OVER_IMAGE if contrast(getattr(theme.OVER_IMAGE, name), DARK.image) < 4.5} == set()


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_what_is_not_text_stands_out_three_to_one(scheme: Colours) -> None:
    marks = [scheme.edge, scheme.accent, scheme.disabled, *scheme.data]
    poor = [(m, s) for m in marks for s in (scheme.window, scheme.panel) if contrast(m, s) < 3]
    assert poor == []


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("vision", VISION)
def test_the_colour_blind_tell_the_data_apart(scheme: Colours, vision: str) -> None:
    seen = [lab(name, VISION[vision]) for name in scheme.data]
    # tritanopia is one in ten thousand: there the first six suffice
    seen = seen[:6] if vision == "tritanopia" else seen
    nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
    assert nearest > 10  # ΔE*ab; 2.3 is just noticeable side by side

from __future__ import annotations

import numpy as np
import pytest

from app.engine.phantom.volume import Material
from app.engine.radiograph.attenuation import AttenuationTable
from app.engine.radiograph.beam import ALUMINIUM_G_CM3, detected_spectrum, transmission, tube_fluence

TABLE = AttenuationTable.load()


@pytest.mark.parametrize(("kvp", "low", "high"), [(70, 2.3, 2.9), (85, 2.7, 3.3)])
def test_the_half_value_layer_is_that_of_a_diagnostic_beam(kvp: float, low: float, high: float) -> None:
    energy = np.linspace(16, kvp - 0.1, 400)
    # air kerma: energy × fluence × mass energy-absorption coefficient of air (NIST, NISTIR 5632)
    known = [15, 20, 30, 40, 50, 60, 80, 100]
    absorption = [1.334, 0.5389, 0.1537, 0.06833, 0.04098, 0.03041, 0.02407, 0.02325]
    of_air = np.exp(np.interp(np.log(energy), np.log(known), np.log(absorption)))
    weight = tube_fluence(kvp, 3.2, TABLE, energy) * energy * of_air
    mu = TABLE.coefficient("aluminium", energy) * ALUMINIUM_G_CM3 / 10
    thickness = np.linspace(0, 8, 2000)
    kerma = (weight[:, None] * np.exp(-mu[:, None] * thickness)).sum(axis=0)
    half = float(thickness[np.argmin(np.abs(kerma / kerma[0] - 0.5))])
    assert low < half < high


def test_weights_sum_to_one_and_end_at_the_tube_voltage() -> None:
    spectrum = detected_spectrum(80, 3.2, TABLE)
    assert spectrum.weight.sum() == pytest.approx(1)
    assert spectrum.energy_kev.max() < 80


def test_transmission_follows_beer_lambert_for_each_energy() -> None:
    spectrum = detected_spectrum(75, 3.2, TABLE)
    rng = np.random.default_rng(2)
    bone, muscle = rng.uniform(0, 4, (2, 37, 11)).astype(np.float32)
    signal = transmission({Material.BONE: bone, Material.MUSCLE: muscle * 5}, spectrum, TABLE)
    exponent = bone[..., None] * TABLE.coefficient("bone", spectrum.energy_kev) + 5 * muscle[
        ..., None
    ] * TABLE.coefficient("muscle", spectrum.energy_kev)
    np.testing.assert_allclose(signal, (np.exp(-exponent) * spectrum.weight).sum(-1), rtol=2e-5)


def test_the_beam_hardens() -> None:
    spectrum = detected_spectrum(75, 3.2, TABLE)
    path = np.array([[1.0, 30.0]], np.float32)
    attenuation = -np.log(transmission({Material.MUSCLE: path}, spectrum, TABLE))
    assert attenuation[0, 1] / 30 < attenuation[0, 0] * 0.97


def test_more_bins_change_nothing_that_matters() -> None:
    path = {Material.BONE: np.array([[0.0, 2.0, 6.0]], np.float32), Material.MUSCLE: np.full((1, 3), 18, np.float32)}
    coarse = transmission(path, detected_spectrum(75, 3.2, TABLE), TABLE)
    fine = transmission(path, detected_spectrum(75, 3.2, TABLE, bins=200), TABLE)
    np.testing.assert_allclose(np.log(coarse), np.log(fine), atol=0.02)


def test_negative_density_counts_as_none() -> None:
    spectrum = detected_spectrum(75, 3.2, TABLE)
    assert transmission({Material.FAT: np.full((1, 1), -3, np.float32)}, spectrum, TABLE) == pytest.approx(1)

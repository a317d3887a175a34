from __future__ import annotations

import numpy as np
import pytest

from app.engine.phantom.volume import Material
from app.engine.radiograph.attenuation import COLUMN_OF, AttenuationTable

# ICRU Report 44, composition by mass
COMPOSITIONS = {
    "bone": {"H": 3.4, "C": 15.5, "N": 4.2, "O": 43.5, "Na": 0.1, "Mg": 0.2, "P": 10.3, "S": 0.3, "Ca": 22.5},
    "muscle": {"H": 10.2, "C": 14.3, "N": 3.4, "O": 71.0, "Na": 0.1, "P": 0.2, "S": 0.3, "Cl": 0.1, "K": 0.4},
    "fat": {"H": 11.4, "C": 59.8, "N": 0.7, "O": 27.8, "Na": 0.1, "S": 0.1, "Cl": 0.1},
    "water": {"H": 11.19, "O": 88.81},
    "aluminium": {"Al": 100},
    "iron": {"Fe": 100},
    "titanium": {"Ti": 100},
    "caesium_iodide": {"Cs": 51.16, "I": 48.84},
}


@pytest.fixture(scope="module")
def table() -> AttenuationTable:
    return AttenuationTable.load()


def test_the_table_gives_its_own_entries(table: AttenuationTable) -> None:
    assert table.coefficient("bone", 60) == pytest.approx(0.3148)
    assert table.coefficient("water", [20, 150]).tolist() == pytest.approx([0.8096, 0.1505])


def test_every_material_has_a_column(table: AttenuationTable) -> None:
    for material in Material:
        assert table.coefficient(COLUMN_OF[material], 55) > 0


def test_bone_stops_more_than_muscle_more_than_fat(table: AttenuationTable) -> None:
    energies = np.linspace(20, 100, 30)
    bone, muscle, fat = (table.coefficient(name, energies) for name in ("bone", "muscle", "fat"))
    assert (bone > muscle).all()
    assert (muscle > fat).all()


def test_energies_outside_the_table_are_refused(table: AttenuationTable) -> None:
    with pytest.raises(ValueError, match="15–150"):
        table.coefficient("bone", 10)


@pytest.mark.parametrize("name", sorted(COMPOSITIONS))
def test_agrees_with_xraydb(table: AttenuationTable, name: str) -> None:
    xraydb = pytest.importorskip("xraydb", reason="the xraydb package is not installed")
    energies, values = table.curves[name]
    total = sum(COMPOSITIONS[name].values())
    expected = sum(
        share / total * xraydb.mu_elam(element, energies * 1e3) for element, share in COMPOSITIONS[name].items()
    )
    np.testing.assert_allclose(values, expected, rtol=0.006)

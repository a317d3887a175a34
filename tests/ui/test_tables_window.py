"""Tables in the window: a mapping file, or FracAtlas, is looked at before it is applied."""

from __future__ import annotations

from pathlib import Path

import cv2

from app.ui.mapping_dialog import MappingDialog
from tests.support.dicom_files import picture
from tests.support.dropping import drop
from tests.support.window import open_window, wait_until
from tests.support.window_files import empty_project, settled


def test_a_table_is_looked_at_before_it_is_applied(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(folder / f"{name}.png"), picture(ord(name), rows=200, cols=160))
    (folder / "labels.csv").write_text(
        "path,patient,side,view,fracture,patient_name\na.png,P1,left,ap,yes,Ada\nb.png,P2,right,lat,no,Bea\nc.png,P3,left,ap,no,C\n",
        encoding="utf-8",
    )
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [folder / "labels.csv"])
    wait_until(lambda: window.findChild(MappingDialog) is not None)
    dialog = window.findChild(MappingDialog)
    assert dialog is not None
    assert len(dialog.preview.mapping.rows) == 3
    assert dialog.preview.missing == {"c.png"}
    said = dialog.words.text()
    assert "fracture (3)" in said
    assert "1 file is missing" in said
    assert "patient_name" in said
    first = dialog.table.item(0, 1)
    assert first is not None
    assert first.text() == "missing"
    assert not window.importing.is_running
    dialog.apply_button.click()
    settled(window)
    assert window.banners.texts["import"].startswith("2 views imported, 1 refused.")
    assert window.project is not None
    store = window.project.look()
    labels = {store.events.current(f"case:{case.id}", "label.fracture") for case in store.cases.all()}
    assert labels == {"yes", "no"}


def test_a_table_with_a_fault_names_row_and_column(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,patient,side\na.png,P1,upwards\n", encoding="utf-8")
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [tmp_path / "labels.csv"])
    wait_until(lambda: "error" in window.banners.texts)
    assert "Row 2, column 'side'" in window.banners.texts["error"]


def test_fracatlas_is_known_by_its_layout(tmp_path: Path) -> None:
    root = tmp_path / "FracAtlas"
    (root / "images" / "Fractured").mkdir(parents=True)
    cv2.imwrite(str(root / "images" / "Fractured" / "IMG1.jpg"), picture(1, rows=200, cols=160, bits=8).astype("u1"))
    (root / "dataset.csv").write_text(
        "image_id,hand,leg,hip,shoulder,mixed,hardware,multiscan,fractured,fracture_count,frontal,lateral,oblique\n"
        "IMG1.jpg,0,0,1,0,0,0,0,1,1,1,0,0\n",
        encoding="utf-8",
    )
    window = open_window(empty_project(tmp_path / "p"))
    drop(window, [root])
    wait_until(lambda: window.findChild(MappingDialog) is not None)
    dialog = window.findChild(MappingDialog)
    assert dialog is not None
    dialog.apply_button.click()
    settled(window)
    assert window.banners.texts["import"].startswith("1 view imported.")

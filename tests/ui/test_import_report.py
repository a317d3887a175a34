"""The report of an import: saving and copying it, whatever files are called; and what is said while one runs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from app.store.import_report import ImportItem, ImportReport, Outcome
from app.ui.import_report_dialog import ImportReportDialog
from app.ui.import_task import ImportState, Stage
from app.ui.import_words import progress_words
from app.ui.language import use_language
from tests.support.window import application

IN_LATIN_1 = b"H\xfcfte.dcm".decode("utf-8", "surrogateescape")  # as Python names such a file on Linux


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    application()
    yield
    use_language(application(), "en")


@pytest.fixture
def dialog() -> Iterator[ImportReportDialog]:
    made = ImportReportDialog()
    item = ImportItem(label=IN_LATIN_1, outcome=Outcome.REFUSED, reason="The file's name cannot be read.")
    made.show_reports([("12:00", ImportReport(items=(item,), cases=()))])
    yield made
    made.deleteLater()


def test_a_name_in_no_valid_encoding_does_not_keep_the_report_from_being_saved_or_copied(
    dialog: ImportReportDialog, tmp_path: Path
) -> None:
    dialog.save_to(tmp_path / "import.csv")
    with (tmp_path / "import.csv").open(encoding="utf-8-sig", newline="") as file:
        _, row = csv.reader(file)
    assert row[0] == r"H\udcfcfte.dcm"
    dialog.copy_button.click()
    assert r"H\udcfcfte.dcm" in QGuiApplication.clipboard().text()


def test_a_report_that_cannot_be_saved_says_why_in_sentences(dialog: ImportReportDialog, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    use_language(application(), "de")
    dialog.save_to(tmp_path / "file" / "import.csv")
    words = dialog._words.text()
    assert words.startswith("Der Bericht konnte nicht geschrieben werden. Das System meldet: ")
    assert words.endswith(".")


def test_a_slow_import_does_not_claim_to_stand_still() -> None:
    slow = ImportState(stage=Stage.IMAGES, done=2, total=9, elapsed_s=30.0)
    assert progress_words(slow, 0) == "2 of 9 files"
    quick = ImportState(stage=Stage.IMAGES, done=60, total=61, elapsed_s=30.0)
    assert progress_words(quick, 0).startswith("60 of 61 files · 2 files/s")

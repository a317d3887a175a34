"""Importing in the window, as tests drive it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from app.store.project import ProjectStore
from app.ui.main_window import MainWindow
from tests.support.dicom_files import write_dicom
from tests.support.window import wait_until


def pair(folder: Path, study: int, **tags: object) -> None:
    """A frontal and a lateral view of a left hip."""
    for number, view in enumerate(("AP", "LL")):
        name = folder / f"{study:03d}" / f"{view}.dcm"
        more = {"ViewPosition": view, "ImageLaterality": "L"} | tags
        write_dicom(name, study=study, instance=study * 10 + number, patient=f"PID-{study}", **more)


def empty_project(folder: Path, name: str = "Hips") -> Path:
    """A project without a case."""
    ProjectStore.create(folder, name=name).close()
    return folder


def settled(window: MainWindow, imports: int = 1) -> None:
    """Wait until so many imports have ended and the first case is on the screen."""
    wait_until(lambda: len(window.importing.reports) == imports and not window.importing.is_running)
    wait_until(lambda: not window.case_list.model.rowCount() or bool(window.selection.on_screen))


def press(window: MainWindow, text: str) -> None:
    """Press the visible button with this text."""

    def found() -> list[QPushButton]:
        return [button for button in window.findChildren(QPushButton) if button.text() == text and button.isVisible()]

    wait_until(lambda: bool(found()))
    assert len(found()) == 1, f"{len(found())} buttons say {text!r}"
    QTest.mouseClick(found()[0], Qt.MouseButton.LeftButton)

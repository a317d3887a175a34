"""A fault becomes one dialog with nothing about patients in it, however often it comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.crash import LIMIT, CrashReporter
from tests.support.window import wait, wait_until


@pytest.fixture
def reporter() -> Iterator[CrashReporter]:
    window = QWidget()
    window.resize(200, 100)
    window.show()
    made = CrashReporter(window)
    previous = sys.excepthook
    made.install()
    yield made
    made.remove()
    assert sys.excepthook == previous
    if made.dialog is not None:
        made.dialog.close()


def fail(number: int = 0) -> None:
    """Let an exception with a secret reach the hook; another line for every number."""
    places = "\n" * number + "raise RuntimeError('secret of Mrs Miller in /home/miller/hip.dcm')"
    try:
        exec(compile(places, "app/somewhere.py", "exec"))  # noqa: S102
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)


def test_an_exception_that_nobody_catches_becomes_a_dialog(
    reporter: CrashReporter, capsys: pytest.CaptureFixture[str]
) -> None:
    fail()
    wait_until(lambda: reporter.dialog is not None and reporter.dialog.isVisible())
    assert reporter.dialog is not None
    said = reporter.dialog.report + capsys.readouterr().err
    assert "RuntimeError" in said
    assert "secret" not in said
    assert "miller" not in said.lower()
    copy = next(button for button in reporter.dialog.findChildren(QPushButton) if button.objectName() == "primary")
    copy.click()
    assert QGuiApplication.clipboard().text() == reporter.dialog.report


def test_a_fault_in_a_paint_event_does_not_loop(reporter: CrashReporter, capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(QWidget):
        painted = 0

        def paintEvent(self, event: QPaintEvent) -> None:
            self.painted += 1
            raise ValueError(f"broken {self.painted}")

    broken = Broken()
    broken.resize(50, 50)
    broken.show()
    wait_until(lambda: reporter.dialog is not None and reporter.dialog.isVisible())
    first = reporter.dialog
    assert first is not None
    first.accept()
    for number in range(30):
        broken.update()
        wait_until(lambda number=number: broken.painted > number + 1)
    wait(20)
    assert reporter.dialog is first
    assert not first.isVisible()  # it was seen once; it does not come back by itself
    assert reporter.count(first.report) == broken.painted > 30
    assert capsys.readouterr().err.count("ValueError") == 1
    broken.close()


def test_a_fault_that_repeats_is_counted_in_its_dialog(reporter: CrashReporter) -> None:
    fail()
    wait_until(lambda: reporter.dialog is not None and reporter.dialog.isVisible())
    for _ in range(4):
        fail()
    wait(10)
    assert reporter.dialog is not None
    assert "5" in reporter.dialog._repeats.text()


def test_the_number_of_faults_that_are_shown_is_limited(
    reporter: CrashReporter, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(LIMIT + 10):
        fail(number)
    assert capsys.readouterr().err.count("RuntimeError") == LIMIT

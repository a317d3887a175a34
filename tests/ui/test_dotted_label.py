"""Words that have no room end in dots."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

from app.ui.dotted_label import DottedLabel
from tests.support.window import application, wait_until

WORDS = "A project with a really long name that a hospital gave it"


def label_of(width_px: int, cut: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> DottedLabel:
    application()
    label = DottedLabel(cut=cut)
    label.setText(WORDS)
    label.resize(width_px, 20)
    return label


def test_it_says_all_where_there_is_room() -> None:
    label = label_of(2000)
    assert label.shown == WORDS


def test_dots_stand_where_words_are_missing() -> None:
    right, middle = label_of(120), label_of(120, Qt.TextElideMode.ElideMiddle)
    assert right.shown.endswith("…")
    assert WORDS.startswith(right.shown[:-1])
    first, last = middle.shown.split("…")
    assert WORDS.startswith(first)
    assert WORDS.endswith(last)
    assert right.fontMetrics().horizontalAdvance(right.shown) <= 120


def test_it_yields_to_its_neighbours_and_is_painted_inside() -> None:
    label = label_of(60)
    assert label.minimumSizeHint().width() < 60
    label.setStyleSheet("color: black; background: white")
    image = label.grab().toImage()
    assert image.width() == 60
    assert any(image.pixelColor(x, y).lightness() < 100 for x in range(60) for y in range(image.height()))


def test_the_mouse_shows_the_rest() -> None:
    label = label_of(80)
    label.show()
    at = QPoint(5, 5)
    label.event(QHelpEvent(QHelpEvent.Type.ToolTip, at, label.mapToGlobal(at)))
    wait_until(lambda: QToolTip.text() == WORDS)
    QToolTip.hideText()
    label.close()

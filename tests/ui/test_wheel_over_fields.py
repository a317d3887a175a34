"""Scrolling a form answers none of its questions: a field turns with the wheel only while it has the keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.core.case import ReviewStatus
from app.core.label_set import FieldType, LabelField
from app.ui.case_notes import CaseNotes, CaseState
from app.ui.fields import ChoiceBox, DecimalBox, NumberBox
from app.ui.label_field import FieldRow
from tests.support.window import application, wait


def turn(widget: QWidget, notches: int = -1) -> bool:
    """Turn the wheel over a widget; False when it leaves that to what is around it."""
    at = widget.rect().center()
    event = QWheelEvent(
        QPointF(at), QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def choice_box() -> ChoiceBox:
    box = ChoiceBox()
    box.addItems(["one", "two", "three"])
    box.setCurrentIndex(1)
    return box


def number_box() -> NumberBox:
    box = NumberBox()
    box.setValue(50)
    return box


def decimal_box() -> DecimalBox:
    box = DecimalBox()
    box.setValue(50)
    return box


@pytest.mark.parametrize("make", [choice_box, number_box, decimal_box])
def test_the_wheel_scrolls_the_form_and_turns_only_the_field_in_use(
    make: Callable[[], ChoiceBox | NumberBox | DecimalBox],
) -> None:
    application()
    sheet, box = QWidget(), make()
    sheet.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    layout = QVBoxLayout(sheet)
    layout.addWidget(box)
    sheet.show()
    sheet.activateWindow()
    sheet.setFocus()
    wait(0)

    def value() -> float:
        return box.currentIndex() if isinstance(box, ChoiceBox) else box.value()

    before = value()
    assert not turn(box)
    assert value() == before
    assert not box.hasFocus()
    box.setFocus()
    assert turn(box)
    assert value() != before


def test_scrolling_the_label_form_over_the_confidence_says_nothing() -> None:
    application()
    row = FieldRow(LabelField(id="confidence", text="Confidence", type=FieldType.CONFIDENCE))
    row.show_value(80, is_active=False, is_missing=False, is_writable=True)
    row.show()
    wait(0)
    said: list[object] = []
    row.entered.connect(said.append)
    assert row.number is not None
    assert not turn(row.number)
    assert said == []
    assert row.number.value() == 80


def test_scrolling_the_notes_over_the_name_assigns_the_case_to_nobody() -> None:
    application()
    notes = CaseNotes()
    notes.show_state(CaseState(status=ReviewStatus.NEW, people=("Ada", "Bo"), is_writable=True))
    notes.show()
    wait(0)
    assigned: list[str] = []
    notes.assigned.connect(assigned.append)
    notes.write_comment()
    assert not turn(notes.person)
    assert assigned == []
    assert notes.person.currentText() == ""

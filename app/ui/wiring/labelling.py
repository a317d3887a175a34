"""The label form: its dock, and keys that answer it wherever the keyboard is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from app.ui.docks import bring_forward, fill, is_behind, reserve, switch_dock
from app.ui.language import tr
from app.ui.layouts import OTHER
from app.ui.notices import Banner
from app.ui.privacy import private_id
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.label_entry import LabelStep
    from app.store.annotations import Annotations
    from app.ui.label_form import LabelForm

FORM_PX, LEAST_PX = (292, 600), (240, 0)  # what the form asks for, and its least
TYPING = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox)
NAMED = {Qt.Key.Key_Backspace: "Backspace"}
REFUSED, OTHER_HIP = "refused-words", "other-hip"
DIGITS = tuple("123456789")  # the first of them opens the form


class LabellingWiring(Wiring):
    """The label form.

    Attributes:
        form: the form; after the first paint.
    """

    late_turn = 6
    late_imports = ("app.ui.label_field", "app.ui.label_form")
    form: LabelForm | None = None
    _shown_case = ""

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What shows and hides the form."""
        return {"show_labels": lambda is_on: switch_dock(self._dock, is_on)}

    def connect_shell(self) -> None:
        """The dock is there from the start, so that its place can be restored."""
        window = self.window
        self._dock = QDockWidget(window)
        self._dock.setObjectName("labels")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        self._dock.hide()
        self._dock.visibilityChanged.connect(self._on_visible)
        self._keys = _FormKeys(self)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._keys.follow)

    def connect_rest(self) -> None:
        """The form, and what it follows."""
        from app.ui.label_form import LabelForm

        project = self.project
        self.form = LabelForm(self._dock)
        fill(self._dock, self.form)
        self.form.changed.connect(self._store)
        self.form.refused.connect(project.failed)
        self.form.left.connect(self.window.case_list.table.setFocus)
        self.window.selection.leaving.connect(self.form.store_typed)
        project.closing.connect(self.form.store_typed)
        self.viewer.swapped.connect(lambda _: self._show_case())
        self.viewer.swapped.connect(lambda _: self._on_active())
        self.viewer.active_changed.connect(self._on_active)
        project.annotated.connect(self._on_annotated)
        project.author_changed.connect(self._show_case)
        project.closed.connect(self._on_closed)

    def reserve(self) -> None:
        """The dock."""
        reserve(self._dock, FORM_PX, LEAST_PX)
        self._dock.setVisible(self.window.actions_by_id["show_labels"].isChecked())

    def catch_up(self) -> None:
        """Show the labels of the case on the screen."""
        self._show_case()

    def retranslate(self) -> None:
        """The title."""
        self._dock.setWindowTitle(tr("Labels"))
        if OTHER_HIP in self.window.banners.texts:
            self._tell_other_hip()

    def close(self) -> None:
        """Watch the keyboard no more."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.disconnect(self._keys.follow)
        self._keys.follow(None, None)

    def wants(self, event: QKeyEvent) -> str:
        """The key as the form names it, if the form is to have it; else empty.

        A view that is asked about has the first right to its letters.
        """
        if key := self.window.adjudicating.wants(event):
            return key
        form = self.form
        plain = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier) == Qt.KeyboardModifier.NoModifier
        if form is None or not plain or self.window.resolving.may_decide:
            return ""
        if not self._is_in_sight:
            return event.text() if event.text() in DIGITS and self._may_open else ""
        key = NAMED.get(Qt.Key(event.key()), event.text()) if event.key() in NAMED else event.text()
        if len(key) != 1 and key not in NAMED.values():
            return ""
        return key if form.would_take(key) else ""

    def take(self, key: str, event: QKeyEvent) -> None:
        """A key that is wanted: it decides a disagreement, or answers the form."""
        adjudicating = self.window.adjudicating
        if adjudicating.panel is not None and adjudicating.wants(event):
            adjudicating.panel.take(key)
        elif self.form is not None and self._is_in_sight:
            if self.viewer.is_settled:  # nobody answers about images that are not on the screen yet
                self.form.take(key)
        else:
            self.open()  # nobody answers a question that is not on the screen

    def open(self) -> None:
        """Show the form, in front of what shares its place."""
        bring_forward(self._dock)

    @property
    def _is_in_sight(self) -> bool:
        """Whether the form is on the screen, and not behind another panel."""
        return self.form is not None and self.form.isVisible() and not is_behind(self._dock)

    @property
    def _may_open(self) -> bool:
        content = self.viewer.content
        return content is not None and not content.case.blocked_reason and self.project.is_writable

    def _show_case(self) -> None:
        """Show the labels of the case on the screen."""
        form, viewer, project = self.form, self.viewer, self.project
        content = viewer.content
        if form is None or not form.isVisible():
            self._shown_case = ""
            return
        if content is None or content.case.blocked_reason or not project.is_open:
            form.clear(is_blocked=content is not None and project.is_open)
            self._shown_case = ""
            return
        notes, author = project.annotations, project.author
        case_id = content.case.id
        archive = {name: value for name, value in notes.values(case_id).items() if name.startswith("label.")}
        labels = notes.labels(case_id, author) if author.strip() else {}
        form.show_case(notes.label_set, labels, archive=archive, is_writable=project.is_writable)
        self._shown_case = case_id

    def _on_annotated(self, case_id: str) -> None:
        if self.form is not None and case_id == self._shown_case:
            self.form.show_values(self.project.annotations.labels(case_id, self.project.author))

    def _store(self, step: LabelStep) -> None:
        case_id = self._shown_case
        if not case_id:
            return
        if not self.viewer.is_settled:  # the mouse was quicker than the images
            self._on_annotated(case_id)
            return
        if not self._typed(step) and self.refuses_other_hip():
            self._on_annotated(case_id)
            return

        def change(annotations: Annotations, author: str) -> object:
            return annotations.set_labels(case_id, step.changes, author=author)

        if self.project.annotate(case_id, change) is not None:
            return
        self._on_annotated(case_id)  # it was refused, or waits: show what is stored
        if not self.project.is_waiting:
            self._tell_refused(case_id, step)

    def refuses_other_hip(self) -> bool:
        """Whether nothing is to be recorded about the case on the screen now; says so where that is so.

        Its pane is not the active one: who answers may mean the hip that is.
        """
        if self._is_other_hip:
            self._tell_other_hip()
        return self._is_other_hip

    @property
    def _is_other_hip(self) -> bool:
        """Whether the pane in use shows the patient's other hip, which is another case."""
        return self.viewer.active_place.name == OTHER

    def _tell_other_hip(self) -> None:
        title = tr("Nothing was recorded: the active pane shows the other hip.")
        words = tr("Click the image of this case, or open the other hip's case in the worklist.")
        self.window.banners.show_banner(OTHER_HIP, Banner(title, (words,), tone="caution", is_closable=True))

    def _on_active(self) -> None:
        if not self._is_other_hip:
            self.window.banners.remove(OTHER_HIP)

    @staticmethod
    def _typed(step: LabelStep) -> tuple[str, ...]:
        from app.core.label_set import FieldType

        fields = {field.id for field in step.entry.label_set.fields if field.type is FieldType.TEXT}
        return tuple(str(value) for name, value in step.changes.items() if name in fields and value)

    def _tell_refused(self, case_id: str, step: LabelStep) -> None:
        """Typed words that were refused, perhaps on the way to the next case, can still be read and copied."""
        case, typed = self.project.look().cases.get(case_id), self._typed(step)
        if case is not None and typed:
            title = tr("Not recorded about {patient}:", patient=private_id(case.patient_id))
            self.window.banners.show_banner(REFUSED, Banner(title, typed, tone="caution", is_closable=True))

    def _on_visible(self, is_visible: bool) -> None:
        self.window.actions_by_id["show_labels"].setChecked(not self._dock.isHidden())  # behind a tab it is still open
        if self.form is not None and self.window.project is not None:
            self._show_case()

    def _on_closed(self) -> None:
        if self.form is not None:
            self.form.clear()
        self._shown_case = ""


class _FormKeys(QObject):
    """Watches the widget that has the keyboard, and no other, so that nothing else of the window gets slower."""

    def __init__(self, wiring: LabellingWiring) -> None:
        super().__init__(wiring.window)
        self._wiring = wiring
        self._watched: QWidget | None = None

    def follow(self, before: QWidget | None, now: QWidget | None) -> None:
        """The keyboard has gone elsewhere."""
        if self._watched is not None:
            self._watched.removeEventFilter(self)
            self._watched.destroyed.disconnect(self._forget)
        is_ours = now is not None and now.window() is self._wiring.window and not isinstance(now, TYPING)
        self._watched = now if is_ours else None
        if self._watched is not None:
            self._watched.installEventFilter(self)
            self._watched.destroyed.connect(self._forget)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keys of the form go to the form, even where they are shortcuts of the window."""
        if not isinstance(event, QKeyEvent) or event.type() not in (
            QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress,
        ):  # fmt: skip
            return False
        self._wiring.window.finish()
        key = self._wiring.wants(event)
        if not key:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress and not event.isAutoRepeat():
            self._wiring.take(key, event)
        return True

    def _forget(self) -> None:
        self._watched = None

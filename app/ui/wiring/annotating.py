"""Clicks, boxes, measurements, undo, and going on to the next case."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from app.ui.commands.annotate import LANDMARKS, MEASURES
from app.ui.docks import bring_forward, fill, reserve, switch_dock
from app.ui.dotted_button import DottedButton
from app.ui.dotted_label import DottedLabel
from app.ui.language import literal, say, tr
from app.ui.notices import Banner
from app.ui.privacy import private
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.geometry import XY
    from app.core.measurement import CalibrationKind
    from app.store.annotations import Annotations
    from app.ui.annotate_popups import LengthQuestion, ReaderQuestion
    from app.ui.annotate_steps import AnnotateSteps
    from app.ui.crop_panel import CropPanel
    from app.ui.drawing_board import DrawingBoard
    from app.ui.image_pane import ImagePane
    from app.ui.project import CaseContent

TOOLS = ("align", "box", *(f"measure:{name}" for name, *_ in MEASURES), *(f"landmark:{name}" for name, _ in LANDMARKS),
         "calibrate:length", "calibrate:ball")  # fmt: skip
CROP_PX, LEAST_PX = (272, 420), (208, 348)  # what the crop asks for, and its least
NAME_LETTERS = 32  # of the reader in the bottom bar, which has to hold more than that
LIST_MS = 250  # the worklist follows when nothing more is annotated for so long


class AnnotatingWiring(Wiring):
    """The Annotate menu, its tools and the crop.

    Attributes:
        board: what is drawn over the images.
        panel: the aligned crop.
        question: who annotates, or how long something is, while it is asked.
    """

    late_turn = 2
    late_imports = ("app.ui.drawing_board", "app.ui.annotate_steps", "app.ui.crop_panel")
    board: DrawingBoard
    panel: CropPanel | None = None
    question: ReaderQuestion | LengthQuestion | None = None
    _steps: AnnotateSteps
    _is_leaving = False
    _known_of = ("", "")  # case and reader for whom it is known …
    _revertible: frozenset[str] = frozenset()  # … what can be undone and redone

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the Annotate menu does."""
        return {
            **{name: self._using_tool(name) for name in TOOLS},
            "undo": lambda _: self._revert("undo"),
            "redo": lambda _: self._revert("redo"),
            "commit_next": lambda _: self.commit_next(),
            "approve": lambda _: self._steps.judge(is_approved=True),
            "reject": lambda _: self._steps.judge(is_approved=False),
            "propose_box": lambda _: self._steps.propose_box(),
            "copy_box": lambda _: self._steps.copy_box(),
            "uncalibrate": lambda _: self._steps.uncalibrate(),
            "delete_drawing": lambda _: self._steps.delete(),
            "show_drawings": lambda is_on: self.board.set_shown(is_on),
            "show_crop": lambda is_on: switch_dock(self._dock, is_on),
        }

    def connect_shell(self) -> None:
        """The dock of the crop is there from the start, so that its place can be restored; who annotates is shown."""
        window = self.window
        self._dock = QDockWidget(window)
        self._dock.setObjectName("crop")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        self._dock.hide()
        self._dock.visibilityChanged.connect(self._on_dock)
        self.saved = DottedLabel(window)
        self.saved.setObjectName("saved")
        self.reader = DottedButton(window)
        self.reader.setObjectName("reader")
        self.reader.clicked.connect(lambda: self.ask_reader())
        self.reader.hide()
        window.statusBar().insertPermanentWidget(1, self.saved)
        window.statusBar().insertPermanentWidget(2, self.reader)
        self._list_soon = QTimer(window, singleShot=True, interval=LIST_MS)
        self._list_soon.timeout.connect(self._refresh_list)
        QApplication.instance().focusChanged.connect(self._on_focus)  # type: ignore[union-attr]

    def connect_rest(self) -> None:
        """The drawings, the crop and the project."""
        from app.ui.annotate_steps import AnnotateSteps
        from app.ui.crop_panel import CropPanel
        from app.ui.drawing_board import DrawingBoard

        viewer, project = self.viewer, self.project
        self.board = DrawingBoard(viewer)
        self.panel = CropPanel(self._dock)
        fill(self._dock, self.panel)
        self._steps = AnnotateSteps(project, viewer, self.board)
        self.board.drawn.connect(self._store)
        self.window.selection.leaving.connect(self.board.flush)
        project.closing.connect(self.board.flush)
        project.author_refused.connect(self.refresh)
        self.board.refused.connect(project.failed)
        self.board.missed.connect(self.window.labelling.refuses_other_hip)
        self.board.previewed.connect(lambda _: self.show_crop())
        self.panel.judged.connect(lambda is_approved: self._steps.judge(is_approved=is_approved))
        viewer.swapped.connect(self._on_swapped)
        viewer.active_changed.connect(self.show_crop)
        for place in viewer.places:
            place.pane.table_changed.connect(self.show_crop)
        project.annotated.connect(self._on_annotated)
        project.author_changed.connect(self._on_reader)
        project.cases_changed.connect(self._forget_known)
        project.closed.connect(self._on_closed)
        self._say_keys()

    def reserve(self) -> None:
        """The dock; and who annotates: the bottom bar would grow later otherwise, and the images shrink."""
        reserve(self._dock, CROP_PX, LEAST_PX)
        self.project.opened.connect(self._on_reader)

    def is_wanted_for(self, content: CaseContent) -> bool:
        """What was drawn on an image is seen with it."""
        project = self.project
        return bool(project.author.strip() and project.annotations.values(content.case.id, project.author))

    def promised(self) -> set[str]:
        """The tools; nothing is grey that can be used a moment later."""
        viewer, project = self.window.viewer, self.window.project
        if viewer is None or project is None or not self._case_id() or not project.is_writable:
            return set()
        return {"annotatable case", "commit"} | ({"annotatable view"} if viewer.active_view is not None else set())

    def catch_up(self) -> None:
        """Say who annotates, and draw what is known about the case on the screen."""
        self._on_reader()

    def present(self) -> set[str]:
        """What can be annotated, judged, undone and committed just now."""
        viewer, project = self.window.viewer, self.window.project
        case_id = self._case_id()
        if viewer is None or project is None or not case_id or not project.is_writable:
            return set()
        found = {"annotatable case"} if _is_typing() else {"annotatable case", "commit"}
        if self._known_of != (case_id, project.author):
            self._look_back()
        found |= self._revertible
        drawing = self.board.active
        if viewer.active_view is not None and drawing is not None:
            found.add("annotatable view")
            found |= {"crop"} if drawing.alignment is not None and not drawing.pending else set()
            found |= {"calibrated view"} if drawing.spacing.source.value == "manual" else set()
        return found

    def retranslate(self) -> None:
        """Titles, who annotates, keys."""
        self._dock.setWindowTitle(tr("Aligned crop"))
        self.saved.setText(tr("Saved") if self.saved.text() else "")
        self._on_reader(is_new=False)  # a first click stays
        self._say_keys()

    def close(self) -> None:
        """Store what a key nudged a moment ago."""
        QApplication.instance().focusChanged.disconnect(self._on_focus)  # type: ignore[union-attr]
        self._list_soon.stop()
        if self.question is not None:
            self.question.close()
        if self.is_connected and self.project.is_open:
            self.board.flush()

    # --- what follows from what ---

    def _store(self, view_id: str, name: str, value: object, text: str) -> None:
        """Store what was drawn; what was not stored is not shown as if it were."""
        if not self._steps.store(view_id, name, value, text) and not self.project.is_waiting:
            self.refresh()

    def refresh(self) -> None:
        """Draw what the reader has said about the case on the screen."""
        case_id = self._case_id()
        project = self.project
        is_known = bool(case_id) and project.is_open and bool(project.author.strip())
        self.board.show(project.annotations.values(case_id, project.author) if is_known else {})
        self.show_crop()
        if self._known_of != (case_id, project.author):
            self._look_back()
        self.window.enable()

    def _forget_known(self) -> None:
        self._known_of = ("", "")

    def _look_back(self) -> None:
        """Find out what can be undone; only what is annotated, by whom and about what case changes that."""
        project, case_id = self.project, self._case_id()
        self._known_of, self._revertible = (case_id, project.author), frozenset()
        if case_id and project.is_open and project.author.strip():
            state = project.annotations.undo_state(case_id, project.author)
            self._revertible = frozenset(
                word for word, batches in (("undo", state.undoable), ("redo", state.redoable)) if batches
            )

    def show_crop(self) -> None:
        """Show the crop of the active view, as it is drawn now."""
        if self.panel is not None and self.panel.isVisible():
            shown, name = self._steps.crop_view()
            self.panel.show_crop(shown, name=name, is_writable=self.project.is_writable)

    def commit_next(self) -> None:
        """Nothing required may be missing; the case is done, and the next one is opened."""
        case_id = self._case_id()
        if not case_id or self.window.labelling.refuses_other_hip():
            return
        self.board.flush()
        self._is_leaving = True  # nothing of this case needs to be drawn again
        missing = self._steps.commit(case_id)
        self._is_leaving = False
        if missing is None:
            return
        if missing:
            names = ", ".join(tr("“{name}”", name=say(name)) for name in missing)
            if self.window.resolving.may_decide:  # its letters and digits go to the question first
                what_next = tr("Say first what the view shows: one key an answer, in the panel below it.")
            else:
                what_next = tr("Answer it, give a reason to exclude the case, or go on with Next case.")
            lines = (tr("Not answered: {names}.", names=names), what_next)
            banner = Banner(tr("This case is not complete."), lines, tone="caution")
            self.window.banners.show_banner("incomplete", banner)
            self.window.labelling.open()
            return
        self.window.banners.remove("incomplete")
        if self.window.case_list.neighbours((1,)):
            self.window.case_list.step(1)
        else:
            last = Banner(tr("This was the last case of the list."), (tr("It is saved."),), tone="info")
            self.window.banners.show_banner("incomplete", last)
            self.refresh()

    def ask_reader(self) -> None:
        """Ask who annotates; once, however much waits for the answer."""
        from app.ui.annotate_popups import ReaderQuestion

        if isinstance(self.question, ReaderQuestion):
            return
        question = ReaderQuestion(self.project.author, self.window)
        question.answered.connect(self.name_reader)
        question.given_up.connect(self.project.author_refused)
        self._open(question)

    def ask_length(self, pane: ImagePane, kind: CalibrationKind, first_xy: XY, second_xy: XY) -> None:
        """Ask how long something is in reality."""
        from app.ui.annotate_popups import LengthQuestion

        describe = partial(self._steps.describe_calibration, pane, kind, first_xy, second_xy)
        question = LengthQuestion(kind.value, describe, self.window)
        question.answered.connect(partial(self._steps.calibrate, pane, kind, first_xy, second_xy))
        self._open(question)

    def _open(self, question: ReaderQuestion | LengthQuestion) -> None:
        self.question = question
        question.destroyed.connect(lambda: self._forget_question(question))
        window = self.window
        question.open_at(window.mapToGlobal(QPoint(window.width() // 2, window.height() // 2)))

    def _forget_question(self, question: ReaderQuestion | LengthQuestion) -> None:
        if self.question is question:  # else the answer to it has asked the next one
            self.question = None

    def name_reader(self, name: str) -> None:
        """This is who annotates; it is proposed the next time, too."""
        self.window.looks.change(author=name)
        self.project.confirm_author(name)

    def _on_swapped(self) -> None:
        self.window.banners.remove("incomplete")
        self.refresh()

    def _on_annotated(self, case_id: str) -> None:
        self.saved.setText(tr("Saved"))
        self._list_soon.start()
        self._forget_known()
        if self._is_leaving or case_id != self._case_id():
            return
        if "incomplete" in self.window.banners.texts and not self._steps.missing(case_id):
            self.window.banners.remove("incomplete")
        if self._steps.is_spacing_new(case_id):
            self.window.selection.open_case(case_id)  # everything in mm is another figure now
        else:
            self.refresh()

    def _refresh_list(self) -> None:
        self.window.case_list.refresh()

    def _on_reader(self, *, is_new: bool = True) -> None:
        project = self.window.project
        is_writable = project is not None and project.is_writable
        self.reader.setVisible(is_writable)
        if project is not None:
            name = project.author.strip()
            tip = tr("Who annotates; click to change it")
            if name and len(name := private(name)) > NAME_LETTERS:
                name, tip = f"{name[: NAME_LETTERS - 1]}…", f"{name}\n{tip}"
            self.reader.setText(tr("Reader: {name}", name=literal(name)) if name else tr("Reader: not named yet"))
            self.reader.setToolTip(tip)
            is_shown = self.window.viewer is not None and self.window.viewer.content is not None
            if self.is_connected and project.is_open and is_shown and (is_new or not self._is_drawing()):
                self.refresh()

    def _is_drawing(self) -> bool:
        """Whether a gesture was begun that is not complete."""
        drawings = [self.board.on(place.pane) for place in self.viewer.places]
        return any(drawing is not None and drawing.pending for drawing in drawings)

    def _on_closed(self) -> None:
        self._list_soon.stop()
        self._forget_known()
        self.board.show({})
        self.saved.setText("")
        self.reader.hide()

    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self.is_connected:
            if now is not None and now.window() is not self.window:
                self.viewer.end_drags()  # a question has opened, which gets the release
            self.window.commands.meet("commit", is_met="commit" in self.present())

    def _on_dock(self, is_visible: bool) -> None:
        self.window.actions_by_id["show_crop"].setChecked(not self._dock.isHidden())  # behind a tab it is still open
        if is_visible and self.panel is not None and self.window.project is not None:
            self.show_crop()

    def _case_id(self) -> str:
        """The case on the screen, if it is also the one that was asked for and may be read."""
        viewer = self.window.viewer
        content = viewer.content if viewer is not None else None
        if viewer is None or content is None or not viewer.is_settled or content.case.blocked_reason:
            return ""
        return content.case.id

    def _revert(self, word: str) -> None:
        case_id = self._case_id()
        if not case_id:
            return
        self.board.flush()

        def revert(annotations: Annotations, author: str) -> object:
            back = annotations.undo if word == "undo" else annotations.redo
            return back(case_id, author=author)

        self.project.annotate(case_id, revert)

    def _using_tool(self, name: str) -> Callable[[bool], object]:
        return lambda _: self._use_tool(name)

    def _use_tool(self, name: str) -> None:
        from app.core.measurement import CalibrationKind, LandmarkKind, MeasurementKind
        from app.ui.drawing_tools import AlignTool, BoxTool, DrawingTool
        from app.ui.point_tools import CalibrateTool, PointTool

        kind, _, what = name.partition(":")
        tool: DrawingTool
        match kind:
            case "align":
                tool = AlignTool(self.board)
                self.window.actions_by_id["show_crop"].setChecked(True)
                bring_forward(self._dock)
            case "box":
                tool = BoxTool(self.board)
            case "measure":
                tool = PointTool(self.board, MeasurementKind(what))
            case "landmark":
                tool = PointTool(self.board, LandmarkKind(what))
            case _:
                tool = CalibrateTool(self.board, CalibrationKind(what), self.ask_length)
        self.window.actions_by_id["show_drawings"].setChecked(True)
        self.board.set_shown(True)
        self.viewer.set_tool(tool)

    def _say_keys(self) -> None:
        if self.panel is not None:
            texts = [self.window.commands.key_text(name) for name in ("approve", "reject")]
            self.panel.set_keys(*texts)


def _is_typing() -> bool:
    """Whether Enter belongs to the widget that has the keyboard."""
    return isinstance(
        QApplication.focusWidget(), QLineEdit | QPlainTextEdit | QComboBox | QAbstractSpinBox | QAbstractButton
    )

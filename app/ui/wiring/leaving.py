"""What must be settled before a project is left: entries that wait for a name, and an import that is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QAbstractButton, QMessageBox

from app.core.errors import UserError
from app.ui.language import say, tr, trn
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.ui.leave_question import LeaveQuestion

UNNAMED = "unnamed"


class LeavingWiring(Wiring):
    """Nothing that was said is lost because nobody has said yet who says it.

    Attributes:
        question: what becomes of what waits, while it is asked.
    """

    question: LeaveQuestion | None = None
    _is_silent = False  # what is being entered is taken over; nobody is asked for it alone
    _is_decided = False  # what waits may be left behind

    def connect_rest(self) -> None:
        """What follows when somebody has to say who annotates."""
        project = self.project
        project.author_wanted.connect(self._on_wanted)
        project.author_refused.connect(self._warn)
        project.waiting_changed.connect(self._follow)
        project.closed.connect(self._on_closed)

    def retranslate(self) -> None:
        """Another language."""
        if UNNAMED in self.window.banners.texts:
            self._warn()

    def leave(self, effect: Callable[[], object]) -> None:
        """Do what closes the present project; ask first while something would be lost or stopped by it."""
        if self._is_settled(lambda: self.leave(effect)):
            self._stop_import(effect)

    def may_close(self) -> bool:
        """Whether the window may close; else it is asked what becomes of what waits, and closed after that."""
        return self._is_settled(self.window.close)

    def _is_settled(self, again: Callable[[], object]) -> bool:
        """Whether nothing waits for a name. Else it is asked for, and `again` is done with the answer."""
        project = self.window.project
        if project is None or not project.is_open or self._is_decided:
            return True
        if self.question is not None:
            self.question.activateWindow()
            return False
        refused: list[UserError] = []
        project.failed.connect(refused.append)
        self._is_silent = True
        self.window.selection.leaving.emit()  # a comment or a nudge may be the first thing that anybody said
        self._is_silent = False
        project.failed.disconnect(refused.append)
        if refused:
            self._ask_to_stay(refused[0], again)
            return False
        if not project.is_waiting:
            return True
        self._ask(again)
        return False

    def _ask_to_stay(self, error: UserError, again: Callable[[], object]) -> None:
        """What was just entered cannot be recorded; whoever stays sees what it is, and may try again."""
        box = QMessageBox(self.window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(tr("Not recorded yet"))
        box.setText(tr("What was entered last could not be recorded."))
        box.setInformativeText(" ".join(say(part) for part in (error.title, error.reason, error.remedy) if part))
        without = box.addButton(tr("Leave without it"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(tr("Stay"), QMessageBox.ButtonRole.RejectRole))
        _show(box, without, lambda: self._leave_it(again))

    def _leave_it(self, again: Callable[[], object]) -> None:
        self._is_decided = True
        try:
            again()
        finally:
            self._is_decided = False

    def _ask(self, again: Callable[[], object]) -> None:
        from app.ui.leave_question import LeaveQuestion

        annotating = self.window.annotating
        if annotating.question is not None:
            annotating.question.close()
        question = self.question = LeaveQuestion(self._words, self.project.author, self.window)
        question.finished.connect(self._forget_question)

        def named(name: str) -> None:
            refused: list[object] = []
            self.project.failed.connect(refused.append)
            annotating.name_reader(name)
            self.project.failed.disconnect(refused.append)
            if not refused:  # else it says why, and who goes all the same asks once more
                again()

        question.named.connect(named)
        question.discarded.connect(lambda: self._leave_it(again))
        question.rejected.connect(self._warn)
        question.open()

    def _forget_question(self, _result: int) -> None:
        self.question = None

    def _stop_import(self, effect: Callable[[], object]) -> None:
        importing = self.window.importing
        if not importing.is_running:
            effect()
            return
        box = QMessageBox(self.window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("An import is under way"))
        box.setText(tr("Stop the import?"))
        box.setInformativeText(tr("What is in the project already is kept; import the same files again to go on."))
        stop = box.addButton(tr("Stop the import"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(tr("Go on importing"), QMessageBox.ButtonRole.RejectRole)

        def stopped() -> None:
            importing.stop()
            effect()

        _show(box, stop, stopped)

    # --- what waits for a name ---

    @property
    def _words(self) -> str:
        count = self.project.waiting_count
        return trn(
            "1 entry is not recorded yet: nobody has said who annotates.",
            "{count} entries are not recorded yet: nobody has said who annotates.",
            count,
        )

    def _on_wanted(self) -> None:
        if not self._is_silent and not self._is_decided:
            self.window.annotating.ask_reader()

    def _warn(self) -> None:
        """Nobody has said who annotates: it waits in sight, until somebody does or discards it."""
        project, banners = self.project, self.window.banners
        if not project.is_open or not project.is_waiting:
            banners.remove(UNNAMED)
            return
        banner = Banner(
            self._words,
            tone="caution",
            action=(tr("Say who annotates…"), self.window.annotating.ask_reader),
            more_actions=((tr("Discard"), project.drop_waiting),),
        )
        banners.show_banner(UNNAMED, banner)

    def _follow(self) -> None:
        if UNNAMED in self.window.banners.texts:
            self._warn()

    def _on_closed(self) -> None:
        self.window.banners.remove(UNNAMED)


def _show(box: QMessageBox, go: QAbstractButton, effect: Callable[[], object]) -> None:
    """Ask without holding the window up; do something if this button is pressed."""

    def decided() -> None:
        is_wanted = box.clickedButton() is go
        box.deleteLater()
        if is_wanted:
            effect()

    box.finished.connect(decided)
    box.open()

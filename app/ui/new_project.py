"""Where a new project goes, or where files are imported to: one short question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import UserError
from app.ui.breakable import breakable, unbroken
from app.ui.dialog_size import open_at
from app.ui.fields import typed_folder
from app.ui.language import say, tr
from app.ui.privacy import are_names_hidden, private
from app.ui.recent_list import RecentEntry, RecentList
from app.ui.theme import GAP_L, GAP_M, GAP_S, GAP_XL

WIDTH_PX = 580
RECENT_PX = 190
FORBIDDEN = '<>:"/\\|?*'
MAX_NAME = 80


def folder_name(name: str) -> str:
    """A folder's name for a project's name, on every system."""
    words = "".join(" " if letter in FORBIDDEN or not letter.isprintable() else letter for letter in name)
    return " ".join(words.split()).strip(". ")[:MAX_NAME]


def free_name(place: Path, name: str) -> str:
    """The name, with a number after it when there is something of this name already."""
    candidate, number = name, 2
    while (place / folder_name(candidate)).exists():
        candidate = f"{name} {number}"
        number += 1
    return candidate


def problem_with(place: Path, name: str) -> str:
    """Why a project cannot be made of this name at this place; empty when it can."""
    from app.store.folder import is_project, refuse_network_folder

    folder = folder_name(name)
    if not folder:
        return tr("Give the project a name.")
    if not place.is_absolute():
        return tr("Choose a folder to keep it in.")
    path = place / folder
    try:
        if is_project(path):
            return tr("There is a project in this folder already.")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            return tr("There is something else at this place.")
        existing = next(parent for parent in (place, *place.parents) if parent.exists())
        if not existing.is_dir():
            return tr("There is something else at this place.")
        refuse_network_folder(existing)
    except UserError as error:
        return say(error.title)
    except OSError:
        return tr("This folder cannot be read.")
    return ""


class NewProjectForm(QWidget):
    """Name and place, and what that comes to."""

    def __init__(self, *, name: str, place: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLineEdit(name, self)
        self.name.setMaxLength(MAX_NAME)
        self.place = QLineEdit(str(place), self)
        if are_names_hidden():
            self.place.setEchoMode(QLineEdit.EchoMode.Password)  # a path may name somebody
        self._browse = QPushButton(tr("Choose…"), self)
        self._browse.clicked.connect(self._choose)
        self._says = QLabel(self)
        self._says.setObjectName("muted")
        self._says.setWordWrap(True)
        name_label, place_label = QLabel(tr("Name"), self), QLabel(tr("Place"), self)
        name_label.setBuddy(self.name)
        place_label.setBuddy(self.place)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_L)
        grid.setVerticalSpacing(GAP_M)
        grid.addWidget(name_label, 0, 0)
        grid.addWidget(self.name, 0, 1, 1, 2)
        grid.addWidget(place_label, 1, 0)
        grid.addWidget(self.place, 1, 1)
        grid.addWidget(self._browse, 1, 2)
        grid.addWidget(self._says, 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self.name.textChanged.connect(self.check)
        self.place.textChanged.connect(self.check)
        self.check()

    @property
    def path(self) -> Path:
        """The new project's folder."""
        return typed_folder(self.place.text()) / folder_name(self.name.text())

    @property
    def project_name(self) -> str:
        """What it is called."""
        return self.name.text().strip()

    @property
    def says(self) -> str:
        """What stands below the fields."""
        return unbroken(self._says.text())

    def check(self) -> str:
        """Say what will be made, or why it cannot be; returns the problem."""
        problem = problem_with(typed_folder(self.place.text()), self.name.text())
        self._says.setText(breakable(problem or tr("Will be made: {path}", path=private(str(self.path)))))
        self._says.setProperty("tone", "caution" if problem else "")
        self._says.style().unpolish(self._says)
        self._says.style().polish(self._says)
        return problem

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, tr("Keep the project in"), self.place.text())
        if chosen:
            self.place.setText(chosen)


class NewProjectDialog(QDialog):
    """Asks for name and place; with `recent`, also offers to use a project that is there.

    Args:
        name: proposed.
        place: the folder to keep it in, proposed.
        title: heading.
        words: one more sentence, or empty.
        accept_text: what the button says.
        recent: projects to choose from instead.
    """

    def __init__(
        self,
        *,
        name: str,
        place: Path,
        title: str,
        words: str = "",
        accept_text: str,
        recent: Sequence[RecentEntry] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(WIDTH_PX)
        heading = QLabel(title, self)
        heading.setObjectName("title")
        heading.setWordWrap(True)
        self.form = NewProjectForm(name=name, place=place, parent=self)
        self.recent = RecentList(self)
        self.recent.set_entries([entry for entry in recent if entry.is_there])
        self.recent.setFixedHeight(RECENT_PX)
        self._new = QRadioButton(tr("Into a new project"), self)
        self._known = QRadioButton(tr("Into a recent project"), self)
        self._choice = QButtonGroup(self)
        self._choice.addButton(self._new)
        self._choice.addButton(self._known)
        self._new.setChecked(True)
        has_recent = bool(self.recent.entries)
        for widget in (self._new, self._known, self.recent):
            widget.setVisible(has_recent)
        self.accept_button = QPushButton(accept_text, self)
        self.accept_button.setObjectName("primary")
        self.accept_button.setDefault(True)
        cancel = QPushButton(tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        self.accept_button.clicked.connect(self._try)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_M)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.accept_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_XL, GAP_XL, GAP_XL, GAP_L)
        layout.setSpacing(GAP_M)
        layout.addWidget(heading)
        if words:
            more = QLabel(words, self)
            more.setObjectName("muted")
            more.setWordWrap(True)
            layout.addWidget(more)
        layout.addSpacing(GAP_S)
        layout.addWidget(self._new)
        layout.addWidget(self.form)
        layout.addSpacing(GAP_S)
        layout.addWidget(self._known)
        layout.addWidget(self.recent)
        layout.addSpacing(GAP_M)
        layout.addLayout(buttons)
        for field in (self.form.name, self.form.place):
            field.textChanged.connect(self._enable)
        self._new.toggled.connect(self._enable)
        self.recent.chosen.connect(self._choose_known)
        self.form.name.selectAll()
        self.form.name.setFocus()
        self._enable()

    @property
    def is_new(self) -> bool:
        """Whether a project shall be made."""
        return self._new.isChecked()

    @property
    def path(self) -> Path:
        """The project's folder: the new one, or the one that was chosen."""
        if self.is_new:
            return self.form.path
        return Path(self.recent.entries[self.recent.currentIndex().row()].path)

    def use_known(self) -> None:
        """Choose the recent projects instead of a new one."""
        self._known.setChecked(True)

    def _choose_known(self, path: str) -> None:
        self._known.setChecked(True)

    def _enable(self) -> None:
        self.form.setEnabled(self.is_new)
        ready = not self.form.check() if self.is_new else self.recent.currentIndex().isValid()
        self.accept_button.setEnabled(ready)
        QTimer.singleShot(0, self, self._make_room)

    def _make_room(self) -> None:
        """A long folder takes more lines."""
        layout = self.layout()
        if layout is not None:
            open_at(self, self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def _try(self) -> None:
        if not self.is_new or not self.form.check():
            self.accept()

    def sizeHint(self) -> QSize:
        """As wide as paths need."""
        return super().sizeHint().expandedTo(QSize(WIDTH_PX, 0))

"""What stands in the worklist when no case is as it was asked for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.core.worklist import Query
from app.ui.language import tr, whole
from app.ui.theme import GAP_L, GAP_M


class EmptyList(QWidget):
    """Says why nothing is listed, and what to do."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel(self)
        self.title.setObjectName("strong")
        self.words = QLabel(self)
        self.words.setObjectName("muted")
        self.show_all_button = QPushButton(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L * 2, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        for label in (self.title, self.words):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            layout.addWidget(label)
        layout.addWidget(self.show_all_button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addStretch(1)

    def say(self, query: Query | None, total: int) -> None:
        """Say what was asked for in vain.

        Args:
            query: what was asked for; None says nothing: there are no cases at all.
            total: number of cases of the project.
        """
        self.show_all_button.setText(tr("Show all cases"))
        self.show_all_button.setVisible(query is not None)
        if query is None:
            self.title.clear()
            self.words.clear()
            return
        self.title.setText(tr("No case is like this."))
        count, search = whole(total), query.search.strip()
        if search and query.filters:
            words = tr("None of the {count} cases matches the search and the filters.", count=count)
        elif search:
            words = tr("In none of the {count} cases do words begin like “{search}”.", count=count, search=search)
        else:
            words = tr("None of the {count} cases matches the filters.", count=count)
        self.words.setText(words)

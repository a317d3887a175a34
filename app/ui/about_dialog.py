"""What Coxa is, what it may be used for, and whose work it stands on."""

from __future__ import annotations

import importlib.metadata
import platform
import re

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from app import __version__
from app.ui.dialog_size import open_at
from app.ui.language import tr
from app.ui.theme import GAP_L, GAP_M

_DEV = re.compile(r"extra\s*==\s*['\"]dev['\"]")  # needed to make Coxa, not to run it
PURPOSE = (
    "Review, labelling and curation of paired hip radiographs, with local AI. Coxa is a tool for research. It is no "
    "medical device, and nothing that it shows may be used for diagnosis or treatment."
)


class AboutDialog(QDialog):
    """Version, purpose, and the packages that are used with their licences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About Coxa"))
        open_at(self, 640, 520)
        head = QLabel(f"Coxa {__version__}", self)
        head.setObjectName("heading")
        use = QLabel(tr("Research use only · not for diagnosis"), self)
        use.setObjectName("caution")
        words = QLabel(tr(PURPOSE), self)
        words.setWordWrap(True)
        system = QLabel(system_line(), self)
        system.setObjectName("muted")
        system.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        title = QLabel(tr("Made with"), self)
        title.setObjectName("title")
        self.packages = QTextBrowser(self)
        self.packages.setAccessibleName(tr("Packages and their licences"))
        self.packages.setPlainText("\n".join(f"{name} {version} — {licence}" for name, version, licence in packages()))
        copy = QPushButton(tr("Copy version"), self)
        copy.setToolTip(tr("Copy version and system, for a question to the people who look after Coxa"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(f"Coxa {__version__}, {system_line()}"))
        close = QPushButton(tr("Close"), self)
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addWidget(copy)
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_M)
        for widget in (head, use, words, system, title):
            layout.addWidget(widget)
        layout.addWidget(self.packages, 1)
        layout.addLayout(buttons)
        close.setFocus()


def system_line() -> str:
    """What Coxa runs on, without the name of the computer."""
    return f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()} {platform.machine()}"


def packages() -> list[tuple[str, str, str]]:
    """Name, version and licence of everything that Coxa says it needs and that is installed; Python first."""
    found = [("Python", platform.python_version(), "PSF-2.0")]
    try:
        wanted = importlib.metadata.requires("coxa") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    names = sorted({_name_of(line) for line in wanted if not _DEV.search(line)}, key=str.lower)
    for name in names:
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # of a set that is not installed
        found.append((metadata["Name"], metadata["Version"], _licence(metadata)))
    return found


def _name_of(requirement: str) -> str:
    end = next((i for i, letter in enumerate(requirement) if not (letter.isalnum() or letter in "-_.")), None)
    return requirement[:end]


def _licence(metadata: importlib.metadata.PackageMetadata) -> str:
    if "License-Expression" in metadata:
        return str(metadata["License-Expression"])
    kinds = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or [] if line.startswith("License")]
    if kinds:
        return ", ".join(kinds)
    first = (str(metadata["License"]).strip() if "License" in metadata else "").splitlines()
    return first[0][:60] if first else tr("see the package")

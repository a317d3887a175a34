"""What fills the middle of the window while there is nothing to read: how to begin, or what is going on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from app.ui import theme
from app.ui.flow_layout import FlowLayout
from app.ui.language import tr
from app.ui.theme import GAP_L, GAP_M, GAP_S, GAP_XL

if TYPE_CHECKING:
    from app.ui.recent_list import RecentEntry

MESSAGE_PX = 560
HOME_PX = 940
TILES_PX = 370
SIDE_BY_SIDE_PX = 720  # below this width the recent projects come above the tiles

PageButton = tuple[str, Callable[[], object]]
ICON_PX = 24
TILES = (  # command, icon, what the tile says, what it is for
    ("new_project", "new-project", "New project…", "A folder of its own for your radiographs"),
    ("open", "open", "Open project…", "A project folder on this computer"),
    ("import_files", "import", "Import files…", "DICOM, PNG, TIFF, zip archives, DICOMDIR"),
    ("import_folder", "import-folder", "Import folder…", "Everything in it, and in the folders below"),
    ("demo", "demo", "Demo project", "Synthetic hips, to try everything on"),
)


class StartPage(QWidget):
    """Two faces: how to begin, and a message with buttons.

    Signals:
        command_chosen: id of a command.
        project_chosen: path of a recent project to open.
        project_pinned: path, and whether it stays in front.
        project_forgotten: path of a recent project to take off the list.
    """

    command_chosen = Signal(str)
    project_chosen = Signal(str)
    project_pinned = Signal(str, bool)
    project_forgotten = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)  # docks take no more than theirs
        self.message = _Message(self)
        self._home: _Home | None = None
        self._faces = QStackedLayout(self)
        self._faces.addWidget(self.message)
        self.say(tr("Starting"), "")

    @property
    def home(self) -> _Home:
        """The face that says how to begin; made when it is first wanted, after the first paint."""
        if self._home is None:
            home = self._home = _Home(self)
            scroll = QScrollArea(self)
            scroll.setFrameShape(QFrame.Shape.NoFrame)
            scroll.setWidgetResizable(True)
            scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            scroll.setWidget(home)
            self._faces.addWidget(scroll)
            home.command_chosen.connect(self.command_chosen)
            home.recent.chosen.connect(self.project_chosen)
            home.recent.pinned.connect(self.project_pinned)
            home.recent.forgotten.connect(self.project_forgotten)
        return self._home

    @property
    def heading(self) -> QLabel:
        """The heading of the face that is on show."""
        return self.home.heading if self.is_home else self.message.heading

    @property
    def is_home(self) -> bool:
        """Whether it shows how to begin."""
        return self._faces.currentIndex() == 1

    @property
    def bar(self) -> QProgressBar:
        """How far the work is."""
        return self.message.bar

    @property
    def step(self) -> QLabel:
        """What is being done."""
        return self.message.step

    def show_home(self, recent: Sequence[RecentEntry]) -> None:
        """Show how to begin, with the projects that were open lately."""
        self.home.recent.set_entries(recent)
        self.home.show_recent(bool(recent))
        self._faces.setCurrentIndex(1)

    def take_focus(self) -> None:
        """Let the keyboard begin at the recent projects, or at the first thing to do."""
        self.home.take_focus()

    def say(
        self,
        heading: str,
        words: str,
        *,
        buttons: Sequence[PageButton] = (),
        is_busy: bool = False,
        is_drop_target: bool = False,
    ) -> None:
        """Show a message instead; the first button is the one most people want.

        Args:
            heading: what the matter is.
            words: what to do about it.
            buttons: texts and effects.
            is_busy: show that something is going on.
            is_drop_target: frame it as a place to drop files on.
        """
        self.message.say(heading, words, buttons=buttons, is_busy=is_busy, is_drop_target=is_drop_target)
        self._faces.setCurrentIndex(0)

    def show_step(self, done: int, total: int, text: str) -> None:
        """Tell how far the work is: steps done, steps in all, and what is being done."""
        self.message.show_step(done, total, text)


class _Message(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._column = QFrame(self)
        self._column.setObjectName("dropzone")
        self._column.setMaximumWidth(MESSAGE_PX)
        layout = QVBoxLayout(self._column)
        layout.setSpacing(GAP_L)
        self.heading = QLabel(self._column)
        self.heading.setObjectName("heading")
        self.heading.setWordWrap(True)
        self.words = QLabel(self._column)
        self.words.setObjectName("muted")
        self.words.setWordWrap(True)
        self.bar = QProgressBar(self._column)
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.step = QLabel(self._column)
        self.step.setObjectName("muted")
        row = QWidget(self._column)
        self._buttons = FlowLayout(row, gap_px=GAP_M)  # beside panels there is not always room for one row
        for widget in (self.heading, self.words, self.bar, self.step):
            layout.addWidget(widget)
        layout.addWidget(row)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(GAP_XL, GAP_XL, GAP_XL, GAP_XL)
        outer.addStretch(1)
        outer.addWidget(self._column, 100, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)

    def say(
        self, heading: str, words: str, *, buttons: Sequence[PageButton], is_busy: bool, is_drop_target: bool
    ) -> None:
        margin = GAP_XL if is_drop_target else 0
        self._column.setProperty("dashed", is_drop_target)
        self._column.style().unpolish(self._column)
        self._column.style().polish(self._column)
        layout = self._column.layout()
        if layout is not None:
            layout.setContentsMargins(margin, margin, margin, margin)
        self.heading.setText(heading)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.bar.setRange(0, 0)
        self.bar.setVisible(is_busy)
        self.step.setVisible(False)
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for number, (text, effect) in enumerate(buttons):
            button = QPushButton(text, self._column)
            if number == 0:
                button.setObjectName("primary")
            button.clicked.connect(_calling(effect))
            self._buttons.addWidget(button)

    @property
    def buttons(self) -> list[QPushButton]:
        """What can be pressed, the likeliest first."""
        items = [self._buttons.itemAt(number) for number in range(self._buttons.count())]
        widgets = [item.widget() for item in items if item is not None]
        return [widget for widget in widgets if isinstance(widget, QPushButton)]

    def show_step(self, done: int, total: int, text: str) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.step.setText(tr("{what}: {done} of {total}", what=text, done=done, total=total))
        self.step.setVisible(True)


class _Home(QWidget):
    command_chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        column = QWidget(self)
        column.setMaximumWidth(HOME_PX)
        self.heading = QLabel(column)
        self.heading.setObjectName("heading")
        self._words = QLabel(column)
        self._words.setObjectName("muted")
        self._words.setWordWrap(True)
        self._tiles = [Tile(command, icon, column) for command, icon, _, _ in TILES]
        tiles = QVBoxLayout()
        tiles.setSpacing(GAP_M)
        for tile in self._tiles:
            tile.setMaximumWidth(TILES_PX)
            tile.clicked.connect(self._choosing(tile.command))
            tiles.addWidget(tile)
        tiles.addStretch(1)
        self._tiles[0].setObjectName("primary_tile")
        self._recent_title = QLabel(column)
        self._recent_title.setObjectName("title")
        from app.ui.recent_list import RecentList

        self.recent = RecentList(column)
        self._nothing = QLabel(column)
        self._nothing.setObjectName("muted")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        right = QVBoxLayout()
        right.setSpacing(GAP_M)
        right.addWidget(self._recent_title)
        right.addWidget(self.recent, 1)
        right.addWidget(self._nothing, 1)
        both = self._both = QHBoxLayout()
        both.setSpacing(GAP_XL)
        both.addLayout(tiles, 4)
        both.addLayout(right, 5)
        zone = QFrame(column)
        zone.setObjectName("dropzone")
        zone.setProperty("dashed", True)
        self._zone_words = QLabel(zone)
        self._zone_words.setObjectName("muted")
        self._zone_words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._zone_words.setWordWrap(True)
        zone_layout = QVBoxLayout(zone)
        zone_layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        zone_layout.addWidget(self._zone_words)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)
        layout.addWidget(self.heading)
        layout.addWidget(self._words)
        layout.addSpacing(GAP_L)
        layout.addLayout(self._both)
        layout.addSpacing(GAP_L)
        layout.addWidget(zone)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(GAP_XL, GAP_XL, GAP_XL, GAP_XL)
        outer.addStretch(1)
        outer.addWidget(column, 100, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language of the window."""
        self.heading.setText(tr("Begin with a project"))
        self._words.setText(
            tr(
                "A project is a folder of paired hip radiographs: frontal beside lateral. Names and dates are replaced "
                "by pseudonyms on the way in; your own files are never changed."
            )
        )
        for tile, (_, _, title, words) in zip(self._tiles, TILES, strict=True):
            tile.say(tr(title), tr(words))
        self._recent_title.setText(tr("Recent projects"))
        self._nothing.setText(tr("Projects that you open will be listed here, one key away."))
        self._zone_words.setText(
            tr(
                "Drop radiographs anywhere in this window: files, folders, zip archives or a DICOMDIR. "
                "Or copy them in the file manager and paste them here."
            )
        )

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def show_recent(self, is_any: bool) -> None:
        self.recent.setVisible(is_any)
        self._nothing.setVisible(not is_any)
        self._arrange()

    def _arrange(self) -> None:
        is_wide = self.width() >= SIDE_BY_SIDE_PX
        below = QBoxLayout.Direction.BottomToTop if self.recent.entries else QBoxLayout.Direction.TopToBottom
        self._both.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else below)
        for tile in self._tiles:
            tile.setMaximumWidth(TILES_PX if is_wide else HOME_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Beside each other while there is room, else one below the other."""
        self._arrange()
        super().resizeEvent(event)

    def take_focus(self) -> None:
        (self.recent if self.recent.entries else self._tiles[0]).setFocus()

    def _choosing(self, command: str) -> Callable[[], None]:
        return lambda: self.command_chosen.emit(command)


class Tile(QPushButton):
    """A large button with a second line."""

    def __init__(self, command: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.command = command
        self.setObjectName("tile")
        self._title = QLabel(self)
        self._title.setObjectName("strong")
        self._words = QLabel(self)
        self._words.setObjectName("caption")
        self._icon = theme.icon(icon)
        self._picture = QLabel(self)
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self._title, self._words):
            label.setMinimumWidth(1)
            words.addWidget(label)
        for label in (self._title, self._words, self._picture):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_M, GAP_L, GAP_M)
        layout.setSpacing(GAP_L)
        layout.addWidget(self._picture)
        layout.addLayout(words, 1)
        self.setMinimumHeight(58)
        self._draw()

    def say(self, title: str, words: str) -> None:
        """Show and announce both lines."""
        self._title.setText(title)
        self._words.setText(words)
        self.setAccessibleName(title)
        self.setAccessibleDescription(words)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colours."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        self._picture.setPixmap(self._icon.pixmap(QSize(ICON_PX, ICON_PX), self.devicePixelRatioF()))


def _calling(effect: Callable[[], object]) -> Callable[[], None]:
    def call() -> None:
        effect()

    return call

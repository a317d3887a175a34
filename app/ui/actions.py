"""Every command of the window in one table: menus, toolbar and shortcuts come from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMenuBar, QToolBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing that the user can do.

    Args:
        id: stable name.
        text: what menus say.
        tip: what it does, in one sentence.
        menu: the menu it is in; `File`, `Case` …
        shortcuts: key sequences, portable form.
        needs: what must be there for it to work: `image`, `cases`, `view`, `question` (a view that is asked about and
            may be changed), or empty.
        group: commands of one group exclude each other.
        is_checkable: whether it can be on or off.
        is_checked: whether it starts on.
        bar_text: its text in the toolbar; empty = not in the toolbar.
        has_separator: whether a line goes before it.
    """

    id: str
    text: str
    tip: str
    menu: str
    shortcuts: tuple[str, ...] = ()
    needs: str = ""
    group: str = ""
    is_checkable: bool = False
    is_checked: bool = False
    bar_text: str = ""
    has_separator: bool = False


EXCLUSION_REASONS = ("repeat", "wrong body part", "poor quality", "not a radiograph")

COMMANDS: tuple[Command, ...] = (
    Command(id="open", text="Open project…", tip="Open a project folder", menu="File", shortcuts=("Ctrl+O",)),
    Command(id="demo", text="Demo project", tip="Open the project of synthetic radiographs", menu="File"),
    Command(id="quit", text="Quit", tip="Close the window", menu="File", shortcuts=("Ctrl+Q",), has_separator=True),
    Command(id="previous", text="Previous case", tip="Go up in the list of cases", menu="Case", needs="cases",
            shortcuts=("PgUp", "["), bar_text="‹ Previous"),
    Command(id="next", text="Next case", tip="Go down in the list of cases", menu="Case", needs="cases",
            shortcuts=("PgDown", "]"), bar_text="Next ›"),
    Command(id="switch_pane", text="Other pane", tip="Make the other pane the one that keys apply to", menu="Case",
            needs="image", shortcuts=("V",), has_separator=True),
    Command(id="next_unplaced", text="Next view without a place", menu="Case", needs="cases", shortcuts=("U",),
            tip="Hang the next view of this case that has no place yet"),
    Command(id="ask", text="Decide about this view", menu="Resolve", needs="view", shortcuts=("Q",),
            tip="Ask what the active view shows, though it is known; press again to leave it"),
    Command(id="frontal", text="View is frontal", tip="Record that the active view is frontal", menu="Resolve",
            has_separator=True,
            needs="question", shortcuts=("F",)),
    Command(id="lateral", text="View is lateral", tip="Record that the active view is lateral", menu="Resolve",
            needs="question", shortcuts=("L",)),
    Command(id="frog-leg", text="View is frog-leg", tip="Record that the active view is a frog-leg lateral",
            menu="Resolve", needs="question", shortcuts=("G",)),
    Command(id="cross-table", text="View is cross-table", menu="Resolve", needs="question", shortcuts=("X",),
            tip="Record that the active view is a cross-table (axial) lateral"),
    Command(id="oblique", text="View is oblique", tip="Record that the active view is oblique", menu="Resolve",
            needs="question", shortcuts=("O",)),
    Command(id="left", text="Left hip", tip="Record that the active view shows the patient's left hip", menu="Resolve",
            needs="question", shortcuts=("Shift+L",), has_separator=True),
    Command(id="right", text="Right hip", tip="Record that the active view shows the patient's right hip",
            menu="Resolve", needs="question", shortcuts=("Shift+R",)),
    Command(id="both", text="Both hips", tip="Record that the active view shows both hips", menu="Resolve",
            needs="question", shortcuts=("Shift+B",)),
    *(Command(id=f"exclude:{reason}", text=f"Exclude view: {reason}", menu="Resolve", needs="question",
              tip=f"Take the active view out of its cases: {reason}", has_separator=not number)
      for number, reason in enumerate(EXCLUSION_REASONS)),
    Command(id="pan", text="Pan tool", tip="Drag moves the image", menu="View", shortcuts=("M",), group="tool",
            is_checkable=True, is_checked=True, bar_text="Pan"),
    Command(id="window", text="Window tool", menu="View", shortcuts=("W",), group="tool", is_checkable=True,
            tip="Drag changes the window: right = wider, up = brighter (the right button always does)",
            bar_text="Window"),
    Command(id="fit", text="Fit", tip="Show the whole image", menu="View", needs="image",
            shortcuts=("Ctrl+0", "Home"), bar_text="Fit", has_separator=True),
    Command(id="one_to_one", text="One to one", tip="One image pixel on one screen pixel", menu="View", needs="image",
            shortcuts=("Ctrl+1",), bar_text="1:1"),
    Command(id="zoom_in", text="Zoom in", tip="Enlarge around the middle", menu="View", needs="image",
            shortcuts=("+", "=")),
    Command(id="zoom_out", text="Zoom out", tip="Shrink around the middle", menu="View", needs="image",
            shortcuts=("-",)),
    Command(id="auto", text="Auto window", tip="Window from the grey values inside the collimator", menu="Window",
            needs="image", shortcuts=("A",), bar_text="Auto", has_separator=True),
    Command(id="file", text="The file's own window", menu="Window", needs="image", shortcuts=("D",), bar_text="File",
            tip="The first window of the object; the full range of values when it has none"),
    Command(id="bone", text="Bone window", tip="Window for cortical and cancellous bone", menu="Window",
            needs="image", shortcuts=("B",), bar_text="Bone"),
    Command(id="soft-tissue", text="Soft-tissue window", tip="Window for fat, muscle and joint effusion",
            menu="Window", needs="image", shortcuts=("T",), bar_text="Soft tissue"),
    Command(id="invert", text="Invert", tip="Show the negative", menu="Window", needs="image", shortcuts=("I",),
            is_checkable=True, bar_text="Invert", has_separator=True),
    Command(id="link", text="Link windows", tip="Window changes apply to both panes", menu="Window", shortcuts=("K",),
            is_checkable=True, is_checked=True, bar_text="Link"),
)  # fmt: skip

MENUS = ("File", "Case", "Resolve", "View", "Window")
BAR_SECTIONS = ("Case", "View", "Window")


def build_actions(
    window: QMainWindow, effects: Mapping[str, Callable[[bool], None]], commands: Iterable[Command] = COMMANDS
) -> dict[str, QAction]:
    """Make an action for every command; a command without an effect is a fault.

    Args:
        window: owns the actions and receives the shortcuts.
        effects: what each command does, by id; called with the checked state.
        commands: the table.
    """
    actions: dict[str, QAction] = {}
    groups: dict[str, QActionGroup] = {}
    for command in commands:
        action = QAction(command.text, window)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
        keys = (
            QKeySequence(command.shortcuts[0]).toString(QKeySequence.SequenceFormat.NativeText)
            if (command.shortcuts)
            else ""
        )
        action.setToolTip(f"{command.tip} ({keys})" if keys else command.tip)
        action.setStatusTip(command.tip)
        action.setCheckable(command.is_checkable)
        action.setChecked(command.is_checked)
        if command.group:
            groups.setdefault(command.group, QActionGroup(window)).addAction(action)
        effect = effects[command.id]
        action.triggered.connect(effect)
        window.addAction(action)
        actions[command.id] = action
    return actions


def fill_menus(bar: QMenuBar, actions: Mapping[str, QAction], commands: Iterable[Command] = COMMANDS) -> None:
    """Put every command into its menu."""
    menus: dict[str, QMenu] = {title: bar.addMenu(title) for title in MENUS}
    for command in commands:
        menu = menus[command.menu]
        if command.has_separator and not menu.isEmpty():
            menu.addSeparator()
        menu.addAction(actions[command.id])


def fill_bar(bar: QToolBar, actions: Mapping[str, QAction], commands: Iterable[Command] = COMMANDS) -> None:
    """Put the commands that have a toolbar text into the toolbar, menu by menu."""
    for number, section in enumerate(BAR_SECTIONS):
        if number:
            bar.addSeparator()
        for command in commands:
            if command.menu == section and command.bar_text:
                action = actions[command.id]
                action.setIconText(command.bar_text)
                bar.addAction(action)


def enable(actions: Mapping[str, QAction], present: frozenset[str], commands: Iterable[Command] = COMMANDS) -> None:
    """Enable the commands whose needs are met."""
    for command in commands:
        actions[command.id].setEnabled(not command.needs or command.needs in present)

"""What people call things stands in menus and on buttons as they wrote it, `&` included."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QMenu

from app.core.worklist import Query
from app.ui.language import literal
from tests.support.window import make_project, open_window, wait


def shown(text: str) -> str:
    """What Qt paints of the text of a menu or a button."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def test_readers_filters_and_projects_keep_their_ampersand(tmp_path: Path) -> None:
    assert shown(literal("Smith & Jones && Co")) == "Smith & Jones && Co"
    window = open_window(make_project(tmp_path / "Hips A&B", cases=1))
    assert window.project is not None
    window.project.confirm_author("Smith & Jones")
    wait(0)
    assert shown(window.annotating.reader.text()) == "Reader: Smith & Jones"
    bar = window.case_list.bar
    bar.set_saved({"A&E, new": "\n".join(Query("new").to_texts())})
    bar.saved_menu.aboutToShow.emit()
    names = [shown(action.text()) for action in bar.saved_menu.actions()]
    assert "A&E, new" in names
    for action in bar.saved_menu.actions():
        menu = action.menu()
        if isinstance(menu, QMenu):
            assert [shown(each.text()) for each in menu.actions()] == ["A&E, new"]
    window.close()

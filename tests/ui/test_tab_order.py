"""Tab goes to what can be seen, once around the window, and to nothing else."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.support.window import make_project, open_window, wait


def test_tab_goes_around_the_window_and_only_to_what_can_be_seen(tmp_path: Path) -> None:
    window = open_window(make_project(tmp_path / "p"))
    for command in ("show_labels", "show_notes", "show_history"):
        window.actions_by_id[command].trigger()
    wait(30)
    window.case_list.table.setFocus()
    seen: list[QWidget] = []
    while len(seen) < 80:
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        assert now is not None
        if now in seen:
            break
        assert window.rect().contains(now.mapTo(window, QPoint(1, 1))), now
        assert not now.visibleRegion().isEmpty(), now
        seen.append(now)
    assert window.case_list.table in seen
    assert window.case_list.bar.search in seen
    assert 20 < len(seen) < 80

"""The first case is on the screen before most of the window is made, and nobody notices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.core.case import Side, Study
from app.store.annotations import Annotations
from app.store.project import ProjectStore
from app.store.resolve import recompose_study
from app.store.settings import SettingsFile
from app.ui.docks import docks_of, panel_of
from app.ui.drawing_tools import AlignTool
from app.ui.language import use_language
from app.ui.main_window import MainWindow
from tests.support.heat_engine import HeatProcess
from tests.support.window import add_view, flat_image, make_project, open_window, wait, wait_until


@pytest.fixture
def is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """No quiet moment comes by itself."""
    monkeypatch.setattr("app.ui.late_parts.FIRST_MS", 600_000)
    monkeypatch.setattr("app.ui.late_parts.PATIENCE_MS", 600_000)


def opened(path: Path, **more: object) -> MainWindow:
    """The window when its first case has just been painted."""
    window = open_window(path, is_whole=False, **more)  # type: ignore[arg-type]
    assert window.late is not None
    return window


def press(window: MainWindow, key: str) -> None:
    """Press a key as the screen reports it."""
    stroke = QKeySequence(key)[0]
    handle = window.windowHandle()
    assert handle is not None
    window.activateWindow()
    QTest.keyClick(handle, stroke.key(), stroke.keyboardModifiers())


@pytest.mark.usefixtures("is_slow")
def test_the_first_case_waits_for_none_of_the_docks(tmp_path: Path) -> None:
    window = opened(make_project(tmp_path / "p"))
    assert window.viewer is not None
    assert window.viewer.has_image
    late = [part for part in window.wirings if part.is_late]
    assert len(late) == 12
    assert [part for part in late if part.is_connected] == []
    assert window.case_list.model.rowCount() == 3
    assert window.actions_by_id["export"].isEnabled()
    before = {name for name, action in window.actions_by_id.items() if action.isEnabled()}
    assert {"align", "box", "commit_next"} <= before
    assert window.start.recent is None or not window.start.recent.exists()
    window.finish()
    assert all(part.is_connected for part in window.wirings)
    assert {name for name, action in window.actions_by_id.items() if action.isEnabled()} == before


@pytest.mark.usefixtures("is_slow")
@pytest.mark.parametrize("name", ["export", "training", "shortcut_sheet", "palette", "show_notes", "align", "ask"])
def test_a_key_right_after_the_first_paint_does_what_it_says(tmp_path: Path, name: str) -> None:
    window = opened(make_project(tmp_path / "p"))
    docks = {dock.objectName(): dock for dock in docks_of(window)}
    seen = {
        "export": lambda: docks["export"].isVisible() and panel_of(docks["export"]) in (window.exporting.panel,),
        "training": lambda: docks["training"].isVisible() and window.training.panel is not None,
        "shortcut_sheet": lambda: window.looks.sheet.isVisible(),
        "palette": lambda: window.looks.palette.isVisible(),
        "show_notes": lambda: docks["notes"].isVisible() and window.reviewing.notes is not None,
        "align": lambda: docks["crop"].isVisible() and isinstance(window.viewer.active_pane.tool, AlignTool),  # type: ignore[union-attr]
        "ask": lambda: window.resolving.panel.isVisible(),
    }[name]
    press(window, window.commands.keys(name)[0])
    wait_until(seen, timeout_s=20)
    window.close()


@pytest.mark.usefixtures("is_slow")
def test_a_digit_right_after_the_first_paint_opens_the_form(tmp_path: Path) -> None:
    window = opened(make_project(tmp_path / "p"))
    press(window, "1")
    wait_until(lambda: window.labelling.form is not None and window.labelling.form.isVisible(), timeout_s=20)


@pytest.mark.usefixtures("is_slow")
def test_a_press_on_an_image_finds_everything_there(tmp_path: Path) -> None:
    window = opened(make_project(tmp_path / "p"))
    handle = window.windowHandle()
    assert handle is not None
    assert window.late is not None
    QTest.mouseMove(handle, QPoint(600, 400))
    assert not window.late.is_finished, "looking costs nothing"
    QTest.mouseClick(handle, Qt.MouseButton.LeftButton, pos=QPoint(600, 400))
    assert window.late.is_finished


@pytest.mark.usefixtures("is_slow")
def test_language_and_closing_do_not_wait(tmp_path: Path) -> None:
    window = opened(make_project(tmp_path / "p"))
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    use_language(application, "de")
    try:
        wait_until(lambda: window.labelling.form is not None, timeout_s=20)
        titles = {dock.objectName(): dock.windowTitle() for dock in docks_of(window)}
        assert titles["training"] == "Training"
        assert titles["findings"] == "Befunde"
    finally:
        use_language(application, "en")
    second = opened(make_project(tmp_path / "q"))
    assert second.close()
    assert second.project is not None
    assert not second.project.is_open


@pytest.mark.usefixtures("is_slow")
def test_another_project_may_be_opened_at_once(tmp_path: Path) -> None:
    window = opened(make_project(tmp_path / "p"))
    window.projects.open_project(make_project(tmp_path / "q", cases=1))
    wait_until(lambda: window.viewer is not None and window.viewer.is_settled)
    assert window.case_list.model.rowCount() == 1
    assert window.annotating.board.active is not None


@pytest.mark.usefixtures("is_slow")
@pytest.mark.parametrize("what", ["question", "drawing"])
def test_what_belongs_to_an_image_is_there_with_it(tmp_path: Path, what: str) -> None:
    """A panel that came later would make the images jump, and a drawing that came later would flash up."""
    path = make_project(tmp_path / "p", cases=1)
    with ProjectStore.open(path) as store:
        case = store.cases.all()[0]
        if what == "drawing":
            Annotations(store).set_labels(case.id, {"fracture": "yes"}, author="tester")
        else:
            study = Study(id="2.25.9", patient_id="P-000")
            with store.transaction():
                store.studies.add(study)
                add_view(store, study, "V-9", flat_image(300), projection=None, side=Side.RIGHT)
                recompose_study(store, study.id, author="test")
            case_id = next(each.id for each in store.cases.all() if each.study_id == study.id)
            assert store.cases.get(case_id).questions  # type: ignore[union-attr]
    window = opened(path)
    if what == "question":
        window.case_list.step(1)
        wait_until(lambda: window.viewer is not None and window.viewer.is_settled)
        assert window.resolving.is_connected
        assert window.resolving.panel.isVisible()
        assert not window.exporting.is_connected
    else:
        assert window.annotating.is_connected
        assert window.annotating.board.active is not None
        assert not window.findings.is_connected


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_nothing_moves_when_the_rest_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    """Findings and labels are open from the start: their places are taken before they are filled."""
    monkeypatch.setattr("app.ui.engine.EngineProcess", HeatProcess)
    monkeypatch.setattr("app.ui.late_parts.FIRST_MS", 400)
    settings = SettingsFile(None)
    settings.change(switches={"show_labels": True})
    path = make_project(tmp_path / "p", cases=1, rows=420, cols=360)
    window = opened(path, size=size, settings=settings, engine_command=("in this process",), models=tmp_path / "none")
    assert window.late is not None
    assert window.viewer is not None
    wait(100)  # it is laid out and painted
    assert not window.findings.is_connected

    def places() -> dict[str, tuple[int, int, int, int]]:
        shown = [dock for dock in docks_of(window) if dock.isVisible()]
        found = {dock.objectName(): dock.geometry().getRect() for dock in shown}
        return found | {"viewer": window.viewer.geometry().getRect(), "list": window.case_list.geometry().getRect()}  # type: ignore[union-attr, return-value]

    before = places()
    assert {"cases", "findings", "labels"} <= before.keys()
    pane = window.viewer.places[0].pane
    lies = pane.zoom, pane.graphics.size()
    wait_until(lambda: window.late.is_finished)  # type: ignore[union-attr]
    wait(50)
    assert window.findings.panel is not None
    assert window.findings.panel.isVisible()
    assert window.labelling.form is not None
    assert window.labelling.form.isVisible()
    assert places() == before
    assert (pane.zoom, pane.graphics.size()) == lies


def test_each_step_imports_what_exists(tmp_path: Path) -> None:
    window = opened(make_project(tmp_path / "p"))
    assert window.late is not None
    wait_until(lambda: window.late.is_finished)  # type: ignore[union-attr]
    names = [name for part in window.wirings for name in part.late_imports]
    assert len(names) > 30
    assert [name for name in names if name not in sys.modules] == []
    turns = [part.late_turn for part in window.wirings if part.is_late]
    assert len(set(turns)) == len(turns)


def test_a_project_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is opened ahead, for the images of the first case, is what the window works with."""
    paths: list[Path] = []
    original = ProjectStore.open.__func__  # type: ignore[attr-defined]

    def counted(cls: type[ProjectStore], path: Path, **more: object) -> ProjectStore:
        paths.append(path)
        store: ProjectStore = original(cls, path, **more)
        return store

    monkeypatch.setattr(ProjectStore, "open", classmethod(counted))
    path = make_project(tmp_path / "p")
    paths.clear()
    window = open_window(path)
    assert paths == [path]
    assert window.project is not None
    assert window.project.is_writable


def test_blas_starts_no_threads_and_other_processes_decide_for_themselves() -> None:
    code = (
        "import os, sys\n"
        "from app.ui.plain_imports import import_numpy\n"
        "import_numpy()\n"
        "import numpy as np\n"
        "np.ones((300, 300)) @ np.ones((300, 300))\n"
        "tasks = len(os.listdir('/proc/self/task')) if sys.platform == 'linux' else 1\n"
        "print(tasks, 'OPENBLAS_NUM_THREADS' in os.environ)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


@pytest.mark.usefixtures("is_slow")
def test_docks_lie_where_they_were_before_and_after_they_are_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.main_window.FRAME_PX", (-160, 40))  # a screen of 960 px, not of 800
    project, kept = make_project(tmp_path / "p"), tmp_path / "window.ini"
    first = open_window(project, geometry=kept)
    first.resize(960, 690)  # as large as the screen of tests lets it come back
    for name in ("show_notes", "show_crop", "show_labels"):
        first.actions_by_id[name].trigger()
    wait(50)
    docks = {dock.objectName(): dock for dock in docks_of(first)}
    first.resizeDocks([docks["notes"]], [342], Qt.Orientation.Horizontal)
    wait(50)

    def places(window: MainWindow) -> dict[str, object]:
        return {
            dock.objectName(): dock.geometry().getRect() for dock in docks_of(window)
            if dock.isVisible() and not dock.visibleRegion().isEmpty()
        }  # fmt: skip

    before = places(first)
    assert len(before) >= 3
    first.close()
    again = opened(project, geometry=kept)
    wait(50)
    assert places(again) == before
    again.finish()
    wait(50)
    assert places(again) == before


FIRST_CASE = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.ui.main_window import MainWindow
from app.ui.start_plan import Start
application = QApplication([])
window = MainWindow(Start(project=Path(sys.argv[1]), demo=Path("x"), demo_command=("x",), is_demo_ready=bool,
                          is_read_only=True))
def settled():
    late = {name for part in window.wirings for name in (*part.late_imports, "psutil", "filelock", "pydicom")}
    print(sorted(late & sys.modules.keys()), len([name for name in sys.modules if name.startswith("pyqtgraph")]) < 50)
    application.quit()
window.settled.connect(settled)
window.show()
application.exec()
"""


def test_a_first_case_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    path = make_project(tmp_path / "p")
    done = subprocess.run([sys.executable, "-c", FIRST_CASE, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True", done.stderr


@pytest.mark.usefixtures("is_slow")
@pytest.mark.parametrize("key", ["", "W"])
def test_the_folder_goes_away_before_everything_is_there(tmp_path: Path, key: str) -> None:
    """A stick that is pulled out: whoever presses a key then is told, and the window can be left."""
    window = opened(make_project(tmp_path / "p"))
    (tmp_path / "p").rename(tmp_path / "gone")
    if key:
        press(window, key)
        assert all(part.is_connected for part in window.wirings if part.is_late)
    project = window.project
    assert project is not None
    window.close()
    assert not window.isVisible()
    assert not project.is_open

"""Opening and closing projects, and what the window shows while there is nothing to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from app.core.errors import UserError
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

DEMO_IS_BROKEN = frozenset({"damaged", "key-missing", "not-a-project"})  # then it is made anew


class ProjectsWiring(Wiring):
    """The File menu, the start page and the demo."""

    _last_error = ""

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the File menu does."""
        return {
            "open": lambda _: self._ask_for_project(),
            "demo": lambda _: self.open_demo(),
            "quit": lambda _: self.window.close(),
        }

    def connect_shell(self) -> None:
        """The demo being made."""
        task = self.window.demo_task
        task.progressed.connect(self.window.start_page.show_step)
        task.finished.connect(self._on_demo_made)
        task.failed.connect(self._on_demo_failed)

    def connect_rest(self) -> None:
        """What follows from opening and closing."""
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._on_closed)
        self.project.failed.connect(self._on_failed)

    def begin(self) -> None:
        """Open what the window was started with."""
        start = self.window.start
        if start.is_demo:
            self.open_demo()
        elif start.project is not None:
            self.open_project(start.project, is_read_only=start.is_read_only)
        else:
            self.show_beginning()

    def close(self) -> None:
        """Stop making the demo."""
        self.window.demo_task.stop()

    def open_project(self, path: Path, *, is_read_only: bool = False) -> None:
        """Open a project; the present one stays if that fails."""
        if not self.project.open(path, is_read_only=is_read_only) and not self.project.is_open:
            self.show_beginning()

    def open_demo(self) -> None:
        """Open the demo project; make it first if it is not there, or broken."""
        window, start, project = self.window, self.window.start, self.project
        if start.is_demo_ready():
            if project.open(start.demo, is_read_only=start.is_read_only):
                return
            if self._last_error not in DEMO_IS_BROKEN:
                self.show_beginning()
                return
            window.banners.remove("error")
        project.close()
        window.start_page.say(
            "Making the demo project",
            "Synthetic hips are computed and imported as any other radiographs. This takes about a minute on two "
            "processors and happens once.",
            buttons=(("Cancel", self._cancel_demo),),
            is_busy=True,
        )
        window.middle.setCurrentWidget(window.start_page)
        window.demo_task.start()

    def show_beginning(self) -> None:
        """Say how to begin."""
        window = self.window
        window.start_page.say(
            "Open a project to begin",
            "A project is a folder of paired hip radiographs. Make one from your own files with the command below; "
            "names and dates are replaced by pseudonyms on the way in.",
            buttons=(("Open project…", self._ask_for_project), ("Open the demo project", self.open_demo)),
            command="coxa import RADIOGRAPHS --project MY_PROJECT",
        )
        window.middle.setCurrentWidget(window.start_page)
        window.enable()
        window.settled.emit()

    def show_no_cases(self) -> None:
        """Say what to do with a project that holds nothing."""
        window = self.window
        window.start_page.say(
            "No radiographs in this project yet",
            "Import files, folders, zip archives or a DICOMDIR with the command below, then open the project "
            "again. Close this window first, or the command will find the project in use.",
            buttons=(("Open another project…", self._ask_for_project),),
            command=f'coxa import RADIOGRAPHS --project "{self.project.path}"',
        )
        window.middle.setCurrentWidget(window.start_page)
        window.settled.emit()

    def _cancel_demo(self) -> None:
        self.window.demo_task.stop()
        self.show_beginning()

    def _on_demo_made(self) -> None:
        self.open_project(self.window.start.demo, is_read_only=self.window.start.is_read_only)

    def _on_demo_failed(self, error: UserError) -> None:
        self.window.banners.show_error(error)
        self.show_beginning()

    def _on_failed(self, error: UserError) -> None:
        self._last_error = error.kind
        self.window.banners.show_error(error)

    def _ask_for_project(self) -> None:
        path = QFileDialog.getExistingDirectory(self.window, "Open a project folder")
        if path:
            self.open_project(Path(path))

    def _on_opened(self) -> None:
        window, project = self.window, self.project
        self.viewer.open_images(project.load_image)
        window.banners.remove("error")
        window.setWindowTitle(f"{project.name} — Coxa")
        window.state.setText(project.name if project.is_writable else f"{project.name} (read-only)")
        window.state.setToolTip(str(project.path))
        if project.read_only_reason:
            title = "Read-only: nothing can be changed here."
            window.banners.show_banner("read-only", Banner(title, (project.read_only_reason,), tone="caution"))
        if project.was_unclean:
            words = "Everything that was recorded is there. `coxa check` looks at the whole project."
            window.banners.show_banner(
                "unclean", Banner("The last session ended unexpectedly.", (words,), is_closable=True)
            )
        window.cases.show_first()

    def _on_closed(self) -> None:
        window = self.window
        self.viewer.close_images()
        for key in ("read-only", "unclean", "case"):
            window.banners.remove(key)
        window.cases.forget()
        window.setWindowTitle("Coxa")
        window.state.setText("")
        window.enable()

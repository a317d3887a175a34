"""Making, opening and closing projects, and what the window shows while there is nothing to read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QStandardPaths
from PySide6.QtWidgets import QFileDialog, QMenu

from app.core.errors import UserError
from app.ui.jobs_strip import JobLine
from app.ui.language import literal, say, tr, trn
from app.ui.lock_words import read_only_words
from app.ui.no_cases import no_cases_words
from app.ui.notices import Banner
from app.ui.privacy import private
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.store.recent import RecentProjects
    from app.ui.loader import ImageLoader
    from app.ui.recent_list import RecentEntry

DEMO_IS_BROKEN = frozenset({"damaged", "key-missing", "not-a-project"})  # then it is made anew
DEMO_JOB = "demo"
OUR_BANNERS = ("read-only", "unclean", "case", "import", "care", "merge")
MENU_LETTERS = 60  # of a path in the menu


class ProjectsWiring(Wiring):
    """Projects in the File menu, the start page and the demo."""

    _last_error = ""
    _opening: Path | None = None
    _recent: RecentProjects | None = None
    _then: Callable[[], object] | None = None
    _first_images: ImageLoader | None = None
    _damaged: tuple[str, UserError, Path] | None = None  # what the banner about a damaged project says, and of which

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the File menu does with projects."""
        return {
            "new_project": lambda _: self.ask_for_new(),
            "open": lambda _: self._ask_for_project(),
            "recent": lambda _: self._show_recent(),
            "demo": lambda _: self.open_demo(),
            "close_project": lambda _: self.window.leaving.leave(self._close_project),
            "quit": lambda _: self.window.close(),
        }

    def connect_shell(self) -> None:
        """The start page, and the demo being made."""
        task, page = self.window.demo_task, self.window.start_page
        task.progressed.connect(self._on_demo_step)
        task.finished.connect(self._on_demo_made)
        task.failed.connect(self._on_demo_failed)
        page.command_chosen.connect(lambda name: self.window.actions_by_id[name].trigger())
        page.project_chosen.connect(lambda path: self.open_project(Path(path)))
        page.project_pinned.connect(self._on_pinned)
        page.project_forgotten.connect(self._on_forgotten)

    def connect_rest(self) -> None:
        """What follows from opening and closing."""
        from app.store.recent import RecentProjects

        self._recent = RecentProjects(self.window.start.recent)
        self.project.opened.connect(self._on_opened)
        self.project.closed.connect(self._on_closed)
        self.project.failed.connect(self._on_failed)

    def present(self) -> set[str]:
        """Whether there is a project, and whether it can be changed."""
        project = self.window.project
        if project is None or not project.is_open:
            return set()
        return {"project", "writable project"} if project.is_writable else {"project"}

    def read_ahead(self) -> None:
        """Have the images of the first case decoded in threads while the rest of the window is imported."""
        from app.ui.first_case import first_images

        start = self.window.start
        path = start.project if not start.is_demo else start.demo if start.is_demo_ready() else None
        if path is not None:
            self._first_images = first_images(self.project, path, is_read_only=start.is_read_only)

    def begin(self) -> None:
        """Open what the window was started with."""
        start = self.window.start
        if start.is_demo:
            self.open_demo()
        elif start.project is not None:
            self.open_project(start.project, is_read_only=start.is_read_only)
        else:
            self.show_beginning()
        if self._first_images is not None:  # something else was opened, or nothing
            self._first_images.close()
            self._first_images = None

    def close(self) -> None:
        """Stop making the demo; remember how many cases the project has now."""
        self.window.demo_task.stop()
        self._note_recent()

    @property
    def recent(self) -> RecentProjects:
        """The projects that were open lately; only after the first paint."""
        assert self._recent is not None, "nothing asks for it before the first paint"
        return self._recent

    # --- opening ---

    def open_project(self, path: Path, *, is_read_only: bool = False, then: Callable[[], object] | None = None) -> None:
        """Open a project; the present one stays if that fails.

        Args:
            path: its folder.
            is_read_only: look only.
            then: what to do once it is open.
        """
        self.window.leaving.leave(lambda: self._open(path, is_read_only, then))

    def make_project(self, path: Path, name: str, *, then: Callable[[], object] | None = None) -> None:
        """Make a project and open it; the present one stays if that fails."""

        def make() -> None:
            from app.store.project import ProjectStore

            try:
                ProjectStore.create(path, name=name).close()
            except UserError as error:
                self.window.banners.show_error(error)
                return
            self._open(path, False, then)

        self.window.leaving.leave(make)

    def ask_for_new(self) -> None:
        """Ask for name and place of a new project."""
        from app.ui.new_project import NewProjectDialog, free_name

        place = self.proposed_place()
        dialog = NewProjectDialog(
            name=free_name(place, tr("Hips")),
            place=place,
            title=tr("New project"),
            words=tr("A project is a folder that holds the images, the database and its secret key."),
            accept_text=tr("Make project"),
            parent=self.window,
        )
        dialog.accepted.connect(lambda: self.make_project(dialog.path, dialog.form.project_name))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def proposed_place(self) -> Path:
        """Where a new project may go: beside the latest one, else in the documents of the user."""
        for known in self.recent.projects:
            place = Path(known.path).parent
            if Path(known.path) != self.window.start.demo and place.is_dir():
                return place
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        return Path(documents or Path.home()) / "Coxa"

    def recent_entries(self) -> list[RecentEntry]:
        """The projects that were open lately, in words."""
        from app.ui.recent_list import RecentEntry, when_open

        return [
            RecentEntry(
                path=known.path,
                name=private(known.name),
                place=private(known.path),
                about=f"{when_open(known.opened_at)} · {trn('1 case', '{count} cases', known.case_count)}",
                is_there=known.is_there,
                is_pinned=known.is_pinned,
            )
            for known in self.recent.projects
        ]

    def open_demo(self) -> None:
        """Open the demo project; make it first if it is not there, or broken."""
        self.window.leaving.leave(self._open_demo)

    def _open(self, path: Path, is_read_only: bool, then: Callable[[], object] | None) -> None:
        if self.project.is_open:
            self.window.finish()  # what belongs to this one
        self._opening = Path(path).absolute()
        is_open = self.project.open(path, is_read_only=is_read_only)
        self._opening = None
        if is_open:
            if then is not None:
                then()
        elif not self.project.is_open:
            self.show_beginning()

    def _open_demo(self) -> None:
        window, start, project = self.window, self.window.start, self.project
        if start.is_demo_ready():
            if project.open(start.demo, is_read_only=start.is_read_only):
                return
            if self._last_error not in DEMO_IS_BROKEN:
                if not project.is_open:
                    self.show_beginning()
                return
            window.banners.remove("error")
        if project.is_open and project.path == start.demo:
            project.close()
        if not project.is_open:
            self._say_making_demo()
            window.middle.setCurrentWidget(window.start_page)
        window.demo_task.start()
        self._on_demo_step(0, 0, "")

    def _close_project(self) -> None:
        self._note_recent()
        self.project.close()
        self.show_beginning()

    # --- nothing to read ---

    def show_beginning(self) -> None:
        """Say how to begin."""
        window = self.window
        window.start_page.show_home(self.recent_entries())
        window.cases.hide_list()
        window.middle.setCurrentWidget(window.start_page)
        window.start_page.take_focus()
        window.enable()
        window.settled.emit()

    def show_no_cases(self) -> None:
        """Say what to do with a project that holds nothing."""
        self._say_no_cases()
        self.window.middle.setCurrentWidget(self.window.start_page)
        self.window.settled.emit()

    def _say_no_cases(self) -> None:
        window, project, actions = self.window, self.project, self.window.actions_by_id
        if window.importing.is_running:
            window.start_page.say(
                tr("Importing"), tr("The first cases appear here in a moment; you can begin with them."), is_busy=True
            )
            return
        excluded, take_back = len(project.look().views.all()), tr("Take back the last decision")
        heading, words = no_cases_words(
            excluded=excluded,
            is_writable=project.is_writable,
            take_back=window.commands.key_text("take_back") or take_back,
        )
        elsewhere = (tr("Open another project…"), self._ask_for_project)
        imports = (
            (tr("Import files…"), actions["import_files"].trigger),
            (tr("Import folder…"), actions["import_folder"].trigger),
        )
        is_drop_target = project.is_writable and not excluded
        window.start_page.say(
            heading, words, buttons=imports if project.is_writable else (elsewhere,), is_drop_target=is_drop_target
        )

    # --- the demo being made ---

    def _say_making_demo(self) -> None:
        self.window.start_page.say(
            tr("Making the demo project"),
            tr(
                "Synthetic hips are computed and imported as any other radiographs. This takes about a minute on "
                "two processors and happens once."
            ),
            buttons=((tr("Cancel"), self._cancel_demo),),
            is_busy=True,
        )

    def _cancel_demo(self) -> None:
        self.window.demo_task.stop()
        self.window.jobs.remove(DEMO_JOB)
        if not self.project.is_open:
            self.show_beginning()

    def _on_demo_step(self, done: int, total: int, text: str) -> None:
        if not self.project.is_open:
            if total:
                self.window.start_page.show_step(done, total, say(text))
            return
        detail = tr("{what}: {done} of {total}", what=say(text), done=done, total=total) if total else ""
        buttons = ((tr("Cancel"), self._cancel_demo),)
        line = JobLine(title=tr("Making the demo project"), detail=detail, done=done, total=total, buttons=buttons)
        self.window.jobs.show_job(DEMO_JOB, line)

    def _on_demo_made(self) -> None:
        self.window.jobs.remove(DEMO_JOB)
        if self.project.is_open and self.project.path != self.window.start.demo:
            self._say_demo_ready()
            return
        self.open_project(self.window.start.demo, is_read_only=self.window.start.is_read_only)

    def _say_demo_ready(self) -> None:
        action = (tr("Open it"), self.open_demo)
        self.window.banners.show_banner("demo", Banner(tr("The demo project is ready."), action=action))

    def _on_demo_failed(self, error: UserError) -> None:
        self.window.jobs.remove(DEMO_JOB)
        self.window.banners.show_error(error)
        if not self.project.is_open:
            self.show_beginning()

    # --- recent projects ---

    def _note_recent(self) -> None:
        project = self.window.project
        if self._recent is not None and project is not None and project.is_open:
            self._recent.note(project.path, name=project.name, case_count=project.look().cases.count())

    def _on_pinned(self, path: str, is_pinned: bool) -> None:
        self.recent.pin(Path(path), is_pinned=is_pinned)
        self.window.start_page.show_home(self.recent_entries())

    def _on_forgotten(self, path: str) -> None:
        self.recent.forget(Path(path))
        self.window.start_page.show_home(self.recent_entries())

    def _show_recent(self) -> None:
        menu = self.recent_menu()
        menu.popup(self.window.mapToGlobal(QPoint(self.window.width() // 3, self.window.menuBar().height())))
        menu.setActiveAction(menu.actions()[0])

    def recent_menu(self) -> QMenu:
        """The projects that were open lately, to choose one by mouse or key."""
        menu = QMenu(self.window)
        menu.aboutToHide.connect(menu.deleteLater)
        for number, entry in enumerate(self.recent_entries(), start=1):
            key = f"&{number}  " if number < 10 else ""
            path = entry.place if len(entry.place) <= MENU_LETTERS else f"…{entry.place[-MENU_LETTERS:]}"
            name = key + literal(f"{entry.name}   {path}".replace("\n", " "))
            action = menu.addAction(name if entry.is_there else tr("{name} (not found)", name=name))
            action.setEnabled(entry.is_there)
            action.triggered.connect(partial(self._open_recent, entry.path))
        if menu.isEmpty():
            menu.addAction(tr("No project was open yet")).setEnabled(False)
        menu.addSeparator()
        menu.addAction(self.window.actions_by_id["open"])
        return menu

    def _open_recent(self, path: str, _: bool = False) -> None:
        self.open_project(Path(path))

    # --- what follows ---

    def _on_failed(self, error: UserError) -> None:
        self._last_error = error.kind
        path = self._opening
        if error.kind != "damaged" or path is None:
            self.window.banners.show_error(error)
        else:
            self._say_damaged(error, path)

    def _say_damaged(self, error: UserError, path: Path) -> None:
        care = self.window.care
        banner = Banner(
            say(error.title),
            (say(error.reason), tr("“Check” shows what is affected; “Repair” keeps everything that is still intact.")),
            tone="danger",
            action=(tr("Check"), lambda: care.check(path)),
            more_actions=((tr("Repair…"), lambda: care.repair(path)),),
            is_closable=True,
        )
        self.window.banners.show_banner("error", banner)
        self._damaged = (banner.text, error, path)

    def _ask_for_project(self) -> None:
        path = QFileDialog.getExistingDirectory(self.window, tr("Open a project folder"))
        if path:
            self.open_project(Path(path))

    def _on_opened(self) -> None:
        window, project = self.window, self.project
        if window.late is None or window.late.is_finished:
            self._note_recent()
        else:
            window.late.finished.connect(self._note_recent)  # the first case need not wait for the disk
        images, self._first_images = self._first_images, None
        self.viewer.open_images(project.load_image, project.look().derived, images)
        window.banners.remove("error")
        window.banners.remove("demo")
        self._say_project()
        window.cases.show_list_again()
        if project.was_unclean:
            self._say_unclean()
        window.cases.show_first()

    def _say_project(self) -> None:
        """Name the project in the title and the status bar, and say why it cannot be changed."""
        window, project = self.window, self.project
        name = private(project.name)
        window.setWindowTitle(f"{name} — Coxa" if name else "Coxa")
        window.state.setText(name if project.is_writable or not name else tr("{name} (read-only)", name=name))
        window.state.setToolTip(private(str(project.path)) if name else "")
        if project.is_open and (reason := read_only_words(project.read_only_reason)):
            title = tr("Read-only: nothing can be changed here.")
            banner = Banner(title, (reason,), tone="caution", action=(tr("Try again for writing"), self.try_writing))
            window.banners.show_banner("read-only", banner)

    def _say_unclean(self) -> None:
        words = tr("Everything that was recorded is there: the whole database was checked.")
        banner = Banner(tr("The last session ended unexpectedly."), (words,), is_closable=True)
        self.window.banners.show_banner("unclean", banner)

    def retranslate(self) -> None:
        """Another language, or names are hidden: name the project and say how to begin anew."""
        window = self.window
        if window.project is None or self._recent is None:
            return
        self._say_project()
        if "unclean" in window.banners.texts:
            self._say_unclean()
        if self._damaged is not None and window.banners.texts.get("error") == self._damaged[0]:
            self._say_damaged(*self._damaged[1:])
        if "demo" in window.banners.texts:
            self._say_demo_ready()
        if window.middle.currentWidget() is not window.start_page:
            return
        if not self.project.is_open and window.demo_task.is_running:
            self._say_making_demo()
        elif not self.project.is_open:
            window.start_page.show_home(self.recent_entries())
        elif not window.case_list.total:
            self._say_no_cases()

    def try_writing(self) -> None:
        """Open the present project again, for writing, and go on with the case that is on the screen."""
        case_id = self.window.selection.on_screen
        self._open(self.project.path, False, None)
        if case_id and self.project.is_open and self.project.look().cases.get(case_id) is not None:
            self.window.cases.go_to(case_id)

    def _on_closed(self) -> None:
        window = self.window
        self.viewer.close_images()
        for key in OUR_BANNERS:
            window.banners.remove(key)
        window.cases.forget()
        self._say_project()
        window.enable()

"""Importing: dropped, pasted or chosen files become cases while the window is worked with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog

from app.core.errors import UserError
from app.ui.jobs_strip import JobLine
from app.ui.language import tr, trn
from app.ui.notices import Banner
from app.ui.privacy import private
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.store.import_report import ImportReport
    from app.ui.background import BackgroundCall
    from app.ui.drop_area import DropArea, DropOffer
    from app.ui.import_report_dialog import ImportReportDialog
    from app.ui.import_task import ImportRequest, ImportState, ImportTask
    from app.ui.mapping_dialog import MappingPreview

IMPORT_JOB, TABLE_JOB = "import", "table"
REFRESH_MS = 700  # at the soonest, between two looks at what has come
REFRESH_SHARE = 25  # the worklist is brought up to date for at most a 25th of the time


class ImportingWiring(Wiring):
    """Import in the File menu, drops, the line that says how far it is, and the report.

    Attributes:
        task: the import under way; only after the first paint.
        reports: the reports of this session, oldest first, with the time of day.
        dialog: the report on show, or the last one.
    """

    late_turn = 12
    late_imports = ("app.store.import_plan", "app.store.import_views", "app.store.import_identity",
                    "app.store.importer", "app.ui.import_task", "app.ui.drop_area")  # fmt: skip
    task: ImportTask
    drop_area: DropArea
    dialog: ImportReportDialog | None = None
    _preview: BackgroundCall

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the File menu does with files."""
        return {
            "import_files": lambda _: self._ask_for_files(),
            "import_folder": lambda _: self._ask_for_folder(),
            "import_table": lambda _: self._ask_for_table(),
            "paste_files": lambda _: self.paste(),
            "show_report": lambda _: self.show_report(),
        }

    def connect_shell(self) -> None:
        """Nothing is imported yet."""
        self.reports: list[tuple[str, ImportReport]] = []
        self._waiting: list[ImportRequest] = []
        self._in_a_row = 0  # of the reports the last: imports that waited for each other, which one banner tells
        self._refresh = QTimer(self.window, singleShot=True)
        self._refresh.timeout.connect(self._bring_up_to_date)
        self._refresh_ms = REFRESH_MS

    def connect_rest(self) -> None:
        """The import, drops, and the end of the project."""
        from app.ui.background import BackgroundCall
        from app.ui.drop_area import DropArea
        from app.ui.import_task import ImportTask

        self.task = ImportTask(self.window)
        self.task.progressed.connect(self._on_progress)
        self.task.stored.connect(self._on_stored)
        self.task.finished.connect(self._on_finished)
        self.task.failed.connect(self._on_failed)
        self._preview = BackgroundCall(self.window)
        self._preview.finished.connect(self._on_preview)
        self._preview.failed.connect(self._on_preview_failed)
        self.drop_area = DropArea(self.window, self.offer_for)
        self.drop_area.dropped.connect(self.bring_in)
        self.project.closed.connect(self.stop)

    def present(self) -> set[str]:
        """Whether there is a report."""
        return {"report"} if self.reports else set()

    def close(self) -> None:
        """The window closes: the files at hand are finished or left, what was acknowledged is kept."""
        if self.is_connected:
            self.stop()

    @property
    def is_running(self) -> bool:
        """Whether an import is under way."""
        return self.is_connected and self.task.is_running

    def retranslate(self) -> None:
        """Another language, or names are hidden: say anew what goes on and what came of it."""
        if self.is_running:
            self._on_progress(self.task.state)
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_reports(self._titled_reports())
        if "import" in self.window.banners.texts and self.reports:
            self._show_end()

    def stop(self) -> None:
        """End what is under way, and wait for it."""
        self._waiting.clear()
        self._preview.stop()
        self.task.stop()
        self._refresh.stop()
        for job in (IMPORT_JOB, TABLE_JOB):
            self.window.jobs.remove(job)

    # --- what to import ---

    def offer_for(self, paths: Sequence[Path]) -> DropOffer:
        """What a drop of these would do."""
        from app.store.merge.opening import export_folder
        from app.ui.drop_area import DropOffer
        from app.ui.import_words import first_table, is_project_folder, what_words
        from app.ui.mapping_dialog import is_fracatlas, is_table

        project = self.project
        if QApplication.activeModalWidget() is not None:
            return DropOffer(title=tr("Answer the open question first"), is_accepted=False)
        if not paths:
            words = tr("What is dragged here is on another computer, or no file at all.")
            return DropOffer(title=tr("Only files on this computer can be imported"), words=words, is_accepted=False)
        if len(paths) == 1 and is_project_folder(paths[0]):
            return DropOffer(title=tr("Open the project “{name}”", name=private(paths[0].name)))
        if len(paths) == 1 and (export := export_folder(paths[0])) is not None and not project.is_open:
            words = tr("You choose the project next. Your files are not changed.")
            return DropOffer(title=self.window.merging.describe(export), words=words)
        if project.is_open and not project.is_writable:
            words = tr("The project “{name}” is open for looking only.", name=private(project.name))
            return DropOffer(title=tr("Nothing can be imported here now"), words=words, is_accepted=False)
        what = what_words(paths)
        where = (
            tr("Into the project “{name}”. Your files are not changed.", name=private(project.name))
            if project.is_open
            else tr("You choose the project next. Your files are not changed.")
        )
        if len(paths) == 1 and (export := export_folder(paths[0])) is not None:
            return DropOffer(title=self.window.merging.describe(export), words=where)
        if any(is_table(path) for path in paths):
            return DropOffer(title=tr("Look at the table {name}", name=private(first_table(paths).name)), words=where)
        if len(paths) == 1 and is_fracatlas(paths[0]):
            return DropOffer(title=tr("Import FracAtlas with its labels"), words=where)
        return DropOffer(title=tr("Import {what}", what=what), words=where)

    def bring_in(self, paths: Sequence[Path]) -> None:
        """Import files and folders; open a project; look at a table first."""
        from app.store.merge.opening import export_folder
        from app.ui.import_words import first_table, is_project_folder, what_words
        from app.ui.mapping_dialog import is_fracatlas, is_table

        self.window.activateWindow()
        if not paths:
            return
        if len(paths) == 1 and is_project_folder(paths[0]):
            self.window.projects.open_project(paths[0])
            return
        if len(paths) == 1 and (export := export_folder(paths[0])) is not None:
            self._bring_in_export(export)
            return
        if any(is_table(path) for path in paths):
            self._look_at_table(first_table(paths))
            return
        if len(paths) == 1 and is_fracatlas(paths[0]):
            self._look_at_table(paths[0])
            return
        from app.ui.import_task import ImportRequest

        self._bring_in(ImportRequest(paths=tuple(paths)), what=what_words(paths))

    def paste(self) -> None:
        """Import what was copied in a file manager, or paths that were copied as text."""
        from app.ui.drop_area import local_paths

        copied: QMimeData | None = QGuiApplication.clipboard().mimeData()  # None where the system has no clipboard
        paths = local_paths(copied) if copied is not None else []
        if paths:
            self.bring_in(paths)
            return
        error = UserError(
            "There is no file to paste.",
            reason="What was copied last is neither a file nor a path to one.",
            remedy="Copy files or folders in the file manager, then paste them here.",
            kind="nothing-to-paste",
        )
        self.window.banners.show_error(error)

    def _ask_for_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self.window, tr("Import files"))
        self.bring_in([Path(name) for name in names])

    def _ask_for_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self.window, tr("Import a folder and everything below it"))
        self.bring_in([Path(name)] if name else [])

    def _ask_for_table(self) -> None:
        title, kinds = tr("Choose a table of images"), tr("Tables (*.csv *.tsv)")
        name, _ = QFileDialog.getOpenFileName(self.window, title, "", kinds)
        if name:
            self._look_at_table(Path(name))

    def _look_at_table(self, path: Path) -> None:
        from app.ui.mapping_dialog import read_preview

        if self._preview.start(lambda ticket: read_preview(path, ticket), name="table"):
            line = JobLine(title=tr("Looking at the table"), buttons=((tr("Cancel"), self._cancel_preview),))
            self.window.jobs.show_job(TABLE_JOB, line)
            return
        error = UserError(
            "One table at a time.",
            reason="Another one is still being looked at.",
            remedy="Try again in a moment.",
            kind="busy",
        )
        self.window.banners.show_error(error)

    def _cancel_preview(self) -> None:
        self._preview.cancel()
        self.window.jobs.remove(TABLE_JOB)

    def _on_preview(self, preview: MappingPreview) -> None:
        from app.ui.import_task import ImportRequest
        from app.ui.mapping_dialog import MappingDialog

        self.window.jobs.remove(TABLE_JOB)
        dialog = MappingDialog(preview, project_name=private(self.project.name), parent=self.window)
        request = ImportRequest(mapping=preview.mapping)
        what = trn("1 image", "{count} images", len(preview.mapping.rows) - len(preview.missing))
        dialog.accepted.connect(lambda: self._bring_in(request, what=what))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_preview_failed(self, error: UserError) -> None:
        self.window.jobs.remove(TABLE_JOB)
        self.window.banners.show_error(error)

    # --- where to ---

    def _bring_in(self, request: ImportRequest, *, what: str) -> None:
        """Import into the open project, or ask for one."""
        project = self.project
        if not project.is_open:
            self._ask_where(request, what=what)
        elif not project.is_writable:
            self.window.banners.show_error(
                UserError(
                    "Nothing can be imported now.",
                    reason=project.read_only_reason,
                    remedy="Press “Try again for writing”, or open another project.",
                    kind="read-only",
                )
            )
        else:
            self._start(request)

    def _bring_in_export(self, export: Path) -> None:
        """Merge a Coxa export into the open project, or make a project of it."""
        from app.store.merge.opening import export_name

        merging = self.window.merging
        if self.project.is_open:
            merging.merge(export)
            return
        what = merging.describe(export)
        self._ask_project(lambda: merging.merge(export), title=what, name=export_name(export))

    def _ask_where(self, request: ImportRequest, *, what: str) -> None:
        def bring_in() -> None:
            self._bring_in(request, what=what)

        self._ask_project(bring_in, title=tr("Import {what}", what=what), start=lambda: self._start(request))

    def _ask_project(
        self, go: Callable[[], None], *, title: str, name: str = "", start: Callable[[], None] | None = None
    ) -> None:
        """Ask for a new or a recent project, open it, and go on.

        Args:
            go: what to do then.
            title: of the question.
            name: proposed for a new project.
            start: what to do in a new project instead.
        """
        from app.ui.new_project import NewProjectDialog, free_name

        projects = self.window.projects
        place = projects.proposed_place()
        dialog = NewProjectDialog(
            name=free_name(place, name or tr("Hips")),  # names of files and folders may be names of patients
            place=place,
            title=title,
            words=tr("Names and dates are replaced by pseudonyms on the way in; your own files are never changed."),
            accept_text=tr("Import"),
            recent=projects.recent_entries(),
            parent=self.window,
        )

        def go_on() -> None:
            if dialog.is_new:
                projects.make_project(dialog.path, dialog.form.project_name, then=start or go)
            else:
                projects.open_project(dialog.path, then=go)

        dialog.accepted.connect(go_on)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # --- under way ---

    def _start(self, request: ImportRequest) -> None:
        if self.task.is_running:
            self._waiting.append(request)
            self._on_progress(self.task.state)
            return
        self.window.banners.remove("import")
        self._in_a_row = 0
        self.task.start(self.project.look(), request, author=self.project.author)
        if not self.window.case_list.total:
            self.window.projects.show_no_cases()

    def _on_progress(self, state: ImportState) -> None:
        from app.ui.import_words import progress_words

        stop = () if state.is_stopping else ((tr("Cancel"), self.task.cancel),)
        line = JobLine(
            title=tr("Stopping") if state.is_stopping else tr("Importing"),
            detail=progress_words(state, len(self._waiting)),
            done=state.done,
            total=state.total or 0,
            buttons=stop,
        )
        self.window.jobs.show_job(IMPORT_JOB, line)

    def _on_stored(self) -> None:
        if not self._refresh.isActive():
            self._refresh.start(self._refresh_ms)

    def _bring_up_to_date(self) -> None:
        """Show the cases that have come; the first one is opened when none is on the screen."""
        if not self.project.is_open:
            return
        started = time.monotonic()
        self.project.cases_changed.emit()
        cases, selection = self.window.case_list, self.window.selection
        if cases.total and self.window.cases.content is None and not selection.wanted:
            self.window.cases.show_first()
        took_ms = (time.monotonic() - started) * 1000
        self._refresh_ms = max(REFRESH_MS, round(took_ms * REFRESH_SHARE))

    # --- afterwards ---

    def _on_finished(self, report: ImportReport) -> None:
        self._refresh.stop()
        self._bring_up_to_date()
        self.window.jobs.remove(IMPORT_JOB)
        self.reports.append((time.strftime("%H:%M"), report))
        self._in_a_row += 1
        if self.project.is_open:
            self._show_end()
            if not self.window.case_list.total:
                self.window.projects.show_no_cases()
        self.window.enable()
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_reports(self._titled_reports())
        self._go_on()

    def _show_end(self) -> None:
        from app.store.import_report import Outcome
        from app.store.import_table import first_open_case, together
        from app.ui.import_report_dialog import decisions_of, summary_of

        report = together(report for _, report in self.reports[-max(self._in_a_row, 1) :])
        title, lines = f"{summary_of(report)}.", [decisions_of(report)]
        if report.is_cancelled:
            title = tr("The import was stopped: {what}.", what=summary_of(report))
            lines.append(tr("What is in is kept; import the same files again to go on."))
        first = first_open_case(report)
        more = ((tr("Go to the first"), lambda: self._go_to(first)),) if first else ()
        tone = "caution" if report.count(Outcome.REFUSED) or report.is_cancelled else "info"
        action = (tr("Show report"), self.show_report)
        banner = Banner(
            title, tuple(filter(None, lines)), tone=tone, action=action, more_actions=more, is_closable=True
        )
        self.window.banners.show_banner("import", banner)

    def _titled_reports(self) -> list[tuple[str, ImportReport]]:
        from app.ui.import_report_dialog import summary_of

        return [(f"{clock}  {summary_of(report)}", report) for clock, report in self.reports]

    def _on_failed(self, error: UserError) -> None:
        self._waiting.clear()
        self._refresh.stop()
        self._bring_up_to_date()
        self.window.jobs.remove(IMPORT_JOB)
        self.window.banners.show_error(error)
        if self.project.is_open and not self.window.case_list.total:
            self.window.projects.show_no_cases()

    def _go_on(self) -> None:
        if self._waiting and self.project.is_open and self.project.is_writable:
            self.task.start(self.project.look(), self._waiting.pop(0), author=self.project.author)

    def show_report(self) -> None:
        """Show what the imports of this session came to; the latest first."""
        from app.ui.import_report_dialog import ImportReportDialog

        if not self.reports:
            return
        if self.dialog is None:
            self.dialog = ImportReportDialog(self.window)
            self.dialog.case_chosen.connect(self._go_to)
        self.dialog.show_reports(self._titled_reports())
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _go_to(self, case_id: str) -> None:
        """Open a case of a report, which is kept when another project is opened."""
        if self.project.is_open and self.project.look().cases.get(case_id) is not None:
            self.window.cases.go_to(case_id)
            return
        error = UserError(
            "This case is not in the project that is open.",
            reason="It was imported into another one, or its views belong to other cases now.",
            remedy="Open the project into which it was imported.",
            kind="no-case",
        )
        self.window.banners.show_error(error)

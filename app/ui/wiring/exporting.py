"""The export panel in its dock: its choices follow the list, its preview follows the choices, all in the background."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDockWidget

from app.core.errors import UserError
from app.ui.docks import fill, reserve, switch_dock
from app.ui.jobs_strip import JobLine
from app.ui.language import number, say, tr, trn, whole
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.core.export import ExportRequest
    from app.core.export_plan import ExportPreview
    from app.store.exchange.write import ExportProgress, ExportReport
    from app.ui.background import BackgroundCall, Ticket
    from app.ui.export_panel import ExportPanel

EXPORT_JOB = "export"
PANEL_PX, LEAST_PX = (420, 560), (337, 127)  # what the panel asks for, and its least


class ExportingWiring(Wiring):
    """File, Export.

    Attributes:
        panel: choices and preview; after the first paint.
        report: what the last export of this session came to.
    """

    late_turn = 13
    late_imports = ("app.core.export", "app.core.export_plan", "app.ui.export_form", "app.ui.export_panel")
    panel: ExportPanel | None = None
    report: ExportReport | None = None
    _look: BackgroundCall
    _write: BackgroundCall
    _is_stale = False
    _done = 0
    _total = 0

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the command does."""
        return {"export": lambda is_on: switch_dock(self._dock, is_on, is_tall=True)}

    def connect_shell(self) -> None:
        """The dock is there from the start, so that its place can be restored."""
        window = self.window
        self._stop = threading.Event()
        self._dock = QDockWidget(window)
        self._dock.setObjectName("export")
        self._dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        self._dock.hide()
        self._dock.visibilityChanged.connect(self._on_visible)

    def connect_rest(self) -> None:
        """The panel, and what it follows."""
        from app.ui.background import BackgroundCall
        from app.ui.export_panel import ExportPanel

        self.panel = ExportPanel(self._dock)
        fill(self._dock, self.panel)
        self._look, self._write = BackgroundCall(self.window), BackgroundCall(self.window)
        self._look.finished.connect(self._on_preview)
        self._look.failed.connect(self._on_no_preview)
        self._write.progressed.connect(self._on_progress)
        self._write.finished.connect(self._on_written)
        self._write.failed.connect(self._on_failed)
        self.panel.preview_wanted.connect(self._preview)
        self.panel.export_wanted.connect(self.export)
        self.panel.review_wanted.connect(lambda: self.window.actions_by_id["text_review"].trigger())
        cases, project = self.window.case_list, self.project
        cases.listed.connect(self._follow)
        cases.table.selectionModel().selectionChanged.connect(lambda *_: self._follow())
        project.annotated.connect(lambda _: self._follow())
        project.cases_changed.connect(self._follow)
        project.opened.connect(self._on_opened)
        project.closed.connect(self.stop)

    def reserve(self) -> None:
        """The dock."""
        reserve(self._dock, PANEL_PX, LEAST_PX)

    def catch_up(self) -> None:
        """Where a data set may go."""
        self._on_opened()

    def retranslate(self) -> None:
        """The title, and what is said of the present export."""
        self._dock.setWindowTitle(tr("Export"))
        if self.is_connected and self._write.is_running:
            self._on_progress(self._done, self._total)
        if self.report is not None and "export" in self.window.banners.texts:
            self._show_end(self.report)

    def close(self) -> None:
        """The window closes: nothing is left of an export that is not finished."""
        if self.is_connected:
            self.stop()

    def stop(self) -> None:
        """End what is under way and wait for it."""
        self._stop.set()
        self._look.stop()
        self._write.stop()
        self.window.jobs.remove(EXPORT_JOB)
        if self.panel is not None:
            self.panel.stop()

    def export(self) -> None:
        """Write the data set."""

        panel = self.panel
        if panel is None or not panel.can_export or self._write.is_running:
            return
        request, folder, path = panel.form.request(), panel.form.goal, self.project.path
        if not folder.name or not folder.is_absolute():
            error = UserError("The data set needs a folder.", remedy="Choose where it goes to.", kind="no-folder")
            self.window.banners.show_error(error)
            return
        self._stop = stop = threading.Event()
        self.window.banners.remove("export")

        def work(ticket: Ticket) -> ExportReport:
            return _write(path, request, folder, ticket, stop)

        self._write.start(work, name="export")
        panel.set_busy(is_busy=True)
        self._on_progress(0, 0)

    # --- the preview ---

    def _on_visible(self) -> None:
        self.window.actions_by_id["export"].setChecked(not self._dock.isHidden())
        if self._dock.isVisible() and self.window.project is not None and self.project.is_open:
            if self.panel is not None and not self.panel.form.folder.text():
                self.panel.form.show_goal(self._free_goal())
            self._follow()

    def _on_opened(self) -> None:
        if self.panel is not None:
            self.panel.form.show_goal(self._free_goal())
            self._follow()

    def _free_goal(self) -> Path:
        """A folder that does not exist yet, in the project's exports."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", self.project.name).strip("-.") or "export"
        place = self.project.path / "exports"
        day = time.strftime("%Y-%m-%d")
        goal, count = place / f"{name}-{day}", 2
        while goal.exists():
            goal, count = place / f"{name}-{day}-{count}", count + 1
        return goal

    def _follow(self) -> None:
        """Other cases are listed, marked or labelled: the choices and the preview follow while they are seen."""
        from app.core.label_set import FieldType
        from app.ui.export_form import ExportScope

        panel = self.panel
        if panel is None or not self._dock.isVisible() or not self.project.is_open:
            return
        cases = self.window.case_list
        marked = cases.selected_cases()
        runs = self.project.path / "runs"
        fields = self.project.annotations.label_set.fields
        panel.form.show_scope(
            ExportScope(
                query=cases.model.query,
                listed=cases.model.rowCount(),
                selected=tuple(marked) if len(marked) > 1 else (),
                total=cases.total,
                labels=tuple((field.id, say(field.text)) for field in fields if field.type is FieldType.CHOICE),
                runs=tuple(sorted(each.name for each in runs.iterdir() if (each / "plan.json").is_file()))
                if runs.is_dir() else (),
            )
        )  # fmt: skip
        panel.ask()

    def _preview(self) -> None:
        if self.panel is None or not self.project.is_open:
            return
        if self._look.is_running:
            self._is_stale = True  # it starts again when this one has ended
            return
        request, path = self.panel.form.request(), self.project.path
        self._is_stale = False
        self._look.start(lambda ticket: _preview(path, request), name="export-preview")

    def _on_preview(self, preview: ExportPreview) -> None:
        if self._is_stale:
            self._preview()
        elif self.panel is not None and self.project.is_open:
            self.panel.show_preview(preview)

    def _on_no_preview(self, error: UserError) -> None:
        if self._is_stale:
            self._preview()
        elif self.panel is not None:
            self.panel.show_problem(error)

    # --- the export ---

    def _on_progress(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        detail = tr("{done} of {total} files", done=whole(done), total=whole(total)) if total else tr("Counting files")
        buttons = () if self._stop.is_set() else ((tr("Cancel"), self._cancel),)
        line = JobLine(title=tr("Exporting"), detail=detail, done=done, total=total, buttons=buttons)
        self.window.jobs.show_job(EXPORT_JOB, line)

    def _cancel(self) -> None:
        self._stop.set()
        self._on_progress(self._done, self._total)

    def _on_written(self, report: ExportReport) -> None:
        self._end()
        self.report = report
        self._show_end(report)
        if self.panel is not None and self.project.is_open:
            self.panel.form.show_goal(self._free_goal())

    def _show_end(self, report: ExportReport) -> None:
        words = tr(
            "{files}, {size} MB, in {seconds} s.",
            files=trn("1 file", "{count} files", report.files),
            size=number(report.written_bytes / 1e6, 1),
            seconds=number(report.seconds, 1),
        )
        banner = Banner(
            tr("The data set is written."),
            (words, tr("Its checksums have the hash {hash}.", hash=report.sums_sha256[:16])),
            tone="info",
            action=(tr("Show folder"), lambda: self._show_folder(report.folder)),
            is_closable=True,
        )
        self.window.banners.show_banner("export", banner)

    def _on_failed(self, error: UserError) -> None:
        self._end()
        self.report = None
        if error.kind != "cancelled":
            self.window.banners.show_error(error)
            return
        words = (tr("Nothing of it is left in the folder."),)
        banner = Banner(tr("The export was stopped."), words, tone="info", is_closable=True)
        self.window.banners.show_banner("export", banner)

    def _end(self) -> None:
        self.window.jobs.remove(EXPORT_JOB)
        if self.panel is not None:
            self.panel.set_busy(is_busy=False)

    def _show_folder(self, folder: Path) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _preview(path: Path, request: ExportRequest) -> ExportPreview:
    """Runs in a thread: looks at the project through a connection of its own."""
    from app.store.exchange.plan import plan_export, preview_export
    from app.store.project import ProjectStore

    with ProjectStore.open(path, is_read_only=True) as project:
        return preview_export(project, plan_export(project, request))


def _write(path: Path, request: ExportRequest, folder: Path, ticket: Ticket, stop: threading.Event) -> ExportReport:
    """Runs in a thread: plans and writes at one moment of the project."""
    from app.store.exchange.plan import plan_export
    from app.store.exchange.write import write_export
    from app.store.project import ProjectStore

    def note(progress: ExportProgress) -> None:
        ticket.done, ticket.total = progress.done, progress.total

    with ProjectStore.open(path, is_read_only=True) as project:
        return write_export(
            project,
            plan_export(project, request),
            folder,
            on_progress=note,
            is_cancelled=lambda: stop.is_set() or ticket.is_stopped,
        )

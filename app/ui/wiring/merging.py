"""Merging another project, or a Coxa export, into the open one: a rehearsal first, all of it in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from app.core.errors import UserError
from app.ui.jobs_strip import JobLine
from app.ui.language import tr, whole
from app.ui.notices import Banner
from app.ui.privacy import private
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.store.merge.report import MergeProgress, MergeReport
    from app.store.project import ProjectStore
    from app.ui.background import BackgroundCall, Ticket
    from app.ui.merge_dialog import MergeDialog

MERGE_JOB = "merge"


class MergingWiring(Wiring):
    """File, Merge project.

    Attributes:
        dialog: the report on show, of the rehearsal or the merge.
        report: of the last merge of this session.
    """

    dialog: MergeDialog | None = None
    report: MergeReport | None = None
    _call: BackgroundCall
    _path = Path()
    _is_rehearsal = True

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the commands do."""
        return {"merge_project": lambda _: self._ask(), "show_merge_report": lambda _: self._show_again()}

    def connect_shell(self) -> None:
        """Nothing runs yet."""
        self._stop = threading.Event()

    def connect_rest(self) -> None:
        """One merge at a time."""
        from app.ui.background import BackgroundCall

        self._call = BackgroundCall(self.window)
        self._call.progressed.connect(self._on_progress)
        self._call.finished.connect(self._on_finished)
        self._call.failed.connect(self._on_failed)
        self.project.closed.connect(self.stop)

    def present(self) -> set[str]:
        """Whether there is a report."""
        return {"merge report"} if self.report is not None else set()

    def retranslate(self) -> None:
        """Say anew what stands in the list of jobs, in the banner and in the report."""
        if self.is_running:
            self._on_progress(0, 0)
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.retranslate()
        if "merge" in self.window.banners.texts and self.report is not None:
            self._show_end(self.report)

    def close(self) -> None:
        """The window closes."""
        if self.window.project is not None:
            self.stop()

    @property
    def is_running(self) -> bool:
        """Whether a merge, or its rehearsal, is under way."""
        return self.window.project is not None and self._call.is_running

    def stop(self) -> None:
        """End what is under way; what is in is kept."""
        self._stop.set()
        self._call.stop()
        self.window.jobs.remove(MERGE_JOB)
        self.report = None
        if self.dialog is not None:
            self.dialog.close()

    def merge(self, path: Path) -> None:
        """Rehearse the merge of a project or an export into the open project, and show what would come.

        Into a project without cases it is merged at once.
        """
        if not self._can_start(path):
            return
        self._path = path
        self._start(is_rehearsal=bool(self.project.look().cases.count()))

    def carry_out(self) -> None:
        """Do what was rehearsed."""
        if self._can_start(self._path):
            self._start(is_rehearsal=False)

    # --- how it goes on ---

    def _ask(self) -> None:
        name = QFileDialog.getExistingDirectory(self.window, tr("Choose the other project, or a Coxa export"))
        if name:
            self.merge(Path(name))

    def _can_start(self, path: Path) -> bool:
        error: UserError | None = None
        if not self.project.is_open or not self.project.is_writable:
            error = UserError(
                "Nothing can be merged now.",
                reason=self.project.read_only_reason or "No project is open.",
                remedy="Open the project that everything is to come into, for writing.",
                kind="read-only",
            )
        elif self._call.is_running or self.window.importing.is_running:
            error = UserError(
                "One thing at a time.",
                reason="Another import or merge is under way.",
                remedy="Try again when it has ended.",
                kind="busy",
            )
        elif path.absolute().resolve() == self.project.path.resolve():
            error = UserError("A project is not merged with itself.", remedy="Choose another folder.", kind="same")
        if error is not None:
            self.window.banners.show_error(error)
        return error is None

    def _start(self, *, is_rehearsal: bool) -> None:
        self._is_rehearsal = is_rehearsal
        self._stop = stop = threading.Event()
        store, path, author = self.project.look(), self._path, self.project.author
        if self.dialog is not None:
            self.dialog.close()
        self.window.banners.remove("merge")
        self._call.start(
            lambda ticket: _merge(store, path, author, ticket, stop, is_rehearsal=is_rehearsal), name="merge"
        )
        self._on_progress(0, 0)

    def _on_progress(self, done: int, total: int) -> None:
        title = tr("Comparing the projects") if self._is_rehearsal else tr("Merging")
        detail = tr("{done} of {total} studies", done=whole(done), total=whole(total)) if total else tr("Verifying")
        buttons = () if self._stop.is_set() else ((tr("Cancel"), self._cancel),)
        line = JobLine(title=title, detail=detail, done=done, total=total, buttons=buttons)
        self.window.jobs.show_job(MERGE_JOB, line)

    def _cancel(self) -> None:
        self._stop.set()  # what is in is kept, and the report says so
        self._on_progress(0, 0)

    def _on_finished(self, report: MergeReport) -> None:
        self.window.jobs.remove(MERGE_JOB)
        if not self.project.is_open or (report.is_rehearsal and report.is_cancelled):
            return
        if not report.is_rehearsal:
            self.report = report
            self.project.cases_changed.emit()
            if self.window.cases.content is None and self.window.case_list.total:
                self.window.cases.show_first()
            self._show_end(report)
            self.window.enable()
        if report.is_rehearsal or report.disagreements or report.conflicts or report.kept_apart or report.left_out:
            self._show(report)

    def _on_failed(self, error: UserError) -> None:
        self.window.jobs.remove(MERGE_JOB)
        self.window.banners.show_error(error)

    def _show(self, report: MergeReport) -> None:
        from app.ui.merge_dialog import MergeDialog

        if self.dialog is None:
            self.dialog = MergeDialog(self.window)
            self.dialog.accepted_merge.connect(self.carry_out)
            self.dialog.case_chosen.connect(self._go_to)
            self.dialog.adjudication_wanted.connect(self._adjudicate)
        self.dialog.show_report(report, self.project.annotations.label_set, name=self._path.name)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _show_again(self) -> None:
        if self.report is not None:
            self._show(self.report)

    def _show_end(self, report: MergeReport) -> None:
        from app.ui.merge_words import summary_of

        lines = [tr("It was stopped; what is in is kept. Merge the same project again to go on.")]
        tone = "caution" if report.is_cancelled or report.left_out or report.conflicts else "info"
        action = (tr("Show report"), self._show_again)
        banner = Banner(
            summary_of(report),
            tuple(lines) if report.is_cancelled else (),
            tone=tone,
            action=action,
            is_closable=True,
        )
        self.window.banners.show_banner("merge", banner)

    def _go_to(self, case_id: str) -> None:
        if self.project.is_open and self.project.look().cases.get(case_id) is not None:
            self.window.cases.go_to(case_id)

    def _adjudicate(self) -> None:
        if self.dialog is not None:
            self.dialog.close()
        self.window.adjudicating.open_queue()

    def describe(self, path: Path) -> str:
        """What a drop of an export would do, in words."""
        name = private(path.name)
        if self.project.is_open:
            return tr("Merge the Coxa export “{name}”", name=name)
        return tr("Open the Coxa export “{name}” as a project", name=name)


def _merge(
    store: ProjectStore, path: Path, author: str, ticket: Ticket, stop: threading.Event, *, is_rehearsal: bool
) -> MergeReport:
    """Runs in a thread: through a connection of its own, in turns with the window."""
    from app.store.merge.merger import merge_source
    from app.store.merge.opening import open_source

    def note(progress: MergeProgress) -> None:
        ticket.done, ticket.total = progress.done, progress.total

    with open_source(path) as source, closing(store.beside()) as own:
        return merge_source(
            own,
            source,
            author=author,
            is_rehearsal=is_rehearsal,
            on_progress=note,
            is_cancelled=lambda: stop.is_set() or ticket.is_stopped,
        )

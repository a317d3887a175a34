"""Looking after a project: properties, backups, checks. All of it in the background."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox

from app.core.errors import UserError
from app.ui.jobs_strip import JobLine
from app.ui.language import tr, trn, whole
from app.ui.notices import Banner
from app.ui.wiring.wiring import Wiring

if TYPE_CHECKING:
    from app.store.backup import Backup
    from app.store.health import HealthReport
    from app.store.project_facts import ProjectFacts
    from app.store.repair import Repair
    from app.ui.background import BackgroundCall, Ticket
    from app.ui.care_dialogs import CheckDialog, PropertiesDialog

BACK_UP_JOB, CHECK_JOB, FACTS_JOB, REPAIR_JOB = "back-up", "check", "facts", "repair"
BANNER = "care"
REPAIRER = "coxa gui"  # recorded as author of a repair


class CareWiring(Wiring):
    """Properties, Back up now, Check project, and the repair of one that cannot be opened.

    Attributes:
        properties: the properties on show.
        result: the result of a check on show.
    """

    late_turn = 11
    late_imports = ("app.store.audit", "app.store.backup")
    properties: PropertiesDialog | None = None
    result: CheckDialog | None = None
    _facts: BackgroundCall
    _backup: BackgroundCall
    _check: BackgroundCall
    _repair: BackgroundCall
    _repaired: Path | None = None
    _tell: Callable[[], Banner] | None = None  # makes the banner about what came last
    _is_quiet = False  # the backup under way is the day's, which nobody asked for

    def effects(self) -> dict[str, Callable[[bool], object]]:
        """What the File menu does for the health of a project."""
        return {
            "project_properties": lambda _: self.show_properties(),
            "back_up": lambda _: self.back_up(),
            "check_project": lambda _: self.check(),
        }

    def connect_rest(self) -> None:
        """Each has a thread of its own, while it runs."""
        from app.ui.background import BackgroundCall

        window = self.window
        self._facts, self._backup, self._check, self._repair = (BackgroundCall(window) for _ in range(4))
        self._facts.finished.connect(self._on_facts)
        self._backup.finished.connect(self._on_backup)
        self._check.finished.connect(self._on_checked)
        self._check.progressed.connect(self._on_check_step)
        self._repair.finished.connect(self._on_repaired)
        for call, job in ((self._facts, FACTS_JOB), (self._backup, BACK_UP_JOB), (self._check, CHECK_JOB),
                          (self._repair, REPAIR_JOB)):  # fmt: skip
            call.failed.connect(self._failing(job))
        self.project.closed.connect(self.stop)
        self.project.opened.connect(self._back_up_if_due)

    def catch_up(self) -> None:
        """The day's backup of the project that is open."""
        self._back_up_if_due()

    def close(self) -> None:
        """Stop what is under way; a repair is finished."""
        if self.is_connected:
            self.stop()
            self._repair.stop()

    def stop(self) -> None:
        """Stop what is under way; a backup that is not finished gets no name."""
        for call in (self._facts, self._backup, self._check):
            call.stop()
        for job in (FACTS_JOB, BACK_UP_JOB, CHECK_JOB):
            self.window.jobs.remove(job)
        for dialog in (self.properties, self.result):
            if dialog is not None:
                dialog.close()

    def retranslate(self) -> None:
        """Another language: say anew what came of it. (The dialogs look after themselves.)"""
        if self._tell is not None and BANNER in self.window.banners.texts:
            self._say(self._tell)

    def _say(self, tell: Callable[[], Banner]) -> None:
        self._tell = tell
        self.window.banners.show_banner(BANNER, tell())

    def show_properties(self) -> None:
        """Count everything, then show it."""
        path = self.project.path
        if self._facts.start(lambda ticket: _look_at(path, ticket), name="facts"):
            self.window.jobs.show_job(FACTS_JOB, JobLine(title=tr("Looking at the project")))

    def back_up(self) -> None:
        """Make a verified backup, beside whatever else is going on."""
        path = self.project.path
        self._is_quiet = False
        self._backup.start(lambda _: _make_backup(path), name="back-up")
        self.window.jobs.show_job(BACK_UP_JOB, JobLine(title=tr("Backing up"), detail=tr("Copying and verifying")))

    def _back_up_if_due(self) -> None:
        """The day's backup of a project that has one already, without a word when all went well."""
        from app.store.backup import is_backup_due, list_backups

        if not self.project.is_writable:
            return
        store, now = self.project.look(), datetime.now(UTC)
        if list_backups(store.folder) and is_backup_due(store.folder, store.database, now=now):
            path = store.folder.path
            self._is_quiet = self._backup.start(lambda _: _make_backup(path), name="back-up")

    def check(self, path: Path | None = None) -> None:
        """Look whether everything is as it was written: in a folder, or in the project that is open."""
        path = path or self.project.path
        if self._check.start(lambda ticket: _check(path, ticket), name="check"):
            self._show_check(tr("Database"), 0, 0)

    def repair(self, path: Path) -> None:
        """Rebuild the database of a project that cannot be opened, after a question."""
        box = QMessageBox(self.window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(tr("Repair the project"))
        box.setText(tr("Rebuild the database from the newest backup and all later work that is still intact?"))
        box.setInformativeText(tr("The damaged database is kept in the folder of backups. Images are not touched."))
        go_on = box.addButton(tr("Repair"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)

        def decided() -> None:
            is_wanted = box.clickedButton() is go_on
            box.deleteLater()
            if is_wanted and self._repair.start(lambda _: _repair(path), name="repair"):
                self._repaired = path
                self.window.banners.remove("error")
                self.window.jobs.show_job(REPAIR_JOB, JobLine(title=tr("Repairing the project")))

        box.finished.connect(decided)
        box.open()

    def _on_repaired(self, repair: Repair) -> None:
        self.window.jobs.remove(REPAIR_JOB)
        path, self._repaired = self._repaired, None

        def tell() -> Banner:
            kept = trn("1 recorded change was kept.", "{count} recorded changes were kept.", repair.kept)
            lost = (trn("1 is lost.", "{count} are lost.", repair.lost),) if repair.lost else ()
            tone = "caution" if lost else "info"
            return Banner(tr("The project was repaired."), (kept, *lost), tone=tone, is_closable=True)

        if path is not None:
            self.window.projects.open_project(path)
        self._say(tell)

    def _show_check(self, detail: str, done: int, total: int) -> None:
        buttons = ((tr("Cancel"), self._cancel_check),)
        line = JobLine(title=tr("Checking the project"), detail=detail, done=done, total=total, buttons=buttons)
        self.window.jobs.show_job(CHECK_JOB, line)

    def _cancel_check(self) -> None:
        self._check.cancel()
        self.window.jobs.remove(CHECK_JOB)

    def _on_check_step(self, done: int, total: int) -> None:
        if CHECK_JOB in self.window.jobs.texts:
            detail = tr("Images: {done} of {total}", done=whole(done), total=whole(total))
            self._show_check(detail, done, total)

    def _on_facts(self, facts: ProjectFacts) -> None:
        from app.ui.care_dialogs import PropertiesDialog

        self.window.jobs.remove(FACTS_JOB)
        reason = self.project.read_only_reason
        dialog = self.properties = PropertiesDialog(facts, read_only_reason=reason, parent=self.window)
        dialog.back_up_chosen.connect(self.back_up)
        dialog.check_chosen.connect(self.check)
        dialog.finished.connect(self._on_properties_closed)
        dialog.show()

    def _on_properties_closed(self) -> None:
        dialog, self.properties = self.properties, None
        if dialog is not None:
            dialog.deleteLater()

    def _on_backup(self, backup: Backup) -> None:
        from app.ui.care_dialogs import size_words

        self.window.jobs.remove(BACK_UP_JOB)
        if self._is_quiet:
            return

        def tell() -> Banner:
            words = f"{backup.path.name}, {size_words(backup.size_bytes)}"
            return Banner(tr("Backup made and verified."), (words,), is_closable=True)

        self._say(tell)
        if self.properties is not None:
            self.properties.close()
            self.show_properties()

    def _on_checked(self, report: HealthReport) -> None:
        from app.store.health import State
        from app.ui.care_dialogs import CheckDialog

        self.window.jobs.remove(CHECK_JOB)
        self.result = CheckDialog(report, self.window)
        notices = sum(item.state is State.NOTICE for item in report.items)

        def tell() -> Banner:
            title = tr("Something is damaged.") if report.is_damaged else tr("The project is intact.")
            known = trn("1 thing to know.", "{count} things to know.", notices)
            lines = (known,) if notices and not report.is_damaged else ()
            tone = "danger" if report.is_damaged else "info"
            return Banner(title, lines, tone=tone, action=(tr("Show result"), self._show_result), is_closable=True)

        self._say(tell)
        if report.is_damaged or self.properties is not None:
            self._show_result()

    def _show_result(self) -> None:
        if self.result is not None:
            self.result.show()
            self.result.raise_()
            self.result.activateWindow()

    def _failing(self, job: str) -> Callable[[UserError], None]:
        def fail(error: UserError) -> None:
            self.window.jobs.remove(job)
            self.window.banners.show_error(error)

        return fail


def _look_at(path: Path, ticket: Ticket) -> ProjectFacts:
    from app.store.project_facts import project_facts

    return project_facts(path, going_on=lambda: ticket.note(0, 0))


def _make_backup(path: Path) -> Backup:
    from app.store.backup import make_backup
    from app.store.database import Database
    from app.store.folder import ProjectFolder

    folder = ProjectFolder(path)
    with contextlib.closing(Database.open_reader(folder.database)) as database:
        return make_backup(folder, database, now=datetime.now(UTC))


def _repair(path: Path) -> Repair:
    from app.core.event import PROJECT
    from app.store.folder import ProjectFolder
    from app.store.lock import ProjectLock
    from app.store.project import ProjectStore
    from app.store.repair import repair_database

    folder = ProjectFolder(path)
    with ProjectLock(folder):
        repair = repair_database(folder, now=datetime.now(UTC))
    with ProjectStore.open(path) as project:
        outcome = {"kept": repair.kept, "lost": repair.lost, "backup": repair.backup}
        project.events.append(target=PROJECT, field="repaired", after=outcome, author=REPAIRER)
    return repair


def _check(path: Path, ticket: Ticket) -> HealthReport:
    from app.store.health import check_project

    def told(items: Iterable[str], total: int) -> Iterator[str]:
        for number, item in enumerate(items):
            ticket.note(number, total)
            yield item

    return check_project(path, progress=told)

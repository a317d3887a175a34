"""What is stored: the open project as the window sees it, and the only writer in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.annotation import checked_reader
from app.core.case import Case, ReviewStatus, Side, View
from app.core.errors import UserError
from app.core.grey import StoredImage
from app.core.record import record
from app.core.shutter import SHUTTER_SHAPE, Shutter, stated_shutter
from app.store.annotations import Annotations
from app.store.project import ProjectStore

ResultT = TypeVar("ResultT")

STATUS_WORDS = {
    ReviewStatus.NEW: "New",
    ReviewStatus.ANNOTATED: "Annotated",
    ReviewStatus.REVIEWED: "Reviewed",
    ReviewStatus.EXCLUDED: "Excluded",
    ReviewStatus.SECOND_LOOK: "Second look",
}
SIDE_WORDS = {Side.LEFT: "Left hip", Side.RIGHT: "Right hip", Side.BOTH: "Both hips", None: "Side open"}


@record(frozen=True, slots=True, kw_only=True)
class Hanging:
    """What hangs in one place.

    Args:
        view: the view; None = nothing.
        is_placed: whether the view belongs here; False for one that waits for a person's decision.
        shutter: the display shutter that its object states.
    """

    view: View | None = None
    is_placed: bool = True
    shutter: Shutter | None = None


@record(frozen=True, slots=True, kw_only=True)
class CaseContent:
    """A case with the views to show.

    Args:
        case: the case.
        frontal: what hangs on the left.
        lateral: what hangs on the right.
        waiting: number of views without a place that are not on show.
        other_case: the patient's other hip in the same study, if there is one that may be read.
        other: its frontal view.
    """

    case: Case
    frontal: Hanging
    lateral: Hanging
    waiting: int = 0
    other_case: Case | None = None
    other: Hanging = Hanging()  # frozen


class Project(QObject):
    """The open project, or none.

    Args:
        author: recorded with every decision.

    Signals:
        opened: a project was opened.
        closing: the project is about to be closed: what is being entered is stored now.
        closed: the project was closed.
        cases_changed: the list of cases, or a case in it, is not what it was.
        annotated: id of the case about which something else is said now; it is saved when this is emitted.
        author_changed: decisions and annotations are recorded under another name now.
        author_wanted: somebody wants to annotate and has not said yet who it is; `confirm_author` goes on.
        author_refused: nobody said it; what waits for it is not recorded yet.
        waiting_changed: more waits for it, or nothing any more: it was recorded, or is not to be.
        failed: a UserError that the user should see.
    """

    opened = Signal()
    closing = Signal()
    closed = Signal()
    cases_changed = Signal()
    annotated = Signal(str)
    author_changed = Signal()
    author_wanted = Signal()
    author_refused = Signal()
    waiting_changed = Signal()
    failed = Signal(object)

    def __init__(self, author: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._author = _recordable(author)
        self._store: ProjectStore | None = None
        self._annotations: Annotations | None = None
        self._is_author_confirmed = False
        self._waiting: list[Callable[[], object]] = []
        self._ahead: tuple[Path, bool, ProjectStore, str] | None = None
        self.read_only_reason = ""
        """Why nothing can be changed; empty while the project can be written."""

    def set_author(self, author: str) -> None:
        """From now on decisions are recorded under another name; one that cannot be recorded counts as none."""
        author = _recordable(author)
        if author != self._author:
            self._author = author
            self.author_changed.emit()

    @property
    def author(self) -> str:
        """The name under which decisions and annotations are recorded; may be empty."""
        return self._author

    @property
    def is_open(self) -> bool:
        """Whether there is a project."""
        return self._store is not None

    @property
    def is_writable(self) -> bool:
        """Whether decisions can be recorded."""
        return self._store is not None and not self._store.is_read_only

    @property
    def was_unclean(self) -> bool:
        """Whether the writer before this one ended without closing the project."""
        return self._store is not None and self._store.was_unclean

    @property
    def path(self) -> Path:
        """The project's folder; call it only while a project is open."""
        return self._open_store().folder.path

    @property
    def name(self) -> str:
        """The project's name; empty while none is open."""
        return self._store.name if self._store is not None else ""

    def open(self, path: Path, *, is_read_only: bool = False) -> bool:
        """Open a project in the place of the present one, which stays open if that fails.

        A project that somebody else is writing is opened read-only.
        """
        if self._store is not None and self._store.folder.path == Path(path).absolute() and self.is_writable:
            return True  # it is this one: opening it twice would find it locked by ourselves
        try:
            store, reason = self._taken_ahead(path, is_read_only) or _opened(path, is_read_only)
        except UserError as error:
            self.failed.emit(error)
            return False
        self.close()
        self._store = store
        self._annotations = Annotations(store)
        self.read_only_reason = reason
        self.opened.emit()
        return True

    def open_ahead(self, path: Path, *, is_read_only: bool = False) -> ProjectStore | None:
        """Open what `open` will be asked for in a moment; nobody is told until then.

        Returns:
            What is open now, for looking at it; None when that failed: `open` will say why.
        """
        try:
            store, reason = _opened(path, is_read_only)
        except UserError:
            return None
        self._ahead = (Path(path).absolute(), is_read_only, store, reason)
        return store

    def _taken_ahead(self, path: Path, is_read_only: bool) -> tuple[ProjectStore, str] | None:
        """What was opened ahead, if it is this; anything else is closed."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        if ahead[:2] == (Path(path).absolute(), is_read_only):
            return ahead[2:]
        ahead[2].close()
        return None

    def close(self) -> None:
        """Close the project, if one is open."""
        if self._ahead is not None:
            self._ahead[2].close()
            self._ahead = None
        if self._store is not None:
            self.closing.emit()
            store, self._store = self._store, None
            self._annotations = None
            self._waiting.clear()
            self.closed.emit()
            store.close()

    @property
    def load_image(self) -> Callable[[str], StoredImage]:
        """Gives the stored values of an image by its address; for decoding threads, valid until `closed`."""
        return self._open_store().images.load

    def content(self, case_id: str, *, turn: int = 0) -> CaseContent | None:
        """A case with its views; None when it is gone.

        Args:
            case_id: the case.
            turn: how far the user has leafed through the views without a place.
        """
        return content_of(self._open_store(), case_id, turn=turn)

    def look(self) -> ProjectStore:
        """The store, for looking something up; what changes it goes through `record`."""
        return self._open_store()

    def record(self, change: Callable[[ProjectStore, str], ResultT]) -> ResultT | None:
        """Change what is stored.

        Args:
            change: makes the change; gets the store and the author.

        Returns:
            What `change` returns; None when it was refused, which has been reported then.
        """
        store = self._open_store()
        if store.is_read_only:
            self.failed.emit(
                UserError("The decision was not recorded.", reason=self.read_only_reason, kind="read-only")
            )
            return None
        try:
            result = change(store, self._author)
        except UserError as error:
            self.failed.emit(error)
            return None
        self.cases_changed.emit()
        return result

    def confirm_author(self, author: str) -> None:
        """Somebody has said who annotates in this session; what waited for it is done now, in the order it was said."""
        self._is_author_confirmed = True
        self.set_author(author)
        if not self._waiting:
            return
        while self._waiting:
            self._waiting.pop(0)()
        self.waiting_changed.emit()

    @property
    def waiting_count(self) -> int:
        """How many changes wait to be recorded until somebody has said who annotates."""
        return len(self._waiting)

    @property
    def is_waiting(self) -> bool:
        """Whether something waits to be recorded until somebody has said who annotates."""
        return bool(self._waiting)

    def drop_waiting(self) -> None:
        """What waits for a name is not to be recorded."""
        self._waiting.clear()
        self.waiting_changed.emit()

    @property
    def annotations(self) -> Annotations:
        """What people say about the cases, for looking it up; what changes it goes through `annotate`."""
        assert self._annotations is not None, "no project is open"
        return self._annotations

    def annotate(self, case_id: str, change: Callable[[Annotations, str], ResultT]) -> ResultT | None:
        """Change what is said about a case, in one durable commit.

        Args:
            case_id: the case.
            change: makes the change; gets the annotations and the author.

        Returns:
            What `change` returns; None when it was refused, which has been reported then, or when it waits until
            somebody has said who annotates.
        """
        store = self._open_store()
        if not store.is_read_only and not self._is_author_confirmed:
            self._waiting.append(lambda: self.annotate(case_id, change))
            self.waiting_changed.emit()
            self.author_wanted.emit()
            return None
        if store.is_read_only:
            self.failed.emit(UserError("This was not recorded.", reason=self.read_only_reason, kind="read-only"))
            return None
        before = store.events.head()
        try:
            result = change(self.annotations, self._author)
        except UserError as error:
            self.failed.emit(error)
            return None
        if store.events.head() != before:
            self.annotated.emit(case_id)
        return result

    def _open_store(self) -> ProjectStore:
        if self._store is None:
            raise RuntimeError("no project is open")
        return self._store


def content_of(store: ProjectStore, case_id: str, *, turn: int = 0) -> CaseContent | None:
    """A case with its views, as `Project.content`."""
    case = store.cases.get(case_id)
    if case is None:
        return None
    waiting = [view for view in map(store.views.get, case.unassigned_ids) if view is not None]
    waiting = waiting[turn % len(waiting) :] + waiting[: turn % len(waiting)] if waiting else []
    hung: list[Hanging] = []
    for view_id in (case.frontal_id, case.lateral_id):
        view = store.views.get(view_id) if view_id is not None else None
        if view is None and waiting and not case.blocked_reason:
            hung.append(_hang(store, waiting.pop(0), is_placed=False))
        else:
            hung.append(_hang(store, view))
    if waiting and turn and not case.blocked_reason and all(item.is_placed for item in hung):
        hung[1] = _hang(store, waiting.pop(0), is_placed=False)  # both places are taken: leaf on the right
    other_case = _other_hip(store, case)
    other_id = other_case.frontal_id if other_case is not None else None
    other = _hang(store, store.views.get(other_id) if other_id is not None else None)
    return CaseContent(
        case=case, frontal=hung[0], lateral=hung[1], waiting=len(waiting), other_case=other_case, other=other
    )


def _recordable(author: str) -> str:
    """A name as it is recorded; empty if it cannot be: settings may hold anything, and who it is will be asked."""
    try:
        return checked_reader(author)
    except UserError:
        return ""


def _opened(path: Path, is_read_only: bool) -> tuple[ProjectStore, str]:
    """A project, and why nothing can be changed in it, if that is so."""
    try:
        # the day's backup is made in the background, once the window shows the project
        store = ProjectStore.open(path, is_read_only=is_read_only, is_backing_up=False)
    except UserError as error:
        if error.kind != "locked":
            raise
        store = ProjectStore.open(path, is_read_only=True)
        return store, f"{error.reason} Close it there, then try again here to make changes."
    return store, "It was opened for looking only." if is_read_only else ""


def _hang(store: ProjectStore, view: View | None, *, is_placed: bool = True) -> Hanging:
    if view is None:
        return Hanging(is_placed=is_placed)
    shutter = None
    if store.views.has_element(view.id, SHUTTER_SHAPE):
        header = store.views.header(view.id)
        shutter = stated_shutter(header, rows=view.rows, cols=view.cols, aspect=view.spacing.aspect)
    return Hanging(view=view, is_placed=is_placed, shutter=shutter)


def _other_hip(store: ProjectStore, case: Case) -> Case | None:
    """The case of the same patient's other hip in the same study, if it has a frontal view and may be read."""
    if case.side is None or case.blocked_reason:
        return None
    for other in store.cases.of_study(case.study_id):
        is_opposite = other.side is not None and other.side is not case.side and other.patient_id == case.patient_id
        if is_opposite and other.frontal_id is not None and not other.blocked_reason:
            return other
    return None

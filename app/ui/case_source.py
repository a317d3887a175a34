"""The worklist of the project as the list asks it: what the disk or damage refuses becomes a message, never a fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from app.core.errors import UserError
from app.core.worklist import Field, Query, WorklistRow

if TYPE_CHECKING:
    from app.store.worklist.worklist import Facet, Worklist

T = TypeVar("T")


class CaseSource(QObject):
    """Questions about the cases of a project, or of none. An answer that cannot be had is an empty one.

    Signals:
        failed: the `UserError` why there was no answer; each reason once until something is answered again.
    """

    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worklist: Worklist | None = None
        self._shown: Mapping[str, str] = {}
        self._reported = ""

    def use(self, worklist: Worklist | None) -> None:
        """Ask another project, or none."""
        self._worklist = worklist
        self._reported = ""
        self.use_words(self._shown)

    def use_words(self, shown: Mapping[str, str]) -> None:
        """Search also by words as they are shown -> words as they are kept."""
        self._shown = shown
        if self._worklist is not None:
            self._worklist.use_words(shown)

    @property
    def is_there(self) -> bool:
        """Whether there is a project."""
        return self._worklist is not None

    @property
    def is_failing(self) -> bool:
        """Whether the last question had no answer."""
        return bool(self._reported)

    @property
    def generation(self) -> int:
        """Differs when numbers mean other cases."""
        return 0 if self._worklist is None else self._worklist.generation

    def numbers(self, query: Query) -> Sequence[int]:
        """The cases of a query in its order."""
        nothing: Any = ()
        found: Any = self._ask(lambda worklist: worklist.numbers(query), nothing)  # an array of int32
        return found  # type: ignore[no-any-return]

    def count(self) -> int:
        """Number of all cases."""
        return self._ask(lambda worklist: worklist.count(), 0)

    def count_of(self, query: Query) -> int:
        """Number of cases of a query."""
        return self._ask(lambda worklist: worklist.count_of(query), 0)

    def rows(self, numbers: Sequence[int]) -> dict[int, WorklistRow]:
        """What is said about some cases, by number."""
        return self._ask(lambda worklist: worklist.rows(numbers), {})

    def case_ids(self, numbers: Sequence[int]) -> list[str]:
        """The identifiers of some cases."""
        return self._ask(lambda worklist: worklist.case_ids(numbers), [])

    def number_of(self, case_id: str) -> int | None:
        """The number of a case."""
        return self._ask(lambda worklist: worklist.number_of(case_id), None)

    def fields(self) -> list[Field]:
        """Every field of the project."""
        return self._ask(lambda worklist: worklist.fields(), [])

    def facets(self, query: Query) -> list[Facet]:
        """What can be chosen to narrow a query down."""
        return self._ask(lambda worklist: worklist.facets(query), [])

    def _ask(self, question: Callable[[Worklist], T], otherwise: T) -> T:
        if self._worklist is None:
            return otherwise
        try:
            answer = question(self._worklist)
        except UserError as error:
            if self._reported != str(error):
                self._reported = str(error)
                self.failed.emit(error)
            return otherwise
        self._reported = ""
        return answer

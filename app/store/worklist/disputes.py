"""Whether readers of a case disagree, for the worklist: most cases are told quickly."""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.core.adjudication import ADJUDICATED, Adjudication, answers_of, case_state, disputes
from app.core.annotation import LABEL, label_value
from app.core.errors import UserError
from app.core.event import PROJECT, Json
from app.core.label_set import LabelSet, LabelValue, parse_label_set
from app.store.database import Database

LABEL_SET = "label-set"


class Disputes:
    """Tells the state of a case from what its readers say.

    Args:
        database: the project's; its label set is read when a case needs it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._label_set: LabelSet | None = None

    def state(self, said: Sequence[tuple[str, str, Json]]) -> str:
        """`waiting`, `settled`, or empty where nobody disagrees.

        Args:
            said: (reader, field, value) of one case.
        """
        first: dict[str, tuple[str, Json]] = {}
        is_open = False
        for reader, field, value in said:
            known = first.setdefault(field, (reader, value))
            if known[1] != value and field.startswith(LABEL):
                is_open = True
                break
        if not is_open:
            return ""
        readings: dict[str, dict[str, LabelValue]] = {}
        given: dict[str, dict[str, Json]] = {}
        for reader, field, value in said:
            if field.startswith(LABEL):
                readings.setdefault(reader, {})[field.removeprefix(LABEL)] = label_value(value)
            elif field.startswith(ADJUDICATED):
                given.setdefault(reader, {})[field] = value
        answers: dict[str, dict[str, Adjudication]] = {who: answers_of(values) for who, values in given.items()}
        return case_state(disputes(self._asked(), readings, answers))

    def _asked(self) -> LabelSet:
        if self._label_set is None:
            found = self._database.value(
                "SELECT value FROM current WHERE target = ? AND field = ?", (PROJECT, LABEL_SET)
            )
            try:
                self._label_set = parse_label_set(json.loads(found)) if found is not None else None
            except UserError:
                self._label_set = None  # of a newer version: the list must open all the same
            if self._label_set is None:
                from app.store.label_sets import default_label_set

                self._label_set = default_label_set()
        return self._label_set

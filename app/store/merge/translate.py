"""Events of another project in the identifiers of this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.core.annotation import (
    ALIGNMENT,
    CASE,
    CROP_VERDICT,
    LANDMARK,
    MEASUREMENT,
    REGION,
    VIEW,
    reader_target,
    split_target,
)
from app.core.event import target_of
from app.core.merging import Incoming
from app.core.project_matching import Matching

OF_A_VIEW = (ALIGNMENT, CROP_VERDICT, REGION, LANDMARK, MEASUREMENT)  # fields that end with a view's identifier


@dataclass(slots=True)
class Translation:
    """Identifiers of another project -> identifiers here.

    Args:
        matching: views, studies and patients.
        cases: cases, as far as they are known by now.
    """

    matching: Matching
    cases: dict[str, str] = field(default_factory=dict)

    def target(self, target: str, *, reader: str | None = None) -> str:
        """A target here.

        Args:
            target: of an event there.
            reader: another name for its reader.
        """
        kind, identifier, said_by = split_target(target)
        named = self._identifier(kind, identifier)
        said_by = said_by if reader is None else reader
        return reader_target(named, said_by) if kind == CASE and said_by else target_of(kind, named)

    def field(self, name: str) -> str:
        """A field here: some name the view that they are about."""
        if name.startswith(OF_A_VIEW):
            start, dot, view = name.rpartition(".")
            return f"{start}{dot}{self.matching.views.get(view, view)}"
        return name

    def incoming(self, each: Incoming) -> Incoming:
        """An event with its field in identifiers of this project; its target stays that of the other one."""
        name = self.field(each.event.field)
        return each if name == each.event.field else replace(each, event=replace(each.event, field=name))

    def _identifier(self, kind: str, identifier: str) -> str:
        names: Mapping[str, Mapping[str, str]] = {
            CASE: self.cases, VIEW: self.matching.views, "study": self.matching.studies,
        }  # fmt: skip
        return names.get(kind, {}).get(identifier, identifier)

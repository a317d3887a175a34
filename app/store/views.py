"""Views of a project: what was found in the files, with a person's decisions laid over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from app.core.annotation import CALIBRATION, PIXEL_REVIEW, calibration_of, pixel_review_of
from app.core.case import Assessment, Certainty, Projection, Side, View, ViewFlag
from app.core.event import Json, canonical_json, target_of
from app.core.grey import GreyScale
from app.core.measurement import calibrated_spacing
from app.core.spacing import Spacing
from app.store.database import Database, Row
from app.store.events import EventLog

PROJECTION = "projection"
SIDE = "side"
EXCLUDED = "excluded"
DecisionT = TypeVar("DecisionT", Projection, Side)


class ViewReader:
    """Reads views from rows as they are stored, without anything that people decided."""

    def __init__(self) -> None:
        self._projection = msgspec.json.Decoder(Assessment[Projection])
        self._side = msgspec.json.Decoder(Assessment[Side])
        self._spacing = msgspec.json.Decoder(Spacing)
        self._grey = msgspec.json.Decoder(GreyScale)

    def view(self, row: Row) -> View:
        """The view in a row."""
        letters = row["orientation"].split("\\")
        return View(
            id=row["id"],
            study_id=row["study_id"],
            image_sha256=row["image_sha256"],
            rows=row["rows"],
            cols=row["cols"],
            projection=self._projection.decode(row["projection"]),
            side=self._side.decode(row["side"]),
            spacing=self._spacing.decode(row["spacing"]),
            grey=self._grey.decode(row["grey"]),
            acquired_at=row["acquired_at"],
            orientation=(letters[0], letters[1]) if len(letters) == 2 else (),
            flags=frozenset(ViewFlag(flag) for flag in json.loads(row["flags"])),
            notices=tuple(json.loads(row["notices"])),
        )


class Views:
    """Views: the facts are added once; what a person decides is an event."""

    def __init__(self, database: Database, events: EventLog) -> None:
        self._database = database
        self._events = events
        self._reader = ViewReader()

    def add(self, view: View, *, header: Mapping[str, Any], offset: int, author: str = "") -> None:
        """Add a view; the same view again is fine.

        Args:
            view: the facts. A CONFIRMED assessment or an exclusion is a decision: see `confirm`, `exclude`.
            header: its de-identified header, DICOM JSON model (PS3.18 F).
            offset: stored value = pixel + offset.
            author: who brings it in.

        Raises:
            ValueError: another view with this id is there, or the view holds a decision.
        """
        if Certainty.CONFIRMED in (view.projection.certainty, view.side.certainty) or view.excluded_reason:
            raise ValueError("decisions of a person are recorded with confirm() and exclude()")
        columns = _columns(view, header, offset)
        with self._database.transaction():
            found = self._database.record("view", id=view.id)
            if found is not None:
                if all(found[name] == value for name, value in columns.items()):
                    return
                raise ValueError(f"view {view.id} is already there with other content")
            digest = self._database.insert("view", columns)
            self._events.record_row("view", view.id, digest, author=author)

    def get(self, view_id: str) -> View | None:
        """One view as it stands now, or None."""
        row = self._database.record("view", id=view_id)
        return None if row is None else self._view(row)

    def of_study(self, study_id: str) -> list[View]:
        """The views of one study as they stand now, in order of acquisition."""
        rows = self._database.records("view", "WHERE study_id = ? ORDER BY acquired_at, id", (study_id,))
        return [self._view(row) for row in rows]

    def all(self) -> list[View]:
        """Every view as it stands now, by study and acquisition."""
        rows = self._database.records("view", "ORDER BY study_id, acquired_at, id")
        return [self._view(row) for row in rows]

    def of_image(self, image_sha256: str) -> list[View]:
        """Views that show this image."""
        rows = self._database.records("view", "WHERE image_sha256 = ? ORDER BY id", (image_sha256,))
        return [self._view(row) for row in rows]

    def as_found(self) -> list[View]:
        """Every view as its file gave it, by id: without anything that people decided."""
        return [self._reader.view(row) for row in self._database.records("view", "ORDER BY id")]

    def header(self, view_id: str) -> dict[str, Any]:
        """The de-identified header of a view, DICOM JSON model.

        Raises:
            ValueError: no such view.
        """
        row = self._database.record("view", id=view_id)
        if row is None:
            raise ValueError(f"no view {view_id}")
        header: dict[str, Any] = json.loads(row["header"])
        return header

    def has_element(self, view_id: str, tag: str) -> bool:
        """Whether the header of a view holds an element, without reading all of it.

        Args:
            view_id: the view.
            tag: eight hexadecimal digits, in capitals.
        """
        place = self._database.value('SELECT instr(header, ?) FROM "view" WHERE id = ?', (f'"{tag}"', view_id))
        return bool(place)

    def offset(self, view_id: str) -> int:
        """Stored value = pixel + offset, for one view.

        Raises:
            ValueError: no such view.
        """
        value = self._database.value('SELECT pixel_offset FROM "view" WHERE id = ?', (view_id,))
        if value is None:
            raise ValueError(f"no view {view_id}")
        return int(value)

    def confirm(
        self,
        view_id: str,
        *,
        projection: Projection | None = None,
        side: Side | None = None,
        author: str,
        text: str = "",
    ) -> View:
        """Record a person's decision on projection and/or side, with the evidence that was on the table.

        Args:
            view_id: the view.
            projection: what it shows; None leaves it.
            side: which side; None leaves it.
            author: who decides.
            text: the person's own words, if any.

        Returns:
            The view as it stands afterwards.

        Raises:
            ValueError: no such view, or nothing to decide.
        """
        if projection is None and side is None:
            raise ValueError("nothing to confirm")
        with self._database.transaction():
            view = self._existing(view_id)
            if projection is not None:
                self._decide(view_id, PROJECTION, view.projection, projection, author, text)
            if side is not None:
                self._decide(view_id, SIDE, view.side, side, author, text)
            return self._existing(view_id)

    def exclude(self, view_id: str, reason: str, *, author: str) -> None:
        """Take a view out of its cases, with the reason.

        Raises:
            ValueError: no such view, or no reason.
        """
        if not reason:
            raise ValueError("an exclusion needs a reason")
        self._set_excluded(view_id, reason, author)

    def include(self, view_id: str, *, author: str) -> None:
        """Take an excluded view back in."""
        self._set_excluded(view_id, None, author)

    def _set_excluded(self, view_id: str, reason: str | None, author: str) -> None:
        with self._database.transaction():
            if (self._existing(view_id).excluded_reason or None) != reason:
                self._events.append(target=target_of("view", view_id), field=EXCLUDED, after=reason, author=author)

    def _decide(
        self, view_id: str, field: str, now: Assessment[DecisionT], value: DecisionT, author: str, text: str
    ) -> None:
        decided = Assessment(value=value, certainty=Certainty.CONFIRMED, evidence=now.evidence)
        if decided == now:
            return
        self._events.append(
            target=target_of("view", view_id),
            field=field,
            before=msgspec.to_builtins(now),
            after=msgspec.to_builtins(decided),
            text=text,
            author=author,
        )

    def _existing(self, view_id: str) -> View:
        view = self.get(view_id)
        if view is None:
            raise ValueError(f"no view {view_id}")
        return view

    def _view(self, row: Row) -> View:
        return _overlaid(self._reader.view(row), self._events.current_of(target_of("view", row["id"])))


def _columns(view: View, header: Mapping[str, Any], offset: int) -> dict[str, str | int]:
    return {
        "id": view.id,
        "study_id": view.study_id,
        "image_sha256": view.image_sha256,
        "rows": view.rows,
        "cols": view.cols,
        "pixel_offset": offset,
        "projection": _json(view.projection),
        "side": _json(view.side),
        "spacing": _json(view.spacing),
        "grey": _json(view.grey),
        "acquired_at": view.acquired_at,
        "orientation": "\\".join(view.orientation),
        "flags": canonical_json(sorted(view.flags)),
        "notices": canonical_json(list(view.notices)),
        "header": canonical_json(dict(header)),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode("utf-8")


def _overlaid(view: View, decisions: dict[str, Json]) -> View:
    """The view with the decisions of people laid over what was found."""
    if not decisions:
        return view
    projection, side, excluded, spacing = view.projection, view.side, "", view.spacing
    if PROJECTION in decisions:
        projection = msgspec.convert(decisions[PROJECTION], Assessment[Projection])
    if SIDE in decisions:
        side = msgspec.convert(decisions[SIDE], Assessment[Side])
    if EXCLUDED in decisions:
        excluded = str(decisions[EXCLUDED])
    if (calibration := calibration_of(decisions.get(CALIBRATION))) is not None:
        spacing = calibrated_spacing(calibration, view.spacing)
    return replace(
        view,
        projection=projection,
        side=side,
        excluded_reason=excluded,
        spacing=spacing,
        pixel_review=pixel_review_of(decisions.get(PIXEL_REVIEW)),
    )

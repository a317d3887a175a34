"""Cases and views in words and as JSON, the same in every command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.cli.output import printable
from app.core.case import Assessment, Case, Certainty, Projection, Side, View
from app.core.spacing import Spacing


def case_document(case: Case, views: Sequence[View]) -> dict[str, Any]:
    """A case with its views as a JSON document."""
    return {
        "case": case.id,
        "patient": case.patient_id,
        "study": case.study_id,
        "side": case.side.value if case.side else None,
        "frontal": case.frontal_id,
        "lateral": case.lateral_id,
        "unassigned": list(case.unassigned_ids),
        "status": case.status.value,
        "blocked": case.blocked_reason,
        "questions": list(case.questions),
        "views": [view_document(view) for view in views],
    }


def view_document(view: View) -> dict[str, Any]:
    """A view as a JSON document."""
    return {
        "view": view.id,
        "rows": view.rows,
        "cols": view.cols,
        "image": view.image_sha256,
        "projection": assessment_document(view.projection),
        "side": assessment_document(view.side),
        "spacing": {
            "row_mm": view.spacing.row_mm,
            "col_mm": view.spacing.col_mm,
            "source": view.spacing.source.value,
            "is_trusted": view.spacing.is_trusted,
            "note": view.spacing.note,
        },
        "photometric": view.grey.photometric.value,
        "acquired": view.acquired_at,
        "orientation": list(view.orientation),
        "flags": sorted(flag.value for flag in view.flags),
        "notices": list(view.notices),
        "excluded": view.excluded_reason,
    }


def assessment_document(assessment: Assessment[Projection] | Assessment[Side]) -> dict[str, Any]:
    """A value with its certainty and evidence."""
    return {
        "value": assessment.value.value if assessment.value is not None else None,
        "certainty": assessment.certainty.value,
        "evidence": [
            {
                "source": piece.source,
                "found": piece.found,
                "says": piece.says,
                "rank": piece.rank,
                "advisory": piece.is_advisory,
            }
            for piece in assessment.evidence
        ],
    }


def case_lines(case: Case, views: Sequence[View]) -> Iterator[str]:
    """A case in a few lines of text, its views and questions indented; none of them steers a terminal."""
    return map(printable, _lines(case, views))


def _lines(case: Case, views: Sequence[View]) -> Iterator[str]:
    side = f"{case.side.value} hip" if case.side else "side open"
    yield f"{case.id}  {side}  patient {case.patient_id}  {case.status.value}"
    if case.blocked_reason:
        reason = case.blocked_reason.rstrip()
        reason += "" if reason.endswith((".", "!", "?")) else "."
        yield f"  BLOCKED: {reason} Not to be read before `coxa cases release` ({case.study_id})."
    by_id = {view.id: view for view in views}
    places = [("frontal", case.frontal_id), ("lateral", case.lateral_id)]
    places += [("not placed", identifier) for identifier in case.unassigned_ids]
    for place, identifier in places:
        view = by_id.get(identifier) if identifier is not None else None
        if identifier is None:
            yield f"  {place:<10}  none"
        elif view is not None:
            yield f"  {place:<10}  {view.id}  {view.cols} × {view.rows} px, {spacing_text(view.spacing)}"
            yield f"              projection {assessment_text(view.projection)}"
            yield f"              side {assessment_text(view.side)}"
            for notice in view.notices:
                yield f"              note: {notice}"
    for question in case.questions:
        yield f"  ? {question}"


def assessment_text(assessment: Assessment[Projection] | Assessment[Side]) -> str:
    """A value and where it comes from, in one line."""
    pieces = [
        f"{piece.source} “{piece.found}” says {piece.says}{' (hint)' if piece.is_advisory else ''}"
        for piece in assessment.evidence
    ]
    value = assessment.value.value if assessment.value is not None else assessment.certainty.value
    if assessment.certainty is Certainty.CONFIRMED:
        value += " (confirmed)"
    return f"{value}: {'; '.join(pieces)}" if pieces else f"{value}: no evidence"


def spacing_text(spacing: Spacing) -> str:
    """The length scale in words."""
    if spacing.row_mm is None:
        return f"no length scale{f' ({spacing.note})' if spacing.note else ''}"
    same = spacing.col_mm is None or abs(spacing.row_mm - spacing.col_mm) < 1e-9
    size = f"{spacing.row_mm:g}" if same else f"{spacing.row_mm:g} × {spacing.col_mm:g}"
    trust = "" if spacing.is_trusted else ", not trusted"
    return f"{size} mm/px ({spacing.source.value}{trust})"

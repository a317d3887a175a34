"""Measurement groups of a structured report (TID 1410, 1501): what a reader has labelled, measured and drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from highdicom.sr import (
    CodedConcept,
    CoordinatesForMeasurement,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    LANDMARK,
    MEASUREMENT,
    REGION,
    Annotation,
    alignment_of,
    calibration_of,
    measurement_of,
    point_of,
    region_of,
)
from app.core.case import Case, View
from app.core.clipping import clipped_outline, clipped_segment
from app.core.geometry import XY, aligned_crop, pixel_mm
from app.core.label_set import FieldType, LabelSet, LabelValue
from app.core.measurement import LandmarkKind, measure
from app.core.spacing import SpacingSource
from app.store.exchange import dicom_codes as terms
from app.store.exchange.dicom_parts import Header, Owner
from app.store.exchange.shapes import measured_lines

UNITS = {"mm": terms.MILLIMETRE, "px": terms.PIXELS, "°": terms.DEGREE}
SCALE_WORDS = {
    SpacingSource.CALIBRATED: "calibrated by the modality",
    SpacingSource.MANUAL: "measured by a person",
    SpacingSource.MAGNIFICATION: "corrected for magnification",
    SpacingSource.PIXEL_SPACING: "pixel spacing as stated",
    SpacingSource.DETECTOR: "size at the detector",
    SpacingSource.MAPPING: "stated by a mapping file",
    SpacingSource.NONE: "none",
}
Group = PlanarROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedView:
    """A view that a report is about.

    Args:
        view: as it stands now.
        header: its de-identified header.
        reference: the exported object without its pixels (`image_reference`).
    """

    view: View
    header: Header
    reference: Dataset

    @property
    def source(self) -> SourceImageForRegion:
        """The reference that coordinates need."""
        return SourceImageForRegion(
            referenced_sop_class_uid=self.reference.SOPClassUID,
            referenced_sop_instance_uid=self.reference.SOPInstanceUID,
        )


def finding_sites(case: Case) -> list[FindingSite]:
    """The hip of the case."""
    side = terms.SIDES.get(case.side) if case.side else None
    return [FindingSite(anatomic_location=coded(terms.HIP_JOINT), laterality=None if side is None else coded(side))]


def outline(corners: Sequence[XY], one: ReportedView) -> ImageRegion | None:
    """A region of an image, cut off at its edges; None when it lies outside. SCOORD has image coordinates (C.18.6)."""
    places = clipped_outline(corners, rows=one.view.rows, cols=one.view.cols)
    if len(places) < 3:
        return None
    return ImageRegion(
        graphic_type="POLYLINE", graphic_data=np.array([*places, places[0]], np.float64), source_image=one.source
    )


def label_concepts(
    label_set: LabelSet, field_id: str, value: LabelValue
) -> Iterator[tuple[CodedConcept, CodedConcept | float]]:
    """A label as coded name and value, for several choices several; a confidence as its number; a text not at all."""
    field = label_set.field(field_id)
    name = coded(terms.own(field_id, field.text if field else field_id))
    if field is not None and field.type is FieldType.TEXT:
        return
    if isinstance(value, int):
        yield name, float(value)
        return
    for choice_id in value if isinstance(value, tuple) else (value,):
        choice = field.choice(choice_id) if field else None
        if choice is None and field is None and not _is_word(choice_id):
            continue
        yield name, coded(terms.own(f"{field_id}.{choice_id}"[:64], choice.text if choice else choice_id))


class ReaderGroups:
    """Makes the measurement groups of one reader."""

    def __init__(self, case: Case, owner: Owner, reader: str) -> None:
        self._case = case
        self._owner = owner
        self._reader = reader

    def labels(
        self, labels: Mapping[str, LabelValue], label_set: LabelSet, views: Iterable[ReportedView]
    ) -> Iterator[MeasurementsAndQualitativeEvaluations]:
        """All labels as one group about every image."""
        evaluations: list[QualitativeEvaluation] = []
        numbers: list[Measurement] = []
        for field_id in sorted(labels):
            for name, value in label_concepts(label_set, field_id, labels[field_id]):
                if isinstance(value, float):
                    numbers.append(Measurement(name=name, value=value, unit=coded(terms.PERCENT)))
                else:
                    evaluations.append(QualitativeEvaluation(name=name, value=value))
        if evaluations or numbers:
            yield MeasurementsAndQualitativeEvaluations(
                tracking_identifier=self._tracking("labels"),
                finding_type=coded(terms.HIP_JOINT),
                finding_sites=finding_sites(self._case),
                measurements=numbers or None,
                qualitative_evaluations=evaluations or None,
                source_images=[
                    SourceImageForMeasurementGroup(one.reference.SOPClassUID, one.reference.SOPInstanceUID)
                    for one in views
                ],
            )

    def drawn(self, one: ReportedView, values: Mapping[str, Any]) -> Iterator[Group]:
        """What a reader drew on a view."""
        view_id = one.view.id
        if (value := values.get(f"{ALIGNMENT}{view_id}")) is not None:
            yield from self._aligned(one, value)
        if (value := values.get(f"{REGION}{view_id}")) is not None:
            box = region_of(value)
            if box is not None:
                corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
                if (region := outline(corners, one)) is not None:
                    yield self._region(f"{REGION}{view_id}", terms.HIP_REGION, region)
        for field in sorted(values):
            value = values[field]
            if field.startswith(LANDMARK) and field.endswith(f".{view_id}"):
                kind = LandmarkKind(field.removeprefix(LANDMARK).removesuffix(f".{view_id}"))
                place = ImageRegion(
                    graphic_type="POINT", graphic_data=np.array([point_of(value)]), source_image=one.source
                )
                yield self._region(field, terms.LANDMARKS[kind], place)
            elif field.startswith(MEASUREMENT) and field.endswith(f".{view_id}"):
                yield self._measured(one, field, value)

    def calibrated(self, one: ReportedView, about: Iterable[Annotation]) -> Iterator[Group]:
        """The length with which an image was calibrated."""
        for each in about:
            calibration = calibration_of(each.value)
            if calibration is not None:
                length = Measurement(
                    name=coded(terms.CALIBRATION_LENGTH),
                    value=calibration.known_mm,
                    unit=coded(terms.MILLIMETRE),
                    referenced_coordinates=_lines([(calibration.first_xy, calibration.second_xy)], one),
                )
                yield self._group(f"{CALIBRATION}.{one.view.id}", [length])

    def _aligned(self, one: ReportedView, value: Any) -> Iterator[Group]:
        """The frame of the aligned crop, with the angle of the shaft and the two clicks."""
        alignment = alignment_of(value)
        assert alignment is not None
        spacing = one.view.spacing
        cut = aligned_crop(alignment, spacing)
        angle = Measurement(
            name=coded(terms.AXIS_ANGLE),
            value=_rounded(alignment.angle_deg(spacing.aspect)),
            unit=coded(terms.DEGREE),
            referenced_coordinates=_lines([(alignment.center_xy, alignment.axis_xy)], one),
        )
        is_mm = pixel_mm(spacing) is not None
        side = Measurement(
            name=coded(terms.CROP_SIDE),
            value=_rounded(alignment.side_mm if is_mm else alignment.side_px),
            unit=coded(terms.MILLIMETRE if is_mm else terms.PIXELS),
        )
        field = f"{ALIGNMENT}{one.view.id}"
        if (frame := outline(cut.corners_xy, one)) is not None:
            yield self._region(field, terms.ALIGNED_CROP, frame, [side])
        yield self._group(f"{field}.axis", [angle])  # TID 1410 has room for one region

    def _measured(self, one: ReportedView, field: str, value: Any) -> Group:
        measurement = measurement_of(value)
        reading = measure(measurement, one.view.spacing)
        number = Measurement(
            name=coded(terms.MEASURES[measurement.kind]),
            value=_rounded(reading.value),
            unit=coded(UNITS[reading.unit]),
            referenced_coordinates=_lines(measured_lines(measurement), one),
        )
        scale = []
        if reading.source is not None:
            words = terms.own(f"scale-{reading.source.value}", SCALE_WORDS[reading.source])
            scale = [QualitativeEvaluation(name=coded(terms.SOURCE_OF_SCALE), value=coded(words))]
        return self._group(field, [number], scale)

    def _region(
        self, field: str, kind: Code, region: ImageRegion, measurements: list[Measurement] | None = None
    ) -> PlanarROIMeasurementsAndQualitativeEvaluations:
        return PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(field),
            referenced_region=region,
            finding_type=coded(kind),
            finding_sites=finding_sites(self._case),
            measurements=measurements,
        )

    def _group(
        self, field: str, measurements: list[Measurement], evaluations: list[QualitativeEvaluation] | None = None
    ) -> MeasurementsAndQualitativeEvaluations:
        return MeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(field),
            finding_sites=finding_sites(self._case),
            measurements=measurements,
            qualitative_evaluations=evaluations or None,
        )

    def _tracking(self, field: str) -> TrackingIdentifier:
        return TrackingIdentifier(
            uid=self._owner.uid("tracking", self._case.id, self._reader, field), identifier=f"{self._case.id} {field}"
        )


def _lines(lines: Iterable[tuple[XY, XY]], one: ReportedView) -> list[CoordinatesForMeasurement] | None:
    """Lines on an image, cut off at its edges."""
    clipped = (clipped_segment(first, second, rows=one.view.rows, cols=one.view.cols) for first, second in lines)
    return [
        CoordinatesForMeasurement(
            graphic_type="POLYLINE", graphic_data=np.array(line, np.float64), source_image=one.source
        )
        for line in clipped
        if line is not None
    ] or None


def coded(code: Code) -> CodedConcept:
    return CodedConcept(value=code.value, scheme_designator=code.scheme_designator, meaning=code.meaning)


def _rounded(value: float) -> float:
    """Six significant figures: more is no measurement, and DS holds 16 characters."""
    return 0.0 if not value else round(value, 5 - math.floor(math.log10(abs(value))))


def _is_word(text: str) -> bool:
    """Whether a value of an unknown field looks like a term and not like somebody's sentence."""
    return len(text) <= terms.SHORT_CODE and text.replace("-", "").replace("_", "").isalnum()

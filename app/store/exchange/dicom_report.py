"""Labels, measurements and geometry as a structured report, TID 1500 (PS3.16), one for each case and reader.

What a model said is a report of its own, whose observer is a device and whose every group names the algorithm.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    CoordinatesForMeasurement,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TrackingIdentifier,
)
from highdicom.sr.sop import Comprehensive3DSR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    LANDMARK,
    MEASUREMENT,
    REGION,
    VIEW,
    Annotation,
    alignment_of,
    calibration_of,
    labels_of,
    measurement_of,
    point_of,
    region_of,
    split_target,
)
from app.core.case import Case, View
from app.core.geometry import XY, aligned_crop, pixel_mm
from app.core.label_set import FieldType, LabelSet, LabelValue
from app.core.measurement import LandmarkKind, measure
from app.core.spacing import SpacingSource
from app.store.exchange import dicom_codes as terms
from app.store.exchange.dicom_parts import (
    MAKER,
    MARK,
    REPORT_SERIES,
    Header,
    Owner,
    file_bytes,
    say_deidentified,
    say_maker,
    say_moment,
    without,
)

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


def reader_report(
    case: Case,
    views: Iterable[ReportedView],
    annotations: Iterable[Annotation],
    label_set: LabelSet,
    owner: Owner,
    *,
    reader: str,
    number: int,
) -> Dataset | None:
    """What one reader says about a case; None when there is nothing that a report can hold.

    Free text is not in it: it may name somebody.

    Args:
        case: the case.
        views: its views whose pixels leave.
        annotations: what holds now, about the case and its views; other readers' values are left out.
        label_set: what was asked.
        owner: whose it is.
        reader: whose opinion; empty for the labels that came with the images.
        number: stands for the reader's name, which is not in it; 0 for the labels that came with the images.
    """
    reported = {one.view.id: one for one in views}
    if not reported:
        return None
    said = list(annotations)
    own = {each.field: each.value for each in said if each.reader == reader and split_target(each.target)[0] != VIEW}
    maker = _Groups(case, owner, f"reader {number}")
    groups: list[Group] = list(maker.labels(labels_of(own), label_set, reported.values()))
    for one in reported.values():
        groups += maker.drawn(one, own)
        about = [each for each in said if each.target == f"{VIEW}:{one.view.id}" and each.field == CALIBRATION]
        groups += maker.calibrated(one, about) if reader else []
    if not groups:
        return None
    observer = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(
            name=f"Reader^{number}" if number else "Import^Labels"
        ),
    )
    context = ObservationContext(observer_person_context=observer)
    what = f"Labels and measurements, reader {number}" if number else "Labels that came with the images"
    return report_object(what, groups, context, list(reported.values()), owner, number=10 + number, key=case.id)


def report_object(
    what: str,
    groups: list[Group],
    context: ObservationContext,
    views: list[ReportedView],
    owner: Owner,
    *,
    number: int,
    key: str,
) -> Dataset:
    """The report as a DICOM object.

    Args:
        what: Series Description.
        groups: measurement groups.
        context: who observed.
        views: all views that it refers to.
        owner: whose it is.
        number: Instance Number.
        key: tells reports of one study apart.
    """
    report = MeasurementReport(
        observation_context=context,
        procedure_reported=_coded(terms.RADIOGRAPHY),
        imaging_measurements=groups,
        title=_coded(terms.IMAGING_REPORT),
    )
    evidence = [one.reference for one in views]
    dataset = Comprehensive3DSR(
        evidence=evidence,
        content=report[0],
        series_instance_uid=owner.uid("report series", owner.study.id),
        series_number=REPORT_SERIES,
        sop_instance_uid=owner.uid("to be replaced"),
        instance_number=number,
        manufacturer=MAKER,
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    return finished(dataset, what, views[0].header, owner, "report", key, str(number))


def finished(dataset: Dataset, what: str, header: Header, owner: Owner, *key: str) -> Dataset:
    """An object of highdicom's without the clock, and named by what it holds: the same content has the same UID."""
    say_moment(dataset, header, owner.study)
    if dataset.Modality == "PR":  # its own dates say when it was made
        without(dataset, ["ContentDate", "ContentTime"])
    say_maker(dataset)
    for item in dataset.get("ContributingEquipmentSequence", ()):
        without(item, ["ContributionDateTime"])
    say_deidentified(dataset, header, is_masked=False)
    dataset.StudyID, dataset.AccessionNumber, dataset.ReferringPhysicianName = "", "", ""
    dataset.SeriesDescription = f"{what}. Research use only"[:64]
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = terms.OWN_SCHEME, terms.OWN_SCHEME_NAME
    scheme.CodingSchemeResponsibleOrganization = MAKER
    dataset.CodingSchemeIdentificationSequence = Sequence([scheme])
    dataset.SOPInstanceUID = owner.uid("not yet known")
    dataset.SOPInstanceUID = owner.uid(*key, hashlib.sha256(file_bytes(dataset)).hexdigest())
    return dataset


def model_context(title: str, weights_sha256: str, owner: Owner) -> ObservationContext:
    """The observer of a model's report: a device."""
    device = DeviceObserverIdentifyingAttributes(
        uid=owner.uid("model", weights_sha256), name=title[:64], manufacturer_name=MAKER, model_name=weights_sha256
    )
    return ObservationContext(
        observer_device_context=ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    )


def algorithm(title: str, weights_sha256: str, *parameters: str) -> AlgorithmIdentification:
    """Name, version (the hash of the weights) and parameters of a model (TID 4019)."""
    return AlgorithmIdentification(
        name=title, version=weights_sha256, parameters=[*parameters, MARK], manufacturer=MAKER
    )


def finding_sites(case: Case) -> list[FindingSite]:
    """The hip of the case."""
    side = terms.SIDES.get(case.side) if case.side else None
    return [FindingSite(anatomic_location=_coded(terms.HIP_JOINT), laterality=None if side is None else _coded(side))]


def outline(points: Iterable[XY], source: SourceImageForRegion, *, is_closed: bool = True) -> ImageRegion:
    """A region of an image in image coordinates, which are those of SCOORD."""
    places = [(float(x), float(y)) for x, y in points]
    if is_closed:
        places.append(places[0])
    return ImageRegion(graphic_type="POLYLINE", graphic_data=np.array(places), source_image=source)


def label_concepts(
    label_set: LabelSet, field_id: str, value: LabelValue
) -> Iterator[tuple[CodedConcept, CodedConcept | float]]:
    """A label as coded name and value, for several choices several; a confidence as its number; a text not at all."""
    field = label_set.field(field_id)
    name = _coded(terms.own(field_id, field.text if field else field_id))
    if field is not None and field.type is FieldType.TEXT:
        return
    if isinstance(value, int):
        yield name, float(value)
        return
    for choice_id in value if isinstance(value, tuple) else (value,):
        choice = field.choice(choice_id) if field else None
        if choice is None and field is None and not _is_word(choice_id):
            continue
        yield name, _coded(terms.own(f"{field_id}.{choice_id}"[:64], choice.text if choice else choice_id))


class _Groups:
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
                    numbers.append(Measurement(name=name, value=value, unit=_coded(terms.PERCENT)))
                else:
                    evaluations.append(QualitativeEvaluation(name=name, value=value))
        if evaluations or numbers:
            yield MeasurementsAndQualitativeEvaluations(
                tracking_identifier=self._tracking("labels"),
                finding_type=_coded(terms.HIP_JOINT),
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
                yield self._region(f"{REGION}{view_id}", terms.HIP_REGION, outline(corners, one.source))
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
                points = (calibration.first_xy, calibration.second_xy)
                length = Measurement(
                    name=_coded(terms.CALIBRATION_LENGTH),
                    value=calibration.known_mm,
                    unit=_coded(terms.MILLIMETRE),
                    referenced_coordinates=[_coordinates(points, one.source)],
                )
                yield self._group(f"{CALIBRATION}.{one.view.id}", [length])

    def _aligned(self, one: ReportedView, value: Any) -> Iterator[Group]:
        """The frame of the aligned crop, with the angle of the shaft and the two clicks."""
        alignment = alignment_of(value)
        assert alignment is not None
        spacing = one.view.spacing
        cut = aligned_crop(alignment, spacing)
        angle = Measurement(
            name=_coded(terms.AXIS_ANGLE),
            value=_rounded(alignment.angle_deg(spacing.aspect)),
            unit=_coded(terms.DEGREE),
            referenced_coordinates=[_coordinates((alignment.center_xy, alignment.axis_xy), one.source)],
        )
        is_mm = pixel_mm(spacing) is not None
        side = Measurement(
            name=_coded(terms.CROP_SIDE),
            value=_rounded(alignment.side_mm if is_mm else alignment.side_px),
            unit=_coded(terms.MILLIMETRE if is_mm else terms.PIXELS),
        )
        field = f"{ALIGNMENT}{one.view.id}"
        yield self._region(field, terms.ALIGNED_CROP, outline(cut.corners_xy, one.source), [side])
        yield self._group(f"{field}.axis", [angle])  # TID 1410 has room for one region

    def _measured(self, one: ReportedView, field: str, value: Any) -> Group:
        measurement = measurement_of(value)
        reading = measure(measurement, one.view.spacing)
        number = Measurement(
            name=_coded(terms.MEASURES[measurement.kind]),
            value=_rounded(reading.value),
            unit=_coded(UNITS[reading.unit]),
            referenced_coordinates=[_coordinates(measurement.points, one.source)],
        )
        scale = []
        if reading.source is not None:
            words = terms.own(f"scale-{reading.source.value}", SCALE_WORDS[reading.source])
            scale = [QualitativeEvaluation(name=_coded(terms.SOURCE_OF_SCALE), value=_coded(words))]
        return self._group(field, [number], scale)

    def _region(
        self, field: str, kind: Code, region: ImageRegion, measurements: list[Measurement] | None = None
    ) -> PlanarROIMeasurementsAndQualitativeEvaluations:
        return PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(field),
            referenced_region=region,
            finding_type=_coded(kind),
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


def _coordinates(points: Iterable[XY], source: SourceImageForRegion) -> CoordinatesForMeasurement:
    return CoordinatesForMeasurement(
        graphic_type="POLYLINE", graphic_data=np.array([(float(x), float(y)) for x, y in points]), source_image=source
    )


def _coded(code: Code) -> CodedConcept:
    return CodedConcept(value=code.value, scheme_designator=code.scheme_designator, meaning=code.meaning)


def _rounded(value: float) -> float:
    """Six significant figures: more is no measurement, and DS holds 16 characters."""
    return 0.0 if not value else round(value, 5 - math.floor(math.log10(abs(value))))


def _is_word(text: str) -> bool:
    """Whether a value of an unknown field looks like a term and not like somebody's sentence."""
    return len(text) <= terms.SHORT_CODE and text.replace("-", "").replace("_", "").isalnum()

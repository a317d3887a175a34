"""Labels, measurements and geometry as a structured report, TID 1500 (PS3.16), one for each case and reader.

What a model said is a report of its own, whose observer is a device and whose every group names the algorithm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from highdicom.sr import (
    AlgorithmIdentification,
    DeviceObserverIdentifyingAttributes,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
)
from highdicom.sr.sop import Comprehensive3DSR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from app.core.annotation import (
    ALIGNMENT,
    CALIBRATION,
    LABEL,
    LANDMARK,
    MEASUREMENT,
    REGION,
    VIEW,
    Annotation,
    label_value,
    labels_of,
    split_target,
)
from app.core.case import Case, View
from app.core.label_set import LabelSet
from app.store.exchange import dicom_codes as terms
from app.store.exchange.dicom_groups import Group, ReaderGroups, ReportedView, coded, label_concepts
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

DRAWN = (ALIGNMENT, REGION, LANDMARK, MEASUREMENT)


def reader_report(
    case: Case,
    views: Iterable[ReportedView],
    annotations: Iterable[Annotation],
    label_set: LabelSet,
    owner: Owner,
    *,
    reader: str,
    number: int,
    has_free_words: bool = False,
) -> Dataset | None:
    """What one reader says about a case; None when there is nothing that a report can hold.

    Free text is not in it: it may name somebody.

    Args:
        case: the case.
        views: its views whose pixels leave.
        annotations: what holds now, about the case and its views; other readers' values are left out.
        label_set: what was asked.
        owner: whose it is.
        reader: whose opinion; empty for the labels that came with the images, and for their calibrations.
        number: stands for the reader's name, which is not in it; 0 without a reader.
        has_free_words: also words for which the label set has no field: those of a mapping file.
    """
    reported = {one.view.id: one for one in views}
    if not reported:
        return None
    said = list(annotations)
    own = {
        each.field: each.value
        for each in said
        if each.reader == reader and (split_target(each.target)[0] != VIEW or each.field.startswith(LABEL))
    }
    maker = ReaderGroups(case, owner, f"reader {number}")
    labels = {name: value for name, value in labels_of(own).items() if has_free_words or label_set.field(name)}
    groups: list[Group] = list(maker.labels(labels, label_set, reported.values()))
    for one in reported.values():
        groups += maker.drawn(one, own)
        about = [each for each in said if each.target == f"{VIEW}:{one.view.id}" and each.field == CALIBRATION]
        groups += [] if reader else maker.calibrated(one, about)
    if not groups:
        return None
    observer = ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=PersonObserverIdentifyingAttributes(
            name=f"Reader^{number}" if number else "Project^Coxa"
        ),
    )
    context = ObservationContext(observer_person_context=observer)
    what = f"Labels and measurements, reader {number}" if number else "Labels and length scales of the images"
    return report_object(what, groups, context, list(reported.values()), owner, number=10 + number, key=case.id)


def is_reportable(
    views: Iterable[View],
    annotations: Iterable[Annotation],
    label_set: LabelSet,
    *,
    reader: str,
    has_free_words: bool = False,
) -> bool:
    """Whether `reader_report` makes a report of this; quick.

    Args:
        views: the case's views whose pixels leave.
        annotations: as there.
        label_set: as there.
        reader: as there.
        has_free_words: as there.
    """
    shown = {view.id for view in views}
    for each in annotations:
        if each.reader != reader or not shown:
            continue
        if each.field.startswith(LABEL):
            name = each.field.removeprefix(LABEL)
            is_known = has_free_words or label_set.field(name) is not None
            if is_known and any(True for _ in label_concepts(label_set, name, label_value(each.value))):
                return True
        elif each.field == CALIBRATION:
            if split_target(each.target)[1] in shown:
                return True
        elif each.field.startswith(DRAWN) and each.field.rpartition(".")[2] in shown:
            return True
    return False


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
        procedure_reported=coded(terms.RADIOGRAPHY),
        imaging_measurements=groups,
        title=coded(terms.IMAGING_REPORT),
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

"""What a model said: a structured report whose observer is a device, and heatmaps burnt into secondary captures.

Never mixed with what people said: other objects, other series, and the algorithm named in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from highdicom.sc import SCImage
from highdicom.sr import (
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from app.core.case import Case
from app.core.finding import Consultation, Finding, Verdict, finding_probability
from app.core.geometry import Crop
from app.core.grey import Lut, StoredImage, Window
from app.core.model_card import ModelCard
from app.store.exchange import dicom_codes as terms
from app.store.exchange.dicom_groups import Group, ReportedView, coded, finding_sites, outline
from app.store.exchange.dicom_parts import HEATMAP_SERIES, MAKER, MARK, Owner, say_moment, say_owner, side_letter
from app.store.exchange.dicom_report import algorithm, finished, model_context, report_object
from app.store.exchange.drawn import Picture, display_picture, with_caption, with_heatmap

LONGEST_PX = 1024
VERDICTS = {
    Verdict.FOUND: terms.own("found", "Found"),
    Verdict.NOT_FOUND: terms.own("not-found", "Not found"),
    Verdict.ABSTAINS: terms.own("abstains", "No answer: too near the threshold"),
    Verdict.OUTSIDE: terms.own("outside", "No answer: outside what the model was trained on"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenView:
    """One view as a model saw it.

    Args:
        reported: the view.
        cut: the part that it was fed.
        voi: the window in which it was fed.
        is_located: whether the part was proposed by another model, and drawn by nobody.
    """

    reported: ReportedView
    cut: Crop
    voi: Lut | Window
    is_located: bool = False


def model_report(
    case: Case, consultation: Consultation, views: Sequence[SeenView], owner: Owner, *, number: int
) -> Dataset:
    """A model's opinion about a case as a structured report.

    Args:
        case: the case.
        consultation: answered.
        views: what it was fed; those whose pixels leave.
        owner: whose it is.
        number: of the model; tells its report from the others.
    """
    card, finding = consultation.card, consultation.finding
    assert finding is not None, "the consultation is answered"
    names = finding_lines(card, finding)
    known = algorithm(card.title, card.weights_sha256, *names)
    groups: list[Group] = [_probabilities(case, consultation, finding, views, owner)]
    for seen in views:
        view = seen.reported.view
        if (region := outline(seen.cut.corners_xy, seen.reported)) is not None:
            groups.append(
                PlanarROIMeasurementsAndQualitativeEvaluations(
                    tracking_identifier=TrackingIdentifier(
                        uid=owner.uid("seen", case.id, view.id, finding.weights_sha256, finding.input_key),
                        identifier=f"{case.id} {view.id} model region",
                    ),
                    referenced_region=region,
                    finding_type=coded(terms.MODEL_REGION),
                    finding_sites=finding_sites(case),
                    algorithm_id=known,
                )
            )
    what = f"Model's opinion: {card.title}"[:40]
    context = model_context(card.title, card.weights_sha256, owner)
    reported = [seen.reported for seen in views]
    return report_object(what, groups, context, reported, owner, number=100 + number, key=f"{case.id} model")


def finding_lines(card: ModelCard, finding: Finding) -> list[str]:
    """What must be known beside a probability, in short lines."""
    lines = [
        f"Model {card.title} ({card.id})",
        f"Weights {card.weights_sha256[:16]}",
        f"{card.classes[card.finding]}: {finding_probability(card, finding.probabilities):.3f}",
        f"Threshold {card.threshold:.3f}",
    ]
    if finding.distance is not None and card.outlier_limit is not None:
        lines.append(f"Distance from training {finding.distance:.3g} of {card.outlier_limit:.3g}")
    return lines


def heatmap_picture(
    seen: SeenView,
    image: StoredImage,
    heatmap: npt.NDArray[np.float32],
    card: ModelCard,
    finding: Finding,
    *,
    method: str,
) -> Picture:
    """A heatmap burnt into the view, with what it is and the research-use mark under it: (h, w, 3) uint8.

    Args:
        seen: the view as the model saw it.
        image: its pixels as they may leave.
        heatmap: (m, n) float32 over the model's input.
        card: of the model.
        finding: what it said.
        method: how the heatmap was made.
    """
    picture, scale = display_picture(image, seen.reported.view.grey, seen.voi, longest_px=LONGEST_PX)
    painted = with_heatmap(picture, scale, heatmap, seen.cut, full=card.heatmap_scale)
    lines = [*finding_lines(card, finding), f"{method}, full colour {card.heatmap_scale:.3g} logit units"]
    if not card.is_heatmap_validated:
        lines.append("Heatmaps of this model are not validated.")
    return with_caption(painted, [" | ".join(lines)], MARK)


def heatmap_capture(
    seen: SeenView, picture: Picture, consultation: Consultation, owner: Owner, *, number: int, method: str
) -> Dataset:
    """A heatmap as a secondary capture (PS3.3 A.8): colours burnt in, the radiograph it was made of named as source.

    Args:
        seen: the view.
        picture: (h, w, 3) uint8.
        consultation: what the model said.
        owner: whose it is.
        number: Instance Number.
        method: how the heatmap was made.
    """
    one, card = seen.reported, consultation.card
    dataset = SCImage(
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        study_instance_uid=owner.study.id,
        series_instance_uid=owner.uid("heatmap series", owner.study.id),
        series_number=HEATMAP_SERIES,
        sop_instance_uid=owner.uid("to be replaced"),
        instance_number=number,
        manufacturer=MAKER,
        patient_id=owner.patient.id,
        laterality=side_letter(one.view) or "L",
        patient_orientation=("L", "F"),
    )
    say_owner(dataset, owner, one.header)
    dataset.Laterality = side_letter(one.view)
    setattr(dataset, "PatientOrientation", list(one.view.orientation) or "")  # noqa: B010  # empty where it is unknown
    dataset.Modality = "OT"
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.BurnedInAnnotation = "NO"  # words about the model, none that identify anybody
    dataset.DerivationDescription = f"Heatmap ({method}) of {card.title}. {MARK}"[:1024]
    source = Dataset()
    source.ReferencedSOPClassUID = one.reference.SOPClassUID
    source.ReferencedSOPInstanceUID = one.reference.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = Items(
        [terms.code_item("121322", "DCM", "Source image for image processing operation")]
    )
    dataset.SourceImageSequence = Items([source])
    dataset.ImageComments = MARK
    what = f"Heatmap: {card.title}"[:40]
    finding = consultation.finding
    weights = finding.weights_sha256 if finding else ""
    say_moment(dataset, one.header, owner.study)
    dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = dataset.ContentDate, dataset.ContentTime
    return finished(dataset, what, one.header, owner, "heatmap", consultation.case_id, one.view.id, weights, method)


def _probabilities(
    case: Case, consultation: Consultation, finding: Finding, views: Sequence[SeenView], owner: Owner
) -> MeasurementsAndQualitativeEvaluations:
    """Every class with its probability, the threshold, the distance, and what it comes to by the card's rules."""
    card = consultation.card
    known = algorithm(card.title, card.weights_sha256)
    names = card.classes if len(finding.probabilities) > 1 else (card.classes[card.finding],)
    numbers = [
        Measurement(
            name=coded(terms.PROBABILITY),
            value=float(f"{probability:.9g}"),
            unit=coded(terms.NO_UNITS),
            method=coded(terms.own(f"class-{index}", name)),
            algorithm_id=known,
        )
        for index, (name, probability) in enumerate(zip(names, finding.probabilities, strict=True))
    ]
    numbers.append(
        Measurement(name=coded(terms.THRESHOLD), value=float(f"{card.threshold:.9g}"), unit=coded(terms.NO_UNITS))
    )
    if finding.distance is not None:
        numbers.append(
            Measurement(name=coded(terms.DISTANCE), value=float(f"{finding.distance:.9g}"), unit=coded(terms.NO_UNITS))
        )
    verdict = consultation.verdict
    evaluations = (
        [QualitativeEvaluation(name=coded(terms.VERDICT), value=coded(VERDICTS[verdict]))] if verdict else None
    )
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=owner.uid("finding", case.id, finding.weights_sha256, finding.input_key), identifier=f"{case.id} model"
        ),
        finding_type=coded(terms.own("finding", card.classes[card.finding])),
        finding_sites=finding_sites(case),
        algorithm_id=known,
        measurements=numbers,
        qualitative_evaluations=evaluations,
        source_images=[
            SourceImageForMeasurementGroup(seen.reported.reference.SOPClassUID, seen.reported.reference.SOPInstanceUID)
            for seen in views
        ],
    )

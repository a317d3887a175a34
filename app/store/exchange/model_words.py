"""What models say, as tables, numbers and pictures: kept findings only, nothing is computed here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from app.core.export import ExportFormat
from app.core.export_plan import ExportCase, ExportPlan
from app.core.finding import Consultation, FedView
from app.store.exchange.drawn import display_picture, with_caption, with_heatmap
from app.store.exchange.opinions import KeptHeatmap, Opinions
from app.store.exchange.pictures import PNG_SETTINGS
from app.store.exchange.rows import Row
from app.store.exchange.writer import ExportSource, OutputFile
from app.store.project import ProjectStore

FOLDER = "heatmaps"
LONGEST_PX = 1600
MARK = "Research use only. Not for diagnosis."

FINDINGS: dict[str, type] = {
    "case": str, "patient": str, "part": str, "model": str, "class": str, "probability": float, "is_finding": bool,
    "threshold": float, "verdict": str, "distance": float, "outlier_limit": float, "views": str, "input_key": str,
    "weights_sha256": str,
}  # fmt: skip
HEATMAPS: dict[str, type] = {
    "values": str, "overlay": str, "case": str, "view": str, "model": str, "method": str, "class": str,
    "full_colour_logits": float, "input_px": int, "m11": float, "m12": float, "m13": float, "m21": float, "m22": float,
    "m23": float, "input_key": str, "weights_sha256": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one model says about one case, with its heatmaps.

    Args:
        case: the case.
        number: of the model among those that answered, from 1; stands in file names.
        consultation: the answer.
        heatmaps: over views whose pixels may leave.
    """

    case: ExportCase
    number: int
    consultation: Consultation
    heatmaps: tuple[KeptHeatmap, ...]

    def fed(self, view_id: str) -> FedView:
        """What the model saw of a view."""
        return next(fed for fed in self.consultation.views if fed.view_id == view_id)


def answers(project: ProjectStore, plan: ExportPlan) -> Iterator[Answer]:
    """Every answer that holds for its case as it is now; what was seen of withheld pixels stays with them."""
    with closing(Opinions(project)) as opinions:
        for case in plan.cases:
            shown = {view.id for view in case.pictures}
            for number, consultation in enumerate(opinions.of(case.case.id) if shown else (), start=1):
                if all(fed.view_id in shown for fed in consultation.views):
                    kept = opinions.heatmaps(consultation, case.pictures)
                    yield Answer(case=case, number=number, consultation=consultation, heatmaps=kept)


def finding_rows(project: ProjectStore, plan: ExportPlan) -> Iterator[Row]:
    """One row for each case, model and class."""
    for answer in answers(project, plan):
        finding, card = answer.consultation.finding, answer.consultation.card
        verdict = answer.consultation.verdict
        assert finding is not None, "an answer has a finding"
        names = card.classes if len(finding.probabilities) > 1 else (card.classes[card.finding],)
        for name, probability in zip(names, finding.probabilities, strict=True):
            yield {
                "case": answer.case.case.id,
                "patient": answer.case.patient.id,
                "part": answer.case.part.value if answer.case.part else "",
                "model": card.id,
                "class": name,
                "probability": probability,
                "is_finding": name == card.classes[card.finding],
                "threshold": card.threshold,
                "verdict": verdict.value if verdict else "",
                "distance": finding.distance,
                "outlier_limit": card.outlier_limit,
                "views": " ".join(fed.view_id for fed in answer.consultation.views),
                "input_key": finding.input_key,
                "weights_sha256": finding.weights_sha256,
            }


def heatmap_rows(project: ProjectStore, plan: ExportPlan) -> Iterator[Row]:
    """One row for each heatmap, with the matrix from image to model input."""
    has_files = ExportFormat.PNG in plan.request.formats
    for answer in answers(project, plan):
        card = answer.consultation.card
        for kept in answer.heatmaps:
            cut = answer.fed(kept.view_id).given.cut
            (m11, m12, m13), (m21, m22, m23) = cut.matrix
            path = _path(answer, kept)
            yield {
                "values": f"{path}.npy" if has_files else "",
                "overlay": f"{path}.png" if has_files else "",
                "case": answer.case.case.id,
                "view": kept.view_id,
                "model": card.id,
                "method": kept.method,
                "class": card.classes[kept.class_number],
                "full_colour_logits": card.heatmap_scale,
                "input_px": cut.size_px,
                "m11": m11, "m12": m12, "m13": m13, "m21": m21, "m22": m22, "m23": m23,
                "input_key": answer.consultation.input_key,
                "weights_sha256": card.weights_sha256,
            }  # fmt: skip


def heatmap_files(plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
    """The values of each heatmap (NumPy, float32, over the model's input), and a picture of it on its view."""
    for answer in answers(source.project, plan):
        for kept in answer.heatmaps:
            path, about = _path(answer, kept), f"The view {kept.view_id}"
            yield OutputFile(path=f"{path}.npy", content=partial(_values, kept), about=about)
            yield OutputFile(path=f"{path}.png", content=partial(_overlay, source, answer, kept), about=about)


def _path(answer: Answer, kept: KeptHeatmap) -> str:
    method = kept.method.replace("+", "p")
    return f"{FOLDER}/{answer.case.case.id}_{kept.view_id}_m{answer.number}_{method}_c{kept.class_number}"


def _values(kept: KeptHeatmap) -> list[bytes]:
    sink = io.BytesIO()
    np.save(sink, kept.load(), allow_pickle=False)
    return [sink.getvalue()]


def _overlay(source: ExportSource, answer: Answer, kept: KeptHeatmap) -> list[bytes]:
    view = next(view for view in answer.case.pictures if view.id == kept.view_id)
    given, card = answer.fed(view.id).given, answer.consultation.card
    picture, scale = display_picture(source.image(view), view.grey, given.voi, longest_px=LONGEST_PX)
    laid = with_heatmap(picture, scale, kept.load(), given.cut, full=card.heatmap_scale)
    line = f"{card.id}: {card.classes[kept.class_number]}, {kept.method}; full colour = {card.heatmap_scale:g} logits"
    laid = with_caption(laid, [line], MARK)
    is_encoded, data = cv2.imencode(".png", np.ascontiguousarray(laid[..., ::-1]), PNG_SETTINGS)
    assert is_encoded, "the PNG encoder takes 8-bit colour images"
    encoded: bytes = data.tobytes()
    return [encoded]

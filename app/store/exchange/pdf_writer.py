"""The format PDF: one report for each case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from app.core.annotation import MEASUREMENT, labels_of, measurement_of
from app.core.case import Side, View
from app.core.event import Json
from app.core.export import Content
from app.core.export_plan import ExportCase, ExportPlan
from app.core.finding import Consultation, Verdict
from app.core.grey import Window
from app.core.label_set import FieldType, LabelSet, value_text
from app.core.measurement import measure
from app.core.pixel_review import PixelVerdict
from app.core.voi import computed_windows
from app.store.exchange.dicom_groups import SCALE_WORDS
from app.store.exchange.drawn import display_picture, with_heatmap, with_shapes
from app.store.exchange.opinions import KeptHeatmap, Opinions
from app.store.exchange.pdf_report import CaseReport, ReportPicture, ReportTable, pdf_bytes, register_fonts
from app.store.exchange.shapes import MEASUREMENT_WORDS, drawn_shapes, values_of_readers
from app.store.exchange.writer import ExportSource, OutputFile
from app.store.fs import Chunk
from app.store.released import WHY_NOT
from app.store.windows import kept_windows

FOLDER = "reports"
LONGEST_PX = 1000
MOST_READERS = 4  # columns of one table; more readers go into further tables
SIDES = {Side.LEFT: "left hip", Side.RIGHT: "right hip", Side.BOTH: "both hips"}
VERDICT_WORDS = {
    Verdict.FOUND: "found",
    Verdict.NOT_FOUND: "not found",
    Verdict.ABSTAINS: "no answer: too near the threshold",
    Verdict.OUTSIDE: "no answer: outside what the model was trained on",
}
STATUS_WORDS = {"second-look": "second look"}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a model said, with its heatmaps."""

    consultation: Consultation
    heatmaps: tuple[KeptHeatmap, ...]


class PdfWriter:
    """A report of each case, for people."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """One file a case."""
        register_fonts()
        with closing(Opinions(source.project)) as opinions:
            for case in plan.cases:
                answers: tuple[_Answer, ...] = ()
                if plan.has(Content.FINDINGS, Content.HEATMAPS):
                    shown = {view.id for view in case.pictures}
                    answers = tuple(
                        _Answer(one, opinions.heatmaps(one, case.pictures) if plan.has(Content.HEATMAPS) else ())
                        for one in opinions.of(case.case.id)
                        if all(fed.view_id in shown for fed in one.views)
                    )
                windows = {view.id: _kept_window(source, view) for view in case.pictures}
                make = partial(_content, plan, source, case, answers, windows)
                yield OutputFile(path=f"{FOLDER}/{case.case.id}.pdf", content=make, about=case.case.id)

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """What a report leaves out."""
        found = ["The reports name readers." if plan.readers else ""]
        if plan.has(Content.HISTORY):
            found.append("The history is not in the reports.")
        return tuple(note for note in found if note)

    def guide(self) -> str:
        """What is where."""
        return f"`{FOLDER}/CASE.pdf`: a page or two about each case, to be read by people."


def _content(
    plan: ExportPlan,
    source: ExportSource,
    case: ExportCase,
    answers: Sequence[_Answer],
    windows: Mapping[str, Window | None],
) -> Iterable[Chunk]:
    return [pdf_bytes(case_report(plan, source, case, answers, windows))]


def case_report(
    plan: ExportPlan,
    source: ExportSource,
    case: ExportCase,
    answers: Sequence[_Answer],
    windows: Mapping[str, Window | None],
) -> CaseReport:
    """Everything that the report of a case holds.

    Args:
        plan: the export.
        source: gives pixels.
        case: the case.
        answers: what models said.
        windows: view -> its automatic window where that is known.
    """
    readers = list(values_of_readers([(a.reader, a.field, a.value) for a in case.annotations]))
    pictures = []
    if plan.has(Content.IMAGES, Content.ALIGNMENTS, Content.MEASUREMENTS):
        pictures = [_view_picture(plan, source, view, readers, windows) for view in case.views]
    tables = []
    if plan.has(Content.LABELS):
        tables += list(_label_tables(case, plan.label_set, readers, has_free_text=plan.request.has_free_text))
    if plan.has(Content.MEASUREMENTS):
        tables += list(_measurement_table(case, readers))
    for answer in answers:
        tables.append(_model_table(plan, source, case, answer))
    number, digest = plan.head
    return CaseReport(
        title=f"Case {case.case.id}",
        facts=tuple(_facts(plan, case)),
        pictures=tuple(pictures),
        tables=tuple(tables),
        state=f"{plan.title} · event {number} · {digest.hex()[:12]}",
    )


def _facts(plan: ExportPlan, case: ExportCase) -> Iterator[tuple[str, str]]:
    side = case.case.side
    yield "Patient", f"{case.patient.id}{f' · {case.patient.sex}' if case.patient.sex else ''}"
    yield "Hip", SIDES[side] if side else "side not decided"
    yield "Study date", f"{case.study.date} (moved)" if case.study.date else "not known"
    yield "Status", STATUS_WORDS.get(case.case.status.value, case.case.status.value)
    yield "Label set", f"{plan.label_set.text}, version {plan.label_set.version}"
    if case.label:
        yield "Class", case.label
    if case.part is not None:
        yield "Part", case.part.value


def _view_picture(
    plan: ExportPlan,
    source: ExportSource,
    view: View,
    readers: Sequence[tuple[str, dict[str, Json]]],
    windows: Mapping[str, Window | None],
) -> ReportPicture:
    """A view with the drawings of the first reader who has drawn on it."""
    caption = _view_words(view)
    if not view.release.may_leave:
        return ReportPicture(pixels=None, caption=f"{caption}. {WHY_NOT[view.release]}")
    image = source.image(view)
    voi = windows.get(view.id) or computed_windows(image, view.grey)["auto"]
    picture, scale = display_picture(image, view.grey, voi, longest_px=LONGEST_PX)
    wanted = _wanted_shapes(plan)
    for reader, values in readers:
        shapes = [shape for shape in drawn_shapes(view, values) if shape.kind.value in wanted]
        if reader and shapes:
            return ReportPicture(pixels=with_shapes(picture, scale, shapes), caption=f"{caption}. Drawn by {reader}")
    return ReportPicture(pixels=with_shapes(picture, scale, ()), caption=caption)


def _wanted_shapes(plan: ExportPlan) -> set[str]:
    return {
        *(("alignment", "region") if plan.has(Content.ALIGNMENTS) else ()),
        *(("landmark", "measurement") if plan.has(Content.MEASUREMENTS) else ()),
    }


def _view_words(view: View) -> str:
    projection = view.projection.value.value if view.projection.value else "projection not decided"
    side = SIDES[view.side.value] if view.side.value else "side not decided"
    spacing = view.spacing
    scale = f"{spacing.col_mm:.3g} mm per px ({SCALE_WORDS[spacing.source]})" if spacing.col_mm else "no length scale"
    parts = [projection, side, scale]
    if view.pixel_review is not None and view.pixel_review.verdict is PixelVerdict.MASKED:
        parts.append(f"{len(view.pixel_review.masks)} places painted over")
    return f"{view.id}: {', '.join(parts)}"


def _label_tables(
    case: ExportCase, label_set: LabelSet, readers: Sequence[tuple[str, dict[str, Json]]], *, has_free_text: bool
) -> Iterator[ReportTable]:
    said = [(reader, labels_of(values)) for reader, values in readers]
    said = [(reader, labels) for reader, labels in said if labels]
    for start in range(0, len(said), MOST_READERS):
        part = said[start : start + MOST_READERS]
        known = [field.id for field in label_set.fields]
        names = [*known, *sorted({name for _, labels in part for name in labels} - set(known))]
        rows = []
        for name in names:
            field = label_set.field(name)
            if not has_free_text and (field is None or field.type is FieldType.TEXT):
                continue
            cells = [value_text(field, labels[name]) if name in labels else "" for _, labels in part]
            if any(cells):
                rows.append((field.text if field else name, *cells))
        if rows:
            head = ("", *(reader or "With the images" for reader, _ in part))
            yield ReportTable(title="Labels", head=head, rows=tuple(rows))


def _measurement_table(case: ExportCase, readers: Sequence[tuple[str, dict[str, Json]]]) -> Iterator[ReportTable]:
    views = {view.id: view for view in case.views}
    rows = []
    for reader, values in readers:
        for name in sorted(values):
            view = views.get(name.rpartition(".")[2])
            if not name.startswith(MEASUREMENT) or view is None:
                continue
            measurement = measurement_of(values[name])
            reading = measure(measurement, view.spacing)
            source = SCALE_WORDS[reading.source] if reading.source else "angle"
            rows.append((MEASUREMENT_WORDS[measurement.kind], reading.text, source, reader, view.id))
    if rows:
        head = ("Measurement", "Value", "Length scale", "Reader", "View")
        yield ReportTable(title="Measurements", head=head, rows=tuple(rows))


def _model_table(plan: ExportPlan, source: ExportSource, case: ExportCase, answer: _Answer) -> ReportTable:
    consultation, card = answer.consultation, answer.consultation.card
    finding = consultation.finding
    assert finding is not None, "only answers are reported"
    names = card.classes if len(finding.probabilities) > 1 else (card.classes[card.finding],)
    rows = [(name, f"{share:.3f}") for name, share in zip(names, finding.probabilities, strict=True)]
    rows.append(("Threshold of the finding", f"{card.threshold:.3f}"))
    if consultation.verdict is not None:
        rows.append((f"Finding: {card.classes[card.finding]}", VERDICT_WORDS[consultation.verdict]))
    views = {view.id: view for view in case.pictures}
    pictures = []
    for kept in answer.heatmaps:
        fed = next(one for one in consultation.views if one.view_id == kept.view_id)
        view = views[kept.view_id]
        picture, scale = display_picture(source.image(view), view.grey, fed.given.voi, longest_px=LONGEST_PX)
        painted = with_heatmap(picture, scale, kept.load(), fed.given.cut, full=card.heatmap_scale)
        doubt = "" if card.is_heatmap_validated else ". Heatmaps of this model are not validated"
        words = f"{view.id}: {kept.method} of {card.classes[kept.class_number]}, full colour {card.heatmap_scale:.3g}"
        pictures.append(ReportPicture(pixels=painted, caption=f"{words} logit units{doubt}"))
    note = (
        f"A model's opinion, not a finding of a person. Weights {card.weights_sha256[:16]}. {card.intended_use} "
        f"Trained on: {card.trained_on}"
    )
    return ReportTable(
        title=f"Model: {card.title}",
        head=("Class", "Calibrated probability"),
        rows=tuple(rows),
        note=note,
        pictures=tuple(pictures),
    )


def _kept_window(source: ExportSource, view: View) -> Window | None:
    """The automatic window if it is known; that of a masked image is worked out without what is under the masks."""
    if view.pixel_review is not None and view.pixel_review.verdict is PixelVerdict.MASKED:
        return None
    found = kept_windows(source.project.derived, view.image_sha256, view.grey)
    return None if found is None else found.get("auto")

"""The format DICOM: radiographs, reports of readers and models, presentation states, heatmaps as secondary captures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial

from pydicom.dataset import Dataset

from app.core.annotation import ALIGNMENT, CALIBRATION, LABEL, LANDMARK, MEASUREMENT, REGION, Annotation
from app.core.case import View
from app.core.export import Content
from app.core.export_plan import ExportCase, ExportPlan
from app.core.finding import Consultation
from app.core.grey import Window
from app.core.pixel_review import PixelVerdict
from app.core.pseudonym import Pseudonyms
from app.core.voi import computed_windows
from app.store.exchange.dicom_groups import ReportedView
from app.store.exchange.dicom_image import image_object, image_reference
from app.store.exchange.dicom_model import SeenView, heatmap_capture, heatmap_picture, model_report
from app.store.exchange.dicom_parts import Header, Owner, file_bytes
from app.store.exchange.dicom_presentation import presentation_state
from app.store.exchange.dicom_report import is_reportable, reader_report
from app.store.exchange.opinions import KeptHeatmap, Opinions
from app.store.exchange.shapes import Shape, drawn_shapes, values_of_readers
from app.store.exchange.writer import ExportSource, OutputFile
from app.store.fs import Chunk
from app.store.windows import kept_windows

FOLDER = "dicom"
FIELDS = {
    Content.LABELS: (LABEL,),
    Content.MEASUREMENTS: (MEASUREMENT, LANDMARK, CALIBRATION),
    Content.ALIGNMENTS: (ALIGNMENT, REGION),
}


class DicomWriter:
    """De-identified radiographs and everything that is said about them, as DICOM objects."""

    def files(self, plan: ExportPlan, source: ExportSource) -> Iterator[OutputFile]:
        """Images by patient and view, then what is said about each case."""
        headers = {view.id: source.project.views.header(view.id) for view in plan.pictures}
        pseudonyms = Pseudonyms(source.project.key)
        seen: set[str] = set()
        with closing(Opinions(source.project)) as opinions:
            for case in plan.cases:
                owner = Owner(patient=case.patient, study=case.study, pseudonyms=pseudonyms)
                one = _CaseFiles(plan, source, case, owner, headers)
                for view in case.pictures:
                    if plan.has(Content.IMAGES) and view.id not in seen:
                        seen.add(view.id)
                        yield one.image(view)
                yield from one.reports()
                yield from one.presentations()
                if plan.has(Content.FINDINGS, Content.HEATMAPS) and case.pictures:
                    yield from one.opinions(opinions)

    def notes(self, plan: ExportPlan) -> tuple[str, ...]:
        """What DICOM has no room for."""
        found = []
        if plan.has(Content.ALIGNED_CROPS, Content.REGION_CROPS):
            found.append("DICOM holds whole radiographs; crops are in the reports and presentation states as frames.")
        if plan.has(Content.LABELS):
            found.append(
                "Comments and answers in free text are not in the DICOM objects, since they may name somebody."
            )
        if plan.has(Content.HISTORY):
            found.append("The history is not in the DICOM objects.")
        if plan.readers:
            found.append("In DICOM objects readers are numbers; their names are not in them.")
        return tuple(found)

    def guide(self) -> str:
        """What is where."""
        return (
            f"`{FOLDER}/PATIENT/VIEW.dcm`: the radiographs (CR, DX, or secondary capture for pictures). Of each case: "
            "`-sr.dcm` structured reports after TID 1500 (labels, measurements, geometry; those of models are objects "
            "of their own that name the algorithm), `-pr.dcm` presentation states with the drawings, `-heatmap-….dcm` "
            "secondary captures. Dates are moved by a constant for each patient; objects made of the radiographs carry "
            "the moved date of the study."
        )


class _CaseFiles:
    """The files about one case."""

    def __init__(
        self, plan: ExportPlan, source: ExportSource, case: ExportCase, owner: Owner, headers: Mapping[str, Header]
    ) -> None:
        self._plan, self._source, self._case, self._owner, self._headers = plan, source, case, owner, headers
        self._annotations = [each for each in case.annotations if self._is_wanted(each)]

    def image(self, view: View) -> OutputFile:
        """The radiograph."""

        def content() -> Dataset:
            return image_object(view, self._headers[view.id], self._source.image(view), self._owner)

        return self._file(view.id, view.id, content)

    def reports(self) -> Iterator[OutputFile]:
        """What each reader says, and what came with the images."""
        if not self._case.pictures:
            return
        has_free_words = self._plan.request.has_free_text
        for reader in sorted({each.reader for each in self._annotations}):
            if is_reportable(
                self._case.pictures,
                self._annotations,
                self._plan.label_set,
                reader=reader,
                has_free_words=has_free_words,
            ):
                number = self._plan.reader_number(reader) if reader else 0
                name = f"{self._case.case.id}-reader-{number}-sr" if number else f"{self._case.case.id}-images-sr"
                yield self._file(name, self._case.case.id, partial(self._report, reader, number))

    def presentations(self) -> Iterator[OutputFile]:
        """What each reader has drawn on each view."""
        said = [(each.reader, each.field, each.value) for each in self._annotations if each.reader]
        for reader, values in values_of_readers(said):
            number = self._plan.reader_number(reader)
            for view in self._case.pictures:
                if shapes := drawn_shapes(view, values):
                    kept = self._kept_window(view)
                    name = f"{self._case.case.id}-{view.id}-reader-{number}-pr"
                    yield self._file(name, view.id, partial(self._presentation, view, shapes, kept, number))

    def opinions(self, opinions: Opinions) -> Iterator[OutputFile]:
        """What models say, and where they looked."""
        case = self._case.case
        for number, consultation in enumerate(opinions.of(case.id), start=1):
            fed = {view.view_id: view for view in consultation.views}
            views = [view for view in self._case.pictures if view.id in fed]
            if len(views) < len(fed):
                continue  # what a model saw of an image that must not leave, stays with it
            name = f"{case.id}-model-{number}"
            if self._plan.has(Content.FINDINGS):
                yield self._file(f"{name}-sr", case.id, partial(self._model_report, consultation, views, number))
            if self._plan.has(Content.HEATMAPS):
                for index, kept in enumerate(opinions.heatmaps(consultation, self._case.pictures), start=1):
                    make = partial(self._heatmap, consultation, kept, 100 * number + index)
                    yield self._file(f"{name}-heatmap-{index}", kept.view_id, make)

    def _report(self, reader: str, number: int) -> Dataset | None:
        return reader_report(
            self._case.case,
            self._reported(),
            self._annotations,
            self._plan.label_set,
            self._owner,
            reader=reader,
            number=number,
            has_free_words=self._plan.request.has_free_text,
        )

    def _presentation(self, view: View, shapes: tuple[Shape, ...], kept: Window | None, number: int) -> Dataset:
        window = kept
        if window is None:
            window = computed_windows(self._source.image(view), view.grey)["auto"]
        one = self._reported_view(view)
        return presentation_state(one, shapes, window, self._owner, number=number, case_id=self._case.case.id)

    def _model_report(self, consultation: Consultation, views: list[View], number: int) -> Dataset:
        seen = [self._seen(consultation, view) for view in views]
        return model_report(self._case.case, consultation, seen, self._owner, number=number)

    def _heatmap(self, consultation: Consultation, kept: KeptHeatmap, number: int) -> Dataset:
        view = next(view for view in self._case.pictures if view.id == kept.view_id)
        seen, finding = self._seen(consultation, view), consultation.finding
        assert finding is not None, "only answers have heatmaps"
        picture = heatmap_picture(
            seen, self._source.image(view), kept.load(), consultation.card, finding, method=kept.method
        )
        return heatmap_capture(seen, picture, consultation, self._owner, number=number, method=kept.method)

    def _seen(self, consultation: Consultation, view: View) -> SeenView:
        fed = next(one for one in consultation.views if one.view_id == view.id)
        return SeenView(
            reported=self._reported_view(view), cut=fed.given.cut, voi=fed.given.voi, is_located=fed.is_located
        )

    def _reported(self) -> list[ReportedView]:
        return [self._reported_view(view) for view in self._case.pictures]

    def _reported_view(self, view: View) -> ReportedView:
        header = self._headers[view.id]
        return ReportedView(view=view, header=header, reference=image_reference(view, header, self._owner))

    def _kept_window(self, view: View) -> Window | None:
        """The automatic window if it is known; that of a masked image is worked out without what is under the masks."""
        review = view.pixel_review
        if review is not None and review.verdict is PixelVerdict.MASKED:
            return None
        found = kept_windows(self._source.project.derived, view.image_sha256, view.grey)
        return None if found is None else found.get("auto")

    def _is_wanted(self, annotation: Annotation) -> bool:
        prefixes = [prefix for content, fields in FIELDS.items() if self._plan.has(content) for prefix in fields]
        return annotation.field.startswith(tuple(prefixes)) if prefixes else False

    def _file(self, name: str, about: str, make: Callable[[], Dataset | None]) -> OutputFile:
        def content() -> Iterable[Chunk]:
            dataset = make()
            assert dataset is not None, "it was there when the files were counted"
            return [file_bytes(dataset)]

        return OutputFile(path=f"{FOLDER}/{self._case.patient.id}/{name}.dcm", content=content, about=about)

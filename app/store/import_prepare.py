"""What can be found out about an image before the project is written, so that a commit is short.

Nobody else can write while a commit is being made. Reading pixels, hashing, judging the projection, de-identifying and
storing the image file take nearly all the time of an import and happen before it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from app.core.case import View
from app.core.grey import StoredImage
from app.core.messages import ReadImage
from app.store.images import image_address
from app.store.import_copies import held_view, keys_of
from app.store.import_plan import PlannedFile
from app.store.import_views import STUDY_UID_TAG, Rules, Subject, subject_of, view_of
from app.store.mapping import MappingRow
from app.store.project import ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """One image that was read, with everything that it says by itself.

    Args:
        file: its place in the plan.
        image: the reader's answer.
        pixels: (H, W) uint16 stored values.
        address: their address.
        keys: object key and predecessor key.
        subject: patient and study, as the image itself would have them.
        view: the view, in that study.
        header: the de-identified header.
        row: its line in the mapping file.
    """

    file: PlannedFile
    image: ReadImage
    pixels: StoredImage
    address: str
    keys: tuple[str, str]
    subject: Subject
    view: View
    header: dict[str, Any]
    row: MappingRow | None

    def placed(self, subject: Subject, notices: tuple[str, ...]) -> tuple[View, dict[str, Any]]:
        """View and header in the study that the image really belongs to, with more notices in front."""
        view = replace(self.view, study_id=subject.study.id, notices=(*notices, *self.view.notices))
        return view, self.header | {STUDY_UID_TAG: {"vr": "UI", "Value": [subject.study.id]}}


def prepare_image(
    file: PlannedFile, image: ReadImage, pixels: StoredImage, *, name: str, row: MappingRow | None, rules: Rules
) -> PreparedImage:
    """Find out everything that needs no other image.

    Args:
        file: its place in the plan.
        image: the reader's answer.
        pixels: (H, W) uint16 stored values.
        name: relative path of the file, for advisory evidence; not kept.
        row: its line in the mapping file.
        rules: pseudonyms and tables.
    """
    address = image_address(pixels)
    subject = subject_of(image, rules, row=row)
    view, header = view_of(
        image, pixels, subject=subject, image_sha256=address, frame=file.frame, name=name, row=row, rules=rules
    )
    return PreparedImage(
        file=file,
        image=image,
        pixels=pixels,
        address=address,
        keys=keys_of(image, file.frame, rules.pseudonyms),
        subject=subject,
        view=view,
        header=header,
        row=row,
    )


@dataclass(slots=True, kw_only=True)
class ImageWriting:
    """Image files on their way to the disk, side by side.

    Args:
        store: starts to store an image and gives its future address.
    """

    store: Callable[[StoredImage], Future[str]]
    _under_way: dict[str, Future[str]] = field(default_factory=dict)

    def start(self, prepared: PreparedImage) -> None:
        """Begin to store an image, unless that has begun."""
        if prepared.address not in self._under_way:
            self._under_way[prepared.address] = self.store(prepared.pixels)

    def finish(self) -> None:
        """Wait until every image is durably stored.

        Raises:
            UserError: an image could not be stored; the first failure ends the batch, which is then not committed.
        """
        for future in list(self._under_way.values()):
            future.result()

    def forget(self) -> None:
        """The batch is over."""
        self._under_way.clear()


def is_surely_new(project: ProjectStore, prepared: PreparedImage, others: list[PreparedImage]) -> bool:
    """Whether neither the project nor the batch holds anything that the image could be a copy of."""
    own = {*prepared.keys, prepared.address, prepared.image.source_sha256} - {""}
    if any(own & {*other.keys, other.address, other.image.source_sha256} for other in others):
        return False
    patient_id = prepared.subject.patient.id
    frame = prepared.file.frame
    return held_view(project, prepared.image, prepared.keys, patient_id, prepared.address, frame=frame) is None

"""Typed messages between Coxa's processes: one JSON object a line."""

from __future__ import annotations

import msgspec

from app.core.grey import GreyScale

PROTOCOL = 1


class CodedConcept(msgspec.Struct, frozen=True, kw_only=True):
    """A coded entry of a DICOM code sequence."""

    scheme: str
    value: str
    meaning: str = ""


class ObjectFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one file says about itself, as plain text. **Identifying: lives in memory only, is never stored.**

    Every field is the object's own text, stripped; empty when absent. Raster files leave nearly all empty.

    Args:
        format: `DICOM`, `PNG`, `TIFF` or `JPEG`.
        predecessor_uid: SOP Instance UID that this object re-encodes (Source Image Sequence with purpose
            121320 DCM "Uncompressed predecessor"), or empty.
        acquired: best available acquisition date and time, `YYYYMMDDHHMMSS[.f]`, or empty.
        patient_orientation: row and column letters, or empty.
        words: free-text fields that may name a projection or a side, by the field's name
            (`Series Description`, `Protocol Name`, `Acquisition Device Processing Description` …).
        frame_count: number of frames in the object.
        is_lossy: whether the pixels went through lossy compression at any time.
    """

    format: str
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    study_uid: str = ""
    series_uid: str = ""
    transfer_syntax_uid: str = ""
    predecessor_uid: str = ""
    patient_id: str = ""
    patient_id_issuer: str = ""
    patient_name: str = ""
    birth_date: str = ""
    sex: str = ""
    study_date: str = ""
    acquired: str = ""
    modality: str = ""
    image_type: tuple[str, ...] = ()
    body_part: str = ""
    regions: tuple[CodedConcept, ...] = ()
    region_modifiers: tuple[CodedConcept, ...] = ()
    view_codes: tuple[CodedConcept, ...] = ()
    view_modifiers: tuple[CodedConcept, ...] = ()
    view_position: str = ""
    image_laterality: str = ""
    laterality: str = ""
    patient_orientation: tuple[str, ...] = ()
    words: dict[str, str] = {}
    presentation_intent: str = ""
    burned_in_annotation: str = ""
    pixel_spacing: tuple[str, ...] = ()
    imager_pixel_spacing: tuple[str, ...] = ()
    pixel_aspect_ratio: tuple[str, ...] = ()
    calibration_type: str = ""
    magnification_factor: str = ""
    source_to_detector_mm: str = ""
    source_to_patient_mm: str = ""
    frame_count: int = 1
    is_lossy: bool = False


class ReadRequest(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Read one image.

    Args:
        job: echoed in the reply.
        path: file to read; for a member of an archive, the archive.
        member: name inside the archive, or empty.
        frame: frame index for a multi-frame object; None refuses multi-frame objects.
        output: path of the `.npy` file to write the stored values to.
        is_header_only: answer without decoding pixels.
    """

    job: int
    path: str
    member: str = ""
    frame: int | None = None
    output: str = ""
    is_header_only: bool = False


class ReadImage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One image that was read.

    Args:
        job: the request's job.
        source_sha256: hash of the whole file (or archive member), hex.
        facts: what the object says about itself (identifying).
        header: whitelisted attributes, DICOM JSON model (PS3.18 F), not yet de-identified, no bulk data.
        rows: image height, px.
        cols: image width, px.
        offset: stored value = pixel + offset.
        grey: how stored values become grey levels.
        flags: ViewFlag values.
        notices: sentences for the user.
    """

    job: int
    source_sha256: str
    facts: ObjectFacts
    header: dict[str, dict[str, object]]
    rows: int
    cols: int
    offset: int
    grey: GreyScale
    flags: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


class ReadFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A file that was refused: the parts of a UserError."""

    job: int
    title: str
    reason: str = ""
    remedy: str = ""
    kind: str = "unreadable"
    source_sha256: str = ""


ReadReply = ReadImage | ReadFailed

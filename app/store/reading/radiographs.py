"""Which objects are projection radiographs (PS3.4 B.5)."""

from __future__ import annotations

from app.core.errors import UserError
from app.store.reading.buffers import Buffer
from app.store.reading.header import HEAD_BYTES, HeaderScanner

_STORAGE = "1.2.840.10008.5.1.4.1.1."
COMPUTED_RADIOGRAPHY = _STORAGE + "1"

SECONDARY_CAPTURES = frozenset({_STORAGE + "7", *(f"{_STORAGE}7.{kind}" for kind in range(1, 5))})
RADIOGRAPHS = SECONDARY_CAPTURES | frozenset(
    _STORAGE + kind
    for kind in (
        "1",  # CR
        "1.1",  # DX for presentation
        "1.1.1",  # DX for processing
        "1.2",  # MG for presentation
        "1.2.1",  # MG for processing
        "12.1",  # XA
        "12.1.1",  # Enhanced XA
        "12.2",  # RF
        "12.2.1",  # Enhanced RF
        "12.3",  # XA biplane, retired
    )
)

# Modalities whose secondary captures, and objects without a class, are not projection radiographs.
_OTHER_MODALITIES = frozenset({"CT", "MR", "US", "PT", "NM", "OP", "OPT", "ES", "GM", "SM", "XC", "ECG", "IVUS", "OCT"})

_NAMES = {
    _STORAGE + "2": "a CT slice",
    _STORAGE + "2.1": "a CT volume",
    _STORAGE + "4": "an MR slice",
    _STORAGE + "4.1": "an MR volume",
    _STORAGE + "6.1": "an ultrasound image",
    _STORAGE + "3.1": "an ultrasound clip",
    _STORAGE + "20": "a nuclear medicine image",
    _STORAGE + "128": "a PET slice",
    _STORAGE + "481.2": "a radiotherapy dose",
    _STORAGE + "104.1": "an encapsulated PDF",
    "1.2.840.10008.1.3.10": "a DICOMDIR, a table of contents",
}

_WITHOUT_IMAGE = frozenset(
    {
        "1.2.840.10008.1.3.10",
        *(_STORAGE + kind for kind in ("104.1", "481.3", "481.5", "88.11", "88.22", "88.33", "11.1")),
    }
)
_CLASS_AND_MODALITY = HeaderScanner(("SOPClassUID", "Modality"))


def is_secondary_capture(sop_class_uid: str) -> bool:
    """Whether an object is a secondary capture: a picture of something, not the detector's values."""
    return sop_class_uid in SECONDARY_CAPTURES


def refuse_early(buffer: Buffer) -> None:
    """Refuse a plain CT, MR … file from its first bytes, before it is hashed and parsed.

    Folders hold thousands of them.

    Raises:
        UserError: kind `not-a-radiograph` or `no-image`.
    """
    found = _CLASS_AND_MODALITY.scan(bytes(buffer[:HEAD_BYTES]))
    if found is not None:
        check_is_radiograph(found["SOPClassUID"], found["Modality"])


def check_is_radiograph(sop_class: str, modality: str) -> None:
    """Refuse what is no projection radiograph.

    Args:
        sop_class: SOP Class UID, or empty.
        modality: Modality, or empty.

    Raises:
        UserError: kind `not-a-radiograph`, or `no-image` for classes that never hold one.
    """
    modality = modality.upper()
    if not sop_class or is_secondary_capture(sop_class):
        if modality not in _OTHER_MODALITIES:
            return
    elif sop_class in RADIOGRAPHS:
        return
    what = _NAMES.get(
        sop_class, f"of modality {modality}" if modality in _OTHER_MODALITIES else "another kind of object"
    )
    kind = "no-image" if sop_class in _WITHOUT_IMAGE else "not-a-radiograph"
    raise UserError(
        "The file is not a radiograph.",
        reason=f"It is {what}.",
        remedy="Coxa reads CR, DX, RF, XA, MG and secondary capture images.",
        kind=kind,
    )

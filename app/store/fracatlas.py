"""The folder of the FracAtlas data set as published, as an example of a mapping.

FracAtlas (Abedeen et al., Scientific Data 10:521, 2023, doi 10.1038/s41597-023-02432-4, CC BY 4.0): `dataset.csv`
beside `images/Fractured/` and `images/Non_fractured/`. Columns: image_id, hand, leg, hip, shoulder, mixed, hardware,
multiscan, fractured, fracture_count, frontal, lateral, oblique; 0 or 1 but for the count. It names no patients and
no sides.
"""

from __future__ import annotations

from pathlib import Path

from app.core.case import Projection
from app.core.errors import UserError
from app.store.mapping import ImageMapping, MappingRow, column_key, read_table

FOLDERS = ("Fractured", "Non_fractured")
_NEEDED = ("image_id", "hip", "fractured", "frontal", "lateral", "oblique")
_LABELS = ("fractured", "fracture_count", "hardware", "multiscan", "mixed")
_PROJECTIONS = (("frontal", Projection.FRONTAL), ("lateral", Projection.LATERAL), ("oblique", Projection.OBLIQUE))


def read_fracatlas(folder: Path) -> ImageMapping:
    """The hip images of a FracAtlas folder as a mapping.

    Each image is a patient of its own, since the data set does not say which images belong together; nothing is paired.
    The side stays open. An image that shows several projections at once gets none.

    Args:
        folder: the folder that holds `dataset.csv` and `images/`, or one above it.

    Raises:
        UserError: `mapping`: this is not a FracAtlas folder, or a row is wrong.
    """
    root = next((path for path in (folder, folder / "FracAtlas") if (path / "dataset.csv").is_file()), None)
    if root is None:
        raise _wrong("There is no dataset.csv in this folder.", "Give the folder that holds dataset.csv and images/.")
    table = read_table((root / "dataset.csv").read_bytes())
    names = [column_key(name) for name in table[0][1]] if table else []
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise _wrong(f"dataset.csv has no column {', '.join(missing)}.", "Use the file as it was published.")
    rows: dict[str, MappingRow] = {}
    others = absent = 0
    for number, cells in table[1:]:
        values = dict(zip(names, cells, strict=False))
        if not _flag(values, "hip", number):
            others += 1
            continue
        path = _image_path(root, values["image_id"], is_fractured=_flag(values, "fractured", number))
        if path is None:
            absent += 1
            continue
        shown = [projection for name, projection in _PROJECTIONS if _flag(values, name, number)]
        rows[path] = MappingRow(
            path=path,
            patient=f"fracatlas {values['image_id']}",
            projection=shown[0] if len(shown) == 1 else None,
            labels={name: values[name] for name in _LABELS if values.get(name)},
        )
    if not rows:
        raise _wrong("None of the images in this folder is marked as a hip.", "Use the folder as it was published.")
    notes = [f"FracAtlas: {len(rows)} hip images; {others} images of other parts of the body are left out."]
    if absent:
        notes.append(f"{absent} hip images are listed in dataset.csv, but their files are missing.")
    return ImageMapping(root=root.absolute(), rows=rows, notes=tuple(notes))


def _flag(values: dict[str, str], name: str, number: int) -> bool:
    text = values.get(name, "").strip()
    if text in ("1", "1.0"):
        return True
    if text in ("", "0", "0.0"):
        return False
    raise _wrong(f"Row {number}, column {name!r}: {text[:20]!r} is neither 0 nor 1.", "Use the file as published.")


def _image_path(root: Path, image_id: str, *, is_fractured: bool) -> str | None:
    name = image_id.replace("\\", "/").rpartition("/")[2]
    for folder in FOLDERS if is_fractured else FOLDERS[::-1]:
        if name and (root / "images" / folder / name).is_file():
            return f"images/{folder}/{name}"
    return None


def _wrong(reason: str, remedy: str) -> UserError:
    return UserError("This is not a FracAtlas folder.", reason=reason, remedy=remedy, kind="mapping")

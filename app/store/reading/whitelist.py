"""The attributes that may be taken along from a header, and their form: the DICOM JSON model (PS3.18 F)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import Tag

import app

_PATH = Path(app.__file__).resolve().parents[1] / "resources" / "dicom" / "whitelist.toml"


def load_whitelist(path: Path = _PATH) -> frozenset[int]:
    """The tags of the whitelist; private tags never pass."""
    with path.open("rb") as file:
        table = tomllib.load(file)
    tags = (int(entry["tag"], 16) for entry in table["attribute"])
    return frozenset(tag for tag in tags if not (tag >> 16) & 1)


def header_of(dataset: Dataset, whitelist: frozenset[int]) -> dict[str, dict[str, object]]:
    """The whitelisted attributes of a data set in the DICOM JSON model, without bulk data.

    An attribute whose value cannot be expressed is left out.
    """
    header: dict[str, dict[str, object]] = {}
    for tag in sorted(whitelist):
        if tag not in dataset:
            continue
        try:
            element: dict[str, Any] = dataset[Tag(tag)].to_json_dict(None, 1 << 20)
        except Exception:  # pydicom raises whatever the conversion of a bad value raises
            continue
        cleaned = _without_bulk(element)
        if cleaned is not None:
            header[f"{tag:08X}"] = cleaned
    return header


def _without_bulk(element: dict[str, Any]) -> dict[str, object] | None:
    """The same element without binary values at any depth; None when it is binary itself."""
    if "InlineBinary" in element or "BulkDataURI" in element:
        return None
    if element.get("vr") == "SQ":
        items = [
            {tag: kept for tag, inner in item.items() if (kept := _without_bulk(inner)) is not None}
            for item in element.get("Value", [])
        ]
        return {"vr": "SQ", "Value": items}
    if "Value" in element:  # pydicom leaves its own string types in
        element["Value"] = [str(value) if isinstance(value, str) else value for value in element["Value"]]
    return element

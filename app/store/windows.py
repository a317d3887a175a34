"""What is searched for in the pixels of an image once, then kept: its collimated area and the windows from it."""

from __future__ import annotations

import msgspec
import numpy as np

from app.core.collimation import CollimatedArea, collimated_area
from app.core.grey import GreyScale, StoredImage, Window
from app.core.voi import computed_windows
from app.store.derived import DerivedCache, derived_key

# Raise a number when the search may give anything else than before: what is kept is then computed anew.
KIND = "windows/2"
AREA_KIND = "collimation/2"
_DECODER = msgspec.msgpack.Decoder(dict[str, Window])
_AREA_DECODER = msgspec.msgpack.Decoder(tuple[bool, bool, list[tuple[float, float]]])


def kept_windows(derived: DerivedCache, sha256: str, grey: GreyScale) -> dict[str, Window] | None:
    """The windows of an image, as `computed_windows` found them before; None when they are not known yet.

    Args:
        derived: where they are kept.
        sha256: address of the stored values.
        grey: how they are read.
    """
    kept = derived.get(KIND, derived_key(sha256, grey))
    if kept is None:
        return None
    try:
        return _DECODER.decode(kept)
    except msgspec.DecodeError:
        return None


def windows_of(derived: DerivedCache, sha256: str, image: StoredImage, grey: GreyScale) -> dict[str, Window]:
    """The automatic window and the presets of an image, by name: kept ones, or computed now and kept.

    Args:
        derived: where they are kept.
        sha256: address of the stored values.
        image: the stored values of this address.
        grey: how they are read.
    """
    windows = kept_windows(derived, sha256, grey)
    if windows is None:
        windows = computed_windows(image, grey, area_of(derived, sha256, image, grey))
        derived.put(KIND, derived_key(sha256, grey), msgspec.msgpack.encode(windows))
    return windows


def area_of(derived: DerivedCache, sha256: str, image: StoredImage, grey: GreyScale) -> CollimatedArea:
    """The collimated area of an image: the kept one, or searched for now and kept.

    Args:
        derived: where it is kept.
        sha256: address of the stored values.
        image: the stored values of this address.
        grey: how they are read.
    """
    key = derived_key(sha256, grey)
    kept = derived.get(AREA_KIND, key)
    if kept is not None:
        try:
            is_found, is_bright, corners = _AREA_DECODER.decode(kept)
        except msgspec.DecodeError:
            pass
        else:
            polygon = np.array(corners, np.float64).reshape(-1, 2)
            return CollimatedArea(polygon_xy=polygon, is_found=is_found, is_border_bright=is_bright)
    area = collimated_area(image, grey)
    content = (area.is_found, area.is_border_bright, area.polygon_xy.tolist())
    derived.put(AREA_KIND, key, msgspec.msgpack.encode(content))
    return area

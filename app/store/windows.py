"""The windows that are computed from pixels: searched for once for each image, then kept."""

from __future__ import annotations

import msgspec

from app.core.grey import GreyScale, StoredImage, Window
from app.core.voi import computed_windows
from app.store.derived import DerivedCache, derived_key

# Raise the number when `computed_windows` may give anything else than before: what is kept is then computed anew.
KIND = "windows/2"
_DECODER = msgspec.msgpack.Decoder(dict[str, Window])


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
        windows = computed_windows(image, grey)
        derived.put(KIND, derived_key(sha256, grey), msgspec.msgpack.encode(windows))
    return windows

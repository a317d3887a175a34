"""pydicom and its plugins, one frame at a time: for colour, for odd layouts, and for what the fast codecs refuse."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from app.store.reading import syntaxes
from app.store.reading.layout import PixelKind, PixelLayout

logging.getLogger("pydicom").addHandler(logging.NullHandler())


def decode_reference(
    frame: bytes | memoryview, syntax: str, layout: PixelLayout, *, is_raw: bool
) -> tuple[npt.NDArray[Any], str]:
    """Decode one frame with pydicom's own choice of plugin.

    Args:
        frame: the code stream of one frame, or its uncompressed bytes.
        syntax: transfer syntax UID; deflated data sets count as explicit little endian.
        layout: the layout of the object.
        is_raw: return the cells, unsigned, without masking or colour transform (for grey images).

    Returns:
        (H, W) or (H, W, 3), and the photometric interpretation of what is returned.

    Raises:
        Exception: whatever pydicom raises when every plugin failed.
    """
    options: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.cols,
        "samples_per_pixel": layout.samples,
        "number_of_frames": 1,
        "photometric_interpretation": layout.photometric,
        "bits_allocated": layout.bits_allocated,
        "pixel_keyword": str(layout.kind),
        "apply_j2k_sign_correction": not is_raw,
    }
    if layout.kind is PixelKind.INTEGER:
        options["bits_stored"] = layout.bits_allocated if is_raw else layout.bits_stored
        options["pixel_representation"] = 0 if is_raw else int(layout.is_signed)
        options["pixel_vr"] = layout.pixel_vr or "OW"
    if layout.samples > 1:
        options["planar_configuration"] = int(layout.is_planar)
    is_native = syntax in syntaxes.NATIVE
    source = bytes(frame) + b"\0" * (len(frame) % 2) if is_native else encapsulate([bytes(frame)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoder = get_decoder(UID(syntaxes.EXPLICIT_LITTLE if syntax == syntaxes.DEFLATED_EXPLICIT else syntax))
        array, properties = decoder.as_array(source, index=0, raw=is_raw, **options)
    return np.asarray(array), str(properties["photometric_interpretation"])
